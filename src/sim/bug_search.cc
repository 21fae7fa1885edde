#include "sim/bug_search.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sim/violation.h"

namespace orochi::sim {
namespace {

constexpr uint64_t kSeedsBetweenSearches = 1'000'000;

// An invariant that breaks in the code is as good a finding as a promise that breaks outside.
void ThrowViolation(const AssertFailure& failure) {
  throw Violation(StrCat(failure.file, ":", failure.line, ": ", failure.condition));
}

uint64_t Search(uint64_t first, const std::function<void(uint64_t seed)>& run, std::string& found) {
  for (uint64_t count = 1; count <= kSeedsToFindMax; ++count) {
    try {
      run(first + count - 1);
    } catch (const Violation& violation) {
      found = violation.what();
      return count;
    }
  }
  found = "nothing";
  return kSeedsToFindMax + 1;
}

}  // namespace

uint64_t SeedsToFind(const char* bug, const std::function<void(uint64_t seed)>& run) {
  const char* const wanted = std::getenv("OROCHI_PLANTED_BUG_SEARCHES");
  int const search_count = wanted == nullptr ? 1 : std::max(1, std::atoi(wanted));
  std::vector<uint64_t> counts;
  std::string found;
  AssertHandler const before = SetAssertHandler(&ThrowViolation);
  for (int search = 0; search < search_count; ++search) {
    counts.push_back(Search(1 + static_cast<uint64_t>(search) * kSeedsBetweenSearches, run, found));
  }
  SetAssertHandler(before);
  std::sort(counts.begin(), counts.end());
  std::printf("%-24s median %5llu, most %5llu seeds of %d searches; the last: %s\n", bug,
              static_cast<unsigned long long>(counts[counts.size() / 2]),
              static_cast<unsigned long long>(counts.back()), search_count,
              found.substr(0, 160).c_str());
  return counts.back();
}

bool RunClean(uint64_t count, const std::function<void(uint64_t seed)>& run) {
  uint64_t seed = 1;
  try {
    for (; seed <= count; ++seed) {
      run(seed);
    }
  } catch (const Violation& violation) {
    std::printf("without a planted bug, seed %llu: %s\n", static_cast<unsigned long long>(seed),
                violation.what());
    return false;
  }
  return true;
}

}  // namespace orochi::sim
