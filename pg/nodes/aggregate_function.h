#pragma once

#include "pg/compat.h"

#include "vexec/accumulator.h"
#include "vexec/group_table.h"

extern "C" {
#include "nodes/primnodes.h"
}

namespace orochi::pg {

/// A PostgreSQL aggregate that vexec::Accumulator computes. Plain data.
struct AggregateFunction {
  vexec::Aggregate aggregate = vexec::Aggregate::kCount;
  /// Of the column; for counts it does not matter.
  columnar::PhysicalType physical = columnar::PhysicalType::kBool;
  Oid function = InvalidOid;  // of the Aggref
  Var* column = nullptr;      // null: counts rows
};

/// Reads an aggregate call as one over a plain column, or over rows. False for anything else:
/// FILTER, DISTINCT, ORDER BY, other functions, expressions, columns whose type is a domain, and
/// min and max of text under collations other than C. Plain code that may raise PostgreSQL errors:
/// call inside TryPg.
bool MatchAggregate(const Aggref* call, AggregateFunction* out) noexcept;

/// The aggregate's result, allocated in the current memory context. Raises errors as CaughtError.
NullableDatum ResultOf(const AggregateFunction& function, const vexec::AggregateState& state);

/// How a GROUP BY expression is stored as a key: integers, bool, date, time, timestamps, text and
/// varchar under deterministic collations, grouped by the type's default equality. False for
/// others, whose equal values may differ in bits. Plain code, as MatchAggregate.
bool MatchGroupKey(Node* expression, Oid equality, columnar::PhysicalType* out) noexcept;

/// A key of a group as a value of `type`, allocated in the current memory context.
NullableDatum KeyOf(Oid type, const vexec::GroupTable& groups, size_t key, size_t group);

}  // namespace orochi::pg
