// Goal: the byte-comparable encodings are Cassandra's and keep the order of values.
// Method: published examples (ByteComparable.md, comments of the format), and random values of
// every type whose encodings must order as CompareValues does.
#include "sstable/types/byte_comparable.h"

#include <gtest/gtest.h>

#include <array>

#include "base/random.h"
#include "sstable/types/big_decimal.h"
#include "sstable/types/compare.h"
#include "sstable/types/testing/hex.h"

namespace orochi::sstable {
namespace {

using testing::FromHex;
using testing::ToHex;

std::string Encode(const TypeRef& type, std::string_view value) {
  std::string out;
  return AppendByteComparable(*type, AsBytes(value), out) ? ToHex(out) : "null";
}

std::string EncodeHex(TypeKind kind, std::string_view hex) {
  return Encode(SimpleType(kind), FromHex(hex));
}

std::string EncodeVarintText(std::string_view text) {
  return Encode(SimpleType(TypeKind::kVarint), EncodeVarint(*ParseBigDecimal(text)));
}

std::string EncodeDecimalText(std::string_view text) {
  return Encode(SimpleType(TypeKind::kDecimal), EncodeDecimal(*ParseBigDecimal(text)));
}

TEST(ByteComparableTest, BytesAreEscaped) {
  EXPECT_EQ(EncodeHex(TypeKind::kBlob, "41 00 00 42"), "4100feff4200");
  EXPECT_EQ(EncodeHex(TypeKind::kBlob, "41 00"), "4100fe");
  EXPECT_EQ(EncodeHex(TypeKind::kText, "41 42"), "414200");
  EXPECT_EQ(EncodeHex(TypeKind::kText, ""), "00");
}

TEST(ByteComparableTest, IntegersOfVariableLength) {
  struct Example {
    int64_t value;
    std::string_view hex;
  };
  for (const Example& e : std::initializer_list<Example>{{0, "80"},
                                                         {1, "81"},
                                                         {-1, "7f"},
                                                         {63, "bf"},
                                                         {64, "c040"},
                                                         {-64, "40"},
                                                         {-65, "3fbf"},
                                                         {1 << 20, "f0100000"},
                                                         {INT64_MAX, "ffffffffffffffffff"},
                                                         {INT64_MIN, "000000000000000000"}}) {
    std::string bytes;
    AppendBigEndian(bytes, e.value);
    EXPECT_EQ(Encode(SimpleType(TypeKind::kBigint), bytes), e.hex) << e.value;
  }
  EXPECT_EQ(EncodeVarintText("-1"), "7f");
  EXPECT_EQ(EncodeVarintText("127"), "c07f");
  EXPECT_EQ(EncodeVarintText("255"), "c0ff");
  EXPECT_EQ(EncodeVarintText("4294967295"), "f8ffffffff");
  EXPECT_EQ(EncodeVarintText("4294967296"), "f900000000");
  EXPECT_EQ(EncodeVarintText("281474976710655"), "feffffffffffff");
  EXPECT_EQ(EncodeVarintText("72057594037927935"), "ff00ffffffffffffff");
  EXPECT_EQ(EncodeVarintText("-72057594037927937"), "00fefeffffffffffffff");
}

TEST(ByteComparableTest, Decimals) {
  EXPECT_EQ(EncodeDecimalText("0"), "80");
  EXPECT_EQ(EncodeDecimalText("0.000"), "80");
  EXPECT_EQ(EncodeDecimalText("1.1"), "c101818a00");
  EXPECT_EQ(EncodeDecimalText("1"), EncodeDecimalText("1.00"));
}

TEST(ByteComparableTest, EmptyAndNullAndReversed) {
  EXPECT_EQ(EncodeHex(TypeKind::kInt, ""), "null");
  EXPECT_EQ(EncodeHex(TypeKind::kInt, "00000001"), "80000001");
  TypeRef const integer = SimpleType(TypeKind::kInt);
  EXPECT_EQ(Encode(Reversed(integer), FromHex("00000001")), "7ffffffe");
  std::string const one = FromHex("00000001");
  std::vector<TypeRef> const types = {integer, Reversed(integer), SimpleType(TypeKind::kText)};
  std::vector<ComparableComponent> const components = {
      {.bytes = {}}, {.bytes = {}}, {.bytes = {}, .is_null = true}};
  std::string out;
  AppendComparableClustering(types, components, ComparableEnd::kRow, out);
  EXPECT_EQ(ToHex(out), "3f413e38");
  out.clear();
  std::vector<ComparableComponent> const prefix = {{.bytes = AsBytes(one)}};
  AppendComparableClustering(types, prefix, ComparableEnd::kBefore, out);
  AppendComparableClustering(types, prefix, ComparableEnd::kAfter, out);
  EXPECT_EQ(ToHex(out),
            "408000000120"
            "408000000160");
}

TEST(ByteComparableTest, TuplesLoseTrailingNulls) {
  TypeRef const tuple = TupleOf({SimpleType(TypeKind::kInt), SimpleType(TypeKind::kText)});
  EXPECT_EQ(Encode(tuple, FromHex("00000004 00000001 ffffffff")), "408000000138");
  EXPECT_EQ(Encode(tuple, FromHex("ffffffff 00000001 61")), "3e40610038");
}

void AppendKey(Partitioner partitioner, TypeKind type, Bytes key, std::string& out) {
  AppendComparableKey(partitioner, *SimpleType(type), TokenOf(partitioner, key), key, out);
}

TEST(ByteComparableTest, PartitionKeys) {
  std::string out;
  AppendKey(Partitioner::kByteOrdered, TypeKind::kText, AsBytes("0"), out);
  EXPECT_EQ(ToHex(out),
            "403000"
            "403000"
            "38");
  out.clear();
  AppendKey(Partitioner::kMurmur3, TypeKind::kText, AsBytes("123"), out);
  // The token -7468325962851647638 with its sign bit flipped.
  EXPECT_EQ(ToHex(out),
            "40185b2d1b0d667f6a"
            "4031323300"
            "38");
}

TEST(ByteComparableTest, PartitionKeysOfOtherPartitioners) {
  // The local partitioner orders by the key's type, the random one by a hash as a number.
  std::string local[2];
  std::string random[2];
  const char* const keys[2] = {"ffffffff", "00000001"};
  for (int index = 0; index < 2; ++index) {
    std::string const key = FromHex(keys[index]);
    AppendKey(Partitioner::kLocal, TypeKind::kInt, AsBytes(key), local[index]);
    AppendKey(Partitioner::kRandom, TypeKind::kInt, AsBytes(key), random[index]);
  }
  EXPECT_LT(local[0], local[1]);
  bool const first = TokenOf(Partitioner::kRandom, AsBytes(FromHex(keys[0]))) <
                     TokenOf(Partitioner::kRandom, AsBytes(FromHex(keys[1])));
  EXPECT_EQ(random[0] < random[1], first);
  std::string empty;
  AppendKey(Partitioner::kLocal, TypeKind::kInt, Bytes(), empty);
  EXPECT_LT(empty, local[0]);
}

TEST(ByteComparableTest, UuidsOfOtherShapes) {
  EXPECT_EQ(EncodeHex(TypeKind::kLexicalUuid, "80000000000000000000000000000001"),
            "00000000000000008000000000000001");
  EXPECT_EQ(EncodeHex(TypeKind::kUuid, "6162"), "616200");  // no UUID: its bytes decide
}

/// A random value of the type.
std::string RandomValue(TypeKind kind, Random& random) {
  std::string value;
  auto const add = [&](size_t count) {
    for (size_t index = 0; index < count; ++index) {
      value += static_cast<char>(random.OneIn(3) ? random.Below(2) * 255 : random.Below(256));
    }
  };
  switch (kind) {
    case TypeKind::kTinyint:
    case TypeKind::kBoolean:
      add(1);
      break;
    case TypeKind::kSmallint:
      add(2);
      break;
    case TypeKind::kFloat:
    case TypeKind::kInt:
    case TypeKind::kDate:
      add(4);
      break;
    case TypeKind::kBigint:
    case TypeKind::kDouble:
    case TypeKind::kTimestamp:
    case TypeKind::kTime:
      add(8);
      break;
    case TypeKind::kUuid:
    case TypeKind::kTimeuuid:
      add(16);
      // Times of version 1 below 2^59, as real ones are.
      value[6] = static_cast<char>(kind == TypeKind::kTimeuuid || random.OneIn(2) ? 0x11 : 0x41);
      break;
    case TypeKind::kVarint:
      add(1 + random.Below(12));
      break;
    case TypeKind::kDecimal:
      AppendBigEndian(value, static_cast<int32_t>(random.Below(40)) - 20);
      add(1 + random.Below(10));
      break;
    default:
      add(random.Below(6));
  }
  if (kind == TypeKind::kFloat || kind == TypeKind::kDouble) {
    value[0] &= static_cast<char>(0xBF);  // NaNs are one value with many encodings
  }
  return value;
}

TEST(ByteComparableTest, EncodingsOrderAsValuesDo) {
  uint64_t const seed = 5005;
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  SeededRandom random(seed);
  for (TypeKind const kind :
       {TypeKind::kTinyint, TypeKind::kSmallint, TypeKind::kInt, TypeKind::kBigint,
        TypeKind::kFloat, TypeKind::kDouble, TypeKind::kTimestamp, TypeKind::kDate, TypeKind::kTime,
        TypeKind::kUuid, TypeKind::kTimeuuid, TypeKind::kVarint, TypeKind::kDecimal,
        TypeKind::kText, TypeKind::kBlob, TypeKind::kBoolean}) {
    for (bool const reversed : {false, true}) {
      TypeRef const type = reversed ? Reversed(SimpleType(kind)) : SimpleType(kind);
      for (int run = 0; run < 2000; ++run) {
        std::string const a = RandomValue(kind, random);
        std::string const b = RandomValue(kind, random);
        int const by_value = CompareValues(*type, AsBytes(a), AsBytes(b));
        // Only followed by a separator is an encoding that is a prefix of another one ordered.
        std::string encoded_a;
        std::string encoded_b;
        AppendComparableClustering({&type, 1}, std::array{ComparableComponent{.bytes = AsBytes(a)}},
                                   ComparableEnd::kRow, encoded_a);
        AppendComparableClustering({&type, 1}, std::array{ComparableComponent{.bytes = AsBytes(b)}},
                                   ComparableEnd::kRow, encoded_b);
        int const by_encoding = CompareUnsigned(AsBytes(encoded_a), AsBytes(encoded_b));
        ASSERT_EQ((by_value > 0) - (by_value < 0), (by_encoding > 0) - (by_encoding < 0))
            << CqlName(*type) << " " << ToHex(a) << " " << ToHex(b);
      }
    }
  }
}

}  // namespace
}  // namespace orochi::sstable
