#include "kv/filter/bound_filter.h"

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/filter/compare.h"

namespace orochi::kv {

namespace {

bool IsLogic(Operation operation) {
  return operation >= Operation::kAnd;
}

bool IsStringSearch(Operation operation) {
  return operation == Operation::kStartsWith || operation == Operation::kContains ||
         operation == Operation::kEndsWith;
}

std::string DescribeOperand(const Operand& operand) {
  const auto* field = std::get_if<FieldReference>(&operand);
  return field != nullptr ? StrCat("field '", field->name, "'") : std::string("a literal");
}

bool Search(Operation operation, const std::string& text, const std::string& part) {
  switch (operation) {
    case Operation::kStartsWith:
      return text.starts_with(part);
    case Operation::kEndsWith:
      return text.ends_with(part);
    default:
      return text.find(part) != std::string::npos;
  }
}

}  // namespace

Result<BoundFilter::BoundOperand> BoundFilter::BindOperand(const Operand& operand,
                                                           const Schema& schema) {
  BoundOperand bound;
  if (const auto* literal = std::get_if<Literal>(&operand)) {
    bound.type = literal->type;
    bound.literal = literal->value;
    return bound;
  }
  const std::string& name = std::get<FieldReference>(operand).name;
  auto const field = schema.FindField(name);
  if (!field) {
    return Status::FailedPrecondition(StrCat("there is no field '", name, "'"));
  }
  bound.is_field = true;
  bound.field = *field;
  bound.type = schema.field(*field).type();
  bound.nulls_last = schema.field(*field).order.nulls_last;
  return bound;
}

Result<BoundFilter::Node> BoundFilter::BindNode(const Expression& expression,
                                                const Schema& schema) {
  Node node{.operation = expression.operation, .operands = {}, .children = {}};
  auto const mismatch = [&](size_t operand, std::string_view expected) {
    return Status::FailedPrecondition(StrCat(
        OperationName(expression.operation), ": ", DescribeOperand(expression.operands[operand]),
        " is ", FieldTypeName(node.operands[operand].type), ", expected ", expected));
  };
  for (size_t index = 0; index < expression.operands.size(); ++index) {
    ASSIGN_OR_RETURN(BoundOperand bound, BindOperand(expression.operands[index], schema));
    node.operands.push_back(std::move(bound));
    if (IsLogic(expression.operation) && node.operands.back().type != FieldType::kBool) {
      return mismatch(index, "bool");
    }
  }
  if (IsStringSearch(expression.operation)) {
    FieldType const left = node.operands[0].type;
    if (left != FieldType::kText && left != FieldType::kBytes) {
      return mismatch(0, "text or bytes");
    }
    if (node.operands[1].type != left) {
      return mismatch(1, FieldTypeName(left));
    }
  } else if (expression.operation <= Operation::kLessOrEqual) {
    FieldType const left = node.operands[0].type;
    if (!AreComparable(left, node.operands[1].type)) {
      return mismatch(1, StrCat("what compares with ", FieldTypeName(left), ", the type of ",
                                DescribeOperand(expression.operands[0])));
    }
  }
  for (const Expression& child : expression.children) {
    ASSIGN_OR_RETURN(Node bound, BindNode(child, schema));
    node.children.push_back(std::move(bound));
  }
  return node;
}

Result<BoundFilter> BoundFilter::Bind(const Expression& filter, const Schema& schema) {
  RETURN_IF_ERROR(CheckShape(filter));
  auto root = BindNode(filter, schema);
  if (!root.ok()) {
    return std::move(root).status().WithContext(StrCat("filter on ", schema.Describe()));
  }
  BoundFilter bound;
  bound.root_ = *std::move(root);
  return bound;
}

Result<bool> BoundFilter::Evaluate(FieldSource& record) const {
  return EvaluateNode(root_, record);
}

bool BoundFilter::Compare(const Node& node, const Value& left, const Value& right) {
  const BoundOperand& a = node.operands[0];
  const BoundOperand& b = node.operands[1];
  auto order = std::strong_ordering::equal;
  if (IsNull(left) && !IsNull(right)) {
    order = b.nulls_last ? std::strong_ordering::greater : std::strong_ordering::less;
  } else if (IsNull(right) && !IsNull(left)) {
    order = a.nulls_last ? std::strong_ordering::less : std::strong_ordering::greater;
  } else if (!IsNull(left)) {
    order = CompareAcross(a.type, left, b.type, right);
  }
  switch (node.operation) {
    case Operation::kEqual:
      return order == 0;
    case Operation::kGreater:
      return order > 0;
    case Operation::kGreaterOrEqual:
      return order >= 0;
    case Operation::kLess:
      return order < 0;
    default:
      ASSERT(node.operation == Operation::kLessOrEqual);
      return order <= 0;
  }
}

Result<bool> BoundFilter::EvaluateLogic(const Node& node, FieldSource& record) {
  size_t yes_count = 0;
  bool null = false;
  for (const BoundOperand& operand : node.operands) {
    Value value = operand.literal;
    if (operand.is_field) {
      RETURN_IF_ERROR(record.Read(operand.field, value));
    }
    null = null || IsNull(value);
    yes_count += !IsNull(value) && std::get<bool>(value) ? 1 : 0;
  }
  size_t const count = node.operands.size() + node.children.size();
  for (const Node& child : node.children) {
    // Nothing later can change these two; types were checked when binding.
    if (null && node.operation != Operation::kNot) {
      return false;
    }
    ASSIGN_OR_RETURN(bool const yes, EvaluateNode(child, record));
    yes_count += yes ? 1 : 0;
    if (node.operation == Operation::kAnd && !yes) {
      return false;
    }
    if (node.operation == Operation::kOr && yes) {
      return true;
    }
  }
  switch (node.operation) {
    case Operation::kAnd:
      return yes_count == count;
    case Operation::kOr:
      return !null && yes_count > 0;
    case Operation::kXor:
      return !null && yes_count % 2 == 1;
    default:
      ASSERT(node.operation == Operation::kNot);
      return yes_count == 0;
  }
}

Result<bool> BoundFilter::EvaluateNode(const Node& node, FieldSource& record) {
  if (IsLogic(node.operation)) {
    return EvaluateLogic(node, record);
  }
  if (node.operation == Operation::kIsExactType) {
    return FieldTypeCode(node.operands[0].type) == std::get<uint64_t>(node.operands[1].literal);
  }
  Value values[2];
  for (size_t index = 0; index < node.operands.size(); ++index) {
    const BoundOperand& operand = node.operands[index];
    if (operand.is_field) {
      RETURN_IF_ERROR(record.Read(operand.field, values[index]));
    } else {
      values[index] = operand.literal;
    }
  }
  if (node.operation == Operation::kIsNull) {
    return IsNull(values[0]);
  }
  if (IsStringSearch(node.operation)) {
    if (IsNull(values[0]) || IsNull(values[1])) {
      return IsNull(values[1]);
    }
    return Search(node.operation, std::get<std::string>(values[0]),
                  std::get<std::string>(values[1]));
  }
  return Compare(node, values[0], values[1]);
}

}  // namespace orochi::kv
