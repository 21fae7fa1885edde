#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace orochi {

/// What kind of thing went wrong. Callers act on codes, never on message text.
enum class StatusCode : uint8_t {
  kOk = 0,
  kInvalidArgument,     // the caller passed something that can never work
  kNotFound,            // a named thing does not exist
  kAlreadyExists,       // a named thing exists and must not
  kFailedPrecondition,  // valid in another state of the system
  kOutOfRange,          // a value or position outside what is allowed
  kResourceExhausted,   // memory budget, disk space, file size or queue bound reached
  kCorruption,          // bytes that break their format
  kIoError,             // the operating system failed a read, write or sync
  kUnsupported,         // well-formed, but not something this build can do
  kUnavailable,         // a peer is gone or busy; trying again may help
  kAborted,             // lost a conflict; trying the whole operation again may help
  kCancelled,           // the user asked to stop
  kTimeout,             // a bound on waiting was reached
  kPermissionDenied,    // the user may not do this
  kOutcomeUnknown,      // sent, and no answer: it may or may not have happened
  kInternal,            // our own bug
};

/// "corruption", "io error", ...: for messages and logs.
std::string_view StatusCodeName(StatusCode code);

/// Success, or an error with a code, a message that names the object with what was found and
/// expected, and optionally a detail and a hint for the user.
///
/// In debug builds (OROCHI_CHECK_STATUS) an error that nobody looked at aborts when it is
/// destroyed. Looking is ok(), code() or message(); dropping one on purpose is IgnoreError().
///
/// Cost: one pointer; success allocates nothing. Threads: none.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message);
  Status(const Status& other);
  Status& operator=(const Status& other);
  Status(Status&& other) noexcept;
  Status& operator=(Status&& other) noexcept;
  ~Status();

  static Status Ok() { return Status(); }
  static Status InvalidArgument(std::string message);
  static Status NotFound(std::string message);
  static Status AlreadyExists(std::string message);
  static Status FailedPrecondition(std::string message);
  static Status OutOfRange(std::string message);
  static Status ResourceExhausted(std::string message);
  static Status Corruption(std::string message);
  static Status IoError(std::string message);
  static Status Unsupported(std::string message);
  static Status Unavailable(std::string message);
  static Status Aborted(std::string message);
  static Status Cancelled(std::string message);
  static Status Timeout(std::string message);
  static Status PermissionDenied(std::string message);
  static Status OutcomeUnknown(std::string message);
  static Status Internal(std::string message);

  bool ok() const {
    MarkRead();
    return error_ == nullptr;
  }
  StatusCode code() const;
  const std::string& message() const;  // empty when ok
  const std::string& detail() const;   // empty when there is none
  const std::string& hint() const;     // empty when there is none

  /// Adds what only this layer knows: the message becomes "context: message". No-op when ok.
  Status WithContext(std::string_view context) &&;
  Status WithDetail(std::string detail) &&;
  Status WithHint(std::string hint) &&;

  /// Drops an error on purpose; `reason` is for the reader of the code.
  void IgnoreError(std::string_view reason) const;

  /// "ok" or "corruption: message".
  std::string ToString() const;

 private:
  struct Error {
    StatusCode code;
    std::string message;
    std::string detail;
    std::string hint;
  };

  void MarkRead() const {
#if defined(OROCHI_CHECK_STATUS)
    read_ = true;
#endif
  }
  void DieIfUnread() const;

  std::unique_ptr<Error> error_;  // null means ok
#if defined(OROCHI_CHECK_STATUS)
  mutable bool read_ = false;
#endif
};

}  // namespace orochi

#define OROCHI_CONCAT_INNER(a, b) a##b
#define OROCHI_CONCAT(a, b) OROCHI_CONCAT_INNER(a, b)

/// Leaves the enclosing function with the error of `expression`, a Status, if it has one.
#define RETURN_IF_ERROR(expression)                               \
  do {                                                            \
    if (::orochi::Status status_ = (expression); !status_.ok()) { \
      return status_;                                             \
    }                                                             \
  } while (false)
