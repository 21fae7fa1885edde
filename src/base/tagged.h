#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace orochi {

/// A number that knows what it counts: `using StripeId = Tagged<uint64_t, struct StripeIdTag>;`.
/// Two different ids cannot be swapped, added or compared by accident. value() leaves the type.
template <class Rep, class Tag>
class Tagged {
 public:
  constexpr Tagged() = default;
  constexpr explicit Tagged(Rep value) : value_(value) {}

  constexpr Rep value() const { return value_; }
  constexpr Tagged Next() const { return Tagged(static_cast<Rep>(value_ + 1)); }

  friend constexpr auto operator<=>(const Tagged&, const Tagged&) = default;

 private:
  Rep value_{};
};

}  // namespace orochi

template <class Rep, class Tag>
struct std::hash<orochi::Tagged<Rep, Tag>> {
  size_t operator()(const orochi::Tagged<Rep, Tag>& id) const noexcept {
    return std::hash<Rep>{}(id.value());
  }
};
