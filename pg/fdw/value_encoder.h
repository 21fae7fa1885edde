#pragma once

#include "pg/bridge.h"
#include "sstable/types/type.h"

namespace orochi::pg {

/// Makes Cassandra's bytes of one CQL type from PostgreSQL's values of one type: numbers into
/// numbers that hold them exactly, arrays into lists, sets and vectors, composite types into user
/// types by name and tuples by place, jsonb into anything, text into what CQL reads from it.
///
/// Threads: none.    Owns what it needs of the types.
class ValueEncoder {
 public:
  virtual ~ValueEncoder() = default;
  /// `value` is not null. kOutOfRange for what the CQL type cannot hold, infinity for example.
  virtual Result<std::string> Encode(Datum value) const = 0;
};

/// kUnsupported when values of the PostgreSQL type cannot become the CQL type.
Result<std::unique_ptr<ValueEncoder>> MakeValueEncoder(const sstable::TypeRef& type, Oid pg_type);

/// True when MakeValueEncoder has a way that neither rounds nor reads text: such values may decide
/// which partitions and rows are read.
bool HasExactEncoding(const sstable::Type& type, Oid pg_type);

}  // namespace orochi::pg
