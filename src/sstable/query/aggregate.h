#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sstable/query/row_values.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// One aggregate over the rows of a group. Nulls do not count.
class Aggregate {
 public:
  virtual ~Aggregate() = default;
  virtual Status Add(const Value& value) = 0;
  /// For no values: 0 for count, sum and avg, null for min and max.
  virtual Result<Value> Finish() = 0;
};

/// The type that `function` answers for arguments of `argument` (null: count(*)), or
/// kInvalidArgument, in Cassandra's words, where it takes none such.
Result<TypeRef> AggregateType(std::string_view function, const Type* argument);

bool IsAggregate(std::string_view function);

/// REQUIRES: AggregateType accepted them. `argument` outlives the aggregate.
std::unique_ptr<Aggregate> MakeAggregate(std::string_view function, const Type* argument);

}  // namespace orochi::sstable
