#pragma once

#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "columnar/testing/memory_stripe.h"

namespace orochi::columnar::testing {

inline constexpr PhysicalType kEveryType[] = {
    PhysicalType::kBool,    PhysicalType::kInt16,   PhysicalType::kInt32, PhysicalType::kInt64,
    PhysicalType::kFloat32, PhysicalType::kFloat64, PhysicalType::kBytes};

/// How the values of a column relate to each other: each suits another encoding.
enum class ColumnShape { kConstant, kRuns, kSteps, kFew, kDecimals, kAny, kEdges };
inline constexpr ColumnShape kEveryShape[] = {
    ColumnShape::kConstant, ColumnShape::kRuns, ColumnShape::kSteps, ColumnShape::kFew,
    ColumnShape::kDecimals, ColumnShape::kAny,  ColumnShape::kEdges};

/// Which rows are NULL.
enum class NullPattern { kNone, kAll, kFirst, kLast, kAlternating, kRare, kOften };
inline constexpr NullPattern kEveryNullPattern[] = {
    NullPattern::kNone,        NullPattern::kAll,  NullPattern::kFirst, NullPattern::kLast,
    NullPattern::kAlternating, NullPattern::kRare, NullPattern::kOften};

inline bool IsNullAt(NullPattern pattern, uint32_t row, uint32_t row_count, Random& random) {
  switch (pattern) {
    case NullPattern::kNone:
      return false;
    case NullPattern::kAll:
      return true;
    case NullPattern::kFirst:
      return row == 0;
    case NullPattern::kLast:
      return row + 1 == row_count;
    case NullPattern::kAlternating:
      return row % 2 == 1;
    case NullPattern::kRare:
      return random.OneIn(100);
    case NullPattern::kOften:
      return !random.OneIn(10);
  }
  return false;
}

/// Words at the borders of each type.
inline uint64_t EdgeWord(PhysicalType type, Random& random) {
  using Limits = std::numeric_limits<double>;
  constexpr int64_t kIntegers[] = {std::numeric_limits<int64_t>::min(),
                                   std::numeric_limits<int64_t>::max(),
                                   INT32_MIN,
                                   INT32_MAX,
                                   INT16_MIN,
                                   INT16_MAX,
                                   -1,
                                   0,
                                   1};
  const double doubles[] = {0.0,           -0.0,          Limits::infinity(),   -Limits::infinity(),
                            Limits::max(), Limits::min(), Limits::denorm_min(), Limits::quiet_NaN(),
                            0.1,           -1e-300};
  if (type == PhysicalType::kFloat64) {
    return std::bit_cast<uint64_t>(doubles[random.Below(std::size(doubles))]);
  }
  if (type == PhysicalType::kFloat32) {
    constexpr uint32_t kFloats[] = {0x00000000, 0x80000000, 0x7F800000, 0xFF800000,
                                    0x7FC00000, 0x7FA00001, 0x00000001, 0x3DCCCCCD};
    return kFloats[random.Below(std::size(kFloats))];
  }
  return static_cast<uint64_t>(kIntegers[random.Below(std::size(kIntegers))]);
}

inline uint64_t FloatWord(PhysicalType type, double value) {
  return type == PhysicalType::kFloat32 ? std::bit_cast<uint32_t>(static_cast<float>(value))
                                        : std::bit_cast<uint64_t>(value);
}

inline std::string RandomText(size_t size_bytes_max, Random& random) {
  std::string text(random.Below(size_bytes_max + 1), '\0');
  for (char& c : text) {
    c = static_cast<char>(random.Next());
  }
  return text;
}

/// Row `row` of a column. `few` is fixed per column: what kConstant, kRuns and kFew choose from.
inline OwnedCell ShapedCell(PhysicalType type, ColumnShape shape, uint32_t row,
                            const std::vector<OwnedCell>& few, Random& random) {
  bool const is_float = type == PhysicalType::kFloat32 || type == PhysicalType::kFloat64;
  switch (shape) {
    case ColumnShape::kConstant:
      return few[0];
    case ColumnShape::kRuns:
      return few[row / 37 % few.size()];
    case ColumnShape::kFew:
      return few[random.Below(few.size())];
    case ColumnShape::kSteps:
      if (type == PhysicalType::kBytes) {
        return OwnedCell::Bytes("row " + std::to_string(row));
      }
      return OwnedCell::Word(type, is_float ? FloatWord(type, row * 0.5) : row * 10);
    case ColumnShape::kDecimals:
      if (type == PhysicalType::kBytes) {
        return OwnedCell::Bytes(std::to_string(random.Below(100'000)));
      }
      return OwnedCell::Word(type, is_float ? FloatWord(type, std::round(random.Unit() * 1e4) / 100)
                                            : random.Below(10'000));
    case ColumnShape::kEdges:
      if (type == PhysicalType::kBytes) {
        return OwnedCell::Bytes(std::string(random.Below(3) * 40, '\xFF'));
      }
      return OwnedCell::Word(type, EdgeWord(type, random));
    case ColumnShape::kAny:
      return type == PhysicalType::kBytes ? OwnedCell::Bytes(RandomText(40, random))
                                          : OwnedCell::Word(type, random.Next());
  }
  return OwnedCell::Null();
}

inline std::vector<OwnedCell> MakeColumn(PhysicalType type, ColumnShape shape, NullPattern nulls,
                                         uint32_t row_count, Random& random) {
  std::vector<OwnedCell> few;
  for (int index = 0; index < 5; ++index) {
    few.push_back(ShapedCell(type, ColumnShape::kAny, 0, {}, random));
  }
  std::vector<OwnedCell> column;
  for (uint32_t row = 0; row < row_count; ++row) {
    column.push_back(IsNullAt(nulls, row, row_count, random)
                         ? OwnedCell::Null()
                         : ShapedCell(type, shape, row, few, random));
  }
  return column;
}

}  // namespace orochi::columnar::testing
