#pragma once

namespace orochi {

/// Where and what an ASSERT found broken. All pointers are string literals.
struct AssertFailure {
  const char* condition;
  const char* file;
  int line;
};

/// Decides what a broken invariant means in this process: the daemon and the tools abort, a
/// PostgreSQL backend raises an internal error. It must not return (it may throw); when it does
/// return, the process aborts.
using AssertHandler = void (*)(const AssertFailure&);

/// Installs `handler` for the whole process and returns the one it replaces. nullptr restores the
/// default, which prints to stderr and aborts. Threads: call before starting any.
AssertHandler SetAssertHandler(AssertHandler handler);

[[noreturn]] void FailAssert(const AssertFailure& failure);

}  // namespace orochi

/// Guards our own logic, in every build. Never used on bytes from disk, network or user.
#define ASSERT(condition)                                     \
  do {                                                        \
    if (!(condition)) [[unlikely]] {                          \
      ::orochi::FailAssert({#condition, __FILE__, __LINE__}); \
    }                                                         \
  } while (false)

/// Like ASSERT, for checks too slow for a release: on in debug, fuzz and simulation builds.
#if defined(OROCHI_SLOW_ASSERTS)
#define ASSERT_SLOW(condition) ASSERT(condition)
#else
#define ASSERT_SLOW(condition) \
  do {                         \
    if (false) {               \
      (void)(condition);       \
    }                          \
  } while (false)
#endif
