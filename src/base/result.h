#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "base/assert.h"
#include "base/status.h"

namespace orochi {

/// A value, or the error that kept it from existing. Never both, never neither.
/// REQUIRES: ok() before the value is touched (checked in every build).
template <class T>
class [[nodiscard]] Result {
  static_assert(!std::is_same_v<std::remove_cvref_t<T>, Status>, "return the Status itself");

 public:
  Result(Status error) : status_(std::move(error)) {  // NOLINT: `return Status::NotFound(...)`
    ASSERT(!status_.ok());
    RearmUnread();
  }
  Result(T value) : value_(std::move(value)) {}  // NOLINT: `return value`
  template <class U>
  requires(std::is_constructible_v<T, U&&>&& std::is_convertible_v<U&&, T> &&
           !std::is_same_v<std::remove_cvref_t<U>, Status> &&
           !std::is_same_v<std::remove_cvref_t<U>, Result> &&
           !std::is_same_v<std::remove_cvref_t<U>, T>) Result(U&& value)
      : value_(std::forward<U>(value)) {}  // NOLINT: `return std::unique_ptr<Derived>`

  bool ok() const { return status_.ok(); }
  const Status& status() const& { return status_; }
  Status status() && { return std::move(status_); }

  T& operator*() & {
    ASSERT(value_.has_value());
    return *value_;
  }
  const T& operator*() const& {
    ASSERT(value_.has_value());
    return *value_;
  }
  T&& operator*() && {
    ASSERT(value_.has_value());
    return *std::move(value_);
  }
  T* operator->() {
    ASSERT(value_.has_value());
    return &*value_;
  }
  const T* operator->() const {
    ASSERT(value_.has_value());
    return &*value_;
  }

 private:
  // The ASSERT above looked at the status; whoever receives this Result must look for themselves.
  void RearmUnread() { status_ = Status(std::move(status_)); }

  Status status_;
  std::optional<T> value_;
};

}  // namespace orochi

/// `ASSIGN_OR_RETURN(auto footer, ReadFooter(file));` declares footer, or leaves with the error.
#define ASSIGN_OR_RETURN(declaration, expression) \
  ASSIGN_OR_RETURN_INNER(OROCHI_CONCAT(result_, __LINE__), declaration, expression)
#define ASSIGN_OR_RETURN_INNER(result, declaration, expression) \
  auto result = (expression);                                   \
  if (!result.ok()) {                                           \
    return std::move(result).status();                          \
  }                                                             \
  declaration = *std::move(result)
