#pragma once

#include "pg/compat.h"

extern "C" {
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"
}

#include "pg/hypertable/catalog.h"
#include "pg/hypertable/copy_source.h"

namespace orochi::pg {

struct CopyLeaf;

/// The chunks of one hypertable as the target of a COPY: an executor state in which rows are
/// routed, checked, buffered by chunk and inserted with their index entries and triggers.
///
/// It knows the chunks that exist when it is opened. For a row of another chunk StoreRow answers
/// false; the caller then closes the target, has the chunk created, and opens a new target. That
/// keeps one way for chunks made by another session and by this one (which PostgreSQL allows only
/// while nobody here has the parent open), and lets go of chunks that are behind us.
///
/// Life:    OpenCopyTarget -> StoreRow* -> FlushCopyTarget -> CloseCopyTarget.
/// Memory:  buffered rows borrow the values of the source's rows: flush before releasing those.
/// All functions call PostgreSQL: run them inside TryPg, on an open AFTER trigger query level.
struct CopyTarget {
  EState* estate;
  ResultRelInfo* root;
  ModifyTableState* modify;
  PartitionTupleRouting* routing;
  CopyFromState input;  // line numbers for error messages
  CommandId command_id;
  AttrNumber time_attribute;
  timeseries::TimeKind kind;
  bool one_by_one;  // no row may wait: something could look at the table between two rows

  // The parent's bounds. Chunk of bound i: rows from bound i up to bound i + 1.
  int bound_count;
  int64* bounds;        // [bound_count], ascending
  int* bound_chunk;     // [bound_count]: index into chunks, -1 is a gap
  const bool* is_leaf;  // [chunk_count]: false when the chunk is partitioned itself
  CopyLeaf** chunks;    // [chunk_count]: null until a row went there, or not a leaf
  int64 last_lower;     // the range of last_leaf: rows in time order need one comparison
  int64 last_upper;     // inclusive
  CopyLeaf* last_leaf;  // null: nothing remembered

  // All leaves that are open, in the order of their first rows, which is the order they are
  // flushed in: an error is then about an early line.
  CopyLeaf* leaves;
  CopyLeaf** leaves_end;  // where the next one is linked
  int leaf_count;
  uint64 inserted_count;
};

/// Opens the target for rows of `relation`, whose lock the caller holds. `range_table` has the
/// relation as its only entry.
CopyTarget* OpenCopyTarget(Relation relation, List* range_table, const Hypertable& hypertable,
                           const CopySource* source, CommandId command_id) noexcept;

/// Takes one row in the parent's form; false, and nothing happened, when its chunk is missing.
bool StoreRow(CopyTarget* target, TupleTableSlot* row) noexcept;

/// Inserts all rows that wait in buffers.
void FlushCopyTarget(CopyTarget* target) noexcept;

/// Closes everything the target opened, and frees it. REQUIRES: no row waits.
void CloseCopyTarget(CopyTarget* target) noexcept;

}  // namespace orochi::pg
