// Any bytes decoded as a frame of reference; what was decoded is encoded and decoded again.
#include "codec/frame_of_reference.h"

#include "codec/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi;
  using namespace orochi::codec;
  testing::FuzzInput input(data, size_bytes);
  std::vector<uint64_t> values(input.TakeCount());
  ByteReader reader(input.rest());
  if (!DecodeFrameOfReference(reader, std::span(values)).ok()) {
    return 0;
  }
  std::vector<std::byte> bytes;
  EncodeFrameOfReference({reinterpret_cast<const int64_t*>(values.data()), values.size()}, bytes);
  std::vector<uint64_t> found(values.size());
  ByteReader again(bytes);
  testing::Require(DecodeFrameOfReference(again, std::span(found)).ok(), "own bytes decode");
  testing::Require(found == values, "values survive");
  return 0;
}
