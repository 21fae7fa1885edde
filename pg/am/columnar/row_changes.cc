#include "pg/am/columnar/row_changes.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/am/columnar/row_pages.h"
#include "pg/am/columnar/stripe_catalog.h"
#include "pg/bridge.h"

extern "C" {
#include "access/transam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg {
namespace {

using Visit = void (*)(TransactionId xid, void* state);

// Rows on row pages, and stubs: rows of stripes that somebody ended.
void VisitPage(Relation relation, BlockNumber block, BufferAccessStrategy strategy, Visit visit,
               void* state) {
  Buffer const buffer = ReadBufferExtended(relation, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  auto* const page = static_cast<Page>(BufferGetPage(buffer));
  PageKind const kind = KindOf(block, page);
  bool const has_rows = kind == PageKind::kRows || kind == PageKind::kStubs;
  OffsetNumber const last = has_rows ? PageGetMaxOffsetNumber(page) : InvalidOffsetNumber;
  for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
    ItemId const item = PageGetItemId(page, offset);
    if (ItemIdIsNormal(item)) {
      VisitChangesOf(reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item)), visit, state);
    }
  }
  UnlockReleaseBuffer(buffer);
}

void VisitPages(Relation relation, const Metapage& metapage, Visit visit, void* state) {
  Boundary([&]() -> Status {
    row_pages::Blocks const blocks(
        relation,
        metapage.storage_id == 0
            ? std::vector<StripeEntry>()
            : stripe_catalog::List(metapage.storage_id, metapage.moved_stripe_count, SnapshotSelf));
    TryPg([&]() noexcept {
      BufferAccessStrategy const strategy = GetAccessStrategy(BAS_BULKREAD);
      for (uint64_t index = 0; index < blocks.count(); ++index) {
        CHECK_FOR_INTERRUPTS();
        if (BlockNumber const block = blocks.At(index); block != InvalidBlockNumber) {
          VisitPage(relation, block, strategy, visit, state);
        }
      }
      FreeAccessStrategy(strategy);
    });
    return Status::Ok();
  });
}

struct AgeCheck {
  TransactionId oldest_xmin;
  bool all_older;
};

void CheckAge(TransactionId xid, void* state) {
  auto* const check = static_cast<AgeCheck*>(state);
  check->all_older = check->all_older && TransactionIdPrecedes(xid, check->oldest_xmin);
}

}  // namespace

void VisitChangesOf(HeapTupleHeader tuple, Visit visit, void* state) noexcept {
  TransactionId const writer = HeapTupleHeaderGetXmin(tuple);
  if (TransactionIdIsNormal(writer)) {
    visit(writer, state);
  }
  if ((tuple->t_infomask & HEAP_XMAX_INVALID) == 0 &&
      !HEAP_XMAX_IS_LOCKED_ONLY(tuple->t_infomask)) {
    TransactionId const ender = HeapTupleHeaderGetUpdateXid(tuple);
    if (TransactionIdIsNormal(ender)) {
      visit(ender, state);
    }
  }
}

void KeepNewest(TransactionId xid, void* state) noexcept {
  auto* const newest = static_cast<TransactionId*>(state);
  if (!TransactionIdIsCurrentTransactionId(xid) &&
      (!TransactionIdIsValid(*newest) || TransactionIdFollows(xid, *newest))) {
    *newest = xid;
  }
}

TransactionId NewestChange(Relation relation) noexcept {
  Metapage const metapage = ReadMetapage(relation);
  TransactionId newest = Boundary([&]() -> Result<TransactionId> {
    return stripe_catalog::NewestWriter(metapage.storage_id, metapage.moved_stripe_count);
  });
  VisitPages(relation, metapage, KeepNewest, &newest);
  return newest;
}

bool AllChangesOlderThan(Relation relation, TransactionId oldest_xmin) noexcept {
  Metapage const metapage = ReadMetapage(relation);
  AgeCheck check = {.oldest_xmin = oldest_xmin, .all_older = true};
  check.all_older = Boundary([&]() -> Result<bool> {
    return metapage.storage_id == 0 ||
           stripe_catalog::AllOlderThan(metapage.storage_id, metapage.moved_stripe_count,
                                        oldest_xmin);
  });
  VisitPages(relation, metapage, CheckAge, &check);
  return check.all_older;
}

}  // namespace orochi::pg
