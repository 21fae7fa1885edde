// What goes into a write, and when.
#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/log/batch.h"
#include "kv/log/planted_bug.h"
#include "kv/log/segment_log.h"

namespace orochi::kv::log {
namespace {

// Requests that nobody waits for go with others, but do not pile up.
constexpr size_t kLazyCountMax = 1024;
constexpr uint64_t kHeadRecords = 4;  // of an append: reset, hard state, install, truncate

uint64_t RoundUp(uint64_t size_bytes, uint64_t block_size_bytes) {
  return (size_bytes + block_size_bytes - 1) / block_size_bytes * block_size_bytes;
}

std::string BaseOf(const std::optional<raft::SnapshotPoint>& point) {
  return point ? EncodeBase(*point) : std::string();
}

uint64_t HeadsSize(const raft::PersistRequest& request) {
  return kHeadRecords * kRecordHeadBytes + kVoteBytes + BaseOf(request.install).size();
}

uint64_t SizeOf(const raft::Entry& entry) {
  return kRecordHeadBytes + (entry.payload ? entry.payload->size() : 0);
}

void CountDown(std::map<GroupId, uint64_t>& counts, GroupId group) {
  auto const count = counts.find(group);
  if (--count->second == 0) {
    counts.erase(count);
  }
}

}  // namespace

Status SegmentLog::Append(GroupId group, raft::PersistRequest request, int64_t now_us) {
  RETURN_IF_ERROR(failure_);
  const StoredGroup* const stored = table_.Find(group);
  if (stored != nullptr && stored->damaged && !removals_.contains(group)) {
    return Status::FailedPrecondition(StrCat("group ", group.value(), " is damaged in this log"));
  }
  uint64_t const size_bytes_max = EntrySizeMax(options_, files_.device().block_size_bytes());
  for (const raft::Entry& entry : request.entries) {
    if (entry.payload && entry.payload->size() > size_bytes_max) {
      return Status::InvalidArgument(StrCat("group ", group.value(), ": entry ",
                                            entry.index.value(), " has ", entry.payload->size(),
                                            " bytes, at most ", size_bytes_max));
    }
  }
  Enqueue({.kind = Pending::Kind::kAppend,
           .group = group,
           .request = std::move(request),
           .since_us = now_us});
  return Status::Ok();
}

Status SegmentLog::Compact(GroupId group, raft::SnapshotPoint point) {
  RETURN_IF_ERROR(failure_);
  Enqueue({.kind = Pending::Kind::kCompact, .group = group, .point = std::move(point)});
  return Status::Ok();
}

Status SegmentLog::Remove(GroupId group, raft::ReplicaId removed_below, uint64_t sequence,
                          int64_t now_us) {
  RETURN_IF_ERROR(failure_);
  Pending pending{.kind = Pending::Kind::kRemove,
                  .group = group,
                  .removed_below = removed_below,
                  .since_us = now_us};
  pending.request.sequence = sequence;
  Enqueue(std::move(pending));
  return Status::Ok();
}

void SegmentLog::Enqueue(Pending pending) {
  pending_bytes_ += SizeOf(pending);
  urgent_count_ += pending.kind == Pending::Kind::kCompact ? 0 : 1;
  ++pending_counts_[pending.group];
  if (pending.kind == Pending::Kind::kRemove) {
    ++removals_[pending.group];
  }
  pending_.push_back(std::move(pending));
}

uint64_t SegmentLog::SizeOf(const Pending& pending) {
  uint64_t size_bytes = HeadsSize(pending.request) + BaseOf(pending.point).size();
  for (const raft::Entry& entry : pending.request.entries) {
    size_bytes += log::SizeOf(entry);
  }
  return size_bytes;
}

Decision SegmentLog::Next(int64_t now_us) const {
  if (!failure_.ok()) {
    return {Decision::Kind::kIdle};
  }
  if (writing_) {
    return {Decision::Kind::kBusy};
  }
  if (urgent_count_ > 0) {
    // When the last write served several groups and this one would serve fewer, the others are
    // likely to be about to ask: they were woken by the same completion.
    int64_t const wait_until_us = pending_.front().since_us + options_.batch_wait_us_max;
    bool const others_may_come = last_group_count_ >= 2 &&
                                 pending_counts_.size() < last_group_count_ &&
                                 pending_bytes_ < options_.batch_size_bytes_max;
    if (others_may_come && now_us < wait_until_us) {
      return {Decision::Kind::kWait, wait_until_us};
    }
    return {Decision::Kind::kWrite};
  }
  if (WantsCollection() || pending_.size() > kLazyCountMax || confirmation_requested_) {
    return {Decision::Kind::kWrite};
  }
  if (options_.confirm_after_us > 0 && !confirmed_) {
    int64_t const confirm_us = last_write_us_ + options_.confirm_after_us;
    return now_us < confirm_us ? Decision{Decision::Kind::kWait, confirm_us}
                               : Decision{Decision::Kind::kWrite};
  }
  return {Decision::Kind::kIdle};
}

// Of a frame with the least that the first request can be cut to.
uint64_t SegmentLog::FirstPartSize() const {
  if (pending_.empty()) {
    return kFrameHeadBytes;
  }
  const Pending& first = pending_.front();
  if (!first.begun) {
    return kFrameHeadBytes + HeadsSize(first.request) + BaseOf(first.point).size();
  }
  return kFrameHeadBytes + log::SizeOf(first.request.entries[first.entries_done]);
}

uint64_t SegmentLog::FrameSizeMax() const {
  return std::max({options_.batch_size_bytes_max, FirstPartSize(), collection_needs_bytes_});
}

bool SegmentLog::HasRoom() const {
  uint64_t const block = files_.device().block_size_bytes();
  uint64_t const wanted = std::max(
      {kFrameHeadBytes + pending_bytes_, FirstPartSize(), WantsCollection() ? FrameSizeMax() : 0});
  uint64_t const needed = RoundUp(std::min(wanted, FrameSizeMax()), block);
  // One block stays for the frame that closes the segment.
  return !last_is_closed_ && offset_bytes_ + needed + block <= options_.segment_size_bytes;
}

FrameHead SegmentLog::NextHead() {
  last_frame_ = last_frame_.Next();
  return {.log_id = log_id_,
          .segment = last_segment_,
          .offset_bytes = offset_bytes_,
          .number = last_frame_,
          .first_segment = first_segment_,
          .previous_crc = last_crc_};
}

WriteOrder::Step SegmentLog::FinishStep(FrameBuilder& builder, FrameHead head) {
  WriteOrder::Step step{.segment = head.segment,
                        .offset_bytes = head.offset_bytes,
                        .bytes = builder.Finish(head, files_.device().block_size_bytes())};
  last_crc_ = head.crc;
  offset_bytes_ += step.bytes.size_bytes();
  statistics_.written_bytes += step.bytes.size_bytes();
  return step;
}

void SegmentLog::RollSegment(WriteOrder& order) {
  if (!last_is_closed_) {
    FrameHead head = NextHead();
    head.closes_segment = true;
    FrameBuilder builder;
    order.close = FinishStep(builder, std::move(head));
  }
  last_segment_ = last_segment_.Next();
  offset_bytes_ = 0;
  last_is_closed_ = false;
  order.open = last_segment_;
}

WriteOrder SegmentLog::BuildWrite() {
  ASSERT(!writing_);
  ASSERT(failure_.ok());
  WriteOrder order;
  if (!HasRoom()) {
    RollSegment(order);
  }
  uint64_t const block = files_.device().block_size_bytes();
  uint64_t const room = options_.segment_size_bytes - block - offset_bytes_;
  Batch batch(table_, last_segment_, last_frame_.Next(), std::min(FrameSizeMax(), room), room);
  AddPending(batch);
  Collect(batch);
  FreeFirstSegments(order);
  order.frame = FinishFrame(batch);
  writing_ = true;
  if (IsPlanted(PlantedBug::kAcknowledgeBeforeDurable)) {
    completions_.insert(completions_.end(), written_.begin(), written_.end());
    written_.clear();
  }
  return order;
}

void SegmentLog::AddPending(Batch& batch) {
  while (!pending_.empty() && AddPart(batch, pending_.front())) {
    const Pending& done = pending_.front();
    if (done.kind != Pending::Kind::kCompact) {
      --urgent_count_;
      written_.push_back({done.group, done.request.sequence});
    }
    pending_bytes_ -= SizeOf(done);
    CountDown(pending_counts_, done.group);
    if (done.kind == Pending::Kind::kRemove) {
      CountDown(removals_, done.group);
    }
    pending_.pop_front();
  }
}

// As much of the request as fits; true when that is all.
bool SegmentLog::AddPart(Batch& batch, Pending& pending) {
  const StoredGroup* const stored = table_.Find(pending.group);
  switch (pending.kind) {
    case Pending::Kind::kAppend:
      return AddAppend(batch, pending);
    case Pending::Kind::kCompact: {
      if (stored == nullptr || !stored->exists() || pending.point.index <= stored->base_index()) {
        return true;
      }
      std::string const configuration = EncodeBase(pending.point);
      if (!batch.Fits(configuration.size())) {
        return false;
      }
      batch.AddOwned({.group = pending.group,
                      .kind = RecordKind::kCompact,
                      .index = pending.point.index.value(),
                      .term = pending.point.term},
                     configuration);
      return true;
    }
    case Pending::Kind::kRemove:
      if (!batch.Fits(0)) {
        return false;
      }
      batch.AddOwned(
          {.group = pending.group,
           .kind = RecordKind::kReset,
           .index = std::max(pending.removed_below, RemovedBelow(pending.group)).value()},
          std::string());
      return true;
  }
  return true;
}

bool SegmentLog::AddAppend(Batch& batch, Pending& pending) {
  if (!pending.begun) {
    if (!AddAppendHeads(batch, pending)) {
      return false;
    }
    pending.begun = true;
    batch.CountGroup(pending.group);
  }
  const std::vector<raft::Entry>& entries = pending.request.entries;
  while (pending.entries_done < entries.size()) {
    const raft::Entry& entry = entries[pending.entries_done];
    uint64_t const size_bytes = entry.payload ? entry.payload->size() : 0;
    if (!batch.Fits(size_bytes)) {
      return false;
    }
    batch.AddEntry(pending.group, entry);
    if (entry.payload) {
      cached_.push_back({last_frame_.Next(), pending.group, entry.index});
    }
    ++pending.entries_done;
  }
  return true;
}

bool SegmentLog::AddAppendHeads(Batch& batch, const Pending& pending) {
  const raft::PersistRequest& request = pending.request;
  GroupId const group = pending.group;
  std::string const base = BaseOf(request.install);
  if (!batch.FitsAll(kHeadRecords, kVoteBytes + base.size())) {
    return false;
  }
  const StoredGroup* stored = table_.Find(group);
  if (stored == nullptr || !stored->exists()) {
    // What an earlier life of the group has left in damaged segments is not this one's.
    batch.AddOwned(
        {.group = group, .kind = RecordKind::kReset, .index = RemovedBelow(group).value()},
        std::string());
  }
  if (request.hard_state) {
    batch.AddOwned({.group = group,
                    .kind = RecordKind::kHardState,
                    .index = request.hard_state->commit.value(),
                    .term = request.hard_state->term},
                   EncodeVote(request.hard_state->vote));
  }
  if (request.install) {
    batch.AddOwned({.group = group,
                    .kind = RecordKind::kInstall,
                    .index = request.install->index.value(),
                    .term = request.install->term},
                   base);
  }
  CheckEntries(pending);
  stored = table_.Find(group);
  if (!request.entries.empty() && stored != nullptr &&
      request.entries.front().index <= stored->last_index() &&
      !IsPlanted(PlantedBug::kTruncationNotLogged)) {
    batch.AddOwned({.group = group,
                    .kind = RecordKind::kTruncate,
                    .index = request.entries.front().index.value()},
                   std::string());
  }
  return true;
}

// A core that leaves a hole in its log is not one.
void SegmentLog::CheckEntries(const Pending& pending) const {
  const StoredGroup* const stored = table_.Find(pending.group);
  raft::LogIndex const base = stored == nullptr ? raft::LogIndex() : stored->base_index();
  raft::LogIndex expected = stored == nullptr ? raft::LogIndex() : stored->last_index();
  for (const raft::Entry& entry : pending.request.entries) {
    ASSERT(entry.index > base);
    ASSERT(entry.index <= expected + 1);
    expected = entry.index;
  }
}

WriteOrder::Step SegmentLog::FinishFrame(Batch& batch) {
  FrameHead head = NextHead();
  frame_is_empty_ = batch.records().empty();
  last_group_count_ = batch.group_count();
  batch.Settle(head);
  ++statistics_.frame_count;
  statistics_.record_count += batch.records().size();
  return FinishStep(batch.builder(), std::move(head));
}

void SegmentLog::OnWritten(int64_t now_us) {
  ASSERT(writing_);
  writing_ = false;
  durable_frame_ = last_frame_;
  last_write_us_ = now_us;
  confirmed_ = frame_is_empty_;
  confirmation_requested_ = confirmation_requested_ && !confirmed_;
  completions_.insert(completions_.end(), written_.begin(), written_.end());
  written_.clear();
  TrimCache();
}

void SegmentLog::OnFailed(Status status) {
  ASSERT(!status.ok());
  if (IsPlanted(PlantedBug::kGoesOnAfterFailure)) {
    OnWritten(last_write_us_);
    return;
  }
  writing_ = false;
  written_.clear();
  if (failure_.ok()) {
    failure_ = std::move(status).WithContext("the log has stopped");
  }
}

std::vector<Completion> SegmentLog::TakeCompletions() {
  return std::exchange(completions_, {});
}

}  // namespace orochi::kv::log
