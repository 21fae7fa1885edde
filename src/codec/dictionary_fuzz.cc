// Any bytes decoded as dictionaries of words and of byte strings; what was decoded is encoded and
// decoded again.
#include "codec/dictionary.h"

#include "codec/testing/fuzz_input.h"

namespace {

using namespace orochi;
using namespace orochi::codec;

void FuzzWords(size_t count, std::span<const std::byte> input) {
  std::vector<uint32_t> codes;
  std::vector<uint64_t> entries;
  std::vector<uint64_t> words(count);
  ByteReader reader(input);
  if (!DecodeDictionary(reader, codes, entries, std::span(words)).ok()) {
    return;
  }
  WordDictionary dictionary;
  if (!BuildDictionary(words, 8, count, dictionary)) {
    return;  // words made to collide
  }
  std::vector<std::byte> bytes;
  EncodeDictionary(dictionary, 8, bytes);
  std::vector<uint64_t> found(count);
  ByteReader again(bytes);
  testing::Require(DecodeDictionary(again, codes, entries, std::span(found)).ok(),
                   "own bytes decode");
  testing::Require(found == words, "words survive");
}

void FuzzStrings(size_t count, size_t promised_bytes, std::span<const std::byte> input) {
  ByteDictionaryScratch scratch;
  std::vector<uint32_t> offsets;
  std::vector<std::byte> text;
  ByteReader reader(input);
  if (!DecodeDictionary(reader, count, promised_bytes, scratch, offsets, text).ok()) {
    return;
  }
  testing::Require(text.size() == promised_bytes, "the promise is kept");
  ByteDictionary dictionary;
  if (!BuildDictionary({std::span(offsets).subspan(1), text}, count, dictionary)) {
    return;  // strings made to collide
  }
  std::vector<std::byte> bytes;
  EncodeDictionary(dictionary, bytes);
  std::vector<uint32_t> found_offsets;
  std::vector<std::byte> found;
  ByteReader again(bytes);
  testing::Require(
      DecodeDictionary(again, count, promised_bytes, scratch, found_offsets, found).ok(),
      "own bytes decode");
  testing::Require(found_offsets == offsets && found == text, "strings survive");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  testing::FuzzInput input(data, size_bytes);
  size_t const count = input.TakeCount();
  size_t const promised_bytes = input.TakeByte() * size_t{16};
  FuzzWords(count, input.rest());
  FuzzStrings(count, promised_bytes, input.rest());
  return 0;
}
