#include "codec/crc32c.h"

#include <array>
#include <cstring>

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#endif

namespace orochi::codec {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;

// tables[0] is the CRC of one byte; tables[k] that byte followed by k zero bytes, so that eight
// lookups advance eight bytes at once (slicing-by-8).
constexpr std::array<std::array<uint32_t, 256>, 8> MakeTables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    }
    tables[0][byte] = crc;
  }
  for (uint32_t byte = 0; byte < 256; ++byte) {
    for (size_t k = 1; k < 8; ++k) {
      uint32_t const before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  }
  return tables;
}

constexpr auto kTables = MakeTables();

uint64_t Load64(const std::byte* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

}  // namespace

uint32_t Crc32cPortable(std::span<const std::byte> bytes, uint32_t crc) {
  crc = ~crc;
  const std::byte* at = bytes.data();
  const std::byte* const end = at + bytes.size();
  for (; end - at >= 8; at += 8) {
    uint64_t const word = Load64(at) ^ crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) {
      crc ^= kTables[7 - k][(word >> (8 * k)) & 0xFF];
    }
  }
  for (; at != end; ++at) {
    crc = (crc >> 8) ^ kTables[0][(crc ^ std::to_integer<uint32_t>(*at)) & 0xFF];
  }
  return ~crc;
}

#if defined(__SSE4_2__)
namespace {

// The instruction takes three cycles and another can begin every cycle: three lanes of neighbouring
// bytes are computed side by side. What a lane's register becomes by the zeros that stand for the
// next lane's bytes is a linear map of its bits, here a table for each of its bytes.
constexpr size_t kLaneBytes = 256;

constexpr std::array<std::array<uint32_t, 256>, 4> MakeShiftTables() {
  std::array<std::array<uint32_t, 256>, 4> tables{};
  for (uint32_t bit = 0; bit < 32; ++bit) {
    uint32_t shifted = uint32_t{1} << bit;
    for (size_t done = 0; done < kLaneBytes; ++done) {
      shifted = (shifted >> 8) ^ kTables[0][shifted & 0xFF];
    }
    for (uint32_t byte = 0; byte < 256; ++byte) {
      if ((byte >> (bit % 8) & 1) != 0) {
        tables[bit / 8][byte] ^= shifted;
      }
    }
  }
  return tables;
}

constexpr auto kShiftTables = MakeShiftTables();

uint64_t ShiftLane(uint64_t crc) {
  return kShiftTables[0][crc & 0xFF] ^ kShiftTables[1][crc >> 8 & 0xFF] ^
         kShiftTables[2][crc >> 16 & 0xFF] ^ kShiftTables[3][crc >> 24 & 0xFF];
}

}  // namespace

uint32_t Crc32c(std::span<const std::byte> bytes, uint32_t crc) {
  uint64_t running = ~crc;
  const std::byte* at = bytes.data();
  const std::byte* const end = at + bytes.size();
  for (; static_cast<size_t>(end - at) >= 3 * kLaneBytes; at += 3 * kLaneBytes) {
    uint64_t second = 0;
    uint64_t third = 0;
    for (size_t i = 0; i < kLaneBytes; i += 8) {
      running = _mm_crc32_u64(running, Load64(at + i));
      second = _mm_crc32_u64(second, Load64(at + kLaneBytes + i));
      third = _mm_crc32_u64(third, Load64(at + 2 * kLaneBytes + i));
    }
    running = ShiftLane(ShiftLane(running) ^ second) ^ third;
  }
  for (; end - at >= 8; at += 8) {
    running = _mm_crc32_u64(running, Load64(at));
  }
  auto narrow = static_cast<uint32_t>(running);
  for (; at != end; ++at) {
    narrow = _mm_crc32_u8(narrow, std::to_integer<uint8_t>(*at));
  }
  return ~narrow;
}
#else
uint32_t Crc32c(std::span<const std::byte> bytes, uint32_t crc) {
  return Crc32cPortable(bytes, crc);
}
#endif

}  // namespace orochi::codec
