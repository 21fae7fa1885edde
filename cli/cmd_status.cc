// `orochi status`: what runs, where, how big.

#include <fmt/format.h>

#include <ctime>

#include "base/str_cat.h"
#include "cli/cluster.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/number_format.h"

namespace orochi::cli {

namespace {

constexpr const char* kFooter =
    R"(Exit code 0 when the server is up, 3 when it is not.

  orochi status
  orochi status --json | jq .port)";

/// What only the running server knows.
struct DatabaseFacts {
  std::string postgres_version;
  std::string extension_version;
  int64_t database_bytes = 0;
  int64_t hypertable_count = 0;
  int64_t chunk_count = 0;
  int64_t chunk_bytes = 0;
};

std::string_view StateName(ClusterState state) {
  switch (state) {
    case ClusterState::kAbsent:
      return "absent";
    case ClusterState::kStopped:
      return "stopped";
    case ClusterState::kCrashed:
      return "crashed";
    case ClusterState::kStarting:
      return "starting";
    case ClusterState::kRunning:
      return "running";
  }
  return "unknown";
}

std::string_view StateExplained(ClusterState state) {
  switch (state) {
    case ClusterState::kAbsent:
      return "absent: nothing has been created here; `orochi up` does";
    case ClusterState::kStopped:
      return "stopped: `orochi up` starts it";
    case ClusterState::kCrashed:
      return "crashed: the server ended without shutting down; `orochi up` recovers and starts it";
    case ClusterState::kStarting:
      return "starting or stopping";
    case ClusterState::kRunning:
      return "running";
  }
  return "unknown";
}

Result<DatabaseFacts> AskServer(const Cluster& cluster) {
  ASSIGN_OR_RETURN(Connection connection, cluster.Connect());
  ASSIGN_OR_RETURN(
      QueryResult const general,
      connection.Query("SELECT split_part(current_setting('server_version'), ' ', 1),"
                       " (SELECT extversion FROM pg_extension WHERE extname = 'orochi'),"
                       " pg_database_size(current_database()),"
                       // False when somebody dropped the extension: still a status.
                       " to_regclass('orochi.hypertables') IS NOT NULL"));
  DatabaseFacts facts{.postgres_version = std::string(general.Text(0, 0)),
                      .extension_version = std::string(general.Text(0, 1)),
                      .database_bytes = general.Int(0, 2)};
  if (general.Text(0, 3) == "f") {
    return facts;
  }
  ASSIGN_OR_RETURN(QueryResult const tables,
                   connection.Query("SELECT (SELECT count(*) FROM orochi.hypertables), count(*),"
                                    " coalesce(sum(bytes), 0) FROM orochi.chunks"));
  facts.hypertable_count = tables.Int(0, 0);
  facts.chunk_count = tables.Int(0, 1);
  facts.chunk_bytes = tables.Int(0, 2);
  return facts;
}

void PrintJson(const Terminal& terminal, const Cluster& cluster, const ClusterStatus& status,
               const DatabaseFacts* facts, int64_t uptime_s) {
  JsonObject json;
  json.Add("state", StateName(status.state));
  json.Add("directory", cluster.directory().string());
  json.Add("socket_directory", cluster.socket_directory().string());
  json.Add("port", int64_t{status.port});
  if (facts != nullptr) {
    json.Add("pid", int64_t{status.pid});
    json.Add("uptime_s", uptime_s);
    json.Add("orochi_version", facts->extension_version);
    json.Add("postgresql_version", facts->postgres_version);
    json.Add("database", kDatabase);
    json.Add("database_bytes", facts->database_bytes);
    json.Add("hypertables", facts->hypertable_count);
    json.Add("chunks", facts->chunk_count);
    json.Add("chunk_bytes", facts->chunk_bytes);
  }
  terminal.Line(json.Text());
}

void PrintForPeople(const Terminal& terminal, const Cluster& cluster, const ClusterStatus& status,
                    const DatabaseFacts* facts, int64_t uptime_s) {
  auto const line = [&](std::string_view name, std::string_view value) {
    terminal.Line(fmt::format("{:<12}{}", name, value));
  };
  bool const running = status.state == ClusterState::kRunning;
  line("state", terminal.Paint(running ? Ink::kGreen : Ink::kYellow, StateExplained(status.state)));
  line("directory", cluster.directory().string());
  line("port", StrCat(status.port));
  if (facts == nullptr) {
    return;
  }
  line("process", StrCat(status.pid));
  line("uptime", FormatDuration(static_cast<double>(uptime_s)));
  line("versions",
       StrCat("orochi ", facts->extension_version, ", PostgreSQL ", facts->postgres_version));
  line("database",
       StrCat(kDatabase, ", ", FormatBytes(static_cast<uint64_t>(facts->database_bytes))));
  line("hypertables", FormatCount(facts->hypertable_count));
  line("chunks", StrCat(FormatCount(facts->chunk_count), ", ",
                        FormatBytes(static_cast<uint64_t>(facts->chunk_bytes))));
}

Result<ExitCode> ShowStatus(const ClusterOptions& options, bool as_json, const Terminal& terminal) {
  ASSIGN_OR_RETURN(Cluster const cluster, Cluster::At(options.directory));
  ASSIGN_OR_RETURN(ClusterStatus const status, cluster.Inspect());
  bool const running = status.state == ClusterState::kRunning;
  DatabaseFacts facts;
  if (running) {
    ASSIGN_OR_RETURN(facts, AskServer(cluster));
  }
  int64_t const uptime_s = running ? std::max<int64_t>(0, time(nullptr) - status.started_at_s) : 0;
  auto const print = as_json ? PrintJson : PrintForPeople;
  print(terminal, cluster, status, running ? &facts : nullptr, uptime_s);
  return running ? ExitCode::kSuccess : ExitCode::kNotRunning;
}

}  // namespace

void AddStatusCommand(CLI::App& app, Invocation& invocation) {
  struct Options {
    ClusterOptions cluster;
    bool as_json = false;
  };
  CLI::App* command = AddCommand(app, "status", "Show what runs, where, and how big", kFooter);
  auto options = std::make_shared<Options>();
  options->cluster.AddTo(*command);
  command->add_flag("--json", options->as_json, "One JSON object instead of text");
  command->callback([options, &invocation] {
    Result<ExitCode> const code =
        ShowStatus(options->cluster, options->as_json, invocation.terminal);
    if (code.ok()) {
      invocation.exit_code = static_cast<int>(*code);
    } else {
      invocation.Finish(code.status());
    }
  });
}

}  // namespace orochi::cli
