// Any bytes as a filter: what is accepted is written and gives the same filter, binds or says why
// not, and runs over a record.
#include <string>

#include "codec/testing/fuzz_input.h"
#include "kv/filter/bound_filter.h"
#include "kv/filter/filter_codec.h"
#include "kv/filter/key_bounds.h"

namespace {

class Fields final : public orochi::kv::FieldSource {
 public:
  explicit Fields(std::vector<orochi::kv::Value> values) : values_(std::move(values)) {}
  orochi::Status Read(uint32_t field, orochi::kv::Value& value) override {
    value = values_[field];
    return orochi::Status::Ok();
  }

 private:
  std::vector<orochi::kv::Value> values_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::kv;
  using orochi::codec::testing::Require;
  static const Schema schema =
      *Schema::Make(SchemaId(1), {.name = "fuzz",
                                  .version = SchemaVersion(1),
                                  .fields = {{.name = "a", .order = {FieldType::kInt32}},
                                             {.name = "s", .order = {FieldType::kText, true}},
                                             {.name = "d", .order = {FieldType::kDouble}},
                                             {.name = "b", .order = {FieldType::kBool}}},
                                  .partition_key = {0},
                                  .range_key = {1}});
  std::string const bytes(reinterpret_cast<const char*>(data), size_bytes);
  for (const std::string& input : {bytes, std::string(1, 1) + bytes}) {
    auto const filter = DecodeFilter(input);
    if (!filter.ok()) {
      continue;
    }
    auto const again = EncodeFilter(*filter);
    Require(again.ok() && *again == input, "a decoded filter encodes to the same bytes");
    auto const bound = BoundFilter::Bind(*filter, schema);
    KeySpace const space{CollectionId(1), Distribution::kRange};
    auto const bounds = KeyBoundsOf(*filter, space, schema);
    if (!bound.ok()) {
      Require(!bounds, "what does not fit restricts nothing");
      continue;
    }
    std::vector<Value> const values = {int64_t{1}, std::string("x"), 0.5, Null()};
    Fields record(values);
    auto const passes = bound->Evaluate(record);
    auto const key = EncodeStorageKey(space, schema, values);
    Require(passes.ok() && key.ok(), "records evaluate");
    Require(!*passes || !bounds || bounds->Contains(*key), "bounds hold what passes");
  }
  return 0;
}
