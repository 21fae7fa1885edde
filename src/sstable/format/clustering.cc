#include "sstable/format/clustering.h"

#include <algorithm>

#include "base/assert.h"
#include "sstable/format/big_endian.h"
#include "sstable/types/compare.h"

namespace orochi::sstable {

namespace {

constexpr size_t kValuesPerHeader = 32;
constexpr uint64_t kEmptyBit = 1;
constexpr uint64_t kNullBit = 2;

// Where a prefix stands among those with the same values: before them, the static row, a row,
// after.
int KindRank(ClusteringKind kind) {
  switch (kind) {
    case ClusteringKind::kExclEndBound:
    case ClusteringKind::kInclStartBound:
    case ClusteringKind::kExclEndInclStartBoundary:
      return 0;
    case ClusteringKind::kStatic:
      return 1;
    case ClusteringKind::kClustering:
      return 2;
    case ClusteringKind::kInclEndExclStartBoundary:
    case ClusteringKind::kInclEndBound:
    case ClusteringKind::kExclStartBound:
      return 3;
  }
  return 2;
}

// Which way a prefix with fewer values goes: before or after everything that starts with it.
int ShorterComparesAs(ClusteringKind kind) {
  return KindRank(kind) < 2 ? -1 : 1;
}

}  // namespace

void ClusteringPrefix::Assign(const ClusteringView& view) {
  kind_ = view.kind;
  size_t size_bytes = 0;
  for (const ClusteringValue& value : view.values) {
    size_bytes += value.bytes.size();
  }
  bytes_.clear();
  bytes_.reserve(size_bytes);  // no growth below: the values point into it
  values_.clear();
  for (const ClusteringValue& value : view.values) {
    size_t const offset = bytes_.size();
    AppendBytes(bytes_, value.bytes);
    values_.push_back({Bytes(bytes_.data() + offset, value.bytes.size()), value.is_null});
  }
}

ClusteringPrefix ClusteringPrefix::Bottom() {
  return ClusteringPrefix(ClusteringView{ClusteringKind::kInclStartBound, {}});
}

ClusteringPrefix ClusteringPrefix::Top() {
  return ClusteringPrefix(ClusteringView{ClusteringKind::kInclEndBound, {}});
}

ClusteringFormat::ClusteringFormat(std::vector<TypeRef> types) : types_(std::move(types)) {
  for (const TypeRef& type : types_) {
    std::optional<uint32_t> const fixed = FixedLengthBytes(*type);
    fixed_sizes_bytes_.push_back(fixed.has_value() ? static_cast<int32_t>(*fixed) : -1);
  }
}

const std::byte* ClusteringFormat::ReadValues(const std::byte* at, const std::byte* end,
                                              size_t count, ClusteringValue* out,
                                              uint64_t& needed_bytes) const {
  ASSERT(count <= types_.size());
  const std::byte* const start = at;
  uint64_t header = 0;
  for (size_t index = 0; index < count; ++index) {
    if (index % kValuesPerHeader == 0) {
      const std::byte* const next = ReadVint(at, end, header);
      if (next == nullptr) {
        needed_bytes = static_cast<uint64_t>(at - start) + kVintSizeBytesMax;
        return nullptr;
      }
      at = next;
    }
    uint64_t const bits = (header >> (2 * (index % kValuesPerHeader))) & 3;
    if (bits != 0) [[unlikely]] {
      out[index] = {Bytes(), (bits & kNullBit) != 0};
      continue;
    }
    uint64_t size_bytes = 0;
    if (fixed_sizes_bytes_[index] >= 0) {
      size_bytes = static_cast<uint64_t>(fixed_sizes_bytes_[index]);
    } else {
      const std::byte* const next = ReadVint(at, end, size_bytes);
      if (next == nullptr) {
        needed_bytes = static_cast<uint64_t>(at - start) + kVintSizeBytesMax;
        return nullptr;
      }
      at = next;
    }
    if (static_cast<uint64_t>(end - at) < size_bytes) {
      uint64_t const before = static_cast<uint64_t>(at - start);
      needed_bytes = size_bytes > UINT64_MAX - before ? UINT64_MAX : before + size_bytes;
      return nullptr;
    }
    out[index] = {Bytes(at, static_cast<size_t>(size_bytes)), false};
    at += size_bytes;
  }
  return at;
}

const std::byte* ClusteringFormat::ReadBound(const std::byte* at, const std::byte* end,
                                             ClusteringKind& kind,
                                             std::vector<ClusteringValue>& values,
                                             uint64_t& needed_bytes) const {
  constexpr size_t kHeadSizeBytes = 3;
  if (static_cast<size_t>(end - at) < kHeadSizeBytes) {
    needed_bytes = kHeadSizeBytes;
    return nullptr;
  }
  auto const kind_number = std::to_integer<uint8_t>(*at);
  auto const count = LoadBigEndian<uint16_t>(at + 1);
  if (kind_number > kClusteringKindMax || count > types_.size() ||
      !IsBound(static_cast<ClusteringKind>(kind_number))) {
    needed_bytes = 0;
    return nullptr;
  }
  kind = static_cast<ClusteringKind>(kind_number);
  values.resize(count);
  const std::byte* const next =
      ReadValues(at + kHeadSizeBytes, end, count, values.data(), needed_bytes);
  if (next == nullptr && needed_bytes < UINT64_MAX - kHeadSizeBytes) {
    needed_bytes += kHeadSizeBytes;
  }
  return next;
}

const std::byte* ClusteringFormat::ReadPrefix(const std::byte* at, const std::byte* end,
                                              ClusteringKind& kind,
                                              std::vector<ClusteringValue>& values,
                                              uint64_t& needed_bytes) const {
  if (at >= end) {
    needed_bytes = 1;
    return nullptr;
  }
  if (std::to_integer<uint8_t>(*at) != static_cast<uint8_t>(ClusteringKind::kClustering)) {
    return ReadBound(at, end, kind, values, needed_bytes);
  }
  kind = ClusteringKind::kClustering;
  values.resize(types_.size());
  const std::byte* const next = ReadValues(at + 1, end, types_.size(), values.data(), needed_bytes);
  if (next == nullptr && needed_bytes != 0 && needed_bytes < UINT64_MAX) {
    ++needed_bytes;
  }
  return next;
}

void ClusteringFormat::AppendValues(std::vector<std::byte>& out,
                                    std::span<const ClusteringValue> values) const {
  ASSERT(values.size() <= types_.size());
  for (size_t first = 0; first < values.size(); first += kValuesPerHeader) {
    size_t const last = std::min(first + kValuesPerHeader, values.size());
    uint64_t header = 0;
    for (size_t index = first; index < last; ++index) {
      uint64_t const bits = values[index].is_null         ? kNullBit
                            : values[index].bytes.empty() ? kEmptyBit
                                                          : 0;
      header |= bits << (2 * (index - first));
    }
    AppendVint(out, header);
    for (size_t index = first; index < last; ++index) {
      if (values[index].is_null || values[index].bytes.empty()) {
        continue;
      }
      if (fixed_sizes_bytes_[index] < 0) {
        AppendVint(out, values[index].bytes.size());
      } else {
        ASSERT(values[index].bytes.size() == static_cast<size_t>(fixed_sizes_bytes_[index]));
      }
      AppendBytes(out, values[index].bytes);
    }
  }
}

void ClusteringFormat::AppendBound(std::vector<std::byte>& out, const ClusteringView& bound) const {
  ASSERT(IsBound(bound.kind));
  out.push_back(static_cast<std::byte>(bound.kind));
  AppendBigEndian(out, static_cast<uint16_t>(bound.values.size()));
  AppendValues(out, bound.values);
}

int ClusteringFormat::CompareValue(size_t column_index, const ClusteringValue& a,
                                   const ClusteringValue& b) const {
  if (a.is_null || b.is_null) {
    return static_cast<int>(b.is_null) - static_cast<int>(a.is_null);
  }
  return CompareValues(*types_[column_index], a.bytes, b.bytes);
}

int ClusteringFormat::Compare(const ClusteringView& a, const ClusteringView& b) const {
  size_t const shared = std::min({a.values.size(), b.values.size(), types_.size()});
  for (size_t index = 0; index < shared; ++index) {
    if (int const order = CompareValue(index, a.values[index], b.values[index]); order != 0) {
      return order;
    }
  }
  if (a.values.size() == b.values.size()) {
    return KindRank(a.kind) - KindRank(b.kind);
  }
  return a.values.size() < b.values.size() ? ShorterComparesAs(a.kind) : -ShorterComparesAs(b.kind);
}

}  // namespace orochi::sstable
