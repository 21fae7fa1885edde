// Skipping: what the statistics of a chunk say about a filter before the chunk is read.

#include <algorithm>
#include <bit>
#include <cmath>

#include "vexec/column_filter.h"
#include "vexec/internal/order.h"

namespace orochi::vexec {
namespace {

using columnar::ChunkStatistics;
using columnar::PhysicalType;

/// How the values of a chunk lie to one literal.
struct Position {
  bool some_may_be_below;  // a value < literal is possible
  bool some_may_be_above;
  bool some_may_be_equal;
  bool all_are_equal;
};

bool MayMatchAt(const Position& position, CompareOp op) {
  switch (op) {
    case CompareOp::kEqual:
      return position.some_may_be_equal;
    case CompareOp::kNotEqual:
      return !position.all_are_equal;
    case CompareOp::kLess:
      return position.some_may_be_below;
    case CompareOp::kLessOrEqual:
      return position.some_may_be_below || position.some_may_be_equal;
    case CompareOp::kGreaterOrEqual:
      return position.some_may_be_above || position.some_may_be_equal;
    case CompareOp::kGreater:
      return position.some_may_be_above;
  }
  return true;
}

bool AlwaysMatchesAt(const Position& position, CompareOp op) {
  switch (op) {
    case CompareOp::kEqual:
      return position.all_are_equal;
    case CompareOp::kNotEqual:
      return !position.some_may_be_equal;
    case CompareOp::kLess:
      return !position.some_may_be_above && !position.some_may_be_equal;
    case CompareOp::kLessOrEqual:
      return !position.some_may_be_above;
    case CompareOp::kGreaterOrEqual:
      return !position.some_may_be_below;
    case CompareOp::kGreater:
      return !position.some_may_be_below && !position.some_may_be_equal;
  }
  return false;
}

template <class T, class Less>
Position Locate(T least, T greatest, T literal, Less less) {
  return {.some_may_be_below = less(least, literal),
          .some_may_be_above = less(literal, greatest),
          .some_may_be_equal = !less(literal, least) && !less(greatest, literal),
          .all_are_equal = !less(least, literal) && !less(literal, least) &&
                           !less(greatest, literal) && !less(literal, greatest)};
}

Position LocateBytes(const ChunkStatistics& statistics, std::string_view literal) {
  std::string_view const least = statistics.min_bytes;
  std::string_view const greatest = statistics.max_bytes;
  // A truncated greatest value stands for anything that starts with it.
  bool const above_all =
      greatest < literal && !(statistics.max_truncated && literal.starts_with(greatest));
  bool const exact = !statistics.min_truncated && !statistics.max_truncated;
  return {.some_may_be_below = least < literal,
          .some_may_be_above = statistics.max_truncated ? !above_all : literal < greatest,
          .some_may_be_equal = !(literal < least) && !above_all,
          .all_are_equal = exact && least == literal && greatest == literal};
}

Position LocateLiteral(PhysicalType type, const ChunkStatistics& statistics,
                       const Literal& literal) {
  auto const float_less = [](double left, double right) {
    return internal::FloatLess(left, right);
  };
  auto const single = [](uint64_t word) {
    return double{std::bit_cast<float>(static_cast<uint32_t>(word))};
  };
  switch (type) {
    case PhysicalType::kFloat32:
      return Locate(single(statistics.min_word), single(statistics.max_word), literal.real,
                    float_less);
    case PhysicalType::kFloat64:
      return Locate(std::bit_cast<double>(statistics.min_word),
                    std::bit_cast<double>(statistics.max_word), literal.real, float_less);
    case PhysicalType::kBytes:
      return LocateBytes(statistics, literal.bytes);
    case PhysicalType::kBool:
    case PhysicalType::kInt16:
    case PhysicalType::kInt32:
    case PhysicalType::kInt64:
      break;
  }
  return Locate(static_cast<int64_t>(statistics.min_word),
                static_cast<int64_t>(statistics.max_word), literal.integer,
                [](int64_t left, int64_t right) { return left < right; });
}

}  // namespace

bool ColumnFilter::MayMatch(const ChunkStatistics& statistics, uint32_t row_count,
                            uint32_t null_count) const {
  switch (kind_) {
    case Kind::kNever:
      return false;
    case Kind::kIsNull:
      return null_count > 0;
    case Kind::kIsNotNull:
      return null_count < row_count;
    case Kind::kCompare:
    case Kind::kAnyOf:
      break;
  }
  if (null_count >= row_count) {
    return false;
  }
  if (!statistics.has_range) {
    return !literals_.empty();
  }
  return std::any_of(literals_.begin(), literals_.end(), [&](const Literal& literal) {
    return MayMatchAt(LocateLiteral(type_, statistics, literal), op_);
  });
}

bool ColumnFilter::AlwaysMatches(const ChunkStatistics& statistics, uint32_t row_count,
                                 uint32_t null_count) const {
  switch (kind_) {
    case Kind::kNever:
      return false;
    case Kind::kIsNull:
      return null_count == row_count;
    case Kind::kIsNotNull:
      return null_count == 0;
    case Kind::kCompare:
    case Kind::kAnyOf:
      break;
  }
  if (null_count != 0 || !statistics.has_range) {
    return false;
  }
  return std::any_of(literals_.begin(), literals_.end(), [&](const Literal& literal) {
    return AlwaysMatchesAt(LocateLiteral(type_, statistics, literal), op_);
  });
}

}  // namespace orochi::vexec
