#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "kv/meta/commands.h"
#include "kv/node/node_host.h"
#include "kv/node/replica.h"
#include "kv/txn/oracle.h"

namespace orochi::kv {

/// The replica that leads the meta group: gives out timestamps, evaluates commands one after the
/// other, and moves replicas to where they should be.
///
/// Threads: none.    Borrows: replica, host.
class MetaLeader final : public OracleHost {
 public:
  struct Options {
    TimestampOracle::Options oracle{};
    PlacementOptions placement{};
    /// A node that nobody hears of for so long is down: others get its replicas.
    int64_t down_after_us = int64_t{300} * 1'000'000;
  };

  MetaLeader(Replica& replica, NodeHost& host, const Options& options);

  void Stamp(uint64_t count, std::function<void(Timestamp first)> issued) {
    oracle_->Issue(count, std::move(issued));
  }
  /// `done` with the command's answer once it is applied. Not called when leadership is lost.
  void Run(meta::Command command, std::function<void(Result<std::string>)> done);
  /// Looks whether something should move, now and then. `absent`: who cannot be reached now.
  void Rearrange(const std::set<NodeNumber>& absent);

 private:
  struct Waiting {
    meta::Command command;
    std::function<void(Result<std::string>)> done;
  };

  void ProposeLimit(Timestamp limit, std::function<void()> applied) override;
  void ConfirmLeadership(std::function<void()> confirmed) override {
    replica_.Confirm(std::move(confirmed));
  }
  int64_t now_ms() const override { return host_.wall_ms(); }

  bool NoteAbsent(const ClusterMap& map, const std::set<NodeNumber>& absent);
  void RunNext();
  void Propose(meta::Evaluation evaluation, std::function<void(Result<std::string>)> done);

  Replica& replica_;
  NodeHost& host_;
  Options options_;
  std::unique_ptr<TimestampOracle> oracle_;
  std::deque<Waiting> waiting_;
  bool running_ = false;
  std::map<NodeNumber, int64_t> absent_since_us_;
};

}  // namespace orochi::kv
