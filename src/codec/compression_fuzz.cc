// Any bytes expanded as a block; and any bytes compressed and expanded again.
#include "codec/compression.h"

#include <algorithm>

#include "codec/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi;
  using namespace orochi::codec;
  testing::FuzzInput input(data, size_bytes);
  auto const compression = static_cast<Compression>(input.TakeByte() % 4);  // 3 is unknown
  std::vector<std::byte> expanded(input.TakeCount());
  Decompress(compression, input.rest(), expanded).IgnoreError("either is right");
  std::vector<std::byte> packed;
  if (Compress(compression, 1, input.rest(), packed).ok()) {
    std::vector<std::byte> found(input.rest().size());
    testing::Require(Decompress(compression, packed, found).ok(), "own blocks expand");
    testing::Require(std::ranges::equal(found, input.rest()), "bytes survive");
  }
  return 0;
}
