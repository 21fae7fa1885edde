#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/tagged.h"
#include "kv/record/field_type.h"
#include "kv/record/value.h"

namespace orochi::kv {

using CollectionId = Tagged<uint32_t, struct CollectionIdTag>;
using SchemaId = Tagged<uint32_t, struct SchemaIdTag>;  // one per schema name and collection
using SchemaVersion = Tagged<uint32_t, struct SchemaVersionTag>;  // chosen by the user
using FieldId = Tagged<uint32_t, struct FieldIdTag>;              // 0: not yet given

inline constexpr size_t kFieldCountMax = 1024;
inline constexpr size_t kKeyFieldCountMax = 32;
inline constexpr size_t kNameSizeBytesMax = 255;

/// How a value of a key field is laid into the key.
struct FieldOrder {
  FieldType type = FieldType::kInt64;
  bool descending = false;
  bool nulls_last = false;  // after all values of the field, whichever direction those have

  friend bool operator==(const FieldOrder&, const FieldOrder&) = default;
};

struct Field {
  std::string name;
  FieldOrder order =
      {};        // beyond the type it matters only in keys, and to filters that compare NULLs
  FieldId id{};  // the same field in every version of a schema, whatever its name

  FieldType type() const { return order.type; }
  friend bool operator==(const Field&, const Field&) = default;
};

/// A schema as a user gives it. Fields are named by their index in `fields`.
struct SchemaDefinition {
  std::string name;
  SchemaVersion version;
  std::vector<Field> fields = {};
  std::vector<uint32_t> partition_key = {};
  std::vector<uint32_t> range_key = {};

  friend bool operator==(const SchemaDefinition&, const SchemaDefinition&) = default;
};

/// One version of a schema, checked. Immutable.
///
/// Rules: a name; 1 to kFieldCountMax fields with names that differ; names are UTF-8 of 1 to
/// kNameSizeBytesMax bytes; 1 to kKeyFieldCountMax key fields, one of them in the partition key; no
/// field twice in the key; key fields come before value fields.
class Schema {
 public:
  /// kInvalidArgument names the schema, the field and the rule.
  static Result<Schema> Make(SchemaId id, SchemaDefinition definition);

  SchemaId id() const { return id_; }
  SchemaVersion version() const { return definition_.version; }
  const std::string& name() const { return definition_.name; }
  const SchemaDefinition& definition() const { return definition_; }

  size_t field_count() const { return definition_.fields.size(); }
  const Field& field(size_t index) const { return definition_.fields[index]; }
  std::optional<uint32_t> FindField(std::string_view name) const;
  std::optional<uint32_t> FindField(FieldId id) const;

  /// Fields of the partition key, then those of the range key, in the key's order.
  std::span<const uint32_t> key_fields() const { return key_fields_; }
  size_t partition_key_count() const { return definition_.partition_key.size(); }
  /// All other fields, ascending.
  std::span<const uint32_t> value_fields() const { return value_fields_; }
  bool IsKeyField(uint32_t index) const { return index < key_fields_.size(); }

  /// "schema 'orders' version 3", for messages.
  std::string Describe() const;

  /// All fields are given, each NULL or of its type. The message names the first that is not.
  Status CheckRecord(std::span<const Value> values) const;

 private:
  friend class SchemaHistory;
  Schema() = default;

  SchemaId id_;
  SchemaDefinition definition_;
  std::vector<uint32_t> key_fields_;
  std::vector<uint32_t> value_fields_;
};

}  // namespace orochi::kv
