#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sstable/format/unfiltered_stream.h"
#include "sstable/schema/table_schema.h"

namespace orochi::sstable {

/// A value of a row; nullopt is null.
using Value = std::optional<std::string>;

/// A column of a table as a query sees it.
struct ColumnRef {
  ColumnRole role = ColumnRole::kRegular;
  size_t index = 0;  // within the role
  std::string name;
  TypeRef type;  // of values: not reversed; counters are bigint
};

/// The values of the row that a stream stands on, column by column.
///
/// Life:    BindPartition -> (BindRow | BindStaticOnly)*; values are of the last one bound.
/// Borrows: schema and layout; views of the stream until it moves on.
class RowValues {
 public:
  RowValues(const TableSchema& schema, const Layout& layout) : schema_(schema), layout_(layout) {}

  /// kCorruption when the key has not the table's columns.
  Status BindPartition(const PartitionView& partition, const Unfiltered& static_row);
  void BindRow(const Unfiltered& row) { row_ = &row; }
  /// A row of the partition's own values alone: clustering and regular columns are null.
  void BindStaticOnly() { row_ = nullptr; }

  Result<Value> Get(const ColumnRef& column) const;
  /// The same, borrowed from the row where the value stands in it as it is; otherwise (collections
  /// and user types of one cell per element, counters) made in `scratch` and borrowed from that.
  Result<std::optional<Bytes>> View(const ColumnRef& column, std::string& scratch) const;
  /// What is stored for a static or regular column, tombstones included where the stream has them.
  std::span<const CellView> Cells(const ColumnRef& column) const;
  /// The deletion of a whole column of many cells; live for other columns.
  DeletionTime DeletionOf(const ColumnRef& column) const;
  Bytes partition_key() const { return key_; }

  /// When the column was written, in microseconds, and when it expires, in seconds since 1970. Of
  /// columns of many cells one entry a cell; empty where there is no value.
  struct CellTimes {
    std::vector<int64_t> timestamps_us;
    std::vector<Value> expires_s;  // bigint, or null
  };
  CellTimes TimesOf(const ColumnRef& column) const;

 private:
  const Unfiltered* RowOf(ColumnRole role) const;
  const ComplexColumnView* ComplexOf(const ColumnRef& column) const;

  const TableSchema& schema_;
  const Layout& layout_;
  Bytes key_;
  std::vector<Bytes> key_values_;
  const Unfiltered* static_row_ = nullptr;
  const Unfiltered* row_ = nullptr;
};

/// Finds a column by name, or says "Undefined column name" as Cassandra does.
Result<ColumnRef> FindColumn(const TableSchema& schema, std::string_view name);

}  // namespace orochi::sstable
