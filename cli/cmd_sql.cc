// `orochi sql`: psql, connected.

#include "base/str_cat.h"
#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/run_process.h"

namespace orochi::cli {

namespace {

constexpr const char* kFooter =
    R"(Opens psql on the private server. Options of orochi come first; from the first one
it does not know, everything goes to psql.

  orochi sql                                    a prompt
  orochi sql -c 'SELECT * FROM orochi.chunks'   one statement
  orochi sql -f schema.sql                      a file
  orochi sql --dir /srv/metrics -At -c '...'    another cluster; then psql's options

The exit code is psql's: 0 success, 1 its own error, 2 connection lost,
3 a script stopped by ON_ERROR_STOP.)";

Status Sql(const ClusterOptions& options, const std::vector<std::string>& psql_arguments) {
  ASSIGN_OR_RETURN(Cluster const cluster, Cluster::At(options.directory));
  ASSIGN_OR_RETURN(ConnectionTarget const target, cluster.Target());
  ASSIGN_OR_RETURN(PostgresPrograms const programs, FindPostgresPrograms(options.pg_bindir));
  // Through the environment, so that psql's own -d, -U, -h and -p still win.
  return ReplaceProcess({.program = programs.Program("psql"),
                         .arguments = psql_arguments,
                         .environment = {{"PGHOST", target.host},
                                         {"PGPORT", StrCat(target.port)},
                                         {"PGUSER", target.user},
                                         {"PGDATABASE", target.database}}});
}

}  // namespace

void AddSqlCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* command = AddCommand(app, "sql", "Open psql, or run SQL", kFooter);
  // -h is psql's.
  command->set_help_flag("--help", "Show this help and exit");
  command->prefix_command();
  auto options = std::make_shared<ClusterOptions>();
  options->AddTo(*command);
  command->callback(
      [options, command, &invocation] { invocation.Finish(Sql(*options, command->remaining())); });
}

}  // namespace orochi::cli
