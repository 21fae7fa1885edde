#include "kv/log/recovery.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/str_cat.h"
#include "kv/log/planted_bug.h"
#include "kv/log/segment_scan.h"

namespace orochi::kv::log {
namespace {

// 1. From the last segment backwards, the last frame of all says which segment is the first.
// 2. From there on, every segment is scanned and its records applied in order; where something is
//    missing that must have been there, damage is noted.
class Recovery {
 public:
  Recovery(SegmentFiles& files, const std::vector<SegmentNumber>& segments, const KeepPayload& keep)
      : files_(files), segments_(segments), keep_(keep), buffer_(files.segment_size_bytes()) {}

  Result<std::optional<RecoveredLog>> Run() {
    RETURN_IF_ERROR(FindFirstSegment());
    if (!found_frame_) {
      return std::optional<RecoveredLog>();
    }
    for (SegmentNumber const segment : segments_) {
      if (segment < log_.first_segment) {
        log_.leftover.push_back(segment);
      }
    }
    // At least the segment of the last frame; what the directory has beyond it was never used.
    log_.last_segment = segments_.back();
    for (SegmentNumber segment = log_.first_segment; segment <= log_.last_segment;
         segment = segment.Next()) {
      RETURN_IF_ERROR(Replay(segment));
    }
    for (const auto& [group, stored] : log_.table.groups()) {
      CheckComplete(group, stored);
    }
    return std::optional<RecoveredLog>(std::move(log_));
  }

 private:
  Result<SegmentScan> Scan(SegmentNumber segment) {
    RETURN_IF_ERROR(files_.Read(segment, 0, buffer_.span()));
    std::optional<uint64_t> log_id;
    if (found_frame_) {
      log_id = log_.log_id;
    }
    return ScanSegment(buffer_.span(), {.log_id = log_id, .segment = segment},
                       files_.device().block_size_bytes());
  }

  Status FindFirstSegment() {
    for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
      ASSIGN_OR_RETURN(SegmentScan scan, Scan(*segment));
      // What a frame that was cut short says it has moved is not there.
      if (!scan.frames.empty() && !scan.frames.back().damaged_records.empty() &&
          segment == segments_.rbegin()) {
        scan.frames.pop_back();
      }
      if (!scan.frames.empty()) {
        found_frame_ = true;
        log_.log_id = *scan.log_id;
        log_.first_segment = scan.frames.back().head.first_segment;
        return Status::Ok();
      }
    }
    return Status::Ok();
  }

  Status Replay(SegmentNumber segment) {
    bool const is_last = segment == log_.last_segment;
    if (!std::binary_search(segments_.begin(), segments_.end(), segment)) {
      log_.missing.push_back(segment);
      Note(segment, 0, {});
      return Status::Ok();
    }
    ASSIGN_OR_RETURN(SegmentScan scan, Scan(segment));
    bool const tail_may_be_torn = is_last || IsPlanted(PlantedBug::kTornTailAnywhere);
    // The payloads of a frame are as much of its write as its head.
    if (tail_may_be_torn && !scan.frames.empty() && !scan.frames.back().damaged_records.empty()) {
      scan.end_offset_bytes = scan.frames.back().head.offset_bytes;
      scan.frames.pop_back();
    }
    size_t gap = 0;
    uint64_t expected_offset = 0;
    for (const ScannedFrame& frame : scan.frames) {
      bool const follows_gap = gap < scan.gaps.size() &&
                               scan.gaps[gap].offset_bytes == expected_offset &&
                               frame.head.offset_bytes != expected_offset;
      bool const misses_frames = log_.last_frame != FrameNumber() &&
                                 (frame.head.number != log_.last_frame.Next() ||
                                  frame.head.previous_crc != log_.last_crc) &&
                                 !IsPlanted(PlantedBug::kTornTailAnywhere) &&
                                 !IsPlanted(PlantedBug::kRecycledWithoutEpoch) &&
                                 !IsPlanted(PlantedBug::kPlaceUnchecked);
      if (follows_gap || misses_frames) {
        Note(segment, follows_gap ? scan.gaps[gap].offset_bytes : frame.head.offset_bytes, {});
        gap += follows_gap ? 1 : 0;
      }
      ApplyFrame(frame);
      expected_offset = EndOf(frame.head);
    }
    if (gap < scan.gaps.size()) {
      Note(segment, scan.gaps[gap].offset_bytes, {});
    }
    if (is_last) {
      log_.end_offset_bytes = scan.end_offset_bytes;
      log_.last_is_closed = scan.is_closed();
    } else if (!scan.is_closed() && !IsPlanted(PlantedBug::kTornTailAnywhere)) {
      Note(segment, scan.end_offset_bytes, {});
    }
    return Status::Ok();
  }

  uint64_t EndOf(const FrameHead& head) const {
    uint64_t const block = files_.device().block_size_bytes();
    return head.offset_bytes + (head.size_bytes + block - 1) / block * block;
  }

  void ApplyFrame(const ScannedFrame& frame) {
    std::vector<uint64_t> const offsets = PayloadOffsets(frame.head.records);
    std::set<GroupId> damaged_groups;
    for (uint32_t index = 0; index < frame.head.records.size(); ++index) {
      const RecordHead& record = frame.head.records[index];
      uint64_t const at = frame.head.offset_bytes + offsets[index];
      auto const payload = std::as_const(buffer_).span().subspan(at, record.size_bytes);
      if (std::binary_search(frame.damaged_records.begin(), frame.damaged_records.end(), index)) {
        damaged_groups.insert(record.group);
        continue;
      }
      GroupTable::Written const written{
          .segment = frame.head.segment,
          .frame = frame.head.number,
          .payload_offset_bytes = at,
          .payload = record.kind == RecordKind::kEntry ? keep_(record, payload) : nullptr};
      // A payload that its writer did not mean is damage too, if less likely than any other.
      if (!log_.table.Apply(record, payload, written).ok()) {
        damaged_groups.insert(record.group);
      }
    }
    log_.last_frame = frame.head.number;
    log_.last_crc = frame.head.crc;
    if (!damaged_groups.empty()) {
      Note(frame.head.segment, frame.head.offset_bytes,
           {damaged_groups.begin(), damaged_groups.end()});
    }
  }

  void Note(SegmentNumber segment, uint64_t offset_bytes, std::vector<GroupId> groups) {
    if (groups.empty()) {
      log_.table.MarkAllDamaged();
    }
    for (GroupId const group : groups) {
      log_.table.MarkDamaged(group);
    }
    log_.damages.push_back({.file = SegmentFiles::NameOf(segment),
                            .offset_bytes = offset_bytes,
                            .segment = segment,
                            .groups = std::move(groups)});
  }

  // What is left must be a log: entries without holes after the base, none of them lost to a
  // segment that was missing.
  void CheckComplete(GroupId group, const StoredGroup& stored) {
    if (stored.damaged || stored.entries.empty()) {
      return;
    }
    uint64_t const count = stored.last_index().value() - stored.base_index().value();
    if (stored.last_index() < stored.base_index() || count != stored.entries.size()) {
      Note(log_.first_segment, 0, {group});
    }
  }

  SegmentFiles& files_;
  const std::vector<SegmentNumber>& segments_;
  const KeepPayload& keep_;
  AlignedBuffer buffer_;
  bool found_frame_ = false;
  RecoveredLog log_;
};

}  // namespace

Status Damage::ToStatus() const {
  std::string whose = groups.empty()       ? "of any group"
                      : groups.size() == 1 ? "of group"
                                           : "of groups";
  for (GroupId const group : groups) {
    whose += StrCat(" ", group.value());
  }
  return Status::Corruption(
      StrCat(file, ": offset ", offset_bytes, ": records ", whose, " are damaged or missing"));
}

Result<std::optional<RecoveredLog>> RecoverLog(SegmentFiles& files,
                                               const std::vector<SegmentNumber>& segments,
                                               const KeepPayload& keep) {
  return Recovery(files, segments, keep).Run();
}

}  // namespace orochi::kv::log
