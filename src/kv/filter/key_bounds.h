#pragma once

#include <optional>
#include <vector>

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

inline constexpr size_t kKeySpanCountMax = 256;

/// The same as ranges in order that do not overlap, so that also an OR narrows, when all its parts
/// do: `id EQ 3 OR id EQ 7` is two ranges. At most kKeySpanCountMax; more become one around them.
std::optional<std::vector<ByteRange>> KeySpansOf(const Expression& filter, const KeySpace& space,
                                                 const Schema& schema);

/// The bytes in both.
ByteRange Intersect(const ByteRange& left, const ByteRange& right);

}  // namespace orochi::kv
