#include "cli/exit_code.h"

namespace orochi::cli {

ExitCode ExitCodeOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return ExitCode::kSuccess;
    case StatusCode::kInvalidArgument:
    case StatusCode::kOutOfRange:
      return ExitCode::kUsage;
    case StatusCode::kUnavailable:
      return ExitCode::kNotRunning;
    case StatusCode::kNotFound:
    case StatusCode::kUnsupported:
      return ExitCode::kMissing;
    case StatusCode::kAlreadyExists:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kPermissionDenied:
      return ExitCode::kInTheWay;
    case StatusCode::kCorruption:
      return ExitCode::kBadInput;
    case StatusCode::kCancelled:
      return ExitCode::kCancelled;
    case StatusCode::kOutcomeUnknown:
      return ExitCode::kUnknown;
    case StatusCode::kResourceExhausted:
    case StatusCode::kIoError:
    case StatusCode::kAborted:
    case StatusCode::kTimeout:
    case StatusCode::kInternal:
      return ExitCode::kFailed;
  }
  return ExitCode::kFailed;
}

}  // namespace orochi::cli
