#include "cli/server_user.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::cli {

namespace {

constexpr const char* kPostgresUser = "postgres";

Result<ServerUser> UserFromEntry(const passwd& entry) {
  ServerUser user;
  user.uid = entry.pw_uid;
  user.gid = entry.pw_gid;
  user.name = entry.pw_name;
  int group_count = 64;
  user.groups.resize(static_cast<size_t>(group_count));
  while (getgrouplist(entry.pw_name, entry.pw_gid, user.groups.data(), &group_count) < 0) {
    user.groups.resize(static_cast<size_t>(group_count));
  }
  user.groups.resize(static_cast<size_t>(group_count));
  return user;
}

}  // namespace

Result<ServerUser> ServerUserFor(const std::filesystem::path& directory) {
  if (getuid() != 0) {
    ServerUser self;
    self.uid = getuid();
    self.gid = getgid();
    const passwd* entry = getpwuid(self.uid);
    self.name = entry != nullptr ? entry->pw_name : StrCat("user id ", self.uid);
    return self;
  }
  struct stat info = {};
  const passwd* entry = nullptr;
  if (stat(directory.c_str(), &info) == 0 && info.st_uid != 0) {
    entry = getpwuid(info.st_uid);
  }
  if (entry == nullptr) {
    entry = getpwnam(kPostgresUser);
  }
  if (entry == nullptr) {
    return Status::NotFound("PostgreSQL cannot run as root, and there is no user \"postgres\"")
        .WithHint(
            "install PostgreSQL's server package, which creates it "
            "(`apt install postgresql-15`), or run orochi as another user");
  }
  ASSIGN_OR_RETURN(ServerUser user, UserFromEntry(*entry));
  user.needs_switch = true;
  return user;
}

ActAs::ActAs(const ServerUser& user) {
  if (!user.needs_switch) {
    return;
  }
  int const count = getgroups(0, nullptr);
  ASSERT(count >= 0);
  root_groups_.resize(static_cast<size_t>(count));
  ASSERT(getgroups(count, root_groups_.data()) == count);
  ASSERT(setgroups(user.groups.size(), user.groups.data()) == 0);
  ASSERT(setegid(user.gid) == 0);
  ASSERT(seteuid(user.uid) == 0);
  switched_ = true;
}

ActAs::~ActAs() {
  if (switched_) {
    ASSERT(seteuid(0) == 0);
    ASSERT(setegid(getgid()) == 0);
    ASSERT(setgroups(root_groups_.size(), root_groups_.data()) == 0);
  }
}

bool BecomeForGood(const ServerUser& user) {
  if (!user.needs_switch) {
    return true;
  }
  return seteuid(0) == 0 && setgroups(user.groups.size(), user.groups.data()) == 0 &&
         setgid(user.gid) == 0 && setuid(user.uid) == 0;
}

}  // namespace orochi::cli
