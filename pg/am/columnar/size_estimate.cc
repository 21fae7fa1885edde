#include "pg/am/columnar/size_estimate.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/stripe_catalog.h"
#include "pg/bridge.h"

extern "C" {
#include "access/htup_details.h"
#include "optimizer/plancat.h"
#include "storage/smgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg {
namespace {

// Past this many stripes a plan is not worth reading all their catalog rows.
constexpr uint64_t kExactStripesMax = 256;

double RowsPerPage(Relation relation) noexcept {
  int32 const width = get_rel_data_width(relation, nullptr);
  double const tuple_bytes =
      static_cast<double>(MAXALIGN(width) + MAXALIGN(SizeofHeapTupleHeader) + sizeof(ItemIdData));
  double const page_bytes = BLCKSZ - SizeOfPageHeaderData;
  return std::max(1.0, page_bytes / tuple_bytes);
}

struct StripeTotals {
  double rows;
  uint64_t pages;
};

StripeTotals TotalsOf(const Metapage& metapage) {
  StripeTotals totals = {};
  if (metapage.next_stripe_number > kExactStripesMax) {
    // Row numbers of aborted writers are not rows, and pages behind the last stripe may be row
    // pages; the last VACUUM or ANALYZE knew better.
    return {.rows = static_cast<double>(metapage.next_row_number),
            .pages = metapage.next_offset_bytes / kPagePayloadBytes};
  }
  for (const StripeEntry& entry :
       stripe_catalog::List(metapage.storage_id, metapage.moved_stripe_count, SnapshotSelf)) {
    totals.rows += static_cast<double>(entry.row_count);
    totals.pages += (entry.size_bytes + kPagePayloadBytes - 1) / kPagePayloadBytes;
  }
  return totals;
}

}  // namespace

SizeEstimate EstimateSizeOf(Relation relation) {
  struct Known {
    BlockNumber blocks;
    Metapage metapage;
    double rows_per_page;
  };
  Known const known = TryPg([&]() noexcept -> Known {
    return {.blocks = smgrnblocks(RelationGetSmgr(relation), MAIN_FORKNUM),
            .metapage = ReadMetapage(relation),
            .rows_per_page = RowsPerPage(relation)};
  });
  StripeTotals const stripes =
      known.metapage.storage_id == 0 ? StripeTotals{} : TotalsOf(known.metapage);
  uint64_t const other_blocks = 1 + stripes.pages;
  SizeEstimate size = {.blocks = known.blocks};
  size.row_blocks =
      known.blocks > other_blocks ? static_cast<BlockNumber>(known.blocks - other_blocks) : 0;
  size.rows_on_pages = size.row_blocks * known.rows_per_page;
  size.rows = stripes.rows + size.rows_on_pages;

  auto const analyzed_blocks = static_cast<BlockNumber>(relation->rd_rel->relpages);
  double const analyzed_rows = relation->rd_rel->reltuples;
  bool const is_exact =
      size.row_blocks == 0 && known.metapage.next_stripe_number <= kExactStripesMax;
  if (is_exact || analyzed_rows < 0 || analyzed_blocks == 0) {
    return size;
  }
  if (analyzed_blocks == known.blocks || known.metapage.next_stripe_number > kExactStripesMax) {
    size.rows = analyzed_rows / analyzed_blocks * known.blocks;
    size.rows_on_pages = std::min(size.rows_on_pages, size.rows);
  }
  return size;
}

}  // namespace orochi::pg
