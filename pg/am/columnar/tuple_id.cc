#include "pg/am/columnar/tuple_id.h"

#include "base/assert.h"

namespace orochi::pg {

ItemPointerData TidOfRow(uint64_t row_number) {
  ASSERT(row_number < kRowNumbersMax);
  ItemPointerData tid;
  ItemPointerSet(&tid,
                 kFirstStripeTidBlock + static_cast<BlockNumber>(row_number / kRowsPerTidBlock),
                 static_cast<OffsetNumber>(row_number % kRowsPerTidBlock + 1));
  return tid;
}

std::optional<uint64_t> RowOfTid(const ItemPointerData& tid) {
  BlockNumber const block = ItemPointerGetBlockNumberNoCheck(&tid);
  OffsetNumber const offset = ItemPointerGetOffsetNumberNoCheck(&tid);
  if (block < kFirstStripeTidBlock || block == InvalidBlockNumber || offset == 0 ||
      offset > kRowsPerTidBlock) {
    return std::nullopt;
  }
  return uint64_t{block - kFirstStripeTidBlock} * kRowsPerTidBlock + offset - 1;
}

bool IsRowPageTid(const ItemPointerData& tid) {
  return ItemPointerIsValid(&tid) && ItemPointerGetBlockNumberNoCheck(&tid) < kFirstStripeTidBlock;
}

uint64_t NumberOfTid(const ItemPointerData& tid) {
  return uint64_t{ItemPointerGetBlockNumberNoCheck(&tid)} << 16 |
         ItemPointerGetOffsetNumberNoCheck(&tid);
}

ItemPointerData TidOfNumber(uint64_t number) {
  ItemPointerData tid;
  ItemPointerSet(&tid, static_cast<BlockNumber>(number >> 16),
                 static_cast<OffsetNumber>(number & 0xFFFF));
  return tid;
}

}  // namespace orochi::pg
