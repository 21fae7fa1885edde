#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace orochi {

namespace internal {
inline void AppendPiece(std::string& out, std::string_view piece) {
  out.append(piece);
}
inline void AppendPiece(std::string& out, char value) {
  out.push_back(value);
}

// A template, so that a string literal does not decay to a pointer and then to bool.
template <std::same_as<bool> Bool>
void AppendPiece(std::string& out, Bool value) {
  out.append(value ? "true" : "false");
}

template <class T>
requires(std::is_arithmetic_v<T> && !std::same_as<T, bool> &&
         !std::same_as<T, char>) void AppendPiece(std::string& out, T value) {
  char digits[64];
  auto const end = std::to_chars(digits, digits + sizeof(digits), value).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
}

template <class T>
requires std::is_enum_v<T>
void AppendPiece(std::string& out, T value) {
  AppendPiece(out, static_cast<int64_t>(value));
}
}  // namespace internal

/// Joins text and numbers into one string. Floating-point numbers get their shortest exact form,
/// enums their number. Not localised.
template <class... Pieces>
std::string StrCat(const Pieces&... pieces) {
  std::string out;
  (internal::AppendPiece(out, pieces), ...);
  return out;
}

}  // namespace orochi
