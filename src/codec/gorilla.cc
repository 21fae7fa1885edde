#include "codec/gorilla.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::codec {
namespace {

constexpr uint32_t kLeadingBits = 5;
constexpr uint32_t kLeadingMax = (1u << kLeadingBits) - 1;

template <class Unsigned>
constexpr uint32_t kWidthBits = std::numeric_limits<Unsigned>::digits;
// 5 bits count 1 to 32, 6 bits count 1 to 64.
template <class Unsigned>
constexpr uint32_t kLengthBits = kWidthBits<Unsigned> == 32 ? 5 : 6;

class BitWriter {
 public:
  explicit BitWriter(std::vector<std::byte>& out) : out_(out) {}

  /// REQUIRES: 1 <= count <= 64, value < 2^count.
  void Write(uint64_t value, uint32_t count) {
    if (count > free_bits_) {
      uint32_t const rest = count - free_bits_;
      pending_ |= free_bits_ == 0 ? 0 : value >> rest;
      FlushWord();
      count = rest;
      value = count == 64 ? value : value & ((uint64_t{1} << count) - 1);
    }
    free_bits_ -= count;
    pending_ |= value << free_bits_;
  }

  void Finish() {
    for (uint32_t written = 0; written < 64 - free_bits_; written += 8) {
      out_.push_back(static_cast<std::byte>(pending_ >> (56 - written)));
    }
  }

 private:
  void FlushWord() {
    for (int shift = 56; shift >= 0; shift -= 8) {
      out_.push_back(static_cast<std::byte>(pending_ >> shift));
    }
    pending_ = 0;
    free_bits_ = 64;
  }

  std::vector<std::byte>& out_;
  uint64_t pending_ = 0;  // filled from the top
  uint32_t free_bits_ = 64;
};

class BitReader {
 public:
  /// Bits that Peek gives at least.
  static constexpr uint32_t kPeekBits = 57;

  BitReader(std::span<const std::byte> bytes, uint64_t position_bits)
      : bytes_(bytes), position_bits_(position_bits), size_bits_(uint64_t{bytes.size()} * 8) {}

  /// The bits that come next, the first at the top. Past the end there are zeros.
  uint64_t Peek() const {
    size_t const byte = position_bits_ / 8;
    uint64_t word = 0;
    if (byte + 8 <= bytes_.size()) [[likely]] {
      std::memcpy(&word, bytes_.data() + byte, 8);
    } else if (byte < bytes_.size()) {
      std::memcpy(&word, bytes_.data() + byte, bytes_.size() - byte);
    }
    return __builtin_bswap64(word) << (position_bits_ % 8);
  }
  void Skip(uint32_t count) { position_bits_ += count; }

  /// REQUIRES: 1 <= count <= 64.
  uint64_t Read(uint32_t count) {
    if (count > 32) {
      uint64_t const high = ReadUpTo32(count - 32);
      return high << 32 | ReadUpTo32(32);
    }
    return ReadUpTo32(count);
  }

  uint64_t position_bits() const { return position_bits_; }
  /// Whether more was read than there is.
  bool overrun() const { return position_bits_ > size_bits_; }
  size_t consumed_bytes() const { return (position_bits_ + 7) / 8; }

 private:
  uint64_t ReadUpTo32(uint32_t count) {
    uint64_t const bits = Peek() >> (64 - count);
    Skip(count);
    return bits;
  }

  std::span<const std::byte> bytes_;
  uint64_t position_bits_;
  uint64_t size_bits_;
};

}  // namespace

template <class Unsigned>
void EncodeGorilla(std::span<const Unsigned> values, std::vector<std::byte>& out) {
  ASSERT(!values.empty());
  constexpr uint32_t kBits = kWidthBits<Unsigned>;
  BitWriter writer(out);
  writer.Write(values[0], kBits);
  uint32_t window_leading = 0;
  uint32_t window_length = 0;  // 0: none given yet
  for (size_t index = 1; index < values.size(); ++index) {
    Unsigned const difference = values[index] ^ values[index - 1];
    if (difference == 0) {
      writer.Write(0, 1);
      continue;
    }
    uint32_t const leading =
        std::min<uint32_t>(static_cast<uint32_t>(std::countl_zero(difference)), kLeadingMax);
    auto const trailing = static_cast<uint32_t>(std::countr_zero(difference));
    uint32_t const length = kBits - leading - trailing;
    bool const fits = window_length > 0 && leading >= window_leading &&
                      trailing >= kBits - window_leading - window_length;
    // A new window costs its header: worth it once the old one wastes more than that.
    if (fits && window_length <= length + kLeadingBits + kLengthBits<Unsigned>) {
      writer.Write(0b10, 2);
    } else {
      window_leading = leading;
      window_length = length;
      writer.Write(0b11, 2);
      writer.Write(leading, kLeadingBits);
      writer.Write(length % kBits, kLengthBits<Unsigned>);
    }
    writer.Write(uint64_t{difference} >> (kBits - window_leading - window_length), window_length);
  }
  writer.Finish();
}

namespace {

enum class Step : uint8_t { kValue, kTooWide, kNoWindow };

// Stands after one value of a stream.
template <class Unsigned>
class Cursor {
 public:
  static constexpr uint32_t kBits = kWidthBits<Unsigned>;

  explicit Cursor(std::span<const std::byte> bytes)
      : bits_(bytes, 0), value_(static_cast<Unsigned>(bits_.Read(kBits))) {}
  Cursor(std::span<const std::byte> bytes, const GorillaMark& mark)
      : bits_(bytes, mark.position_bits),
        value_(static_cast<Unsigned>(mark.value)),
        window_length_(mark.window_length),
        window_shift_(mark.window_shift) {}

  // One look at the stream for a value whose window is not almost as wide as the value.
  [[gnu::always_inline]] Step Next() {
    constexpr uint32_t kWindowHeaderBits = kLeadingBits + kLengthBits<Unsigned>;
    uint64_t const ahead = bits_.Peek();
    if (ahead >> 63 == 0) {
      bits_.Skip(1);
      return Step::kValue;
    }
    uint32_t header_bits = 2;
    if ((ahead >> 62 & 1) != 0) {
      leading_ = static_cast<uint32_t>(ahead >> (62 - kLeadingBits) & kLeadingMax);
      auto const stored = static_cast<uint32_t>(ahead >> (62 - kWindowHeaderBits) &
                                                ((1U << kLengthBits<Unsigned>)-1));
      header_bits += kWindowHeaderBits;
      window_length_ = stored == 0 ? kBits : stored;
      if (leading_ + window_length_ > kBits) {
        return Step::kTooWide;
      }
      window_shift_ = kBits - leading_ - window_length_;
    } else if (window_length_ == 0) {
      return Step::kNoWindow;
    }
    uint64_t difference = 0;
    if (header_bits + window_length_ <= BitReader::kPeekBits) {
      difference = ahead << header_bits >> (64 - window_length_);
      bits_.Skip(header_bits + window_length_);
    } else {
      bits_.Skip(header_bits);
      difference = bits_.Read(window_length_);
    }
    value_ = static_cast<Unsigned>(value_ ^ static_cast<Unsigned>(difference << window_shift_));
    return Step::kValue;
  }

  Unsigned value() const { return value_; }
  const BitReader& bits() const { return bits_; }
  GorillaMark Mark() const {
    return {.position_bits = bits_.position_bits(),
            .value = value_,
            .window_length = window_length_,
            .window_shift = window_shift_};
  }
  Status ErrorOf(Step step, size_t index) const {
    return step == Step::kTooWide
               ? Status::Corruption(StrCat("gorilla: value ", index, " has ", window_length_,
                                           " bits after ", leading_, " zeros, at most ", kBits,
                                           " fit"))
               : Status::Corruption(
                     StrCat("gorilla: value ", index, " reuses a window before the first"));
  }

 private:
  BitReader bits_;
  Unsigned value_;
  uint32_t window_length_ = 0;
  uint32_t window_shift_ = 0;
  uint32_t leading_ = 0;
};

}  // namespace

template <class Unsigned>
Status DecodeGorilla(ByteReader& reader, std::span<Unsigned> out) {
  ASSERT(!out.empty());
  Cursor<Unsigned> cursor(reader.rest());
  out[0] = cursor.value();
  for (size_t index = 1; index < out.size(); ++index) {
    if (Step const step = cursor.Next(); step != Step::kValue) [[unlikely]] {
      return cursor.ErrorOf(step, index);
    }
    out[index] = cursor.value();
  }
  std::span<const std::byte> consumed;
  if (cursor.bits().overrun() || !reader.ReadSpan(cursor.bits().consumed_bytes(), consumed)) {
    return Status::Corruption(
        StrCat("gorilla: ", reader.remaining_bytes(), " bytes end before ", out.size(), " values"));
  }
  return Status::Ok();
}

template <class Unsigned>
Status ReadGorillaAt(ByteReader reader, size_t index, std::vector<GorillaMark>& marks,
                     Unsigned& value) {
  if (marks.empty()) {
    marks.push_back(Cursor<Unsigned>(reader.rest()).Mark());
  }
  size_t const nearest = std::min(index / kGorillaMarkStride, marks.size() - 1);
  Cursor<Unsigned> cursor(reader.rest(), marks[nearest]);
  for (size_t done = nearest * kGorillaMarkStride; done < index;) {
    if (Step const step = cursor.Next(); step != Step::kValue) [[unlikely]] {
      return cursor.ErrorOf(step, done + 1);
    }
    if (++done % kGorillaMarkStride == 0) {
      marks.push_back(cursor.Mark());
    }
  }
  if (cursor.bits().overrun()) {
    return Status::Corruption(
        StrCat("gorilla: ", reader.remaining_bytes(), " bytes end before value ", index));
  }
  value = cursor.value();
  return Status::Ok();
}

template void EncodeGorilla(std::span<const uint32_t>, std::vector<std::byte>&);
template void EncodeGorilla(std::span<const uint64_t>, std::vector<std::byte>&);
template Status DecodeGorilla(ByteReader&, std::span<uint32_t>);
template Status DecodeGorilla(ByteReader&, std::span<uint64_t>);
template Status ReadGorillaAt(ByteReader, size_t, std::vector<GorillaMark>&, uint32_t&);
template Status ReadGorillaAt(ByteReader, size_t, std::vector<GorillaMark>&, uint64_t&);

}  // namespace orochi::codec
