#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sstable/types/cassandra_vint.h"

namespace orochi::sstable {

/// The big-endian number at `at`.
template <std::unsigned_integral Unsigned>
Unsigned LoadBigEndian(const std::byte* at) {
  Unsigned value;
  std::memcpy(&value, at, sizeof(value));
  if constexpr (sizeof(value) == 2) {
    return __builtin_bswap16(value);
  } else if constexpr (sizeof(value) == 4) {
    return __builtin_bswap32(value);
  } else if constexpr (sizeof(value) == 8) {
    return __builtin_bswap64(value);
  } else {
    static_assert(sizeof(value) == 1);
    return value;
  }
}

/// A cursor over untrusted bytes of Cassandra's components. Every read answers false, and leaves
/// the position where it was, when the bytes end too early or do not have the form.
///
/// Threads: none.    Borrows: the bytes.
class BigEndianReader {
 public:
  explicit BigEndianReader(std::span<const std::byte> bytes)
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  size_t position_bytes() const { return static_cast<size_t>(at_ - begin_); }
  size_t remaining_bytes() const { return static_cast<size_t>(end_ - at_); }
  std::span<const std::byte> rest() const { return {at_, remaining_bytes()}; }

  template <std::integral Integer>
  [[nodiscard]] bool Read(Integer& value) {
    if (remaining_bytes() < sizeof(value)) {
      return false;
    }
    value = static_cast<Integer>(LoadBigEndian<std::make_unsigned_t<Integer>>(at_));
    at_ += sizeof(value);
    return true;
  }
  [[nodiscard]] bool ReadDouble(double& value) {
    uint64_t bits = 0;
    if (!Read(bits)) {
      return false;
    }
    value = std::bit_cast<double>(bits);
    return true;
  }
  /// One byte that is 0 or not.
  [[nodiscard]] bool ReadBool(bool& value) {
    uint8_t byte = 0;
    if (!Read(byte)) {
      return false;
    }
    value = byte != 0;
    return true;
  }
  [[nodiscard]] bool ReadVint(uint64_t& value) {
    const std::byte* const next = sstable::ReadVint(at_, end_, value);
    if (next == nullptr) {
      return false;
    }
    at_ = next;
    return true;
  }
  [[nodiscard]] bool ReadSignedVint(int64_t& value) {
    uint64_t coded = 0;
    if (!ReadVint(coded)) {
      return false;
    }
    value = codec::ZigZagDecode(coded);
    return true;
  }
  /// A vint that counts things of at least `size_bytes_min` bytes each, all of them still to come.
  [[nodiscard]] bool ReadCount(size_t size_bytes_min, size_t& count) {
    const std::byte* const start = at_;
    uint64_t wide = 0;
    if (!ReadVint(wide) || wide > remaining_bytes() / size_bytes_min) {
      at_ = start;
      return false;
    }
    count = static_cast<size_t>(wide);
    return true;
  }
  [[nodiscard]] bool ReadSpan(uint64_t size_bytes, std::span<const std::byte>& bytes) {
    if (remaining_bytes() < size_bytes) {
      return false;
    }
    bytes = {at_, static_cast<size_t>(size_bytes)};
    at_ += size_bytes;
    return true;
  }
  [[nodiscard]] bool Skip(uint64_t size_bytes) {
    std::span<const std::byte> ignored;
    return ReadSpan(size_bytes, ignored);
  }
  /// u16 length and bytes.
  [[nodiscard]] bool ReadShortBytes(std::span<const std::byte>& bytes) {
    return ReadSized<uint16_t>(bytes);
  }
  /// i32 length and bytes.
  [[nodiscard]] bool ReadIntBytes(std::span<const std::byte>& bytes) {
    return ReadSized<uint32_t>(bytes);
  }
  /// vint length and bytes.
  [[nodiscard]] bool ReadVintBytes(std::span<const std::byte>& bytes) {
    const std::byte* const start = at_;
    uint64_t size_bytes = 0;
    if (!ReadVint(size_bytes) || !ReadSpan(size_bytes, bytes)) {
      at_ = start;
      return false;
    }
    return true;
  }
  /// u16 length and text. Cassandra's "modified UTF-8" differs from UTF-8 only where no name goes.
  [[nodiscard]] bool ReadShortText(std::string& text) {
    std::span<const std::byte> bytes;
    if (!ReadShortBytes(bytes)) {
      return false;
    }
    text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  }
  [[nodiscard]] bool ReadVintText(std::string& text) {
    std::span<const std::byte> bytes;
    if (!ReadVintBytes(bytes)) {
      return false;
    }
    text.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return true;
  }

 private:
  template <class Length>
  bool ReadSized(std::span<const std::byte>& bytes) {
    const std::byte* const start = at_;
    Length size_bytes = 0;
    if (!Read(size_bytes) || !ReadSpan(size_bytes, bytes)) {
      at_ = start;
      return false;
    }
    return true;
  }

  const std::byte* begin_;
  const std::byte* at_;
  const std::byte* end_;
};

template <std::integral Integer>
void AppendBigEndian(std::vector<std::byte>& out, Integer value) {
  std::byte bytes[sizeof(value)];
  for (size_t index = 0; index < sizeof(value); ++index) {
    bytes[index] = static_cast<std::byte>(static_cast<std::make_unsigned_t<Integer>>(value) >>
                                          (8 * (sizeof(value) - 1 - index)));
  }
  out.resize(out.size() + sizeof(value));
  std::memcpy(out.data() + out.size() - sizeof(value), bytes, sizeof(value));
}
inline void AppendBigEndianDouble(std::vector<std::byte>& out, double value) {
  AppendBigEndian(out, std::bit_cast<uint64_t>(value));
}
inline void AppendBytes(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
inline void AppendText(std::vector<std::byte>& out, std::string_view text) {
  AppendBytes(out, std::as_bytes(std::span(text)));
}
/// REQUIRES: at most 65,535 bytes.
inline void AppendShortBytes(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  AppendBigEndian(out, static_cast<uint16_t>(bytes.size()));
  AppendBytes(out, bytes);
}
inline void AppendShortText(std::vector<std::byte>& out, std::string_view text) {
  AppendShortBytes(out, std::as_bytes(std::span(text)));
}
inline void AppendVintBytes(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
  AppendVint(out, bytes.size());
  AppendBytes(out, bytes);
}
inline void AppendVintText(std::vector<std::byte>& out, std::string_view text) {
  AppendVintBytes(out, std::as_bytes(std::span(text)));
}

}  // namespace orochi::sstable
