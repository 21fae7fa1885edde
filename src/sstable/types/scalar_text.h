#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sstable/types/bytes.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// Values of one piece as text, in the spellings of Java, which Cassandra's tools print.

/// The shortest digits that read back as the same number, in Java's form: "1.0", "1.5E-7", "NaN",
/// "Infinity".
std::string JavaFloatText(float value);
std::string JavaDoubleText(double value);

std::string UuidText(Bytes sixteen_bytes);
/// "1y2mo3d4h5m6s7ms8us9ns", "-" in front of a negative one, nothing for zero.
std::string DurationText(int64_t months, int64_t days, int64_t nanos);
/// "10.0.0.1" or eight groups without leading zeros ("2001:db8:0:0:0:0:0:1"); `compressed` writes
/// "2001:db8::1". REQUIRES: 4 or 16 bytes.
std::string InetText(Bytes address, bool compressed);

/// "0a1f"
std::string HexText(Bytes bytes);

/// The total of a counter's shards from the context that its cell holds.
Result<int64_t> CounterTotal(Bytes context);

/// kCorruption unless `value` has a length and content that its type allows; empty values are
/// allowed where Cassandra allows them. Looks inside collections, tuples and user types.
Status ValidateValue(const Type& type, Bytes value);

/// A value of a type without parameters as its serializer's toString gives it: "" for empty ones,
/// timestamps as "2024-01-01T00:00:00.000Z". kCorruption when the value is not of its type.
Result<std::string> ScalarText(const Type& type, Bytes value);

/// Appends `text` in double quotes with JSON's escapes. kCorruption when it is not UTF-8.
Status AppendJsonString(std::string_view text, std::string& out);

bool IsUtf8(std::string_view text);

}  // namespace orochi::sstable
