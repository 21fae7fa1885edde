#pragma once

#include "pg/compat.h"

#include "base/result.h"
#include "pg/am/columnar/byte_stream.h"

extern "C" {
#include "executor/tuptable.h"
#include "utils/relcache.h"
}

namespace orochi::pg {

/// Rows of this backend on their way into stripes.
///
/// Rows pile up per (storage, subtransaction, command or mergeable commands) in a
/// columnar::StripeWriter. The stripe's catalog row is inserted before its first row, under that
/// subtransaction and command, and completed in place when the stripe is written: when it is full,
/// when memory runs short, when this backend is about to read the relation, and before the
/// subtransaction or transaction commits or prepares. An abort forgets them.

/// For `options` of InsertRows: the rows were in the table before, in another place. They are not
/// counted as inserted.
inline constexpr int kInsertMoved = 1 << 16;

/// Empty row pages where stripes of this transaction may go; forgotten at its end. Plain.
/// REQUIRES: VACUUM's lock on the relation. `runs` ascend.
void OfferFreePages(Relation relation, const BlockRun* runs, size_t run_count);

/// Adds the rows of `slots` and sets their tts_tid. `bulk`: many rows are expected.
/// Plain frame: may ereport.
void InsertRows(Relation relation, TupleTableSlot** slots, int slot_count, CommandId command_id,
                int options, bool bulk);

/// Writes out what is buffered for the relation's storage. Cheap when there is nothing.
Status WriteOutPending(Relation relation);

/// For uniqueness checks, which run under index locks and must not write: fills `slot` with a row
/// of a stripe of this backend that is not written yet. False when there is no such row.
Result<bool> ReadBackRow(Relation relation, uint64_t stripe_number, uint64_t row_number,
                         TupleTableSlot* slot);

/// Writes out everything, for parallel workers that are about to start: they see no buffered rows.
Status WriteOutAllPending();

/// Whether this backend buffers rows of any columnar table.
bool HasPendingRows();
/// Rows of the command may join stripes that earlier commands of its subtransaction began, where
/// the table has nothing that runs statements of its own. See command_merging.h. Plain.
void LetCommandMerge(CommandId command_id);
/// No later command may join a stripe that was begun so far. Plain.
void ClosePendingToLaterCommands();

/// Transaction and subtransaction callbacks.
void RegisterWriteBuffer();

}  // namespace orochi::pg
