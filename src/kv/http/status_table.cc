#include "kv/http/status_table.h"

#include <array>
#include <string>
#include <utility>

#include "base/assert.h"

namespace orochi::kv::http {
namespace {

struct Row {
  StatusCode code;
  ErrorKind kind;
};

constexpr std::array kErrors = {
    Row{StatusCode::kInvalidArgument, {400, 400, "invalid_argument", 0, ""}},
    Row{StatusCode::kNotFound, {404, 404, "not_found", 0, ""}},
    Row{StatusCode::kAlreadyExists, {409, 403, "already_exists", 0, ""}},
    Row{StatusCode::kFailedPrecondition, {409, 409, "failed_precondition", 0, ""}},
    Row{StatusCode::kAborted,
        {409, 409, "conflict", 0, "abort the transaction and run it again from its beginning"}},
    Row{StatusCode::kOutOfRange,
        {403, 403, "too_old", 0, "begin a new transaction, or the query from its first page"}},
    Row{StatusCode::kCancelled, {410, 410, "transaction_gone", 0, "begin a new transaction"}},
    Row{StatusCode::kResourceExhausted, {429, 503, "overloaded", 1, "ask again a little later"}},
    Row{StatusCode::kUnavailable,
        {503, 503, "unavailable", 1, "nothing happened; ask again a little later"}},
    Row{StatusCode::kOutcomeUnknown,
        {504, 500, "outcome_unknown", 0,
         "do not simply repeat it; look what is there, or ask for the transaction's outcome"}},
    Row{StatusCode::kTimeout,
        {504, 500, "deadline", 0,
         "it may still happen; look what is there, or ask for the transaction's outcome"}},
    Row{StatusCode::kUnsupported, {415, 400, "unsupported", 0, ""}},
    Row{StatusCode::kPermissionDenied, {403, 403, "forbidden", 0, ""}},
    Row{StatusCode::kCorruption, {500, 500, "corruption", 0, ""}},
    Row{StatusCode::kIoError, {500, 500, "internal", 0, ""}},
    Row{StatusCode::kInternal, {500, 500, "internal", 0, ""}},
};

constexpr std::array<ConditionKind, kOperationOutcomeMax + 1> kConditions = {{
    {201, "done", "done"},
    {404, "absent", "there is no such record"},
    {412, "present", "there is such a record already"},
    {412, "filter", "the record does not pass the filter"},
    {412, "changed", "the record was written after that time"},
    {403, "forgotten", "that time is so long ago that nobody knows whether the record changed"},
    {500, "version", "the record is of a version that was not sent"},
}};

}  // namespace

const ErrorKind& ErrorKindOf(StatusCode code) {
  for (const Row& row : kErrors) {
    if (row.code == code) {
      return row.kind;
    }
  }
  return kErrors.back().kind;
}

const ConditionKind& ConditionKindOf(OperationOutcome outcome) {
  auto const index = static_cast<size_t>(outcome);
  ASSERT(index < kConditions.size());
  return kConditions[index];
}

Reply ErrorReply(int status, std::string_view code, std::string message, std::string_view hint) {
  Document body = Document::Object();
  body.Add("code", Document::String(std::string(code)));
  body.Add("message", Document::String(std::move(message)));
  if (!hint.empty()) {
    body.Add("hint", Document::String(std::string(hint)));
  }
  return {.status = status, .document = std::move(body)};
}

Reply ErrorReply(const Status& error) {
  const ErrorKind& kind = ErrorKindOf(error.code());
  Reply reply = ErrorReply(kind.status, kind.code, error.message(),
                           error.hint().empty() ? kind.hint : std::string_view(error.hint()));
  reply.retry_after_s = kind.retry_after_s;
  return reply;
}

}  // namespace orochi::kv::http
