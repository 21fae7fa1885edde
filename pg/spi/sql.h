#pragma once

#include "pg/bridge.h"

/// SQL run from C++: for administration, where the commands' own checks, locks and events are
/// wanted, never on a path that rows take. Errors of PostgreSQL fly as CaughtError.
///
/// Threads: the backend's own.
namespace orochi::pg {

using SqlRow = std::vector<std::optional<std::string>>;

/// Runs one command, or several separated by semicolons, and answers the rows that the last one
/// processed.
uint64_t RunSql(const std::string& command);

/// Runs a query that may use $1 and $2, both OIDs. Null is nullopt. For small results: all rows are
/// held in memory as text.
std::vector<SqlRow> QuerySql(const std::string& query, Oid first, Oid second = InvalidOid);

/// Makes settings local to a stretch of code. An error leaves it to the end of the transaction to
/// restore them.
///
/// Life: construct, Set any number of times, Restore once.
class SettingsScope {
 public:
  SettingsScope() noexcept;
  void Set(const char* name, const std::string& value);
  void Restore();

 private:
  int nest_level_;
};

/// Makes another user the current one, with no right to change that back, for a C++ scope: what
/// the user's own functions do then, they do with the user's rights.
class ActAs {
 public:
  explicit ActAs(Oid user) noexcept;
  ~ActAs();
  ActAs(const ActAs&) = delete;
  ActAs& operator=(const ActAs&) = delete;

 private:
  Oid saved_user_ = InvalidOid;
  int saved_context_ = 0;
};

}  // namespace orochi::pg
