#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace orochi::kv::client {

/// Bytes that need not be text: values of the types bytes and uuid, and text that is not UTF-8.
struct Bytes {
  std::string bytes;
  friend bool operator==(const Bytes&, const Bytes&) = default;
};

/// What is sent to the store and comes back: null, or a value of a field, or a list or an object of
/// them. Which of these a field of some type is, docs/formats/kv-wire.md says (MessagePack).
///
///   Object key{{"shelf", "a"}, {"place", 1}};
class Value {
 public:
  using Array = std::vector<Value>;
  using Member = std::pair<std::string, Value>;
  using Members = std::vector<Member>;  // in the order in which they were added

  Value() = default;        // null
  Value(std::nullptr_t) {}  // NOLINT: values are written down as they are
  Value(bool value) : it_(value) {}
  Value(int value) : it_(int64_t{value}) {}
  Value(int64_t value) : it_(value) {}
  Value(uint64_t value);  // an int64_t where it fits, so that equal numbers are equal
  Value(double value) : it_(value) {}
  Value(const char* text) : it_(std::string(text)) {}
  Value(std::string_view text) : it_(std::string(text)) {}
  Value(std::string text) : it_(std::move(text)) {}
  Value(Bytes bytes) : it_(std::move(bytes)) {}
  Value(Array items) : it_(std::move(items)) {}
  Value(Members members) : it_(std::move(members)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(it_); }
  /// nullptr, nullopt: it is something else.
  const bool* AsBool() const { return std::get_if<bool>(&it_); }
  std::optional<int64_t> AsInt64() const;
  std::optional<uint64_t> AsUint64() const;
  std::optional<double> AsDouble() const;  // any number
  const std::string* AsText() const { return std::get_if<std::string>(&it_); }
  /// The bytes of Bytes or text.
  const std::string* AsBytes() const;
  const Array* AsArray() const { return std::get_if<Array>(&it_); }
  const Members* AsObject() const { return std::get_if<Members>(&it_); }

  /// nullptr: no such member, or no object.
  const Value* Find(std::string_view name) const;
  /// The text of a member; "" when there is none.
  std::string TextOf(std::string_view name) const;

  friend bool operator==(const Value&, const Value&) = default;

 private:
  friend class MessagePackWriter;
  std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, Bytes, Array, Members>
      it_;
};

/// A record, a key, or a part of them.
using Object = Value::Members;

}  // namespace orochi::kv::client
