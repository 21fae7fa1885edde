// Goal: every encoding of every type gives back every cell, whatever the NULLs, and damage or a
// false promise in the footer is an error.
// Method: all combinations of type, shape and NULL pattern; each encoding that applies is forced in
// turn, and then the encoder chooses itself. Seeds are printed.
#include "columnar/internal/chunk_codec.h"

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "base/random.h"
#include "base/testing/test_seed.h"
#include "codec/crc32c.h"
#include "columnar/internal/statistics_builder.h"
#include "columnar/testing/column_shapes.h"

namespace orochi::columnar {
namespace {

using internal::ChunkDecoder;
using internal::ChunkEncoder;
using internal::ColumnBuffer;
using internal::EncodedChunk;
using internal::ValueEncoder;
using testing::ColumnShape;
using testing::MakeColumn;
using testing::NullPattern;
using testing::OwnedCell;

constexpr Encoding kEveryEncoding[] = {
    Encoding::kPlain, Encoding::kConstant,   Encoding::kRunLength, Encoding::kFrameOfReference,
    Encoding::kDelta, Encoding::kDictionary, Encoding::kGorilla,   Encoding::kDecimal};

ColumnBuffer Fill(PhysicalType type, const std::vector<OwnedCell>& column) {
  ColumnBuffer buffer(type);
  for (const Cell& cell : testing::Borrow(column)) {
    buffer.Grow(cell);
    buffer.Append(cell);
  }
  return buffer;
}

// What ChunkEncoder would store had it chosen `encoding`.
EncodedChunk Force(Encoding encoding, const ValueEncoder& values, const ColumnBuffer& buffer) {
  EncodedChunk chunk;
  if (buffer.null_count() > 0) {
    auto const bitmap = std::as_bytes(std::span(buffer.valid_words()));
    chunk.bytes.assign(bitmap.begin(), bitmap.begin() + (buffer.row_count() + 7) / 8);
  }
  values.Encode(encoding, chunk.bytes);
  chunk.stored.info.encoding = encoding;
  chunk.stored.info.row_count = buffer.row_count();
  chunk.stored.info.null_count = buffer.null_count();
  chunk.stored.info.size_bytes = chunk.bytes.size();
  chunk.stored.raw_size_bytes = chunk.bytes.size();
  chunk.stored.value_size_bytes = buffer.bytes().size();
  chunk.stored.crc = codec::Crc32c(chunk.bytes);
  return chunk;
}

::testing::AssertionResult DecodesTo(const EncodedChunk& chunk, PhysicalType type,
                                     const std::vector<OwnedCell>& column, ChunkDecoder& decoder,
                                     ColumnVector& vector) {
  Status const status = decoder.Decode(type, chunk.stored, chunk.bytes, vector);
  if (!status.ok()) {
    return ::testing::AssertionFailure() << status.ToString();
  }
  if (vector.row_count != column.size() || vector.type != type) {
    return ::testing::AssertionFailure() << vector.row_count << " rows";
  }
  CellShortcut shortcut;
  for (uint32_t row = 0; row < column.size(); row += 1 + row / 8) {
    // In this order the shortcut is used forwards and backwards.
    uint32_t const place = row % 2 == 0 ? row : static_cast<uint32_t>(column.size()) - 1 - row;
    for (CellShortcut* const kept : {static_cast<CellShortcut*>(nullptr), &shortcut}) {
      Cell cell;
      Status const found =
          kept != nullptr && !kept->raw.empty()
              ? decoder.FindCell(type, chunk.stored, kept->raw, place, kept, cell)
              : decoder.ReadCell(type, chunk.stored, chunk.bytes, place, kept, cell);
      if (!found.ok() || !(OwnedCell::Copy(type, cell) == column[place])) {
        return ::testing::AssertionFailure()
               << "row " << place << " alone: " << (found.ok() ? "differs" : found.ToString());
      }
    }
  }
  for (uint32_t row = 0; row < vector.row_count; ++row) {
    if (!(testing::CellOf(vector, row) == column[row])) {
      return ::testing::AssertionFailure() << "row " << row << " differs";
    }
    bool const slot_is_zero =
        type == PhysicalType::kBytes
            ? vector.BytesAt(row).empty()
            : std::ranges::all_of(std::as_bytes(std::span(vector.fixed_words))
                                      .subspan(size_t{row} * WidthBytes(type), WidthBytes(type)),
                                  [](std::byte byte) { return byte == std::byte{0}; });
    if (vector.IsNull(row) && !slot_is_zero) {
      return ::testing::AssertionFailure() << "NULL row " << row << " is not zero";
    }
  }
  return ::testing::AssertionSuccess();
}

TEST(ChunkCodecTest, EveryEncodingOfEveryTypeGivesBackEveryCell) {
  SeededRandom random(orochi::testing::TestSeed(41));
  ValueEncoder values;
  ChunkDecoder decoder;  // kept: what a chunk leaves behind must not show in the next
  ColumnVector vector;
  std::set<std::pair<PhysicalType, Encoding>> seen;
  for (PhysicalType const type : testing::kEveryType) {
    for (ColumnShape const shape : testing::kEveryShape) {
      for (NullPattern const nulls : testing::kEveryNullPattern) {
        for (uint32_t const row_count : {1, 2, 63, 64, 65, 700}) {
          auto const column = MakeColumn(type, shape, nulls, row_count, random);
          ColumnBuffer const buffer = Fill(type, column);
          if (buffer.value_count() == 0) {
            continue;
          }
          values.Plan(buffer);
          for (Encoding const encoding : kEveryEncoding) {
            if (values.SizeBytes(encoding)) {
              seen.insert({type, encoding});
              ASSERT_TRUE(DecodesTo(Force(encoding, values, buffer), type, column, decoder, vector))
                  << EncodingName(encoding) << " type " << static_cast<int>(type) << " shape "
                  << static_cast<int>(shape) << " nulls " << static_cast<int>(nulls) << " rows "
                  << row_count;
            }
          }
        }
      }
    }
  }
  // Integers have 6 encodings (bool has no dictionary), floats 6, byte strings 4.
  EXPECT_EQ(seen.size(), 5u + 3 * 6 + 2 * 6 + 4);
}

TEST(ChunkCodecTest, TheChosenEncodingGivesBackEveryCellAndIsNeverLargerThanPlain) {
  SeededRandom random(orochi::testing::TestSeed(42));
  ChunkDecoder decoder;
  ColumnVector vector;
  for (codec::Compression const compression :
       {codec::Compression::kNone, codec::Compression::kLz4, codec::Compression::kZstd}) {
    ChunkEncoder encoder(compression, 3);
    for (PhysicalType const type : testing::kEveryType) {
      for (ColumnShape const shape : testing::kEveryShape) {
        for (NullPattern const nulls : testing::kEveryNullPattern) {
          auto const column = MakeColumn(type, shape, nulls, 500, random);
          ColumnBuffer const buffer = Fill(type, column);
          EncodedChunk chunk;
          ASSERT_TRUE(encoder.Encode(buffer, chunk).ok());
          ASSERT_EQ(chunk.bytes.size(), chunk.stored.info.size_bytes);
          ASSERT_LE(chunk.stored.raw_size_bytes,
                    internal::RawSizeBytesMax(type, 500, chunk.stored.value_size_bytes));
          ASSERT_TRUE(DecodesTo(chunk, type, column, decoder, vector));
        }
      }
    }
  }
}

TEST(ChunkCodecTest, ShapesGetTheEncodingMadeForThem) {
  SeededRandom random(orochi::testing::TestSeed(43));
  auto const chosen = [&](PhysicalType type, ColumnShape shape) {
    ChunkEncoder encoder(codec::Compression::kNone, 3);
    EncodedChunk chunk;
    EXPECT_TRUE(
        encoder.Encode(Fill(type, MakeColumn(type, shape, NullPattern::kNone, 2000, random)), chunk)
            .ok());
    return chunk.stored.info.encoding;
  };
  EXPECT_EQ(chosen(PhysicalType::kInt64, ColumnShape::kConstant), Encoding::kConstant);
  EXPECT_EQ(chosen(PhysicalType::kInt64, ColumnShape::kRuns), Encoding::kRunLength);
  EXPECT_EQ(chosen(PhysicalType::kInt64, ColumnShape::kSteps), Encoding::kDelta);
  EXPECT_EQ(chosen(PhysicalType::kInt64, ColumnShape::kFew), Encoding::kDictionary);
  EXPECT_EQ(chosen(PhysicalType::kInt64, ColumnShape::kDecimals), Encoding::kFrameOfReference);
  EXPECT_EQ(chosen(PhysicalType::kInt64, ColumnShape::kAny), Encoding::kPlain);
  EXPECT_EQ(chosen(PhysicalType::kFloat64, ColumnShape::kDecimals), Encoding::kDecimal);
  EXPECT_EQ(chosen(PhysicalType::kFloat32, ColumnShape::kDecimals), Encoding::kDecimal);
  EXPECT_EQ(chosen(PhysicalType::kBytes, ColumnShape::kFew), Encoding::kDictionary);
  // Strings that come back later are stored once.
  EXPECT_EQ(chosen(PhysicalType::kBytes, ColumnShape::kRuns), Encoding::kDictionary);
  EXPECT_EQ(chosen(PhysicalType::kBytes, ColumnShape::kAny), Encoding::kPlain);
}

TEST(ChunkCodecTest, OnlyNullsTakeNoBytes) {
  ChunkEncoder encoder(codec::Compression::kZstd, 3);
  EncodedChunk chunk;
  for (PhysicalType const type : testing::kEveryType) {
    ASSERT_TRUE(
        encoder.Encode(Fill(type, std::vector<OwnedCell>(100, OwnedCell::Null())), chunk).ok());
    EXPECT_EQ(chunk.bytes.size(), 0u);
    EXPECT_FALSE(chunk.stored.info.statistics.has_range);
  }
}

// Bytes past their checksum (a bug elsewhere, or an attacker) decode to something or to an error.
TEST(ChunkCodecTest, DamagePastTheChecksumNeverCrashesAndCutsAreErrors) {
  SeededRandom random(orochi::testing::TestSeed(44));
  ValueEncoder values;
  ChunkDecoder decoder;
  ColumnVector vector;
  for (PhysicalType const type : testing::kEveryType) {
    for (ColumnShape const shape : testing::kEveryShape) {
      auto const column = MakeColumn(type, shape, NullPattern::kRare, 300, random);
      ColumnBuffer const buffer = Fill(type, column);
      values.Plan(buffer);
      for (Encoding const encoding : kEveryEncoding) {
        if (!values.SizeBytes(encoding)) {
          continue;
        }
        EncodedChunk const whole = Force(encoding, values, buffer);
        for (int round = 0; round < 200; ++round) {
          EncodedChunk damaged = whole;
          damaged.bytes[random.Below(damaged.bytes.size())] ^=
              static_cast<std::byte>(1 + random.Below(255));
          damaged.stored.crc = codec::Crc32c(damaged.bytes);
          decoder.Decode(type, damaged.stored, damaged.bytes, vector)
              .IgnoreError("either is right, as long as it answers");
        }
        size_t const size_bytes = random.Below(whole.bytes.size());
        EncodedChunk cut = whole;
        cut.bytes.resize(size_bytes);
        cut.stored.raw_size_bytes = size_bytes;
        cut.stored.crc = codec::Crc32c(cut.bytes);
        ASSERT_EQ(decoder.Decode(type, cut.stored, cut.bytes, vector).code(),
                  StatusCode::kCorruption);
      }
    }
  }
}

TEST(ChunkCodecTest, AnEncodingOfAnotherTypeIsCorruption) {
  ChunkDecoder decoder;
  ColumnVector vector;
  auto const code = [&](PhysicalType type, Encoding encoding) {
    EncodedChunk chunk;
    chunk.bytes.assign(64, std::byte{1});
    chunk.stored.info.encoding = encoding;
    chunk.stored.info.row_count = 8;
    chunk.stored.raw_size_bytes = chunk.bytes.size();
    chunk.stored.value_size_bytes = type == PhysicalType::kBytes ? 8 : 0;
    chunk.stored.crc = codec::Crc32c(chunk.bytes);
    return decoder.Decode(type, chunk.stored, chunk.bytes, vector).code();
  };
  EXPECT_EQ(code(PhysicalType::kFloat64, Encoding::kDelta), StatusCode::kCorruption);
  EXPECT_EQ(code(PhysicalType::kFloat32, Encoding::kFrameOfReference), StatusCode::kCorruption);
  EXPECT_EQ(code(PhysicalType::kInt64, Encoding::kGorilla), StatusCode::kCorruption);
  EXPECT_EQ(code(PhysicalType::kInt16, Encoding::kDecimal), StatusCode::kCorruption);
  EXPECT_EQ(code(PhysicalType::kBytes, Encoding::kDecimal), StatusCode::kCorruption);
}

TEST(ChunkCodecTest, AWrongChecksumIsCorruption) {
  ChunkEncoder encoder(codec::Compression::kNone, 3);
  EncodedChunk chunk;
  ASSERT_TRUE(
      encoder.Encode(Fill(PhysicalType::kInt32, {OwnedCell::Word(PhysicalType::kInt32, 7)}), chunk)
          .ok());
  chunk.stored.crc ^= 1;
  ChunkDecoder decoder;
  ColumnVector vector;
  Status const status = decoder.Decode(PhysicalType::kInt32, chunk.stored, chunk.bytes, vector);
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_NE(status.message().find("checksum mismatch"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace orochi::columnar
