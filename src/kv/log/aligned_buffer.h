#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <utility>

namespace orochi::kv::log {

/// Bytes at an address that direct I/O accepts, zeros at first.
class AlignedBuffer {
 public:
  static constexpr size_t kAlignmentBytes = 4096;

  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size_bytes)
      : bytes_(
            static_cast<std::byte*>(::operator new(size_bytes, std::align_val_t(kAlignmentBytes)))),
        size_bytes_(size_bytes) {
    std::memset(bytes_.get(), 0, size_bytes);
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : bytes_(std::move(other.bytes_)), size_bytes_(std::exchange(other.size_bytes_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    size_bytes_ = std::exchange(other.size_bytes_, 0);
    return *this;
  }

  std::span<std::byte> span() { return {bytes_.get(), size_bytes_}; }
  std::span<const std::byte> span() const { return {bytes_.get(), size_bytes_}; }
  size_t size_bytes() const { return size_bytes_; }

 private:
  struct Free {
    void operator()(std::byte* bytes) const {
      ::operator delete(bytes, std::align_val_t(kAlignmentBytes));
    }
  };
  std::unique_ptr<std::byte, Free> bytes_;
  size_t size_bytes_ = 0;
};

}  // namespace orochi::kv::log
