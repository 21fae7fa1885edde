// Goal: values survive MessagePack in the fewest bytes; damage is refused before memory is spent.
// Method: values at the border of every form, with their first byte; cut and lying bytes.
#include "kv/client/message_pack.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace orochi::kv::client {
namespace {

struct Case {
  Value value;
  int first_byte;
  size_t size_bytes;
};

TEST(MessagePackTest, ValuesSurviveInTheFewestBytes) {
  const std::vector<Case> cases = {
      {Value(), 0xc0, 1},
      {false, 0xc2, 1},
      {true, 0xc3, 1},
      {0, 0x00, 1},
      {127, 0x7f, 1},
      {128, 0xcc, 2},
      {256, 0xcd, 3},
      {65536, 0xce, 5},
      {int64_t{1} << 32, 0xcf, 9},
      {std::numeric_limits<uint64_t>::max(), 0xcf, 9},
      {-1, 0xff, 1},
      {-32, 0xe0, 1},
      {-33, 0xd0, 2},
      {-129, 0xd1, 3},
      {-32769, 0xd2, 5},
      {std::numeric_limits<int64_t>::min(), 0xd3, 9},
      {-0.5, 0xcb, 9},
      {"", 0xa0, 1},
      {std::string(31, 'a'), 0xbf, 32},
      {std::string(32, 'a'), 0xd9, 34},
      {std::string(256, 'a'), 0xda, 259},
      {std::string(65536, 'a'), 0xdb, 65541},
      {Bytes{"\xff"}, 0xc4, 3},
      {Bytes{std::string(256, '\0')}, 0xc5, 259},
      {Bytes{std::string(65536, '\0')}, 0xc6, 65541},
      {Value::Array(15, Value(1)), 0x9f, 16},
      {Value::Array(16, Value(1)), 0xdc, 19},
      {Value::Array(65536, Value(1)), 0xdd, 65541},
      {Object{{"a", Object{{"b", Value::Array{1, "c", Value()}}}}}, 0x81, 11},
  };
  for (const Case& one : cases) {
    std::string const bytes = WriteMessagePack(one.value);
    EXPECT_EQ(static_cast<uint8_t>(bytes[0]), one.first_byte);
    EXPECT_EQ(bytes.size(), one.size_bytes) << one.first_byte;
    auto const read = ReadMessagePack(bytes);
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    EXPECT_TRUE(*read == one.value) << one.first_byte;
  }
}

TEST(MessagePackTest, FloatsOfFourBytesAreRead) {
  auto const read = ReadMessagePack(std::string("\xca\x3f\xc0\x00\x00", 5));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->AsDouble(), 1.5);
}

TEST(MessagePackTest, EveryCutIsRefused) {
  Object const value{{"a", Value::Array{1, 300, -70000, 0.25, "text", Bytes{"bytes"}, Value()}},
                     {"b", std::string(300, 'x')}};
  std::string const bytes = WriteMessagePack(value);
  for (size_t size_bytes = 0; size_bytes < bytes.size(); ++size_bytes) {
    EXPECT_EQ(ReadMessagePack(bytes.substr(0, size_bytes)).status().code(),
              StatusCode::kCorruption);
  }
  EXPECT_FALSE(ReadMessagePack(bytes + '\0').ok());
}

TEST(MessagePackTest, WhatItSaysOfItsSizeIsNotBelieved) {
  EXPECT_FALSE(ReadMessagePack("\xdd\xff\xff\xff\xff").ok());
  EXPECT_FALSE(ReadMessagePack("\xdf\xff\xff\xff\xff").ok());
  EXPECT_FALSE(ReadMessagePack("\xdb\xff\xff\xff\xff").ok());
  EXPECT_FALSE(ReadMessagePack("\xc1").ok());
  EXPECT_FALSE(ReadMessagePack("\xd4\x01\x02").ok());            // an extension
  EXPECT_FALSE(ReadMessagePack("\x81\x01\x02").ok());            // a member named by a number
  EXPECT_FALSE(ReadMessagePack(std::string(100, '\x91')).ok());  // deep
}

TEST(ValueTest, NumbersAreEqualHoweverTheyAreGiven) {
  EXPECT_TRUE(Value(uint64_t{5}) == Value(5));
  EXPECT_EQ(Value(uint64_t{5}).AsInt64(), 5);
  EXPECT_EQ(Value(-5).AsUint64(), std::nullopt);
  EXPECT_EQ(Value(std::numeric_limits<uint64_t>::max()).AsInt64(), std::nullopt);
  EXPECT_EQ(Value("5").AsInt64(), std::nullopt);
}

}  // namespace
}  // namespace orochi::kv::client
