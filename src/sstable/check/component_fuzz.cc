// Any bytes as one component, the Component named by FUZZED_COMPONENT, of a table that is good
// otherwise: read forwards, backwards, by key, slice and range, and verified.
#include <memory>

#include "codec/testing/fuzz_input.h"
#include "sstable/check/testing/damaged_table.h"

namespace {

using orochi::sstable::Component;
using orochi::sstable::Version;
using orochi::sstable::testing::DamagedTable;

constexpr Component kFuzzed = Component::FUZZED_COMPONENT;

/// One table of each version whose files have the component.
std::vector<std::unique_ptr<DamagedTable>> MakeTables() {
  std::vector<std::unique_ptr<DamagedTable>> tables;
  for (Version const version : {Version::Nb(), Version::Oa(), Version::Da()}) {
    auto table = std::make_unique<DamagedTable>(version);
    if (table->Has(kFuzzed)) {
      tables.push_back(std::move(table));
    }
  }
  return tables;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  orochi::codec::testing::FuzzInput input(data, size_bytes);
  static std::vector<std::unique_ptr<DamagedTable>> const tables = MakeTables();
  size_t const index = tables.size() == 1 ? 0 : input.TakeByte() % tables.size();
  tables[index]->ReadAll(kFuzzed, tables[index]->Apply(kFuzzed, input.rest()));
  return 0;
}
