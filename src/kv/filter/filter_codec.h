#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/filter/expression.h"

namespace orochi::kv {

inline constexpr size_t kFilterSizeBytesMax = 64 * 1024;

// A filter as bytes, between nodes; docs/formats/kv-filters.md.

/// kInvalidArgument as CheckShape, kOutOfRange past kFilterSizeBytesMax.
Result<std::string> EncodeFilter(const Expression& filter);

/// kCorruption for bytes that EncodeFilter does not write; nesting is bounded before it is
/// followed.
Result<Expression> DecodeFilter(std::string_view bytes);

}  // namespace orochi::kv
