// Any bytes as a compressed chunk of any codec; what is compressed expands to itself.
#include <algorithm>

#include "codec/testing/fuzz_input.h"
#include "sstable/format/compressor.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::sstable;
  using orochi::codec::testing::Require;
  orochi::codec::testing::FuzzInput input(data, size_bytes);
  ChunkCodec codec(static_cast<CompressorKind>(input.TakeByte() % 5));
  std::vector<std::byte> out(input.TakeCount() - 1);
  codec.Decompress(input.rest(), out).IgnoreError("most inputs are no chunk");
  std::vector<std::byte> compressed;
  Require(codec.Compress(input.rest(), compressed).ok(), "everything can be compressed");
  std::vector<std::byte> found(input.rest().size());
  Require(codec.Decompress(compressed, found).ok(), "and expanded");
  Require(std::equal(found.begin(), found.end(), input.rest().begin()), "to itself");
  return 0;
}
