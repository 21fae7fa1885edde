// Any bytes as Filter.db: decoded filters answer; what was added is there.
#include "sstable/format/bloom_filter.h"

#include <utility>
#include <vector>

#include "codec/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::sstable;
  using orochi::codec::testing::Require;
  orochi::codec::testing::FuzzInput const input(data, size_bytes);
  for (const char* const letters : {"me", "oa"}) {
    std::vector<std::byte> bytes(input.rest().begin(), input.rest().end());
    auto filter =
        BloomFilter::Decode(std::move(bytes), *Version::Parse(letters, IndexFormat::kBig));
    if (!filter.ok()) {
      filter.status().IgnoreError("most inputs are none");
      continue;
    }
    Murmur3Hash const hash = Murmur3(input.rest());
    filter->Add(hash);
    Require(filter->MayContain(hash), "what was added is there");
    auto const again = BloomFilter::Decode(filter->Encode(), Version::Oa());
    Require(again.ok() && again->MayContain(hash), "and still after writing and reading");
  }
  return 0;
}
