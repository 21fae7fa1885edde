// Goal: values order as in Cassandra, and any bytes have an order.
// Method: for each type, values listed in ascending order (from the rules of Cassandra's
// comparators) are compared pairwise in both directions; random bytes are checked for a total
// order.
#include "sstable/types/compare.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "sstable/types/java_type.h"
#include "sstable/types/testing/hex.h"

namespace orochi::sstable {
namespace {

using testing::FromHex;
using testing::ToHex;

int Sign(int value) {
  return value < 0 ? -1 : value > 0;
}

void ExpectAscending(const TypeRef& type, const std::vector<std::string>& hex_values) {
  for (size_t a = 0; a < hex_values.size(); ++a) {
    for (size_t b = 0; b < hex_values.size(); ++b) {
      std::string const left = FromHex(hex_values[a]);
      std::string const right = FromHex(hex_values[b]);
      int const expected = a < b ? -1 : a > b;
      EXPECT_EQ(Sign(CompareValues(*type, AsBytes(left), AsBytes(right))), expected)
          << CqlName(*type) << ": " << hex_values[a] << " against " << hex_values[b];
      EXPECT_EQ(Sign(CompareValues(*Reversed(type), AsBytes(left), AsBytes(right))), -expected);
    }
  }
}

void ExpectEqual(const TypeRef& type, std::string_view left, std::string_view right) {
  EXPECT_EQ(CompareValues(*type, AsBytes(FromHex(left)), AsBytes(FromHex(right))), 0)
      << CqlName(*type) << ": " << left << " against " << right;
}

TEST(CompareTest, NumbersOrderByValueAndEmptyComesFirst) {
  ExpectAscending(SimpleType(TypeKind::kInt),
                  {"", "80000000", "ffffffff", "00000000", "00000001", "7fffffff"});
  ExpectAscending(SimpleType(TypeKind::kBigint), {"", "8000000000000000", "ffffffffffffffff",
                                                  "0000000000000000", "7fffffffffffffff"});
  ExpectAscending(SimpleType(TypeKind::kTimestamp), {"", "ffffffffffffffff", "0000000000000001"});
  ExpectAscending(SimpleType(TypeKind::kTinyint), {"80", "ff", "00", "7f"});
  ExpectAscending(SimpleType(TypeKind::kSmallint), {"8000", "ffff", "0000", "7fff"});
  ExpectAscending(SimpleType(TypeKind::kBoolean), {"", "00", "01"});
  ExpectEqual(SimpleType(TypeKind::kBoolean), "01", "02");
}

TEST(CompareTest, FloatsOrderAsJavaDoes) {
  ExpectAscending(SimpleType(TypeKind::kFloat), {"", "ff800000", "bf800000", "80000000", "00000000",
                                                 "3f800000", "7f800000", "7fc00000"});
  ExpectEqual(SimpleType(TypeKind::kFloat), "7fc00000", "ffc00001");
  ExpectAscending(SimpleType(TypeKind::kDouble),
                  {"bff0000000000000", "8000000000000000", "0000000000000000", "3ff0000000000000",
                   "7ff8000000000000"});
}

TEST(CompareTest, VarintsAndDecimalsOrderByValue) {
  ExpectAscending(SimpleType(TypeKind::kVarint),
                  {"", "ff000000000000000000", "ff7f", "80", "ff", "00", "01", "7f", "0080",
                   "00ffff", "010000000000000000"});
  ExpectEqual(SimpleType(TypeKind::kVarint), "ffff80", "80");
  ExpectEqual(SimpleType(TypeKind::kVarint), "000001", "01");
  ExpectAscending(SimpleType(TypeKind::kDecimal), {"",
                                                   "80000000 ff",  // -1E+2147483648
                                                   "00000000 ff",  // -1
                                                   "00000001 f7",  // -0.9
                                                   "00000000 00",  // 0
                                                   "7fffffff 01",  // 1E-2147483647
                                                   "00000002 7b",  // 1.23
                                                   "00000001 0d",  // 1.3
                                                   "00000000 0c",  // 12
                                                   "fffffff6 01",  // 1E+10
                                                   "00000000 00fedcba9876543210fedcba9876543210"});
  ExpectEqual(SimpleType(TypeKind::kDecimal), "00000001 0a", "00000000 01");  // 1.0 and 1
  ExpectEqual(SimpleType(TypeKind::kDecimal), "00000005 00", "fffffff6 00");  // 0.00000 and 0E+10
}

TEST(CompareTest, UuidsOrderByVersionThenTimeThenLowHalf) {
  // Version 1 with times 1, 2 and 2^32, then version 4.
  ExpectAscending(SimpleType(TypeKind::kUuid),
                  {"", "00000001 0000 1000 7f00000000000000", "00000002 0000 1000 0000000000000000",
                   "00000002 0000 1000 8000000000000000", "00000000 0001 1000 0000000000000000",
                   "00000000 0000 4000 0000000000000000", "80000000 0000 4000 0000000000000000"});
  // Timeuuid: the low half is compared as signed bytes.
  ExpectAscending(SimpleType(TypeKind::kTimeuuid),
                  {"", "00000001 0000 1000 0000000000000000", "00000002 0000 1000 8000000000000000",
                   "00000002 0000 1000 0080000000000000", "00000002 0000 1000 0000000000000000",
                   "00000002 0000 1000 007f000000000000", "00000000 0001 1000 8000000000000000"});
}

TEST(CompareTest, BytesOrderUnsigned) {
  for (TypeKind const kind : {TypeKind::kText, TypeKind::kAscii, TypeKind::kBlob, TypeKind::kInet,
                              TypeKind::kDate, TypeKind::kTime, TypeKind::kLegacyDate}) {
    ExpectAscending(SimpleType(kind), {"", "00", "61", "6100", "6161", "62", "80", "ff"});
  }
}

TEST(CompareTest, TypesThatOnlyFilesHave) {
  ExpectAscending(SimpleType(TypeKind::kLexicalUuid),
                  {"", "80000000000000000000000000000000", "00000000000000008000000000000000",
                   "00000000000000000000000000000001", "7f000000000000000000000000000000"});
  ExpectAscending(SimpleType(TypeKind::kEmpty), {"", "00"});
  ExpectAscending(CustomType("com.example.Odd"), {"", "00", "ff"});
}

TEST(CompareTest, CollectionsOrderElementByElementThenBySize) {
  TypeRef const list = Frozen(ListOf(SimpleType(TypeKind::kInt)));
  ExpectAscending(list,
                  {"", "00000000", "00000001 00000004 ffffffff", "00000001 00000004 00000001",
                   "00000002 00000004 00000001 00000004 80000000", "00000001 00000004 00000002"});
  TypeRef const map = Frozen(MapOf(SimpleType(TypeKind::kText), SimpleType(TypeKind::kInt)));
  ExpectAscending(
      map, {"00000000", "00000001 00000001 61 00000004 ffffffff",
            "00000001 00000001 61 00000004 00000001", "00000001 00000001 62 00000004 ffffffff"});
  TypeRef const vector = VectorOf(SimpleType(TypeKind::kFloat), 2);
  ExpectAscending(vector, {"", "bf80000000000000", "0000000000000000", "000000003f800000"});
  TypeRef const texts = VectorOf(SimpleType(TypeKind::kText), 2);
  ExpectAscending(texts, {"01 61 01 62", "01 61 02 6262", "02 6161 01 61"});
}

TEST(CompareTest, TuplesPutNullFirstAndMissingIsNull) {
  TypeRef const tuple = TupleOf({SimpleType(TypeKind::kInt), SimpleType(TypeKind::kText)});
  ExpectAscending(
      tuple, {"", "ffffffff 00000001 61", "00000004 ffffffff ffffffff",
              "00000004 ffffffff 00000000", "00000004 ffffffff 00000001 61", "00000004 00000000"});
  ExpectEqual(tuple, "00000004 00000001", "00000004 00000001 ffffffff");
}

TEST(CompareTest, AnyBytesHaveATotalOrder) {
  uint64_t const seed = 20240917;
  SCOPED_TRACE(::testing::Message() << "seed " << seed);
  SeededRandom random(seed);
  for (std::string_view const name :
       {"Int32Type", "DecimalType", "IntegerType", "UUIDType", "TimeUUIDType", "DoubleType",
        "FrozenType(ListType(Int32Type))", "TupleType(Int32Type,UTF8Type)",
        "FrozenType(MapType(UTF8Type,Int32Type))", "VectorType(UTF8Type , 2)",
        "CompositeType(Int32Type,UTF8Type)"}) {
    Result<TypeRef> const type = ParseJavaType(name);
    ASSERT_TRUE(type.ok());
    std::vector<std::string> values;
    for (int index = 0; index < 40; ++index) {
      std::string value;
      for (uint64_t size = random.Below(18); value.size() < size;) {
        value += static_cast<char>(random.Below(3) == 0 ? random.Below(256) : random.Below(3));
      }
      values.push_back(value);
    }
    auto const compare = [&](size_t a, size_t b) {
      return Sign(CompareValues(**type, AsBytes(values[a]), AsBytes(values[b])));
    };
    for (size_t a = 0; a < values.size(); ++a) {
      for (size_t b = 0; b < values.size(); ++b) {
        ASSERT_EQ(compare(a, b), -compare(b, a)) << name << ToHex(values[a]) << ToHex(values[b]);
        for (size_t c = 0; c < values.size(); ++c) {
          if (compare(a, b) <= 0 && compare(b, c) <= 0) {
            ASSERT_LE(compare(a, c), 0) << name << " " << ToHex(values[a]) << " "
                                        << ToHex(values[b]) << " " << ToHex(values[c]);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace orochi::sstable
