#pragma once

#include "pg/compat.h"

#include "base/result.h"
#include "columnar/column.h"

extern "C" {
#include "catalog/pg_attribute.h"
#include "access/tupdesc.h"
}

namespace orochi::pg {

/// How values of one table column are stored in stripes, and how they come back as Datums.
///
/// By-value types map to the fixed-width physical type of their length; everything else is bytes:
/// varlena values without their header, detoasted; fixed-length by-reference values as they are;
/// cstring without its terminating zero. A stripe's column i is the table's attribute i + 1,
/// dropped attributes (NULL throughout) included, so attribute numbers never need translation.
struct ColumnType {
  enum class Shape : uint8_t {
    kByValue,     // Datum holds the value
    kVarlena,     // attlen -1
    kCString,     // attlen -2
    kFixedBytes,  // attlen > 0, by reference
  };

  columnar::PhysicalType physical = columnar::PhysicalType::kInt64;
  Shape shape = Shape::kByValue;
  bool dropped = false;
  /// Chunk statistics are in PostgreSQL's own default order for the type: integers, floats (NaN
  /// leaves no range), bool, money, date, time, timestamps. Not for bytes: there the collation and
  /// operator class decide. Not for oid-like types, which are unsigned.
  bool ordered_as_stored = false;
  int16_t length = 0;  // attlen
  Oid type_id = InvalidOid;

  bool operator==(const ColumnType&) const = default;
};

ColumnType ColumnTypeOf(const FormData_pg_attribute& attribute);

/// Whether ColumnTypeOf would give the same.
inline bool IsTypeOf(const ColumnType& type, const FormData_pg_attribute& attribute) {
  return type.type_id == attribute.atttypid && type.length == attribute.attlen &&
         type.dropped == attribute.attisdropped &&
         (type.shape == ColumnType::Shape::kByValue) == attribute.attbyval;
}

/// The stripe schema of a table as it is now: natts columns.
columnar::Schema StripeSchemaOf(TupleDesc descriptor);

/// One value as a cell. Borrows from the Datum.
/// REQUIRES: a varlena value is neither external nor compressed (a short header is fine).
columnar::Cell CellOf(const ColumnType& type, Datum value);

/// By-value types: the Datum of a word as in columnar::Cell::word and ChunkStatistics.
/// REQUIRES: type.shape == kByValue.
Datum DatumOfWord(const ColumnType& type, uint64_t word);

/// Memory of a kFixedBytes, kVarlena or kCString value rebuilt from its stored bytes: how much it
/// takes, and writing it to `out`, which is 8-byte aligned.
/// kCorruption when a fixed-length value has another length.
Result<size_t> RebuiltSizeBytes(const ColumnType& type, size_t stored_size_bytes);
Datum RebuildBytes(const ColumnType& type, std::span<const std::byte> stored, std::byte* out);

/// The values of one column over one row group as Datums. Reused between row groups.
///
/// By-reference Datums that Convert makes point into this object: valid until the next Convert.
class DatumColumn {
 public:
  /// Converts every row of `vector`.
  Status Convert(const ColumnType& type, const columnar::ColumnVector& vector);
  /// Converts only the rows listed, ascending; the others are unspecified.
  Status Convert(const ColumnType& type, const columnar::ColumnVector& vector,
                 std::span<const uint32_t> rows);

  /// Makes room for values that Set gives. Those by reference stay where they are.
  void Reserve(uint32_t row_count) {
    if (values_.size() < row_count) {
      values_.resize(row_count);
      nulls_.resize(row_count);
    }
  }
  void Set(uint32_t row, Datum value, bool is_null) {
    values_[row] = value;
    nulls_[row] = is_null ? 1 : 0;
  }
  /// Makes every row NULL.
  void SetNull(uint32_t row_count);
  size_t memory_bytes() const {
    return values_.capacity() * sizeof(Datum) + nulls_.capacity() + heap_.capacity() * 8;
  }

  Datum value(uint32_t row) const { return values_[row]; }
  bool is_null(uint32_t row) const { return nulls_[row] != 0; }
  /// row_count entries each.
  const Datum* values() const { return values_.data(); }
  const uint8_t* nulls() const { return nulls_.data(); }

 private:
  template <class Rows>
  Status ConvertRows(const ColumnType& type, const columnar::ColumnVector& vector,
                     const Rows& rows);

  std::vector<Datum> values_;
  std::vector<uint8_t> nulls_;
  std::vector<uint64_t> heap_;  // backs by-reference Datums, 8-byte aligned
};

}  // namespace orochi::pg
