#pragma once

#include "pg/am/columnar/table_options.h"

/// orochi.columnar_option: one row for each table whose owner chose something. Not cached: it is
/// read once a stripe. Everything here is plain PostgreSQL code that may ereport.
namespace orochi::pg::option_catalog {

/// The values of one row, in the order of ColumnarOption. All NULL: no row.
struct Row {
  Datum values[kColumnarOptionCount];
  bool nulls[kColumnarOptionCount];

  Datum value(ColumnarOption option) const { return values[static_cast<int>(option)]; }
  bool is_null(ColumnarOption option) const { return nulls[static_cast<int>(option)]; }
};

/// "order_by", ...: the column, and how users call it.
const char* NameOf(ColumnarOption option) noexcept;

/// What was chosen for this very table. By-reference values are palloc'd.
Row Read(Oid relation_id) noexcept;
/// Replaces the row; none when all are NULL. REQUIRES: SHARE UPDATE EXCLUSIVE or more on the table.
void Write(Oid relation_id, const Row& row) noexcept;

/// Elements of order_by, C strings. [*count], palloc'd.
char** OrderElements(Datum order_by, int* count) noexcept;

/// The table is being dropped.
void OnDropRelation(Oid relation_id) noexcept;
/// A column is being dropped, or was changed, perhaps renamed, by the running command: order_by
/// follows. While a command runs, old names are still what caches say.
void OnDropColumn(Oid relation_id, AttrNumber column) noexcept;
void OnAlterColumn(Oid relation_id, AttrNumber column) noexcept;

}  // namespace orochi::pg::option_catalog
