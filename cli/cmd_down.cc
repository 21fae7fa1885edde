// `orochi down`: stops the private server.

#include "base/str_cat.h"
#include "cli/cluster.h"
#include "cli/command.h"

namespace orochi::cli {

namespace {

constexpr const char* kFooter =
    R"(Ends all sessions (open transactions are rolled back), shuts the server down and
waits for its end. Says so, and succeeds, when it was not running.

  orochi down
  orochi down --dir /srv/metrics)";

Status Down(const ClusterOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(Cluster cluster, Cluster::At(options.directory));
  ASSIGN_OR_RETURN(ClusterStatus const unlocked, cluster.Inspect());
  if (unlocked.state == ClusterState::kAbsent) {
    return cluster.Target().status();
  }
  ASSIGN_OR_RETURN(ClusterLock const lock, cluster.Lock());
  ASSIGN_OR_RETURN(ClusterStatus const before, cluster.Inspect());
  if (before.state != ClusterState::kRunning && before.state != ClusterState::kStarting) {
    terminal.Line(StrCat(
        "The server in ", cluster.directory().string(), " was not running",
        before.state == ClusterState::kCrashed ? " (it ended without shutting down)." : "."));
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(PostgresPrograms const programs, FindPostgresPrograms(options.pg_bindir));
  RETURN_IF_ERROR(cluster.Stop(programs));
  terminal.Line(StrCat("Orochi is down. The data stays in ", cluster.directory().string(),
                       "; `orochi up` starts it again."));
  return Status::Ok();
}

}  // namespace

void AddDownCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* command = AddCommand(app, "down", "Stop the private server", kFooter);
  auto options = std::make_shared<ClusterOptions>();
  options->AddTo(*command);
  command->callback(
      [options, &invocation] { invocation.Finish(Down(*options, invocation.terminal)); });
}

}  // namespace orochi::cli
