#include "kv/filter/key_bounds.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/assert.h"
#include "kv/filter/bound_filter.h"
#include "kv/record/key_codec.h"

namespace orochi::kv {

namespace {

// `field operation value`, with value of the field's type.
struct Condition {
  uint32_t field = 0;
  Operation operation = Operation::kEqual;
  Value value;
};

Operation Mirrored(Operation operation) {
  switch (operation) {
    case Operation::kGreater:
      return Operation::kLess;
    case Operation::kGreaterOrEqual:
      return Operation::kLessOrEqual;
    case Operation::kLess:
      return Operation::kGreater;
    case Operation::kLessOrEqual:
      return Operation::kGreaterOrEqual;
    default:
      return operation;
  }
}

// The same number as a value of `type`, where that is exact; conversions that filters need in
// practice, others leave the literal to the filter.
std::optional<Value> Convert(const Literal& literal, FieldType type) {
  Value value = literal.value;
  if (TraitsOf(literal.type).kind != TraitsOf(type).kind) {
    ValueKind const kind = TraitsOf(type).kind;
    if (const auto* number = std::get_if<int64_t>(&literal.value);
        number != nullptr && kind == ValueKind::kUnsigned && *number >= 0) {
      value = static_cast<uint64_t>(*number);
    } else if (const auto* unsigned_number = std::get_if<uint64_t>(&literal.value);
               unsigned_number != nullptr && kind == ValueKind::kSigned &&
               *unsigned_number <= INT64_MAX) {
      value = static_cast<int64_t>(*unsigned_number);
    } else if (const auto* narrow = std::get_if<float>(&literal.value);
               narrow != nullptr && kind == ValueKind::kDouble) {
      value = double{*narrow};
    } else {
      return std::nullopt;
    }
  }
  if (!CheckValue(type, value).ok()) {
    return std::nullopt;
  }
  return value;
}

class Collector {
 public:
  explicit Collector(const Schema& schema) : schema_(schema) {}

  void Collect(const Expression& node) {
    switch (node.operation) {
      case Operation::kAnd:
        for (const Operand& operand : node.operands) {
          Add(operand, Operation::kEqual, Literal{FieldType::kBool, true});
        }
        for (const Expression& child : node.children) {
          Collect(child);
        }
        return;
      case Operation::kIsNull:
        if (auto const field = KeyField(node.operands[0])) {
          conditions.push_back({*field, Operation::kIsNull, Null()});
        }
        return;
      case Operation::kEqual:
      case Operation::kGreater:
      case Operation::kGreaterOrEqual:
      case Operation::kLess:
      case Operation::kLessOrEqual:
        Add(node.operands[0], node.operation, node.operands[1]);
        Add(node.operands[1], Mirrored(node.operation), node.operands[0]);
        return;
      case Operation::kStartsWith:
        Add(node.operands[0], node.operation, node.operands[1]);
        return;
      default:
        return;
    }
  }

  std::vector<Condition> conditions;

 private:
  std::optional<uint32_t> KeyField(const Operand& operand) const {
    const auto* reference = std::get_if<FieldReference>(&operand);
    if (reference == nullptr) {
      return std::nullopt;
    }
    auto const field = schema_.FindField(reference->name);
    return field && schema_.IsKeyField(*field) ? field : std::nullopt;
  }

  void Add(const Operand& left, Operation operation, const Operand& right) {
    auto const field = KeyField(left);
    const auto* literal = std::get_if<Literal>(&right);
    if (!field || literal == nullptr) {
      return;
    }
    if (auto value = Convert(*literal, schema_.field(*field).type())) {
      conditions.push_back({*field, operation, *std::move(value)});
    }
  }

  const Schema& schema_;
};

ByteRange Hull(const ByteRange& left, const ByteRange& right) {
  return {std::min(left.begin, right.begin), std::max(left.end, right.end)};
}

// Bytes of the keys that begin with `before` and whose next field meets the condition.
ByteRange RangeOf(const std::string& before, const FieldOrder& order, const Condition& condition) {
  std::string nulls = before;
  AppendKeyField(nulls, order, Null());
  if (condition.operation == Operation::kIsNull) {
    return PrefixRange(nulls);
  }
  std::string exact = before;
  if (condition.operation == Operation::kStartsWith) {
    AppendKeyFieldPrefix(exact, order, std::get<std::string>(condition.value));
    return PrefixRange(exact);
  }
  AppendKeyField(exact, order, condition.value);
  ByteRange const equal = PrefixRange(exact);
  // The byte that says a value follows is the same for all values.
  ByteRange const values = PrefixRange(std::string_view(exact).substr(0, before.size() + 1));
  bool const upwards = (condition.operation == Operation::kGreater ||
                        condition.operation == Operation::kGreaterOrEqual) != order.descending;
  bool const inclusive = condition.operation == Operation::kGreaterOrEqual ||
                         condition.operation == Operation::kLessOrEqual;
  switch (condition.operation) {
    case Operation::kEqual:
      return equal;
    case Operation::kGreater:
    case Operation::kGreaterOrEqual:
      return upwards ? ByteRange{inclusive ? equal.begin : equal.end, values.end}
                     : ByteRange{values.begin, inclusive ? equal.end : equal.begin};
    default: {
      ASSERT(condition.operation == Operation::kLess ||
             condition.operation == Operation::kLessOrEqual);
      // NULL is less than any literal.
      ByteRange const less = upwards ? ByteRange{inclusive ? equal.begin : equal.end, values.end}
                                     : ByteRange{values.begin, inclusive ? equal.end : equal.begin};
      return Hull(less, PrefixRange(nulls));
    }
  }
}

std::optional<ByteRange> BoundsOfConjunction(const Expression& filter, const KeySpace& space,
                                             const Schema& schema) {
  Collector collector(schema);
  collector.Collect(filter);
  std::vector<Value> fixed;
  for (uint32_t const field : schema.key_fields()) {
    auto const& conditions = collector.conditions;
    auto const found =
        std::find_if(conditions.begin(), conditions.end(), [field](const Condition& condition) {
          return condition.field == field && (condition.operation == Operation::kEqual ||
                                              condition.operation == Operation::kIsNull);
        });
    if (found == conditions.end()) {
      break;
    }
    fixed.push_back(found->value);
  }
  auto const prefix = EncodeStorageKeyPrefix(space, schema, fixed);
  if (!prefix.ok() || !*prefix) {
    return std::nullopt;
  }
  ByteRange range = PrefixRange(**prefix);
  bool restricted = !fixed.empty();
  if (fixed.size() < schema.key_fields().size()) {
    uint32_t const field = schema.key_fields()[fixed.size()];
    for (const Condition& condition : collector.conditions) {
      if (condition.field == field) {
        range = Intersect(range, RangeOf(**prefix, schema.field(field).order, condition));
        restricted = true;
      }
    }
  }
  if (!restricted) {
    return std::nullopt;
  }
  return range;
}

// Sorted, without overlaps and without empty ones.
std::vector<ByteRange> Merge(std::vector<ByteRange> spans) {
  std::erase_if(spans, [](const ByteRange& span) { return span.empty(); });
  std::sort(spans.begin(), spans.end(),
            [](const ByteRange& left, const ByteRange& right) { return left.begin < right.begin; });
  std::vector<ByteRange> merged;
  for (ByteRange& span : spans) {
    if (!merged.empty() && span.begin <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, span.end);
    } else {
      merged.push_back(std::move(span));
    }
  }
  if (merged.size() > kKeySpanCountMax) {
    merged = {{merged.front().begin, merged.back().end}};
  }
  return merged;
}

std::vector<ByteRange> IntersectAll(const std::vector<ByteRange>& left,
                                    const std::vector<ByteRange>& right) {
  std::vector<ByteRange> both;
  for (const ByteRange& one : left) {
    for (const ByteRange& other : right) {
      both.push_back(Intersect(one, other));
    }
  }
  return Merge(std::move(both));
}

// REQUIRES: the filter fits the schema.
std::optional<std::vector<ByteRange>> SpansOf(const Expression& node, const KeySpace& space,
                                              const Schema& schema) {
  if (node.operation == Operation::kOr) {
    std::vector<ByteRange> spans;
    for (const Expression& child : node.children) {
      auto const part = SpansOf(child, space, schema);
      if (!part) {
        return std::nullopt;
      }
      spans.insert(spans.end(), part->begin(), part->end());
    }
    return node.operands.empty() ? std::optional(Merge(std::move(spans))) : std::nullopt;
  }
  std::optional<std::vector<ByteRange>> spans;
  if (auto const bounds = BoundsOfConjunction(node, space, schema)) {
    spans = Merge({*bounds});
  }
  if (node.operation == Operation::kAnd) {
    for (const Expression& child : node.children) {
      auto const part = SpansOf(child, space, schema);
      if (part) {
        spans = spans ? IntersectAll(*spans, *part) : *part;
      }
    }
  }
  return spans;
}

}  // namespace

ByteRange Intersect(const ByteRange& left, const ByteRange& right) {
  return {std::max(left.begin, right.begin), std::min(left.end, right.end)};
}

std::optional<ByteRange> KeyBoundsOf(const Expression& filter, const KeySpace& space,
                                     const Schema& schema) {
  if (!BoundFilter::Bind(filter, schema).ok()) {
    return std::nullopt;
  }
  return BoundsOfConjunction(filter, space, schema);
}

std::optional<std::vector<ByteRange>> KeySpansOf(const Expression& filter, const KeySpace& space,
                                                 const Schema& schema) {
  if (!BoundFilter::Bind(filter, schema).ok()) {
    return std::nullopt;
  }
  return SpansOf(filter, space, schema);
}

}  // namespace orochi::kv
