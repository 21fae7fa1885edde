#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/str_cat.h"
#include "columnar/internal/column_buffer.h"
#include "columnar/stripe_reader.h"
#include "columnar/stripe_writer.h"
#include "io/file.h"

namespace orochi::columnar::testing {

/// A file in memory that stripes are written to and read from.
class MemoryFile final : public io::RandomAccessFile, public io::ByteSink {
 public:
  MemoryFile() = default;
  explicit MemoryFile(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

  Status ReadExact(uint64_t offset_bytes, std::span<std::byte> out) const override {
    if (offset_bytes > bytes_.size() || out.size() > bytes_.size() - offset_bytes) {
      return Status::OutOfRange(StrCat("read of ", out.size(), " bytes at ", offset_bytes,
                                       " passes the end at ", bytes_.size()));
    }
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(offset_bytes), out.size(), out.begin());
    return Status::Ok();
  }
  Result<uint64_t> SizeBytes() const override { return uint64_t{bytes_.size()}; }
  Status Append(std::span<const std::byte> bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return Status::Ok();
  }

  std::vector<std::byte>& bytes() { return bytes_; }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

/// A Cell that owns its bytes and compares by content.
struct OwnedCell {
  bool is_null = false;
  uint64_t word = 0;
  std::string bytes = {};

  static OwnedCell Null() { return {.is_null = true}; }
  static OwnedCell Word(PhysicalType type, uint64_t word) {
    return {.word = internal::NormalizeWord(type, word)};
  }
  static OwnedCell Bytes(std::string bytes) { return {.bytes = std::move(bytes)}; }
  static OwnedCell Copy(PhysicalType type, const Cell& cell) {
    if (cell.is_null) {
      return Null();
    }
    if (type == PhysicalType::kBytes) {
      return Bytes(std::string(reinterpret_cast<const char*>(cell.data), cell.size_bytes));
    }
    return Word(type, cell.word);
  }

  friend bool operator==(const OwnedCell&, const OwnedCell&) = default;
};

/// The cells of `row`, borrowed.
inline std::vector<Cell> Borrow(const std::vector<OwnedCell>& row) {
  std::vector<Cell> cells;
  for (const OwnedCell& cell : row) {
    cells.push_back({.word = cell.word,
                     .data = reinterpret_cast<const std::byte*>(cell.bytes.data()),
                     .size_bytes = static_cast<uint32_t>(cell.bytes.size()),
                     .is_null = cell.is_null});
  }
  return cells;
}

/// Row `row` of a decoded vector.
inline OwnedCell CellOf(const ColumnVector& vector, uint32_t row) {
  if (vector.IsNull(row)) {
    return OwnedCell::Null();
  }
  if (vector.type == PhysicalType::kBytes) {
    return OwnedCell::Copy(vector.type, Cell::Bytes(vector.BytesAt(row)));
  }
  uint32_t const width_bytes = WidthBytes(vector.type);
  uint64_t word = 0;
  std::memcpy(
      &word,
      reinterpret_cast<const std::byte*>(vector.fixed_words.data()) + size_t{row} * width_bytes,
      width_bytes);
  return OwnedCell::Word(vector.type, word);
}

/// Every row of the stripe at the start of `file`.
inline Result<std::vector<std::vector<OwnedCell>>> RowsOf(const io::RandomAccessFile& file,
                                                          const StripeLocation& location) {
  ASSIGN_OR_RETURN(StripeReader const reader,
                   StripeReader::Open(file, {.offset_bytes = 0,
                                             .size_bytes = location.size_bytes,
                                             .footer_size_bytes = location.footer_size_bytes}));
  std::vector<std::vector<OwnedCell>> rows(reader.row_count());
  ColumnVector vector;
  for (uint32_t group = 0; group < reader.row_group_count(); ++group) {
    for (uint32_t column = 0; column < reader.schema().column_count(); ++column) {
      RETURN_IF_ERROR(reader.ReadChunk(group, column, vector));
      for (uint32_t row = 0; row < vector.row_count; ++row) {
        rows[reader.row_group_first_row(group) + row].push_back(CellOf(vector, row));
      }
    }
  }
  return rows;
}

}  // namespace orochi::columnar::testing
