#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/byte_stream.h"
#include "pg/am/columnar/stripe_catalog.h"

extern "C" {
#include "access/htup.h"
#include "access/htup_details.h"
#include "storage/buf.h"
#include "storage/bufpage.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
}

namespace orochi::pg {

/// Rows of a columnar relation that are not in stripes: ordinary heap tuples on ordinary heap pages
/// of the same file, written by heap's own functions, for rows that come one at a time and for new
/// versions of rows that were updated. VACUUM moves them into stripes.
namespace row_pages {

/// To be called right before heap_insert, heap_multi_insert or heap_update on the relation: makes
/// sure that heap looks for room where there may be some. Plain, may ereport.
void PrepareTarget(Relation relation) noexcept;

/// Heap's code believes what a page says of its tuples: to be called on a locked row page first.
/// Answers how many items there are. Plain: ereports ERRCODE_DATA_CORRUPTED with block and item.
OffsetNumber CheckItems(Relation relation, BlockNumber block, Page page) noexcept;

/// The block, pinned, if it is a row page, which it stays while it is pinned; else InvalidBuffer.
/// For tuple ids from indexes and users: what heap's functions would take for line pointers there
/// may be something else by now. Plain, may ereport.
Buffer Pin(Relation relation, BlockNumber block) noexcept;

/// The tuples of one page that a snapshot sees, on a copy of the page: valid without pin or lock,
/// until the next Load.
class RowPage {
 public:
  /// Plain, may ereport. Checks for serialization conflicts. False, with no tuples, when the block
  /// is no row page.
  bool Load(Relation relation, BlockNumber block, Snapshot snapshot) noexcept;
  /// The same for VACUUM-like readers, which want every tuple that has storage.
  bool LoadAll(Relation relation, BlockNumber block) noexcept;

  void Clear() { count_ = 0; }

  int count() const { return count_; }
  /// A tuple on the copy.
  HeapTupleData tuple(int index) const {
    HeapTupleData result;
    ItemId const item = PageGetItemId(const_cast<char*>(copy_.data), offsets_[index]);
    result.t_len = ItemIdGetLength(item);
    result.t_data =
        reinterpret_cast<HeapTupleHeader>(PageGetItem(const_cast<char*>(copy_.data), item));
    result.t_tableOid = relation_id_;
    ItemPointerSet(&result.t_self, block_, offsets_[index]);
    return result;
  }

 private:
  void Copy(Relation relation, BlockNumber block, char* page);

  PGAlignedBlock copy_;
  OffsetNumber offsets_[MaxHeapTuplesPerPage];
  int count_ = 0;
  BlockNumber block_ = InvalidBlockNumber;
  Oid relation_id_ = InvalidOid;
};

/// The blocks of a relation that may be row pages: those in no known stripe. In ascending order.
///
/// Processes that scan in parallel may know of different stripes, and of one at different places,
/// since VACUUM relocates them. Hence a block's index is its number less one for all of them.
class Blocks {
 public:
  /// All blocks below the file's present end. `stripes` in any order; stripes missing there only
  /// cost reading their pages. Calls PostgreSQL: errors fly as CaughtError.
  Blocks(Relation relation, const std::vector<StripeEntry>& stripes);
  Blocks() = default;

  /// Leaves out blocks of stripes that the caller learnt of otherwise.
  void Skip(const std::vector<StripeEntry>& stripes);

  uint64_t count() const { return end_ == 0 ? 0 : end_ - 1; }
  /// How many of them are not left out.
  uint64_t unknown_count() const;
  /// The i-th block, or InvalidBlockNumber for one left out.
  BlockNumber At(uint64_t index) const;

 private:
  BlockNumber end_ = 0;
  std::vector<BlockRun> skipped_;
};

}  // namespace row_pages

}  // namespace orochi::pg
