#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "vexec/column_filter.h"

/// The orders of values that filters, skipping and min/max agree on.
namespace orochi::vexec::internal {

/// PostgreSQL's order of floats: -0.0 equals 0.0, NaN equals NaN and is above everything.
template <class Float>
bool FloatLess(Float left, Float right) {
  if (std::isnan(left)) {
    return false;
  }
  return std::isnan(right) || left < right;
}

inline std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Bytewise as unsigned, shorter first: what string_view's comparison is.
inline bool LiteralLess(columnar::PhysicalType type, const Literal& left, const Literal& right) {
  switch (type) {
    case columnar::PhysicalType::kFloat32:
    case columnar::PhysicalType::kFloat64:
      return FloatLess(left.real, right.real);
    case columnar::PhysicalType::kBytes:
      return left.bytes < right.bytes;
    case columnar::PhysicalType::kBool:
    case columnar::PhysicalType::kInt16:
    case columnar::PhysicalType::kInt32:
    case columnar::PhysicalType::kInt64:
      break;
  }
  return left.integer < right.integer;
}

}  // namespace orochi::vexec::internal
