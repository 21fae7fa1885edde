// Goal: bit packing, frames of reference, deltas, run lengths and dictionaries give back every
// integer they took, take exactly the bytes they promised, and refuse every cut of them.
// Method: series of every shape in integer_series.h at counts around group and block sizes.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <span>
#include <vector>

#include "base/random.h"
#include "base/testing/test_seed.h"
#include "codec/bit_packing.h"
#include "codec/delta.h"
#include "codec/dictionary.h"
#include "codec/frame_of_reference.h"
#include "codec/run_length.h"
#include "codec/testing/integer_series.h"

namespace orochi::codec {
namespace {

using testing::kCounts;
using testing::kShapes;
using testing::MakeSeries;
using testing::Shape;

std::span<const uint64_t> AsWords(const std::vector<int64_t>& values) {
  return {reinterpret_cast<const uint64_t*>(values.data()), values.size()};
}

// Every proper prefix of `bytes` must be refused by `decode`.
template <class Decode>
void ExpectCutsRefused(const std::vector<std::byte>& bytes, Decode decode) {
  size_t const step = std::max<size_t>(1, bytes.size() / 50);
  for (size_t size = 0; size < bytes.size(); size += step) {
    ByteReader reader{std::span(bytes).first(size)};
    ASSERT_EQ(decode(reader).code(), StatusCode::kCorruption) << "cut to " << size;
  }
}

TEST(BitPackingTest, EveryWidthAndCount) {
  SeededRandom random(orochi::testing::TestSeed(21));
  for (uint32_t width = 0; width <= kBitWidthMax; ++width) {
    for (size_t count = 0; count < 70; ++count) {
      std::vector<uint64_t> values(count);
      for (uint64_t& value : values) {
        value = width == 0 ? 0 : random.Next() >> (64 - width);
      }
      std::vector<std::byte> packed(3, std::byte{0xAB});  // appends after what is there
      PackBits(values, width, packed);
      ASSERT_EQ(packed.size(), 3 + PackedSizeBytes(count, width));
      // A heap block of the exact size, so that the sanitizer sees any read past it.
      std::vector<std::byte> const exact(packed.begin() + 3, packed.end());
      std::vector<uint64_t> found(count, 0xDEAD);
      UnpackBits(exact, width, found);
      ASSERT_EQ(found, values) << "width " << width << " count " << count;
    }
  }
}

TEST(BitPackingTest, SumsAreThoseOfTheValues) {
  SeededRandom random(orochi::testing::TestSeed(30));
  for (uint32_t width = 0; width <= kBitWidthMax; ++width) {
    for (size_t const count : {1, 8, 63, 64, 65, 640, 701}) {
      std::vector<uint64_t> values(count);
      for (uint64_t& value : values) {
        value = width == 0 ? 0 : random.Next() >> (64 - width);
      }
      std::vector<std::byte> packed;
      PackBits(values, width, packed);
      std::vector<std::byte> const exact(packed.begin(), packed.end());
      uint64_t sum = 0;
      for (size_t summed = 0; summed <= count;
           sum += summed < count ? values[summed] : 0, ++summed) {
        ASSERT_EQ(SumBits(exact, width, summed), sum)
            << "width " << width << ", " << summed << " of " << count;
      }
    }
  }
}

TEST(FrameOfReferenceTest, EveryShapeSurvivesTheRoundTrip) {
  SeededRandom random(orochi::testing::TestSeed(22));
  for (Shape const shape : kShapes) {
    for (size_t const count : kCounts) {
      std::vector<int64_t> const values = MakeSeries(shape, count, random);
      FrameOfReferencePlan const plan = PlanFrameOfReference(values);
      std::vector<std::byte> bytes;
      EncodeFrameOfReference(values, plan, bytes);
      ASSERT_EQ(bytes.size(), plan.size_bytes);
      std::vector<uint64_t> found(count);
      auto const decode = [&](ByteReader& reader) {
        return DecodeFrameOfReference(reader, std::span(found));
      };
      ByteReader reader(bytes);
      Status const status = decode(reader);
      ASSERT_TRUE(status.ok()) << status.ToString();
      ASSERT_EQ(reader.remaining_bytes(), 0u);
      ASSERT_TRUE(std::ranges::equal(found, AsWords(values)));
      ExpectCutsRefused(bytes, decode);
    }
  }
}

TEST(FrameOfReferenceTest, NarrowTargetsGetTheLowBits) {
  SeededRandom random(orochi::testing::TestSeed(23));
  std::vector<int64_t> const values = MakeSeries(Shape::kRandom, 1000, random);
  std::vector<std::byte> bytes;
  EncodeFrameOfReference(values, bytes);
  std::vector<uint16_t> found(values.size());
  ByteReader reader(bytes);
  ASSERT_TRUE(DecodeFrameOfReference(reader, std::span(found)).ok());
  for (size_t index = 0; index < values.size(); ++index) {
    ASSERT_EQ(found[index], static_cast<uint16_t>(values[index]));
  }
}

TEST(FrameOfReferenceTest, ACommonUnitCostsNoBits) {
  std::vector<int64_t> values;
  for (int64_t index = 0; index < 1024; ++index) {
    values.push_back(7 + index % 16 * 1'000'000);
  }
  // Header, then one block of 4-bit numbers, or several.
  EXPECT_LE(PlanFrameOfReference(values).size_bytes, 1024u / 2 + 24);
}

TEST(FrameOfReferenceTest, BadHeadersAreRefused) {
  std::vector<std::byte> bytes;
  std::vector<int64_t> const values = {5, 6, 7};
  EncodeFrameOfReference(values, bytes);
  std::vector<uint64_t> found(3);
  auto const code_with = [&](size_t at, int value) {
    std::vector<std::byte> damaged = bytes;
    damaged[at] = static_cast<std::byte>(value);
    ByteReader reader(damaged);
    return DecodeFrameOfReference(reader, std::span(found)).code();
  };
  EXPECT_EQ(code_with(1, 0), StatusCode::kCorruption);  // unit
  EXPECT_EQ(code_with(2, 6), StatusCode::kCorruption);  // block shift
  EXPECT_EQ(code_with(2, 17), StatusCode::kCorruption);
  EXPECT_EQ(code_with(4, 65), StatusCode::kCorruption);  // width
}

TEST(DeltaTest, EveryShapeSurvivesTheRoundTrip) {
  SeededRandom random(orochi::testing::TestSeed(24));
  for (Shape const shape : kShapes) {
    for (size_t const count : kCounts) {
      std::vector<int64_t> const values = MakeSeries(shape, count, random);
      std::vector<int64_t> differences;
      TakeDifferences(values, differences);
      DeltaPlan const plan = PlanDelta(values, differences);
      std::vector<std::byte> bytes;
      EncodeDelta(values, differences, plan, bytes);
      ASSERT_EQ(bytes.size(), plan.size_bytes);
      std::vector<uint64_t> found(count);
      auto const decode = [&](ByteReader& reader) { return DecodeDelta(reader, std::span(found)); };
      ByteReader reader(bytes);
      ASSERT_TRUE(decode(reader).ok());
      ASSERT_EQ(reader.remaining_bytes(), 0u);
      ASSERT_TRUE(std::ranges::equal(found, AsWords(values)));
      ExpectCutsRefused(bytes, decode);
    }
  }
}

TEST(DeltaTest, ARegularSeriesTakesNoBitsAValue) {
  SeededRandom random(orochi::testing::TestSeed(25));
  std::vector<int64_t> const values = MakeSeries(Shape::kRegular, 65536, random);
  std::vector<int64_t> differences;
  TakeDifferences(values, differences);
  EXPECT_LE(PlanDelta(values, differences).size_bytes, 32u);
}

TEST(RunLengthTest, RunsSurviveTheRoundTrip) {
  SeededRandom random(orochi::testing::TestSeed(26));
  for (uint64_t const longest : {1, 2, 50, 3000}) {
    std::vector<uint64_t> words;
    while (words.size() < 5000) {
      words.insert(words.end(), 1 + random.Below(longest), random.Below(4));
    }
    Runs runs;
    FindRuns(words, runs);
    std::vector<std::byte> bytes;
    EncodeRunLengths(runs, bytes);
    ASSERT_EQ(bytes.size(), RunLengthsSizeBytes(runs));
    std::vector<uint64_t> values;
    for (uint32_t const start : runs.starts) {
      values.push_back(words[start]);
    }
    std::vector<uint32_t> lengths;
    auto const decode = [&](ByteReader& reader) {
      return DecodeRunLengths(reader, words.size(), lengths);
    };
    ByteReader reader(bytes);
    ASSERT_TRUE(decode(reader).ok());
    ASSERT_EQ(reader.remaining_bytes(), 0u);
    std::vector<uint64_t> found(words.size());
    ExpandRuns<uint64_t>(values, lengths, found);
    ASSERT_EQ(found, words);
    ExpectCutsRefused(bytes, decode);
  }
}

TEST(RunLengthTest, LengthsThatDoNotAddUpAreRefused) {
  std::vector<std::byte> bytes;
  EncodeRunLengths({.starts = {0, 3}, .lengths = {3, 4}}, bytes);
  std::vector<uint32_t> lengths;
  for (size_t const count : {1, 2, 6, 8}) {
    ByteReader reader(bytes);
    EXPECT_EQ(DecodeRunLengths(reader, count, lengths).code(), StatusCode::kCorruption) << count;
  }
  bytes.clear();
  EncodeRunLengths({.starts = {0, 0}, .lengths = {0, 7}}, bytes);
  ByteReader empty_run(bytes);
  EXPECT_EQ(DecodeRunLengths(empty_run, 7, lengths).code(), StatusCode::kCorruption);
}

TEST(DictionaryTest, WordsSurviveTheRoundTrip) {
  SeededRandom random(orochi::testing::TestSeed(27));
  for (size_t const distinct : {1, 2, 3, 200, 1000}) {
    std::vector<uint64_t> entries(distinct);
    for (uint64_t& entry : entries) {
      entry = random.Next();
    }
    std::vector<uint64_t> words(3000);
    for (uint64_t& word : words) {
      word = entries[random.Below(distinct)];
    }
    WordDictionary dictionary;
    ASSERT_TRUE(BuildDictionary(words, 8, 1500, dictionary));
    EXPECT_TRUE(std::ranges::is_sorted(dictionary.entries, {},
                                       [](uint64_t entry) { return static_cast<int64_t>(entry); }));
    std::vector<std::byte> bytes;
    EncodeDictionary(dictionary, 8, bytes);
    ASSERT_EQ(bytes.size(), dictionary.size_bytes);
    std::vector<uint64_t> found(words.size());
    std::vector<uint32_t> codes;
    std::vector<uint64_t> scratch;
    auto const decode = [&](ByteReader& reader) {
      return DecodeDictionary(reader, codes, scratch, std::span(found));
    };
    ByteReader reader(bytes);
    ASSERT_TRUE(decode(reader).ok());
    ASSERT_EQ(reader.remaining_bytes(), 0u);
    ASSERT_EQ(found, words);
    ExpectCutsRefused(bytes, decode);
  }
}

TEST(DictionaryTest, TooManyDistinctValuesAreNoDictionary) {
  std::vector<uint64_t> const words = {1, 2, 3, 1, 2, 3};
  WordDictionary dictionary;
  EXPECT_FALSE(BuildDictionary(words, 8, 2, dictionary));
  EXPECT_TRUE(BuildDictionary(words, 8, 3, dictionary));
  EXPECT_EQ(dictionary.entries, (std::vector<uint64_t>{1, 2, 3}));
}

TEST(DictionaryTest, ACodePastTheEntriesIsRefused) {
  std::vector<uint64_t> const words = {10, 20, 10, 20};
  WordDictionary dictionary;
  ASSERT_TRUE(BuildDictionary(words, 8, 2, dictionary));
  dictionary.codes[1] = 2;
  dictionary.frame = PlanFrameOfReference(dictionary.codes);
  std::vector<std::byte> bytes;
  EncodeDictionary(dictionary, 8, bytes);
  std::vector<uint64_t> found(words.size());
  std::vector<uint32_t> codes;
  std::vector<uint64_t> scratch;
  ByteReader reader(bytes);
  EXPECT_EQ(DecodeDictionary(reader, codes, scratch, std::span(found)).code(),
            StatusCode::kCorruption);
}

TEST(DictionaryTest, StringsSurviveTheRoundTrip) {
  SeededRandom random(orochi::testing::TestSeed(28));
  for (size_t const distinct : {1, 2, 100}) {
    std::vector<std::string> entries = {""};  // the empty string is a value like any other
    while (entries.size() < distinct) {
      entries.emplace_back(random.Below(40), static_cast<char>('a' + random.Below(26)));
    }
    std::vector<uint32_t> ends;
    std::vector<std::byte> text;
    for (int index = 0; index < 2000; ++index) {
      const std::string& entry = entries[random.Below(entries.size())];
      auto const entry_bytes = std::as_bytes(std::span(entry));
      text.insert(text.end(), entry_bytes.begin(), entry_bytes.end());
      ends.push_back(static_cast<uint32_t>(text.size()));
    }
    ByteDictionary dictionary;
    ASSERT_TRUE(BuildDictionary({ends, text}, 1000, dictionary));
    std::vector<std::byte> bytes;
    EncodeDictionary(dictionary, bytes);
    ASSERT_EQ(bytes.size(), dictionary.size_bytes);
    ByteDictionaryScratch scratch;
    std::vector<uint32_t> offsets;
    std::vector<std::byte> found;
    auto const decode = [&](ByteReader& reader) {
      return DecodeDictionary(reader, ends.size(), text.size(), scratch, offsets, found);
    };
    ByteReader reader(bytes);
    ASSERT_TRUE(decode(reader).ok());
    ASSERT_EQ(reader.remaining_bytes(), 0u);
    ASSERT_EQ(found, text);
    ASSERT_TRUE(std::ranges::equal(std::span(offsets).subspan(1), ends));
    ExpectCutsRefused(bytes, decode);
    // A promise of another size is refused before anything of that size is allocated.
    ByteReader again(bytes);
    EXPECT_EQ(DecodeDictionary(again, ends.size(), text.size() + 1, scratch, offsets, found).code(),
              StatusCode::kCorruption);
  }
}

TEST(DictionaryTest, WordsThatDifferInFewBitsDoNotCollide) {
  for (uint32_t shift = 0; shift <= 52; ++shift) {
    std::vector<uint64_t> words;
    for (uint64_t index = 0; index < 4000; ++index) {
      words.push_back((index % 2000) << shift);
    }
    WordDictionary dictionary;
    EXPECT_TRUE(BuildDictionary(words, 8, 2000, dictionary)) << shift;
  }
  std::vector<uint64_t> whole_numbers;
  for (uint64_t index = 0; index < 4000; ++index) {
    whole_numbers.push_back(std::bit_cast<uint64_t>(static_cast<double>(index % 2000)));
  }
  WordDictionary dictionary;
  EXPECT_TRUE(BuildDictionary(whole_numbers, 8, 2000, dictionary));
}

TEST(DictionaryTest, CollidingWordsGiveUpInsteadOfTakingForever) {
  // Words whose hashes agree in all the bits that choose a slot must not cost quadratic time;
  // giving up is visible as "no dictionary". Found by search, since the hash is a fixed function.
  std::vector<uint64_t> words;
  for (uint64_t candidate = 0; words.size() < 300 && candidate < 4'000'000; ++candidate) {
    uint64_t mixed = (candidate ^ (candidate >> 32)) * 0x9E3779B97F4A7C15u;
    mixed ^= mixed >> 32;
    if ((mixed & 2047) == 0) {
      words.push_back(candidate);
    }
  }
  ASSERT_EQ(words.size(), 300u);
  words.insert(words.end(), words.begin(), words.end());
  WordDictionary dictionary;
  EXPECT_FALSE(BuildDictionary(words, 8, 300, dictionary));
}

}  // namespace
}  // namespace orochi::codec
