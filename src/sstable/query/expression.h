#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "sstable/cql/syntax.h"
#include "sstable/query/aggregate.h"
#include "sstable/query/row_values.h"

namespace orochi::sstable {

/// What an expression is computed from.
struct EvaluationContext {
  const RowValues* row = nullptr;
  std::span<const Value> aggregates;  // of the group, by AggregateCall's index
  int64_t now_s = 0;
  Partitioner partitioner = Partitioner::kMurmur3;
};

/// Something that SELECT computes from a row or a group of rows.
class Expression {
 public:
  virtual ~Expression() = default;
  virtual Result<Value> Evaluate(const EvaluationContext& context) const = 0;
  const TypeRef& type() const { return type_; }

 protected:
  explicit Expression(TypeRef type) : type_(std::move(type)) {}

 private:
  TypeRef type_;
};

/// An aggregate in a SELECT: its argument is computed for every row of a group.
struct AggregateCall {
  std::string function;                  // count, min, max, sum, avg
  std::unique_ptr<Expression> argument;  // none: count(*)
  TypeRef result_type;
};

/// One column of a result.
struct CompiledSelector {
  std::string heading;
  std::unique_ptr<Expression> expression;
  bool has_aggregate = false;
  std::vector<ColumnRef> columns;  // that it reads
};

/// Compiles a selector; aggregates in it are added to `aggregates`. kInvalidArgument in Cassandra's
/// words where names, functions or types do not fit.
Result<CompiledSelector> CompileSelector(const cql::Selector& selector, const TableSchema& schema,
                                         Partitioner partitioner,
                                         std::vector<AggregateCall>& aggregates);

/// A column as it is.
CompiledSelector SelectColumn(const ColumnRef& column);

}  // namespace orochi::sstable
