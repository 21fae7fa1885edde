#include "kv/filter/expression.h"

#include <array>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::kv {

namespace {

constexpr std::array<std::string_view, kOperationMax + 1> kNames = {
    "EQ",          "GT",       "GTE",       "LT",  "LTE", "IS_NULL", "IS_EXACT_TYPE",
    "STARTS_WITH", "CONTAINS", "ENDS_WITH", "AND", "OR",  "XOR",     "NOT"};

Status CheckOperand(const Operand& operand) {
  if (const auto* field = std::get_if<FieldReference>(&operand)) {
    return field->name.empty() ? Status::InvalidArgument("a field has no name") : Status::Ok();
  }
  const auto& literal = std::get<Literal>(operand);
  if (IsNull(literal.value)) {
    return Status::InvalidArgument("a literal is NULL, expected a value (IS_NULL asks for NULL)");
  }
  return CheckValue(literal.type, literal.value);
}

Status CheckCounts(const Expression& node) {
  size_t const operand_count = node.operands.size();
  size_t const child_count = node.children.size();
  switch (node.operation) {
    case Operation::kAnd:
    case Operation::kOr:
    case Operation::kXor:
      if (operand_count + child_count == 0) {
        return Status::InvalidArgument("has no operands, expected one or more");
      }
      return Status::Ok();
    case Operation::kNot:
      if (operand_count + child_count != 1) {
        return Status::InvalidArgument(
            StrCat("has ", operand_count + child_count, " operands, expected 1"));
      }
      return Status::Ok();
    default:
      break;
  }
  size_t const expected = node.operation == Operation::kIsNull ? 1 : 2;
  if (child_count != 0) {
    return Status::InvalidArgument(
        StrCat("has ", child_count, " expressions in it, expected fields and literals only"));
  }
  if (operand_count != expected) {
    return Status::InvalidArgument(StrCat("has ", operand_count, " operands, expected ", expected));
  }
  bool const wants_field =
      node.operation == Operation::kIsNull || node.operation == Operation::kIsExactType;
  if (wants_field && !std::holds_alternative<FieldReference>(node.operands[0])) {
    return Status::InvalidArgument("its first operand is a literal, expected a field");
  }
  if (node.operation == Operation::kIsExactType) {
    const auto* literal = std::get_if<Literal>(&node.operands[1]);
    if (literal == nullptr || literal->type != FieldType::kFieldType) {
      return Status::InvalidArgument("its second operand is no literal of type fieldtype");
    }
  }
  return Status::Ok();
}

Status CheckNode(const Expression& node, size_t depth, size_t& node_count) {
  if (depth > kFilterDepthMax) {
    return Status::InvalidArgument(StrCat("is nested deeper than ", kFilterDepthMax));
  }
  node_count += 1 + node.operands.size();
  if (node_count > kFilterNodeCountMax) {
    return Status::InvalidArgument(StrCat("has more than ", kFilterNodeCountMax, " nodes"));
  }
  RETURN_IF_ERROR(CheckCounts(node));
  for (const Operand& operand : node.operands) {
    RETURN_IF_ERROR(CheckOperand(operand));
  }
  for (size_t index = 0; index < node.children.size(); ++index) {
    const Expression& child = node.children[index];
    if (Status status = CheckNode(child, depth + 1, node_count); !status.ok()) {
      return std::move(status).WithContext(
          StrCat("child ", index, ": ", OperationName(child.operation)));
    }
  }
  return Status::Ok();
}

}  // namespace

std::string_view OperationName(Operation operation) {
  auto const index = static_cast<size_t>(operation);
  ASSERT(index < kNames.size());
  return kNames[index];
}

std::optional<Operation> OperationFromName(std::string_view name) {
  for (size_t index = 0; index < kNames.size(); ++index) {
    if (kNames[index] == name) {
      return static_cast<Operation>(index);
    }
  }
  return std::nullopt;
}

Status CheckShape(const Expression& filter) {
  size_t node_count = 0;
  if (Status status = CheckNode(filter, 1, node_count); !status.ok()) {
    return std::move(status).WithContext(StrCat("filter ", OperationName(filter.operation)));
  }
  return Status::Ok();
}

}  // namespace orochi::kv
