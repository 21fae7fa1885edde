// Any bytes read as a storage key of some schema: what is accepted is written and gives the same
// bytes, so no two forms of one key exist.
#include <string>

#include "codec/testing/fuzz_input.h"
#include "kv/record/key_codec.h"
#include "kv/record/storage_key.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::kv;
  using orochi::codec::testing::Require;
  orochi::codec::testing::FuzzInput input(data, size_bytes);
  SchemaDefinition definition{.name = "fuzz", .version = SchemaVersion(1)};
  uint8_t const shape = input.TakeByte();
  uint32_t const key_count = 1 + shape % 4;
  for (uint32_t index = 0; index < key_count; ++index) {
    uint8_t const byte = input.TakeByte();
    auto const type = static_cast<FieldType>(kFieldTypeMin + byte % kFieldTypeMax);
    uint8_t const direction = input.TakeByte();
    definition.fields.push_back({.name = std::string(1, static_cast<char>('a' + index)),
                                 .order = {type, (direction & 1) != 0, (direction & 2) != 0}});
    (index == 0 ? definition.partition_key : definition.range_key).push_back(index);
  }
  auto const schema = Schema::Make(SchemaId(3), definition);
  Require(schema.ok(), "the schema follows the rules");
  KeySpace const space{CollectionId(7),
                       (shape & 0x80) != 0 ? Distribution::kHash : Distribution::kRange};
  std::string const bytes(reinterpret_cast<const char*>(input.rest().data()), input.rest().size());
  // A header that fits, so that the fields are reached.
  std::string key = CollectionPrefix(space.collection);
  std::string_view rest = bytes;
  Value first;
  if (space.distribution == Distribution::kHash) {
    bool const readable = ReadKeyField(rest, schema->field(0).order, first).ok();
    uint64_t const token =
        TokenOf(std::string_view(bytes).substr(0, readable ? bytes.size() - rest.size() : 0));
    for (int shift = 56; shift >= 0; shift -= 8) {
      key.push_back(static_cast<char>(token >> shift));
    }
  }
  key += std::string("\0\0\0\3", 4) + bytes;
  for (const std::string& candidate : {bytes, key}) {
    auto const values = DecodeStorageKey(space, *schema, candidate);
    if (values.ok()) {
      auto const again = EncodeStorageKey(space, *schema, *values);
      bool const same =
          again.ok() ? *again == candidate : candidate.size() > kStorageKeySizeBytesMax;
      Require(same, "a decoded key encodes to the same bytes");
    }
  }
  return 0;
}
