// What is stored: SQL functions behind orochi.columnar_chunks and orochi.columnar_stripes.

#include "pg/am/columnar/bound_text.h"
#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/relation_reader.h"
#include "pg/bridge.h"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "funcapi.h"
#include "utils/acl.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(orochi_columnar_storage_id);
PG_FUNCTION_INFO_V1(orochi_columnar_chunks);
PG_FUNCTION_INFO_V1(orochi_columnar_stripes);
}

namespace orochi::pg {
namespace {

Datum TextOf(std::string_view piece) {
  return PointerGetDatum(cstring_to_text_with_len(piece.data(), static_cast<int>(piece.size())));
}

// Plain frame. Opens the table of the call's first argument for its reader's eyes.
Relation OpenColumnar(Oid relation_id, bool shows_values) {
  Relation const relation = relation_open(relation_id, AccessShareLock);
  if (!IsColumnar(relation)) {
    ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
                    errmsg("\"%s\" is not a columnar table", RelationGetRelationName(relation)),
                    errhint("Give a table or chunk whose access method is columnar.")));
  }
  AclResult const acl = pg_class_aclcheck(relation_id, GetUserId(), ACL_SELECT);
  if (acl != ACLCHECK_OK) {
    aclcheck_error(acl, get_relkind_objtype(relation->rd_rel->relkind),
                   RelationGetRelationName(relation));
  }
  if (shows_values && check_enable_rls(relation_id, InvalidOid, true) == RLS_ENABLED) {
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("row-level security of table \"%s\" hides its column ranges from you",
                           RelationGetRelationName(relation))));
  }
  return relation;
}

constexpr int kChunkColumns = 10;

void PutChunk(ReturnSetInfo* result, const StripeEntry& entry, uint32_t row_group,
              FormData_pg_attribute* attribute, const ColumnType& type,
              const columnar::ChunkInfo& chunk) {
  Datum values[kChunkColumns] = {};
  bool nulls[kChunkColumns] = {};
  values[0] = Int64GetDatum(static_cast<int64_t>(entry.stripe_number));
  values[1] = Int32GetDatum(static_cast<int32_t>(row_group));
  values[2] = NameGetDatum(&attribute->attname);
  values[3] = TextOf(columnar::EncodingName(chunk.encoding));
  values[4] = TextOf(codec::CompressionName(chunk.compression));
  values[5] = Int64GetDatum(chunk.row_count);
  values[6] = Int64GetDatum(chunk.null_count);
  values[7] = Int64GetDatum(static_cast<int64_t>(chunk.size_bytes));
  for (int bound = 0; bound < 2; ++bound) {
    text* const shown = BoundText(type, chunk.statistics, bound == 1);
    values[8 + bound] = PointerGetDatum(shown);
    nulls[8 + bound] = shown == nullptr;
  }
  tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

// All chunks of one stripe, in a memory context of their own.
Status PutStripeChunks(ReturnSetInfo* result, ColumnarReader& reader, size_t index) {
  ASSIGN_OR_RETURN(const columnar::StripeReader* stripe, reader.Stripe(index));
  uint32_t const row_group_count = stripe->row_group_count();
  TryPg([&]() noexcept {
    MemoryContext const scratch =
        AllocSetContextCreate(CurrentMemoryContext, "columnar chunks", ALLOCSET_DEFAULT_SIZES);
    MemoryContext const before = MemoryContextSwitchTo(scratch);
    TupleDesc const descriptor = RelationGetDescr(reader.relation());
    for (uint32_t row_group = 0; row_group < row_group_count; ++row_group) {
      for (AttrNumber number = 1; number <= descriptor->natts; ++number) {
        FormData_pg_attribute* const attribute = TupleDescAttr(descriptor, number - 1);
        const columnar::ChunkInfo* const chunk = reader.Chunk(row_group, number);
        if (chunk != nullptr && !attribute->attisdropped) {
          PutChunk(result, reader.stripes()[index], row_group, attribute,
                   reader.column_type(number), *chunk);
        }
      }
      MemoryContextReset(scratch);
      CHECK_FOR_INTERRUPTS();
    }
    MemoryContextSwitchTo(before);
    MemoryContextDelete(scratch);
  });
  return Status::Ok();
}

}  // namespace
}  // namespace orochi::pg

Datum orochi_columnar_storage_id(PG_FUNCTION_ARGS) {
  using namespace orochi::pg;  // NOLINT
  Relation const relation = OpenColumnar(PG_GETARG_OID(0), false);
  Metapage const metapage = ReadMetapage(relation);
  relation_close(relation, AccessShareLock);
  PG_RETURN_INT64(static_cast<int64_t>(metapage.storage_id));
}

Datum orochi_columnar_chunks(PG_FUNCTION_ARGS) {
  using namespace orochi::pg;  // NOLINT
  InitMaterializedSRF(fcinfo, 0);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  Relation const relation = OpenColumnar(PG_GETARG_OID(0), true);
  Boundary([&]() -> orochi::Status {
    ASSIGN_OR_RETURN(auto reader, ColumnarReader::Open(relation, GetActiveSnapshot()));
    for (size_t index = 0; index < reader->stripes().size(); ++index) {
      RETURN_IF_ERROR(PutStripeChunks(result, *reader, index));
    }
    return orochi::Status::Ok();
  });
  relation_close(relation, AccessShareLock);
  return Datum{0};
}

Datum orochi_columnar_stripes(PG_FUNCTION_ARGS) {
  using namespace orochi::pg;  // NOLINT
  InitMaterializedSRF(fcinfo, 0);
  auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  Relation const relation = OpenColumnar(PG_GETARG_OID(0), false);
  Boundary([&]() -> orochi::Status {
    ASSIGN_OR_RETURN(auto reader, ColumnarReader::Open(relation, GetActiveSnapshot()));
    TryPg([&]() noexcept {
      for (const StripeEntry& entry : reader->stripes()) {
        Datum values[6] = {Int64GetDatum(static_cast<int64_t>(entry.stripe_number)),
                           Int64GetDatum(static_cast<int64_t>(entry.first_row_number)),
                           Int64GetDatum(static_cast<int64_t>(entry.row_count)),
                           Int32GetDatum(static_cast<int32_t>(entry.row_group_count)),
                           Int64GetDatum(static_cast<int64_t>(entry.offset_bytes)),
                           Int64GetDatum(static_cast<int64_t>(entry.size_bytes))};
        bool nulls[6] = {};
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
      }
    });
    return orochi::Status::Ok();
  });
  relation_close(relation, AccessShareLock);
  return Datum{0};
}
