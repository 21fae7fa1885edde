#pragma once

#include "pg/fdw/value_encoder.h"
#include "sstable/change/row_change.h"
#include "sstable/schema/table_schema.h"

extern "C" {
#include "access/tupdesc.h"
}

namespace orochi::pg {

/// When exported rows were written, and with which TTL.
struct ExportTimes {
  int64_t timestamp_us = 0;  // since 1970
  int64_t now_s = 0;         // from which the table's default TTL counts
};

/// Turns rows of a query's result into changes of a Cassandra table, as INSERT makes them. Null is
/// no value, and no tombstone. A row without clustering values sets static columns.
///
/// Life:    Make -> Add*.    Threads: none.    Borrows: the schema.
class ExportRows {
 public:
  /// kInvalidArgument when the result lacks a column of the primary key or has one that the table
  /// lacks; kUnsupported for counters and for types that do not fit.
  static Result<std::unique_ptr<ExportRows>> Make(const sstable::TableSchema& schema,
                                                  TupleDesc descriptor, const ExportTimes& times);

  /// Appends what the row changes to `changes`.
  Status Add(std::span<const Datum> values, std::span<const bool> nulls,
             std::vector<sstable::RowChange>& changes);

 private:
  struct Input {
    std::string name;  // empty for columns that are left out
    sstable::TableSchema::Found found;
    std::unique_ptr<ValueEncoder> encoder;
  };
  using Value = std::optional<std::string>;

  ExportRows(const sstable::TableSchema& schema, const ExportTimes& times)
      : schema_(schema), times_(times) {}
  Status AddInput(Form_pg_attribute attribute);
  Status CheckKey() const;
  Result<bool> MakeClustering(const std::vector<Value>& values,
                              sstable::ClusteringPrefix& clustering) const;
  Status AddColumn(const Input& input, const std::string& value, sstable::ChangeRow& row);
  sstable::ChangeRow::Cell CellOf(const Input& input) const;
  std::string NextListId();

  const sstable::TableSchema& schema_;
  ExportTimes times_;
  std::vector<Input> inputs_;
  uint64_t list_ids_ = 0;  // given so far
};

}  // namespace orochi::pg
