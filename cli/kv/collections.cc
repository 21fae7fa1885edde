// `orochi kv collection, schema`.
#include "base/str_cat.h"
#include "cli/kv/commands.h"
#include "cli/kv/result_list.h"
#include "cli/kv/session.h"
#include "cli/kv/value_json.h"
#include "cli/sstable/output.h"
#include "cli/text_file.h"
#include "kv/client/http_message.h"

namespace orochi::cli {

using kv::client::Client;
using kv::client::CollectionDefinition;
using kv::client::CollectionInfo;
using kv::client::FieldDefinition;
using kv::client::Object;
using kv::client::SchemaDefinition;
using kv::client::Value;

namespace {

constexpr const char* kCollectionFooter =
    R"(A collection holds records of one or more schemas. They lie over partitions by a hash of
their partition key, or with --range in the order of keys.

  orochi kv collection create shop --partitions 8
  orochi kv collection create events --range
  orochi kv collection list
  orochi kv collection show shop -o json
  orochi kv collection drop shop --yes

drop removes all records, and asks for --yes.)";

constexpr const char* kSchemaFooter =
    R"(A schema has fields of types, and says which are its key. FIELD is NAME:TYPE, for
key fields also NAME:TYPE:desc; types: bool, int16, int32, int64, uint16, uint32,
uint64, float, double, decimal25, decimal50, decimal100, text, bytes, uuid, timestamp.

  orochi kv schema create shop item shelf:text place:int64 count:int64 --key shelf --range place
  orochi kv schema create shop item --file item.json
  orochi kv schema list shop
  orochi kv schema show shop item --version 1

A further version of a schema has a higher --version and the same key fields.)";

Value Described(const CollectionInfo& info) {
  std::string schemas;
  Object by_name;
  for (const auto& [name, versions] : info.schemas) {
    Value::Array numbers;
    for (uint64_t const version : versions) {
      numbers.emplace_back(version);
    }
    schemas += StrCat(schemas.empty() ? "" : ", ", name);
    by_name.emplace_back(name, std::move(numbers));
  }
  return Object{{"name", info.definition.name},
                {"id", info.id},
                {"distribution", info.definition.by_range ? "range" : "hash"},
                {"schema_names", schemas},
                {"schemas", std::move(by_name)}};
}

Value Described(const SchemaDefinition& schema) {
  std::string keys;
  for (const std::string& name : schema.KeyFields()) {
    keys += StrCat(keys.empty() ? "" : ", ", name);
  }
  std::string names;
  Value::Array fields;
  for (const FieldDefinition& field : schema.fields) {
    names += StrCat(names.empty() ? "" : ", ", field.name, ":", field.type,
                    field.descending ? ":desc" : "");
    fields.emplace_back(Object{{"name", field.name},
                               {"type", field.type},
                               {"descending", field.descending},
                               {"nulls_last", field.nulls_last}});
  }
  auto const texts = [](const std::vector<std::string>& all) {
    return Value::Array(all.begin(), all.end());
  };
  return Object{{"name", schema.name},
                {"version", uint64_t{schema.version}},
                {"partition_key", texts(schema.partition_key)},
                {"range_key", texts(schema.range_key)},
                {"key", std::move(keys)},
                {"field_types", std::move(names)},
                {"fields", std::move(fields)}};
}

// What tables show beside the whole is not for programs.
Value Without(const Value& object, std::initializer_list<std::string_view> names) {
  Object kept;
  for (const auto& [name, value] : *object.AsObject()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      kept.emplace_back(name, value);
    }
  }
  return kept;
}

Status PrintSchemas(const std::vector<SchemaDefinition>& schemas, KvForm form,
                    const Terminal& terminal) {
  std::vector<Value> described;
  for (const SchemaDefinition& schema : schemas) {
    Value one = Described(schema);
    described.push_back(form == KvForm::kTable ? one : Without(one, {"key", "field_types"}));
  }
  return PrintList(
      described,
      {{"schema", "name"}, {"version", "version", true}, {"key", "key"}, {"fields", "field_types"}},
      form, terminal);
}

Status PrintCollections(const std::vector<CollectionInfo>& collections, KvForm form,
                        const Terminal& terminal) {
  std::vector<Value> described;
  for (const CollectionInfo& info : collections) {
    Value one = Described(info);
    described.push_back(form == KvForm::kTable ? one : Without(one, {"schema_names"}));
  }
  return PrintList(described,
                   {{"collection", "name"},
                    {"id", "id", true},
                    {"distribution", "distribution"},
                    {"schemas", "schema_names"}},
                   form, terminal);
}

Result<FieldDefinition> ParseField(const std::string& text) {
  size_t const colon = text.find(':');
  if (colon == std::string::npos || colon == 0) {
    return Status::InvalidArgument(
        StrCat("field '", text, "': expected NAME:TYPE, as in count:int64"));
  }
  FieldDefinition field{.name = text.substr(0, colon), .type = text.substr(colon + 1)};
  if (size_t const second = field.type.find(':'); second != std::string::npos) {
    std::string const order = field.type.substr(second + 1);
    if (order != "desc") {
      return Status::InvalidArgument(
          StrCat("field '", text, "': found '", order, "' after the type, expected desc"));
    }
    field.descending = true;
    field.type.resize(second);
  }
  return field;
}

struct CollectionOptions {
  KvOptions kv;
  std::string name;
  CollectionDefinition definition;
  uint32_t partitions = 0;
  bool yes = false;
};

Status CreateCollection(const CollectionOptions& options) {
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  CollectionDefinition definition = options.definition;
  definition.name = options.name;
  if (options.partitions > 0) {
    definition.partition_count = options.partitions;
  }
  return client->CreateCollection(definition).status();
}

Status ListCollections(const CollectionOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  ASSIGN_OR_RETURN(auto const all, client->ListCollections());
  return PrintCollections(all, options.kv.output(), terminal);
}

Status ShowCollection(const CollectionOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  ASSIGN_OR_RETURN(CollectionInfo const info, client->FindCollection(options.name));
  if (options.kv.output() != KvForm::kTable) {
    return PrintOne(Without(Described(info), {"schema_names"}), options.kv.output());
  }
  RETURN_IF_ERROR(PrintOne(Without(Described(info), {"schemas", "schema_names"}), KvForm::kTable));
  ASSIGN_OR_RETURN(auto const schemas, client->ListSchemas(options.name));
  RETURN_IF_ERROR(WriteToStdout("\n"));
  return PrintSchemas(schemas, KvForm::kTable, terminal);
}

Status DropCollection(const CollectionOptions& options) {
  if (!options.yes) {
    return Status::InvalidArgument(StrCat("this removes all records of ", options.name))
        .WithHint("say --yes when that is what you want");
  }
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  return client->DropCollection(options.name);
}

struct SchemaOptions {
  KvOptions kv;
  std::string collection;
  std::string name;
  std::vector<std::string> fields;
  SchemaDefinition definition;
  uint32_t version = 0;
  std::string file;
};

Status CreateSchema(const SchemaOptions& options) {
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  if (!options.file.empty()) {
    ASSIGN_OR_RETURN(std::string const text, ReadTextFile(options.file));
    RETURN_IF_ERROR(CheckJson(text, options.file));
    return client
        ->Call({.method = "POST",
                .target = StrCat("/v1/collections/", kv::client::PercentEncode(options.collection),
                                 "/schemas"),
                .content_type = "application/json",
                .body = text})
        .status;
  }
  SchemaDefinition schema = options.definition;
  schema.name = options.name;
  schema.version = std::max(1U, options.version);
  for (const std::string& text : options.fields) {
    ASSIGN_OR_RETURN(FieldDefinition field, ParseField(text));
    schema.fields.push_back(std::move(field));
  }
  if (schema.fields.empty() || schema.partition_key.empty()) {
    return Status::InvalidArgument("expected fields and --key, or --file");
  }
  return client->CreateSchema(options.collection, schema).status();
}

Status ListSchemas(const SchemaOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  ASSIGN_OR_RETURN(auto const all, client->ListSchemas(options.collection));
  return PrintSchemas(all, options.kv.output(), terminal);
}

Status ShowSchema(const SchemaOptions& options, const Terminal& terminal) {
  ASSIGN_OR_RETURN(auto const client, options.kv.Connect());
  ASSIGN_OR_RETURN(
      SchemaDefinition const schema,
      client->FindSchema(options.collection, options.name,
                         options.version > 0 ? std::optional(options.version) : std::nullopt));
  if (options.kv.output() == KvForm::kTable) {
    return PrintSchemas({schema}, KvForm::kTable, terminal);
  }
  return PrintOne(Without(Described(schema), {"key", "field_types"}), options.kv.output());
}

// "collection create": its options in one struct for all four, each with what it needs.
CLI::App* AddAction(CLI::App& group, const char* name, const char* summary) {
  CLI::App* action = group.add_subcommand(name, summary);
  action->set_help_flag("-h,--help", "Show this help and exit");
  return action;
}

}  // namespace

void AddKvCollections(CLI::App& kv, Invocation& invocation) {
  CLI::App* collection =
      AddCommand(kv, "collection", "Create, list and drop collections", kCollectionFooter);
  collection->require_subcommand(1);
  auto const options = std::make_shared<CollectionOptions>();
  CLI::App* create = AddAction(*collection, "create", "Create a collection");
  CLI::App* list = AddAction(*collection, "list", "All collections");
  CLI::App* show = AddAction(*collection, "show", "One collection, and its schemas");
  CLI::App* drop = AddAction(*collection, "drop", "Remove a collection and its records");
  for (CLI::App* const action : {create, show, drop}) {
    action->add_option("name", options->name, "Its name")->required();
  }
  for (CLI::App* const action : {create, list, show, drop}) {
    options->kv.AddTo(*action);
  }
  create->add_flag("--range", options->definition.by_range, "In the order of keys, not by hash");
  create->add_option("--partitions", options->partitions, "How many at first");
  drop->add_flag("--yes", options->yes, "Do it");
  create->callback([options, &invocation] { FinishKv(invocation, CreateCollection(*options)); });
  list->callback([options, &invocation] {
    FinishKv(invocation, ListCollections(*options, invocation.terminal));
  });
  show->callback([options, &invocation] {
    FinishKv(invocation, ShowCollection(*options, invocation.terminal));
  });
  drop->callback([options, &invocation] { FinishKv(invocation, DropCollection(*options)); });

  CLI::App* schema = AddCommand(kv, "schema", "Create and show schemas", kSchemaFooter);
  schema->require_subcommand(1);
  auto const of_schema = std::make_shared<SchemaOptions>();
  CLI::App* make = AddAction(*schema, "create", "Create a schema, or a further version");
  CLI::App* all = AddAction(*schema, "list", "The newest version of each schema");
  CLI::App* one = AddAction(*schema, "show", "One schema");
  for (CLI::App* const action : {make, all, one}) {
    action->add_option("collection", of_schema->collection, "The collection")->required();
    of_schema->kv.AddTo(*action);
  }
  for (CLI::App* const action : {make, one}) {
    action->add_option("schema", of_schema->name, "The schema")->required();
    action->add_option("--version", of_schema->version, "Its version");
  }
  make->add_option("fields", of_schema->fields, "NAME:TYPE of each field");
  make->add_option("--key", of_schema->definition.partition_key, "Fields of the partition key")
      ->delimiter(',')
      ->allow_extra_args(false);
  make->add_option("--range", of_schema->definition.range_key, "Fields of the range key")
      ->delimiter(',')
      ->allow_extra_args(false);
  make->add_option("--file", of_schema->file, "The schema as JSON, instead of fields");
  make->callback([of_schema, &invocation] { FinishKv(invocation, CreateSchema(*of_schema)); });
  all->callback([of_schema, &invocation] {
    FinishKv(invocation, ListSchemas(*of_schema, invocation.terminal));
  });
  one->callback([of_schema, &invocation] {
    FinishKv(invocation, ShowSchema(*of_schema, invocation.terminal));
  });
}

}  // namespace orochi::cli
