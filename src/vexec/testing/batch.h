#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "columnar/column.h"
#include "columnar/statistics.h"

/// Builds column vectors and exact statistics from plain optionals, one NULL or value per row.
namespace orochi::vexec::testing {

inline columnar::ColumnVector EmptyBatch(columnar::PhysicalType type, size_t row_count) {
  columnar::ColumnVector column;
  column.type = type;
  column.row_count = static_cast<uint32_t>(row_count);
  column.valid_words.assign((row_count + 63) / 64, 0);
  return column;
}

inline void MarkValid(columnar::ColumnVector& column, size_t row) {
  column.valid_words[row / 64] |= uint64_t{1} << (row % 64);
}

/// T is the C++ type of the physical type: uint8_t, int16_t, ..., double.
template <class T>
columnar::ColumnVector Batch(columnar::PhysicalType type,
                             const std::vector<std::optional<T>>& rows) {
  columnar::ColumnVector column = EmptyBatch(type, rows.size());
  column.fixed_words.assign((rows.size() * sizeof(T) + 7) / 8, 0);
  for (size_t row = 0; row < rows.size(); ++row) {
    if (!rows[row].has_value()) {
      ++column.null_count;
      continue;
    }
    MarkValid(column, row);
    std::memcpy(reinterpret_cast<std::byte*>(column.fixed_words.data()) + row * sizeof(T),
                &*rows[row], sizeof(T));
  }
  return column;
}

inline columnar::ColumnVector BytesBatch(const std::vector<std::optional<std::string>>& rows) {
  columnar::ColumnVector column = EmptyBatch(columnar::PhysicalType::kBytes, rows.size());
  column.offsets.push_back(0);
  for (size_t row = 0; row < rows.size(); ++row) {
    if (rows[row].has_value()) {
      MarkValid(column, row);
      for (char const c : *rows[row]) {
        column.bytes.push_back(static_cast<std::byte>(c));
      }
    } else {
      ++column.null_count;
    }
    column.offsets.push_back(static_cast<uint32_t>(column.bytes.size()));
  }
  return column;
}

}  // namespace orochi::vexec::testing
