#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/tagged.h"

namespace orochi::raft {

/// One replica of one group, never used again once removed. 0 is nobody.
using ReplicaId = Tagged<uint64_t, struct ReplicaIdTag>;
using Term = Tagged<uint64_t, struct TermTag>;
/// Position in the log of a group; the first entry is 1, and 0 stands before it.
using LogIndex = Tagged<uint64_t, struct LogIndexTag>;

inline constexpr ReplicaId kNobody{};

constexpr LogIndex operator+(LogIndex index, uint64_t count) {
  return LogIndex(index.value() + count);
}
constexpr LogIndex operator-(LogIndex index, uint64_t count) {
  return LogIndex(index.value() - count);
}
/// How many entries are in (from, to]. REQUIRES: from <= to.
constexpr uint64_t Distance(LogIndex from, LogIndex to) {
  return to.value() - from.value();
}

/// Bytes that nobody changes. Shared by the log, by the messages to each follower and by the disk
/// write, which let go of it at different times. Null is no bytes.
using Payload = std::shared_ptr<const std::string>;

enum class EntryKind : uint8_t {
  kCommand = 0,        // the payload belongs to the state machine
  kLeaderStart = 1,    // no payload: the first entry of a leader, which commits what came before
  kConfiguration = 2,  // the payload is a Configuration (configuration.h)
};

struct Entry {
  LogIndex index;
  Term term;
  EntryKind kind = EntryKind::kCommand;
  Payload payload{};

  uint64_t size_bytes() const { return kOverheadBytes + (payload ? payload->size() : 0); }
  /// What an entry without payload counts for where bytes are bounded.
  static constexpr uint64_t kOverheadBytes = 32;
};

/// What must be durable of a replica beside its log. Raft paper, figure 2, "persistent state".
struct HardState {
  Term term;
  ReplicaId vote = kNobody;
  LogIndex commit;  // a hint that saves time after a restart

  friend bool operator==(const HardState&, const HardState&) = default;
};

enum class Role : uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };

}  // namespace orochi::raft
