// Any bytes decoded as deltas, 64 and 16 bits wide; what was decoded is encoded and decoded again.
#include "codec/delta.h"

#include "codec/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi;
  using namespace orochi::codec;
  testing::FuzzInput input(data, size_bytes);
  std::vector<uint64_t> values(input.TakeCount());
  ByteReader reader(input.rest());
  if (!DecodeDelta(reader, std::span(values)).ok()) {
    return 0;
  }
  std::vector<uint16_t> narrow(values.size());
  ByteReader narrow_reader(input.rest());
  testing::Require(DecodeDelta(narrow_reader, std::span(narrow)).ok(), "narrow values decode, too");
  for (size_t index = 0; index < values.size(); ++index) {
    testing::Require(narrow[index] == static_cast<uint16_t>(values[index]), "low bits agree");
  }
  std::span<const int64_t> const integers(reinterpret_cast<const int64_t*>(values.data()),
                                          values.size());
  std::vector<int64_t> differences;
  TakeDifferences(integers, differences);
  std::vector<std::byte> bytes;
  EncodeDelta(integers, differences, PlanDelta(integers, differences), bytes);
  std::vector<uint64_t> found(values.size());
  ByteReader again(bytes);
  testing::Require(DecodeDelta(again, std::span(found)).ok(), "own bytes decode");
  testing::Require(found == values, "values survive");
  return 0;
}
