#pragma once

#include "pg/fdw/value_decoder.h"

/// Decoders of values without parts. Internal to value_decoder.cc.
namespace orochi::pg {

/// Null when there is no direct way from the CQL type to the PostgreSQL type.
std::unique_ptr<ValueDecoder> MakeScalarDecoder(const sstable::TypeRef& type, Oid pg_type,
                                                const ValueRules& rules);

/// A varlena with these bytes. kOutOfRange above what one can hold.
Result<Datum> MakeVarlena(std::string_view bytes);
/// A text from UTF-8. kOutOfRange for text that PostgreSQL cannot hold (with NUL characters),
/// kCorruption for what is not UTF-8.
Result<Datum> MakeText(std::string_view text);

}  // namespace orochi::pg
