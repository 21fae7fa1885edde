#include "kv/record/field_type.h"

#include <array>

#include "base/assert.h"

namespace orochi::kv {

namespace {

constexpr std::array<FieldTypeTraits, kFieldTypeMax> kTraits = {{
    {"bool", ValueKind::kBool, 1, 0},
    {"int16", ValueKind::kSigned, 2, 0},
    {"int32", ValueKind::kSigned, 4, 0},
    {"int64", ValueKind::kSigned, 8, 0},
    {"uint16", ValueKind::kUnsigned, 2, 0},
    {"uint32", ValueKind::kUnsigned, 4, 0},
    {"uint64", ValueKind::kUnsigned, 8, 0},
    {"float", ValueKind::kFloat, 4, 0},
    {"double", ValueKind::kDouble, 8, 0},
    {"decimal25", ValueKind::kDecimal, 0, 25},
    {"decimal50", ValueKind::kDecimal, 0, 50},
    {"decimal100", ValueKind::kDecimal, 0, 100},
    {"text", ValueKind::kString, 0, 0},
    {"bytes", ValueKind::kString, 0, 0},
    {"uuid", ValueKind::kUuid, 16, 0},
    {"timestamp", ValueKind::kSigned, 8, 0},
    {"fieldtype", ValueKind::kUnsigned, 1, 0},
}};

constexpr std::array<uint8_t, kFieldTypeMax> kCodes = {10, 2,  3,  4, 5,  6,  7,  8, 9,
                                                       11, 12, 13, 1, 64, 65, 66, 14};

}  // namespace

const FieldTypeTraits& TraitsOf(FieldType type) {
  auto const index = static_cast<size_t>(type) - kFieldTypeMin;
  ASSERT(index < kTraits.size());
  return kTraits[index];
}

std::optional<FieldType> FieldTypeFromNumber(uint64_t number) {
  if (number < kFieldTypeMin || number > kFieldTypeMax) {
    return std::nullopt;
  }
  return static_cast<FieldType>(number);
}

std::optional<FieldType> FieldTypeFromName(std::string_view name) {
  for (size_t index = 0; index < kTraits.size(); ++index) {
    if (kTraits[index].name == name) {
      return static_cast<FieldType>(index + kFieldTypeMin);
    }
  }
  return std::nullopt;
}

uint8_t FieldTypeCode(FieldType type) {
  return kCodes[static_cast<size_t>(type) - kFieldTypeMin];
}

std::optional<FieldType> FieldTypeFromCode(uint64_t code) {
  for (size_t index = 0; index < kCodes.size(); ++index) {
    if (kCodes[index] == code) {
      return static_cast<FieldType>(index + kFieldTypeMin);
    }
  }
  return std::nullopt;
}

}  // namespace orochi::kv
