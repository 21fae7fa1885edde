#pragma once

#include "pg/fdw/value_encoder.h"

namespace orochi::pg {

/// jsonb as a value of any CQL type, in the forms of INSERT JSON: objects are maps (keys as text)
/// and user types, arrays are lists, sets, vectors and tuples, null inside is null.
std::unique_ptr<ValueEncoder> MakeJsonEncoder(const sstable::TypeRef& type);

}  // namespace orochi::pg
