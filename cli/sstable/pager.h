#pragma once

#include <string>
#include <sys/types.h>

namespace orochi::cli {

/// While alive, standard output goes through the user's pager, where there is one: $PAGER, or less.
/// Leaving the pager early makes writes fail as for any reader that is gone.
///
/// Threads: one at a time in the process.
class PagerScope {
 public:
  /// `wanted` false, or standard output not a terminal: nothing changes.
  explicit PagerScope(bool wanted);
  /// Waits until the user leaves the pager.
  ~PagerScope();
  PagerScope(const PagerScope&) = delete;
  PagerScope& operator=(const PagerScope&) = delete;

 private:
  pid_t child_ = -1;
  int saved_stdout_ = -1;
};

}  // namespace orochi::cli
