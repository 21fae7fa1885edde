#include "cli/command.h"

namespace orochi::cli {

void Invocation::Finish(const Status& status) {
  if (!status.ok()) {
    PrintError(status);
  }
  exit_code = static_cast<int>(ExitCodeOf(status));
}

void ClusterOptions::AddTo(CLI::App& command) {
  command
      .add_option("--dir", directory,
                  "Directory of the cluster. Default: $OROCHI_HOME, else\n"
                  "~/.orochi, for root /var/lib/orochi")
      ->type_name("DIR");
  command
      .add_option("--pg-bindir", pg_bindir,
                  "Where PostgreSQL's programs are. Default:\n"
                  "$OROCHI_PG_BINDIR, else the PostgreSQL this orochi\nwas built for")
      ->type_name("DIR");
}

CLI::App* AddCommand(CLI::App& app, const std::string& name, const std::string& summary,
                     const std::string& footer) {
  CLI::App* command = app.add_subcommand(name, summary);
  command->set_help_flag("-h,--help", "Show this help and exit");
  command->footer("\n" + footer);
  return command;
}

}  // namespace orochi::cli
