#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "base/result.h"
#include "kv/filter/encoded_record.h"
#include "kv/filter/expression.h"
#include "kv/record/schema.h"

namespace orochi::kv {

/// A filter made ready for records of one schema version: fields by index, types checked once.
/// Threads: const use from any.
class BoundFilter {
 public:
  /// kInvalidArgument as CheckShape; kFailedPrecondition when the filter does not fit the schema:
  /// the message names the field, what was found and what expected. A query refuses the latter for
  /// the version it asks for, and rejects records of other versions for which it comes.
  static Result<BoundFilter> Bind(const Expression& filter, const Schema& schema);

  /// Whether the record passes. Errors are those of reading it.
  Result<bool> Evaluate(FieldSource& record) const;

 private:
  struct BoundOperand {
    FieldType type = FieldType::kBool;
    bool nulls_last = false;
    bool is_field = false;
    uint32_t field = 0;
    Value literal;
  };
  struct Node {
    Operation operation = Operation::kAnd;
    std::vector<BoundOperand> operands;
    std::vector<Node> children;
  };

  static Result<Node> BindNode(const Expression& expression, const Schema& schema);
  static Result<BoundOperand> BindOperand(const Operand& operand, const Schema& schema);
  static Result<bool> EvaluateNode(const Node& node, FieldSource& record);
  static Result<bool> EvaluateLogic(const Node& node, FieldSource& record);
  static bool Compare(const Node& node, const Value& left, const Value& right);

  Node root_;
};

}  // namespace orochi::kv
