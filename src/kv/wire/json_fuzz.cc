// Any text as JSON: what is accepted is written and reads the same; as a schema, a record or a
// filter it is taken or refused, and what is taken survives.
#include <string>

#include "codec/testing/fuzz_input.h"
#include "kv/wire/filter_document.h"
#include "kv/wire/json.h"
#include "kv/wire/record_document.h"
#include "kv/wire/schema_document.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::kv;
  using orochi::codec::testing::Require;
  std::string const text(reinterpret_cast<const char*>(data), size_bytes);
  auto const document = ParseJson(text, {.size_bytes_max = 100'000, .node_count_max = 1000});
  if (!document.ok()) {
    return 0;
  }
  std::string const written = WriteJson(*document);
  auto const again = ParseJson(written, {});
  Require(again.ok() && WriteJson(*again) == written, "JSON survives");
  Place const place(*document);
  if (auto const definition = SchemaFromDocument(place); definition.ok()) {
    Document const copy = SchemaToDocument(*definition);
    auto const same = SchemaFromDocument(Place(copy));
    Require(same.ok() && *same == *definition, "a schema survives");
  }
  if (auto const filter = FilterFromDocument(place, nullptr, WireForm::kJson); filter.ok()) {
    Document const copy = FilterToDocument(*filter, WireForm::kJson);
    auto const same = FilterFromDocument(Place(copy), nullptr, WireForm::kJson);
    Require(same.ok(), "a filter survives");
  }
  static const auto schema = [] {
    SchemaDefinition all{.name = "all", .version = SchemaVersion(1), .partition_key = {0}};
    for (uint64_t number = kFieldTypeMin; number <= kFieldTypeMax; ++number) {
      auto const type = *FieldTypeFromNumber(number);
      all.fields.push_back({.name = std::string(FieldTypeName(type)), .order = {type}});
    }
    return Schema::Make(SchemaId(1), all);
  }();
  Require(schema.ok(), "the schema follows the rules");
  auto const fields = FieldsFromDocument(*schema, place, WireForm::kJson);
  if (fields.ok()) {
    for (const FieldUpdate& field : *fields) {
      FieldType const type = schema->field(field.field).type();
      Document const copy = ValueToDocument(type, field.value, WireForm::kJson);
      Require(ValueFromDocument(type, Place(copy), WireForm::kJson).ok(), "a value survives");
    }
  }
  return 0;
}
