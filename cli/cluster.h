#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/status.h"
#include "cli/connection.h"
#include "cli/postgres_programs.h"
#include "cli/server_user.h"

namespace orochi::cli {

inline constexpr int kDefaultPort = 5433;
inline constexpr const char* kDatabase = "orochi";
inline constexpr const char* kSuperuser = "postgres";

/// What a look at the files and processes of a cluster finds.
enum class ClusterState {
  kAbsent,    // nothing has been created here
  kStopped,   // created, and no server runs
  kCrashed,   // no server runs, though the last one never shut down; a start recovers it
  kStarting,  // a server process exists and does not take connections yet, or no longer
  kRunning,
};

struct ClusterStatus {
  ClusterState state = ClusterState::kAbsent;
  pid_t pid = 0;             // of the server, where there is one; of the dead one when kCrashed
  int port = 0;              // that it listens on, or will at the next start
  int64_t started_at_s = 0;  // Unix time, while it runs
};

/// Held while one `orochi` changes a cluster. Freed on destruction, or by the process's end.
class ClusterLock {
 public:
  explicit ClusterLock(int fd) : fd_(fd) {}
  ClusterLock(ClusterLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ClusterLock& operator=(ClusterLock&&) = delete;
  ~ClusterLock();

 private:
  int fd_;
};

/// A private PostgreSQL cluster in one directory:
///
///   <directory>/orochi.cluster   "orochi cluster 1" and the chosen port: this directory is ours
///   <directory>/data/            PostgreSQL's data directory; orochi.conf in it is ours
///   <directory>/run/             the Unix socket
///   <directory>/log/             the server's log, a file per weekday
///
/// Everything belongs to the server user and only that user may enter (mode 0700): this is what
/// makes the password-less socket safe. Over TCP the server listens on loopback only and asks for a
/// password (SCRAM), and no role has one at first.
///
/// Threads: none. Two `orochi` programs changing one cluster take turns by Lock().
class Cluster {
 public:
  /// `directory_option` (--dir), else $OROCHI_HOME, else /var/lib/orochi for root and ~/.orochi for
  /// everybody else. Looks at nothing but who owns it.
  static Result<Cluster> At(const std::string& directory_option);

  const std::filesystem::path& directory() const { return directory_; }
  std::filesystem::path data_directory() const { return directory_ / "data"; }
  std::filesystem::path socket_directory() const { return directory_ / "run"; }
  std::filesystem::path log_directory() const { return directory_ / "log"; }
  const ServerUser& user() const { return user_; }

  /// Makes the directory where it is missing and gives an empty one to the server user.
  /// Leaves a directory with content alone.
  Status MakeDirectory() const;

  /// Waits until no other `orochi` changes this cluster. REQUIRES: the directory exists.
  Result<ClusterLock> Lock() const;

  /// kFailedPrecondition when the directory holds something that is not a cluster of ours.
  Result<ClusterStatus> Inspect() const;

  /// Initialises the cluster; the work of an interrupted attempt is thrown away.
  /// REQUIRES: MakeDirectory, Lock, state kAbsent. On error no cluster exists.
  Status Create(const PostgresPrograms& programs, int port);

  /// Writes orochi.conf for `port`, starts the server and waits until it takes connections.
  /// The error carries the end of the server's log. REQUIRES: not running.
  Status Start(const PostgresPrograms& programs, int port);

  /// Makes the database and the extension in it, or brings them to this version.
  /// REQUIRES: running.
  Status PrepareDatabase();

  /// Ends all sessions, rolls their transactions back, and waits for the server's end.
  /// REQUIRES: running or starting.
  Status Stop(const PostgresPrograms& programs);

  /// Where to connect. kUnavailable, with what to do, when the server is not up.
  Result<ConnectionTarget> Target(const std::string& database = kDatabase) const;
  Result<Connection> Connect(const std::string& database = kDatabase) const;

 private:
  Cluster(std::filesystem::path directory, ServerUser user)
      : directory_(std::move(directory)), user_(std::move(user)) {}

  std::filesystem::path MarkerFile() const { return directory_ / "orochi.cluster"; }
  const ServerUser* UserToBecome() const { return user_.needs_switch ? &user_ : nullptr; }
  Status CheckReach() const;
  Status CheckSocketPath(int port) const;
  Status CheckDataVersion(const PostgresPrograms& programs) const;
  Status ClearTracesOfCrash() const;
  Status WriteSettings(int port) const;
  Status StartError(const std::string& pg_ctl_output, int port) const;

  std::filesystem::path directory_;
  ServerUser user_;
};

/// Who listens on 127.0.0.1:`port`: Ok when nobody, kFailedPrecondition when somebody.
Status CheckPortFree(int port);

}  // namespace orochi::cli
