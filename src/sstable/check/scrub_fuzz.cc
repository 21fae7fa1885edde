// Edits to any components of a table at once, compressed or not, and salvaged: what comes out is a
// sound SSTable, or nothing.
#include "codec/testing/fuzz_input.h"
#include "sstable/check/testing/damaged_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::sstable;
  orochi::codec::testing::FuzzInput input(data, size_bytes);
  static testing::DamagedTable nb(Version::Nb(), /*compressed=*/true);
  static testing::DamagedTable oa(Version::Oa());
  static testing::DamagedTable da(Version::Da());
  static testing::DamagedTable da_compressed(Version::Da(), /*compressed=*/true);
  testing::DamagedTable* const tables[] = {&nb, &oa, &da, &da_compressed};
  tables[input.TakeByte() % std::size(tables)]->ScrubEdited(input.rest());
  return 0;
}
