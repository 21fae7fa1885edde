// Any bytes read as varints; what was read is written and read again.
#include "codec/varint.h"

#include "codec/byte_reader.h"
#include "codec/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi::codec;
  testing::FuzzInput const input(data, size_bytes);
  ByteReader reader(input.rest());
  uint64_t value = 0;
  while (reader.ReadVarint(value)) {
    std::vector<std::byte> bytes;
    AppendVarint(bytes, value);
    ByteReader again(bytes);
    uint64_t found = 0;
    testing::Require(again.ReadVarint(found) && found == value, "a varint survives");
    testing::Require(ZigZagEncode(ZigZagDecode(value)) == value, "zigzag is a bijection");
  }
  return 0;
}
