#include "cli/cluster.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <vector>

#include "base/str_cat.h"
#include "cli/text_file.h"

namespace orochi::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMarkerTitle = "orochi cluster 1";

/// Nothing but what a fresh file system puts there itself.
bool IsEmptyDirectory(const fs::path& directory) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().filename() != "lost+found") {
      return false;
    }
  }
  return !error;
}

/// The process lives and works in `data_directory`, as PostgreSQL's processes do. A number alone
/// proves nothing: after a reboot it belongs to somebody else.
bool IsServerProcess(pid_t pid, const fs::path& data_directory) {
  if (pid <= 0 || (kill(pid, 0) != 0 && errno != EPERM)) {
    return false;
  }
  std::error_code error;
  fs::path const working_directory = fs::read_symlink(StrCat("/proc/", pid, "/cwd"), error);
  return !error && working_directory == data_directory;
}

/// The lines of postmaster.pid that matter (PostgreSQL's miscadmin.h fixes their order).
struct PidFile {
  pid_t pid = 0;
  int64_t started_at_s = 0;
  int port = 0;
  std::string condition;  // "starting", "ready", "stopping", "standby"
};

PidFile ParsePidFile(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  lines.resize(8);
  PidFile file;
  file.pid = static_cast<pid_t>(strtol(lines[0].c_str(), nullptr, 10));
  file.started_at_s = strtoll(lines[2].c_str(), nullptr, 10);
  file.port = static_cast<int>(strtol(lines[3].c_str(), nullptr, 10));
  file.condition = lines[7].substr(0, lines[7].find(' '));
  return file;
}

std::string UpCommandFor(const fs::path& directory) {
  return StrCat("orochi up --dir ", directory.string());
}

}  // namespace

ClusterLock::~ClusterLock() {
  if (fd_ >= 0) {
    close(fd_);
  }
}

Result<Cluster> Cluster::At(const std::string& directory_option) {
  fs::path directory = directory_option;
  if (const char* home = getenv("OROCHI_HOME"); directory.empty() && home != nullptr) {
    directory = home;
  }
  if (directory.empty() && getuid() == 0) {
    directory = "/var/lib/orochi";
  }
  if (directory.empty()) {
    const char* home = getenv("HOME");
    if (home == nullptr || *home == '\0') {
      return Status::InvalidArgument("no directory for the cluster: HOME is not set")
          .WithHint("name one with --dir or OROCHI_HOME");
    }
    directory = fs::path(home) / ".orochi";
  }
  std::error_code error;
  fs::path canonical = fs::weakly_canonical(fs::absolute(directory), error);
  if (error) {
    return Status::PermissionDenied(
        StrCat("cannot look at ", directory.string(), ": ", error.message()));
  }
  if (canonical.has_relative_path() && !canonical.has_filename()) {
    canonical = canonical.parent_path();  // "x/" is "x"
  }
  ASSIGN_OR_RETURN(ServerUser user, ServerUserFor(canonical));
  return Cluster(std::move(canonical), std::move(user));
}

Status Cluster::MakeDirectory() const {
  std::error_code error;
  bool const existed = fs::exists(directory_, error);
  if (error || (existed && !fs::is_directory(directory_))) {
    return Status::FailedPrecondition(
               StrCat(directory_.string(), " is ", error ? error.message() : "not a directory"))
        .WithHint("name another directory with --dir");
  }
  // It makes nothing, and says so without an error, when another `up` was first.
  if (!existed && !fs::create_directories(directory_, error) && error) {
    return Status::PermissionDenied(
               StrCat("cannot make the directory ", directory_.string(), ": ", error.message()))
        .WithHint("name a directory you may write with --dir");
  }
  if (!existed || IsEmptyDirectory(directory_)) {
    struct stat info = {};
    bool const give =
        user_.needs_switch && stat(directory_.c_str(), &info) == 0 && info.st_uid == 0;
    if ((give && chown(directory_.c_str(), user_.uid, user_.gid) != 0) ||
        chmod(directory_.c_str(), 0700) != 0) {
      return Status::PermissionDenied(StrCat("cannot give ", directory_.string(), " to ",
                                             user_.name, ": ", strerror(errno)))
          .WithHint("name a directory you own with --dir");
    }
  }
  Status reach = CheckReach();
  if (!reach.ok() && !existed) {
    fs::remove(directory_, error);
  }
  return reach;
}

Status Cluster::CheckReach() const {
  ActAs const as_server(user_);
  if (eaccess(directory_.c_str(), R_OK | W_OK | X_OK) == 0) {
    return Status::Ok();
  }
  return Status::PermissionDenied(StrCat("the user ", user_.name,
                                         ", who runs the server, cannot use ", directory_.string(),
                                         ": ", strerror(errno)))
      .WithHint("choose with --dir a directory that this user owns and can reach");
}

Result<ClusterLock> Cluster::Lock() const {
  int const fd = open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return Status::PermissionDenied(
        StrCat("cannot open ", directory_.string(), ": ", strerror(errno)));
  }
  ClusterLock lock(fd);
  while (flock(fd, LOCK_EX) != 0) {
    if (errno != EINTR) {
      return Status::IoError(StrCat("cannot lock ", directory_.string(), ": ", strerror(errno)));
    }
  }
  return lock;
}

Result<ClusterStatus> Cluster::Inspect() const {
  ClusterStatus status;
  status.port = kDefaultPort;
  std::error_code error;
  if (!fs::exists(directory_, error) && !error) {
    return status;
  }
  if (!error && !fs::is_directory(directory_, error) && !error) {
    return Status::FailedPrecondition(StrCat(directory_.string(), " is not a directory"))
        .WithHint("name another place with --dir");
  }
  Result<std::string> const marker = ReadTextFile(MarkerFile());
  if (!marker.ok()) {
    if (marker.status().code() != StatusCode::kNotFound) {
      return Status(marker.status())
          .WithHint(
              "the cluster is another user's: run orochi as that user or as root, or name "
              "another directory with --dir");
    }
    if (fs::is_directory(directory_) && IsEmptyDirectory(directory_)) {
      return status;
    }
    return Status::FailedPrecondition(
               StrCat(directory_.string(),
                      " is not a cluster made by orochi: "
                      "there are files, and orochi.cluster is not among them"))
        .WithHint("name another directory with --dir; orochi leaves this one alone");
  }
  if (!marker->starts_with(kMarkerTitle)) {
    return Status::FailedPrecondition(StrCat(MarkerFile().string(), ": expected \"", kMarkerTitle,
                                             "\", found \"", marker->substr(0, marker->find('\n')),
                                             "\""))
        .WithHint(
            "a newer orochi made it, or the file is damaged; name another directory with --dir");
  }
  if (size_t const at = marker->find("\nport "); at != std::string::npos) {
    status.port = static_cast<int>(strtol(marker->c_str() + at + 6, nullptr, 10));
  }
  if (!fs::exists(data_directory() / "PG_VERSION")) {
    return status;
  }
  status.state = ClusterState::kStopped;
  Result<std::string> const pid_text = ReadTextFile(data_directory() / "postmaster.pid");
  if (!pid_text.ok()) {
    return pid_text.status().code() == StatusCode::kNotFound ? Result<ClusterStatus>(status)
                                                             : pid_text.status();
  }
  PidFile const pid_file = ParsePidFile(*pid_text);
  status.pid = pid_file.pid;
  if (!IsServerProcess(pid_file.pid, data_directory())) {
    status.state = ClusterState::kCrashed;
    return status;
  }
  bool const ready = pid_file.condition == "ready" || pid_file.condition == "standby";
  status.state = ready ? ClusterState::kRunning : ClusterState::kStarting;
  status.started_at_s = pid_file.started_at_s;
  if (pid_file.port != 0) {
    status.port = pid_file.port;
  }
  return status;
}

Result<ConnectionTarget> Cluster::Target(const std::string& database) const {
  ASSIGN_OR_RETURN(ClusterStatus const status, Inspect());
  switch (status.state) {
    case ClusterState::kRunning:
      return ConnectionTarget{.host = socket_directory().string(),
                              .port = status.port,
                              .user = kSuperuser,
                              .database = database};
    case ClusterState::kStarting:
      return Status::Unavailable(
                 StrCat("the server in ", directory_.string(), " is starting or stopping"))
          .WithHint("try again in a moment; `orochi status` tells when it is up");
    case ClusterState::kAbsent:
      return Status::Unavailable(StrCat("there is no cluster in ", directory_.string()))
          .WithHint(StrCat("create and start it with `", UpCommandFor(directory_), "`"));
    case ClusterState::kStopped:
    case ClusterState::kCrashed:
      break;
  }
  return Status::Unavailable(StrCat("the server in ", directory_.string(), " is not up"))
      .WithHint(StrCat("start it with `", UpCommandFor(directory_), "`"));
}

Result<Connection> Cluster::Connect(const std::string& database) const {
  ASSIGN_OR_RETURN(ConnectionTarget const target, Target(database));
  return Connection::Open(target);
}

}  // namespace orochi::cli
