#include "vexec/column_filter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "vexec/internal/order.h"

namespace orochi::vexec {
namespace {

using columnar::ColumnVector;
using columnar::PhysicalType;
using internal::AsText;
using internal::FloatLess;
using internal::LiteralLess;

// Lists up to this long are tried one equality after the other, which vectorises; longer ones are
// searched by bisection.
constexpr size_t kShortList = 8;

// Eight bytes of 0 or 1 become eight bits: the product moves bit 8 * i to bit 56 + i.
uint64_t PackFlags(const uint8_t* flags) {
  uint64_t eight_flags;
  std::memcpy(&eight_flags, flags, sizeof(eight_flags));
  return (eight_flags * 0x0102040810204080u) >> 56;
}

/// Intersects `selection` with the rows whose value passes. Whole words of 64 rows go through a
/// branch-free loop over bytes, which the compiler vectorises; words nobody selected are skipped.
template <class T, class Test>
void KeepWhere(const ColumnVector& column, Selection& selection, Test test) {
  std::span<const T> const values = column.Values<T>();
  std::span<const uint64_t> const words = selection.words();
  for (uint32_t index = 0; index < words.size(); ++index) {
    if (words[index] == 0) {
      continue;
    }
    uint32_t const first_row = index * 64;
    uint32_t const rows = std::min<uint32_t>(64, column.row_count - first_row);
    std::array<uint8_t, 64> flags;
    const T* const word_values = values.data() + first_row;
    if (rows == 64) {
      for (uint32_t i = 0; i < 64; ++i) {
        flags[i] = test(word_values[i]) ? 1 : 0;
      }
    } else {
      flags.fill(0);
      for (uint32_t i = 0; i < rows; ++i) {
        flags[i] = test(word_values[i]) ? 1 : 0;
      }
    }
    uint64_t keep = 0;
    for (uint32_t i = 0; i < 64; i += 8) {
      keep |= PackFlags(&flags[i]) << i;
    }
    selection.IntersectWord(index, keep);
  }
}

template <class T>
void CompareIntegers(const ColumnVector& column, CompareOp op, int64_t literal,
                     Selection& selection) {
  constexpr int64_t kLeast = std::numeric_limits<T>::min();
  constexpr int64_t kGreatest = std::numeric_limits<T>::max();
  if (literal < kLeast || literal > kGreatest) {  // decided by the literal alone
    bool const above = literal > kGreatest;
    bool const keep = op == CompareOp::kNotEqual ||
                      (above ? op == CompareOp::kLess || op == CompareOp::kLessOrEqual
                             : op == CompareOp::kGreater || op == CompareOp::kGreaterOrEqual);
    if (!keep) {
      selection.Clear();
    }
    return;
  }
  auto const other = static_cast<T>(literal);
  switch (op) {
    case CompareOp::kEqual:
      return KeepWhere<T>(column, selection, [other](T value) { return value == other; });
    case CompareOp::kNotEqual:
      return KeepWhere<T>(column, selection, [other](T value) { return value != other; });
    case CompareOp::kLess:
      return KeepWhere<T>(column, selection, [other](T value) { return value < other; });
    case CompareOp::kLessOrEqual:
      return KeepWhere<T>(column, selection, [other](T value) { return value <= other; });
    case CompareOp::kGreaterOrEqual:
      return KeepWhere<T>(column, selection, [other](T value) { return value >= other; });
    case CompareOp::kGreater:
      return KeepWhere<T>(column, selection, [other](T value) { return value > other; });
  }
}

template <class T>
void CompareFloatsWithNan(const ColumnVector& column, CompareOp op, Selection& selection) {
  switch (op) {
    case CompareOp::kEqual:
    case CompareOp::kGreaterOrEqual:
      return KeepWhere<T>(column, selection, [](T value) { return value != value; });
    case CompareOp::kNotEqual:
    case CompareOp::kLess:
      return KeepWhere<T>(column, selection, [](T value) { return value == value; });
    case CompareOp::kLessOrEqual:
      return;
    case CompareOp::kGreater:
      return selection.Clear();
  }
}

// Every test below is false for a NaN value where NaN, as the greatest value, must fail, and true
// where it must pass.
template <class T>
void CompareFloats(const ColumnVector& column, CompareOp op, double other, Selection& selection) {
  if (std::isnan(other)) {
    return CompareFloatsWithNan<T>(column, op, selection);
  }
  switch (op) {
    case CompareOp::kEqual:
      return KeepWhere<T>(column, selection, [other](T value) { return value == other; });
    case CompareOp::kNotEqual:
      return KeepWhere<T>(column, selection, [other](T value) { return value != other; });
    case CompareOp::kLess:
      return KeepWhere<T>(column, selection, [other](T value) { return value < other; });
    case CompareOp::kLessOrEqual:
      return KeepWhere<T>(column, selection, [other](T value) { return value <= other; });
    case CompareOp::kGreaterOrEqual:
      return KeepWhere<T>(column, selection, [other](T value) { return !(value < other); });
    case CompareOp::kGreater:
      return KeepWhere<T>(column, selection, [other](T value) { return !(value <= other); });
  }
}

template <class Test>
void KeepBytesWhere(const ColumnVector& column, Selection& selection, Test test) {
  ForEachValue(column, selection, [&](uint32_t row) {
    if (!test(AsText(column.BytesAt(row)))) {
      selection.Remove(row);
    }
  });
}

void CompareBytes(const ColumnVector& column, CompareOp op, std::string_view other,
                  Selection& selection) {
  using Text = std::string_view;
  switch (op) {
    case CompareOp::kEqual:
      return KeepBytesWhere(column, selection, [other](Text value) { return value == other; });
    case CompareOp::kNotEqual:
      return KeepBytesWhere(column, selection, [other](Text value) { return value != other; });
    case CompareOp::kLess:
      return KeepBytesWhere(column, selection, [other](Text value) { return value < other; });
    case CompareOp::kLessOrEqual:
      return KeepBytesWhere(column, selection, [other](Text value) { return value <= other; });
    case CompareOp::kGreaterOrEqual:
      return KeepBytesWhere(column, selection, [other](Text value) { return value >= other; });
    case CompareOp::kGreater:
      return KeepBytesWhere(column, selection, [other](Text value) { return value > other; });
  }
}

void CompareColumn(const ColumnVector& column, CompareOp op, const Literal& literal,
                   Selection& selection) {
  switch (column.type) {
    case PhysicalType::kBool:
      return CompareIntegers<uint8_t>(column, op, literal.integer, selection);
    case PhysicalType::kInt16:
      return CompareIntegers<int16_t>(column, op, literal.integer, selection);
    case PhysicalType::kInt32:
      return CompareIntegers<int32_t>(column, op, literal.integer, selection);
    case PhysicalType::kInt64:
      return CompareIntegers<int64_t>(column, op, literal.integer, selection);
    case PhysicalType::kFloat32:
      return CompareFloats<float>(column, op, literal.real, selection);
    case PhysicalType::kFloat64:
      return CompareFloats<double>(column, op, literal.real, selection);
    case PhysicalType::kBytes:
      return CompareBytes(column, op, literal.bytes, selection);
  }
}

template <class T>
void SearchIntegers(const ColumnVector& column, const std::vector<Literal>& literals,
                    Selection& selection) {
  KeepWhere<T>(column, selection, [&](T value) {
    auto const found =
        std::lower_bound(literals.begin(), literals.end(), int64_t{value},
                         [](const Literal& left, int64_t right) { return left.integer < right; });
    return found != literals.end() && found->integer == value;
  });
}

template <class T>
void SearchFloats(const ColumnVector& column, const std::vector<Literal>& literals,
                  Selection& selection) {
  KeepWhere<T>(column, selection, [&](T value) {
    auto const found = std::lower_bound(
        literals.begin(), literals.end(), double{value},
        [](const Literal& left, double right) { return FloatLess(left.real, right); });
    return found != literals.end() && !FloatLess(double{value}, found->real);
  });
}

void SearchBytes(const ColumnVector& column, const std::vector<Literal>& literals,
                 Selection& selection) {
  KeepBytesWhere(column, selection, [&](std::string_view value) {
    auto const found = std::lower_bound(
        literals.begin(), literals.end(), value,
        [](const Literal& left, std::string_view right) { return left.bytes < right; });
    return found != literals.end() && found->bytes == value;
  });
}

void SearchColumn(const ColumnVector& column, const std::vector<Literal>& literals,
                  Selection& selection) {
  switch (column.type) {
    case PhysicalType::kBool:
      return SearchIntegers<uint8_t>(column, literals, selection);
    case PhysicalType::kInt16:
      return SearchIntegers<int16_t>(column, literals, selection);
    case PhysicalType::kInt32:
      return SearchIntegers<int32_t>(column, literals, selection);
    case PhysicalType::kInt64:
      return SearchIntegers<int64_t>(column, literals, selection);
    case PhysicalType::kFloat32:
      return SearchFloats<float>(column, literals, selection);
    case PhysicalType::kFloat64:
      return SearchFloats<double>(column, literals, selection);
    case PhysicalType::kBytes:
      return SearchBytes(column, literals, selection);
  }
}

void KeepAnyOf(const ColumnVector& column, const std::vector<Literal>& literals,
               Selection& selection) {
  if (literals.size() > kShortList || column.type == PhysicalType::kBytes) {
    return SearchColumn(column, literals, selection);
  }
  std::vector<uint64_t> matches(selection.words().size(), 0);
  for (const Literal& literal : literals) {
    Selection equal = selection;
    CompareColumn(column, CompareOp::kEqual, literal, equal);
    for (size_t index = 0; index < matches.size(); ++index) {
      matches[index] |= equal.words()[index];
    }
  }
  for (uint32_t index = 0; index < matches.size(); ++index) {
    selection.IntersectWord(index, matches[index]);
  }
}

}  // namespace

ColumnFilter ColumnFilter::Compare(PhysicalType type, CompareOp op, Literal literal) {
  ColumnFilter filter(Kind::kCompare, type);
  filter.op_ = op;
  filter.literals_.push_back(std::move(literal));
  return filter;
}

ColumnFilter ColumnFilter::AnyOf(PhysicalType type, std::vector<Literal> literals) {
  ColumnFilter filter(Kind::kAnyOf, type);
  auto const less = [type](const Literal& left, const Literal& right) {
    return LiteralLess(type, left, right);
  };
  std::sort(literals.begin(), literals.end(), less);
  auto const equal = [&](const Literal& left, const Literal& right) { return !less(left, right); };
  literals.erase(std::unique(literals.begin(), literals.end(), equal), literals.end());
  filter.literals_ = std::move(literals);
  return filter;
}

ColumnFilter ColumnFilter::IsNull(PhysicalType type) {
  return {Kind::kIsNull, type};
}

ColumnFilter ColumnFilter::IsNotNull(PhysicalType type) {
  return {Kind::kIsNotNull, type};
}

ColumnFilter ColumnFilter::Never(PhysicalType type) {
  return {Kind::kNever, type};
}

void ColumnFilter::Apply(const ColumnVector& column, Selection& selection) const {
  ASSERT(column.type == type_);
  ASSERT(column.row_count == selection.row_count());
  switch (kind_) {
    case Kind::kNever:
      return selection.Clear();
    case Kind::kIsNull:
      return selection.KeepNull(column);
    case Kind::kIsNotNull:
      return selection.KeepNotNull(column);
    case Kind::kCompare:
      selection.KeepNotNull(column);
      return CompareColumn(column, op_, literals_[0], selection);
    case Kind::kAnyOf:
      selection.KeepNotNull(column);
      return KeepAnyOf(column, literals_, selection);
  }
}

}  // namespace orochi::vexec
