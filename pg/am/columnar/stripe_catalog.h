#pragma once

#include "pg/compat.h"

extern "C" {
#include "storage/itemptr.h"
#include "utils/snapshot.h"
}

namespace orochi::pg {

/// A row of orochi.columnar_stripe. Rows [first_row_number, first_row_number + row_count) of the
/// storage are in the stripe at [offset_bytes, offset_bytes + size_bytes) of its byte stream.
///
/// A stripe still being written has size_bytes 0 and row_count as reserved: only uniqueness checks
/// look at those.
struct StripeEntry {
  uint64_t storage_id = 0;
  uint64_t stripe_number = 0;  // from 1
  uint64_t first_row_number = 0;
  uint64_t row_count = 0;
  uint64_t offset_bytes = 0;
  uint64_t size_bytes = 0;
  uint32_t footer_size_bytes = 0;
  uint32_t row_group_count = 0;
  // Where VACUUM copied the stripe from, and its full transaction id; 0 for a stripe that never
  // moved. Whoever learnt the offset before the copy may still read there.
  uint64_t previous_offset_bytes = 0;
  uint64_t relocated_by = 0;
  // The full transaction id of the VACUUM that made the stripe of rows which every snapshot in use
  // at that time saw in another place; 0 for a stripe of new rows.
  uint64_t moved_by = 0;

  bool being_written() const { return size_bytes == 0; }
  bool Holds(uint64_t row_number) const {
    return row_number >= first_row_number && row_number - first_row_number < row_count;
  }
};

/// Access to orochi.columnar_stripe. The visibility of a stripe's rows is the visibility of its
/// row there, so entries are inserted under the rows' transaction and command, before the first
/// row, and completed in place once the stripe is on its pages.
///
/// All functions may raise PostgreSQL errors as CaughtError.
namespace stripe_catalog {

/// Finished stripes of the storage that `snapshot` sees, by stripe number. Stripes numbered up to
/// `moved_stripe_count` are seen whenever their transaction is done, whatever the snapshot.
/// SnapshotAny sees stripes that were dropped as well, while some snapshot sees them: a row of
/// theirs that is to be changed or indexed must be found.
std::vector<StripeEntry> List(uint64_t storage_id, uint64_t moved_stripe_count, Snapshot snapshot);

/// Finished stripes of the storage whose writer has not aborted, done or not.
std::vector<StripeEntry> ListWritten(uint64_t storage_id);

/// The stripe that holds the row, if `snapshot` sees it. Under SnapshotDirty stripes being written
/// count, and the snapshot's xmin names the writer as for heap tuples.
std::optional<StripeEntry> Find(uint64_t storage_id, uint64_t moved_stripe_count,
                                uint64_t row_number, Snapshot snapshot);

/// The transaction that wrote the row's stripe, committed or our own; invalid without such a
/// stripe.
TransactionId WriterOf(uint64_t storage_id, uint64_t row_number);

/// Every stripe of the storage whose row somebody may still see, those being written included, by
/// stripe number. What no such stripe holds belongs to nobody.
std::vector<StripeEntry> ListNotRemovable(uint64_t storage_id);

/// Finished stripes that every snapshot in use sees or once saw, and nobody dropped: written before
/// `oldest_xmin`, or numbered up to `moved_stripe_count`.
std::vector<StripeEntry> ListSettled(uint64_t storage_id, uint64_t moved_stripe_count,
                                     TransactionId oldest_xmin);

/// Deletes one stripe's row, transactionally.
void Delete(const StripeEntry& entry);

/// Inserts `entry` as of command `command_id` of the current (sub)transaction.
ItemPointerData Insert(const StripeEntry& entry, CommandId command_id);

/// Overwrites the row at `tid`, whose storage_id, stripe_number and first_row_number stay.
/// Not undone by an abort of the current subtransaction: only the insertion decides.
/// REQUIRES: inserted by the current transaction.
void CompleteInPlace(const ItemPointerData& tid, const StripeEntry& entry);

/// Says, for everybody at once and whatever becomes of the transaction, that the stripe's bytes are
/// at `offset_bytes` now; relocated_by is the current transaction. In place: an update would give
/// the row a new xmin, and with it the stripe's rows a new writer.
/// REQUIRES: VACUUM's lock on the relation; nobody else changes the row.
void RelocateInPlace(const StripeEntry& entry, uint64_t offset_bytes);

/// Says, likewise in place, that no stripe of the storage is read where it was copied from.
/// REQUIRES: AccessExclusiveLock on the relation.
void ForgetPreviousPlaces(uint64_t storage_id);

/// Deletes every row of the storage, transactionally. Returns how many.
uint64_t DeleteAll(uint64_t storage_id);

/// The byte after the last finished stripe that is committed or own; 0 without one.
/// REQUIRES: no other transaction writes to the storage.
uint64_t EndOffsetBytes(uint64_t storage_id);

/// Whether every finished stripe of the storage past `moved_stripe_count` was committed before any
/// snapshot in use.
bool AllOlderThan(uint64_t storage_id, uint64_t moved_stripe_count, TransactionId oldest_xmin);

/// The newest transaction but our own that wrote a finished stripe of the storage past
/// `moved_stripe_count`; invalid when every snapshot sees all stripes. REQUIRES: no other
/// transaction writes to the storage.
TransactionId NewestWriter(uint64_t storage_id, uint64_t moved_stripe_count);

/// Visits finished stripes of the storage past `moved_stripe_count` whose rows some snapshot may
/// not see, though some sees them: their writer did not abort and is no older than `oldest_xmin`.
/// Not those of VACUUM, whose rows were older. Plain: may ereport. REQUIRES: no other transaction
/// writes to the storage.
void VisitNewerThan(uint64_t storage_id, uint64_t moved_stripe_count, TransactionId oldest_xmin,
                    void (*visit)(const StripeEntry& entry, TransactionId writer, void* state),
                    void* state) noexcept;

/// Deletes rows of stripes that were begun and never got a row or whose writer left them
/// unfinished. REQUIRES: no other transaction writes to the storage.
uint64_t DeleteUnfinished(uint64_t storage_id);

/// False while the extension is being dropped.
bool Exists();

}  // namespace stripe_catalog

}  // namespace orochi::pg
