#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// Serialised values from their parts. The parts are serialised values themselves.

/// In the order given.
std::string BuildList(const std::vector<std::string>& elements);
/// Sorted by the element's order, each once.
std::string BuildSet(const Type& set, std::vector<std::string> elements);
/// Sorted by the key's order; of equal keys the last.
std::string BuildMap(const Type& map, std::vector<std::pair<std::string, std::string>> entries);
/// nullopt is null. Fields left out at the end are not stored.
std::string BuildTuple(const std::vector<std::optional<std::string>>& fields);
/// kInvalidArgument when there are not as many elements as the vector has.
Result<std::string> BuildVector(const Type& vector, const std::vector<std::string>& elements);

/// A value of a type without parameters from text, as Cassandra's fromString reads it: what stands
/// between the quotes of a CQL string, a number, a field of a CSV file. kInvalidArgument names the
/// text and the type. Text is taken as it is; of other types empty text is the empty value.
Result<std::string> ParseScalar(const Type& type, std::string_view text);

}  // namespace orochi::sstable
