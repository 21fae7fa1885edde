#include "sstable/types/time_uuid.h"

namespace orochi::sstable {

namespace {

/// 100 ns steps from 1582-10-15 to 1970.
constexpr int64_t kEpochTicks = 0x01B2'1DD2'1381'4000;
constexpr int64_t kTicksPerMilli = 10'000;

// Far from 1970 the arithmetic wraps around, as the 60 bits of a time-UUID do.
std::string TimeUuid(uint64_t ticks, uint8_t node) {
  std::string id;
  AppendBigEndian(id, static_cast<uint32_t>(ticks));
  AppendBigEndian(id, static_cast<uint16_t>(ticks >> 32));
  AppendBigEndian(id, static_cast<uint16_t>((ticks >> 48 & 0x0FFF) | 0x1000));
  id.append(8, static_cast<char>(node));
  return id;
}

}  // namespace

int64_t MillisOfTimeUuid(Bytes value) {
  auto const high = LoadBigEndian<uint64_t>(value);
  uint64_t const ticks = ((high & 0xFFF) << 48) | ((high << 16) & 0xFFFF'0000'0000) | (high >> 32);
  int64_t const since_1970 = static_cast<int64_t>(ticks) - kEpochTicks;
  return since_1970 / kTicksPerMilli - (since_1970 % kTicksPerMilli < 0 ? 1 : 0);
}

std::string TimeUuidBound(int64_t millis, bool is_max) {
  uint64_t const first = static_cast<uint64_t>(millis) * kTicksPerMilli + kEpochTicks;
  return is_max ? TimeUuid(first + kTicksPerMilli - 1, 0x7F) : TimeUuid(first, 0x80);
}

}  // namespace orochi::sstable
