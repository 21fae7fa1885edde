// Goal: blocks come back exactly, and a damaged or mismatched block is an error, never a crash and
// never a short or long answer.
#include "codec/compression.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/testing/test_seed.h"

namespace orochi::codec {
namespace {

constexpr Compression kEvery[] = {Compression::kNone, Compression::kLz4, Compression::kZstd};

std::vector<std::byte> Repetitive(size_t size, Random& random) {
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(random.Below(3));
  }
  return bytes;
}

TEST(CompressionTest, EverySizeSurvivesTheRoundTrip) {
  SeededRandom random(orochi::testing::TestSeed(14));
  for (Compression const compression : kEvery) {
    for (size_t const size : {0, 1, 2, 100, 4096, 100'000}) {
      std::vector<std::byte> const input = Repetitive(size, random);
      std::vector<std::byte> packed;
      ASSERT_TRUE(Compress(compression, 3, input, packed).ok());
      std::vector<std::byte> found(size);
      Status const status = Decompress(compression, packed, found);
      ASSERT_TRUE(status.ok()) << status.ToString();
      ASSERT_EQ(found, input);
      if (compression != Compression::kNone && size > 1000) {
        EXPECT_LT(packed.size(), size * 3 / 4);
      }
    }
  }
}

TEST(CompressionTest, AnotherSizeThanTheBlocksIsCorruption) {
  SeededRandom random(orochi::testing::TestSeed(15));
  std::vector<std::byte> const input = Repetitive(1000, random);
  for (Compression const compression : kEvery) {
    std::vector<std::byte> packed;
    ASSERT_TRUE(Compress(compression, 3, input, packed).ok());
    for (size_t const size : {0, 1, 999, 1001, 5000}) {
      std::vector<std::byte> found(size);
      EXPECT_EQ(Decompress(compression, packed, found).code(), StatusCode::kCorruption)
          << CompressionName(compression) << " " << size;
    }
  }
}

TEST(CompressionTest, EveryCutIsCorruption) {
  SeededRandom random(orochi::testing::TestSeed(16));
  std::vector<std::byte> const input = Repetitive(500, random);
  for (Compression const compression : kEvery) {
    std::vector<std::byte> packed;
    ASSERT_TRUE(Compress(compression, 3, input, packed).ok());
    std::vector<std::byte> found(input.size());
    for (size_t size = 0; size < packed.size(); ++size) {
      ASSERT_EQ(Decompress(compression, std::span(packed).first(size), found).code(),
                StatusCode::kCorruption)
          << CompressionName(compression) << " cut to " << size;
    }
  }
}

TEST(CompressionTest, NamesAndNumbers) {
  for (Compression const compression : kEvery) {
    Result<Compression> found = CompressionFromName(CompressionName(compression));
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(*found, compression);
  }
  Result<Compression> const unknown = CompressionFromName("gzip");
  EXPECT_EQ(unknown.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(unknown.status().hint(), "Use one of none, lz4, zstd.");
  EXPECT_EQ(CompressionName(static_cast<Compression>(3)), "");
  std::vector<std::byte> out;
  EXPECT_EQ(Decompress(static_cast<Compression>(3), {}, out).code(), StatusCode::kUnsupported);
  EXPECT_EQ(Compress(Compression::kZstd, 20, {}, out).code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace orochi::codec
