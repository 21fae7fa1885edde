// Any bytes decoded as byte strings; what was decoded is encoded and decoded again.
#include "codec/byte_strings.h"

#include <algorithm>

#include "codec/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi;
  using namespace orochi::codec;
  testing::FuzzInput input(data, size_bytes);
  size_t const count = input.TakeCount();
  std::vector<uint32_t> offsets;
  std::span<const std::byte> text;
  ByteReader reader(input.rest());
  if (!DecodeByteStrings(reader, count, offsets, text).ok()) {
    return 0;
  }
  testing::Require(offsets.size() == count + 1 && offsets.back() == text.size(), "offsets end");
  testing::Require(std::is_sorted(offsets.begin(), offsets.end()), "offsets ascend");
  ByteStrings const strings{std::span(offsets).subspan(1), text};
  std::vector<std::byte> bytes;
  EncodeByteStrings(strings, PlanByteStrings(strings), bytes);
  std::vector<uint32_t> found_offsets;
  std::span<const std::byte> found;
  ByteReader again(bytes);
  testing::Require(DecodeByteStrings(again, count, found_offsets, found).ok(), "own bytes decode");
  testing::Require(found_offsets == offsets && std::ranges::equal(found, text), "strings survive");
  return 0;
}
