#include "columnar/internal/statistics_builder.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <span>

namespace orochi::columnar::internal {
namespace {

ChunkStatistics IntegerRange(std::span<const uint64_t> words) {
  ChunkStatistics statistics;
  if (words.empty()) {
    return statistics;
  }
  auto least = static_cast<int64_t>(words[0]);
  int64_t greatest = least;
  for (uint64_t const word : words) {
    least = std::min(least, static_cast<int64_t>(word));
    greatest = std::max(greatest, static_cast<int64_t>(word));
  }
  statistics.has_range = true;
  statistics.min_word = static_cast<uint64_t>(least);
  statistics.max_word = static_cast<uint64_t>(greatest);
  return statistics;
}

template <class Float, class Bits>
ChunkStatistics FloatRange(std::span<const uint64_t> words) {
  ChunkStatistics statistics;
  if (words.empty()) {
    return statistics;
  }
  auto const value_of = [](uint64_t word) { return std::bit_cast<Float>(static_cast<Bits>(word)); };
  Float least = value_of(words[0]);
  Float greatest = least;
  for (uint64_t const word : words) {
    Float const value = value_of(word);
    if (std::isnan(value)) {
      return statistics;
    }
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  statistics.has_range = true;
  // Adding 0.0 turns -0.0 into 0.0 and leaves every other number alone.
  statistics.min_word = std::bit_cast<Bits>(least + Float{0});
  statistics.max_word = std::bit_cast<Bits>(greatest + Float{0});
  return statistics;
}

bool BytewiseLess(std::span<const std::byte> left, std::span<const std::byte> right) {
  size_t const shared_bytes = std::min(left.size(), right.size());
  int const order = shared_bytes == 0 ? 0 : std::memcmp(left.data(), right.data(), shared_bytes);
  return order != 0 ? order < 0 : left.size() < right.size();
}

std::string BoundOf(std::span<const std::byte> value) {
  return {reinterpret_cast<const char*>(value.data()),
          std::min<size_t>(value.size(), kBoundBytesMax)};
}

ChunkStatistics BytesRange(const ColumnBuffer& buffer) {
  ChunkStatistics statistics;
  if (buffer.value_count() == 0) {
    return statistics;
  }
  std::span<const std::byte> least = buffer.BytesOf(0);
  std::span<const std::byte> greatest = least;
  for (size_t value = 1; value < buffer.value_count(); ++value) {
    std::span<const std::byte> const candidate = buffer.BytesOf(value);
    if (BytewiseLess(candidate, least)) {
      least = candidate;
    } else if (BytewiseLess(greatest, candidate)) {
      greatest = candidate;
    }
  }
  statistics.has_range = true;
  statistics.min_bytes = BoundOf(least);
  statistics.max_bytes = BoundOf(greatest);
  statistics.min_truncated = least.size() > kBoundBytesMax;
  statistics.max_truncated = greatest.size() > kBoundBytesMax;
  return statistics;
}

}  // namespace

ChunkStatistics BuildStatistics(const ColumnBuffer& buffer) {
  switch (buffer.type()) {
    case PhysicalType::kFloat32:
      return FloatRange<float, uint32_t>(buffer.words());
    case PhysicalType::kFloat64:
      return FloatRange<double, uint64_t>(buffer.words());
    case PhysicalType::kBytes:
      return BytesRange(buffer);
    case PhysicalType::kBool:
    case PhysicalType::kInt16:
    case PhysicalType::kInt32:
    case PhysicalType::kInt64:
      return IntegerRange(buffer.words());
  }
  return {};
}

}  // namespace orochi::columnar::internal
