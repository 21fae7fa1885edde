#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace orochi::kv {

/// What a field may hold. The numbers are in stored schemas and filters: they never change.
///
/// The set is what PostgreSQL's tables need (uuid, bytes, timestamp) and all that the chogori
/// dialect has (unsigned integers, three decimals, the type of types), so that every schema of
/// theirs is one of ours.
enum class FieldType : uint8_t {
  kBool = 1,
  kInt16 = 2,
  kInt32 = 3,
  kInt64 = 4,
  kUint16 = 5,
  kUint32 = 6,
  kUint64 = 7,
  kFloat = 8,
  kDouble = 9,
  kDecimal25 = 10,   // at most 25 significant digits
  kDecimal50 = 11,   // at most 50
  kDecimal100 = 12,  // at most 100
  kText = 13,        // bytes meant as UTF-8; not checked, since the dialect's strings are any bytes
  kBytes = 14,
  kUuid = 15,
  kTimestamp = 16,  // microseconds since 1970-01-01 00:00:00 UTC
  kFieldType = 17,  // a type as a value, by its code
};
inline constexpr uint8_t kFieldTypeMin = 1;
inline constexpr uint8_t kFieldTypeMax = 17;

/// Which alternative of Value a type's values are.
enum class ValueKind : uint8_t {
  kBool,
  kSigned,
  kUnsigned,
  kFloat,
  kDouble,
  kDecimal,
  kString,
  kUuid
};

struct FieldTypeTraits {
  std::string_view name;
  ValueKind kind;
  size_t width_bytes;  // of a stored value; 0: of any length
  size_t digits_max;   // of a decimal, else 0
};

/// REQUIRES: a type of the enum. Numbers from disk or wire go through FieldTypeFromNumber first.
const FieldTypeTraits& TraitsOf(FieldType type);
inline std::string_view FieldTypeName(FieldType type) {
  return TraitsOf(type).name;
}

std::optional<FieldType> FieldTypeFromNumber(uint64_t number);
std::optional<FieldType> FieldTypeFromName(std::string_view name);

/// A type as a value of a fieldtype field or literal: the dialect's number where it has the type
/// (STRING 1 to FIELD_TYPE 14), else 64 and following.
uint8_t FieldTypeCode(FieldType type);
std::optional<FieldType> FieldTypeFromCode(uint64_t code);

}  // namespace orochi::kv
