#include "kv/log/group_table.h"

#include <cstring>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/log/planted_bug.h"

namespace orochi::kv::log {
namespace {

std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

uint64_t BaseSize(const raft::SnapshotPoint& base) {
  return EncodeBase(base).size();
}

Result<raft::Configuration> DecodeBase(std::span<const std::byte> payload) {
  return payload.empty() ? Result(raft::Configuration())
                         : raft::DecodeConfiguration(AsText(payload));
}

}  // namespace

std::string EncodeVote(raft::ReplicaId vote) {
  uint64_t const id = vote.value();
  std::string bytes(kVoteBytes, '\0');
  std::memcpy(bytes.data(), &id, kVoteBytes);
  return bytes;
}

std::string EncodeBase(const raft::SnapshotPoint& base) {
  const raft::Configuration& configuration = base.configuration;
  return configuration == raft::Configuration() ? std::string()
                                                : raft::EncodeConfiguration(configuration);
}

const StoredGroup* GroupTable::Find(GroupId group) const {
  auto const found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second;
}

const SegmentUse* GroupTable::FindUse(SegmentNumber segment) const {
  auto const found = uses_.find(segment);
  return found == uses_.end() ? nullptr : &found->second;
}

Status GroupTable::Apply(const RecordHead& record, std::span<const std::byte> payload,
                         const Written& written) {
  auto const [known, is_new] = groups_.try_emplace(record.group);
  StoredGroup& stored = known->second;
  stored.damaged |= is_new && all_damaged_;  // until its kReset, if that comes
  raft::LogIndex const index(record.index);
  switch (record.kind) {
    case RecordKind::kReset:
      Reset(record.group, stored);
      SetTombstone(record.group, stored, raft::ReplicaId(record.index), written.segment);
      break;
    case RecordKind::kTombstone:
      SetTombstone(record.group, stored, raft::ReplicaId(record.index), written.segment);
      break;
    case RecordKind::kHardState: {
      if (payload.size() != kVoteBytes) {
        stored.damaged = true;
        return Status::Corruption(StrCat("group ", record.group.value(), ": a vote of ",
                                         payload.size(), " bytes, expected ", kVoteBytes));
      }
      uint64_t vote = 0;
      std::memcpy(&vote, payload.data(), kVoteBytes);
      SetHardState(record.group, stored, {record.term, raft::ReplicaId(vote), index},
                   written.segment);
      break;
    }
    case RecordKind::kInstall:
    case RecordKind::kCompact: {
      Result<raft::Configuration> configuration = DecodeBase(payload);
      if (!configuration.ok()) {
        stored.damaged = true;
        return std::move(configuration)
            .status()
            .WithContext(StrCat("group ", record.group.value(), ": base of the log at entry ",
                                record.index));
      }
      bool const all = record.kind == RecordKind::kInstall;
      Erase(record.group, stored, stored.entries.begin(),
            all ? stored.entries.end() : stored.entries.upper_bound(index));
      SetBase(record.group, stored, {index, record.term, *std::move(configuration)},
              written.segment);
      break;
    }
    case RecordKind::kTruncate:
      Erase(record.group, stored, stored.entries.lower_bound(index), stored.entries.end());
      break;
    case RecordKind::kEntry:
      PutEntry(record, stored, written);
      break;
  }
  if (!stored.exists() && stored.removed_below == raft::kNobody && !stored.damaged) {
    groups_.erase(record.group);
  }
  return Status::Ok();
}

void GroupTable::PutEntry(const RecordHead& record, StoredGroup& stored, const Written& written) {
  raft::LogIndex const index(record.index);
  auto const known = stored.entries.find(index);
  if (known != stored.entries.end()) {
    Erase(record.group, stored, known, std::next(known));
  }
  Use(written.segment, record.group, record.size_bytes);
  cached_bytes_ += written.payload ? record.size_bytes : 0;
  stored.entries.emplace(index, StoredEntry{.term = record.term,
                                            .kind = record.entry_kind,
                                            .frame = written.frame,
                                            .place = {.segment = written.segment,
                                                      .offset_bytes = written.payload_offset_bytes,
                                                      .size_bytes = record.size_bytes,
                                                      .crc = record.crc},
                                            .payload = written.payload});
}

void GroupTable::Use(SegmentNumber segment, GroupId group, uint64_t payload_size_bytes) {
  SegmentUse& use = uses_[segment];
  use.live_bytes += kRecordHeadBytes + payload_size_bytes;
  ++use.live_records[group];
  live_bytes_ += kRecordHeadBytes + payload_size_bytes;
}

void GroupTable::Unuse(SegmentNumber segment, GroupId group, uint64_t payload_size_bytes) {
  auto const use = uses_.find(segment);
  if (IsPlanted(PlantedBug::kCollectIgnoresGroup) || IsPlanted(PlantedBug::kTombstoneForgotten)) {
    if (use == uses_.end() || !use->second.live_records.contains(group)) {
      return;
    }
  }
  ASSERT(use != uses_.end());
  auto const records = use->second.live_records.find(group);
  ASSERT(records != use->second.live_records.end());
  use->second.live_bytes -= kRecordHeadBytes + payload_size_bytes;
  live_bytes_ -= kRecordHeadBytes + payload_size_bytes;
  if (--records->second == 0) {
    use->second.live_records.erase(records);
  }
  if (use->second.live_records.empty()) {
    uses_.erase(use);
  }
}

void GroupTable::ForgetUse(SegmentNumber segment, GroupId group) {
  auto const use = uses_.find(segment);
  if (use != uses_.end() && use->second.live_records.erase(group) != 0 &&
      use->second.live_records.empty()) {
    uses_.erase(use);
  }
}

void GroupTable::ReplaceUse(SegmentNumber& held, SegmentNumber with, GroupId group,
                            uint64_t size_bytes) {
  if (held != SegmentNumber()) {
    Unuse(held, group, size_bytes);
  }
  held = with;
}

void GroupTable::Erase(GroupId group, StoredGroup& stored, Entries::iterator first,
                       Entries::iterator last) {
  for (auto entry = first; entry != last; ++entry) {
    const Place& place = entry->second.place;
    Unuse(place.segment, group, place.size_bytes);
    cached_bytes_ -= entry->second.payload ? place.size_bytes : 0;
  }
  stored.entries.erase(first, last);
}

void GroupTable::SetHardState(GroupId group, StoredGroup& stored, raft::HardState state,
                              SegmentNumber at) {
  ReplaceUse(stored.hard_state_segment, at, group, kVoteBytes);
  Use(at, group, kVoteBytes);
  stored.hard_state = state;
}

void GroupTable::SetBase(GroupId group, StoredGroup& stored, raft::SnapshotPoint base,
                         SegmentNumber at) {
  ReplaceUse(stored.base_segment, at, group, stored.base ? BaseSize(*stored.base) : 0);
  Use(at, group, BaseSize(base));
  stored.base = std::move(base);
}

void GroupTable::SetTombstone(GroupId group, StoredGroup& stored, raft::ReplicaId below,
                              SegmentNumber at) {
  ReplaceUse(stored.tombstone_segment, SegmentNumber(), group, 0);
  stored.removed_below = below;
  if (below != raft::kNobody) {
    Use(at, group, 0);
    stored.tombstone_segment = at;
  }
}

void GroupTable::Reset(GroupId group, StoredGroup& stored) {
  Erase(group, stored, stored.entries.begin(), stored.entries.end());
  ReplaceUse(stored.hard_state_segment, SegmentNumber(), group, kVoteBytes);
  ReplaceUse(stored.base_segment, SegmentNumber(), group, stored.base ? BaseSize(*stored.base) : 0);
  stored.hard_state.reset();
  stored.base.reset();
  stored.damaged = false;
}

void GroupTable::MarkDamaged(GroupId group) {
  groups_[group].damaged = true;
}

void GroupTable::MarkAllDamaged() {
  all_damaged_ = true;
  for (auto& [group, stored] : groups_) {
    stored.damaged = true;
  }
}

void GroupTable::SetPayloadOffset(GroupId group, raft::LogIndex index, FrameNumber frame,
                                  uint64_t offset_bytes) {
  auto const stored = groups_.find(group);
  if (stored == groups_.end()) {
    return;
  }
  auto const entry = stored->second.entries.find(index);
  if (entry != stored->second.entries.end() && entry->second.frame == frame) {
    entry->second.place.offset_bytes = offset_bytes;
  }
}

void GroupTable::DropCached(GroupId group, raft::LogIndex index, FrameNumber frame) {
  auto const stored = groups_.find(group);
  if (stored == groups_.end()) {
    return;
  }
  auto const entry = stored->second.entries.find(index);
  if (entry != stored->second.entries.end() && entry->second.frame == frame &&
      entry->second.payload) {
    cached_bytes_ -= entry->second.place.size_bytes;
    entry->second.payload.reset();
  }
}

}  // namespace orochi::kv::log
