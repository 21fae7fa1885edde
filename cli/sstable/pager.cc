#include "cli/sstable/pager.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace orochi::cli {

namespace {

/// -F: leave at once when all fits; -R: colours; -S: cut long lines; -X: keep what was shown.
constexpr const char* kDefaultPager = "less -FRSX";

std::string PagerCommand() {
  const char* const chosen = getenv("PAGER");
  if (chosen != nullptr) {
    return chosen;
  }
  return access("/usr/bin/less", X_OK) == 0 || access("/bin/less", X_OK) == 0 ? kDefaultPager : "";
}

}  // namespace

PagerScope::PagerScope(bool wanted) {
  std::string const command = wanted && isatty(STDOUT_FILENO) != 0 ? PagerCommand() : "";
  if (command.empty() || command == "cat") {
    return;
  }
  int ends[2];
  fflush(stdout);
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return;
  }
  child_ = fork();
  if (child_ == 0) {
    // Ctrl-C is for the query that fills the pager.
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_DFL);
    dup2(ends[0], STDIN_FILENO);
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  close(ends[0]);
  if (child_ > 0) {
    saved_stdout_ = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    dup2(ends[1], STDOUT_FILENO);
  }
  close(ends[1]);
}

PagerScope::~PagerScope() {
  if (child_ <= 0) {
    return;
  }
  fflush(stdout);
  clearerr(stdout);  // the user may have left before the end
  dup2(saved_stdout_, STDOUT_FILENO);
  close(saved_stdout_);
  int status = 0;
  while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace orochi::cli
