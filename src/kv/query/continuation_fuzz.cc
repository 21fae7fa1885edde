// Any bytes as a continuation token, with a checksum that fits, so that its fields are reached: it
// is refused or lies within the query.
#include <string>

#include "codec/crc32c.h"
#include "codec/testing/fuzz_input.h"
#include "kv/query/continuation.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::kv;
  using orochi::codec::testing::Require;
  static const CompiledQuery query = [] {
    SchemaHistory history(SchemaId(1));
    Require(history
                .Add({.name = "fuzz",
                      .version = SchemaVersion(1),
                      .fields = {{.name = "id", .order = {FieldType::kInt64}}},
                      .partition_key = {0}},
                     {})
                .ok(),
            "the schema follows the rules");
    Query asked{.space = {CollectionId(6), Distribution::kRange}, .version = SchemaVersion(1)};
    asked.limit = 100;
    return *CompiledQuery::Make(asked, history);
  }();
  std::string const bytes(reinterpret_cast<const char*>(data), size_bytes);
  std::string head(1, 1);
  for (int shift = 0; shift < 64; shift += 8) {
    head.push_back(static_cast<char>(query.digest() >> shift));
  }
  for (std::string token : {bytes, head + bytes}) {
    for (bool const sealed : {false, true}) {
      if (sealed) {
        uint32_t const crc = orochi::codec::Crc32c(std::as_bytes(std::span(token)));
        token.append(reinterpret_cast<const char*>(&crc), sizeof(crc));
      }
      auto const decoded = DecodeContinuation(query, token, "");
      if (!decoded.ok()) {
        continue;
      }
      Require(decoded->remaining.value_or(101) <= 100, "no more than the limit remains");
      Require(decoded->last_key.empty() || query.spans()[0].Contains(decoded->last_key),
              "the key is within the query");
      auto const again = DecodeContinuation(query, EncodeContinuation(query, *decoded, ""), "");
      Require(again.ok() && *again == *decoded, "a token survives");
    }
  }
  return 0;
}
