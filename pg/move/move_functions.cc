// SQL: orochi.compress_chunk, orochi.decompress_chunk, orochi.move_chunk, orochi.recluster.

#include "pg/move/move_relation.h"

extern "C" {
#include "catalog/pg_am.h"
#include "commands/defrem.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(orochi_compress_chunk);
PG_FUNCTION_INFO_V1(orochi_decompress_chunk);
PG_FUNCTION_INFO_V1(orochi_move_chunk);
PG_FUNCTION_INFO_V1(orochi_recluster);
}

namespace orochi::pg {
namespace {

const char* TextArgument(FunctionCallInfo fcinfo, int index) noexcept {
  return PG_ARGISNULL(index) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(index));
}

bool FlagArgument(FunctionCallInfo fcinfo, int index) noexcept {
  return PG_ARGISNULL(index) || PG_GETARG_BOOL(index);  // both flags default to true
}

void SayAlreadyThere(Oid relation, const char* state, bool is_fine) noexcept {
  ereport(is_fine ? NOTICE : ERROR,
          (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
           errmsg("table \"%s\" is %s already", get_rel_name(relation), state)));
}

// compress_chunk and decompress_chunk: NULL for a NULL chunk, else the chunk.
Result<Datum> ChangePlace(FunctionCallInfo fcinfo, const MoveRequest& request, const char* state) {
  bool const fine_if_there = FlagArgument(fcinfo, 1);
  ASSIGN_OR_RETURN(bool const moved, MoveRelation(request));
  if (!moved) {
    TryPg([&]() noexcept { SayAlreadyThere(request.relation, state, fine_if_there); });
  }
  return ObjectIdGetDatum(request.relation);
}

}  // namespace
}  // namespace orochi::pg

Datum orochi_compress_chunk(PG_FUNCTION_ARGS) {
  using namespace orochi::pg;
  if (PG_ARGISNULL(0)) {
    PG_RETURN_NULL();
  }
  return Boundary([&]() -> orochi::Result<Datum> {
    MoveRequest const request = TryPg([&]() noexcept {
      return MoveRequest{.relation = PG_GETARG_OID(0),
                         .access_method = get_table_am_oid("columnar", false),
                         .order_by = TextArgument(fcinfo, 2),
                         .command = "compress_chunk",
                         .only_if_different = true};
    });
    return ChangePlace(fcinfo, request, "columnar");
  });
}

Datum orochi_decompress_chunk(PG_FUNCTION_ARGS) {
  using namespace orochi::pg;
  if (PG_ARGISNULL(0)) {
    PG_RETURN_NULL();
  }
  return Boundary([&]() -> orochi::Result<Datum> {
    MoveRequest const request{.relation = PG_GETARG_OID(0),
                              .access_method = HEAP_TABLE_AM_OID,
                              .order_by = nullptr,
                              .command = "decompress_chunk",
                              .only_if_different = true};
    return ChangePlace(fcinfo, request, "heap");
  });
}

Datum orochi_move_chunk(PG_FUNCTION_ARGS) {
  using namespace orochi::pg;
  if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) {
    PG_RETURN_NULL();
  }
  return Boundary([&]() -> orochi::Result<Datum> {
    MoveRequest const request = TryPg([&]() noexcept {
      return MoveRequest{.relation = PG_GETARG_OID(0),
                         .access_method = get_table_am_oid(NameStr(*PG_GETARG_NAME(1)), false),
                         .order_by = TextArgument(fcinfo, 2),
                         .command = "move_chunk",
                         .only_if_different = false};
    });
    ASSIGN_OR_RETURN(bool const moved, MoveRelation(request));
    (void)moved;  // always
    return ObjectIdGetDatum(request.relation);
  });
}

Datum orochi_recluster(PG_FUNCTION_ARGS) {
  using namespace orochi::pg;
  if (PG_ARGISNULL(0)) {
    PG_RETURN_NULL();
  }
  return Boundary([&]() -> orochi::Result<Datum> {
    MoveRequest const request = TryPg([&]() noexcept {
      return MoveRequest{.relation = PG_GETARG_OID(0),
                         .access_method = get_table_am_oid("columnar", false),
                         .order_by = nullptr,
                         .command = "recluster",
                         .only_if_different = false,
                         .only_sorts = true,
                         .for_chunks = "recluster_chunks"};
    });
    ASSIGN_OR_RETURN(bool const moved, MoveRelation(request));
    (void)moved;  // always
    return ObjectIdGetDatum(request.relation);
  });
}
