// Goal: no damage to a stripe goes unnoticed, and every refusal names what was found.
// Method: flip every bit, cut at every length, and forge footer fields under a right checksum.
#include <gtest/gtest.h>

#include <cstring>
#include <functional>

#include "base/memory_budget.h"
#include "base/random.h"
#include "base/testing/test_seed.h"
#include "codec/crc32c.h"
#include "columnar/internal/footer.h"
#include "columnar/stripe_reader.h"
#include "columnar/stripe_writer.h"
#include "columnar/testing/column_shapes.h"

namespace orochi::columnar {
namespace {

using testing::ColumnShape;
using testing::MemoryFile;
using testing::NullPattern;
using testing::OwnedCell;

struct Stripe {
  std::vector<std::byte> bytes;
  StripeLocation location;
};

Stripe MakeStripe() {
  SeededRandom random(orochi::testing::TestSeed(71));
  Schema schema;
  schema.columns.assign(std::begin(testing::kEveryType), std::end(testing::kEveryType));
  std::vector<std::vector<OwnedCell>> columns;
  for (PhysicalType const type : schema.columns) {
    columns.push_back(
        testing::MakeColumn(type, ColumnShape::kDecimals, NullPattern::kRare, 60, random));
  }
  MemoryBudget budget("test", 64u << 20);
  StripeWriter writer(schema, {.row_group_rows = 40}, budget);
  for (size_t row = 0; row < 60; ++row) {
    std::vector<OwnedCell> cells;
    for (const auto& column : columns) {
      cells.push_back(column[row]);
    }
    Status const status = writer.Append(testing::Borrow(cells));
    EXPECT_TRUE(status.ok());
  }
  MemoryFile file;
  Result<StripeLocation> location = writer.Finish(file);
  EXPECT_TRUE(location.ok());
  return {file.bytes(), *location};
}

StatusCode ReadAll(const std::vector<std::byte>& bytes, const StripeLocation& location) {
  MemoryFile const file(bytes);
  return testing::RowsOf(file, location).status().code();
}

TEST(DamageTest, EveryFlippedBitIsCorruption) {
  Stripe const stripe = MakeStripe();
  ASSERT_EQ(ReadAll(stripe.bytes, stripe.location), StatusCode::kOk);
  for (size_t at = 0; at < stripe.bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<std::byte> damaged = stripe.bytes;
      damaged[at] ^= static_cast<std::byte>(1 << bit);
      ASSERT_EQ(ReadAll(damaged, stripe.location), StatusCode::kCorruption)
          << "byte " << at << " bit " << bit;
    }
  }
}

TEST(DamageTest, EveryCutIsCorruption) {
  Stripe const stripe = MakeStripe();
  for (size_t size = 0; size < stripe.bytes.size(); ++size) {
    std::vector<std::byte> const cut(stripe.bytes.begin(),
                                     stripe.bytes.begin() + static_cast<ptrdiff_t>(size));
    ASSERT_EQ(ReadAll(cut, stripe.location), StatusCode::kCorruption) << size;
  }
}

TEST(DamageTest, AWrongLocationIsCorruption) {
  Stripe const stripe = MakeStripe();
  StripeLocation location = stripe.location;
  for (uint32_t const footer_size :
       {0u, 1u, 39u, location.footer_size_bytes - 1, location.footer_size_bytes + 1, 0xFFFFFFFFu}) {
    location.footer_size_bytes = footer_size;
    EXPECT_EQ(ReadAll(stripe.bytes, location), StatusCode::kCorruption) << footer_size;
  }
  location = stripe.location;
  for (uint64_t const size :
       {uint64_t{0}, location.size_bytes - 1, location.size_bytes + 1, UINT64_MAX}) {
    location.size_bytes = size;
    EXPECT_EQ(ReadAll(stripe.bytes, location), StatusCode::kCorruption) << size;
  }
}

TEST(DamageTest, AnErrorInAChunkNamesStripeColumnAndRowGroup) {
  Stripe stripe = MakeStripe();
  stripe.bytes[0] ^= std::byte{1};  // the first chunk: column 0, row group 0
  MemoryFile const file(stripe.bytes);
  Status const status = testing::RowsOf(file, stripe.location).status();
  EXPECT_TRUE(status.message().starts_with(
      "stripe at offset 0, column 0, row group 0: checksum mismatch: CRC-32C is "))
      << status.message();
}

// A footer with fields changed and the checksum made right again.
class ForgedFooterTest : public ::testing::Test {
 protected:
  ForgedFooterTest() : stripe_(MakeStripe()) {
    size_t const footer_at = stripe_.bytes.size() - stripe_.location.footer_size_bytes;
    footer_.assign(stripe_.bytes.begin() + static_cast<ptrdiff_t>(footer_at), stripe_.bytes.end());
  }

  Status Decode(const std::vector<std::byte>& footer) {
    return internal::DecodeFooter(footer, stripe_.location.size_bytes).status();
  }
  Status WithU32(size_t at, uint32_t value) {
    std::vector<std::byte> forged = footer_;
    std::memcpy(forged.data() + at, &value, sizeof(value));
    return DecodeResealed(forged);
  }
  Status WithByte(size_t at, int value) {
    std::vector<std::byte> forged = footer_;
    forged[at] = static_cast<std::byte>(value);
    return DecodeResealed(forged);
  }
  Status DecodeResealed(std::vector<std::byte> forged) {
    uint32_t const crc = codec::Crc32c(std::span(forged).first(forged.size() - 4));
    std::memcpy(forged.data() + forged.size() - 4, &crc, sizeof(crc));
    return Decode(forged);
  }

  static constexpr size_t kVersionAt = 8;
  static constexpr size_t kFooterSizeAt = 12;
  static constexpr size_t kStripeSizeAt = 16;
  static constexpr size_t kColumnCountAt = 24;
  static constexpr size_t kRowCountAt = 28;
  static constexpr size_t kRowGroupCountAt = 32;
  static constexpr size_t kTypesAt = 36;
  static constexpr size_t kRowGroupsAt = kTypesAt + 7;
  static constexpr size_t kFirstChunkAt = kRowGroupsAt + 2;

  Stripe stripe_;
  std::vector<std::byte> footer_;
};

TEST_F(ForgedFooterTest, IsFineUnchanged) {
  EXPECT_TRUE(DecodeResealed(footer_).ok());
}

TEST_F(ForgedFooterTest, ANewerVersionIsUnsupportedByNumber) {
  Status const status = WithU32(kVersionAt, 2);
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_EQ(status.message(), "stripe format version 2, this build reads 1");
}

TEST_F(ForgedFooterTest, UnknownNumbersAreUnsupportedByNumber) {
  Status status = WithByte(kTypesAt + 2, 99);
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_EQ(status.message(), "column 2 has unknown type number 99");
  EXPECT_EQ(WithByte(kTypesAt, 0).code(), StatusCode::kUnsupported);
  status = WithByte(kFirstChunkAt, 8);
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_EQ(status.message(), "column 0, row group 0: unknown encoding number 8");
  status = WithByte(kFirstChunkAt + 1, 77);
  EXPECT_EQ(status.code(), StatusCode::kUnsupported);
  EXPECT_EQ(status.message(), "column 0, row group 0: unknown compression number 77");
}

TEST_F(ForgedFooterTest, CountsThatCannotBeAreCorruption) {
  for (uint32_t const count : {0u, 6u, 4097u, 0xFFFFFFFFu}) {
    EXPECT_EQ(WithU32(kColumnCountAt, count).code(), StatusCode::kCorruption) << count;
  }
  for (uint32_t const count : {0u, 59u, 61u, kStripeRowsMax + 1, 0xFFFFFFFFu}) {
    EXPECT_EQ(WithU32(kRowCountAt, count).code(), StatusCode::kCorruption) << count;
  }
  for (uint32_t const count : {0u, 1u, 3u, 0xFFFFFFFFu}) {
    EXPECT_EQ(WithU32(kRowGroupCountAt, count).code(), StatusCode::kCorruption) << count;
  }
  EXPECT_EQ(WithU32(kFooterSizeAt, 1).code(), StatusCode::kCorruption);
  EXPECT_EQ(WithU32(kStripeSizeAt, 1).code(), StatusCode::kCorruption);
  EXPECT_EQ(WithByte(kRowGroupsAt, 0).code(), StatusCode::kCorruption);
  EXPECT_EQ(WithByte(kRowGroupsAt, 41).code(), StatusCode::kCorruption);
}

TEST_F(ForgedFooterTest, AChunkOutsideTheStripeIsCorruption) {
  Status const status = WithByte(kFirstChunkAt + 2, 0x7F);
  EXPECT_EQ(status.code(), StatusCode::kCorruption) << status.ToString();
}

TEST_F(ForgedFooterTest, AnExtraByteIsCorruption) {
  std::vector<std::byte> forged = footer_;
  forged.insert(forged.end() - 4, std::byte{0});
  auto const size_bytes = static_cast<uint32_t>(forged.size());
  std::memcpy(forged.data() + kFooterSizeAt, &size_bytes, sizeof(size_bytes));
  EXPECT_EQ(DecodeResealed(forged).code(), StatusCode::kCorruption);
}

TEST_F(ForgedFooterTest, EncodingAgainGivesTheSameBytes) {
  Result<internal::Footer> footer = internal::DecodeFooter(footer_, stripe_.location.size_bytes);
  ASSERT_TRUE(footer.ok());
  std::vector<std::byte> again;
  internal::EncodeFooter(*footer, again);
  EXPECT_EQ(again, footer_);
}

TEST_F(ForgedFooterTest, RandomDamageUnderARightChecksumNeverCrashes) {
  SeededRandom random(orochi::testing::TestSeed(72));
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> forged = footer_;
    for (uint64_t edit = 0; edit <= random.Below(3); ++edit) {
      forged[8 + random.Below(forged.size() - 8)] = static_cast<std::byte>(random.Next());
    }
    DecodeResealed(forged).IgnoreError("either is right, as long as it answers");
  }
}

}  // namespace
}  // namespace orochi::columnar
