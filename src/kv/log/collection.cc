// Freeing segments: what is still needed of the oldest one is written once more, at the end.
#include <algorithm>

#include "base/assert.h"
#include "kv/log/batch.h"
#include "kv/log/planted_bug.h"
#include "kv/log/read_window.h"
#include "kv/log/segment_log.h"

namespace orochi::kv::log {

// Twice what is needed, so that moving costs at most about one write for each that was asked for.
uint64_t SegmentLog::SegmentCountMax() const {
  uint64_t const size_bytes = options_.segment_size_bytes;
  uint64_t const needed = (table_.live_bytes() + size_bytes - 1) / size_bytes;
  return std::max(options_.segment_count_min, 2 * needed + 2);
}

bool SegmentLog::WantsCollection() const {
  if (segment_count() <= SegmentCountMax() && first_segment_ > damaged_until_) {
    return false;
  }
  if (first_segment_ == last_segment_) {
    return false;
  }
  const SegmentUse* const use = table_.FindUse(first_segment_);
  if (use == nullptr) {
    return true;
  }
  for (const auto& [group, count] : use->live_records) {
    if (!table_.Find(group)->damaged) {
      return true;
    }
  }
  return false;  // until the damaged groups are removed
}

std::vector<GroupId> SegmentLog::OldestHolders() const {
  std::vector<GroupId> groups;
  const SegmentUse* const use = table_.FindUse(first_segment_);
  if (use != nullptr && segment_count() > SegmentCountMax()) {
    for (const auto& [group, count] : use->live_records) {
      groups.push_back(group);
    }
  }
  return groups;
}

void SegmentLog::Collect(Batch& batch) {
  collection_needs_bytes_ = 0;
  if (!WantsCollection()) {
    return;
  }
  const SegmentUse* const use = table_.FindUse(first_segment_);
  if (use == nullptr) {
    return;
  }
  std::vector<GroupId> groups;
  for (const auto& [group, count] : use->live_records) {
    groups.push_back(group);
  }
  for (GroupId const group : groups) {
    if (IsPlanted(PlantedBug::kCollectIgnoresGroup) && group.value() % 2 == 0) {
      table_.ForgetUse(first_segment_, group);
    } else if (!table_.Find(group)->damaged && !MoveGroup(batch, group)) {
      return;
    }
  }
}

// False when the frame is full.
bool SegmentLog::MoveGroup(Batch& batch, GroupId group) {
  const StoredGroup* const stored = table_.Find(group);
  uint64_t const records_before = batch.records().size();
  if (stored->tombstone_segment == first_segment_) {
    if (IsPlanted(PlantedBug::kTombstoneForgotten)) {
      table_.ForgetUse(first_segment_, group);
      return true;
    }
    if (!batch.Fits(0)) {
      return false;
    }
    batch.AddOwned(
        {.group = group, .kind = RecordKind::kTombstone, .index = stored->removed_below.value()},
        std::string());
  }
  if (stored->hard_state && stored->hard_state_segment == first_segment_) {
    if (!batch.Fits(kVoteBytes)) {
      return false;
    }
    batch.AddOwned({.group = group,
                    .kind = RecordKind::kHardState,
                    .index = stored->hard_state->commit.value(),
                    .term = stored->hard_state->term},
                   EncodeVote(stored->hard_state->vote));
  }
  if (stored->base && stored->base_segment == first_segment_) {
    std::string const configuration = EncodeBase(*stored->base);
    if (!batch.Fits(configuration.size())) {
      return false;
    }
    batch.AddOwned({.group = group,
                    .kind = RecordKind::kCompact,
                    .index = stored->base->index.value(),
                    .term = stored->base->term},
                   configuration);
  }
  bool const all = MoveEntries(batch, group, *stored);
  statistics_.moved_count += batch.records().size() - records_before;
  return all;
}

bool SegmentLog::MoveEntries(Batch& batch, GroupId group, const StoredGroup& stored) {
  std::vector<raft::LogIndex> indexes;
  for (const auto& [index, entry] : stored.entries) {
    if (entry.place.segment == first_segment_) {
      indexes.push_back(index);
    }
  }
  Window window(files_);
  for (raft::LogIndex const index : indexes) {
    const StoredEntry& entry = stored.entries.at(index);
    if (!batch.Fits(entry.place.size_bytes)) {
      collection_needs_bytes_ = kFrameHeadBytes + kRecordHeadBytes + entry.place.size_bytes;
      return false;
    }
    Result<raft::Payload> payload = PayloadOf(entry, window);
    if (!payload.ok()) {
      NoteDamage(group, entry.place);
      return true;
    }
    batch.AddEntry(group,
                   {.index = index, .term = entry.term, .kind = entry.kind, .payload = *payload});
    if (*payload) {
      cached_.push_back({last_frame_.Next(), group, index});
    }
  }
  return true;
}

void SegmentLog::NoteDamage(GroupId group, const Place& place) {
  table_.MarkDamaged(group);
  damages_.push_back({.file = SegmentFiles::NameOf(place.segment),
                      .offset_bytes = place.offset_bytes,
                      .segment = place.segment,
                      .groups = {group}});
}

void SegmentLog::FreeFirstSegments(WriteOrder& order) {
  while (first_segment_ < last_segment_ && table_.FindUse(first_segment_) == nullptr) {
    if (!std::binary_search(missing_.begin(), missing_.end(), first_segment_)) {
      order.freed.push_back(first_segment_);
    }
    first_segment_ = first_segment_.Next();
  }
}

}  // namespace orochi::kv::log
