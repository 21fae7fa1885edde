#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kv/log/frame.h"
#include "kv/log/types.h"

namespace orochi::kv::log {

/// Whose frames count: those of this log and segment. Without a log id those of the first log met.
struct SegmentIdentity {
  std::optional<uint64_t> log_id;
  SegmentNumber segment;
};

struct ScannedFrame {
  FrameHead head;
  std::vector<uint32_t> damaged_records;  // payloads that are not what was written
};

/// Bytes in which frames have been that cannot be found any more: later ones are there.
struct Gap {
  uint64_t offset_bytes = 0;
  uint64_t size_bytes = 0;
};

/// What a segment's bytes hold, as far as they prove anything.
///
/// Writes are made one after the other, so a frame that is there proves that all before it were
/// durable: what is wrong before it is damage. Behind the last frame nothing is known: a write may
/// have been cut short, the file may have bytes of an earlier life.
struct SegmentScan {
  std::vector<ScannedFrame> frames;
  std::vector<Gap> gaps;
  uint64_t end_offset_bytes = 0;  // behind the last frame
  std::optional<uint64_t> log_id;

  bool is_closed() const { return !frames.empty() && frames.back().head.closes_segment; }
};

SegmentScan ScanSegment(std::span<const std::byte> bytes, const SegmentIdentity& identity,
                        uint32_t block_size_bytes);

}  // namespace orochi::kv::log
