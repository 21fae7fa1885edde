#pragma once

#include "pg/am/columnar/stub_page.h"

extern "C" {
#include "storage/block.h"
#include "storage/lock.h"
#include "storage/off.h"
#include "storage/relfilenode.h"
#include "utils/relcache.h"
}

/// Where this backend remembers stubs to be: chains of stub pages are long, and mostly grow at
/// their front, so that little is read to bring a memory up to date. At most 128 segments, the last
/// ones used, of 48 kB each. Plain, may ereport.
namespace orochi::pg::stub_map {

/// What is known of one segment. VACUUM may have taken a stub away or put it elsewhere on its page
/// since: who goes to a place looks whether it is there. What is not in an up to date map is not
/// there either.
struct SegmentMap {
  uint64_t storage_id;
  uint64_t segment;
  BlockNumber front;  // first page of the chain when last read
  OffsetNumber front_count;
  uint32_t generation;
  uint64_t last_use;
  RelFileNode node;
  LocalTransactionId read_in;                   // the transaction that brought it up to date last
  BlockNumber blocks[stub_page::kSegmentRows];  // 0: no stub; InvalidBlockNumber: gone
  OffsetNumber offsets[stub_page::kSegmentRows];
};

/// The map of the row's segment, up to date; null when the segment has no stubs.
SegmentMap* Fresh(Relation relation, uint64_t row_number);

/// The map of the row's segment if this transaction, which has had a lock on the table since, read
/// it: its places are in the file. They may be outdated, and stubs may be missing. Reads nothing.
const SegmentMap* Known(Relation relation, uint64_t row_number);
/// From now on no map is known: a lock was given up, or a file cut.
void ForgetKnown();

/// The map of a segment as it is.
SegmentMap* Get(uint64_t storage_id, uint64_t segment);
/// Brings it up to date with the chain that starts at `front`. The caller holds the leaf's lock.
void Refresh(Relation relation, SegmentMap* map, BlockNumber front);
/// Adds the page's items from line pointer `after` + 1 on. Returns how many the page has.
OffsetNumber Learn(SegmentMap* map, BlockNumber block, Page page, OffsetNumber after);
/// Forgets all places of a segment.
void Clear(SegmentMap* map);

}  // namespace orochi::pg::stub_map
