#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sstable/cql/syntax.h"
#include "sstable/types/type.h"

namespace orochi::sstable::cql {

/// The user types of a keyspace by name.
using UserTypes = std::map<std::string, TypeRef, std::less<>>;

/// Looks a written type up. Collections and user types come out not frozen unless it is written.
/// kInvalidArgument names what is unknown or put together wrongly (list<int, int>).
Result<TypeRef> ResolveType(const TypeSyntax& syntax, const UserTypes& user_types);

/// A value as bytes of `type`; nullopt is null. `receiver` is the column's name, for messages
/// worded as Cassandra's. Functions that read a clock (now(), uuid()) are refused: values must be
/// written.
Result<std::optional<std::string>> BindTerm(const Term& term, const Type& type,
                                            std::string_view receiver);

/// A whole number, for LIMIT, USING TTL and the like.
Result<int64_t> BindInteger(const Term& term, std::string_view what);

}  // namespace orochi::sstable::cql
