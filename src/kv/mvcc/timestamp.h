#pragma once

#include <cstdint>

#include "base/tagged.h"

namespace orochi::kv {

/// A point in the one order of everything: milliseconds << 18 | counter, issued once by the
/// timestamp oracle. 0 is before everything.
using Timestamp = Tagged<uint64_t, struct TimestampTag>;

inline constexpr Timestamp kNever{};
inline constexpr int kCounterBits = 18;

}  // namespace orochi::kv
