#include "pg/nodes/aggregate_function.h"

#include "pg/bridge.h"

extern "C" {
#include "catalog/pg_aggregate.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/pg_locale.h"
#include "utils/typcache.h"
}

namespace orochi::pg {
namespace {

using columnar::PhysicalType;
using vexec::Aggregate;

struct Known {
  Oid function;
  Aggregate aggregate;
  Oid type;
  PhysicalType physical;
};

constexpr Known kKnown[] = {
    {F_SUM_INT2, Aggregate::kSum, INT2OID, PhysicalType::kInt16},
    {F_SUM_INT4, Aggregate::kSum, INT4OID, PhysicalType::kInt32},
    {F_SUM_INT8, Aggregate::kSum, INT8OID, PhysicalType::kInt64},
    {F_SUM_FLOAT4, Aggregate::kSum, FLOAT4OID, PhysicalType::kFloat32},
    {F_SUM_FLOAT8, Aggregate::kSum, FLOAT8OID, PhysicalType::kFloat64},
    {F_AVG_INT2, Aggregate::kAverage, INT2OID, PhysicalType::kInt16},
    {F_AVG_INT4, Aggregate::kAverage, INT4OID, PhysicalType::kInt32},
    {F_AVG_INT8, Aggregate::kAverage, INT8OID, PhysicalType::kInt64},
    {F_AVG_FLOAT4, Aggregate::kAverage, FLOAT4OID, PhysicalType::kFloat32},
    {F_AVG_FLOAT8, Aggregate::kAverage, FLOAT8OID, PhysicalType::kFloat64},
    {F_MIN_INT2, Aggregate::kMin, INT2OID, PhysicalType::kInt16},
    {F_MIN_INT4, Aggregate::kMin, INT4OID, PhysicalType::kInt32},
    {F_MIN_INT8, Aggregate::kMin, INT8OID, PhysicalType::kInt64},
    {F_MIN_FLOAT4, Aggregate::kMin, FLOAT4OID, PhysicalType::kFloat32},
    {F_MIN_FLOAT8, Aggregate::kMin, FLOAT8OID, PhysicalType::kFloat64},
    {F_MIN_MONEY, Aggregate::kMin, CASHOID, PhysicalType::kInt64},
    {F_MIN_DATE, Aggregate::kMin, DATEOID, PhysicalType::kInt32},
    {F_MIN_TIME, Aggregate::kMin, TIMEOID, PhysicalType::kInt64},
    {F_MIN_TIMESTAMP, Aggregate::kMin, TIMESTAMPOID, PhysicalType::kInt64},
    {F_MIN_TIMESTAMPTZ, Aggregate::kMin, TIMESTAMPTZOID, PhysicalType::kInt64},
    {F_MIN_TEXT, Aggregate::kMin, TEXTOID, PhysicalType::kBytes},
    {F_MAX_INT2, Aggregate::kMax, INT2OID, PhysicalType::kInt16},
    {F_MAX_INT4, Aggregate::kMax, INT4OID, PhysicalType::kInt32},
    {F_MAX_INT8, Aggregate::kMax, INT8OID, PhysicalType::kInt64},
    {F_MAX_FLOAT4, Aggregate::kMax, FLOAT4OID, PhysicalType::kFloat32},
    {F_MAX_FLOAT8, Aggregate::kMax, FLOAT8OID, PhysicalType::kFloat64},
    {F_MAX_MONEY, Aggregate::kMax, CASHOID, PhysicalType::kInt64},
    {F_MAX_DATE, Aggregate::kMax, DATEOID, PhysicalType::kInt32},
    {F_MAX_TIME, Aggregate::kMax, TIMEOID, PhysicalType::kInt64},
    {F_MAX_TIMESTAMP, Aggregate::kMax, TIMESTAMPOID, PhysicalType::kInt64},
    {F_MAX_TIMESTAMPTZ, Aggregate::kMax, TIMESTAMPTZOID, PhysicalType::kInt64},
    {F_MAX_TEXT, Aggregate::kMax, TEXTOID, PhysicalType::kBytes},
};

bool TypesAgree(Oid expected, Oid found) noexcept {
  return expected == found || (expected == TEXTOID && found == VARCHAROID);
}

bool IsPlainCall(const Aggref* call) noexcept {
  return call->aggfilter == nullptr && call->aggdistinct == NIL && call->aggorder == NIL &&
         call->aggdirectargs == NIL && call->aggkind == AGGKIND_NORMAL && !call->aggvariadic &&
         call->aggsplit == AGGSPLIT_SIMPLE && call->agglevelsup == 0;
}

/// The only argument, without binary-compatible relabelling.
Node* ArgumentOf(const Aggref* call) noexcept {
  auto* node = reinterpret_cast<Node*>(static_cast<TargetEntry*>(linitial(call->args))->expr);
  while (IsA(node, RelabelType)) {
    node = reinterpret_cast<Node*>(reinterpret_cast<RelabelType*>(node)->arg);
  }
  return node;
}

bool MatchCount(const Aggref* call, AggregateFunction* out) noexcept {
  *out = {.aggregate = Aggregate::kCount, .function = call->aggfnoid};
  if (call->aggfnoid == F_COUNT_) {
    return true;
  }
  Node* const argument = ArgumentOf(call);
  if (IsA(argument, Const)) {
    return !reinterpret_cast<Const*>(argument)->constisnull;  // count(1) counts rows
  }
  if (!IsA(argument, Var) || reinterpret_cast<Var*>(argument)->varattno <= 0) {
    return false;
  }
  out->column = reinterpret_cast<Var*>(argument);
  return true;
}

/// An integer in 128 bits as numeric: PostgreSQL exports no such conversion but through text.
Datum NumericOf(vexec::Int128 value) noexcept {
  char text[48];
  char* digit = text + sizeof(text) - 1;
  *digit = '\0';
  bool const negative = value < 0;
  // Digits are taken from the negative side, which holds one value more.
  vexec::Int128 rest = negative ? value : -value;
  do {
    *--digit = static_cast<char>('0' - static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  if (negative) {
    *--digit = '-';
  }
  return DirectFunctionCall3(numeric_in, CStringGetDatum(digit), ObjectIdGetDatum(InvalidOid),
                             Int32GetDatum(-1));
}

/// PostgreSQL keeps sums of smallint and integer in a bigint that wraps around.
int64_t WrappedSum(const vexec::AggregateState& state) noexcept {
  return static_cast<int64_t>(static_cast<uint64_t>(state.integer_sum));
}

Datum SumOf(const AggregateFunction& function, const vexec::AggregateState& state) noexcept {
  switch (function.physical) {
    case PhysicalType::kFloat32:
      return Float4GetDatum(state.float_sum);
    case PhysicalType::kFloat64:
      return Float8GetDatum(state.double_sum);
    case PhysicalType::kInt64:
      return NumericOf(state.integer_sum);
    default:
      return Int64GetDatum(WrappedSum(state));
  }
}

Datum AverageOf(const AggregateFunction& function, const vexec::AggregateState& state) noexcept {
  if (function.physical == PhysicalType::kFloat32 || function.physical == PhysicalType::kFloat64) {
    return Float8GetDatum(state.double_sum / static_cast<double>(state.count));
  }
  vexec::Int128 const sum =
      function.physical == PhysicalType::kInt64 ? state.integer_sum : WrappedSum(state);
  Numeric const count = int64_to_numeric(static_cast<int64_t>(state.count));
  return DirectFunctionCall2(numeric_div, NumericOf(sum), NumericGetDatum(count));
}

Datum DatumOf(PhysicalType physical, uint64_t word, std::string_view bytes) noexcept {
  switch (physical) {
    case PhysicalType::kBytes:
      return PointerGetDatum(
          cstring_to_text_with_len(bytes.data(), static_cast<int>(bytes.size())));
    case PhysicalType::kBool:
      return BoolGetDatum(word != 0);
    case PhysicalType::kInt16:
      return Int16GetDatum(static_cast<int16_t>(word));
    case PhysicalType::kInt32:
    case PhysicalType::kFloat32:
      return Int32GetDatum(static_cast<int32_t>(word));
    default:
      return UInt64GetDatum(word);
  }
}

bool PhysicalOfKey(Oid type, PhysicalType* out) noexcept {
  switch (type) {
    case BOOLOID:
      *out = PhysicalType::kBool;
      return true;
    case INT2OID:
      *out = PhysicalType::kInt16;
      return true;
    case INT4OID:
    case DATEOID:
      *out = PhysicalType::kInt32;
      return true;
    case INT8OID:
    case TIMEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
      *out = PhysicalType::kInt64;
      return true;
    case TEXTOID:
    case VARCHAROID:
      *out = PhysicalType::kBytes;
      return true;
    default:
      return false;
  }
}

}  // namespace

bool MatchAggregate(const Aggref* call, AggregateFunction* out) noexcept {
  if (!IsPlainCall(call)) {
    return false;
  }
  if (call->aggfnoid == F_COUNT_ || call->aggfnoid == F_COUNT_ANY) {
    return MatchCount(call, out);
  }
  auto const* const known =
      std::find_if(std::begin(kKnown), std::end(kKnown),
                   [call](const Known& entry) { return entry.function == call->aggfnoid; });
  if (known == std::end(kKnown)) {
    return false;
  }
  Node* const argument = ArgumentOf(call);
  if (!IsA(argument, Var)) {
    return false;
  }
  auto* const column = reinterpret_cast<Var*>(argument);
  if (column->varattno <= 0 || !TypesAgree(known->type, column->vartype) ||
      (known->physical == PhysicalType::kBytes &&
       !(OidIsValid(call->inputcollid) && lc_collate_is_c(call->inputcollid)))) {
    return false;
  }
  *out = {.aggregate = known->aggregate,
          .physical = known->physical,
          .function = call->aggfnoid,
          .column = column};
  return true;
}

NullableDatum ResultOf(const AggregateFunction& function, const vexec::AggregateState& state) {
  if (function.aggregate == Aggregate::kCount) {
    return {.value = Int64GetDatum(static_cast<int64_t>(state.count)), .isnull = false};
  }
  if (state.count == 0) {
    return {.value = 0, .isnull = true};
  }
  Datum const value = TryPg([&]() noexcept {
    switch (function.aggregate) {
      case Aggregate::kSum:
        return SumOf(function, state);
      case Aggregate::kAverage:
        return AverageOf(function, state);
      default:
        return DatumOf(function.physical, state.extreme_word, state.extreme_bytes);
    }
  });
  return {.value = value, .isnull = false};
}

bool MatchGroupKey(Node* expression, Oid equality, PhysicalType* out) noexcept {
  Oid const type = exprType(expression);
  if (!PhysicalOfKey(type, out) || lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr != equality) {
    return false;
  }
  if (*out != PhysicalType::kBytes) {
    return true;
  }
  Oid const collation = exprCollation(expression);
  return OidIsValid(collation) && get_collation_isdeterministic(collation);
}

NullableDatum KeyOf(Oid type, const vexec::GroupTable& groups, size_t key, size_t group) {
  if (groups.IsNull(key, group)) {
    return {.value = 0, .isnull = true};
  }
  PhysicalType physical = PhysicalType::kInt64;
  bool const known = PhysicalOfKey(type, &physical);
  ASSERT(known);
  bool const is_bytes = physical == PhysicalType::kBytes;
  std::string_view const bytes = is_bytes ? groups.Bytes(key, group) : std::string_view();
  uint64_t const word = is_bytes ? 0 : groups.Word(key, group);
  Datum const value = TryPg([&]() noexcept { return DatumOf(physical, word, bytes); });
  return {.value = value, .isnull = false};
}

}  // namespace orochi::pg
