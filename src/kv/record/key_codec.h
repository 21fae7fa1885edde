#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/status.h"
#include "kv/record/schema.h"
#include "kv/record/value.h"

namespace orochi::kv {

// Fields of keys as bytes whose order (memcmp) is that of the values. docs/formats/kv-keys.md has
// every byte. Each field ends by itself, so a key of the first fields only is a prefix of exactly
// the keys that begin with those values.

/// NULL, and values by CompareValues, in the order of keys: `order` reverses values when descending
/// and puts NULL first or last.
std::strong_ordering CompareInOrder(const FieldOrder& order, const Value& left, const Value& right);

/// What a key gives back for `value`: -0 is 0, every NaN is one NaN; all else is itself.
Value CanonicalKeyValue(const Value& value);

/// REQUIRES: CheckValue(order.type, value) is ok.
void AppendKeyField(std::string& out, const FieldOrder& order, const Value& value);

/// What all fields that hold text or bytes starting with `prefix` begin with.
/// REQUIRES: order.type is text or bytes.
void AppendKeyFieldPrefix(std::string& out, const FieldOrder& order, std::string_view prefix);

/// Takes one field off the front of `rest`. kCorruption where AppendKeyField would not have written
/// these bytes for any value.
Status ReadKeyField(std::string_view& rest, const FieldOrder& order, Value& value);

/// A decimal, as in ascending keys without the byte that tells NULL; rows hold decimals so, too.
void AppendDecimal(std::string& out, const Decimal& value);
Status ReadDecimal(std::string_view& rest, Decimal& value);

}  // namespace orochi::kv
