// SQL: orochi.columnar_check, which reads all of a columnar table and tells what does not fit.
//
// Pages are read one at a time and copied, so that damage is found without a lock held. VACUUM is
// kept out; who writes meanwhile adds pages behind those looked at, and names only rows and pages
// that were there before, which is why the file's size and the next row number are read after a
// page.

#include <set>

#include "base/str_cat.h"
#include "pg/am/columnar/index_check.h"
#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/am/columnar/relation_reader.h"
#include "pg/am/columnar/stub_chain.h"
#include "pg/am/columnar/tuple_id.h"
#include "pg/bridge.h"

extern "C" {
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/transam.h"
#include "access/tupmacs.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/procarray.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(orochi_columnar_check);
}

namespace orochi::pg {
namespace {

class Check {
 public:
  Check(ReturnSetInfo* result, Relation relation) : result_(result), relation_(relation) {}

  Status Run() {
    block_count_ = TryPg([&]() noexcept { return RelationGetNumberOfBlocks(relation_); });
    Metapage const metapage = ReadMetapageNow();
    RETURN_IF_ERROR(CheckStripes());
    if (metapage.stub_directory_levels > 0) {
      CheckDirectory(metapage.stub_directory, metapage.stub_directory_levels - 1, 0);
    }
    for (BlockNumber block = 1; block < block_count_; ++block) {
      CheckInterrupts();
      CheckBlock(block);
    }
    return Status::Ok();
  }

 private:
  Metapage ReadMetapageNow() {
    return TryPg([&]() noexcept { return ReadMetapage(relation_); });
  }

  void Report(BlockNumber block, std::optional<OffsetNumber> offset, const std::string& problem) {
    TryPg([&]() noexcept {
      ItemPointerData tid;
      Datum values[3] = {Int64GetDatum(block), Datum{0},
                         PointerGetDatum(cstring_to_text_with_len(
                             problem.data(), static_cast<int>(problem.size())))};
      bool nulls[3] = {block == InvalidBlockNumber, !offset.has_value(), false};
      if (offset) {
        ItemPointerSet(&tid, block, *offset);
        values[1] = PointerGetDatum(&tid);
      }
      tuplestore_putvalues(result_->setResult, result_->setDesc, values, nulls);
    });
  }

  // The block as it is now, in copy_.
  PageKind Read(BlockNumber block) {
    return TryPg([&]() noexcept -> PageKind {
      Buffer const buffer = ReadBuffer(relation_, block);
      LockBuffer(buffer, BUFFER_LOCK_SHARE);
      std::memcpy(copy_.data, BufferGetPage(buffer), BLCKSZ);
      UnlockReleaseBuffer(buffer);
      return KindOf(block, copy_.data);
    });
  }

  bool IsInFile(BlockNumber block) {
    return block < TryPg([&]() noexcept { return RelationGetNumberOfBlocks(relation_); });
  }

  Status CheckStripes() {
    ASSIGN_OR_RETURN(auto reader, ColumnarReader::Open(relation_, GetActiveSnapshot()));
    std::vector<std::pair<BlockRun, uint64_t>> runs;
    for (size_t i = 0; i < reader->stripes().size(); ++i) {
      const StripeEntry& entry = reader->stripes()[i];
      BlockRun const pages = PagesOf(entry);
      runs.emplace_back(pages, entry.stripe_number);
      if (!IsInFile(pages.end - 1)) {
        Report(pages.end - 1, std::nullopt,
               StrCat("stripe ", entry.stripe_number, " ends here, behind the file's end"));
        continue;
      }
      CheckColumns(*reader, i, pages.first);
    }
    std::sort(runs.begin(), runs.end(),
              [](const auto& a, const auto& b) { return a.first.first < b.first.first; });
    for (size_t i = 1; i < runs.size(); ++i) {
      if (runs[i].first.first < runs[i - 1].first.end) {
        Report(runs[i].first.first, std::nullopt,
               StrCat("stripes ", runs[i - 1].second, " and ", runs[i].second, " share pages"));
      }
    }
    for (const auto& [pages, stripe_number] : runs) {
      for (BlockNumber block = pages.first; block < pages.end && IsInFile(block); ++block) {
        if (Read(block) != PageKind::kStripe) {
          Report(block, std::nullopt,
                 StrCat("no page of a stripe, stripe ", stripe_number, " expects one"));
        }
      }
    }
    return Status::Ok();
  }

  // Decodes everything, which looks at every checksum.
  void CheckColumns(ColumnarReader& reader, size_t index, BlockNumber first_block) {
    auto const stripe = reader.Stripe(index);
    if (!stripe.ok()) {
      Report(first_block, std::nullopt, std::string(stripe.status().message()));
      return;
    }
    uint32_t const row_group_count = (*stripe)->row_group_count();
    columnar::ColumnVector column;
    for (uint32_t row_group = 0; row_group < row_group_count; ++row_group) {
      for (AttrNumber attribute = 1; attribute <= RelationGetDescr(relation_)->natts; ++attribute) {
        CheckInterrupts();
        Status const status = reader.ReadColumn(index, row_group, attribute, column);
        if (!status.ok()) {
          Report(first_block, std::nullopt, std::string(status.message()));
        }
      }
    }
  }

  void CheckDirectory(BlockNumber block, uint32_t level, uint64_t first_segment) {
    if (!IsInFile(block) || Read(block) != PageKind::kDirectory ||
        TrailerOf(copy_.data)->level != level) {
      Report(block, std::nullopt, StrCat("no directory of row stubs of level ", level));
      return;
    }
    constexpr size_t kEntries =
        (BLCKSZ - SizeOfPageHeaderData - stub_chain::kTrailerBytes) / sizeof(BlockNumber);
    directory_.insert(block);
    const BlockNumber* const entries = stub_chain::EntriesOf(copy_.data);
    std::vector<BlockNumber> const below(entries, entries + kEntries);
    uint64_t segments = 1;
    for (uint32_t i = 0; i < level; ++i) {
      segments *= kEntries;
    }
    for (size_t i = 0; i < below.size(); ++i) {
      if (below[i] == 0) {
        continue;
      }
      if (level == 0) {
        CheckChain(below[i], first_segment + i);
      } else {
        CheckDirectory(below[i], level - 1, first_segment + i * segments);
      }
    }
  }

  void CheckChain(BlockNumber first, uint64_t segment) {
    for (BlockNumber block = first; block != 0;) {
      CheckInterrupts();
      if (!IsInFile(block) || Read(block) != PageKind::kStubs ||
          TrailerOf(copy_.data)->segment != segment) {
        Report(block, std::nullopt, StrCat("no page of row stubs of segment ", segment));
        return;
      }
      if (!chained_.insert(block).second) {
        Report(block, std::nullopt, StrCat("the chain of segment ", segment, " comes here twice"));
        return;
      }
      block = TrailerOf(copy_.data)->next;
    }
  }

  void CheckBlock(BlockNumber block) {
    PageKind const kind = Read(block);
    if (kind == PageKind::kDirectory && !directory_.contains(block)) {
      Report(block, std::nullopt, "a directory of row stubs that nothing leads to");
    }
    bool const has_stubs = kind == PageKind::kStubs;
    if (has_stubs && !chained_.contains(block)) {
      Report(block, std::nullopt, "a page of row stubs in no chain");
    }
    if (!has_stubs && kind != PageKind::kRows) {
      return;
    }
    auto const last = static_cast<int>(PageGetMaxOffsetNumber(copy_.data));
    if (last > static_cast<int>(MaxHeapTuplesPerPage)) {
      Report(block, std::nullopt,
             StrCat(last, " line pointers, at most ", MaxHeapTuplesPerPage, " expected"));
      return;
    }
    uint64_t const next_row_number = ReadMetapageNow().next_row_number;
    for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
      ItemId const item = PageGetItemId(copy_.data, offset);
      if (!ItemIdHasStorage(item)) {
        continue;
      }
      std::string const problem = ProblemOf(block, item, has_stubs, next_row_number);
      if (!problem.empty()) {
        Report(block, offset, problem);
      }
    }
  }

  std::string ProblemOf(BlockNumber block, ItemId item, bool is_stub, uint64_t next_row_number) {
    uint32_t const start = ItemIdGetOffset(item);
    uint32_t const size_bytes = ItemIdGetLength(item);
    bool const is_tuple = ItemIdIsNormal(item);
    if (start < SizeOfPageHeaderData || start + size_bytes > BLCKSZ ||
        size_bytes < (is_tuple ? SizeofHeapTupleHeader : sizeof(uint64_t))) {
      return StrCat("an item of ", size_bytes, " bytes at ", start, " of the page");
    }
    if (is_stub && stub_page::GoneBitsAt(copy_.data, item) == nullptr) {
      uint64_t const row = stub_page::RowNumberAt(copy_.data, item);
      if (row >= next_row_number ||
          row / stub_page::kSegmentRows != TrailerOf(copy_.data)->segment) {
        return StrCat("a stub of row ", row, " on a page of segment ",
                      TrailerOf(copy_.data)->segment, ", the table has ", next_row_number, " rows");
      }
    }
    if (!is_tuple) {
      return {};
    }
    auto* const header = reinterpret_cast<HeapTupleHeader>(PageGetItem(copy_.data, item));
    if (std::string problem = ProblemOfValues(header, size_bytes, is_stub); !problem.empty()) {
      return IsUndone(header) ? std::string() : problem;
    }
    return ProblemOfChain(block, header, next_row_number);
  }

  // Whether the tuple's insertion was rolled back: it may have the columns of an ALTER TABLE that
  // was, too. A transaction id that the table cannot have says nothing.
  bool IsUndone(HeapTupleHeader header) {
    return TryPg([&]() noexcept -> bool {
      TransactionId const inserter = HeapTupleHeaderGetRawXmin(header);
      return !HeapTupleHeaderXminFrozen(header) && TransactionIdIsNormal(inserter) &&
             TransactionIdFollowsOrEquals(inserter, relation_->rd_rel->relfrozenxid) &&
             TransactionIdPrecedes(inserter, ReadNextTransactionId()) &&
             !TransactionIdIsCurrentTransactionId(inserter) &&
             !TransactionIdIsInProgress(inserter) && !TransactionIdDidCommit(inserter);
    });
  }

  // Whether every value lies in the tuple.
  std::string ProblemOfValues(HeapTupleHeader header, uint32_t size_bytes, bool is_stub) {
    TupleDesc const descriptor = RelationGetDescr(relation_);
    int count = HeapTupleHeaderGetNatts(header);
    bool const has_nulls = (header->t_infomask & HEAP_HASNULL) != 0;
    // A stub made by a transaction that added columns stays when that is rolled back.
    bool const has_more = count > descriptor->natts && !is_stub;
    if (has_more || header->t_hoff > size_bytes || header->t_hoff != MAXALIGN(header->t_hoff) ||
        header->t_hoff < SizeofHeapTupleHeader + (has_nulls ? BITMAPLEN(count) : 0)) {
      return StrCat("a tuple of ", count, " columns whose values begin at ",
                    static_cast<int>(header->t_hoff));
    }
    count = std::min(count, descriptor->natts);
    char* const data = reinterpret_cast<char*>(header);
    uint32_t at = header->t_hoff;
    for (int i = 0; i < count; ++i) {
      const FormData_pg_attribute& attribute = *TupleDescAttr(descriptor, i);
      if (has_nulls && att_isnull(i, header->t_bits)) {
        continue;
      }
      uint32_t const left = size_bytes - std::min(at, size_bytes);
      // A short header is one byte and not aligned; the padding before another is zeros.
      bool const is_short = attribute.attlen == -1 && left > 0 && VARATT_NOT_PAD_BYTE(data + at);
      if (!is_short) {
        at = static_cast<uint32_t>(att_align_nominal(at, attribute.attalign));
      }
      uint32_t const header_bytes =
          attribute.attlen > 0 ? static_cast<uint32_t>(attribute.attlen)
          : attribute.attlen == -1 && at < size_bytes && !VARATT_IS_1B(data + at) ? VARHDRSZ
                                                                                  : 1;
      uint64_t value_bytes = header_bytes;
      if (at + header_bytes <= size_bytes) {
        if (attribute.attlen == -1) {
          value_bytes = VARATT_IS_1B_E(data + at) && at + 2 > size_bytes
                            ? uint64_t{BLCKSZ}
                            : uint64_t{VARSIZE_ANY(data + at)};
        } else if (attribute.attlen == -2) {
          value_bytes = strnlen(data + at, size_bytes - at) + 1;
        }
      }
      if (at + value_bytes > size_bytes || value_bytes == 0) {
        return StrCat("column ", i + 1, " takes ", value_bytes, " bytes at ", at, " of a tuple of ",
                      size_bytes);
      }
      at += static_cast<uint32_t>(value_bytes);
    }
    return {};
  }

  // Whether the next version may exist.
  std::string ProblemOfChain(BlockNumber block, HeapTupleHeader header, uint64_t next_row_number) {
    ItemPointerData const next = header->t_ctid;
    if ((header->t_infomask & HEAP_XMAX_INVALID) != 0 ||
        HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask) ||
        HeapTupleHeaderIndicatesMovedPartitions(header) || HeapTupleHeaderIsSpeculative(header) ||
        ItemPointerGetBlockNumberNoCheck(&next) == block) {
      return {};
    }
    // The chain of a version that nobody sees may have gone already, that of an undone update never
    // was.
    bool const matters = TryPg([&]() noexcept -> bool {
      TransactionId const updater = HeapTupleHeaderGetUpdateXid(header);
      return TransactionIdDidCommit(updater) &&
             !TransactionIdPrecedes(updater, GetOldestNonRemovableTransactionId(relation_));
    });
    if (!matters) {
      return {};
    }
    if (auto const row = RowOfTid(next)) {
      return *row < next_row_number
                 ? std::string()
                 : StrCat("the next version is row ", *row, ", the table has ", next_row_number);
    }
    return IsInFile(ItemPointerGetBlockNumberNoCheck(&next))
               ? std::string()
               : StrCat("the next version is in block ", ItemPointerGetBlockNumberNoCheck(&next),
                        ", behind the file's end");
  }

  ReturnSetInfo* result_;
  Relation relation_;
  BlockNumber block_count_ = 0;
  PGAlignedBlock copy_;
  std::set<BlockNumber> directory_;
  std::set<BlockNumber> chained_;
};

void ReportEntry(void* state, const ItemPointerData& tid, const char* problem) noexcept {
  auto* const result = static_cast<ReturnSetInfo*>(state);
  ItemPointerData copy = tid;
  Datum values[3] = {Int64GetDatum(ItemPointerGetBlockNumberNoCheck(&tid)), PointerGetDatum(&copy),
                     CStringGetTextDatum(problem)};
  // A row of a stripe has no block of its own.
  bool nulls[3] = {!IsRowPageTid(tid), false, false};
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

}  // namespace
}  // namespace orochi::pg

Datum orochi_columnar_check(PG_FUNCTION_ARGS) {
  using namespace orochi::pg;  // NOLINT
  if (RecoveryInProgress()) {
    // Changes are replayed without a lock that the check could wait for.
    ereport(ERROR,
            (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("recovery is in progress"),
             errhint("A columnar table can be checked on the primary server only.")));
  }
  InitMaterializedSRF(fcinfo, 0);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  Relation const relation = relation_open(PG_GETARG_OID(0), ShareUpdateExclusiveLock);
  if (!IsColumnar(relation)) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s\" is not a columnar table", RelationGetRelationName(relation)),
                    errhint("Give a table or chunk whose access method is columnar.")));
  }
  if (!pg_class_ownercheck(RelationGetRelid(relation), GetUserId())) {
    aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(relation));
  }
  Boundary([&]() -> orochi::Status { return Check(result, relation).Run(); });
  if (PG_GETARG_BOOL(1)) {
    columnar_am::CheckIndexes(relation, {.state = result, .report = ReportEntry});
  }
  relation_close(relation, ShareUpdateExclusiveLock);
  return Datum{0};
}
