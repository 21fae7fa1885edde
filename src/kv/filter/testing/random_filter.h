#pragma once

#include <optional>
#include <span>

#include "base/random.h"
#include "kv/filter/expression.h"
#include "kv/record/schema.h"

namespace orochi::kv::testing {

/// A filter of the right shape, of a few nodes. Most fit the schema; about one in ten names a field
/// that is not there or compares what does not compare. Often an AND over key fields.
Expression RandomFilter(const Schema& schema, Random& random);

/// The meaning of a filter (Expression's comment) in the most direct way: nullopt when it does not
/// fit the schema, else whether the record passes.
std::optional<bool> PlainEvaluate(const Expression& filter, const Schema& schema,
                                  std::span<const Value> record);

}  // namespace orochi::kv::testing
