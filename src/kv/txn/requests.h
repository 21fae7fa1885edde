#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "kv/mvcc/versions.h"

namespace orochi::kv {

/// What a coordinator, or another partition, asks of the leader of a partition. Every request may
/// come late, or to a replica that leads no more, and every one but OneShotRequest twice.

/// Rows of a span as of a timestamp.
struct ReadRequest {
  std::optional<TransactionId> transaction{};  // whose own writes count
  Timestamp timestamp{};
  KeySpan span{};
  bool reverse = false;
  uint32_t limit = UINT32_MAX;
};

/// One operation of a transaction on one key, whose outcome becomes an intent.
struct WriteRequest {
  TransactionId transaction{};
  std::string anchor{};            // the key of the transaction's first write
  uint32_t sequence = 0;           // counts the transaction's writes, from 1
  Timestamp read_timestamp{};      // as of which the transaction reads
  Timestamp timestamp{};           // at least which the write becomes a version
  bool first_writer_wins = false;  // snapshot isolation: nobody wrote it since read_timestamp
  std::string key{};
  std::string operation{};
};

/// Operations on keys of one partition that commit at once, without a record.
struct OneShotRequest {
  struct Operation {
    std::string key{};
    std::string operation{};
  };
  std::vector<Operation> operations{};
};

/// Whether nobody wrote into the spans after one timestamp and not after another. From then on
/// nobody may.
struct RefreshRequest {
  TransactionId transaction{};
  std::vector<KeySpan> spans{};
  Timestamp after{};
  Timestamp until{};
};

/// The decision, at the anchor.
struct CommitRequest {
  TransactionId transaction{};
  std::string anchor{};
  Timestamp timestamp{};
  std::vector<std::string> keys{};  // that have intents
};
struct AbortRequest {
  TransactionId transaction{};
  std::string anchor{};
};
/// Says that the coordinator lives.
struct HeartbeatRequest {
  TransactionId transaction{};
  std::string anchor{};
};

/// Somebody meets an intent and asks the anchor what became of its transaction.
struct PushRequest {
  TransactionId transaction{};
  std::string anchor{};
  Timestamp pusher_start{};  // who began earlier wins
  bool reads = false;        // enough if the transaction commits after `timestamp`
  Timestamp timestamp{};
};

/// The decision, told to where intents are.
struct ResolveRequest {
  TransactionId transaction{};
  bool committed = false;
  Timestamp timestamp{};
  std::vector<std::string> keys{};
};

/// Moves the safepoint of the partition on and removes what nobody can see any more: versions that
/// no read at the safepoint or later sees, and records of transactions that began before it. What
/// reads as of an earlier time, or began before, is refused from then on. Answered when all is
/// done.
struct CollectRequest {
  Timestamp safepoint;
};

using Request =
    std::variant<CollectRequest, ReadRequest, WriteRequest, OneShotRequest, RefreshRequest,
                 CommitRequest, AbortRequest, HeartbeatRequest, PushRequest, ResolveRequest>;

enum class Outcome : uint8_t {
  kOk,
  kConditionFailed,  // an operation's condition does not hold; nothing was written
  kConflict,         // what was read has changed: the transaction must begin anew
  kPushed,           // cannot commit unless after `timestamp`
  kPending,          // not decided; if a read pushed it, it will commit after `timestamp`
  kCommitted,        // at `timestamp`
  kAborted,
  kTooOld,  // began or reads before the safepoint
};

struct Answer {
  Outcome outcome = Outcome::kOk;
  Timestamp timestamp{};
  std::vector<std::pair<std::string, std::string>> rows{};
  std::optional<std::string> resume{};  // where the rows go on: the limit was reached
  std::vector<std::string> results{};   // one an operation
};

}  // namespace orochi::kv
