#include "cli/run_process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "base/str_cat.h"

namespace orochi::cli {

namespace {

/// argv and environ as execve wants them. Borrows the strings of `options`.
struct ExecArguments {
  std::vector<std::string> storage;
  std::vector<char*> argv;
  std::vector<char*> envp;
};

ExecArguments MakeExecArguments(const ProcessOptions& options) {
  ExecArguments exec;
  exec.storage.reserve(1 + options.arguments.size() + options.environment.size());
  exec.storage.push_back(options.program.string());
  for (const std::string& argument : options.arguments) {
    exec.storage.push_back(argument);
  }
  for (std::string& argument : exec.storage) {
    exec.argv.push_back(argument.data());
  }
  exec.argv.push_back(nullptr);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view const name_and_value = *entry;
    std::string_view const name = name_and_value.substr(0, name_and_value.find('='));
    bool replaced = false;
    for (const auto& [added, value] : options.environment) {
      replaced = replaced || added == name;
    }
    if (!replaced) {
      exec.envp.push_back(*entry);
    }
  }
  for (const auto& [name, value] : options.environment) {
    exec.storage.push_back(StrCat(name, "=", value));
    exec.envp.push_back(exec.storage.back().data());
  }
  exec.envp.push_back(nullptr);
  return exec;
}

Status ExecError(const ProcessOptions& options, int error) {
  std::string const message =
      StrCat("cannot run ", options.program.string(), ": ", strerror(error));
  if (error == ENOENT) {
    return Status::NotFound(message);
  }
  if (error == EACCES && options.user != nullptr) {
    return Status::PermissionDenied(message).WithHint(
        StrCat("the user ", options.user->name,
               " must be able to read and execute it, and to "
               "search every directory above it"));
  }
  return Status::IoError(message);
}

/// The child's part, between fork and exec: system calls only.
[[noreturn]] void RunChild(const ProcessOptions& options, const ExecArguments& exec, int output,
                           int error_pipe) {
  int const null_input = open("/dev/null", O_RDONLY);
  bool const ready = null_input >= 0 && dup2(null_input, 0) >= 0 && dup2(output, 1) >= 0 &&
                     dup2(output, 2) >= 0 &&
                     (options.user == nullptr || BecomeForGood(*options.user)) &&
                     chdir(options.working_directory.c_str()) == 0;
  if (ready) {
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
    umask(077);
    execve(exec.argv[0], exec.argv.data(), exec.envp.data());
  }
  int const error = errno;
  (void)!write(error_pipe, &error, sizeof(error));
  _exit(127);
}

std::string ReadToEnd(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  while (true) {
    ssize_t const size = read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) {
      continue;
    }
    if (size <= 0) {
      return text;
    }
    text.append(buffer.data(), static_cast<size_t>(size));
    if (text.size() > kProcessOutputSizeMax) {
      text.erase(0, text.size() - kProcessOutputSizeMax);
    }
  }
}

int WaitForExit(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

Result<ProcessResult> RunProcess(const ProcessOptions& options) {
  ExecArguments const exec = MakeExecArguments(options);
  std::array<int, 2> output = {-1, -1};
  std::array<int, 2> error_pipe = {-1, -1};
  if (pipe2(output.data(), O_CLOEXEC) != 0 || pipe2(error_pipe.data(), O_CLOEXEC) != 0) {
    return Status::IoError(StrCat("cannot make a pipe: ", strerror(errno)));
  }
  pid_t const child = fork();
  if (child < 0) {
    return Status::IoError(StrCat("cannot start a process: ", strerror(errno)));
  }
  if (child == 0) {
    RunChild(options, exec, output[1], error_pipe[1]);
  }
  close(output[1]);
  close(error_pipe[1]);
  int exec_error = 0;
  bool const exec_failed = read(error_pipe[0], &exec_error, sizeof(exec_error)) ==
                           static_cast<ssize_t>(sizeof(exec_error));
  close(error_pipe[0]);
  ProcessResult result;
  result.output = ReadToEnd(output[0]);
  close(output[0]);
  result.exit_code = WaitForExit(child);
  if (exec_failed) {
    return ExecError(options, exec_error);
  }
  return result;
}

Status ReplaceProcess(const ProcessOptions& options) {
  ExecArguments const exec = MakeExecArguments(options);
  if (options.user != nullptr && !BecomeForGood(*options.user)) {
    return Status::PermissionDenied(
        StrCat("cannot become the user ", options.user->name, ": ", strerror(errno)));
  }
  execve(exec.argv[0], exec.argv.data(), exec.envp.data());
  return ExecError(options, errno);
}

}  // namespace orochi::cli
