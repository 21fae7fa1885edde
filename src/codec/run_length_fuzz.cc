// Any bytes decoded as run lengths; what was decoded adds up, and survives another round.
#include "codec/run_length.h"

#include "codec/testing/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  using namespace orochi;
  using namespace orochi::codec;
  testing::FuzzInput input(data, size_bytes);
  size_t const value_count = input.TakeCount();
  std::vector<uint32_t> lengths;
  ByteReader reader(input.rest());
  if (!DecodeRunLengths(reader, value_count, lengths).ok()) {
    return 0;
  }
  std::vector<uint64_t> run_numbers;
  for (size_t run = 0; run < lengths.size(); ++run) {
    run_numbers.push_back(run);
  }
  std::vector<uint64_t> words(value_count, UINT64_MAX);
  ExpandRuns<uint64_t>(run_numbers, lengths, words);
  testing::Require(words.back() == lengths.size() - 1, "runs fill all values");
  Runs runs;
  FindRuns(words, runs);
  std::vector<std::byte> bytes;
  EncodeRunLengths(runs, bytes);
  std::vector<uint32_t> found;
  ByteReader again(bytes);
  testing::Require(DecodeRunLengths(again, value_count, found).ok(), "own bytes decode");
  testing::Require(found == lengths, "lengths survive");
  return 0;
}
