#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <string_view>

#include "base/planted_bug.h"

namespace orochi::sim {

/// A simulation finds a planted mistake within so many seeds, or proves nothing.
inline constexpr uint64_t kSeedsToFindMax = 10'000;

/// Runs seeds until one breaks a promise, prints how many that took and what it was, and answers
/// the count; more than kSeedsToFindMax when none did. OROCHI_PLANTED_BUG_SEARCHES=15 searches so
/// often, from other seeds each time: the median is printed, the greatest count answered.
uint64_t SeedsToFind(const char* bug, const std::function<void(uint64_t seed)>& run);

/// Runs `count` seeds and answers whether none broke a promise; prints the one that did.
bool RunClean(uint64_t count, const std::function<void(uint64_t seed)>& run);

#if defined(OROCHI_PLANTED_BUGS)
template <class Bug>
struct NamedBug {
  Bug bug;
  const char* name;
};

/// The main function of a test that plants each of `bugs` in turn, or those that the arguments
/// name, and has seeds run until one breaks a promise; before that some seeds run without any. The
/// exit code is 1 when a bug is not found, or something is without one.
template <class Bug>
int PlantBugs(std::initializer_list<NamedBug<Bug>> bugs,
              const std::function<void(uint64_t seed)>& run, int argc, char** argv) {
  constexpr uint64_t kCleanSeeds = 200;
  bool all_found = RunClean(kCleanSeeds, run);
  for (const NamedBug<Bug>& named : bugs) {
    bool wanted = argc < 2;
    for (int index = 1; index < argc; ++index) {
      wanted = wanted || std::string_view(argv[index]) == named.name;
    }
    if (wanted) {
      planted_bug<Bug> = named.bug;
      all_found = SeedsToFind(named.name, run) <= kSeedsToFindMax && all_found;
      planted_bug<Bug> = Bug{};
    }
  }
  return all_found ? 0 : 1;
}
#endif

}  // namespace orochi::sim
