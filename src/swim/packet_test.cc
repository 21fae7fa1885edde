// Goal: packets say what they were told to, in few bytes, and nothing else passes for one.
// Method: packets with every kind and field, cut, damaged, and filled to the brim.
#include "swim/packet.h"

#include <gtest/gtest.h>

#include <cstring>

#include "codec/crc32c.h"

namespace orochi::swim {
namespace {

Record Alive(uint64_t number) {
  return {.id = {7, number},
          .generation = Generation(3),
          .incarnation = Incarnation(1),
          .address = io::SocketAddress::V4(10, 0, 0, 1, 7946)};
}

PacketHead Head(PacketKind kind) {
  return {.kind = kind, .cluster = {1, 2}, .sender = Alive(1)};
}

Packet Decoded(std::span<const std::byte> bytes) {
  auto packet = DecodePacket(bytes);
  EXPECT_TRUE(packet.ok()) << packet.status().message();
  return packet.ok() ? *packet : Packet{};
}

TEST(Packet, EveryKindSurvives) {
  for (uint8_t number = 1; number <= 9; ++number) {
    PacketHead head = Head(static_cast<PacketKind>(number));
    head.sequence = 1'000'000;
    head.subject = {7, 9};
    head.subject_address = *io::ParseSocketAddress("[2001:db8::1]:80");
    Packet const packet = Decoded(PacketBuilder(head, 512).Finish());
    EXPECT_EQ(packet.head.kind, head.kind);
    EXPECT_EQ(packet.head.cluster, head.cluster);
    EXPECT_EQ(packet.head.sender.id, head.sender.id);
    if (number <= 4) {
      EXPECT_EQ(packet.head.sequence, head.sequence);
      EXPECT_EQ(packet.head.subject, head.subject);
    }
    if (head.kind == PacketKind::kPingRequest) {
      EXPECT_EQ(packet.head.subject_address, head.subject_address);
    }
    EXPECT_TRUE(packet.records.empty());
  }
}

TEST(Packet, EveryFieldOfARecordSurvives) {
  PacketBuilder builder(Head(PacketKind::kGossip), 1'400);
  Record alive = Alive(2);
  alive.hints = Hints{.revision = 5, .meta_version = 900, .load = 77, .payload = "zone=a"};
  Record suspect = Alive(3);
  suspect.health = Health::kSuspect;
  suspect.accuser = {7, 8};
  suspect.address = *io::ParseSocketAddress("[::1]:1");
  Record dead = Alive(4);
  dead.health = Health::kDead;
  dead.gone_for_s = 3'600;
  for (const Record& record : {alive, suspect, dead}) {
    EXPECT_TRUE(builder.Add(record));
  }
  Packet const packet = Decoded(std::move(builder).Finish());
  ASSERT_EQ(packet.records.size(), 3U);
  EXPECT_EQ(packet.records[0].hints, alive.hints);
  EXPECT_EQ(packet.records[0].address, alive.address);
  EXPECT_EQ(packet.records[1].health, Health::kSuspect);
  EXPECT_EQ(packet.records[1].accuser, suspect.accuser);
  EXPECT_EQ(packet.records[1].address, suspect.address);
  EXPECT_FALSE(packet.records[1].hints.has_value());
  EXPECT_EQ(packet.records[2].gone_for_s, 3'600U);
}

TEST(Packet, NeverPassesItsLimit) {
  for (size_t const limit : {512U, 1'355U, 1'400U}) {
    PacketBuilder builder(Head(PacketKind::kPing), limit);
    uint64_t number = 0;
    while (builder.Add(Alive(++number))) {
    }
    auto const bytes = std::move(builder).Finish();
    EXPECT_LE(bytes.size(), limit);
    EXPECT_GT(bytes.size() + 30, limit);
    EXPECT_EQ(Decoded(bytes).records.size(), number - 1);
  }
}

TEST(Packet, AnyHeadAndRecordFitTheSmallestPacket) {
  PacketHead head = Head(PacketKind::kPingRequest);
  head.sequence = UINT64_MAX;
  head.sender.generation = Generation(kVersionMax);
  head.sender.incarnation = Incarnation(kVersionMax);
  head.sender.address = head.subject_address = *io::ParseSocketAddress("[2001:db8::1]:80");
  PacketBuilder builder(head, kPacketSizeBytesMin);
  Record record = head.sender;
  record.health = Health::kSuspect;
  record.hints = Hints{.revision = kVersionMax,
                       .meta_version = kVersionMax,
                       .load = UINT64_MAX,
                       .payload = std::string(kHintPayloadSizeBytesMax, 'x')};
  EXPECT_TRUE(builder.Add(record));
  EXPECT_EQ(Decoded(std::move(builder).Finish()).records[0].hints, record.hints);
}

TEST(Packet, CutOrDamagedIsCorruption) {
  PacketBuilder builder(Head(PacketKind::kAck), 1'400);
  EXPECT_TRUE(builder.Add(Alive(2)));
  auto bytes = std::move(builder).Finish();
  for (size_t size_bytes = 0; size_bytes < bytes.size(); ++size_bytes) {
    auto const cut = DecodePacket(std::span(bytes).first(size_bytes));
    EXPECT_EQ(cut.status().code(), StatusCode::kCorruption) << size_bytes;
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] ^= std::byte{0x10};
    EXPECT_FALSE(DecodePacket(bytes).ok()) << at;
    bytes[at] ^= std::byte{0x10};
  }
}

// With a right checksum, so that what is looked at is the content.
std::vector<std::byte> Changed(std::vector<std::byte> bytes, size_t at, uint8_t value) {
  bytes[at] = static_cast<std::byte>(value);
  uint32_t const sum = codec::Crc32c(std::span(bytes).first(bytes.size() - 4));
  std::memcpy(bytes.data() + bytes.size() - 4, &sum, 4);
  return bytes;
}

TEST(Packet, WhatNoPeerWritesIsRefused) {
  auto const bytes = PacketBuilder(Head(PacketKind::kGossip), 1'400).Finish();
  constexpr size_t kFormatAt = 2, kKindAt = 3, kSenderFlagsAt = 20, kSenderGenerationAt = 37;
  EXPECT_EQ(DecodePacket(Changed(bytes, kFormatAt, 2)).status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(DecodePacket(Changed(bytes, kKindAt, 0)).status().code(), StatusCode::kCorruption);
  EXPECT_EQ(DecodePacket(Changed(bytes, kKindAt, 10)).status().code(), StatusCode::kCorruption);
  EXPECT_FALSE(DecodePacket(Changed(bytes, kSenderFlagsAt, 5)).ok());     // no such health
  EXPECT_FALSE(DecodePacket(Changed(bytes, kSenderFlagsAt, 0x80)).ok());  // no such flag
  EXPECT_FALSE(DecodePacket(Changed(bytes, kSenderGenerationAt, 0)).ok());
  EXPECT_TRUE(DecodePacket(Changed(bytes, kSenderGenerationAt, 4)).ok());
}

TEST(Claims, OrderOfBelief) {
  auto const claim = [](uint64_t generation, uint64_t incarnation, Health health) {
    Record record = Alive(1);
    record.generation = Generation(generation);
    record.incarnation = Incarnation(incarnation);
    record.health = health;
    return record;
  };
  std::vector<Record> const rising = {claim(1, 0, Health::kAlive), claim(1, 0, Health::kSuspect),
                                      claim(1, 0, Health::kDead),  claim(1, 1, Health::kAlive),
                                      claim(1, 9, Health::kDead),  claim(1, 0, Health::kLeft),
                                      claim(1, 9, Health::kLeft),  claim(1, 0, Health::kConflict),
                                      claim(2, 0, Health::kAlive), claim(2, 0, Health::kDead)};
  for (size_t low = 0; low < rising.size(); ++low) {
    for (size_t high = 0; high < rising.size(); ++high) {
      EXPECT_EQ(CompareClaims(rising[low], rising[high]), low <=> high) << low << " " << high;
    }
  }
}

}  // namespace
}  // namespace orochi::swim
