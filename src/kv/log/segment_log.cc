#include "kv/log/segment_log.h"

#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/crc32c.h"
#include "kv/log/planted_bug.h"
#include "kv/log/read_window.h"

namespace orochi::kv::log {

uint64_t EntrySizeMax(const LogOptions& options, uint32_t block_size_bytes) {
  return options.segment_size_bytes - block_size_bytes - kFrameHeadBytes - kRecordHeadBytes;
}

Result<std::unique_ptr<SegmentLog>> SegmentLog::Open(const LogOptions& options, Device& device,
                                                     Random& random, Expect expect) {
  ASSERT(options.segment_size_bytes % device.block_size_bytes() == 0);
  ASSERT(options.batch_size_bytes_max >= kBatchBlocksMin * device.block_size_bytes());
  ASSERT(options.batch_size_bytes_max <= options.segment_size_bytes / 4);
  ASSERT(options.segment_size_bytes <= UINT32_MAX);
  std::unique_ptr<SegmentLog> log(new SegmentLog(options, device));
  RETURN_IF_ERROR(log->Recover(random, expect));
  return log;
}

Status SegmentLog::Recover(Random& random, Expect expect) {
  ASSIGN_OR_RETURN(std::vector<SegmentNumber> const segments, files_.Load());
  uint64_t kept_bytes = 0;
  KeepPayload const keep = [&](const RecordHead& record, std::span<const std::byte> payload) {
    kept_bytes += payload.size();
    return record.size_bytes == 0 || kept_bytes > options_.cache_size_bytes_max
               ? nullptr
               : std::make_shared<const std::string>(reinterpret_cast<const char*>(payload.data()),
                                                     payload.size());
  };
  ASSIGN_OR_RETURN(std::optional<RecoveredLog> recovered, RecoverLog(files_, segments, keep));
  if (!recovered) {
    if (expect == Expect::kExisting) {
      return Status::Corruption(StrCat("no log where one is expected: ", segments.size(),
                                       " segments without a whole frame"));
    }
    RETURN_IF_ERROR(files_.Recycle(segments));
    return BeginNew(random);
  }
  bool const is_new = recovered->last_frame == FrameNumber(1) && recovered->damages.empty() &&
                      recovered->table.groups().empty();
  if (expect == Expect::kNew && !is_new) {
    return Status::AlreadyExists(StrCat("a log where none is expected: ", segments.size(),
                                        " segments, ", recovered->table.groups().size(),
                                        " groups"));
  }
  table_ = std::move(recovered->table);
  table_.EndReplay();
  damages_ = std::move(recovered->damages);
  for (const Damage& damage : damages_) {
    damaged_until_ = std::max(damaged_until_, damage.segment);
  }
  log_id_ = recovered->log_id;
  first_segment_ = recovered->first_segment;
  last_segment_ = recovered->last_segment;
  offset_bytes_ = recovered->end_offset_bytes;
  last_is_closed_ = recovered->last_is_closed;
  last_frame_ = durable_frame_ = recovered->last_frame;
  last_crc_ = recovered->last_crc;
  missing_ = std::move(recovered->missing);
  confirmed_ = false;
  for (const auto& [group, stored] : table_.groups()) {
    for (const auto& [index, entry] : stored.entries) {
      if (entry.payload) {
        cached_.push_back({entry.frame, group, index});
      }
    }
  }
  TrimCache();
  // A write that was interrupted may be visible and not durable: from here on it is believed.
  if (!IsPlanted(PlantedBug::kRecoverWithoutSync)) {
    RETURN_IF_ERROR(files_.Sync(last_segment_));
  }
  return files_.Recycle(recovered->leftover);
}

Status SegmentLog::BeginNew(Random& random) {
  log_id_ = random.Next();
  first_segment_ = last_segment_ = SegmentNumber(1);
  WriteOrder order;
  order.open = last_segment_;
  FrameBuilder builder;
  order.frame = FinishStep(builder, NextHead());
  durable_frame_ = last_frame_;
  return files_.Write(order);
}

std::vector<GroupId> SegmentLog::Groups() const {
  std::vector<GroupId> groups;
  for (const auto& [group, stored] : table_.groups()) {
    if (stored.exists() || stored.damaged) {
      groups.push_back(group);
    }
  }
  return groups;
}

raft::ReplicaId SegmentLog::RemovedBelow(GroupId group) const {
  const StoredGroup* const stored = table_.Find(group);
  return stored == nullptr ? raft::kNobody : stored->removed_below;
}

Result<raft::RecoveredState> SegmentLog::LoadGroup(GroupId group) {
  const StoredGroup* const stored = table_.Find(group);
  if (stored == nullptr || (!stored->exists() && !stored->damaged)) {
    return Status::NotFound(StrCat("group ", group.value(), ": not in this log"));
  }
  raft::RecoveredState state;
  if (!stored->damaged) {
    state.hard_state = stored->hard_state.value_or(raft::HardState{});
    state.base = stored->base.value_or(raft::SnapshotPoint{});
    if (stored->entries.empty()) {
      return state;
    }
  }
  ASSIGN_OR_RETURN(state.entries,
                   Read(group, stored->base_index() + 1, stored->last_index(), UINT64_MAX));
  return state;
}

Result<std::vector<raft::Entry>> SegmentLog::Read(GroupId group, raft::LogIndex first,
                                                  raft::LogIndex last, uint64_t size_bytes_max) {
  const StoredGroup* const stored = table_.Find(group);
  if (stored != nullptr && stored->damaged) {
    for (const Damage& damage : damages_) {
      if (damage.groups.empty() ||
          std::find(damage.groups.begin(), damage.groups.end(), group) != damage.groups.end()) {
        return damage.ToStatus().WithContext(StrCat("group ", group.value()));
      }
    }
    return Status::Corruption(StrCat("group ", group.value(), " is damaged"));
  }
  if (stored == nullptr || first <= stored->base_index() || last > stored->last_index() ||
      last < first) {
    return Status::OutOfRange(StrCat("group ", group.value(), ": entries ", first.value(), " to ",
                                     last.value(), " are not all in the log"));
  }
  std::vector<raft::Entry> entries;
  uint64_t size_bytes = 0;
  Window window(files_);
  for (auto at = stored->entries.find(first); at != stored->entries.end() && at->first <= last;
       ++at) {
    size_bytes += at->second.place.size_bytes + raft::Entry::kOverheadBytes;
    if (!entries.empty() && size_bytes > size_bytes_max) {
      break;
    }
    Result<raft::Payload> payload = PayloadOf(at->second, window);
    if (!payload.ok()) {
      NoteDamage(group, at->second.place);
      return damages_.back().ToStatus();
    }
    entries.push_back({.index = at->first,
                       .term = at->second.term,
                       .kind = at->second.kind,
                       .payload = *std::move(payload)});
  }
  return entries;
}

Result<raft::Payload> SegmentLog::PayloadOf(const StoredEntry& entry, Window& window) {
  if (entry.payload || entry.place.size_bytes == 0) {
    return entry.payload;
  }
  ASSIGN_OR_RETURN(std::string bytes, window.Read(entry.place));
  if (codec::Crc32c(std::as_bytes(std::span(bytes))) != entry.place.crc &&
      !IsPlanted(PlantedBug::kPayloadUnchecked)) {
    return Status::Corruption("a payload that is not what was written");
  }
  return raft::Payload(std::make_shared<const std::string>(std::move(bytes)));
}

// Only what is durable can be read back, so only that is let go of.
void SegmentLog::TrimCache() {
  while (!cached_.empty() && table_.cached_bytes() > options_.cache_size_bytes_max &&
         cached_.front().frame <= durable_frame_) {
    const Cached& oldest = cached_.front();
    table_.DropCached(oldest.group, oldest.index, oldest.frame);
    cached_.pop_front();
  }
  if (cached_.size() > cached_count_max_) {
    DropStaleCached();
  }
}

void SegmentLog::DropStaleCached() {
  constexpr size_t kSlack = 4096;
  std::erase_if(cached_, [this](const Cached& cached) {
    const StoredGroup* const stored = table_.Find(cached.group);
    if (stored == nullptr) {
      return true;
    }
    auto const entry = stored->entries.find(cached.index);
    return entry == stored->entries.end() || entry->second.frame != cached.frame ||
           !entry->second.payload;
  });
  cached_count_max_ = 2 * cached_.size() + kSlack;
}

LogStatistics SegmentLog::statistics() const {
  LogStatistics statistics = statistics_;
  statistics.segment_count = segment_count();
  statistics.live_bytes = table_.live_bytes();
  statistics.cached_bytes = table_.cached_bytes();
  statistics.pending_bytes = pending_bytes_;
  return statistics;
}

}  // namespace orochi::kv::log
