#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "kv/txn/requests.h"

namespace orochi::kv {

/// What a coordinator reaches the cluster by. Nothing answers from within the call.
class CoordinatorHost {
 public:
  virtual ~CoordinatorHost() = default;
  /// A timestamp that the oracle issues after the call.
  virtual void Stamp(std::function<void(Timestamp)> stamped) = 0;
  /// To the leader of the partition that has `key`. nullopt when no answer came in time, whatever
  /// became of the request; an error when it cannot succeed.
  virtual void Send(const std::string& key, Request request,
                    std::function<void(std::optional<Result<Answer>>)> answered) = 0;
  /// The span cut where partitions end, in key order.
  virtual std::vector<KeySpan> Cut(const KeySpan& span) = 0;
  virtual void After(int64_t delay_us, std::function<void()> event) = 0;
};

enum class Isolation : uint8_t {
  kStrictSerializable,
  kSnapshot,  // reads are not looked at again; who writes a key first wins
};

enum class TransactionOutcome : uint8_t {
  kCommitted,
  kAborted,  // nothing of it happened
  kUnknown,  // it may or may not have committed, now or a little later: ask Inquire
};

/// One transaction, of a client who does one thing after the other. After an outcome of kConflict,
/// kAborted or no answer it can only be aborted, and begun anew as another.
///
/// Life:    Begin, then reads and writes, then Commit or Abort. Destroyed undecided it is aborted
/// by
///          whoever meets its intents, after a while.
/// Threads: none.    Borrows: host.
class Transaction {
 public:
  struct Options {
    Isolation isolation = Isolation::kStrictSerializable;
    int64_t heartbeat_us = 1'000'000;
    int attempt_count_max = 8;  // of each request, before it counts as unanswered
  };
  struct ReadResult {
    Outcome outcome = Outcome::kOk;  // or kConflict, kTooOld
    std::vector<std::pair<std::string, std::string>> rows{};
    std::shared_ptr<const Status> error{};  // with kConflict, when the leader gave no answer
  };
  struct WriteResult {
    Outcome outcome = Outcome::kOk;  // or kConditionFailed, kConflict, kTooOld
    std::string result{};
    std::shared_ptr<const Status> error{};  // with kConflict, when the leader gave no answer
  };
  struct CommitResult {
    TransactionOutcome outcome = TransactionOutcome::kUnknown;
    Timestamp timestamp{};  // of the commit
  };

  /// `high` and `low`: 128 bits that nobody else has.
  Transaction(CoordinatorHost& host, uint64_t high, uint64_t low, const Options& options);

  void Begin(std::function<void()> begun);
  /// Instead of Begin, to read as of a timestamp that another transaction read at: no writes.
  void BeginAt(Timestamp timestamp);
  void Read(const KeySpan& span, bool reverse, uint32_t limit,
            std::function<void(ReadResult)> done);
  void Write(const std::string& key, std::string operation, std::function<void(WriteResult)> done);
  void Commit(std::function<void(CommitResult)> done);
  void Abort(std::function<void()> done);

  const TransactionId& id() const { return id_; }
  const std::string& anchor() const { return anchor_; }
  /// At least where its writes come in the order of everything; id().start when none had to move.
  Timestamp write_timestamp() const { return write_timestamp_; }

 private:
  using Answered = std::function<void(std::optional<Result<Answer>>)>;
  void Ask(const std::string& key, Request request, Answered answered, int attempt = 0);
  void ReadNext(std::vector<KeySpan> pieces, size_t index, bool reverse, uint32_t limit,
                ReadResult so_far, std::function<void(ReadResult)> done);
  void Heartbeat();
  void Refresh(Timestamp until, std::function<void(bool)> done);
  void RefreshNext(std::vector<KeySpan> pieces, size_t index, Timestamp until,
                   std::function<void(bool)> done);
  void SendCommit(std::function<void(CommitResult)> done, int pushes);
  void GiveUp(std::function<void(CommitResult)> done);
  void Resolve(bool committed, Timestamp timestamp);

  std::function<void(std::optional<Result<Answer>>)> WhileHere(Answered body) {
    return [here = std::weak_ptr<int>(here_),
            body = std::move(body)](std::optional<Result<Answer>> answer) {
      if (!here.expired()) {
        body(std::move(answer));
      } else if (answer) {
        answer->status().IgnoreError("who asked is gone");
      }
    };
  }

  CoordinatorHost& host_;
  Options options_;
  TransactionId id_;
  std::string anchor_;
  Timestamp read_timestamp_;
  Timestamp write_timestamp_;
  uint32_t sequence_ = 0;
  std::vector<KeySpan> read_spans_;
  std::set<std::string> written_;  // perhaps
  bool reads_only_ = false;
  bool commit_sent_ = false;
  bool ended_ = false;
  std::shared_ptr<int> here_ = std::make_shared<int>(0);
};

}  // namespace orochi::kv
