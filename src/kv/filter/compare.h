#pragma once

#include <compare>

#include "kv/record/field_type.h"
#include "kv/record/value.h"

namespace orochi::kv {

/// Whether filters compare values of the two types (see Expression).
bool AreComparable(FieldType left, FieldType right);

/// By exact value, also between an integer past 2^53 and a double.
/// REQUIRES: AreComparable; each value of its type, not NULL.
std::strong_ordering CompareAcross(FieldType left_type, const Value& left, FieldType right_type,
                                   const Value& right);

}  // namespace orochi::kv
