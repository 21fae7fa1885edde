#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace orochi {
namespace {

void PrintAndAbort(const AssertFailure& failure) {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", failure.file, failure.line,
               failure.condition);
  std::abort();
}

AssertHandler installed_handler = &PrintAndAbort;

}  // namespace

AssertHandler SetAssertHandler(AssertHandler handler) {
  AssertHandler const previous = installed_handler;
  installed_handler = handler == nullptr ? &PrintAndAbort : handler;
  return previous;
}

void FailAssert(const AssertFailure& failure) {
  installed_handler(failure);
  PrintAndAbort(failure);  // A handler that returns would let broken state live on.
  std::abort();
}

}  // namespace orochi
