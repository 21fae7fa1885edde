#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/stripe_catalog.h"
#include "pg/am/columnar/stub_page.h"
#include "pg/am/columnar/write_buffer.h"

extern "C" {
#include "commands/vacuum.h"
#include "storage/bufmgr.h"
}

/// One VACUUM of a columnar relation. Everything here is plain PostgreSQL code that may ereport;
/// arrays live in the memory context that was current when it began.
///
///   1. row pages   pruned, frozen; dead line pointers noted           vacuum_rows.h
///   2. stubs       rows of stripes that are dead noted                vacuum_stubs.h
///   3. indexes     entries of both deleted                            dead_rows.h
///   4. row pages, stubs: what was dead becomes free, or one bit
///   5. rows        moved from row pages, thin and small stripes       vacuum_plan.h, row_move.h
///   6. file        stripes at its end copied to where it has room     stripe_relocation.h
///                  free pages made known, the free tail cut           free_pages.h
namespace orochi::pg::vacuum {

/// An array that grows. Plain, palloc'd.
template <class T>
struct PlainArray {
  T* items;
  size_t count;
  size_t capacity;

  void Add(const T& item) noexcept {
    if (count == capacity) {
      capacity = capacity == 0 ? 64 : capacity * 2;
      items =
          static_cast<T*>(items == nullptr ? palloc_extended(capacity * sizeof(T), MCXT_ALLOC_HUGE)
                                           : repalloc_huge(items, capacity * sizeof(T)));
    }
    items[count++] = item;
  }
};

/// Some rows of a segment, a bit each.
struct SegmentBits {
  uint64_t segment;
  uint64_t words[stub_page::kSegmentRows / 64];
};

/// What is left of a segment's stubs.
struct StubSegment {
  SegmentBits gone;  // rows nobody sees any more
  uint32_t page_count;
};

/// Rows to take out of indexes.
struct DeadRows {
  PlainArray<uint64_t> places;         // on row pages: block << 16 | offset, ascending
  PlainArray<SegmentBits> in_stripes;  // segments ascend
  TransactionId newest_end;            // the newest transaction that ended one in a stripe
};

/// An updated row's new version on a row page, and the stripe's row that it replaced.
struct Successor {
  uint64_t place;  // as in DeadRows
  uint64_t row_number;
};

struct Run {
  Relation relation;
  BufferAccessStrategy strategy;
  TransactionId oldest_xmin;
  MultiXactId oldest_multi;
  TransactionId freeze_limit;
  MultiXactId multi_limit;

  // Known at the beginning.
  uint64_t storage_id;
  uint64_t moved_stripe_count;
  BlockNumber end_block;            // pages from here on are newer than all we know
  PlainArray<StripeEntry> stripes;  // those somebody may see, with rows, by first row number
  uint64_t settled_row_count;       // a lesser number in no such stripe is nobody's
  bool stripes_being_written;       // pages in no stripe may be those of one of them

  DeadRows dead;
  PlainArray<Successor> successors;        // ascending, those that memory allows
  PlainArray<StubSegment> stub_segments;   // after step 4, segments ascend
  PlainArray<BlockNumber> movable_blocks;  // row pages with rows that may move, ascending
  PlainArray<BlockNumber> stub_blocks;     // pages of stubs and of their directory, as visited
  PlainArray<BlockNumber> free_blocks;     // empty row pages, when they were visited

  TransactionId oldest_xid_left;  // no older transaction id is in the relation
  MultiXactId oldest_multi_left;
  double live_row_count;  // on row pages
  double movable_row_count;
  double hidden_row_count;  // in stripes, seen by nobody or not by all
  double left_dead_count;   // dead, but not to everybody
  bool logged_conflict;
};

/// The pages of stripes that somebody may read, ascending: where they are, and where they were for
/// who learnt of it before they were relocated.
PlainArray<BlockRun> PagesInUse(const PlainArray<StripeEntry>& stripes,
                                TransactionId oldest_xmin) noexcept;

/// Whether somebody may still read the stripe where it was.
bool IsPreviousInUse(const StripeEntry& entry, TransactionId oldest_xmin) noexcept;

/// The stripe among Run::stripes that holds the row, or null.
const StripeEntry* StripeOf(const Run& run, uint64_t row_number) noexcept;

/// Marks the row; false when memory for such marks ran out, and the row is left for another time.
bool NoteDeadRow(Run* run, uint64_t row_number) noexcept;
bool NoteDeadPlace(Run* run, BlockNumber block, OffsetNumber offset) noexcept;
/// Remembers where an updated row's new version is. It moves to where the row was.
void NoteSuccessor(Run* run, const ItemPointerData& successor, uint64_t row_number) noexcept;
/// The stripe's row that the one at this place on a row page replaced.
std::optional<uint64_t> PredecessorOf(const Run& run, BlockNumber block,
                                      OffsetNumber offset) noexcept;
bool IsDeadRow(const DeadRows& dead, uint64_t row_number) noexcept;
bool IsDeadPlace(const DeadRows& dead, BlockNumber block, OffsetNumber offset) noexcept;
inline bool AnyDead(const DeadRows& dead) {
  return dead.places.count > 0 || dead.in_stripes.count > 0;
}

/// Freezes what is older than the limits on a page that is locked exclusively, except what is dead.
void FreezePage(Run* run, Buffer buffer) noexcept;
/// Notes the oldest ids on a locked page.
void NoteIdsLeft(Run* run, Buffer buffer) noexcept;

/// The tuple is visible to everybody and nobody locks or changes it. The page is locked.
bool IsMovable(HeapTuple tuple, TransactionId oldest_xmin, Buffer buffer) noexcept;

/// Standby queries with snapshots that could see what we are about to remove must end first.
void LogConflictOnce(Run* run) noexcept;

/// VACUUM runs as one that no snapshot waits for and none knows of as running: its transaction
/// must not write rows. From here on it is one like any other, with a snapshot of its own.
void BecomeOrdinaryTransaction() noexcept;

}  // namespace orochi::pg::vacuum
