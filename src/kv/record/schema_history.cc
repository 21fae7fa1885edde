#include "kv/record/schema_history.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/str_cat.h"

namespace orochi::kv {

void SchemaHistory::Insert(Schema schema) {
  for (const Field& field : schema.definition().fields) {
    next_field_id_ = std::max(next_field_id_, field.id.value() + 1);
  }
  auto const after = std::find_if(versions_.begin(), versions_.end(), [&](const auto& other) {
    return other->version() > schema.version();
  });
  versions_.insert(after, std::make_shared<const Schema>(std::move(schema)));
}

std::shared_ptr<const Schema> SchemaHistory::Find(SchemaVersion version) const {
  auto const found = std::find_if(versions_.begin(), versions_.end(), [version](const auto& other) {
    return other->version() == version;
  });
  return found == versions_.end() ? nullptr : *found;
}

std::shared_ptr<const Schema> SchemaHistory::Newest() const {
  return versions_.empty() ? nullptr : versions_.back();
}

Status SchemaHistory::CheckSameKey(const SchemaDefinition& definition) const {
  if (versions_.empty()) {
    return Status::Ok();
  }
  const SchemaDefinition& first = versions_.front()->definition();
  if (definition.name != first.name) {
    return Status::FailedPrecondition(
        StrCat("found schema name '", definition.name, "', expected '", first.name, "'"));
  }
  if (definition.partition_key != first.partition_key || definition.range_key != first.range_key) {
    return Status::FailedPrecondition(
        "found other key fields than in earlier versions; the key is the same in all");
  }
  for (size_t index = 0; index < versions_.front()->key_fields().size(); ++index) {
    const Field& found = definition.fields[index];
    const Field& expected = first.fields[index];
    if (found.name != expected.name || found.order != expected.order) {
      return Status::FailedPrecondition(StrCat("key field ", index, ": found '", found.name, "' ",
                                               FieldTypeName(found.type()), ", expected '",
                                               expected.name, "' ", FieldTypeName(expected.type()),
                                               " in the same order as in earlier versions"));
    }
  }
  return Status::Ok();
}

Status SchemaHistory::AssignIds(SchemaDefinition& definition, const Schema& base,
                                const Change& change) const {
  std::map<std::string_view, std::string_view> from_of;  // new name -> name in the base
  std::set<std::string_view> renamed;
  for (const Rename& rename : change.renames) {
    auto const from = base.FindField(rename.from);
    auto const to = std::find_if(definition.fields.begin(), definition.fields.end(),
                                 [&](const Field& field) { return field.name == rename.to; });
    if (!from || base.IsKeyField(*from)) {
      return Status::InvalidArgument(StrCat("rename of '", rename.from, "': ", base.Describe(),
                                            " has no value field of that name"));
    }
    if (to == definition.fields.end() || to->type() != base.field(*from).type()) {
      return Status::InvalidArgument(
          StrCat("rename of '", rename.from, "' to '", rename.to,
                 "': the new version has no field of that name and type ",
                 FieldTypeName(base.field(*from).type())));
    }
    if (!from_of.emplace(rename.to, rename.from).second || !renamed.insert(rename.from).second) {
      return Status::InvalidArgument(
          StrCat("rename of '", rename.from, "' to '", rename.to, "': a name is used twice"));
    }
  }
  uint32_t next_id = next_field_id_;
  for (Field& field : definition.fields) {
    auto const rename = from_of.find(field.name);
    std::string_view const old_name = rename == from_of.end() ? field.name : rename->second;
    auto const old = base.FindField(old_name);
    bool const taken = rename == from_of.end() && renamed.contains(old_name);
    bool const same = old && !taken && base.field(*old).type() == field.type();
    field.id = same ? base.field(*old).id : FieldId(next_id++);
  }
  return Status::Ok();
}

Result<std::shared_ptr<const Schema>> SchemaHistory::Add(SchemaDefinition definition,
                                                         const Change& change) {
  SchemaVersion const version = definition.version;
  ASSIGN_OR_RETURN(Schema schema, Schema::Make(id_, std::move(definition)));
  if (Find(version) != nullptr) {
    return Status::AlreadyExists(StrCat(schema.Describe(), " exists"));
  }
  if (versions_.size() >= kSchemaVersionCountMax) {
    return Status::ResourceExhausted(
        StrCat("schema '", schema.name(), "' has ", versions_.size(), " versions, the most"));
  }
  if (Status status = CheckSameKey(schema.definition()); !status.ok()) {
    return std::move(status).WithContext(schema.Describe());
  }
  std::shared_ptr<const Schema> const base = change.base ? Find(*change.base) : Newest();
  if (change.base && base == nullptr) {
    return Status::NotFound(
        StrCat(schema.Describe(), ": base version ", change.base->value(), " does not exist"));
  }
  if (base == nullptr) {
    if (!change.renames.empty()) {
      return Status::InvalidArgument(
          StrCat(schema.Describe(), ": the first version has nothing to rename"));
    }
    for (size_t index = 0; index < schema.field_count(); ++index) {
      schema.definition_.fields[index].id = FieldId(static_cast<uint32_t>(index + 1));
    }
  } else if (Status status = AssignIds(schema.definition_, *base, change); !status.ok()) {
    return std::move(status).WithContext(schema.Describe());
  }
  Insert(std::move(schema));
  return Find(version);
}

Result<SchemaHistory> SchemaHistory::Restore(SchemaId id, std::vector<SchemaDefinition> versions) {
  SchemaHistory history(id);
  for (SchemaDefinition& definition : versions) {
    auto schema = Schema::Make(id, std::move(definition));
    if (!schema.ok()) {
      return Status::Corruption(StrCat("schema ", id.value(), ": ", schema.status().message()));
    }
    std::string const name = schema->Describe();
    if (history.Find(schema->version()) != nullptr) {
      return Status::Corruption(StrCat(name, " is there twice"));
    }
    if (Status status = history.CheckSameKey(schema->definition()); !status.ok()) {
      return Status::Corruption(StrCat(name, ": ", status.message()));
    }
    std::set<FieldId> ids;
    for (const Field& field : schema->definition().fields) {
      if (field.id == FieldId() || field.id == FieldId(UINT32_MAX) ||
          !ids.insert(field.id).second) {
        return Status::Corruption(StrCat(name, ": field '", field.name, "' has id ",
                                         field.id.value(), ", expected one of its own"));
      }
      for (const auto& other : history.versions_) {
        auto const index = other->FindField(field.id);
        if (index && other->field(*index).type() != field.type()) {
          return Status::Corruption(StrCat(name, ": field '", field.name, "' with id ",
                                           field.id.value(), " has another type in version ",
                                           other->version().value()));
        }
      }
    }
    history.Insert(*std::move(schema));
  }
  return history;
}

}  // namespace orochi::kv
