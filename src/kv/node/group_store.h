#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "kv/engine/checkpoint.h"
#include "kv/engine/engine.h"
#include "kv/meta/cluster_map.h"
#include "kv/mvcc/versions.h"
#include "raft/raft_core.h"

namespace orochi::kv {

/// What a node notes about a group that it has a replica of, in the meta family beside the state.
struct GroupNote {
  raft::ReplicaId replica;
  KeySpan span{};
  /// The point of the last state that came whole from another replica, durable before the log
  /// knows of it.
  raft::SnapshotPoint installed{};
};

std::string GroupNoteKey(log::GroupId group);
std::string EncodeGroupNote(const GroupNote& note);
Result<GroupNote> DecodeGroupNote(std::string_view bytes);
Result<std::optional<GroupNote>> GroupNoteOf(const Reader& state, log::GroupId group);

/// All state of a partition: what a snapshot takes with it.
std::vector<FamilyRange> RangesOf(log::GroupId group, const KeySpan& span);

/// Removes a partition's state and the note about it. Not all at once: what is left after a crash
/// goes when the group is removed again.
Status DropState(Engine& engine, log::GroupId group, const KeySpan& span);

/// The last cluster map that the node has seen, so that it knows whom to ask when it comes back.
void RememberMap(WriteBatch& batch, const ClusterMap& map);
Result<ClusterMap> RememberedMap(const Reader& state);

/// What the log and the state together say of a replica, where a crash came between the state of a
/// snapshot and the log's record of it. kCorruption when the two contradict each other.
struct RecoveredReplica {
  raft::RecoveredState state;
  bool must_install = false;  // the log has yet to be told of state.base
};
Result<RecoveredReplica> JoinLogAndState(raft::RecoveredState logged, raft::LogIndex applied,
                                         const GroupNote& note);

}  // namespace orochi::kv
