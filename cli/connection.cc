#include "cli/connection.h"

#include <poll.h>

#include <charconv>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::cli {

namespace {

std::string Trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  return std::string(text);
}

std::string Field(const PGresult* result, int field) {
  const char* text = PQresultErrorField(result, field);
  return text != nullptr ? std::string(text) : std::string();
}

/// Codes our callers act on; everything else is a failed operation.
StatusCode CodeFor(std::string_view sqlstate) {
  std::string_view const kind = sqlstate.substr(0, 2);
  if (sqlstate == "42P07" || sqlstate == "42710" || sqlstate == "23505") {
    return StatusCode::kAlreadyExists;
  }
  if (sqlstate == "42P01" || sqlstate == "42704" || sqlstate == "42883" || sqlstate == "58P01" ||
      sqlstate == "3D000" || sqlstate == "3F000") {
    return StatusCode::kNotFound;
  }
  if (sqlstate == "42501") {
    return StatusCode::kPermissionDenied;
  }
  if (sqlstate == "57014") {
    return StatusCode::kCancelled;
  }
  if (kind == "08" || kind == "57") {
    return StatusCode::kUnavailable;
  }
  if (kind == "53") {
    return StatusCode::kResourceExhausted;
  }
  if (kind == "0A") {
    return StatusCode::kUnsupported;
  }
  if (kind == "55") {
    return StatusCode::kFailedPrecondition;
  }
  if (kind == "40") {
    return StatusCode::kAborted;
  }
  return StatusCode::kIoError;
}

}  // namespace

int64_t QueryResult::Int(int row, int column) const {
  int64_t value = 0;
  std::string_view const text = Text(row, column);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

double QueryResult::Double(int row, int column) const {
  double value = 0;
  std::string_view const text = Text(row, column);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

int64_t QueryResult::affected_rows() const {
  int64_t value = 0;
  std::string_view const text = PQcmdTuples(result_.get());
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Result<Connection> Connection::Open(const ConnectionTarget& target) {
  std::string const port = target.port != 0 ? StrCat(target.port) : std::string();
  const char* const names[] = {
      "host", "port", "user", "dbname", "application_name", "client_encoding", nullptr};
  const char* const values[] = {target.host.c_str(),
                                port.c_str(),
                                target.user.c_str(),
                                target.database.c_str(),
                                "orochi",
                                "UTF8",
                                nullptr};
  Connection connection(PQconnectdbParams(names, values, 0));
  if (connection.connection_ == nullptr) {
    return Status::ResourceExhausted("out of memory while connecting");
  }
  if (PQstatus(connection.raw()) != CONNECTION_OK) {
    return Status::Unavailable(Trimmed(PQerrorMessage(connection.raw())));
  }
  PQsetNoticeProcessor(
      connection.raw(), [](void*, const char*) {}, nullptr);
  return connection;
}

Status Connection::ErrorFrom(const PGresult* result) {
  last_sqlstate_ = Field(result, PG_DIAG_SQLSTATE);
  last_error_context_ = Field(result, PG_DIAG_CONTEXT);
  last_error_column_ = Field(result, PG_DIAG_COLUMN_NAME);
  std::string message = Field(result, PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) {
    return Status::Unavailable(Trimmed(PQerrorMessage(connection_.get())));
  }
  if (!last_sqlstate_.empty()) {
    message += StrCat(" (SQLSTATE ", last_sqlstate_, ")");
  }
  Status status(CodeFor(last_sqlstate_), std::move(message));
  if (std::string detail = Field(result, PG_DIAG_MESSAGE_DETAIL); !detail.empty()) {
    status = std::move(status).WithDetail(std::move(detail));
  }
  if (std::string hint = Field(result, PG_DIAG_MESSAGE_HINT); !hint.empty()) {
    status = std::move(status).WithHint(std::move(hint));
  }
  return status;
}

Result<QueryResult> Connection::Take(PGresult* result) {
  QueryResult taken(result);
  ExecStatusType const kind = PQresultStatus(result);
  if (kind == PGRES_TUPLES_OK || kind == PGRES_COMMAND_OK || kind == PGRES_EMPTY_QUERY) {
    return taken;
  }
  return ErrorFrom(result);
}

Result<QueryResult> Connection::Query(const std::string& sql) {
  return Take(PQexec(connection_.get(), sql.c_str()));
}

Result<QueryResult> Connection::Query(const std::string& sql,
                                      const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) {
    values.push_back(parameter.c_str());
  }
  return Take(PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                           values.data(), nullptr, nullptr, 0));
}

Status Connection::Execute(const std::string& sql) {
  return Query(sql).status();
}

Status Connection::CopyBegin(const std::string& sql) {
  PGresult* result = PQexec(connection_.get(), sql.c_str());
  if (PQresultStatus(result) == PGRES_COPY_IN) {
    PQclear(result);
    return Status::Ok();
  }
  RETURN_IF_ERROR(Take(result).status());
  return Status::Internal(StrCat("expected this statement to begin a COPY: ", sql));
}

Status Connection::CopyPut(std::string_view bytes) {
  if (PQputCopyData(connection_.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return Status::Unavailable(Trimmed(PQerrorMessage(connection_.get())));
  }
  // Nothing is expected from the server during a COPY: bytes to read are its refusal. Noticing now
  // saves sending the rest. A harmless message would end the load too, loudly and without effect.
  pollfd readable = {.fd = PQsocket(connection_.get()), .events = POLLIN, .revents = 0};
  if (poll(&readable, 1, 0) > 0) {
    return Status::Aborted("the server answered before the end of the data");
  }
  return Status::Ok();
}

Result<int64_t> Connection::CopyFinish() {
  if (PQputCopyEnd(connection_.get(), nullptr) != 1) {
    return Status::Unavailable(Trimmed(PQerrorMessage(connection_.get())));
  }
  ASSIGN_OR_RETURN(QueryResult result, Take(PQgetResult(connection_.get())));
  while (PGresult* rest = PQgetResult(connection_.get())) {
    PQclear(rest);
  }
  return result.affected_rows();
}

Status Connection::CopyAbort(const Status& reason) {
  bool const ended = PQputCopyEnd(connection_.get(), reason.message().c_str()) == 1;
  PGresult* raw_result = ended ? PQgetResult(connection_.get()) : nullptr;
  if (raw_result == nullptr) {
    return reason;
  }
  Status server_error = Take(raw_result).status();
  while (PGresult* rest = PQgetResult(connection_.get())) {
    PQclear(rest);
  }
  // 57014 is the server repeating what we told it.
  return server_error.ok() || last_sqlstate_ == "57014" ? reason : server_error;
}

std::string Connection::QuoteIdentifier(const std::string& name) const {
  char* quoted = PQescapeIdentifier(connection_.get(), name.data(), name.size());
  if (quoted == nullptr) {
    return "\"\"";  // not UTF-8: the server refuses an empty name, and says so
  }
  std::string result = quoted;
  PQfreemem(quoted);
  return result;
}

std::string Connection::QuoteLiteral(const std::string& value) const {
  char* quoted = PQescapeLiteral(connection_.get(), value.data(), value.size());
  if (quoted == nullptr) {
    return "E'\\377'";  // not UTF-8: the server refuses this too, and says why
  }
  std::string result = quoted;
  PQfreemem(quoted);
  return result;
}

}  // namespace orochi::cli
