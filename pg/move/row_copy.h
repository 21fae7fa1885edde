#pragma once

#include "pg/move/order_key.h"

/// Copies the rows of one table into another of the same columns, whatever the access methods.
namespace orochi::pg {

struct RowCopyOptions {
  const OrderKey* order;  // no columns: the order of the source
  /// The rows shall be visible to every snapshot that can open the target, however old. Only right
  /// when whoever might see other rows of the source is waited for before the target is shown.
  bool visible_to_all;
};

struct RowCopyResult {
  int64 row_count;
  /// No transaction after this one changed the source: a snapshot whose xmin is later sees exactly
  /// the copied rows. Invalid when every snapshot does.
  TransactionId newest_change;
};

/// Copies what a snapshot taken now sees. Plain PostgreSQL code: may ereport.
/// REQUIRES: both tables are open; nobody can write the source (SHARE ROW EXCLUSIVE or stronger),
/// which holds no row written by this transaction if visible_to_all.
/// Bounds: sorts in maintenance_work_mem and spills to temporary files.
void CopyRows(Relation source, Relation target, const RowCopyOptions& options,
              RowCopyResult* out) noexcept;

/// Reads the table and counts, to compare a copy with its source.
int64 CountRows(Relation relation) noexcept;

}  // namespace orochi::pg
