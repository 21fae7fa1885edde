#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "codec/byte_writer.h"
#include "swim/packet.h"
#include "swim/seal/sealer.h"

namespace orochi::swim {

/// One frame of a stream as it comes in: a length (uint32), then so many bytes.
class StreamFrame {
 public:
  static std::vector<std::byte> Encode(std::span<const std::byte> bytes) {
    std::vector<std::byte> frame;
    frame.reserve(kLengthSizeBytes + bytes.size());
    codec::AppendFixed(frame, static_cast<uint32_t>(bytes.size()));
    codec::AppendSpan(frame, bytes);
    return frame;
  }

  /// False when the bytes are no frame: too long, or more than one.
  [[nodiscard]] bool Add(std::span<const std::byte> bytes) {
    codec::AppendSpan(bytes_, bytes);
    return bytes_.size() < kLengthSizeBytes ||
           (Length() <= kStreamFrameSizeBytesMax + kSealSizeBytes &&
            bytes_.size() <= kLengthSizeBytes + Length());
  }
  bool IsWhole() const {
    return bytes_.size() >= kLengthSizeBytes && bytes_.size() == kLengthSizeBytes + Length();
  }
  /// REQUIRES: IsWhole().
  std::span<const std::byte> bytes() const { return std::span(bytes_).subspan(kLengthSizeBytes); }

 private:
  static constexpr size_t kLengthSizeBytes = 4;

  size_t Length() const {
    uint32_t length = 0;
    std::memcpy(&length, bytes_.data(), sizeof(length));
    return length;
  }

  std::vector<std::byte> bytes_;
};

}  // namespace orochi::swim
