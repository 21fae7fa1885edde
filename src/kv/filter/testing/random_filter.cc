#include "kv/filter/testing/random_filter.h"

#include <cmath>

#include "kv/record/testing/random_record.h"

namespace orochi::kv::testing {

namespace {

FieldReference RandomField(const Schema& schema, Random& random) {
  if (random.OneIn(60)) {
    return {"missing"};
  }
  size_t const count = random.OneIn(2) ? schema.key_fields().size() : schema.field_count();
  return {schema.field(random.Below(count)).name};
}

bool IsNumber(FieldType type) {
  return type <= FieldType::kDecimal100;
}

Literal RandomLiteral(FieldType like, Random& random) {
  FieldType type = like;
  if (IsNumber(like) && random.OneIn(3)) {
    type = static_cast<FieldType>(kFieldTypeMin + random.Below(12));
  } else if (random.OneIn(60)) {
    type = RandomType(random);
  }
  return {type, RandomValue(type, random)};
}

FieldType TypeOf(const Schema& schema, const FieldReference& field) {
  auto const index = schema.FindField(field.name);
  return index ? schema.field(*index).type() : FieldType::kInt64;
}

Expression RandomLeaf(const Schema& schema, Random& random) {
  FieldReference const field = RandomField(schema, random);
  FieldType const type = TypeOf(schema, field);
  Expression leaf;
  uint64_t const choice = random.Below(10);
  if (choice == 0) {
    return {Operation::kIsNull, {field}, {}};
  }
  if (choice == 1) {
    FieldType const asked = random.OneIn(2) ? type : RandomType(random);
    return {Operation::kIsExactType,
            {field, Literal{FieldType::kFieldType, uint64_t{FieldTypeCode(asked)}}},
            {}};
  }
  bool const string = type == FieldType::kText || type == FieldType::kBytes;
  if (string && choice < 6) {
    leaf.operation = static_cast<Operation>(7 + random.Below(3));
  } else {
    leaf.operation = static_cast<Operation>(random.OneIn(3) ? 0 : random.Below(5));
  }
  leaf.operands.push_back(field);
  if (random.OneIn(6)) {
    leaf.operands.push_back(RandomField(schema, random));
  } else {
    leaf.operands.push_back(RandomLiteral(type, random));
  }
  if (random.OneIn(5)) {
    std::swap(leaf.operands[0], leaf.operands[1]);
  }
  return leaf;
}

Expression RandomNode(const Schema& schema, size_t depth, Random& random) {
  if (depth == 0 || random.OneIn(3)) {
    return RandomLeaf(schema, random);
  }
  Expression node;
  constexpr Operation kLogic[] = {Operation::kAnd, Operation::kAnd, Operation::kAnd,
                                  Operation::kOr,  Operation::kXor, Operation::kNot};
  node.operation = kLogic[random.Below(std::size(kLogic))];
  uint64_t const count = node.operation == Operation::kNot ? 1 : 1 + random.Below(4);
  for (uint64_t index = 0; index < count; ++index) {
    FieldReference const field = RandomField(schema, random);
    if (TypeOf(schema, field) == FieldType::kBool && schema.FindField(field.name)) {
      node.operands.push_back(field);
    } else {
      node.children.push_back(RandomNode(schema, depth - 1, random));
    }
  }
  return node;
}

struct Typed {
  FieldType type;
  Value value;
  bool nulls_last;
};

std::optional<Typed> Look(const Operand& operand, const Schema& schema,
                          std::span<const Value> record) {
  if (const auto* literal = std::get_if<Literal>(&operand)) {
    return Typed{literal->type, literal->value, false};
  }
  auto const index = schema.FindField(std::get<FieldReference>(operand).name);
  if (!index) {
    return std::nullopt;
  }
  return Typed{schema.field(*index).type(), record[*index], schema.field(*index).order.nulls_last};
}

// Rank (-inf, finite, +inf, NaN) and number.
std::pair<int, Decimal> AsNumber(const Value& value) {
  double number = 0;
  if (const auto* flag = std::get_if<bool>(&value)) {
    return {0, Decimal::FromUnsigned(*flag ? 1 : 0)};
  }
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    return {0, Decimal::FromSigned(*integer)};
  }
  if (const auto* integer = std::get_if<uint64_t>(&value)) {
    return {0, Decimal::FromUnsigned(*integer)};
  }
  if (const auto* decimal = std::get_if<Decimal>(&value)) {
    return {0, *decimal};
  }
  if (const auto* narrow = std::get_if<float>(&value)) {
    number = *narrow;
  } else {
    number = std::get<double>(value);
  }
  if (std::isnan(number)) {
    return {2, {}};
  }
  if (std::isinf(number)) {
    return {number < 0 ? -1 : 1, {}};
  }
  return {0, Decimal::FromDouble(number)};
}

std::strong_ordering PlainCompare(const Typed& left, const Typed& right) {
  if (IsNull(left.value) && IsNull(right.value)) {
    return std::strong_ordering::equal;
  }
  if (IsNull(left.value)) {
    return right.nulls_last ? std::strong_ordering::greater : std::strong_ordering::less;
  }
  if (IsNull(right.value)) {
    return left.nulls_last ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  if (!IsNumber(left.type)) {
    return CompareValues(left.type, left.value, right.value);
  }
  auto const left_number = AsNumber(left.value);
  auto const right_number = AsNumber(right.value);
  if (left_number.first != right_number.first) {
    return left_number.first <=> right_number.first;
  }
  return left_number.second <=> right_number.second;
}

std::optional<bool> PlainLogic(const Expression& node, const Schema& schema,
                               std::span<const Value> record) {
  bool null = false;
  std::vector<bool> answers;
  for (const Operand& operand : node.operands) {
    auto const typed = Look(operand, schema, record);
    if (!typed || typed->type != FieldType::kBool) {
      return std::nullopt;
    }
    null = null || IsNull(typed->value);
    answers.push_back(!IsNull(typed->value) && std::get<bool>(typed->value));
  }
  for (const Expression& child : node.children) {
    auto const answer = PlainEvaluate(child, schema, record);
    if (!answer) {
      return std::nullopt;
    }
    answers.push_back(*answer);
  }
  if (node.operation == Operation::kNot) {
    return !answers[0];
  }
  bool all = true;
  bool any = false;
  bool odd = false;
  for (bool const answer : answers) {
    all = all && answer;
    any = any || answer;
    odd = odd != answer;
  }
  bool const answer = node.operation == Operation::kAnd  ? all
                      : node.operation == Operation::kOr ? any
                                                         : odd;
  return answer && !null;
}

}  // namespace

Expression RandomFilter(const Schema& schema, Random& random) {
  return RandomNode(schema, random.Below(4), random);
}

std::optional<bool> PlainEvaluate(const Expression& filter, const Schema& schema,
                                  std::span<const Value> record) {
  if (filter.operation >= Operation::kAnd) {
    return PlainLogic(filter, schema, record);
  }
  std::vector<Typed> operands;
  for (const Operand& operand : filter.operands) {
    auto typed = Look(operand, schema, record);
    if (!typed) {
      return std::nullopt;
    }
    operands.push_back(*std::move(typed));
  }
  switch (filter.operation) {
    case Operation::kIsNull:
      return IsNull(operands[0].value);
    case Operation::kIsExactType:
      return FieldTypeCode(operands[0].type) == std::get<uint64_t>(operands[1].value);
    case Operation::kStartsWith:
    case Operation::kContains:
    case Operation::kEndsWith: {
      bool const string =
          operands[0].type == FieldType::kText || operands[0].type == FieldType::kBytes;
      if (!string || operands[1].type != operands[0].type) {
        return std::nullopt;
      }
      if (IsNull(operands[1].value)) {
        return true;
      }
      if (IsNull(operands[0].value)) {
        return false;
      }
      const auto& text = std::get<std::string>(operands[0].value);
      const auto& part = std::get<std::string>(operands[1].value);
      if (part.size() > text.size()) {
        return false;
      }
      return filter.operation == Operation::kStartsWith ? text.compare(0, part.size(), part) == 0
             : filter.operation == Operation::kEndsWith
                 ? text.compare(text.size() - part.size(), part.size(), part) == 0
                 : text.find(part) != std::string::npos;
    }
    default:
      break;
  }
  bool const comparable = IsNumber(operands[0].type) ? IsNumber(operands[1].type)
                                                     : operands[0].type == operands[1].type;
  if (!comparable) {
    return std::nullopt;
  }
  auto const order = PlainCompare(operands[0], operands[1]);
  switch (filter.operation) {
    case Operation::kEqual:
      return order == 0;
    case Operation::kGreater:
      return order > 0;
    case Operation::kGreaterOrEqual:
      return order >= 0;
    case Operation::kLess:
      return order < 0;
    default:
      return order <= 0;
  }
}

}  // namespace orochi::kv::testing
