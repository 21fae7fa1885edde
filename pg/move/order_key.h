#pragma once

#include "pg/bridge.h"

extern "C" {
#include "utils/rel.h"
}

/// The order in which a move writes rows.
namespace orochi::pg {

/// Columns to sort by; none keeps the order in which rows are read.
/// Plain data in the memory context of whoever asked for it.
struct OrderKey {
  int column_count;
  // Each: [column_count]
  AttrNumber columns[INDEX_MAX_KEYS];
  Oid operators[INDEX_MAX_KEYS];  // the "<" or ">" to sort with
  Oid collations[INDEX_MAX_KEYS];
  bool nulls_first[INDEX_MAX_KEYS];
};

/// The key that `order_by`, the text of an ORDER BY list of plain columns, stands for. Anything
/// else is an error of SQLSTATE 42601, 42703 or 22023. Plain PostgreSQL code: may ereport.
/// REQUIRES: `relation` is open and locked.
void ParseOrderKey(Relation relation, const char* order_by, OrderKey* out) noexcept;

/// The order_by that was chosen for the table with set_columnar_options, or for one above it; with
/// no columns where its rows shall keep their order. False when nobody chose one.
bool ChosenOrderKey(Relation relation, OrderKey* out) noexcept;

/// The key for a chunk when nobody chose one: the columns of the oldest whole btree index that has
/// the time column behind others, such as (host_id, time), up to the time column; otherwise the
/// time column. A table that is no partition by range has no time column and keeps its order.
/// Of a table that is partitioned by range itself: the key for its partitions.
void DeriveOrderKey(Relation relation, OrderKey* out) noexcept;

/// The order of the rows of a columnar table or a copy of it: chosen, else derived.
void ChooseOrderKey(Relation relation, OrderKey* out) noexcept;

/// One column of the key as ORDER BY has it, the column's quoted name first; palloc'd.
/// `*plain` says whether it sorts with the type's own "<" or ">".
const char* OrderColumnText(Relation relation, const OrderKey& key, int index,
                            bool* plain) noexcept;

}  // namespace orochi::pg
