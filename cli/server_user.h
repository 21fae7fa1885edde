#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/status.h"

namespace orochi::cli {

/// The operating system's user that owns a cluster and runs its server. PostgreSQL refuses to run
/// as root, so root acts as this user; everybody else is this user.
struct ServerUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::string name;
  std::vector<gid_t> groups;
  bool needs_switch = false;  // the caller is root and must become this user
};

/// Whom the cluster in `directory` belongs to: the caller; for root the owner of the directory
/// when that is not root itself, else the user `postgres`.
/// kNotFound when root has no user `postgres` to become.
Result<ServerUser> ServerUserFor(const std::filesystem::path& directory);

/// While alive, file access happens as `user`. Does nothing when no switch is needed.
/// Threads: the process must have only one. Scopes do not nest.
class ActAs {
 public:
  explicit ActAs(const ServerUser& user);
  ~ActAs();
  ActAs(const ActAs&) = delete;
  ActAs& operator=(const ActAs&) = delete;

 private:
  bool switched_ = false;
  std::vector<gid_t> root_groups_;
};

/// Becomes `user` for good, with no way back. For a child between fork and exec: allocates nothing.
/// Returns false when the system refuses.
bool BecomeForGood(const ServerUser& user);

}  // namespace orochi::cli
