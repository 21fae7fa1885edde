#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "kv/log/frame.h"
#include "kv/log/group_table.h"
#include "kv/log/segment_log.h"

namespace orochi::kv::log {

/// A frame being put together: each record is applied to the table as it is added, exactly as a
/// replay will do it.
///
/// Threads: none.    Borrows: table.
class SegmentLog::Batch {
 public:
  /// The frame stays within `size_bytes_max`; a frame with one record within `room_bytes`.
  Batch(GroupTable& table, SegmentNumber segment, FrameNumber number, uint64_t size_bytes_max,
        uint64_t room_bytes)
      : table_(table),
        segment_(segment),
        number_(number),
        size_bytes_max_(size_bytes_max),
        room_bytes_(room_bytes) {}

  bool Fits(uint64_t payload_size_bytes) const {
    uint64_t const size_bytes = builder_.SizeWith(payload_size_bytes);
    return builder_.record_count() < kFrameRecordsMax &&
           (size_bytes <= size_bytes_max_ ||
            (builder_.record_count() == 0 && size_bytes <= room_bytes_));
  }
  /// Whether several records fit together.
  bool FitsAll(uint64_t record_count, uint64_t payload_size_bytes) const {
    uint64_t const size_bytes =
        builder_.size_bytes() + record_count * kRecordHeadBytes + payload_size_bytes;
    return builder_.record_count() + record_count <= kFrameRecordsMax &&
           (size_bytes <= size_bytes_max_ ||
            (builder_.record_count() == 0 && size_bytes <= room_bytes_));
  }

  void AddEntry(GroupId group, const raft::Entry& entry) {
    if (entry.payload) {
      kept_.push_back(entry.payload);
    }
    Add({.group = group,
         .kind = RecordKind::kEntry,
         .entry_kind = entry.kind,
         .index = entry.index.value(),
         .term = entry.term},
        entry.payload ? std::string_view(*entry.payload) : std::string_view(), entry.payload);
  }
  void AddOwned(const RecordHead& record, const std::string& payload) {
    builder_.AddOwned(record, payload);
    Apply(builder_.records().back(), payload, nullptr);
  }

  /// Says to the table where the payloads have come to be.
  void Settle(const FrameHead& head) {
    std::vector<uint64_t> const offsets = PayloadOffsets(records());
    for (size_t index = 0; index < records().size(); ++index) {
      const RecordHead& record = records()[index];
      if (record.kind == RecordKind::kEntry) {
        table_.SetPayloadOffset(record.group, raft::LogIndex(record.index), number_,
                                head.offset_bytes + offsets[index]);
      }
    }
  }

  FrameBuilder& builder() { return builder_; }
  const std::vector<RecordHead>& records() const { return builder_.records(); }
  size_t group_count() const { return groups_.size(); }
  void CountGroup(GroupId group) { groups_.insert(group); }

 private:
  void Add(const RecordHead& record, std::string_view payload, const raft::Payload& kept) {
    builder_.Add(record, payload);
    Apply(builder_.records().back(), payload, kept);
  }
  void Apply(const RecordHead& record, std::string_view payload, const raft::Payload& kept) {
    Status const applied = table_.Apply(record, std::as_bytes(std::span(payload)),
                                        {.segment = segment_, .frame = number_, .payload = kept});
    ASSERT(applied.ok());  // it is our own encoding
  }

  GroupTable& table_;
  const SegmentNumber segment_;
  const FrameNumber number_;
  const uint64_t size_bytes_max_;
  const uint64_t room_bytes_;
  FrameBuilder builder_;
  std::vector<raft::Payload> kept_;
  std::set<GroupId> groups_;
};

}  // namespace orochi::kv::log
