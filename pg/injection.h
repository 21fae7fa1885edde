#pragma once

#include "pg/bridge.h"

/// Named points at which a test stops, kills or fails a process of the server. They exist in debug
/// builds only; elsewhere the macros are empty and the setting is unknown.
///
/// `orochi.injection` (superusers) lists what happens where, separated by commas:
///
///   move_copied=wait:7    waits until nobody holds the advisory lock 7 exclusively. The waiter is
///                         seen by pg_blocking_pids, hence by isolationtester.
///   move_copied=kill      this process ends as by kill -9 when it gets there; kill:3 at the third
///                         time.
///   move_copied=crash     the same after all WAL that this process wrote is on disk: what recovery
///                         replays ends here; crash:3 at the third time.
///   move_copied=error     raises an error; error:3 at the third time.
///
/// A test sets it in its session, or with ALTER SYSTEM for background workers.
namespace orochi::pg {

/// Defines orochi.injection. Called by DefineSettings.
void DefineInjectionSetting();

#if defined(OROCHI_SLOW_ASSERTS)

namespace internal {
extern bool injection_active;
/// Plain PostgreSQL code: may ereport.
void ReachInjectionPoint(const char* name) noexcept;
}  // namespace internal

/// In C++ frames. Not while a lightweight lock is held or inside a critical section.
#define INJECTION_POINT(name)                                                                    \
  do {                                                                                           \
    if (::orochi::pg::internal::injection_active) [[unlikely]] {                                 \
      ::orochi::pg::TryPg([]() noexcept { ::orochi::pg::internal::ReachInjectionPoint(name); }); \
    }                                                                                            \
  } while (false)

/// In plain frames: TryPg bodies and callbacks without C++ objects.
#define INJECTION_POINT_PLAIN(name)                              \
  do {                                                           \
    if (::orochi::pg::internal::injection_active) [[unlikely]] { \
      ::orochi::pg::internal::ReachInjectionPoint(name);         \
    }                                                            \
  } while (false)

#else

#define INJECTION_POINT(name) \
  do {                        \
  } while (false)
#define INJECTION_POINT_PLAIN(name) \
  do {                              \
  } while (false)

#endif

/// Writes a WAL record between two injection points, NAME_before and NAME_after, in plain frames.
/// Pages are locked here, perhaps inside a critical section: only `crash` and `kill` may be asked
/// for. tap columnar_crash_points finds them all in the sources and visits each.
#define WAL_RECORD(name, ...)              \
  do {                                     \
    INJECTION_POINT_PLAIN(name "_before"); \
    __VA_ARGS__;                           \
    INJECTION_POINT_PLAIN(name "_after");  \
  } while (false)

}  // namespace orochi::pg
