#include "pg/am/columnar/column_summary.h"

#include <algorithm>
#include <bit>

#include "base/str_cat.h"

namespace orochi::pg {
namespace {

using columnar::ChunkStatistics;
using columnar::PhysicalType;

// A varlena value of so many bytes has a header of one byte, a longer one of four.
constexpr size_t kShortValueBytesMax = 126;

bool IsLess(PhysicalType type, uint64_t left, uint64_t right) {
  switch (type) {
    case PhysicalType::kFloat32:
      return std::bit_cast<float>(static_cast<uint32_t>(left)) <
             std::bit_cast<float>(static_cast<uint32_t>(right));
    case PhysicalType::kFloat64:
      return std::bit_cast<double>(left) < std::bit_cast<double>(right);
    default:
      return static_cast<int64_t>(left) < static_cast<int64_t>(right);
  }
}

// Of two prefixes of least values the lesser one stands for both.
void WidenMinBytes(const ChunkStatistics& other, ChunkStatistics* range) {
  if (other.min_bytes < range->min_bytes) {
    range->min_bytes = other.min_bytes;
    range->min_truncated = other.min_truncated;
  } else if (other.min_bytes == range->min_bytes) {
    range->min_truncated = range->min_truncated && other.min_truncated;
  }
}

// A greatest value that was cut off may pass one that begins like it.
void WidenMaxBytes(const ChunkStatistics& other, ChunkStatistics* range) {
  bool const other_wins = other.max_bytes > range->max_bytes;
  const ChunkStatistics& greater = other_wins ? other : *range;
  const ChunkStatistics& lesser = other_wins ? *range : other;
  bool const truncated = greater.max_truncated ||
                         (lesser.max_truncated && greater.max_bytes.starts_with(lesser.max_bytes));
  if (other_wins) {
    range->max_bytes = other.max_bytes;
  }
  range->max_truncated = truncated;
}

size_t HeapBytesOf(const ColumnType& type, size_t stored_size_bytes) {
  switch (type.shape) {
    case ColumnType::Shape::kVarlena:
      return stored_size_bytes + (stored_size_bytes <= kShortValueBytesMax ? 1 : 4);
    case ColumnType::Shape::kCString:
      return stored_size_bytes + 1;
    case ColumnType::Shape::kByValue:
    case ColumnType::Shape::kFixedBytes:
      break;
  }
  return static_cast<size_t>(type.length);
}

bool HasFixedLength(const ColumnType& type) {
  return type.shape == ColumnType::Shape::kByValue || type.shape == ColumnType::Shape::kFixedBytes;
}

template <class Key, class NameOf>
std::string Shares(const std::map<Key, uint64_t>& rows, uint64_t total, NameOf name_of) {
  std::vector<std::pair<Key, uint64_t>> sorted(rows.begin(), rows.end());
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string out;
  for (const auto& [key, count] : sorted) {
    if (!out.empty()) {
      out += ", ";
    }
    out += name_of(key);
    if (sorted.size() > 1 && total > 0) {
      uint64_t const percent = (count * 100 + total / 2) / total;
      out += percent == 0 ? std::string(" <1%") : StrCat(" ", percent, "%");
    }
  }
  return out;
}

}  // namespace

void ColumnSummary::Add(const ColumnType& type, const columnar::ChunkInfo& chunk) {
  row_count_ += chunk.row_count;
  null_count_ += chunk.null_count;
  size_bytes_ += chunk.size_bytes;
  encoding_rows_[chunk.encoding] += chunk.row_count;
  compression_rows_[chunk.compression] += chunk.row_count;
  const ChunkStatistics& found = chunk.statistics;
  if (!found.has_range) {
    range_is_unknown_ = range_is_unknown_ || chunk.null_count < chunk.row_count;
  } else if (!range_.has_range) {
    range_ = found;
  } else if (type.physical == PhysicalType::kBytes) {
    WidenMinBytes(found, &range_);
    WidenMaxBytes(found, &range_);
  } else {
    if (IsLess(type.physical, found.min_word, range_.min_word)) {
      range_.min_word = found.min_word;
    }
    if (IsLess(type.physical, range_.max_word, found.max_word)) {
      range_.max_word = found.max_word;
    }
  }
}

void ColumnSummary::AddSample(const ColumnType& type, const columnar::ColumnVector& values) {
  if (HasFixedLength(type)) {
    return;
  }
  for (uint32_t row = 0; row < values.row_count; ++row) {
    if (!values.IsNull(row)) {
      ++sample_count_;
      sample_heap_bytes_ += HeapBytesOf(type, values.BytesAt(row).size());
    }
  }
}

std::string ColumnSummary::Encodings() const {
  return Shares(encoding_rows_, row_count_, columnar::EncodingName);
}

std::string ColumnSummary::Compressions() const {
  return Shares(compression_rows_, row_count_, codec::CompressionName);
}

ChunkStatistics ColumnSummary::Range() const {
  ChunkStatistics range = range_;
  range.has_range = range.has_range && !range_is_unknown_;
  return range;
}

uint64_t ColumnSummary::HeapBytes(const ColumnType& type) const {
  if (HasFixedLength(type)) {
    return value_count() * HeapBytesOf(type, 0);
  }
  if (sample_count_ == 0) {
    return 0;
  }
  double const mean = static_cast<double>(sample_heap_bytes_) / static_cast<double>(sample_count_);
  return static_cast<uint64_t>(mean * static_cast<double>(value_count()));
}

}  // namespace orochi::pg
