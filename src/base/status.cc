#include "base/status.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/str_cat.h"

namespace orochi {
namespace {
const std::string& EmptyString() {
  static const std::string empty;
  return empty;
}
}  // namespace

std::string_view StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "ok";
    case StatusCode::kInvalidArgument:
      return "invalid argument";
    case StatusCode::kNotFound:
      return "not found";
    case StatusCode::kAlreadyExists:
      return "already exists";
    case StatusCode::kFailedPrecondition:
      return "failed precondition";
    case StatusCode::kOutOfRange:
      return "out of range";
    case StatusCode::kResourceExhausted:
      return "resource exhausted";
    case StatusCode::kCorruption:
      return "corruption";
    case StatusCode::kIoError:
      return "io error";
    case StatusCode::kUnsupported:
      return "unsupported";
    case StatusCode::kUnavailable:
      return "unavailable";
    case StatusCode::kAborted:
      return "aborted";
    case StatusCode::kCancelled:
      return "cancelled";
    case StatusCode::kTimeout:
      return "timeout";
    case StatusCode::kPermissionDenied:
      return "permission denied";
    case StatusCode::kOutcomeUnknown:
      return "outcome unknown";
    case StatusCode::kInternal:
      return "internal error";
  }
  return "unknown status code";
}

Status::Status(StatusCode code, std::string message)
    : error_(code == StatusCode::kOk ? nullptr : new Error{code, std::move(message), {}, {}}) {}

Status::Status(const Status& other)
    : error_(other.error_ == nullptr ? nullptr : new Error(*other.error_)) {
  other.MarkRead();
}

Status& Status::operator=(const Status& other) {
  if (this != &other) {
    *this = Status(other);
  }
  return *this;
}

Status::Status(Status&& other) noexcept : error_(std::move(other.error_)) {}

Status& Status::operator=(Status&& other) noexcept {
  if (this != &other) {
    DieIfUnread();
    error_ = std::move(other.error_);
#if defined(OROCHI_CHECK_STATUS)
    read_ = false;
#endif
  }
  return *this;
}

Status::~Status() {
  DieIfUnread();
}

void Status::DieIfUnread() const {
#if defined(OROCHI_CHECK_STATUS)
  if (error_ != nullptr && !read_) {
    std::fprintf(stderr, "an error was dropped unread: %s\n", ToString().c_str());
    std::abort();
  }
#endif
}

StatusCode Status::code() const {
  MarkRead();
  return error_ == nullptr ? StatusCode::kOk : error_->code;
}

const std::string& Status::message() const {
  MarkRead();
  return error_ == nullptr ? EmptyString() : error_->message;
}

const std::string& Status::detail() const {
  return error_ == nullptr ? EmptyString() : error_->detail;
}

const std::string& Status::hint() const {
  return error_ == nullptr ? EmptyString() : error_->hint;
}

Status Status::WithContext(std::string_view context) && {
  if (error_ != nullptr) {
    error_->message = StrCat(context, ": ", error_->message);
  }
  return std::move(*this);
}

Status Status::WithDetail(std::string detail) && {
  if (error_ != nullptr) {
    error_->detail = std::move(detail);
  }
  return std::move(*this);
}

Status Status::WithHint(std::string hint) && {
  if (error_ != nullptr) {
    error_->hint = std::move(hint);
  }
  return std::move(*this);
}

void Status::IgnoreError(std::string_view /*reason*/) const {
  MarkRead();
}

std::string Status::ToString() const {
  if (error_ == nullptr) {
    return "ok";
  }
  return StrCat(StatusCodeName(error_->code), ": ", error_->message);
}

#define OROCHI_STATUS_FACTORY(Name)                         \
  Status Status::Name(std::string message) {                \
    return Status(StatusCode::k##Name, std::move(message)); \
  }
OROCHI_STATUS_FACTORY(InvalidArgument)
OROCHI_STATUS_FACTORY(NotFound)
OROCHI_STATUS_FACTORY(AlreadyExists)
OROCHI_STATUS_FACTORY(FailedPrecondition)
OROCHI_STATUS_FACTORY(OutOfRange)
OROCHI_STATUS_FACTORY(ResourceExhausted)
OROCHI_STATUS_FACTORY(Corruption)
OROCHI_STATUS_FACTORY(IoError)
OROCHI_STATUS_FACTORY(Unsupported)
OROCHI_STATUS_FACTORY(Unavailable)
OROCHI_STATUS_FACTORY(Aborted)
OROCHI_STATUS_FACTORY(Cancelled)
OROCHI_STATUS_FACTORY(Timeout)
OROCHI_STATUS_FACTORY(PermissionDenied)
OROCHI_STATUS_FACTORY(OutcomeUnknown)
OROCHI_STATUS_FACTORY(Internal)
#undef OROCHI_STATUS_FACTORY

}  // namespace orochi
