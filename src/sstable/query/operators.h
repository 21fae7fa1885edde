#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sstable/query/row_values.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// The type of `left op right`, op one of + - * / %, as Cassandra decides it: the wider of two
/// numbers, and a floating-point one if either is; timestamps and dates plus or minus a duration.
/// kInvalidArgument where there is none, kUnsupported for / and % of varint and decimal.
Result<TypeRef> OperatorType(char op, const Type& left, const Type& right);

/// REQUIRES: OperatorType(op, left, right) gave `result`. Whole numbers wrap around as in Java;
/// null, or an empty value, makes null. kInvalidArgument for a division by zero.
Result<Value> ApplyOperator(char op, const Type& left, const Value& left_value, const Type& right,
                            const Value& right_value, const Type& result);

}  // namespace orochi::sstable
