#include "pg/nodes/filter_clause.h"

#include "base/str_cat.h"
#include "pg/bridge.h"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/pg_locale.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
#include "utils/uuid.h"
}

namespace orochi::pg {
namespace {

using Value = FilterClause::Value;
using vexec::CompareOp;
using vexec::Literal;

/// Types that compare with each other in the order of their stored values.
enum class Family : uint8_t { kNone, kInteger, kFloat, kText, kEqualityOnly, kItself };

Family FamilyOf(Oid type) noexcept {
  switch (type) {
    case INT2OID:
    case INT4OID:
    case INT8OID:
      return Family::kInteger;
    case FLOAT4OID:
    case FLOAT8OID:
      return Family::kFloat;
    case TEXTOID:
    case VARCHAROID:
      return Family::kText;
    case OIDOID:  // unsigned, stored as signed
      return Family::kEqualityOnly;
    case BOOLOID:
    case CASHOID:
    case DATEOID:
    case TIMEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
    case BYTEAOID:
    case UUIDOID:
      return Family::kItself;
    default:
      return Family::kNone;
  }
}

Value ValueOf(Oid type) noexcept {
  switch (type) {
    case BOOLOID:
      return Value::kBool;
    case INT2OID:
      return Value::kInt16;
    case INT4OID:
    case DATEOID:
    case OIDOID:
      return Value::kInt32;
    case INT8OID:
    case CASHOID:
    case TIMEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
      return Value::kInt64;
    case FLOAT4OID:
      return Value::kFloat4;
    case FLOAT8OID:
      return Value::kFloat8;
    case TEXTOID:
    case VARCHAROID:
    case BYTEAOID:
      return Value::kVarlena;
    case UUIDOID:
      return Value::kUuid;
    default:
      return Value::kNone;
  }
}

/// How a value of `other_type` becomes a literal for a column; kNone when their comparison is not
/// the comparison of stored values.
Value ValueFor(Oid column_type, Oid other_type) noexcept {
  if (column_type == TIMESTAMPTZOID && other_type == TIMESTAMPOID) {
    return Value::kTimestampAsTimestampTz;
  }
  if (other_type == DATEOID && column_type == TIMESTAMPTZOID) {
    return Value::kDateAsTimestampTz;
  }
  if (other_type == DATEOID && column_type == TIMESTAMPOID) {
    return Value::kDateAsTimestamp;
  }
  Family const family = FamilyOf(column_type);
  bool const comparable = family == Family::kItself || family == Family::kEqualityOnly
                              ? column_type == other_type
                              : family != Family::kNone && family == FamilyOf(other_type);
  return comparable ? ValueOf(other_type) : Value::kNone;
}

/// Whether an operator that takes `side` takes the column's values as they are stored. A domain is
/// stored by its own rules, so the column's declared type counts.
bool TakesStored(Oid column_type, Oid side) noexcept {
  Family const family = FamilyOf(column_type);
  return family == Family::kText ? FamilyOf(side) == Family::kText
                                 : family != Family::kNone && column_type == side;
}

/// The column behind a binary-compatible relabelling (varchar as text), or null.
Var* ColumnOf(Node* node, Index relation) noexcept {
  while (node != nullptr && IsA(node, RelabelType)) {
    node = reinterpret_cast<Node*>(reinterpret_cast<RelabelType*>(node)->arg);
  }
  if (node == nullptr || !IsA(node, Var)) {
    return nullptr;
  }
  Var* const var = reinterpret_cast<Var*>(node);
  bool const own = var->varno == static_cast<int>(relation) && var->varlevelsup == 0;
  return own && var->varattno > 0 ? var : nullptr;
}

/// True when the expression has one value for the whole scan.
bool FixedDuringScan(Node* node, Index relation) noexcept {
  if (contain_subplans(node) || contain_volatile_functions(node)) {
    return false;
  }
  Bitmapset* own_columns = nullptr;
  pull_varattnos(node, relation, &own_columns);
  return bms_is_empty(own_columns);
}

/// What `operation` means as a comparison of its left side with its right one.
bool OpOf(Oid operation, Oid column_type, CompareOp* op) noexcept {
  TypeCacheEntry* const type = lookup_type_cache(column_type, TYPECACHE_BTREE_OPFAMILY);
  if (!OidIsValid(type->btree_opf)) {
    return false;
  }
  switch (get_op_opfamily_strategy(operation, type->btree_opf)) {
    case BTLessStrategyNumber:
      *op = CompareOp::kLess;
      return true;
    case BTLessEqualStrategyNumber:
      *op = CompareOp::kLessOrEqual;
      return true;
    case BTEqualStrategyNumber:
      *op = CompareOp::kEqual;
      return true;
    case BTGreaterEqualStrategyNumber:
      *op = CompareOp::kGreaterOrEqual;
      return true;
    case BTGreaterStrategyNumber:
      *op = CompareOp::kGreater;
      return true;
    default:
      break;
  }
  Oid const negator = get_negator(operation);
  if (OidIsValid(negator) &&
      get_op_opfamily_strategy(negator, type->btree_opf) == BTEqualStrategyNumber) {
    *op = CompareOp::kNotEqual;
    return true;
  }
  return false;
}

/// Whether stored order (for = and <>, stored equality) is what `collation` asks for.
bool OrderIsStored(Oid column_type, CompareOp op, Oid collation) noexcept {
  bool const equality = op == CompareOp::kEqual || op == CompareOp::kNotEqual;
  switch (FamilyOf(column_type)) {
    case Family::kEqualityOnly:
      return equality;
    case Family::kText:
      if (!OidIsValid(collation)) {
        return false;  // PostgreSQL raises the error
      }
      return lc_collate_is_c(collation) || (equality && get_collation_isdeterministic(collation));
    case Family::kNone:
      return false;
    case Family::kInteger:
    case Family::kFloat:
    case Family::kItself:
      break;
  }
  return true;
}

bool MatchOperator(Oid operation, Node* left, Node* right, Oid collation, Index relation,
                   FilterClause* out) noexcept {
  Var* column = ColumnOf(left, relation);
  if (column == nullptr) {
    column = ColumnOf(right, relation);
    operation = get_commutator(operation);
    right = left;
    if (column == nullptr || !OidIsValid(operation)) {
      return false;
    }
  }
  Oid column_side = InvalidOid;
  Oid other_side = InvalidOid;
  op_input_types(operation, &column_side, &other_side);
  CompareOp op = CompareOp::kEqual;
  bool const matches = TakesStored(column->vartype, column_side) &&
                       ValueFor(column->vartype, other_side) != Value::kNone &&
                       OpOf(operation, column->vartype, &op) &&
                       OrderIsStored(column->vartype, op, collation) &&
                       FixedDuringScan(right, relation);
  if (!matches) {
    return false;
  }
  *out = {.kind = FilterClause::Kind::kCompare,
          .op = op,
          .value = ValueFor(column->vartype, other_side),
          .attribute = column->varattno,
          .element_type = other_side,
          .expression = reinterpret_cast<Expr*>(right)};
  return true;
}

bool MatchArrayOperator(ScalarArrayOpExpr* node, Index relation, FilterClause* out) noexcept {
  auto* const left = static_cast<Node*>(linitial(node->args));
  auto* const array = static_cast<Node*>(lsecond(node->args));
  // Only a column on the left: `1 = ANY (column)` is something else.
  if (!node->useOr || ColumnOf(left, relation) == nullptr ||
      !MatchOperator(node->opno, left, array, node->inputcollid, relation, out) ||
      out->op != CompareOp::kEqual) {
    return false;
  }
  // The elements' own type: an array of varchar may stand where text is compared.
  Oid const element_type = get_base_element_type(exprType(array));
  if (ValueOf(element_type) != out->value) {
    return false;
  }
  out->kind = FilterClause::Kind::kAnyOf;
  out->element_type = element_type;
  return true;
}

bool MatchColumnTest(Node* argument, FilterClause::Kind kind, bool only_boolean, Index relation,
                     FilterClause* out) noexcept {
  Var* const column = ColumnOf(argument, relation);
  if (column == nullptr || (only_boolean && column->vartype != BOOLOID)) {
    return false;
  }
  *out = {.kind = kind, .attribute = column->varattno};
  return true;
}

bool MatchBooleanTest(BooleanTest* test, Index relation, FilterClause* out) noexcept {
  auto* const argument = reinterpret_cast<Node*>(test->arg);
  using Kind = FilterClause::Kind;
  switch (test->booltesttype) {
    case IS_TRUE:
      return MatchColumnTest(argument, Kind::kIsTrue, true, relation, out);
    case IS_FALSE:
      return MatchColumnTest(argument, Kind::kIsFalse, true, relation, out);
    case IS_UNKNOWN:
      return MatchColumnTest(argument, Kind::kIsNull, true, relation, out);
    case IS_NOT_UNKNOWN:
      return MatchColumnTest(argument, Kind::kIsNotNull, true, relation, out);
    case IS_NOT_TRUE:
    case IS_NOT_FALSE:
      break;
  }
  return false;
}

std::string_view PayloadOf(Datum varlena) noexcept {
  auto* const pointer = DatumGetPointer(varlena);
  return {VARDATA_ANY(pointer), VARSIZE_ANY_EXHDR(pointer)};
}

/// A timestamp past the last finite one still comes before infinity.
int64_t BesideInfinity(Timestamp converted, int overflow) noexcept {
  if (overflow == 0) {
    return converted;
  }
  return overflow > 0 ? PG_INT64_MAX - 1 : PG_INT64_MIN + 1;
}

/// REQUIRES: a varlena is neither compressed nor external.
Literal LiteralOf(Value value, Datum datum) {
  switch (value) {
    case Value::kBool:
      return Literal::Integer(DatumGetBool(datum) ? 1 : 0);
    case Value::kInt16:
      return Literal::Integer(DatumGetInt16(datum));
    case Value::kInt32:
      return Literal::Integer(DatumGetInt32(datum));
    case Value::kInt64:
      return Literal::Integer(DatumGetInt64(datum));
    case Value::kFloat4:
      return Literal::Real(double{DatumGetFloat4(datum)});
    case Value::kFloat8:
      return Literal::Real(DatumGetFloat8(datum));
    case Value::kVarlena:
      return Literal::Bytes(PayloadOf(datum));
    case Value::kUuid:
      return Literal::Bytes(
          {static_cast<const char*>(static_cast<void*>(DatumGetPointer(datum))), UUID_LEN});
    case Value::kDateAsTimestamp: {
      int overflow = 0;
      Timestamp const converted = date2timestamp_opt_overflow(DatumGetDateADT(datum), &overflow);
      return Literal::Integer(BesideInfinity(converted, overflow));
    }
    case Value::kDateAsTimestampTz: {
      int overflow = 0;
      Timestamp const converted = date2timestamptz_opt_overflow(DatumGetDateADT(datum), &overflow);
      return Literal::Integer(BesideInfinity(converted, overflow));
    }
    case Value::kTimestampAsTimestampTz: {
      int overflow = 0;
      Timestamp const converted =
          timestamp2timestamptz_opt_overflow(DatumGetTimestamp(datum), &overflow);
      return Literal::Integer(BesideInfinity(converted, overflow));
    }
    case Value::kNone:
      break;
  }
  ASSERT(value != Value::kNone);
  return {};
}

struct Elements {
  Datum* values;
  bool* nulls;
  int count;
};

Elements Deconstruct(Datum array, Oid element_type, bool varlena) noexcept {
  Elements elements = {};
  int16 length = 0;
  bool by_value = false;
  char alignment = 0;
  get_typlenbyvalalign(element_type, &length, &by_value, &alignment);
  deconstruct_array(DatumGetArrayTypeP(array), element_type, length, by_value, alignment,
                    &elements.values, &elements.nulls, &elements.count);
  for (int i = 0; varlena && i < elements.count; ++i) {
    if (!elements.nulls[i]) {
      elements.values[i] = PointerGetDatum(PG_DETOAST_DATUM_PACKED(elements.values[i]));
    }
  }
  return elements;
}

}  // namespace

bool MatchFilterClause(Node* clause, Index relation, FilterClause* out) noexcept {
  using Kind = FilterClause::Kind;
  switch (nodeTag(clause)) {
    case T_OpExpr: {
      auto* const node = reinterpret_cast<OpExpr*>(clause);
      return list_length(node->args) == 2 &&
             MatchOperator(node->opno, static_cast<Node*>(linitial(node->args)),
                           static_cast<Node*>(lsecond(node->args)), node->inputcollid, relation,
                           out);
    }
    case T_ScalarArrayOpExpr:
      return MatchArrayOperator(reinterpret_cast<ScalarArrayOpExpr*>(clause), relation, out);
    case T_NullTest: {
      auto* const test = reinterpret_cast<NullTest*>(clause);
      return !test->argisrow &&
             MatchColumnTest(reinterpret_cast<Node*>(test->arg),
                             test->nulltesttype == IS_NULL ? Kind::kIsNull : Kind::kIsNotNull,
                             false, relation, out);
    }
    case T_BooleanTest:
      return MatchBooleanTest(reinterpret_cast<BooleanTest*>(clause), relation, out);
    case T_Var:
      return MatchColumnTest(clause, Kind::kIsTrue, true, relation, out);
    case T_BoolExpr: {
      auto* const node = reinterpret_cast<BoolExpr*>(clause);
      return node->boolop == NOT_EXPR && MatchColumnTest(static_cast<Node*>(linitial(node->args)),
                                                         Kind::kIsFalse, true, relation, out);
    }
    default:
      return false;
  }
}

RuntimeFilter* InitFilters(List* conditions, Index relation, PlanState* parent) {
  return TryPg([&]() noexcept {
    auto* const filters = static_cast<RuntimeFilter*>(
        palloc0(sizeof(RuntimeFilter) * static_cast<size_t>(list_length(conditions) + 1)));
    int count = 0;
    ListCell* cell;
    foreach (cell, conditions) {
      RuntimeFilter* const filter = &filters[count++];
      if (!MatchFilterClause(static_cast<Node*>(lfirst(cell)), relation, &filter->clause)) {
        elog(ERROR, "a condition of a columnar scan is no filter on a column");
      }
      filter->state = filter->clause.expression == nullptr
                          ? nullptr
                          : ExecInitExpr(filter->clause.expression, parent);
    }
    return filters;
  });
}

Result<vexec::ColumnFilter> BindFilter(const RuntimeFilter& filter, ExprContext* context,
                                       columnar::PhysicalType physical) {
  using Kind = FilterClause::Kind;
  const FilterClause& clause = filter.clause;
  switch (clause.kind) {
    case Kind::kIsNull:
      return vexec::ColumnFilter::IsNull(physical);
    case Kind::kIsNotNull:
      return vexec::ColumnFilter::IsNotNull(physical);
    case Kind::kIsTrue:
      return vexec::ColumnFilter::Compare(physical, CompareOp::kEqual, Literal::Integer(1));
    case Kind::kIsFalse:
      return vexec::ColumnFilter::Compare(physical, CompareOp::kEqual, Literal::Integer(0));
    case Kind::kCompare:
    case Kind::kAnyOf:
      break;
  }
  bool is_null = false;
  bool const varlena = clause.value == Value::kVarlena;
  bool const detoast = varlena && clause.kind == Kind::kCompare;
  Datum const value = TryPg([&]() noexcept {
    // No ContextScope: nothing with a destructor may live where an error jumps.
    MemoryContext const previous = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
    Datum result = ExecEvalExpr(filter.state, context, &is_null);
    if (detoast && !is_null) {
      result = PointerGetDatum(PG_DETOAST_DATUM_PACKED(result));
    }
    MemoryContextSwitchTo(previous);
    return result;
  });
  if (is_null) {
    return vexec::ColumnFilter::Never(physical);
  }
  if (clause.kind == Kind::kCompare) {
    return vexec::ColumnFilter::Compare(physical, clause.op, LiteralOf(clause.value, value));
  }
  Elements const elements = TryPg([&]() noexcept {
    MemoryContext const previous = MemoryContextSwitchTo(context->ecxt_per_tuple_memory);
    Elements const result = Deconstruct(value, clause.element_type, varlena);
    MemoryContextSwitchTo(previous);
    return result;
  });
  std::vector<Literal> literals;
  literals.reserve(static_cast<size_t>(elements.count));
  for (int i = 0; i < elements.count; ++i) {
    if (!elements.nulls[i]) {
      literals.push_back(LiteralOf(clause.value, elements.values[i]));
    }
  }
  return vexec::ColumnFilter::AnyOf(physical, std::move(literals));
}

}  // namespace orochi::pg
