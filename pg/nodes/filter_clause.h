#pragma once

#include "pg/compat.h"

#include "base/result.h"
#include "vexec/column_filter.h"

extern "C" {
#include "nodes/execnodes.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
}

namespace orochi::pg {

/// What a conjunct of a WHERE clause says about one column, when vexec::ColumnFilter can say the
/// same: `column op expression`, `column = ANY (array)`, IS [NOT] NULL, and boolean columns. The
/// expression is free of the relation's own columns, of volatile functions and of subplans, so it
/// has one value per scan.
///
/// Only types and collations whose PostgreSQL order (for =, equality) is the order of the stored
/// values: integers, floats, bool, money, date, time, timestamps, bytea, uuid; oid for equality;
/// text and varchar for equality under deterministic collations, for order under C. Timestamps also
/// with dates, and timestamptz with timestamp.
struct FilterClause {
  enum class Kind : uint8_t { kCompare, kAnyOf, kIsNull, kIsNotNull, kIsTrue, kIsFalse };
  /// How a Datum of the expression becomes a literal.
  enum class Value : uint8_t {
    kNone,
    kBool,
    kInt16,
    kInt32,
    kInt64,
    kFloat4,
    kFloat8,
    kVarlena,
    kUuid,
    // Compared across types as PostgreSQL does: converted once, in the session's time zone.
    kDateAsTimestamp,
    kDateAsTimestampTz,
    kTimestampAsTimestampTz,
  };

  Kind kind = Kind::kIsNull;
  vexec::CompareOp op = vexec::CompareOp::kEqual;
  Value value = Value::kNone;
  AttrNumber attribute = 0;
  Oid element_type = InvalidOid;  // of the expression, or of the array's elements
  Expr* expression = nullptr;     // kCompare, kAnyOf
};

/// Reads `clause` as a filter on a column of range table entry `relation`. False when it is
/// something else. Plain code that may raise PostgreSQL errors: call inside TryPg.
bool MatchFilterClause(Node* clause, Index relation, FilterClause* out) noexcept;

/// A filter clause in a running plan. Plain data, allocated by PostgreSQL.
struct RuntimeFilter {
  FilterClause clause;
  ExprState* state;
};

/// Makes the clauses of `conditions` ready to be evaluated: an array of as many RuntimeFilters in
/// the current memory context. REQUIRES: each matched when the plan was made.
RuntimeFilter* InitFilters(List* conditions, Index relation, PlanState* parent);

/// Evaluates the filter's expression now and makes it a filter on stored values of type
/// `physical`. A NULL gives ColumnFilter::Never.
Result<vexec::ColumnFilter> BindFilter(const RuntimeFilter& filter, ExprContext* context,
                                       columnar::PhysicalType physical);

}  // namespace orochi::pg
