#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// How deep types may be nested; deeper ones are refused rather than recursed into.
inline constexpr int kTypeDepthMax = 64;

/// Reads Cassandra's class string of a type, as the header of Statistics.db has it:
/// `org.apache.cassandra.db.marshal.MapType(org...UTF8Type,org...Int32Type)`. Names without the
/// package, spaces, and inner types without FrozenType are accepted. A class that is not known
/// becomes kCustom. kCorruption names the position of what cannot be read.
Result<TypeRef> ParseJavaType(std::string_view text);

/// The class string, byte for byte as Cassandra 5 writes it.
std::string JavaTypeName(const Type& type);

}  // namespace orochi::sstable
