// Any bytes as Index.db of a table that is good otherwise: read forwards, backwards, by key, slice
// and range, and verified.
#include "codec/testing/fuzz_input.h"
#include "sstable/check/testing/damaged_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::sstable;
  orochi::codec::testing::FuzzInput input(data, size_bytes);
  static testing::DamagedTable nb(Version::Nb());
  static testing::DamagedTable oa(Version::Oa());
  testing::DamagedTable* const tables[] = {&nb, &oa};
  testing::DamagedTable& table = *tables[input.TakeByte() % std::size(tables)];
  table.ReadAll(Component::kIndex, table.Apply(Component::kIndex, input.rest()));
  return 0;
}
