#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "kv/engine/reader.h"
#include "kv/engine/write_batch.h"
#include "kv/txn/requests.h"

namespace orochi::kv {

/// What the leader of a partition stands on: its Raft group, the timestamp oracle, the others.
/// Nothing here answers from within the call, and nothing answers after the leader is destroyed.
class PartitionHost {
 public:
  virtual ~PartitionHost() = default;

  /// Everything this leader has proposed and been told of is in it.
  virtual const Reader& state() const = 0;
  /// Batches are applied in the order of the calls. `applied` is not called when leadership is
  /// lost; the batch may or may not be applied then.
  virtual void Propose(WriteBatch batch, std::function<void()> applied) = 0;
  /// `confirmed` is called once it is certain that this was the leader at a time after the call,
  /// and not when it is not.
  virtual void ConfirmLeadership(std::function<void()> confirmed) = 0;
  /// A timestamp that the oracle issues after the call.
  virtual void Stamp(std::function<void(Timestamp)> stamped) = 0;
  /// Asks the leader of the anchor's partition; nullopt when there is no answer.
  virtual void Push(const PushRequest& request,
                    std::function<void(std::optional<Answer>)> answered) = 0;
  /// Tells the partition of the one key what was decided; `done(false)` when there is no answer.
  virtual void Resolve(const ResolveRequest& request, std::function<void(bool)> done) = 0;
  virtual void After(int64_t delay_us, std::function<void()> event) = 0;
  virtual int64_t now_us() const = 0;
};

/// What the operations of writes mean: the data model's.
class OperationRules {
 public:
  /// What an operation finds.
  struct Current {
    std::string_view key{};
    const std::optional<std::string>& value;
    Timestamp written{};    // when the key was last written by others; kNever: not, or forgotten
    Timestamp safepoint{};  // a deletion before this may be forgotten
  };
  struct Evaluation {
    bool holds = true;                   // false: the operation's condition does not
    std::optional<std::string> value{};  // the key's new value; nullopt deletes it
    std::string result{};                // for who asked
  };

  virtual ~OperationRules() = default;
  /// Whether the outcome depends on what the key's value is.
  virtual bool Reads(std::string_view operation) const = 0;
  /// Threads: any. Must give the same for the same arguments.
  virtual Result<Evaluation> Evaluate(std::string_view operation, const Current& current) const = 0;
};

}  // namespace orochi::kv
