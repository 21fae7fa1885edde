// SQL: orochi.columnar_stats and orochi.columnar_table_stats, what is stored of a columnar table or
// of all columnar chunks of a hypertable.

#include <cmath>

#include "pg/am/columnar/bound_text.h"
#include "pg/am/columnar/column_summary.h"
#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/am/columnar/relation_reader.h"
#include "pg/bridge.h"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(orochi_columnar_stats);
PG_FUNCTION_INFO_V1(orochi_columnar_table_stats);
}

namespace orochi::pg {
namespace {

// Row groups decoded, all tables together, to learn how long values are.
constexpr size_t kSampledRowGroupsMax = 32;

// Plain. Rights on a hypertable are enough for its chunks, as in queries.
Relation OpenToDescribe(Oid relation_id, bool shows_values) {
  Relation const relation = relation_open(relation_id, AccessShareLock);
  const char* const name = RelationGetRelationName(relation);
  if (!IsColumnar(relation) && relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s\" is neither columnar nor a hypertable", name),
                    errhint("Give a columnar table or chunk, or a hypertable.")));
  }
  if (RELATION_IS_OTHER_TEMP(relation)) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("cannot access temporary tables of other sessions")));
  }
  AclResult const acl = pg_class_aclcheck(relation_id, GetUserId(), ACL_SELECT);
  if (acl != ACLCHECK_OK) {
    aclcheck_error(acl, get_relkind_objtype(relation->rd_rel->relkind), name);
  }
  if (shows_values && check_enable_rls(relation_id, InvalidOid, true) == RLS_ENABLED) {
    ereport(ERROR,
            (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
             errmsg("row-level security of table \"%s\" hides its column ranges from you", name)));
  }
  return relation;
}

// The columnar tables of the tree, locked; their OIDs.
std::vector<Oid> ColumnarTablesOf(Relation root) {
  List* const tables = TryPg([&]() noexcept -> List* {
    if (root->rd_rel->relkind != RELKIND_PARTITIONED_TABLE) {
      return list_make1_oid(RelationGetRelid(root));
    }
    List* found = NIL;
    ListCell* cell;
    foreach (cell, find_all_inheritors(RelationGetRelid(root), AccessShareLock, nullptr)) {
      Relation const table = relation_open(lfirst_oid(cell), NoLock);
      if (IsColumnar(table)) {
        found = lappend_oid(found, RelationGetRelid(table));
      }
      relation_close(table, NoLock);
    }
    return found;
  });
  std::vector<Oid> out;
  for (int index = 0; index < list_length(tables); ++index) {
    out.push_back(list_nth_oid(tables, index));
  }
  return out;
}

// Calls visit(reader) for each table.
template <class Visit>
Status ForEachTable(const std::vector<Oid>& tables, Visit visit) {
  for (Oid const table : tables) {
    Relation const relation =
        TryPg([&]() noexcept -> Relation { return relation_open(table, NoLock); });
    {
      ASSIGN_OR_RETURN(auto reader, ColumnarReader::Open(relation, GetActiveSnapshot()));
      RETURN_IF_ERROR(visit(*reader));
    }
    TryPg([&]() noexcept { relation_close(relation, NoLock); });
  }
  return Status::Ok();
}

// For each column of the root the number it has in the table, 0 for dropped ones.
std::vector<AttrNumber> ColumnNumbers(Relation root, Relation table) {
  TupleDesc const descriptor = RelationGetDescr(root);
  std::vector<AttrNumber> numbers(static_cast<size_t>(descriptor->natts), InvalidAttrNumber);
  AttrNumber* const out = numbers.data();
  TryPg([&]() noexcept {
    for (int index = 0; index < descriptor->natts; ++index) {
      Form_pg_attribute const attribute = TupleDescAttr(descriptor, index);
      if (!attribute->attisdropped) {
        out[index] = get_attnum(RelationGetRelid(table), NameStr(attribute->attname));
      }
    }
  });
  return numbers;
}

// Takes in every chunk of the table, and decodes values of every `sample_stride`-th row group.
Status Summarize(ColumnarReader& reader, const std::vector<AttrNumber>& numbers,
                 size_t sample_stride, std::vector<ColumnSummary>& summaries) {
  columnar::ColumnVector values;
  size_t groups_before = 0;
  for (size_t index = 0; index < reader.stripes().size(); ++index) {
    ASSIGN_OR_RETURN(const columnar::StripeReader* stripe, reader.Stripe(index));
    uint32_t const group_count = stripe->row_group_count();
    for (uint32_t group = 0; group < group_count; ++group) {
      CheckInterrupts();
      bool const is_sampled = (groups_before + group) % sample_stride == 0;
      for (size_t column = 0; column < numbers.size(); ++column) {
        AttrNumber const number = numbers[column];
        const columnar::ChunkInfo* const chunk =
            number == InvalidAttrNumber ? nullptr : reader.Chunk(group, number);
        if (chunk == nullptr) {
          continue;  // dropped, or the stripe is older than the column
        }
        const ColumnType& type = reader.column_type(number);
        summaries[column].Add(type, *chunk);
        if (is_sampled && type.physical == columnar::PhysicalType::kBytes) {
          RETURN_IF_ERROR(reader.ReadColumn(index, group, number, values));
          summaries[column].AddSample(type, values);
        }
      }
    }
    groups_before += group_count;
  }
  return Status::Ok();
}

// So that about `samples` row groups of the table are decoded.
size_t SampleStride(const ColumnarReader& reader, size_t samples) {
  size_t group_count = 0;
  for (const StripeEntry& stripe : reader.stripes()) {
    group_count += stripe.row_group_count;
  }
  return std::max<size_t>(1, (group_count + samples - 1) / samples);
}

// Whether minima and maxima of stripes are those of the type's order.
bool IsOrdered(const ColumnType& type, Oid collation) {
  return type.ordered_as_stored || (OidIsValid(collation) && lc_collate_is_c(collation));
}

double TwoDigits(double value) {
  return std::round(value * 100) / 100;
}

constexpr int kStatsColumns = 11;

// Plain.
void PutColumn(ReturnSetInfo* result, Form_pg_attribute attribute, const ColumnType& type,
               const ColumnSummary& summary, std::string_view encodings,
               std::string_view compressions, const columnar::ChunkStatistics& range) {
  auto const size_bytes = static_cast<double>(summary.size_bytes());
  auto const value_count = static_cast<double>(summary.value_count());
  uint64_t const heap_bytes = summary.HeapBytes(type);
  Datum values[kStatsColumns] = {NameGetDatum(&attribute->attname)};
  bool nulls[kStatsColumns] = {};
  bool const is_empty = summary.row_count() == 0;
  nulls[1] = nulls[2] = is_empty;
  if (!is_empty) {
    values[1] = PointerGetDatum(
        cstring_to_text_with_len(encodings.data(), static_cast<int>(encodings.size())));
    values[2] = PointerGetDatum(
        cstring_to_text_with_len(compressions.data(), static_cast<int>(compressions.size())));
  }
  values[3] = Int64GetDatum(static_cast<int64_t>(summary.row_count()));
  values[4] = Int64GetDatum(static_cast<int64_t>(summary.null_count()));
  values[5] = Int64GetDatum(static_cast<int64_t>(summary.size_bytes()));
  nulls[6] = value_count == 0;
  values[6] = Float8GetDatum(nulls[6] ? 0 : TwoDigits(size_bytes / value_count));
  values[7] = Int64GetDatum(static_cast<int64_t>(heap_bytes));
  nulls[8] = size_bytes == 0;
  values[8] =
      Float8GetDatum(nulls[8] ? 0 : TwoDigits(static_cast<double>(heap_bytes) / size_bytes));
  for (int bound = 0; bound < 2; ++bound) {
    text* const shown =
        IsOrdered(type, attribute->attcollation) ? BoundText(type, range, bound == 1) : nullptr;
    values[9 + bound] = PointerGetDatum(shown);
    nulls[9 + bound] = shown == nullptr;
  }
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Status PutColumns(ReturnSetInfo* result, Relation root) {
  std::vector<Oid> const tables = ColumnarTablesOf(root);
  std::vector<ColumnSummary> summaries(static_cast<size_t>(RelationGetDescr(root)->natts));
  size_t const samples =
      std::max<size_t>(1, kSampledRowGroupsMax / std::max<size_t>(1, tables.size()));
  RETURN_IF_ERROR(ForEachTable(tables, [&](ColumnarReader& reader) {
    return Summarize(reader, ColumnNumbers(root, reader.relation()), SampleStride(reader, samples),
                     summaries);
  }));
  for (size_t column = 0; column < summaries.size(); ++column) {
    Form_pg_attribute const attribute =
        TupleDescAttr(RelationGetDescr(root), static_cast<int>(column));
    if (attribute->attisdropped) {
      continue;
    }
    const ColumnSummary& summary = summaries[column];
    ColumnType const type = ColumnTypeOf(*attribute);
    std::string const encodings = summary.Encodings();
    std::string const compressions = summary.Compressions();
    columnar::ChunkStatistics const range = summary.Range();
    TryPg([&]() noexcept {
      PutColumn(result, attribute, type, summary, encodings, compressions, range);
    });
  }
  return Status::Ok();
}

// What a relation's pages are for.
struct TableTotals {
  uint64_t table_count;
  uint64_t stripe_count;
  uint64_t row_group_count;
  uint64_t stripe_rows;
  uint64_t hidden_rows;
  uint64_t row_page_rows;
  uint64_t block_count;
  uint64_t stripe_blocks;
  uint64_t row_page_blocks;
  uint64_t stub_blocks;
  uint64_t free_blocks;
};

bool HasTuples(Page page) {
  OffsetNumber const last = PageGetMaxOffsetNumber(page);
  for (OffsetNumber offset = FirstOffsetNumber; offset <= last; ++offset) {
    if (ItemIdHasStorage(PageGetItemId(page, offset))) {
      return true;
    }
  }
  return false;
}

// Plain. Counts one page that is in no stripe the snapshot sees.
void CountPage(Relation relation, BlockNumber block, Snapshot snapshot,
               BufferAccessStrategy strategy, row_pages::RowPage* rows, TableTotals* totals) {
  Buffer const buffer = ReadBufferExtended(relation, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  auto* const page = static_cast<Page>(BufferGetPage(buffer));
  PageKind const kind = KindOf(block, page);
  bool const is_row_page = kind == PageKind::kRows && HasTuples(page);
  UnlockReleaseBuffer(buffer);
  if (is_row_page) {
    ++totals->row_page_blocks;
    rows->Load(relation, block, snapshot);
    totals->row_page_rows += static_cast<uint64_t>(rows->count());
  } else if (kind == PageKind::kStubs || kind == PageKind::kDirectory) {
    ++totals->stub_blocks;
  } else {
    ++totals->free_blocks;
  }
}

Status AddTotals(const ColumnarReader& reader, TableTotals* totals) {
  ++totals->table_count;
  HiddenRows hidden;
  for (const StripeEntry& stripe : reader.stripes()) {
    ++totals->stripe_count;
    totals->row_group_count += stripe.row_group_count;
    totals->stripe_rows += stripe.row_count;
    totals->stripe_blocks += (stripe.size_bytes + kPagePayloadBytes - 1) / kPagePayloadBytes;
    reader.FindHidden(stripe.first_row_number, static_cast<uint32_t>(stripe.row_count), hidden);
    totals->hidden_rows += hidden.count();
    CheckInterrupts();
  }
  Relation const relation = reader.relation();
  Snapshot const snapshot = reader.snapshot();
  TryPg([&]() noexcept {
    totals->block_count += RelationGetNumberOfBlocks(relation);
    BufferAccessStrategy const strategy = GetAccessStrategy(BAS_BULKREAD);
    auto* const rows = static_cast<row_pages::RowPage*>(palloc0(sizeof(row_pages::RowPage)));
    for (uint64_t i = 0; i < reader.row_blocks().count(); ++i) {
      CHECK_FOR_INTERRUPTS();
      if (BlockNumber const block = reader.row_blocks().At(i); block != InvalidBlockNumber) {
        CountPage(relation, block, snapshot, strategy, rows, totals);
      }
    }
    pfree(rows);
    FreeAccessStrategy(strategy);
  });
  return Status::Ok();
}

Status PutTotals(ReturnSetInfo* result, Relation root) {
  TableTotals totals = {};
  RETURN_IF_ERROR(ForEachTable(ColumnarTablesOf(root),
                               [&](ColumnarReader& reader) { return AddTotals(reader, &totals); }));
  TryPg([&]() noexcept {
    auto const count = [](uint64_t value) { return Int64GetDatum(static_cast<int64_t>(value)); };
    Datum values[] = {count(totals.table_count),
                      count(totals.stripe_count),
                      count(totals.row_group_count),
                      count(totals.stripe_rows),
                      count(totals.hidden_rows),
                      count(totals.row_page_rows),
                      count(totals.block_count * BLCKSZ),
                      count(totals.stripe_blocks * BLCKSZ),
                      count(totals.row_page_blocks * BLCKSZ),
                      count(totals.stub_blocks * BLCKSZ),
                      count(totals.free_blocks * BLCKSZ)};
    bool nulls[std::size(values)] = {};
    tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
  });
  return Status::Ok();
}

// `put` fills the result from the table of the call's first argument.
Datum Describe(FunctionCallInfo fcinfo, bool shows_values,
               Status (*put)(ReturnSetInfo* result, Relation root)) {
  InitMaterializedSRF(fcinfo, 0);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  Relation const root = OpenToDescribe(PG_GETARG_OID(0), shows_values);
  Boundary([&]() -> Status { return put(result, root); });
  relation_close(root, NoLock);  // locks of the tree stay to the end of the transaction
  return Datum{0};
}

}  // namespace
}  // namespace orochi::pg

Datum orochi_columnar_stats(PG_FUNCTION_ARGS) {
  return orochi::pg::Describe(fcinfo, true, orochi::pg::PutColumns);
}

Datum orochi_columnar_table_stats(PG_FUNCTION_ARGS) {
  return orochi::pg::Describe(fcinfo, false, orochi::pg::PutTotals);
}
