#pragma once

#include <string>

#include "base/status.h"
#include "sstable/types/bytes.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// Values of any type as text. All append to `out`, and answer kCorruption, with `out` partly
/// written, when the bytes are not a value of the type.

/// JSON as sstabledump and SELECT JSON print it: blobs as "0x..", timestamps as
/// "2024-01-01 00:00:00.000Z", keys of maps as strings, NaN and infinities as null, empty numbers
/// as "". Counters are their total (sstabledump prints the first eight bytes of their state).
Status AppendJson(const Type& type, Bytes value, std::string& out);

/// What sstabledump prints for partition keys and cell paths, without quotes: collections and blobs
/// in hexadecimal, the fields of tuples joined by ':', timestamps with 'T'.
Status AppendKeyText(const Type& type, Bytes value, std::string& out);

/// As cqlsh shows a value in a table: [1, 2], {'a': 1}, {street: 'x', zip: null}; text is quoted
/// inside collections only, and control characters are escaped.
Status AppendCqlshText(const Type& type, Bytes value, std::string& out);

/// A literal that CQL reads back as the same value: 'it''s', 0xcafe, {'a': 1}.
Status AppendCqlLiteral(const Type& type, Bytes value, std::string& out);

}  // namespace orochi::sstable
