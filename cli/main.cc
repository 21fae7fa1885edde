// The `orochi` command: reads the command line and hands over to one subcommand.

#include <clocale>
#include <cstdio>
#include <exception>
#include <vector>

#include "base/str_cat.h"
#include "cli/command.h"

namespace {

constexpr const char* kFooter = R"(
First steps:
  orochi up                        create and start a private server
  orochi load DIR --table metrics --time-column timestamp
  orochi sql                       ask questions
  orochi down                      stop it; the data stays

`orochi help COMMAND` explains each command with examples.
Exit codes: 0 success, 1 failed, 2 wrong command line, 3 server not up, 4 something
is missing, 5 something is in the way, 6 malformed input data, 7 it may or may not have
happened, 130 cancelled.)";

bool HasCommand(CLI::App& app, const std::string& name) {
  auto const is_named = [&](CLI::App* command) { return command->get_name() == name; };
  return !app.get_subcommands(is_named).empty();
}

/// `orochi help [COMMAND]` in the form that CLI11 knows: `orochi [COMMAND] --help`.
std::vector<const char*> WithHelpAsOption(std::vector<const char*> arguments) {
  if (arguments.size() >= 2 && std::string_view(arguments[1]) == "help") {
    arguments.erase(arguments.begin() + 1);
    arguments.insert(arguments.begin() + (arguments.size() > 1 ? 2 : 1), "--help");
  }
  return arguments;
}

/// A mistake on the command line in the form of all our errors. CLI11 lists unexpected arguments
/// last one first.
orochi::Status UsageError(const CLI::App& app, const CLI::ParseError& error) {
  using orochi::StrCat;
  std::string command = "orochi";
  for (const CLI::App* const parsed : app.get_subcommands()) {
    command += StrCat(" ", parsed->get_name());
  }
  std::string what = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    what = "not expected:";
    for (const std::string& argument : app.remaining(true)) {
      what += StrCat(" ", argument);
    }
  }
  return orochi::Status::InvalidArgument(what).WithHint(
      StrCat("`", command, " --help` explains the arguments"));
}

}  // namespace

int main(int argc, char** argv) {
  using namespace orochi;
  using namespace orochi::cli;
  setlocale(LC_ALL, "");
  setlocale(LC_NUMERIC, "C");  // numbers are read and written for machines, too
  Invocation invocation(Terminal::Detect(stdout));
  CLI::App app("Orochi: time series, analytics and transactions in one PostgreSQL", "orochi");
  app.set_help_flag("-h,--help", "Show this help and exit");
  app.set_version_flag("--version", std::string("orochi ") + OROCHI_VERSION);
  app.require_subcommand(1);
  app.footer(kFooter);
  AddUpCommand(app, invocation);
  AddDownCommand(app, invocation);
  AddStatusCommand(app, invocation);
  AddSqlCommand(app, invocation);
  AddDemoCommand(app, invocation);
  AddLoadCommand(app, invocation);
  AddSstableCommand(app, invocation);
  AddKvCommand(app, invocation);
  AddVersionCommand(app, invocation);
  std::vector<const char*> const arguments = WithHelpAsOption({argv, argv + argc});
  if (arguments.size() < 2) {
    fprintf(stderr, "%s\n", app.help().c_str());
    return static_cast<int>(ExitCode::kUsage);
  }
  if (arguments[1][0] != '-' && !HasCommand(app, arguments[1])) {
    PrintError(Status::InvalidArgument(StrCat("there is no command \"", arguments[1], "\""))
                   .WithHint("`orochi --help` lists the commands"));
    return static_cast<int>(ExitCode::kUsage);
  }
  try {
    app.parse(static_cast<int>(arguments.size()), arguments.data());
  } catch (const CLI::ParseError& error) {
    // CLI11 prints help and version the same way it reports mistakes: by throwing.
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) {
      return app.exit(error);
    }
    PrintError(UsageError(app, error));
    return static_cast<int>(ExitCode::kUsage);
  } catch (const std::exception& error) {
    fprintf(stderr, "orochi: %s\n", error.what());
    return static_cast<int>(ExitCode::kFailed);
  }
  return invocation.exit_code;
}
