#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kv/log/types.h"
#include "raft/raft_core.h"
#include "sim/violation.h"

namespace orochi::kv::log::simulation {

using sim::Violation;

/// "5/3:payload": index, term and payload.
std::string ToString(const raft::Entry& entry);

/// What one group's log should hold.
struct ModelLog {
  std::optional<raft::HardState> hard_state{};
  std::optional<raft::SnapshotPoint> base{};
  std::vector<raft::Entry> entries{};
  raft::ReplicaId removed_below{};

  bool exists() const { return hard_state || base || !entries.empty(); }
  raft::LogIndex base_index() const { return base ? base->index : raft::LogIndex(); }
  raft::LogIndex last_index() const { return base_index() + entries.size(); }
  /// "term 3 vote 1 commit 5, base 4, 6 entries 5..10 (terms ...)": for messages, and to compare.
  std::string ToString() const;
};

/// All states that a group's log has been asked to take, from the last one that was acknowledged
/// on: one of those is what a crash may leave.
class Ledger {
 public:
  const ModelLog& Latest(GroupId group) { return groups_[group].states.back(); }
  const std::map<GroupId, uint64_t>& waiting() const { return waiting_; }

  void NoteAppend(GroupId group, const raft::PersistRequest& request);
  void NoteCompact(GroupId group, const raft::SnapshotPoint& point);
  void NoteRemove(GroupId group, raft::ReplicaId removed_below, uint64_t sequence);
  /// W1: the completion comes once for each request, in order.
  void NoteCompletion(GroupId group, uint64_t sequence);
  bool IsAllAcknowledged() const { return waiting_.empty(); }

  /// W2: what was recovered is a state from the last acknowledged on. It is the only one then.
  void CheckRecovered(GroupId group, const ModelLog& recovered);
  /// The group is given up: nothing is expected of it any more but that it was removed.
  void Forget(GroupId group, raft::ReplicaId removed_below);
  std::vector<GroupId> Groups() const;

 private:
  struct Group {
    std::deque<ModelLog> states{ModelLog()};
    uint64_t first = 0;                                   // number of states[0]
    std::deque<std::pair<uint64_t, uint64_t>> waiting{};  // sequence, number of the state
  };

  void Push(Group& group, ModelLog state) { group.states.push_back(std::move(state)); }
  void Wait(GroupId id, Group& group, uint64_t sequence);

  std::map<GroupId, Group> groups_;
  std::map<GroupId, uint64_t> waiting_;  // how many completions
};

}  // namespace orochi::kv::log::simulation
