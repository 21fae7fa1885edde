#include "kv/log/segment_scan.h"

#include <cstring>

#include "base/assert.h"
#include "kv/log/planted_bug.h"

namespace orochi::kv::log {
namespace {

bool StartsWithMagic(std::span<const std::byte> bytes) {
  return bytes.size() >= sizeof(kFrameMagic) &&
         std::memcmp(bytes.data(), &kFrameMagic, sizeof(kFrameMagic)) == 0;
}

bool Counts(const FrameHead& head, const SegmentIdentity& identity, uint64_t offset_bytes) {
  return (head.segment == identity.segment || IsPlanted(PlantedBug::kRecycledWithoutEpoch)) &&
         (head.offset_bytes == offset_bytes || IsPlanted(PlantedBug::kPlaceUnchecked)) &&
         (!identity.log_id || head.log_id == *identity.log_id);
}

std::optional<FrameHead> HeadAt(std::span<const std::byte> bytes, const SegmentIdentity& identity,
                                uint64_t offset_bytes) {
  auto const rest = bytes.subspan(offset_bytes);
  std::optional<FrameHead> head;
  if (StartsWithMagic(rest)) {
    head = DecodeFrameHead(rest);
  }
  return head && Counts(*head, identity, offset_bytes) ? std::move(head) : std::nullopt;
}

// Where the first frame begins inside another one's bytes; 0 for none. Then the other is what is
// left of a write that was cut short, with later frames written over it.
uint64_t FirstInside(std::span<const std::byte> bytes, const SegmentIdentity& identity,
                     uint64_t offset_bytes, uint64_t size_bytes, uint32_t block_size_bytes) {
  for (uint64_t inner = offset_bytes + block_size_bytes;
       inner < offset_bytes + size_bytes && inner + kFrameHeadBytes <= bytes.size();
       inner += block_size_bytes) {
    if (HeadAt(bytes, identity, inner)) {
      return inner;
    }
  }
  return 0;
}

std::vector<uint32_t> DamagedRecords(const FrameHead& head, std::span<const std::byte> frame) {
  std::vector<uint32_t> damaged;
  std::vector<uint64_t> const offsets = PayloadOffsets(head.records);
  for (uint32_t index = 0; index < head.records.size(); ++index) {
    const RecordHead& record = head.records[index];
    if (!PayloadMatches(record, frame.subspan(offsets[index], record.size_bytes)) &&
        !IsPlanted(PlantedBug::kPayloadUnchecked)) {
      damaged.push_back(index);
    }
  }
  return damaged;
}

}  // namespace

SegmentScan ScanSegment(std::span<const std::byte> bytes, const SegmentIdentity& identity,
                        uint32_t block_size_bytes) {
  ASSERT(block_size_bytes >= kFrameHeadBytes);
  SegmentScan scan;
  SegmentIdentity expected = identity;
  uint64_t offset = 0;
  while (offset + kFrameHeadBytes <= bytes.size()) {
    auto const rest = bytes.subspan(offset);
    std::optional<FrameHead> head = HeadAt(bytes, expected, offset);
    if (!head) {
      offset += block_size_bytes;
      if (IsPlanted(PlantedBug::kTailIgnoresLaterFrames)) {
        break;
      }
      continue;
    }
    std::vector<uint32_t> damaged = DamagedRecords(*head, rest);
    uint64_t const size_bytes =
        (head->size_bytes + block_size_bytes - 1) / block_size_bytes * block_size_bytes;
    if (!damaged.empty()) {
      uint64_t const inner = FirstInside(bytes, {head->log_id, expected.segment}, offset,
                                         size_bytes, block_size_bytes);
      if (inner != 0) {
        offset = inner;
        continue;
      }
    }
    if (offset != scan.end_offset_bytes) {
      scan.gaps.push_back({scan.end_offset_bytes, offset - scan.end_offset_bytes});
    }
    expected.log_id = head->log_id;
    scan.frames.push_back({*std::move(head), std::move(damaged)});
    offset += size_bytes;
    scan.end_offset_bytes = offset;
  }
  scan.log_id = expected.log_id;
  return scan;
}

}  // namespace orochi::kv::log
