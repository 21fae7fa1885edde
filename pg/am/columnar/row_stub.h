#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/stub_page.h"

extern "C" {
#include "access/htup.h"
#include "executor/tuptable.h"
#include "storage/buf.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
}

namespace orochi::pg {

/// Who locked, updated or deleted a row in a stripe.
///
/// Stripes never change. The first time somebody wants to lock or change a row of one, the row gets
/// a stub: a heap tuple, inserted frozen, that stands for it from then on. Heap's own functions
/// lock, update and delete the stub, so waiting, multixacts, update chains, serializability checks
/// and logical decoding of the old row are heap's. A row of a stripe is visible when its stripe is
/// and its stub, if it has one, is.
///
/// A stub holds the values of the columns that heap compares or logs (keys, replica identity), NULL
/// for all others (what is too wide for a page is stub_values.h's), and the row's number behind its
/// data. Stubs lie in chains of pages, one chain
/// for each kSegmentRows rows (stub_chain.h). Heap finds no room on these pages, so the new version
/// of an updated row is never a HOT tuple there. What is left of a stub that is dead to everybody
/// is one bit (stub_page.h).
///
/// Everything here is plain PostgreSQL code that may ereport.
namespace row_stub {

using stub_page::kSegmentRows;

enum class Outcome : uint8_t {
  kNone,  // nobody locked or changed the row, as far as that still matters
  kStub,
  kGone,  // deleted or updated before every snapshot
};

/// Where a tuple is that heap's functions shall work on. While it is pinned VACUUM takes no stub
/// off its page, and moves no row on it away. Whoever got it releases the pin.
struct Target {
  ItemPointerData tid;
  Buffer pin;  // InvalidBuffer when there is no tuple
};

/// Finds the row's stub.
Outcome Find(Relation relation, uint64_t row_number, Target* target) noexcept;

/// Whether stubs of the relation hold any column's value.
bool NeedsRow(Relation relation) noexcept;

/// Stubs to be made of rows of one segment: one look at their chain, one WAL record a page.
/// Plain data, in a memory context of its own until Put.
class Maker {
 public:
  Maker(Relation relation, size_t count_max) noexcept;
  /// `row` holds the row's values; null when NeedsRow says so.
  /// REQUIRES: fewer than count_max were added, all of the same segment.
  void Add(uint64_t row_number, TupleTableSlot* row) noexcept;
  size_t count() const { return count_; }
  /// Makes them, but those of rows that have one by now or are gone. The end of the maker.
  void Put() noexcept;

 private:
  Relation relation_;
  MemoryContext context_;
  Bitmapset* kept_;  // columns a stub has values of
  Datum* values_;    // as many as the relation has columns, all unused
  bool* nulls_;
  HeapTuple* stubs_;
  size_t count_ = 0;
};
static_assert(std::is_trivially_destructible_v<Maker>);

/// Finds or makes it; never kNone. `row` holds the row's values; null when NeedsRow says so.
Outcome FindOrMake(Relation relation, uint64_t row_number, TupleTableSlot* row,
                   Target* target) noexcept;
/// Hides a row of a stripe of this transaction for good: it must not be seen by anybody, whatever
/// becomes of the transaction.
void MakeGone(Relation relation, uint64_t row_number) noexcept;

/// The row number of a stub.
uint64_t RowNumberOf(HeapTuple stub) noexcept;

/// Whether the relation has any stub. One look at the metapage.
bool Any(Relation relation) noexcept;

/// Whether `snapshot` sees the row, whose stripe it sees. Under SnapshotDirty sets the snapshot's
/// xmin, xmax and speculativeToken as heap does. Checks for serialization conflicts.
bool IsVisible(Relation relation, uint64_t row_number, Snapshot snapshot) noexcept;

/// Rows of a range that a snapshot does not see although it sees their stripe, as bits.
struct HiddenBits {
  uint64_t first_row;
  uint64_t row_count;
  uint64_t* words;  // bit i: first_row + i is hidden; palloc'd when the first is found, else null
  uint64_t hidden_count;
};

/// Looks at every stub of the range. `words` is allocated in the current memory context.
HiddenBits FindHidden(Relation relation, uint64_t first_row, uint64_t row_count,
                      Snapshot snapshot) noexcept;

}  // namespace row_stub

}  // namespace orochi::pg
