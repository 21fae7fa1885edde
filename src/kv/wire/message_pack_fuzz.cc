// Any bytes as MessagePack: what is accepted is written and reads the same; as the chogori
// dialect's schema, record or filter it is taken or refused, and what is taken survives.
#include <string>

#include "codec/testing/fuzz_input.h"
#include "kv/wire/chogori.h"
#include "kv/wire/message_pack.h"
#include "kv/wire/record_document.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::kv;
  using orochi::codec::testing::Require;
  std::string const bytes(reinterpret_cast<const char*>(data), size_bytes);
  auto const document =
      ParseMessagePack(bytes, {.size_bytes_max = 100'000, .node_count_max = 1000});
  if (!document.ok()) {
    return 0;
  }
  std::string const written = WriteMessagePack(*document);
  auto const again = ParseMessagePack(written, {});
  Require(again.ok() && WriteMessagePack(*again) == written, "MessagePack survives");
  Place const place(*document);
  if (auto const definition = chogori::SchemaFromDocument(place); definition.ok()) {
    auto const copy = chogori::SchemaToDocument(*definition);
    Require(copy.ok(), "a schema of the dialect has its form");
    auto const same = chogori::SchemaFromDocument(Place(*copy));
    Require(same.ok() && *same == *definition, "a schema survives");
  }
  if (auto const filter = chogori::FilterFromDocument(place); filter.ok()) {
    auto const copy = chogori::FilterToDocument(*filter);
    Require(copy.ok() && chogori::FilterFromDocument(Place(*copy)).ok(), "a filter survives");
  }
  static const auto schema = [] {
    SchemaDefinition all{.name = "all", .version = SchemaVersion(1), .partition_key = {0}};
    for (uint64_t code = 1; code <= 14; ++code) {
      auto const type = *FieldTypeFromCode(code);
      all.fields.push_back({.name = std::string(FieldTypeName(type)), .order = {type}});
    }
    return Schema::Make(SchemaId(1), all);
  }();
  Require(schema.ok(), "the schema follows the rules");
  if (auto const storage = chogori::StorageFromDocument(*schema, place); storage.ok()) {
    auto const copy = chogori::StorageToDocument(*schema, storage->values);
    Require(copy.ok(), "a record of the dialect has its form");
    auto const same = chogori::StorageFromDocument(*schema, Place(*copy));
    Require(same.ok() && same->values == storage->values, "a record survives");
  }
  return 0;
}
