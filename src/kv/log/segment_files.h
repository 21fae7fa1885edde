#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kv/log/aligned_buffer.h"
#include "kv/log/device.h"
#include "kv/log/types.h"

namespace orochi::kv::log {

/// A write that the log wants done, in this order: close the segment before, open the next one,
/// write the frame. The first two are there once a segment.
struct WriteOrder {
  struct Step {
    SegmentNumber segment;
    uint64_t offset_bytes = 0;
    AlignedBuffer bytes{};
  };
  std::optional<Step> close;
  std::optional<SegmentNumber> open;
  Step frame;
  /// Not needed any more once the frame is durable.
  std::vector<SegmentNumber> freed;
};

/// The segments of a log as files of a device: `0000000000000007.segment`; those that wait to be
/// used again are `N.spare`. The order of what is done here is what recovery relies on.
///
/// Threads: one at a time.    Borrows: device.
class SegmentFiles {
 public:
  /// At most `spare_count_max` freed segments are kept, the others removed.
  SegmentFiles(Device& device, uint64_t segment_size_bytes, uint64_t spare_count_max)
      : device_(device), size_bytes_(segment_size_bytes), spare_count_max_(spare_count_max) {}

  /// Learns what is there; segments in order. Removes files that were being made. kCorruption when
  /// a segment is not as long as it must be.
  Result<std::vector<SegmentNumber>> Load();

  /// Durable when it returns. Any error is final (R13): the order may be done in part.
  Status Write(const WriteOrder& order);
  /// What the order freed, once it is written.
  Status Recycle(const WriteOrder& order);
  Status Recycle(const std::vector<SegmentNumber>& freed);
  /// What is visible of the segment's file, and of the directory, becomes durable.
  Status Sync(SegmentNumber segment);

  Status Read(SegmentNumber segment, uint64_t offset_bytes, std::span<std::byte> bytes);
  /// Bytes at any offset; the blocks around them are read.
  Result<std::string> ReadBytes(SegmentNumber segment, uint64_t offset_bytes, uint64_t size_bytes);

  size_t spare_count() const { return spares_.size(); }
  uint64_t spare_count_max() const { return spare_count_max_; }
  /// The name for the next spare: make it with Device::Create, from any thread, then add it.
  std::string TakeSpareName();
  void AddSpare(std::string name) { spares_.push_back(std::move(name)); }

  Device& device() const { return device_; }
  uint64_t segment_size_bytes() const { return size_bytes_; }
  static std::string NameOf(SegmentNumber segment);

 private:
  Status Open(SegmentNumber segment);

  Device& device_;
  const uint64_t size_bytes_;
  const uint64_t spare_count_max_;
  std::vector<std::string> spares_;
  uint64_t next_spare_ = 1;
};

}  // namespace orochi::kv::log
