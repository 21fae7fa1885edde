#pragma once

#include <span>
#include <string>

#include "sstable/types/bytes.h"
#include "sstable/types/decorated_key.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// Byte-comparable encodings (Cassandra's version OSS50): unsigned byte order of the encodings is
/// the order of the values. The keys of BTI tries are made of them.

/// Appends the encoding of `value` and answers true; false, with nothing appended, where the
/// encoding is "null": empty values of types other than the textual ones. Values that are not of
/// the type get some encoding, not an order.
bool AppendByteComparable(const Type& type, Bytes value, std::string& out);

/// 40 token 40 key 38: what Partitions.db is searched by. REQUIRES: the token of the key.
void AppendComparableKey(Partitioner partitioner, const Type& key_type, Token token, Bytes key,
                         std::string& out);

/// What ends the encoding of a clustering: it places the prefix before, at or after the rows that
/// start with its values.
enum class ComparableEnd : uint8_t {
  kBefore = 0x20,  // INCL_START, EXCL_END, and the boundary of both
  kRow = 0x38,
  kAfter = 0x60,  // EXCL_START, INCL_END, and the boundary of both
  kStatic = 0x18,
};

/// One component of a clustering. REQUIRES of the caller: is_null only where there is no value.
struct ComparableComponent {
  Bytes bytes;
  bool is_null = false;
};

/// Clusterings and bounds: per component 40 and its encoding (3e: null; 3f, or 41 when reversed:
/// null encoding), then `end`. REQUIRES: at most as many components as types.
void AppendComparableClustering(std::span<const TypeRef> types,
                                std::span<const ComparableComponent> components, ComparableEnd end,
                                std::string& out);

}  // namespace orochi::sstable
