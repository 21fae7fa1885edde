#pragma once

#include <optional>

#include "kv/filter/expression.h"
#include "kv/record/schema.h"
#include "kv/record/storage_key.h"

namespace orochi::kv {

/// The bytes of key space outside which no record of `schema` passes `filter`: what an AND says of
/// the first key fields, by EQ, IS_NULL or a bool operand for all but the last that is used, by any
/// comparison or STARTS_WITH with a literal for that one. nullopt when that restricts nothing; on
/// hash collections unless the whole partition key is fixed. Records inside may still fail.
/// A filter that does not fit the schema restricts nothing.
std::optional<ByteRange> KeyBoundsOf(const Expression& filter, const KeySpace& space,
                                     const Schema& schema);

/// The bytes in both.
ByteRange Intersect(const ByteRange& left, const ByteRange& right);

}  // namespace orochi::kv
