#include "pg/am/columnar/stub_map.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/stub_chain.h"

extern "C" {
#include "storage/bufmgr.h"
#include "storage/proc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
}

namespace orochi::pg::stub_map {
namespace {

using stub_page::kSegmentRows;

// A segment's map is in the set of its number: neighbours do not drive each other out.
constexpr int kSetCount = 32;
constexpr int kSetMapsMax = 4;
SegmentMap* maps[kSetCount][kSetMapsMax];
uint64_t use_count = 0;

void LearnBits(SegmentMap* map, const uint64_t* bits) {
  for (uint64_t row = 0; row < kSegmentRows; ++row) {
    if (((bits[row / 64] >> (row % 64)) & 1) != 0) {
      map->blocks[row] = InvalidBlockNumber;
    }
  }
}

}  // namespace

SegmentMap* Get(uint64_t storage_id, uint64_t segment) {
  SegmentMap** oldest = nullptr;
  for (SegmentMap*& map : maps[segment % kSetCount]) {
    if (map != nullptr && map->storage_id == storage_id && map->segment == segment) {
      map->last_use = ++use_count;
      return map;
    }
    if (oldest == nullptr ||
        (*oldest != nullptr && (map == nullptr || map->last_use < (*oldest)->last_use))) {
      oldest = &map;
    }
  }
  if (*oldest == nullptr) {
    *oldest = static_cast<SegmentMap*>(MemoryContextAlloc(TopMemoryContext, sizeof(SegmentMap)));
  }
  SegmentMap* const map = *oldest;
  *map = SegmentMap{};
  map->storage_id = storage_id;
  map->segment = segment;
  map->last_use = ++use_count;
  return map;
}

void Clear(SegmentMap* map) {
  uint64_t const storage_id = map->storage_id;
  uint64_t const segment = map->segment;
  *map = SegmentMap{};
  map->storage_id = storage_id;
  map->segment = segment;
  map->last_use = ++use_count;
}

OffsetNumber Learn(SegmentMap* map, BlockNumber block, Page page, OffsetNumber after) {
  OffsetNumber const count = stub_page::Count(page, after);
  for (OffsetNumber offset = after + 1; offset <= count; ++offset) {
    ItemId const item = PageGetItemId(page, offset);
    if (!ItemIdHasStorage(item)) {
      continue;
    }
    if (const uint64_t* const bits = stub_page::GoneBitsAt(page, item); bits != nullptr) {
      LearnBits(map, bits);
      continue;
    }
    uint64_t const row = stub_page::RowNumberAt(page, item) % kSegmentRows;
    map->blocks[row] = ItemIdIsDead(item) ? InvalidBlockNumber : block;
    map->offsets[row] = offset;
  }
  return count;
}

const SegmentMap* Known(Relation relation, uint64_t row_number) {
  uint64_t const segment = row_number / kSegmentRows;
  LocalTransactionId const transaction = MyProc->lxid;
  for (SegmentMap* const map : maps[segment % kSetCount]) {
    if (map != nullptr && map->segment == segment && map->read_in == transaction &&
        LocalTransactionIdIsValid(transaction) && RelFileNodeEquals(map->node, relation->rd_node)) {
      map->last_use = ++use_count;
      return map;
    }
  }
  return nullptr;
}

void ForgetKnown() {
  for (auto& set : maps) {
    for (SegmentMap* const map : set) {
      if (map != nullptr) {
        map->read_in = InvalidLocalTransactionId;
      }
    }
  }
}

void Refresh(Relation relation, SegmentMap* map, BlockNumber front) {
  BlockNumber known = map->front;
  OffsetNumber known_count = map->front_count;
  uint32_t const known_generation = map->generation;
  BlockNumber block = front;
  while (block != 0) {
    Buffer const buffer = stub_chain::ReadKind(relation, block, BUFFER_LOCK_SHARE, PageKind::kStubs,
                                               "a page of row stubs");
    Page const page = BufferGetPage(buffer);
    uint32_t const generation = TrailerOf(page)->generation;
    if ((block == front || block == known) && known != 0 && generation != known_generation) {
      Clear(map);
      known = 0;
      known_count = 0;
      if (block != front) {  // packed since: what was learnt on the way here is lost with the rest
        UnlockReleaseBuffer(buffer);
        block = front;
        continue;
      }
    }
    OffsetNumber const count = Learn(map, block, page, block == known ? known_count : 0);
    if (block == front) {
      map->front = front;
      map->front_count = count;
      map->generation = generation;
    }
    block = block == known ? 0 : TrailerOf(page)->next;
    UnlockReleaseBuffer(buffer);
  }
  map->node = relation->rd_node;
  map->read_in = MyProc->lxid;
}

SegmentMap* Fresh(Relation relation, uint64_t row_number) {
  Metapage const metapage = ReadMetapage(relation);
  if (metapage.stub_directory_levels == 0) {
    return nullptr;
  }
  uint64_t const segment = row_number / kSegmentRows;
  uint32_t entry = 0;
  Buffer const leaf = stub_chain::FindLeaf(relation, metapage, segment, BUFFER_LOCK_SHARE, &entry);
  if (leaf == InvalidBuffer) {
    return nullptr;
  }
  BlockNumber const front = stub_chain::EntriesOf(BufferGetPage(leaf))[entry];
  SegmentMap* map = nullptr;  // most segments have no stubs: no map gives way to an empty one
  if (front != 0) {
    map = Get(metapage.storage_id, segment);
    Refresh(relation, map, front);  // under the leaf's lock no page leaves the chain
  }
  UnlockReleaseBuffer(leaf);
  return map;
}

}  // namespace orochi::pg::stub_map
