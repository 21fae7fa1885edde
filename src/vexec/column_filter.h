#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "columnar/column.h"
#include "columnar/statistics.h"
#include "vexec/selection.h"

namespace orochi::vexec {

enum class CompareOp : uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreaterOrEqual,
  kGreater,
};

/// The other side of a comparison. Columns of integers and booleans compare with `integer`, of
/// floats with `real`, of bytes with `bytes`. Wider than the column on purpose: `int4 < 2^40` and
/// `float4 = 0.1::float8` compare as PostgreSQL's cross-type operators do.
struct Literal {
  int64_t integer = 0;
  double real = 0;
  std::string bytes;

  static Literal Integer(int64_t value) { return {.integer = value, .bytes = {}}; }
  static Literal Real(double value) { return {.real = value, .bytes = {}}; }
  static Literal Bytes(std::string_view value) { return {.bytes = std::string(value)}; }
};

/// One conjunct of a WHERE clause over one column: which rows make it true, and which row groups
/// cannot have any such row. SQL semantics: a comparison with NULL is not true. Floats order as in
/// PostgreSQL: -0.0 = 0.0, NaN = NaN, NaN above everything. Bytes order bytewise, shorter first.
///
/// Threads: immutable after construction.
class ColumnFilter {
 public:
  static ColumnFilter Compare(columnar::PhysicalType type, CompareOp op, Literal literal);
  /// Equal to at least one of `literals`; never true when there is none.
  static ColumnFilter AnyOf(columnar::PhysicalType type, std::vector<Literal> literals);
  static ColumnFilter IsNull(columnar::PhysicalType type);
  static ColumnFilter IsNotNull(columnar::PhysicalType type);
  /// What `x < NULL` is.
  static ColumnFilter Never(columnar::PhysicalType type);

  /// Removes from `selection` the rows for which this is not true.
  /// REQUIRES: column.type is this filter's; same row count.
  void Apply(const columnar::ColumnVector& column, Selection& selection) const;

  /// False only if no row of a chunk so described makes this true. Sound for any statistics bytes
  /// that keep the promises of ChunkStatistics.
  bool MayMatch(const columnar::ChunkStatistics& statistics, uint32_t row_count,
                uint32_t null_count) const;
  /// True only if every row of a chunk so described makes this true. As sound as MayMatch.
  bool AlwaysMatches(const columnar::ChunkStatistics& statistics, uint32_t row_count,
                     uint32_t null_count) const;

  columnar::PhysicalType type() const { return type_; }

 private:
  enum class Kind : uint8_t { kCompare, kAnyOf, kIsNull, kIsNotNull, kNever };

  ColumnFilter(Kind kind, columnar::PhysicalType type) : kind_(kind), type_(type) {}

  Kind kind_;
  columnar::PhysicalType type_;
  CompareOp op_ = CompareOp::kEqual;
  std::vector<Literal> literals_;  // kCompare: one; kAnyOf: sorted by the column's order, distinct
};

}  // namespace orochi::vexec
