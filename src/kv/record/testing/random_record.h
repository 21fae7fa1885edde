#pragma once

#include <vector>

#include "base/random.h"
#include "kv/record/schema.h"
#include "kv/record/value.h"

namespace orochi::kv::testing {

FieldType RandomType(Random& random);

/// Not NULL. Half of the time one of a few edge values of the type (extremes, -0, NaN, empty, zero
/// bytes, common beginnings), so that equal values, prefixes and neighbours are frequent.
Value RandomValue(FieldType type, Random& random);
/// NULL one time in five.
Value RandomValueOrNull(FieldType type, Random& random);

/// Version 1 with fields f0, f1, ...: 1 to 2 partition key fields, 0 to 3 range key fields, 0 to
/// `value_count_max` value fields; key fields in any order, types and directions.
SchemaDefinition RandomDefinition(Random& random, size_t value_count_max);

std::vector<Value> RandomRecord(const Schema& schema, Random& random);

/// Whether two values are the same to a user: as ==, but -0 is 0 and NaN is NaN.
bool SameValue(const Value& left, const Value& right);

}  // namespace orochi::kv::testing
