#include <utility>

#include "base/str_cat.h"
#include "kv/client/client.h"
#include "kv/client/message_pack.h"

namespace orochi::kv::client {
namespace {

constexpr const char* kCollections = "/v1/collections";

Status Unexpected(std::string_view what) {
  return Status::Corruption(StrCat("the answer is no ", what));
}

std::string PathOf(const std::string& collection) {
  return StrCat(kCollections, "/", PercentEncode(collection));
}

uint64_t NumberOf(const Value& document, std::string_view name) {
  const Value* const member = document.Find(name);
  return member != nullptr ? member->AsUint64().value_or(0) : 0;
}

bool FlagOf(const Value& document, std::string_view name) {
  const Value* const member = document.Find(name);
  return member != nullptr && member->AsBool() != nullptr && *member->AsBool();
}

std::vector<std::string> TextsOf(const Value& document, std::string_view name) {
  std::vector<std::string> texts;
  const Value* const member = document.Find(name);
  if (member != nullptr && member->AsArray() != nullptr) {
    for (const Value& item : *member->AsArray()) {
      texts.push_back(item.AsText() != nullptr ? *item.AsText() : "");
    }
  }
  return texts;
}

Result<CollectionInfo> CollectionFrom(const Value& document) {
  CollectionInfo info{.id = NumberOf(document, "id")};
  info.definition.name = document.TextOf("name");
  info.definition.by_range = document.TextOf("distribution") == "range";
  const Value* const schemas = document.Find("schemas");
  if (info.definition.name.empty() || schemas == nullptr || schemas->AsObject() == nullptr) {
    return Unexpected("collection");
  }
  for (const auto& [name, versions] : *schemas->AsObject()) {
    auto& known = info.schemas.emplace_back(name, std::vector<uint64_t>()).second;
    if (versions.AsArray() != nullptr) {
      for (const Value& version : *versions.AsArray()) {
        known.push_back(version.AsUint64().value_or(0));
      }
    }
  }
  return info;
}

Result<SchemaDefinition> SchemaFrom(const Value& document) {
  SchemaDefinition schema{.name = document.TextOf("name"),
                          .version = static_cast<uint32_t>(NumberOf(document, "version")),
                          .partition_key = TextsOf(document, "partition_key"),
                          .range_key = TextsOf(document, "range_key")};
  const Value* const fields = document.Find("fields");
  if (schema.name.empty() || fields == nullptr || fields->AsArray() == nullptr) {
    return Unexpected("schema");
  }
  for (const Value& field : *fields->AsArray()) {
    schema.fields.push_back({.name = field.TextOf("name"),
                             .type = field.TextOf("type"),
                             .descending = FlagOf(field, "descending"),
                             .nulls_last = FlagOf(field, "nulls_last")});
  }
  return schema;
}

Object DocumentOf(const SchemaDefinition& schema) {
  Value::Array fields;
  for (const FieldDefinition& field : schema.fields) {
    Object document{{"name", field.name}, {"type", field.type}};
    if (field.descending) {
      document.emplace_back("descending", true);
    }
    if (field.nulls_last) {
      document.emplace_back("nulls_last", true);
    }
    fields.emplace_back(std::move(document));
  }
  auto const names = [](const std::vector<std::string>& texts) {
    return Value::Array(texts.begin(), texts.end());
  };
  return {{"name", schema.name},
          {"version", uint64_t{schema.version}},
          {"fields", std::move(fields)},
          {"partition_key", names(schema.partition_key)},
          {"range_key", names(schema.range_key)}};
}

}  // namespace

const FieldDefinition* SchemaDefinition::FindField(std::string_view field) const {
  for (const FieldDefinition& one : fields) {
    if (one.name == field) {
      return &one;
    }
  }
  return nullptr;
}

std::vector<std::string> SchemaDefinition::KeyFields() const {
  std::vector<std::string> names = partition_key;
  names.insert(names.end(), range_key.begin(), range_key.end());
  return names;
}

Result<CollectionInfo> Client::CreateCollection(const CollectionDefinition& definition) {
  Object body{{"name", definition.name}, {"distribution", definition.by_range ? "range" : "hash"}};
  if (definition.partition_count) {
    body.emplace_back("partitions", uint64_t{*definition.partition_count});
  }
  CallReply const reply = Post(kCollections, std::move(body), false, false);
  RETURN_IF_ERROR(reply.status);
  return CollectionFrom(reply.document);
}

Result<std::vector<CollectionInfo>> Client::ListCollections() {
  CallReply const reply = Call({.target = kCollections, .only_reads = true});
  RETURN_IF_ERROR(reply.status);
  const Value* const all = reply.document.Find("collections");
  if (all == nullptr || all->AsArray() == nullptr) {
    return Unexpected("list of collections");
  }
  std::vector<CollectionInfo> collections;
  for (const Value& document : *all->AsArray()) {
    ASSIGN_OR_RETURN(CollectionInfo one, CollectionFrom(document));
    collections.push_back(std::move(one));
  }
  return collections;
}

Result<CollectionInfo> Client::FindCollection(const std::string& name) {
  CallReply const reply = Call({.target = PathOf(name), .only_reads = true});
  RETURN_IF_ERROR(reply.status);
  return CollectionFrom(reply.document);
}

Status Client::DropCollection(const std::string& name) {
  return Call({.method = "DELETE", .target = PathOf(name)}).status;
}

Result<SchemaDefinition> Client::CreateSchema(const std::string& collection,
                                              const SchemaDefinition& schema) {
  CallReply const reply =
      Post(StrCat(PathOf(collection), "/schemas"), DocumentOf(schema), false, false);
  RETURN_IF_ERROR(reply.status);
  return SchemaFrom(reply.document);
}

Result<std::vector<SchemaDefinition>> Client::ListSchemas(const std::string& collection) {
  CallReply const reply =
      Call({.target = StrCat(PathOf(collection), "/schemas"), .only_reads = true});
  RETURN_IF_ERROR(reply.status);
  const Value* const all = reply.document.Find("schemas");
  if (all == nullptr || all->AsArray() == nullptr) {
    return Unexpected("list of schemas");
  }
  std::vector<SchemaDefinition> schemas;
  for (const Value& document : *all->AsArray()) {
    ASSIGN_OR_RETURN(SchemaDefinition one, SchemaFrom(document));
    schemas.push_back(std::move(one));
  }
  return schemas;
}

Result<SchemaDefinition> Client::FindSchema(const std::string& collection,
                                            const std::string& schema,
                                            std::optional<uint32_t> version) {
  std::string target = StrCat(PathOf(collection), "/schemas/", PercentEncode(schema));
  if (version) {
    target += StrCat("?version=", *version);
  }
  CallReply const reply = Call({.target = std::move(target), .only_reads = true});
  RETURN_IF_ERROR(reply.status);
  return SchemaFrom(reply.document);
}

}  // namespace orochi::kv::client
