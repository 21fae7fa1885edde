#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

#include "cli/exit_code.h"
#include "cli/terminal.h"

namespace orochi::cli {

/// What every subcommand gets, and where it leaves how it went.
struct Invocation {
  explicit Invocation(Terminal terminal_in) : terminal(terminal_in) {}

  Terminal terminal;
  int exit_code = 0;

  /// Reports `status` where it is an error, and sets the exit code.
  void Finish(const Status& status);
};

/// The options by which every subcommand finds its cluster.
struct ClusterOptions {
  std::string directory;
  std::string pg_bindir;

  void AddTo(CLI::App& command);
};

/// A subcommand named `name`, with `footer` (examples) under its help.
CLI::App* AddCommand(CLI::App& app, const std::string& name, const std::string& summary,
                     const std::string& footer);

// One function per subcommand, each in its own file cmd_NAME.cc. `invocation` outlives the parse.
void AddUpCommand(CLI::App& app, Invocation& invocation);
void AddDownCommand(CLI::App& app, Invocation& invocation);
void AddStatusCommand(CLI::App& app, Invocation& invocation);
void AddSqlCommand(CLI::App& app, Invocation& invocation);
void AddDemoCommand(CLI::App& app, Invocation& invocation);
void AddLoadCommand(CLI::App& app, Invocation& invocation);
void AddSstableCommand(CLI::App& app, Invocation& invocation);
void AddKvCommand(CLI::App& app, Invocation& invocation);
void AddVersionCommand(CLI::App& app, Invocation& invocation);

}  // namespace orochi::cli
