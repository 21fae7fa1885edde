// `orochi up`: creates the private cluster where there is none, and starts it.

#include <fmt/format.h>

#include "base/str_cat.h"
#include "cli/cluster.h"
#include "cli/command.h"

namespace orochi::cli {

namespace {

constexpr const char* kFooter =
    R"(Creates a private PostgreSQL cluster with Orochi in it, unless there is one
already, starts it and waits until it takes connections. Safe to repeat.

  orochi up                       in the default directory, on port 5433
  orochi up --dir /srv/metrics    somewhere else
  orochi up --port 6000           on another port; kept for later starts

The server listens on a Unix socket that only its owner (and root) can reach, and
on 127.0.0.1, where it asks for a password. No role has a password at first:
  orochi sql -c "ALTER ROLE postgres PASSWORD 'secret'"

Run as root, PostgreSQL's processes belong to the user postgres.
Your own server settings go into DIR/data/custom.conf.)";

struct UpOptions {
  ClusterOptions cluster;
  int port = 0;  // 0: the one the cluster has, or the default
};

void PrintHowToConnect(const Terminal& terminal, const Cluster& cluster, const UpOptions& options,
                       int port) {
  std::string const socket = cluster.socket_directory().string();
  std::string const psql = options.cluster.directory.empty()
                               ? "orochi sql"
                               : StrCat("orochi sql --dir ", cluster.directory().string());
  terminal.Line("");
  terminal.Line(StrCat("  psql       ", terminal.Paint(Ink::kBold, psql)));
  terminal.Line(fmt::format("  socket     postgresql://{}@/{}?host={}&port={}", kSuperuser,
                            kDatabase, socket, port));
  terminal.Line(
      fmt::format("  TCP        postgresql://{}@127.0.0.1:{}/{}  (after setting a password)",
                  kSuperuser, port, kDatabase));
  terminal.Line(StrCat("  directory  ", cluster.directory().string()));
}

Status WrongPort(const Cluster& cluster, int port_now, int port_wanted) {
  return Status::FailedPrecondition(fmt::format("the server in {} is up on port {}, not {}",
                                                cluster.directory().string(), port_now,
                                                port_wanted))
      .WithHint("run `orochi down` first; the next `orochi up --port` changes the port");
}

Status Up(const UpOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(Cluster cluster, Cluster::At(options.cluster.directory));
  // Whatever can be refused is refused before anything is made.
  ASSIGN_OR_RETURN(ClusterStatus const unlocked, cluster.Inspect());
  if (unlocked.state == ClusterState::kAbsent) {
    ASSIGN_OR_RETURN(PostgresPrograms const programs,
                     FindPostgresPrograms(options.cluster.pg_bindir));
    RETURN_IF_ERROR(CheckExtensionInstalled(programs));
    RETURN_IF_ERROR(CheckPortFree(options.port != 0 ? options.port : unlocked.port));
  }
  RETURN_IF_ERROR(cluster.MakeDirectory());
  ASSIGN_OR_RETURN(ClusterLock const lock, cluster.Lock());
  ASSIGN_OR_RETURN(ClusterStatus const before, cluster.Inspect());
  int const port = options.port != 0 ? options.port : before.port;
  if (before.state == ClusterState::kStarting) {
    return cluster.Target().status();
  }
  if (before.state == ClusterState::kRunning) {
    if (port != before.port) {
      return WrongPort(cluster, before.port, port);
    }
    RETURN_IF_ERROR(cluster.PrepareDatabase());
    terminal.Line(fmt::format("Orochi is already up on port {} (process {}).", port, before.pid));
    PrintHowToConnect(terminal, cluster, options, port);
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(PostgresPrograms const programs,
                   FindPostgresPrograms(options.cluster.pg_bindir));
  RETURN_IF_ERROR(CheckExtensionInstalled(programs));
  if (before.state == ClusterState::kAbsent) {
    terminal.Line(StrCat("Creating a cluster in ", cluster.directory().string(), " ..."));
    RETURN_IF_ERROR(cluster.Create(programs, port));
  }
  if (before.state == ClusterState::kCrashed) {
    terminal.Line("The last server here did not shut down; PostgreSQL recovers what it had.");
  }
  terminal.Line(fmt::format("Starting PostgreSQL {} on port {} ...", programs.version, port));
  RETURN_IF_ERROR(cluster.Start(programs, port));
  RETURN_IF_ERROR(cluster.PrepareDatabase());
  terminal.Line(terminal.Paint(Ink::kGreen, "Orochi is up."));
  PrintHowToConnect(terminal, cluster, options, port);
  return Status::Ok();
}

}  // namespace

void AddUpCommand(CLI::App& app, Invocation& invocation) {
  CLI::App* command = AddCommand(app, "up", "Create and start the private server", kFooter);
  auto options = std::make_shared<UpOptions>();
  options->cluster.AddTo(*command);
  command
      ->add_option("--port", options->port,
                   "TCP port on 127.0.0.1, and in the socket's name.\nDefault: the one of the last "
                   "start, at first 5433")
      ->check(CLI::Range(1, 65535).description(""))
      ->type_name("PORT");
  command->callback(
      [options, &invocation] { invocation.Finish(Up(*options, invocation.terminal)); });
}

}  // namespace orochi::cli
