#pragma once

#include <string_view>

#include "base/status.h"
#include "kv/http/message.h"
#include "kv/operation/operation.h"

namespace orochi::kv::http {

/// What a code of an error is to HTTP clients.
struct ErrorKind {
  int status;             // of HTTP, in /v1
  int dialect_status;     // within the answer, in the chogori dialect
  std::string_view code;  // in the body; clients act on it
  int retry_after_s;      // 0: asking again does not help by itself
  std::string_view hint;
};

/// Codes as Gateway means them.
const ErrorKind& ErrorKindOf(StatusCode code);

/// A condition did not hold.
struct ConditionKind {
  int dialect_status;
  std::string_view reason;
  std::string_view message;
};
inline constexpr int kConditionFailedStatus = 412;
const ConditionKind& ConditionKindOf(OperationOutcome outcome);

/// {"code": ..., "message": ..., "hint": ...}
Reply ErrorReply(const Status& error);
Reply ErrorReply(int status, std::string_view code, std::string message, std::string_view hint);

}  // namespace orochi::kv::http
