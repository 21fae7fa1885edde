#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/status.h"
#include "kv/log/frame.h"
#include "kv/log/types.h"
#include "raft/configuration.h"
#include "raft/types.h"

namespace orochi::kv::log {

/// Where the payload of an entry is.
struct Place {
  SegmentNumber segment;
  uint64_t offset_bytes = 0;  // within the segment
  uint32_t size_bytes = 0;
  uint32_t crc = 0;
};

struct StoredEntry {
  raft::Term term;
  raft::EntryKind kind = raft::EntryKind::kCommand;
  FrameNumber frame;
  Place place;
  raft::Payload payload{};  // when it is in memory; also null when it has no bytes
};

/// What the log holds of one group, and in which segments.
struct StoredGroup {
  std::optional<raft::HardState> hard_state;
  SegmentNumber hard_state_segment;
  std::optional<raft::SnapshotPoint> base;
  SegmentNumber base_segment;
  /// Those after the base. In the middle of a recovery some may be missing: they are met later,
  /// where garbage collection has put them.
  std::map<raft::LogIndex, StoredEntry> entries;
  raft::ReplicaId removed_below;  // replica ids below it are removed; 0 for none
  SegmentNumber tombstone_segment;
  bool damaged = false;

  bool exists() const { return hard_state || base || !entries.empty(); }
  raft::LogIndex base_index() const { return base ? base->index : raft::LogIndex(); }
  raft::LogIndex last_index() const {
    return entries.empty() ? base_index() : entries.rbegin()->first;
  }
};

/// What a segment has that is still needed.
struct SegmentUse {
  uint64_t live_bytes = 0;
  std::map<GroupId, uint64_t> live_records;
};

/// The state that a log's records add up to, the same whether they are being written or replayed,
/// and which segments it needs.
///
/// Threads: none.
class GroupTable {
 public:
  struct Written {
    SegmentNumber segment;
    FrameNumber frame;
    uint64_t payload_offset_bytes = 0;  // within the segment
    raft::Payload payload{};            // of an entry, to be kept in memory; may be null
  };

  /// Applies a record whose payload is right. kCorruption, with the group marked as damaged, when
  /// the payload is not what its kind needs.
  Status Apply(const RecordHead& record, std::span<const std::byte> payload,
               const Written& written);

  const std::map<GroupId, StoredGroup>& groups() const { return groups_; }
  const StoredGroup* Find(GroupId group) const;
  const SegmentUse* FindUse(SegmentNumber segment) const;
  uint64_t live_bytes() const { return live_bytes_; }
  /// Of the entries in memory.
  uint64_t cached_bytes() const { return cached_bytes_; }

  void MarkDamaged(GroupId group);
  /// Also those that are met from now on, but for those that begin with kReset.
  void MarkAllDamaged();
  /// Recovery is over: groups that are new from now on are whole.
  void EndReplay() { all_damaged_ = false; }
  /// Says where in its segment an entry's payload has come to be, if it is still the one of that
  /// frame. To be called in the order of the records, so that the last of an index counts.
  void SetPayloadOffset(GroupId group, raft::LogIndex index, FrameNumber frame,
                        uint64_t offset_bytes);
  /// Lets go of an entry's payload in memory, if it is still the one of that frame.
  void DropCached(GroupId group, raft::LogIndex index, FrameNumber frame);
  /// For planted bugs: forgets that the segment is needed by the group.
  void ForgetUse(SegmentNumber segment, GroupId group);

 private:
  using Entries = std::map<raft::LogIndex, StoredEntry>;

  void Use(SegmentNumber segment, GroupId group, uint64_t payload_size_bytes);
  void Unuse(SegmentNumber segment, GroupId group, uint64_t payload_size_bytes);
  void ReplaceUse(SegmentNumber& held, SegmentNumber with, GroupId group, uint64_t size_bytes);
  void Erase(GroupId group, StoredGroup& stored, Entries::iterator first, Entries::iterator last);
  void SetHardState(GroupId group, StoredGroup& stored, raft::HardState state, SegmentNumber at);
  void SetBase(GroupId group, StoredGroup& stored, raft::SnapshotPoint base, SegmentNumber at);
  void SetTombstone(GroupId group, StoredGroup& stored, raft::ReplicaId below, SegmentNumber at);
  void Reset(GroupId group, StoredGroup& stored);
  void PutEntry(const RecordHead& record, StoredGroup& stored, const Written& written);

  std::map<GroupId, StoredGroup> groups_;
  std::map<SegmentNumber, SegmentUse> uses_;
  bool all_damaged_ = false;
  uint64_t live_bytes_ = 0;
  uint64_t cached_bytes_ = 0;
};

/// The payload of a kHardState record.
inline constexpr uint64_t kVoteBytes = 8;
std::string EncodeVote(raft::ReplicaId vote);
/// The payload of a kInstall or kCompact record; empty for no configuration.
std::string EncodeBase(const raft::SnapshotPoint& base);

}  // namespace orochi::kv::log
