// Any bytes decoded as Gorilla streams of both widths; what was decoded is encoded and decoded
// again.
#include "codec/gorilla.h"

#include "codec/testing/fuzz_input.h"

namespace {

using namespace orochi;
using namespace orochi::codec;

template <class Unsigned>
void Fuzz(size_t count, std::span<const std::byte> input) {
  std::vector<Unsigned> values(count);
  ByteReader reader(input);
  bool const decodes = DecodeGorilla(reader, std::span(values)).ok();
  std::vector<GorillaMark> marks;
  for (size_t const index : {count / 2, count - 1, count / 3, size_t{0}}) {
    Unsigned value = 0;
    bool const is_read = ReadGorillaAt(ByteReader(input), index, marks, value).ok();
    testing::Require(!decodes || (is_read && value == values[index]), "a value alone is the same");
  }
  if (!decodes) {
    return;
  }
  std::vector<std::byte> bytes;
  EncodeGorilla(std::span<const Unsigned>(values), bytes);
  std::vector<Unsigned> found(count);
  ByteReader again(bytes);
  testing::Require(DecodeGorilla(again, std::span(found)).ok(), "own bytes decode");
  testing::Require(again.remaining_bytes() == 0, "own bytes are consumed");
  testing::Require(found == values, "values survive");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  testing::FuzzInput input(data, size_bytes);
  size_t const count = input.TakeCount();
  Fuzz<uint32_t>(count, input.rest());
  Fuzz<uint64_t>(count, input.rest());
  return 0;
}
