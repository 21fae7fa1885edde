#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "sstable/query/row_values.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// CAST(value AS type): numbers into each other as Java casts them, dates and times into each
/// other, and anything simple into text.
bool CanConvert(const Type& from, const Type& to);

/// REQUIRES: CanConvert(from, to). kCorruption when `value` is not one of `from`.
Result<Value> ConvertValue(const Type& from, const Type& to, std::string_view value);

/// What functions like to_timestamp, toDate and dateOf convert to.
std::optional<TypeKind> ConversionFunction(std::string_view name);

}  // namespace orochi::sstable
