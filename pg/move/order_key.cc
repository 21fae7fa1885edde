#include "pg/move/order_key.h"

#include "pg/am/columnar/table_options.h"

extern "C" {
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "catalog/pg_operator.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/tlist.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/syscache.h"
#include "utils/typcache.h"
}

namespace orochi::pg {
namespace {

void RefuseOrder(const char* order_by) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("order_by \"%s\" is not a list of columns", order_by),
                  errhint("Write column names as in ORDER BY, for example 'host_id, time DESC'.")));
}

// A statement of the form SELECT FROM t ORDER BY ..., and nothing behind the list.
const SelectStmt* OnlySelect(List* statements, const char* order_by) {
  if (list_length(statements) != 1) {
    RefuseOrder(order_by);
  }
  Node* const statement = linitial_node(RawStmt, statements)->stmt;
  if (!IsA(statement, SelectStmt)) {
    RefuseOrder(order_by);
  }
  auto* const select = reinterpret_cast<SelectStmt*>(statement);
  if (select->op != SETOP_NONE || select->sortClause == NIL || select->limitCount != nullptr ||
      select->limitOffset != nullptr || select->lockingClause != NIL ||
      list_length(select->fromClause) != 1) {
    RefuseOrder(order_by);
  }
  return select;
}

void AddColumn(OrderKey* key, AttrNumber column, Oid sort_operator, Oid collation,
               bool nulls_first) {
  int const index = key->column_count++;
  key->columns[index] = column;
  key->operators[index] = sort_operator;
  key->collations[index] = collation;
  key->nulls_first[index] = nulls_first;
}

void AddAscending(Relation relation, AttrNumber column, OrderKey* out) {
  Form_pg_attribute const attribute = TupleDescAttr(RelationGetDescr(relation), column - 1);
  TypeCacheEntry* const type = lookup_type_cache(attribute->atttypid, TYPECACHE_LT_OPR);
  if (OidIsValid(type->lt_opr)) {
    AddColumn(out, column, type->lt_opr, attribute->attcollation, false);
  }
}

// Schemas are always said: texts are kept and read under other search paths.
const char* NameOfCollation(Oid collation) {
  HeapTuple const tuple = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
  if (!HeapTupleIsValid(tuple)) {
    elog(ERROR, "cache lookup failed for collation %u", collation);
  }
  const FormData_pg_collation& form = *reinterpret_cast<Form_pg_collation>(GETSTRUCT(tuple));
  const char* const name =
      quote_qualified_identifier(get_namespace_name(form.collnamespace), NameStr(form.collname));
  ReleaseSysCache(tuple);
  return name;
}

const char* NameOfOperator(Oid sort_operator) {
  HeapTuple const tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(sort_operator));
  if (!HeapTupleIsValid(tuple)) {
    elog(ERROR, "cache lookup failed for operator %u", sort_operator);
  }
  const FormData_pg_operator& form = *reinterpret_cast<Form_pg_operator>(GETSTRUCT(tuple));
  const char* const name =
      psprintf("OPERATOR(%s.%s)", quote_identifier(get_namespace_name(form.oprnamespace)),
               NameStr(form.oprname));
  ReleaseSysCache(tuple);
  return name;
}

void NameTheOption(void* chosen_for) {
  errcontext("order_by in orochi.columnar_options of table \"%s\"",
             get_rel_name(*static_cast<Oid*>(chosen_for)));
}

// A parse error points into our statement, not into the user's.
void PointIntoOrderBy(void* text) {
  int const position = geterrposition();
  if (position > 0) {
    errposition(0);
    internalerrposition(position);
    internalerrquery(static_cast<const char*>(text));
  }
}

AttrNumber RangeColumn(Relation partitioned) {
  PartitionKey const key = RelationGetPartitionKey(partitioned);
  return key->strategy == PARTITION_STRATEGY_RANGE ? key->partattrs[0] : InvalidAttrNumber;
}

// The partition's own number of the column its parent is partitioned by, or 0.
AttrNumber TimeColumn(Relation relation) {
  if (relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) {
    return RangeColumn(relation);
  }
  if (!relation->rd_rel->relispartition) {
    return InvalidAttrNumber;
  }
  Oid const parent_oid = get_partition_parent(RelationGetRelid(relation), true);
  Relation const parent = table_open(parent_oid, AccessShareLock);
  AttrNumber column = RangeColumn(parent);
  if (column != InvalidAttrNumber) {
    // Parent and partition agree on names, not on numbers.
    Form_pg_attribute const attribute = TupleDescAttr(RelationGetDescr(parent), column - 1);
    column = get_attnum(RelationGetRelid(relation), NameStr(attribute->attname));
  }
  table_close(parent, AccessShareLock);
  return column;
}

// How many leading columns of the index end with `time_column`, or 0.
int KeyColumnsThrough(Relation index, AttrNumber time_column) {
  const FormData_pg_index& form = *index->rd_index;
  if (index->rd_rel->relam != BTREE_AM_OID || !form.indisvalid ||
      !heap_attisnull(index->rd_indextuple, Anum_pg_index_indpred, nullptr)) {
    return 0;
  }
  for (int position = 0; position < form.indnkeyatts; ++position) {
    AttrNumber const column = form.indkey.values[position];
    if (column <= 0) {
      return 0;  // an expression, or a system column
    }
    if (column == time_column) {
      return position + 1;
    }
  }
  return 0;
}

void TakeIndexColumns(Relation index, int column_count, OrderKey* out) {
  for (int position = 0; position < column_count; ++position) {
    int16 const options = index->rd_indoption[position];
    bool const descending = (options & INDOPTION_DESC) != 0;
    Oid const type = index->rd_opcintype[position];
    Oid const sort_operator =
        get_opfamily_member(index->rd_opfamily[position], type, type,
                            descending ? BTGreaterStrategyNumber : BTLessStrategyNumber);
    if (!OidIsValid(sort_operator)) {
      out->column_count = 0;
      return;
    }
    AddColumn(out, index->rd_index->indkey.values[position], sort_operator,
              index->rd_indcollation[position], (options & INDOPTION_NULLS_FIRST) != 0);
  }
}

}  // namespace

void ParseOrderKey(Relation relation, const char* order_by, OrderKey* out) noexcept {
  *out = {};
  const char* const table = quote_qualified_identifier(
      get_namespace_name(RelationGetNamespace(relation)), RelationGetRelationName(relation));
  const char* const text = psprintf("SELECT FROM ONLY %s ORDER BY %s", table, order_by);
  ErrorContextCallback callback = {error_context_stack, &PointIntoOrderBy, const_cast<char*>(text)};
  error_context_stack = &callback;
  List* const statements = raw_parser(text, RAW_PARSE_DEFAULT);
  OnlySelect(statements, order_by);
  Query* const query =
      parse_analyze_fixedparams(linitial_node(RawStmt, statements), text, nullptr, 0, nullptr);
  error_context_stack = callback.previous;
  if (list_length(query->sortClause) > INDEX_MAX_KEYS) {
    RefuseOrder(order_by);
  }
  ListCell* cell = nullptr;
  foreach (cell, query->sortClause) {
    const SortGroupClause* const clause = lfirst_node(SortGroupClause, cell);
    Node* expression =
        get_sortgroupclause_expr(const_cast<SortGroupClause*>(clause), query->targetList);
    Oid const collation = exprCollation(expression);
    if (IsA(expression, CollateExpr)) {
      expression = reinterpret_cast<Node*>(reinterpret_cast<CollateExpr*>(expression)->arg);
    }
    if (!IsA(expression, Var) || reinterpret_cast<Var*>(expression)->varattno <= 0) {
      RefuseOrder(order_by);
    }
    AddColumn(out, reinterpret_cast<Var*>(expression)->varattno, clause->sortop, collation,
              clause->nulls_first);
  }
}

void DeriveOrderKey(Relation relation, OrderKey* out) noexcept {
  *out = {};
  AttrNumber const time_column = TimeColumn(relation);
  if (time_column == InvalidAttrNumber) {
    return;
  }
  ListCell* cell = nullptr;
  foreach (cell, RelationGetIndexList(relation)) {  // ordered by OID, hence by age
    Relation const index = index_open(lfirst_oid(cell), AccessShareLock);
    int const column_count = KeyColumnsThrough(index, time_column);
    if (column_count > 1) {
      TakeIndexColumns(index, column_count, out);
    }
    index_close(index, NoLock);
    if (out->column_count > 0) {
      return;
    }
  }
  AddAscending(relation, time_column, out);
}

bool ChosenOrderKey(Relation relation, OrderKey* out) noexcept {
  *out = {};
  TableOptions const options = OptionsOf(relation);
  Oid chosen_for = options.chosen(ColumnarOption::kOrderBy);
  if (!OidIsValid(chosen_for)) {
    return false;
  }
  if (options.order_by[0] != '\0') {
    ErrorContextCallback callback = {error_context_stack, &NameTheOption, &chosen_for};
    error_context_stack = &callback;
    ParseOrderKey(relation, options.order_by, out);
    error_context_stack = callback.previous;
  }
  return true;
}

void ChooseOrderKey(Relation relation, OrderKey* out) noexcept {
  if (!ChosenOrderKey(relation, out)) {
    DeriveOrderKey(relation, out);
  }
}

const char* OrderColumnText(Relation relation, const OrderKey& key, int index,
                            bool* plain) noexcept {
  Form_pg_attribute const attribute =
      TupleDescAttr(RelationGetDescr(relation), key.columns[index] - 1);
  StringInfoData text;
  initStringInfo(&text);
  appendStringInfoString(&text, quote_identifier(NameStr(attribute->attname)));
  if (OidIsValid(key.collations[index]) && key.collations[index] != attribute->attcollation) {
    appendStringInfo(&text, " COLLATE %s", NameOfCollation(key.collations[index]));
  }
  TypeCacheEntry* const type =
      lookup_type_cache(attribute->atttypid, TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);
  Oid const sort_operator = key.operators[index];
  bool const descending = sort_operator == type->gt_opr;
  *plain = descending || sort_operator == type->lt_opr;
  if (!*plain) {
    appendStringInfo(&text, " USING %s", NameOfOperator(sort_operator));
  } else if (descending) {
    appendStringInfoString(&text, " DESC");
  }
  if (key.nulls_first[index] != descending) {
    appendStringInfoString(&text, key.nulls_first[index] ? " NULLS FIRST" : " NULLS LAST");
  }
  return text.data;
}

}  // namespace orochi::pg
