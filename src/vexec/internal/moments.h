#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "base/status.h"

/// What PostgreSQL's float aggregates keep and when they raise errors.
namespace orochi::vexec::internal {

inline Status Overflow() {
  return Status::OutOfRange("value out of range: overflow");  // PostgreSQL's words
}

template <class Float>
using BitsOf = std::conditional_t<sizeof(Float) == 4, uint32_t, uint64_t>;

/// Raw bits, as in Cell::word.
template <class Float>
uint64_t WordOf(Float value) {
  return std::bit_cast<BitsOf<Float>>(value);
}

/// The (N, Sx, Sxx) of PostgreSQL's float aggregates: Youngs and Cramer's update. An average needs
/// no Sxx, but PostgreSQL keeps it and raises an error when it overflows, so we do too.
struct Moments {
  double n;
  double sum;
  double square_deviations;

  /// Neither checks nor treats infinities specially. REQUIRES: n > 0.
  void AddUnchecked(double value) {
    double const n_before = n;
    n += 1.0;
    sum += value;
    double const deviation = value * n - sum;
    square_deviations += deviation * deviation / (n * n_before);
  }

  /// False on overflow.
  bool AddChecked(double value) {
    if (n == 0) {
      n = 1.0;
      sum += value;
      square_deviations = std::isfinite(value) ? 0 : std::numeric_limits<double>::quiet_NaN();
      return true;
    }
    double const sum_before = sum;
    AddUnchecked(value);
    if (std::isinf(sum) || std::isinf(square_deviations)) {
      if (!std::isinf(sum_before) && !std::isinf(value)) {
        return false;
      }
      square_deviations = std::numeric_limits<double>::quiet_NaN();
    }
    return true;
  }

  bool IsFinite() const { return std::isfinite(sum) && std::isfinite(square_deviations); }
};

}  // namespace orochi::vexec::internal
