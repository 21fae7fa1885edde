// Goal: a frame is read as it was written, and as nothing else.
// Method: round trips; every bit of a frame flipped; the golden bytes of docs/formats/kv-log.md.
#include "kv/log/frame.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "kv/log/group_table.h"

namespace orochi::kv::log {
namespace {

constexpr uint32_t kBlockBytes = 512;

FrameHead Head() {
  return {.log_id = 0x1122334455667788,
          .segment = SegmentNumber(7),
          .offset_bytes = 4096,
          .number = FrameNumber(99),
          .first_segment = SegmentNumber(5),
          .previous_crc = 0xA1B2C3D4};
}

AlignedBuffer Frame(FrameHead& head) {
  FrameBuilder builder;
  builder.AddOwned(
      {.group = GroupId(3), .kind = RecordKind::kHardState, .index = 40, .term = raft::Term(6)},
      EncodeVote(raft::ReplicaId(2)));
  builder.AddOwned({.group = GroupId(3),
                    .kind = RecordKind::kEntry,
                    .entry_kind = raft::EntryKind::kCommand,
                    .index = 41,
                    .term = raft::Term(6)},
                   "payload");
  return builder.Finish(head, kBlockBytes);
}

std::string Hex(std::span<const std::byte> bytes) {
  std::string text;
  for (std::byte const byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", std::to_integer<unsigned>(byte));
    text += digits;
  }
  return text;
}

TEST(Frame, IsReadAsWritten) {
  FrameHead head = Head();
  AlignedBuffer const frame = Frame(head);
  EXPECT_EQ(frame.size_bytes(), kBlockBytes);
  auto const found = DecodeFrameHead(frame.span());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->log_id, head.log_id);
  EXPECT_EQ(found->segment, head.segment);
  EXPECT_EQ(found->offset_bytes, head.offset_bytes);
  EXPECT_EQ(found->number, head.number);
  EXPECT_EQ(found->first_segment, head.first_segment);
  EXPECT_EQ(found->previous_crc, head.previous_crc);
  EXPECT_EQ(found->crc, head.crc);
  EXPECT_FALSE(found->closes_segment);
  ASSERT_EQ(found->records.size(), 2U);
  EXPECT_EQ(found->records[0].kind, RecordKind::kHardState);
  EXPECT_EQ(found->records[1].index, 41U);
  auto const offsets = PayloadOffsets(found->records);
  EXPECT_TRUE(PayloadMatches(found->records[0], frame.span().subspan(offsets[0], 8)));
  EXPECT_TRUE(PayloadMatches(found->records[1], frame.span().subspan(offsets[1], 7)));
  EXPECT_EQ(found->size_bytes, offsets[1] + 7);
}

TEST(Frame, NoFlippedBitIsBelieved) {
  FrameHead head = Head();
  AlignedBuffer frame = Frame(head);
  size_t const heads_size_bytes = kFrameHeadBytes + 2 * kRecordHeadBytes;
  for (size_t bit = 0; bit < 8 * (heads_size_bytes + 15); ++bit) {
    std::byte& byte = frame.span()[bit / 8];
    byte ^= static_cast<std::byte>(1U << bit % 8);
    auto const found = DecodeFrameHead(frame.span());
    if (bit / 8 < heads_size_bytes) {
      EXPECT_FALSE(found.has_value()) << "bit " << bit;
    } else {
      ASSERT_TRUE(found.has_value()) << "bit " << bit;
      auto const offsets = PayloadOffsets(found->records);
      bool const first = PayloadMatches(found->records[0], frame.span().subspan(offsets[0], 8));
      bool const second = PayloadMatches(found->records[1], frame.span().subspan(offsets[1], 7));
      EXPECT_NE(first, second) << "bit " << bit;
    }
    byte ^= static_cast<std::byte>(1U << bit % 8);
  }
}

TEST(Frame, IsNotOneWhenCutShort) {
  FrameHead head = Head();
  AlignedBuffer const frame = Frame(head);
  size_t const size_bytes = kFrameHeadBytes + 2 * kRecordHeadBytes + 15;
  for (size_t kept = 0; kept < size_bytes; ++kept) {
    EXPECT_FALSE(DecodeFrameHead(frame.span().first(kept)).has_value()) << kept;
  }
  EXPECT_TRUE(DecodeFrameHead(frame.span().first(size_bytes)).has_value());
}

// The example of docs/formats/kv-log.md, byte for byte.
TEST(Frame, HasTheBytesOfItsFormat) {
  FrameHead head = Head();
  AlignedBuffer const frame = Frame(head);
  EXPECT_EQ(Hex(frame.span().first(kFrameHeadBytes)),
            "4f4b564c06484362887766554433221107000000000000000010000000000000"
            "630000000000000005000000000000009f0000000200000000000000d4c3b2a1");
  EXPECT_EQ(Hex(frame.span().subspan(kFrameHeadBytes, kRecordHeadBytes)),
            "03000000000000002800000000000000060000000000000008000000c448501e"
            "0200000000000000");
  EXPECT_EQ(Hex(frame.span().subspan(kFrameHeadBytes + kRecordHeadBytes, kRecordHeadBytes)),
            "030000000000000029000000000000000600000000000000070000007069e3f4"
            "0600000000000000");
  EXPECT_EQ(Hex(frame.span().subspan(kFrameHeadBytes + 2 * kRecordHeadBytes, 15)),
            "02000000000000007061796c6f6164");
}

}  // namespace
}  // namespace orochi::kv::log
