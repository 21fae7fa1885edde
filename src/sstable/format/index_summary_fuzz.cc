// Any bytes as Summary.db; what is read is written and read again.
#include "codec/testing/fuzz_input.h"
#include "sstable/format/summary.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::sstable;
  using orochi::codec::testing::Require;
  orochi::codec::testing::FuzzInput const input(data, size_bytes);
  auto const summary = IndexSummary::Decode(input.rest());
  if (!summary.ok()) {
    summary.status().IgnoreError("most inputs are none");
    return 0;
  }
  auto const bytes = summary->Encode();
  auto const again = IndexSummary::Decode(bytes);
  Require(again.ok() && again->entry_count() == summary->entry_count(), "entries survive");
  for (size_t index = 0; index < summary->entry_count(); ++index) {
    Require(again->index_position(index) == summary->index_position(index), "positions survive");
    Require(CompareUnsigned(again->key(index), summary->key(index)) == 0, "keys survive");
  }
  return 0;
}
