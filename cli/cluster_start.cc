// The parts of Cluster that create, start and stop the server.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstring>
#include <thread>

#include "base/str_cat.h"
#include "cli/cluster.h"
#include "cli/cluster_config.h"
#include "cli/run_process.h"
#include "cli/text_file.h"

namespace orochi::cli {

namespace {

namespace fs = std::filesystem;

/// Long enough for the recovery of a few gigabytes of WAL; the server goes on after it.
constexpr int kStartTimeoutSeconds = 300;
constexpr int kStopTimeoutSeconds = 300;

std::string MarkerText(int port) {
  return StrCat("orochi cluster 1\nport ", port, "\n");
}

Status MakePrivateDirectory(const fs::path& directory) {
  std::error_code error;
  fs::create_directory(directory, error);
  if (!error) {
    fs::permissions(directory, fs::perms::owner_all, error);
  }
  return error ? Status::IoError(StrCat("cannot make ", directory.string(), ": ", error.message()))
               : Status::Ok();
}

/// C sorts and compares by bytes, fast and the same everywhere; letters keep their case rules where
/// the system has the UTF-8 variant.
const char* CharacterLocale() {
  const char* const chosen = setlocale(LC_CTYPE, "C.UTF-8") != nullptr ? "C.UTF-8" : "C";
  setlocale(LC_CTYPE, "");
  return chosen;
}

/// The newest file of the log directory, where the server says why it did not start.
fs::path NewestLog(const fs::path& log_directory) {
  fs::path newest;
  fs::file_time_type newest_time;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(log_directory, error)) {
    fs::file_time_type const time = entry.last_write_time(error);
    bool const is_server_log = entry.path().filename().string().starts_with("server-");
    if (is_server_log && (newest.empty() || time > newest_time)) {
      newest = entry.path();
      newest_time = time;
    }
  }
  return newest;
}

}  // namespace

Status CheckPortFree(int port) {
  int const fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return Status::IoError(StrCat("cannot open a socket: ", strerror(errno)));
  }
  int const yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  bool const free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  int const error = errno;
  close(fd);
  if (free) {
    return Status::Ok();
  }
  Status status =
      error == EADDRINUSE
          ? Status::FailedPrecondition(
                StrCat("port ", port, " on 127.0.0.1 is taken by another program"))
          : Status::PermissionDenied(StrCat("cannot listen on port ", port, ": ", strerror(error)));
  return std::move(status).WithHint(StrCat("choose another with --port, for example --port ",
                                           port < 65535 && port >= 1024 ? port + 1 : kDefaultPort));
}

Status Cluster::CheckSocketPath(int port) const {
  std::string const path = (socket_directory() / StrCat(".s.PGSQL.", port)).string();
  size_t const size_max = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() <= size_max) {
    return Status::Ok();
  }
  return Status::InvalidArgument(StrCat("the socket ", path, " has a name of ", path.size(),
                                        " bytes; the system allows ", size_max))
      .WithHint("choose a directory with a shorter name with --dir");
}

Status Cluster::Create(const PostgresPrograms& programs, int port) {
  RETURN_IF_ERROR(CheckSocketPath(port));
  RETURN_IF_ERROR(CheckPortFree(port));
  fs::path const draft = directory_ / "data.new";
  {
    ActAs const as_server(user_);
    std::error_code error;
    fs::remove_all(draft, error);
    if (error) {
      return Status::IoError(StrCat("cannot remove ", draft.string(),
                                    ", left by an interrupted `up`: ", error.message()));
    }
    RETURN_IF_ERROR(WriteTextFile(MarkerFile(), MarkerText(port)));
  }
  ASSIGN_OR_RETURN(
      ProcessResult const initdb,
      RunProcess(
          {.program = programs.Program("initdb"),
           .arguments = {"--pgdata", draft.string(), "--username", kSuperuser, "--auth-local=trust",
                         "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C",
                         StrCat("--lc-ctype=", CharacterLocale()), "--data-checksums"},
           .user = UserToBecome()}));
  if (initdb.exit_code != 0) {
    return Status::IoError(StrCat("initdb failed with exit code ", initdb.exit_code))
        .WithDetail(initdb.output);
  }
  ActAs const as_server(user_);
  ASSIGN_OR_RETURN(std::string settings, ReadTextFile(draft / "postgresql.conf"));
  settings += "\ninclude 'orochi.conf'\ninclude_if_exists 'custom.conf'\n";
  RETURN_IF_ERROR(WriteTextFile(draft / "postgresql.conf", settings));
  RETURN_IF_ERROR(WriteTextFile(draft / "custom.conf",
                                "# Your own server settings; they win over orochi.conf.\n"));
  std::error_code error;
  fs::rename(draft, data_directory(), error);
  return error ? Status::IoError(StrCat("cannot rename ", draft.string(), ": ", error.message()))
               : Status::Ok();
}

Status Cluster::CheckDataVersion(const PostgresPrograms& programs) const {
  ASSIGN_OR_RETURN(std::string version, ReadTextFile(data_directory() / "PG_VERSION"));
  version = version.substr(0, version.find('\n'));
  if (version == StrCat(programs.major)) {
    return Status::Ok();
  }
  return Status::Unsupported(StrCat("the data in ", data_directory().string(), " is of PostgreSQL ",
                                    version, "; the programs in ", programs.bindir.string(),
                                    " are version ", programs.version))
      .WithHint(StrCat("use the orochi built for PostgreSQL ", version,
                       ", or move the data with pg_dump and a new --dir"));
}

Status Cluster::ClearTracesOfCrash() const {
  // PostgreSQL refuses to start while any process has the number in postmaster.pid, also when it is
  // an unrelated one after a reboot. Removing the file is safe only when no process of the old
  // server is left, whoever its postmaster was.
  std::string leftovers;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", error)) {
    std::string const name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) {
      continue;
    }
    std::error_code unreadable;
    if (fs::read_symlink(entry.path() / "cwd", unreadable) == data_directory()) {
      leftovers += StrCat(leftovers.empty() ? "" : ", ", name);
    }
  }
  if (!leftovers.empty()) {
    return Status::FailedPrecondition(
               StrCat("the server in ", directory_.string(),
                      " ended without its other processes: still running are ", leftovers))
        .WithHint(
            "they end by themselves within seconds; if not, end them with kill and try again");
  }
  // The socket's lock file says the same thing once more, and is believed just as much.
  fs::remove_all(socket_directory(), error);
  if (!error) {
    fs::remove(data_directory() / "postmaster.pid", error);
  }
  return error ? Status::IoError(StrCat("cannot remove what the server that crashed left in ",
                                        directory_.string(), ": ", error.message()))
               : Status::Ok();
}

Status Cluster::WriteSettings(int port) const {
  RETURN_IF_ERROR(MakePrivateDirectory(socket_directory()));
  RETURN_IF_ERROR(MakePrivateDirectory(log_directory()));
  std::string const settings =
      RenderClusterConfig({.port = port,
                           .socket_directory = socket_directory(),
                           .log_directory = log_directory(),
                           .memory_bytes = MachineMemoryBytes(),
                           .cpu_count = static_cast<int>(std::thread::hardware_concurrency())});
  RETURN_IF_ERROR(WriteTextFile(data_directory() / "orochi.conf", settings));
  RETURN_IF_ERROR(WriteTextFile(log_directory() / "start.log", ""));
  return WriteTextFile(MarkerFile(), MarkerText(port));
}

Status Cluster::Start(const PostgresPrograms& programs, int port) {
  RETURN_IF_ERROR(CheckReach());
  RETURN_IF_ERROR(CheckSocketPath(port));
  ASSIGN_OR_RETURN(ClusterStatus const before, Inspect());
  {
    ActAs const as_server(user_);
    RETURN_IF_ERROR(CheckDataVersion(programs));
    if (before.state == ClusterState::kCrashed) {
      RETURN_IF_ERROR(ClearTracesOfCrash());
    }
    RETURN_IF_ERROR(CheckPortFree(port));
    RETURN_IF_ERROR(WriteSettings(port));
  }
  ASSIGN_OR_RETURN(ProcessResult const start,
                   RunProcess({.program = programs.Program("pg_ctl"),
                               .arguments = {"start", "--pgdata", data_directory().string(),
                                             "--log", (log_directory() / "start.log").string(),
                                             "--wait", StrCat("--timeout=", kStartTimeoutSeconds)},
                               .user = UserToBecome()}));
  return start.exit_code == 0 ? Status::Ok() : StartError(start.output, port);
}

Status Cluster::StartError(const std::string& pg_ctl_output, int port) const {
  Result<ClusterStatus> const now = Inspect();
  if (now.ok() && now->state == ClusterState::kStarting) {
    return Status::Timeout(StrCat("the server does not take connections after ",
                                  kStartTimeoutSeconds, " s; it is still starting"))
        .WithHint("it may be recovering from a crash; `orochi status` tells when it is up");
  }
  std::string log = LastLines(log_directory() / "start.log", 10);
  if (fs::path const newest = NewestLog(log_directory());
      !newest.empty() && log.find("logging collector") != std::string::npos) {
    log = LastLines(newest, 20);
    if (size_t const begin = log.rfind("starting PostgreSQL"); begin != std::string::npos) {
      log.erase(0, log.find('\n', begin) + 1);  // what came before is of earlier runs
    }
  }
  auto const log_has = [&](std::string_view text) { return log.find(text) != std::string::npos; };
  if (log_has("could not access file \"orochi\"")) {
    return Status::NotFound("the server cannot load the extension orochi")
        .WithDetail(log)
        .WithHint("run `make install` in the checkout");
  }
  if (log_has("Address already in use")) {
    return Status::FailedPrecondition(StrCat("port ", port, " is taken by another program"))
        .WithDetail(log)
        .WithHint("choose another with --port");
  }
  return Status::IoError("the server did not start")
      .WithDetail(log.empty() ? pg_ctl_output : log)
      .WithHint(StrCat("the log is in ", log_directory().string(), "; your own settings are in ",
                       (data_directory() / "custom.conf").string()));
}

Status Cluster::PrepareDatabase() {
  {
    ASSIGN_OR_RETURN(Connection connection, Connect("postgres"));
    ASSIGN_OR_RETURN(QueryResult const found,
                     connection.Query("SELECT FROM pg_database WHERE datname = $1", {kDatabase}));
    if (found.row_count() == 0) {
      RETURN_IF_ERROR(
          connection.Execute(StrCat("CREATE DATABASE ", connection.QuoteIdentifier(kDatabase))));
    }
  }
  ASSIGN_OR_RETURN(Connection connection, Connect());
  ASSIGN_OR_RETURN(
      QueryResult const extension,
      connection.Query("SELECT installed_version IS NOT NULL, installed_version = default_version "
                       "FROM pg_available_extensions WHERE name = 'orochi'"));
  if (extension.row_count() == 0 || extension.Text(0, 0) == "f") {
    RETURN_IF_ERROR(connection.Execute("CREATE EXTENSION orochi"));
  } else if (extension.Text(0, 1) == "f") {
    RETURN_IF_ERROR(connection.Execute("ALTER EXTENSION orochi UPDATE"));
  }
  // Once: a search_path somebody changed since stays as it is.
  ASSIGN_OR_RETURN(
      QueryResult const settings,
      connection.Query(
          "SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,"
          " unnest(s.setconfig) AS setting WHERE d.datname = current_database()"
          " AND s.setrole = 0 AND setting LIKE 'search_path=%'"));
  if (settings.row_count() > 0) {
    return Status::Ok();
  }
  return connection.Execute(StrCat("ALTER DATABASE ", connection.QuoteIdentifier(kDatabase),
                                   " SET search_path = \"$user\", public, orochi"));
}

Status Cluster::Stop(const PostgresPrograms& programs) {
  ASSIGN_OR_RETURN(
      ProcessResult const stop,
      RunProcess({.program = programs.Program("pg_ctl"),
                  .arguments = {"stop", "--pgdata", data_directory().string(), "--mode=fast",
                                "--wait", StrCat("--timeout=", kStopTimeoutSeconds)},
                  .user = UserToBecome()}));
  if (stop.exit_code == 0) {
    return Status::Ok();
  }
  return Status::Timeout(StrCat("the server did not stop within ", kStopTimeoutSeconds, " s"))
      .WithDetail(stop.output)
      .WithHint(StrCat("see the log in ", log_directory().string()));
}

}  // namespace orochi::cli
