// Any bytes as TOC.txt of a table that is good otherwise: which components there are, or are not.
#include "codec/testing/fuzz_input.h"
#include "sstable/check/testing/damaged_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::sstable;
  orochi::codec::testing::FuzzInput input(data, size_bytes);
  static testing::DamagedTable nb(Version::Nb());
  static testing::DamagedTable oa(Version::Oa());
  static testing::DamagedTable da(Version::Da());
  testing::DamagedTable* const tables[] = {&nb, &oa, &da};
  testing::DamagedTable& table = *tables[input.TakeByte() % std::size(tables)];
  table.ReadAll(Component::kToc, table.Apply(Component::kToc, input.rest()));
  return 0;
}
