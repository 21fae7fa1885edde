// Any bytes as Partitions.db of a table that is good otherwise: read forwards, backwards, by key,
// slice and range, and verified.
#include "codec/testing/fuzz_input.h"
#include "sstable/check/testing/damaged_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::sstable;
  orochi::codec::testing::FuzzInput const input(data, size_bytes);
  static testing::DamagedTable da(Version::Da());
  da.ReadAll(Component::kPartitions, da.Apply(Component::kPartitions, input.rest()));
  return 0;
}
