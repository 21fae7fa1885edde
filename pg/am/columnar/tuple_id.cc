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

}  // namespace orochi::pg
