// Any bytes as CompressionInfo.db; what is read is written as it was.
#include "sstable/format/compression_info.h"

#include <algorithm>

#include "codec/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::sstable;
  using orochi::codec::testing::Require;
  orochi::codec::testing::FuzzInput const input(data, size_bytes);
  for (const char* const letters : {"me", "oa"}) {
    auto const version = Version::Parse(letters, IndexFormat::kBig);
    auto const info = CompressionInfo::Decode(input.rest(), *version);
    if (!info.ok()) {
      info.status().IgnoreError("most inputs are none");
      continue;
    }
    auto const bytes = info->Encode(*version);
    Require(std::equal(bytes.begin(), bytes.end(), input.rest().begin(), input.rest().end()),
            "every byte means something");
    uint64_t total = 0;
    for (size_t index = 0; index < info->chunk_count(); ++index) {
      total += info->UncompressedSizeBytes(index);
    }
    Require(total == info->data_size_bytes, "the chunks make up the data");
  }
  return 0;
}
