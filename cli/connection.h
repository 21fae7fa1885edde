#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/status.h"

namespace orochi::cli {

/// Where a database is. Empty fields are left to libpq and its environment.
struct ConnectionTarget {
  std::string host;  // a socket directory or a host name
  int port = 0;
  std::string user;
  std::string database;
};

/// The rows of one statement, as PostgreSQL writes values in text.
class QueryResult {
 public:
  explicit QueryResult(PGresult* result) : result_(result, PQclear) {}

  int row_count() const { return PQntuples(result_.get()); }
  int column_count() const { return PQnfields(result_.get()); }
  bool IsNull(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  /// Empty for NULL. The view lives as long as this result.
  std::string_view Text(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<size_t>(PQgetlength(result_.get(), row, column))};
  }
  /// The value as a number; 0 for NULL and for what is none.
  int64_t Int(int row, int column) const;
  double Double(int row, int column) const;
  /// How many rows an INSERT, UPDATE, DELETE or COPY says it touched.
  int64_t affected_rows() const;

 private:
  std::unique_ptr<PGresult, decltype(&PQclear)> result_;
};

/// One libpq session. A server's error becomes a Status with its message, DETAIL and HINT.
///
/// Life: Open -> statements; closed on destruction, which rolls back an open transaction.
/// Threads: none.
class Connection {
 public:
  static Result<Connection> Open(const ConnectionTarget& target);

  /// Runs one statement or several separated by semicolons; the result is the last one's.
  Result<QueryResult> Query(const std::string& sql);
  /// Runs one statement with $1.. bound as text.
  Result<QueryResult> Query(const std::string& sql, const std::vector<std::string>& parameters);
  Status Execute(const std::string& sql);

  /// COPY ... FROM STDIN: CopyBegin -> CopyPut* -> CopyFinish, which answers the rows copied.
  /// When CopyPut fails the server has refused: its reason is what CopyAbort returns.
  Status CopyBegin(const std::string& sql);
  Status CopyPut(std::string_view bytes);
  Result<int64_t> CopyFinish();
  /// Ends a COPY without effect. Returns the server's own error when it had one, else `reason`.
  Status CopyAbort(const Status& reason);

  /// The CONTEXT line of the latest error ("COPY metrics, line 3, column value: ..."), or empty.
  const std::string& last_error_context() const { return last_error_context_; }
  /// SQLSTATE of the latest error, or empty.
  const std::string& last_sqlstate() const { return last_sqlstate_; }
  /// The column that the latest error is about, or empty.
  const std::string& last_error_column() const { return last_error_column_; }

  std::string QuoteIdentifier(const std::string& name) const;
  std::string QuoteLiteral(const std::string& value) const;

  PGconn* raw() { return connection_.get(); }

 private:
  explicit Connection(PGconn* connection) : connection_(connection, PQfinish) {}
  Status ErrorFrom(const PGresult* result);
  Result<QueryResult> Take(PGresult* result);

  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
  std::string last_error_context_;
  std::string last_sqlstate_;
  std::string last_error_column_;
};

}  // namespace orochi::cli
