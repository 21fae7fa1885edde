#pragma once

#include <cstdint>
#include <functional>

namespace orochi::sim {

/// A simulation finds a planted mistake within so many seeds, or proves nothing.
inline constexpr uint64_t kSeedsToFindMax = 10'000;

/// Runs seeds until one breaks a promise, prints how many that took and what it was, and answers
/// the count; more than kSeedsToFindMax when none did. OROCHI_PLANTED_BUG_SEARCHES=15 searches so
/// often, from other seeds each time: the median is printed, the greatest count answered.
uint64_t SeedsToFind(const char* bug, const std::function<void(uint64_t seed)>& run);

}  // namespace orochi::sim
