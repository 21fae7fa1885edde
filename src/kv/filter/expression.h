#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "kv/record/field_type.h"
#include "kv/record/value.h"

namespace orochi::kv {

/// What a filter's node does. The numbers are the chogori dialect's and in stored filters.
enum class Operation : uint8_t {
  kEqual = 0,
  kGreater = 1,
  kGreaterOrEqual = 2,
  kLess = 3,
  kLessOrEqual = 4,
  kIsNull = 5,
  kIsExactType = 6,
  kStartsWith = 7,
  kContains = 8,
  kEndsWith = 9,
  kAnd = 10,
  kOr = 11,
  kXor = 12,
  kNot = 13,
};
inline constexpr uint8_t kOperationMax = 13;

/// "EQ", "GT", ...: the names of the dialect and of our JSON.
std::string_view OperationName(Operation operation);
std::optional<Operation> OperationFromName(std::string_view name);

struct FieldReference {
  std::string name;
  friend bool operator==(const FieldReference&, const FieldReference&) = default;
};

struct Literal {
  FieldType type = FieldType::kBool;
  Value value;  // not NULL
  friend bool operator==(const Literal&, const Literal&) = default;
};

using Operand = std::variant<FieldReference, Literal>;

inline constexpr size_t kFilterDepthMax = 32;
inline constexpr size_t kFilterNodeCountMax = 1024;  // expressions and operands

/// A condition on one record, as a tree.
///
///   EQ GT GTE LT LTE                  two operands
///   STARTS_WITH CONTAINS ENDS_WITH    two operands, both text or both bytes
///   IS_NULL                           one field
///   IS_EXACT_TYPE                     a field, then a literal of type fieldtype
///   AND OR XOR                        one or more bool operands and expressions
///   NOT                               one bool operand or expression
///
/// Meaning (the dialect's, but for numbers, which compare by value here; in C++ -1 > 1u):
/// - Answers are yes or no, never unknown.
/// - All numbers, bool as 0 and 1 with them, compare with each other; text with text, bytes with
///   bytes, uuid with uuid, timestamp with timestamp, fieldtype with fieldtype. -0 equals 0; NaN
///   equals NaN and is greater than all else.
/// - NULL equals NULL. Otherwise NULL is less than the other operand, but greater than a field that
///   puts its NULLs last. So `f LT 5` and `f LTE 5` hold where f is NULL.
/// - Every text starts with, contains and ends with NULL; else NULL does none of it.
/// - A bool operand that is NULL makes AND, OR and XOR no, and NOT yes. XOR is yes for an odd
/// number
///   of yes.
/// - IS_EXACT_TYPE asks for the type in the schema version that wrote the record, NULL or not.
/// - A filter that does not fit the schema version of a record, by a field that is not there or
/// types
///   that do not compare, anywhere in it, also under OR and NOT, rejects the record.
struct Expression {
  Operation operation = Operation::kAnd;
  std::vector<Operand> operands = {};
  std::vector<Expression> children = {};

  friend bool operator==(const Expression&, const Expression&) = default;
};

/// Counts, kinds and literals as above, within the bounds. kInvalidArgument says where: "AND child
/// 1: EQ: has 1 operands, expected 2".
Status CheckShape(const Expression& filter);

}  // namespace orochi::kv
