#pragma once

namespace orochi {

/// Mistakes that a test plants one at a time, to see that a simulation finds them: one that cannot
/// find the bugs others have shipped proves nothing. Each module lists its own in an enum whose
/// first value is kNone, and asks IsPlanted where one would be. Built into the tests of planted
/// bugs alone (OROCHI_PLANTED_BUGS); elsewhere nothing of it is left.
#if defined(OROCHI_PLANTED_BUGS)
/// Threads: set before the simulation begins.
template <class Bug>
inline Bug planted_bug{};

template <class Bug>
bool IsPlanted(Bug bug) {
  return planted_bug<Bug> == bug;
}
#else
template <class Bug>
constexpr bool IsPlanted(Bug /*bug*/) {
  return false;
}
#endif

}  // namespace orochi
