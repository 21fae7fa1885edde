#pragma once

#include "pg/fdw/options.h"
#include "sstable/types/bytes.h"
#include "sstable/types/type.h"

extern "C" {
#include "access/tupdesc.h"
}

namespace orochi::pg {

struct DecodedValue {
  Datum value = 0;
  bool is_null = false;
};

/// Makes PostgreSQL's values of one type from Cassandra's bytes. docs/guide/sstable-fdw.md has the
/// table of types; anything can be read as text (as cqlsh shows it), jsonb (as SELECT JSON does) or
/// bytea (the bytes as they are stored).
///
/// Threads: none.    Owns what it needs of the types.
class ValueDecoder {
 public:
  virtual ~ValueDecoder() = default;
  /// The value, allocated in CurrentMemoryContext. kCorruption for bytes that are no value of the
  /// type, kOutOfRange for what PostgreSQL's type cannot hold.
  virtual Result<DecodedValue> Decode(sstable::Bytes bytes) const = 0;
};

/// kUnsupported when values of the CQL type cannot be read as the PostgreSQL type.
Result<std::unique_ptr<ValueDecoder>> MakeValueDecoder(const sstable::TypeRef& type, Oid pg_type,
                                                       int32_t type_modifier,
                                                       const ValueRules& rules);

/// The fields of a composite type in the order of its columns: for each the index of the user
/// type's field of that name; -1 for dropped columns. kUnsupported when one is not there.
Result<std::vector<int>> MatchFields(const sstable::Type& user_type, TupleDesc descriptor);

}  // namespace orochi::pg
