#include "kv/client/value.h"

namespace orochi::kv::client {

Value::Value(uint64_t value) {
  if (value <= INT64_MAX) {
    it_ = static_cast<int64_t>(value);
  } else {
    it_ = value;
  }
}

std::optional<int64_t> Value::AsInt64() const {
  const auto* const number = std::get_if<int64_t>(&it_);
  return number != nullptr ? std::optional(*number) : std::nullopt;
}

std::optional<uint64_t> Value::AsUint64() const {
  if (const auto* const number = std::get_if<uint64_t>(&it_)) {
    return *number;
  }
  const auto* const number = std::get_if<int64_t>(&it_);
  return number != nullptr && *number >= 0 ? std::optional(static_cast<uint64_t>(*number))
                                           : std::nullopt;
}

std::optional<double> Value::AsDouble() const {
  if (const auto* const number = std::get_if<double>(&it_)) {
    return *number;
  }
  if (auto const number = AsInt64()) {
    return static_cast<double>(*number);
  }
  auto const number = AsUint64();
  return number ? std::optional(static_cast<double>(*number)) : std::nullopt;
}

const std::string* Value::AsBytes() const {
  if (const auto* const bytes = std::get_if<Bytes>(&it_)) {
    return &bytes->bytes;
  }
  return AsText();
}

const Value* Value::Find(std::string_view name) const {
  if (const Members* const members = AsObject()) {
    for (const Member& member : *members) {
      if (member.first == name) {
        return &member.second;
      }
    }
  }
  return nullptr;
}

std::string Value::TextOf(std::string_view name) const {
  const Value* const member = Find(name);
  const std::string* const text = member != nullptr ? member->AsText() : nullptr;
  return text != nullptr ? *text : std::string();
}

}  // namespace orochi::kv::client
