// Any bytes decoded as decimals of both widths; what was decoded, and the input taken as bit
// patterns, is encoded and decoded again where it applies.
#include "codec/decimal.h"

#include <cstring>

#include "codec/testing/fuzz_input.h"

namespace {

using namespace orochi;
using namespace orochi::codec;

template <class Unsigned>
void RoundTrip(const std::vector<Unsigned>& values) {
  std::span<const Unsigned> const patterns = values;
  std::optional<DecimalPlan> const plan = PlanDecimal(patterns);
  if (!plan) {
    return;
  }
  std::vector<std::byte> bytes;
  EncodeDecimal(patterns, *plan, bytes);
  std::vector<Unsigned> found(values.size());
  std::vector<uint64_t> scratch;
  ByteReader again(bytes);
  testing::Require(DecodeDecimal(again, std::span(found), scratch).ok(), "own bytes decode");
  testing::Require(found == values, "bit patterns survive");
}

template <class Unsigned>
void Fuzz(size_t count, std::span<const std::byte> input) {
  std::vector<Unsigned> values(count);
  std::vector<uint64_t> scratch;
  ByteReader reader(input);
  if (DecodeDecimal(reader, std::span(values), scratch).ok()) {
    RoundTrip(values);
  }
  values.resize(input.size() / sizeof(Unsigned));
  if (!values.empty()) {
    std::memcpy(values.data(), input.data(), values.size() * sizeof(Unsigned));
    RoundTrip(values);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  testing::FuzzInput input(data, size_bytes);
  size_t const count = input.TakeCount();
  Fuzz<uint32_t>(count, input.rest());
  Fuzz<uint64_t>(count, input.rest());
  return 0;
}
