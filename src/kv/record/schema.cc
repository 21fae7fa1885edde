#include "kv/record/schema.h"

#include <algorithm>
#include <set>

#include "base/str_cat.h"
#include "kv/record/utf8.h"

namespace orochi::kv {

namespace {

Status CheckNames(const SchemaDefinition& definition) {
  std::set<std::string_view> names;
  for (size_t index = 0; index < definition.fields.size(); ++index) {
    const std::string& name = definition.fields[index].name;
    if (name.empty() || name.size() > kNameSizeBytesMax) {
      return Status::InvalidArgument(StrCat("field ", index, " has a name of ", name.size(),
                                            " bytes, expected 1 to ", kNameSizeBytesMax));
    }
    if (!IsUtf8(name)) {
      return Status::InvalidArgument(StrCat("the name of field ", index, " is not UTF-8"));
    }
    if (!names.insert(name).second) {
      return Status::InvalidArgument(
          StrCat("field ", index, " has the name '", name, "', which an earlier field has"));
    }
  }
  return Status::Ok();
}

Status CheckKey(const SchemaDefinition& definition) {
  size_t const key_count = definition.partition_key.size() + definition.range_key.size();
  if (definition.partition_key.empty()) {
    return Status::InvalidArgument("found no partition key field, expected one or more");
  }
  if (key_count > kKeyFieldCountMax) {
    return Status::InvalidArgument(
        StrCat("found ", key_count, " key fields, at most ", kKeyFieldCountMax));
  }
  std::vector<bool> seen(definition.fields.size(), false);
  for (const auto* key : {&definition.partition_key, &definition.range_key}) {
    for (uint32_t const index : *key) {
      if (index >= definition.fields.size()) {
        return Status::InvalidArgument(
            StrCat("the key names field ", index, ", there are ", definition.fields.size()));
      }
      const std::string& name = definition.fields[index].name;
      if (seen[index]) {
        return Status::InvalidArgument(StrCat("field '", name, "' is in the key twice"));
      }
      // Key fields are different ones, so all are below their count exactly when they come first.
      if (index >= key_count) {
        return Status::InvalidArgument(
            StrCat("key field '", name, "' comes after a field that is not in the key"));
      }
      seen[index] = true;
    }
  }
  return Status::Ok();
}

}  // namespace

Result<Schema> Schema::Make(SchemaId id, SchemaDefinition definition) {
  if (definition.name.empty() || definition.name.size() > kNameSizeBytesMax) {
    return Status::InvalidArgument(StrCat("a schema has a name of ", definition.name.size(),
                                          " bytes, expected 1 to ", kNameSizeBytesMax));
  }
  if (!IsUtf8(definition.name)) {
    return Status::InvalidArgument("the name of a schema is not UTF-8");
  }
  Schema schema;
  schema.id_ = id;
  schema.definition_ = std::move(definition);
  const SchemaDefinition& made = schema.definition_;
  if (made.fields.empty() || made.fields.size() > kFieldCountMax) {
    return Status::InvalidArgument(StrCat(schema.Describe(), ": found ", made.fields.size(),
                                          " fields, expected 1 to ", kFieldCountMax));
  }
  for (auto* const check : {&CheckNames, &CheckKey}) {
    if (Status status = (*check)(made); !status.ok()) {
      return std::move(status).WithContext(schema.Describe());
    }
  }
  schema.key_fields_ = made.partition_key;
  schema.key_fields_.insert(schema.key_fields_.end(), made.range_key.begin(), made.range_key.end());
  for (size_t index = schema.key_fields_.size(); index < made.fields.size(); ++index) {
    schema.value_fields_.push_back(static_cast<uint32_t>(index));
  }
  return schema;
}

std::optional<uint32_t> Schema::FindField(std::string_view name) const {
  const auto& fields = definition_.fields;
  auto const found = std::find_if(fields.begin(), fields.end(),
                                  [name](const Field& field) { return field.name == name; });
  if (found == fields.end()) {
    return std::nullopt;
  }
  return static_cast<uint32_t>(found - fields.begin());
}

std::optional<uint32_t> Schema::FindField(FieldId id) const {
  const auto& fields = definition_.fields;
  auto const found = std::find_if(fields.begin(), fields.end(),
                                  [id](const Field& field) { return field.id == id; });
  if (found == fields.end()) {
    return std::nullopt;
  }
  return static_cast<uint32_t>(found - fields.begin());
}

std::string Schema::Describe() const {
  return StrCat("schema '", name(), "' version ", version().value());
}

Status Schema::CheckRecord(std::span<const Value> values) const {
  if (values.size() != field_count()) {
    return Status::InvalidArgument(
        StrCat(Describe(), ": record has ", values.size(), " fields, expected ", field_count()));
  }
  for (size_t index = 0; index < values.size(); ++index) {
    if (Status status = CheckValue(field(index).type(), values[index]); !status.ok()) {
      return std::move(status).WithContext(StrCat(Describe(), ": field '", field(index).name, "'"));
    }
  }
  return Status::Ok();
}

}  // namespace orochi::kv
