#pragma once

#include "pg/compat.h"

extern "C" {
#include "access/heapam.h"
#include "access/tableam.h"
#include "commands/copyfrom_internal.h"
#include "nodes/execnodes.h"
}

namespace orochi::pg {

/// One leaf partition of a COPY's target: rows that wait for their table_multi_insert, or, where
/// rows must go one at a time (BEFORE ROW triggers, foreign tables), the slot they pass through.
///
/// Its buffers (slots and the pin on the page being filled) exist only while it is in use:
/// ReleaseLeafBuffers gives them back, the next row brings them again.
/// All functions call PostgreSQL: run them inside TryPg.
struct CopyLeaf {
  ResultRelInfo* relation;
  bool one_by_one;          // rows are inserted as they come
  bool has_before_trigger;  // BEFORE ROW INSERT: may change or refuse the row
  bool needs_work_per_row;  // indexes or AFTER ROW triggers after the insert
  bool used_since_flush;    // a row went here since the target was last flushed
  BulkInsertState bulk;     // null: no buffers, or a foreign table
  TupleTableSlot** slots;   // [slot_count], made on demand, in the leaf's own form
  uint64* lines;            // [slot_capacity]: input line of the row in slots[i]
  int slot_count;
  int slot_capacity;
  int waiting_count;  // slots[0, waiting_count) hold rows to be inserted
  CopyLeaf* next;     // of CopyTarget::leaves
};

/// Makes the leaf for a relation that tuple routing opened. `one_by_one` as of the whole COPY.
CopyLeaf* MakeCopyLeaf(EState* estate, ResultRelInfo* relation, bool one_by_one) noexcept;

/// The free slot the next row of this leaf goes into, empty.
TupleTableSlot* NextLeafSlot(CopyLeaf* leaf, EState* estate) noexcept;

/// Fills `slot` with the row in the leaf's column order. By-reference values are borrowed.
void FillLeafSlot(const CopyLeaf* leaf, TupleTableSlot* row, TupleTableSlot* slot) noexcept;

/// Keeps the row in the slot NextLeafSlot gave until FlushLeaf.
void BufferLeafRow(CopyLeaf* leaf, uint64 line) noexcept;

/// Inserts the rows that wait, with index entries and AFTER ROW triggers; returns how many.
int FlushLeaf(CopyLeaf* leaf, EState* estate, CopyFromState input, CommandId command_id) noexcept;

/// Inserts one row now; false when a foreign table refused it.
bool InsertLeafRow(CopyLeaf* leaf, TupleTableSlot* slot, EState* estate, CommandId command_id,
                   TransitionCaptureState* capture) noexcept;

/// Frees slots and the bulk-insert state. REQUIRES: no row waits.
void ReleaseLeafBuffers(CopyLeaf* leaf) noexcept;

}  // namespace orochi::pg
