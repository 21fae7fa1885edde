#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace orochi::codec::testing {

/// A fuzzer's bytes, cut into the parameters a decoder gets from elsewhere and the bytes it reads.
class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size_bytes)
      : rest_(reinterpret_cast<const std::byte*>(data), size_bytes) {}

  uint8_t TakeByte() {
    if (rest_.empty()) {
      return 0;
    }
    auto const byte = std::to_integer<uint8_t>(rest_.front());
    rest_ = rest_.subspan(1);
    return byte;
  }

  /// 1 to 4096, from two bytes.
  size_t TakeCount() {
    size_t const low = TakeByte();
    return 1 + (low | size_t{TakeByte()} << 8) % 4096;
  }

  std::span<const std::byte> rest() const { return rest_; }

 private:
  std::span<const std::byte> rest_;
};

/// What a fuzz target says when something must hold and does not.
inline void Require(bool condition, const char* what) {
  if (!condition) {
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
  }
}

}  // namespace orochi::codec::testing
