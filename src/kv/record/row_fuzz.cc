// Any bytes read as a row of some schema: every field decodes or says corruption; what decodes is
// written and reads the same.
#include <string>

#include "codec/testing/fuzz_input.h"
#include "kv/record/row.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::kv;
  using orochi::StatusCode;
  using orochi::codec::testing::Require;
  orochi::codec::testing::FuzzInput input(data, size_bytes);
  SchemaDefinition definition{.name = "fuzz",
                              .version = SchemaVersion(1),
                              .fields = {{.name = "key", .order = {FieldType::kBool}}},
                              .partition_key = {0}};
  uint32_t const value_count = input.TakeByte() % 20;
  for (uint32_t index = 0; index < value_count; ++index) {
    auto const type = static_cast<FieldType>(kFieldTypeMin + input.TakeByte() % kFieldTypeMax);
    definition.fields.push_back(
        {.name = std::string(1, static_cast<char>('a' + index)), .order = {type}});
  }
  auto const schema = Schema::Make(SchemaId(3), definition);
  Require(schema.ok(), "the schema follows the rules");
  std::string const bytes(reinterpret_cast<const char*>(input.rest().data()), input.rest().size());
  for (const std::string& row : {bytes, std::string("\1\1", 2) + bytes}) {
    RowReader reader;
    if (orochi::Status const status = reader.Open(*schema, row); !status.ok()) {
      Require(status.code() == StatusCode::kCorruption, "bad bytes are corruption");
      continue;
    }
    std::vector<Value> values(schema->field_count());
    values[0] = true;
    bool whole = true;
    for (uint32_t const index : schema->value_fields()) {
      whole = reader.Read(index, values[index]).ok() && whole;
    }
    if (!whole) {
      continue;
    }
    auto const again = EncodeRow(*schema, values);
    Require(again.ok() && again->size() <= row.size(),
            "a decoded row is encoded, no longer than it was");
    Require(reader.Open(*schema, *again).ok(), "and reads");
  }
  return 0;
}
