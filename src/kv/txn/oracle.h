#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "kv/mvcc/timestamp.h"

namespace orochi::kv {

/// What the timestamp oracle stands on: the Raft group it is part of. Nothing answers from within
/// the call, and nothing after the oracle is destroyed.
class OracleHost {
 public:
  virtual ~OracleHost() = default;
  /// Makes `limit` durable in the group. `applied` is not called when leadership is lost.
  virtual void ProposeLimit(Timestamp limit, std::function<void()> applied) = 0;
  virtual void ConfirmLeadership(std::function<void()> confirmed) = 0;
  virtual int64_t now_ms() const = 0;  // a clock that may be wrong, and may jump
};

/// Gives out timestamps, each once, each greater than all that were given out before the request
/// for it came, over leaders and restarts. Needs no right clock: a wrong one costs numbers.
///
/// After: Percolator (OSDI 2010, section 2.3) and TiDB's placement driver. Lives while its group's
/// leader does, and begins with the limit that the group has applied.
///
/// Threads: none.    Borrows: host.
class TimestampOracle {
 public:
  struct Options {
    int64_t window_ms = 3'000;  // reserved at a time
  };

  TimestampOracle(OracleHost& host, Timestamp limit, const Options& options);

  /// `issued(first)`: `count` timestamps from `first` on are the caller's. It must have asked
  /// before the requests came that it uses them for.
  void Issue(uint64_t count, std::function<void(Timestamp first)> issued);

 private:
  struct Waiting {
    uint64_t count;
    std::function<void(Timestamp)> issued;
  };
  void ConfirmNext();
  void Serve();
  void Reserve(uint64_t count);

  OracleHost& host_;
  Options options_;
  Timestamp next_;
  Timestamp limit_;  // none from here on may be issued yet
  bool reserving_ = false;
  bool confirming_ = false;
  std::vector<Waiting> arrived_;    // since leadership was asked about
  std::vector<Waiting> asked_for_;  // leadership is being confirmed
  std::vector<Waiting> ready_;      // confirmed
  std::shared_ptr<int> here_ = std::make_shared<int>(0);
};

}  // namespace orochi::kv
