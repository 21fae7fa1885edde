// Goal: values print as sstabledump, cqlsh and CQL print them, and text reads back as the same
// bytes. Method: values as Cassandra serialises them with the text that Java's classes give; every
// literal is parsed again; malformed values are refused.
#include "sstable/types/big_decimal.h"
#include "sstable/types/value_text.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>

#include "sstable/types/civil_time.h"
#include "sstable/types/java_type.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/testing/hex.h"
#include "sstable/types/value_build.h"

namespace orochi::sstable {
namespace {

using testing::FromHex;
using testing::ToHex;

using Printer = Status (*)(const Type&, Bytes, std::string&);

std::string Print(Printer printer, std::string_view type_name, std::string_view hex) {
  Result<TypeRef> const type = ParseJavaType(type_name);
  EXPECT_TRUE(type.ok()) << type_name;
  std::string out;
  Status const status = printer(**type, AsBytes(FromHex(hex)), out);
  return status.ok() ? out : std::string("error");
}

std::string Json(std::string_view type, std::string_view hex) {
  return Print(AppendJson, type, hex);
}
std::string Key(std::string_view type, std::string_view hex) {
  return Print(AppendKeyText, type, hex);
}
std::string Cqlsh(std::string_view type, std::string_view hex) {
  return Print(AppendCqlshText, type, hex);
}
std::string Literal(std::string_view type, std::string_view hex) {
  return Print(AppendCqlLiteral, type, hex);
}

TEST(ValueTextTest, JsonOfSimpleTypes) {
  EXPECT_EQ(Json("Int32Type", "0000002a"), "42");
  EXPECT_EQ(Json("Int32Type", ""), "\"\"");
  EXPECT_EQ(Json("ByteType", "80"), "-128");
  EXPECT_EQ(Json("ShortType", "ffff"), "-1");
  EXPECT_EQ(Json("LongType", "8000000000000000"), "-9223372036854775808");
  EXPECT_EQ(Json("BooleanType", "01"), "true");
  EXPECT_EQ(Json("BytesType", "cafe"), "\"0xcafe\"");
  EXPECT_EQ(Json("UTF8Type", "22 5c 0a 01 1f c3a9"), "\"\\\"\\\\\\n\\u0001\\u001F\u00e9\"");
  EXPECT_EQ(Json("IntegerType", "0080"), "128");
  EXPECT_EQ(Json("IntegerType", "ff7f"), "-129");
  EXPECT_EQ(Json("IntegerType", "00ffffffffffffffffff"), "4722366482869645213695");
  EXPECT_EQ(Json("IntegerType", "ff000000000000000000"), "-4722366482869645213696");
  EXPECT_EQ(Json("DecimalType", "00000002 7b"), "1.23");
  EXPECT_EQ(Json("DecimalType", "fffffff6 01"), "1E+10");
  EXPECT_EQ(Json("DecimalType", "00000009 01"), "1E-9");
  EXPECT_EQ(Json("DecimalType", "00000006 ff"), "-0.000001");
  EXPECT_EQ(Json("SimpleDateType", "80004e79"), "\"2025-01-01\"");
  EXPECT_EQ(Json("SimpleDateType", "00000000"), "\"-5877641-06-23\"");
  EXPECT_EQ(Json("SimpleDateType", "ffffffff"), "\"+5881580-07-11\"");
  EXPECT_EQ(Json("TimeType", "0000274a48a78000"), "\"12:00:00.000000000\"");
  EXPECT_EQ(Json("TimestampType", "0000000000000001"), "\"1970-01-01 00:00:00.001Z\"");
  EXPECT_EQ(Json("TimestampType", "ffffffffffffffff"), "\"1969-12-31 23:59:59.999Z\"");
  EXPECT_EQ(Json("UUIDType", "1234567890abcdef1234567890abcdef"),
            "\"12345678-90ab-cdef-1234-567890abcdef\"");
  EXPECT_EQ(Json("InetAddressType", "7f000001"), "\"127.0.0.1\"");
  EXPECT_EQ(Json("InetAddressType", "20010db8000000000000000000000001"),
            "\"2001:db8:0:0:0:0:0:1\"");
  EXPECT_EQ(Json("DurationType", "18 3c fc 06 8c 61 71 40 00"), "\"1y30d1h\"");
  EXPECT_EQ(Json("DurationType", "7f 00 00"), "\"-5y4mo\"");
  EXPECT_EQ(Json("CounterColumnType",
                 "0001 8000 000102030405060708090a0b0c0d0e0f 0000000000000001 0000000000000007"),
            "7");
}

TEST(ValueTextTest, FloatsAreJavas) {
  EXPECT_EQ(JavaDoubleText(1), "1.0");
  EXPECT_EQ(JavaDoubleText(-0.0), "-0.0");
  EXPECT_EQ(JavaDoubleText(123456.75), "123456.75");
  EXPECT_EQ(JavaDoubleText(1e7), "1.0E7");
  EXPECT_EQ(JavaDoubleText(9999999), "9999999.0");
  EXPECT_EQ(JavaDoubleText(0.001), "0.001");
  EXPECT_EQ(JavaDoubleText(0.00099), "9.9E-4");
  EXPECT_EQ(JavaDoubleText(1e23), "1.0E23");
  EXPECT_EQ(JavaDoubleText(std::numeric_limits<double>::denorm_min()), "4.9E-324");
  EXPECT_EQ(JavaDoubleText(std::numeric_limits<double>::max()), "1.7976931348623157E308");
  EXPECT_EQ(JavaFloatText(3.14F), "3.14");
  EXPECT_EQ(JavaFloatText(std::numeric_limits<float>::denorm_min()), "1.4E-45");
  EXPECT_EQ(Json("FloatType", "7fc00000"), "null");
  EXPECT_EQ(Json("DoubleType", "fff0000000000000"), "null");
  EXPECT_EQ(Key("DoubleType", "fff0000000000000"), "-Infinity");
}

constexpr std::string_view kUser =
    "FrozenType(UserType(ks,61646472,737472656574:UTF8Type,5a6970:Int32Type))";

TEST(ValueTextTest, JsonOfTypesOfTypes) {
  EXPECT_EQ(Json("FrozenType(ListType(Int32Type))", "00000002 00000004 00000001 00000004 00000002"),
            "[1, 2]");
  EXPECT_EQ(
      Json("FrozenType(MapType(Int32Type,UTF8Type))", "00000001 00000004 00000001 00000001 61"),
      "{\"1\": \"a\"}");
  EXPECT_EQ(Json("TupleType(Int32Type,UTF8Type)", "00000004 00000001"), "[1, null]");
  EXPECT_EQ(Json(kUser, "00000001 61 ffffffff"), "{\"street\": \"a\", \"\\\"Zip\\\"\": null}");
  EXPECT_EQ(Json("VectorType(FloatType , 2)", "3f800000 40000000"), "[1.0, 2.0]");
  EXPECT_EQ(Json("VectorType(UTF8Type , 2)", "01 61 02 6262"), "[\"a\", \"bb\"]");
}

TEST(ValueTextTest, KeysAreWithoutQuotes) {
  EXPECT_EQ(Key("UTF8Type", "2261"), "\"a");
  EXPECT_EQ(Key("BytesType", "cafe"), "cafe");
  EXPECT_EQ(Key("TimestampType", "0000000000000001"), "1970-01-01T00:00:00.001Z");
  EXPECT_EQ(Key("TupleType(Int32Type,UTF8Type,Int32Type)", "00000004 00000001 00000003 613a40"),
            "1:a\\:\\@");
  EXPECT_EQ(Key("TupleType(Int32Type,UTF8Type)", "ffffffff 00000001 61"), "@:a");
  EXPECT_EQ(Key("FrozenType(ListType(Int32Type))", "00000000"), "00000000");
}

TEST(ValueTextTest, CqlshAndLiterals) {
  EXPECT_EQ(Cqlsh("UTF8Type", "612761 0a"), "a'a\\n");
  EXPECT_EQ(Cqlsh("FrozenType(SetType(UTF8Type))", "00000001 00000003 612761"), "{'a''a'}");
  EXPECT_EQ(Cqlsh("BooleanType", "01"), "True");
  EXPECT_EQ(Cqlsh("TimestampType", "0000000000000001"), "1970-01-01 00:00:00.001000+0000");
  EXPECT_EQ(Cqlsh("InetAddressType", "20010db8000000000000000000000001"), "2001:db8::1");
  EXPECT_EQ(Cqlsh(kUser, "00000001 61"), "{street: 'a', \"Zip\": null}");
  EXPECT_EQ(Literal("UTF8Type", "612761"), "'a''a'");
  EXPECT_EQ(Literal("BooleanType", "01"), "true");
  EXPECT_EQ(Literal("TupleType(Int32Type,UTF8Type)", "00000004 00000001"), "(1, null)");
}

TEST(ValueTextTest, MalformedValuesAreRefused) {
  for (auto const& [type, hex] : std::initializer_list<std::pair<const char*, const char*>>{
           {"Int32Type", "0000"},
           {"BooleanType", "0000"},
           {"UTF8Type", "ff"},
           {"UTF8Type", "eda080"},  // a surrogate
           {"UTF8Type", "c0af"},    // overlong
           {"DecimalType", "000000"},
           {"DurationType", "0202"},
           {"DurationType", "020100"},  // two signs
           {"TimeType", "7fffffffffffffff"},
           {"InetAddressType", "7f0000"},
           {"UUIDType", "00"},
           {"CounterColumnType", "0001 8000 00"},
           {"FrozenType(ListType(Int32Type))", "00000002 00000004 00000001"},
           {"FrozenType(ListType(Int32Type))", "ffffffff"},
           {"FrozenType(ListType(Int32Type))", "00000000 00"},
           {"TupleType(Int32Type)", "00000004 0000"},
           {"VectorType(FloatType , 2)", "3f800000"},
           {"VectorType(UTF8Type , 1)", "05 61"},
           {"EmptyType", "00"},
           {"DurationType", "0000 00 00"},        // more than three numbers
           {"DurationType", "f100000000 00 00"},  // months of more than 32 bits
           {"CounterColumnType", "00"},
           {"MapType(Int32Type,UTF8Type)", "00000001 00000004 00000001"}}) {
    EXPECT_EQ(Json(type, hex), "error") << type << " " << hex;
    Status const valid = ValidateValue(**ParseJavaType(type), AsBytes(FromHex(hex)));
    EXPECT_EQ(valid.code(), StatusCode::kCorruption) << type << " " << hex;
  }
}

TEST(ValueTextTest, TextReadsBack) {
  for (auto const& [type_name, text, hex] : std::initializer_list<std::array<const char*, 3>>{
           {"Int32Type", "-1", "ffffffff"},
           {"ByteType", "127", "7f"},
           {"LongType", "9223372036854775807", "7fffffffffffffff"},
           {"IntegerType", "-129", "ff7f"},
           {"IntegerType", "0", "00"},
           {"IntegerType", "4722366482869645213695", "00ffffffffffffffffff"},
           {"IntegerType", "-4722366482869645213696", "ff000000000000000000"},
           {"IntegerType", "-128", "80"},
           {"DecimalType", "1.23", "000000027b"},
           {"DecimalType", "1E+10", "fffffff601"},
           {"DecimalType", "-0.5e-3", "00000004fb"},
           {"FloatType", "1.5", "3fc00000"},
           {"FloatType", "-Infinity", "ff800000"},
           {"DoubleType", "NaN", "7ff8000000000000"},
           {"BooleanType", "TRUE", "01"},
           {"BytesType", "0xCAfe", "cafe"},
           {"SimpleDateType", "2025-01-01", "80004e79"},
           {"SimpleDateType", "2147483648", "80000000"},
           {"TimeType", "12:00:00", "0000274a48a78000"},
           {"TimestampType", "1970-01-01 01:00:00.001+0100", "0000000000000001"},
           {"TimestampType", "1970-01-01T00:00Z", "0000000000000000"},
           {"TimestampType", "1970-01-02", "0000000005265c00"},
           {"TimestampType", "-1", "ffffffffffffffff"},
           {"UUIDType", "12345678-90AB-cdef-1234-567890abcdef", "1234567890abcdef1234567890abcdef"},
           {"InetAddressType", "2001:db8::1", "20010db8000000000000000000000001"},
           {"DurationType", "1y30d1h", "183cfc068c61714000"},
           {"DurationType", "P1Y30DT1H", "183cfc068c61714000"},
           {"DurationType", "-5y4mo", "7f0000"},
           {"DurationType", "1w", "000e00"},
           {"ShortType", "-32768", "8000"},
           {"IntegerType", "+7", "07"},
           {"FloatType", "1e-60", "00000000"},
           {"FloatType", "1e60", "7f800000"},
           {"DoubleType", "-1e-400", "8000000000000000"},
           {"Int32Type", "", ""}}) {
    Result<std::string> const bytes = ParseScalar(**ParseJavaType(type_name), text);
    ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
    EXPECT_EQ(ToHex(*bytes), hex) << type_name << " " << text;
  }
}

TEST(ValueTextTest, WrongTextIsRefused) {
  for (auto const& [type_name, text] : std::initializer_list<std::pair<const char*, const char*>>{
           {"Int32Type", "2147483648"},
           {"Int32Type", "1.0"},
           {"ByteType", "128"},
           {"IntegerType", "1.5"},
           {"DecimalType", "."},
           {"DecimalType", "1e"},
           {"FloatType", "abc"},
           {"BooleanType", "yes"},
           {"BytesType", "0xabc"},
           {"SimpleDateType", "2023-02-29"},
           {"TimeType", "24:00:00"},
           {"TimestampType", "2024-01-01 25:00"},
           {"UUIDType", "1234"},
           {"TimeUUIDType", "12345678-90ab-4def-1234-567890abcdef"},
           {"InetAddressType", "1.2.3"},
           {"DurationType", "5x"},
           {"AsciiType", "\xc3\xa9"},
           {"DurationType", "P"},
           {"DurationType", "9999999999mo"},
           {"DurationType", "999999999999999999y"},
           {"DurationType", "99999999999999999999d"},
           {"IntegerType", "+-5"},
           {"DecimalType", "1x"},
           {"DecimalType", "1e99999999999"},
           {"DecimalType", "1e-2147483650"},
           {"UUIDType", "12345678x90ab-cdef-1234-567890abcdef"},
           {"SimpleDateType", "4294967296"},
           {"SimpleDateType", "-1"},
           {"SimpleDateType", "2024-"},
           {"SimpleDateType", "2024-13-01"},
           {"SimpleDateType", "2024-1x"},
           {"SimpleDateType", "9999999-01-01"},
           {"TimeType", "86400000000000"},
           {"TimeType", "-1"},
           {"TimeType", "12:60:00"},
           {"TimeType", "12:00:60"},
           {"TimeType", "12:00:00.1234567890"},
           {"TimestampType", "x"},
           {"TimestampType", "2024-01-01 12"},
           {"TimestampType", "2024-01-01 12:61"},
           {"TimestampType", "2024-01-01 12:00:61"},
           {"TimestampType", "2024-01-01 12:00:00."},
           {"TimestampType", "2024-01-01 12:00 X"},
           {"TimestampType", "2024-01-01 12:00+19"},
           {"TimestampType", "2024-01-01 12:00+01:99"},
           {"TimestampType", "2024-01-01 12:00+01:00x"},
           {"ListType(Int32Type)", "[1]"}}) {
    EXPECT_EQ(ParseScalar(**ParseJavaType(type_name), text).status().code(),
              StatusCode::kInvalidArgument)
        << type_name << " " << text;
  }
}

TEST(ValueTextTest, SetsAndMapsAreSortedAndUnique) {
  TypeRef const set = SetOf(SimpleType(TypeKind::kInt));
  EXPECT_EQ(ToHex(BuildSet(*set, {FromHex("00000001"), FromHex("ffffffff"), FromHex("00000001")})),
            "00000002"
            "00000004ffffffff"
            "0000000400000001");
  TypeRef const map = MapOf(SimpleType(TypeKind::kText), SimpleType(TypeKind::kText));
  EXPECT_EQ(ToHex(BuildMap(*map, {{"b", "1"}, {"a", "2"}, {"b", "3"}})),
            "00000002"
            "0000000161"
            "0000000132"
            "0000000162"
            "0000000133");
}

TEST(ValueTextTest, ControlCharactersAreEscaped) {
  std::string const hex = "08 09 0a 0c 0d 01 7f 41";
  EXPECT_EQ(Json("UTF8Type", hex.c_str()),
            "\"\\b\\t\\n\\f\\r\\u0001\x7f"
            "A\"");
  std::string shown;
  ASSERT_TRUE(AppendCqlshText(*SimpleType(TypeKind::kText), AsBytes(FromHex(hex)), shown).ok());
  EXPECT_EQ(shown, "\\x08\\t\\n\\x0c\\r\\x01\\x7fA");
}

TEST(ValueTextTest, VectorsAreBuiltOfWhatFits) {
  TypeRef const floats = VectorOf(SimpleType(TypeKind::kFloat), 2);
  TypeRef const texts = VectorOf(SimpleType(TypeKind::kText), 2);
  Result<std::string> const built = BuildVector(*texts, {"a", "bc"});
  ASSERT_TRUE(built.ok());
  EXPECT_EQ(ToHex(*built), "0161026263");
  EXPECT_EQ(BuildVector(*floats, {"abcd"}).status().message(),
            "a value of type vector<float, 2> with 1 elements, expected 2");
  EXPECT_EQ(BuildVector(*floats, {"abcd", "abc"}).status().message(),
            "an element of 3 bytes in a vector<float, 2>, expected 4");
}

TEST(BigDecimalTest, ExtremesOfScale) {
  auto const decimal = [](std::string_view text) { return *ParseBigDecimal(text); };
  EXPECT_EQ(BigDecimalText(decimal("1.25e20")), "1.25E+20");
  EXPECT_EQ(BigDecimalText(decimal("-1e-7")), "-1E-7");
  EXPECT_EQ(BigDecimalText(*AddBigDecimals(decimal("1.5"), decimal("-2.25"))), "-0.75");
  EXPECT_EQ(AddBigDecimals(decimal("1e2147483647"), decimal("1e-2147483647")).status().code(),
            StatusCode::kOutOfRange);
  EXPECT_EQ(ParseBigDecimal("1e-2147483648").status().code(), StatusCode::kOutOfRange);
}

TEST(CivilTimeTest, InstantsAreJavas) {
  EXPECT_EQ(InstantTextOfMicros(INT64_MIN),
            InstantTextOfMicros(INT64_MIN + 1));  // as Java: clamped
  EXPECT_EQ(InstantTextOfSeconds(INT64_MAX), "+292277026596-12-04T15:30:07.854775807Z");
  EXPECT_EQ(InstantTextOfMicros(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(InstantTextOfMicros(1'700'000'000'123'456), "2023-11-14T22:13:20.123456Z");
  EXPECT_EQ(InstantTextOfMicros(1'700'000'000'120'000), "2023-11-14T22:13:20.120Z");
  // Java rounds the seconds towards zero but not the rest.
  EXPECT_EQ(InstantTextOfMicros(-1'500'000), "1969-12-31T23:59:59.500Z");
  EXPECT_EQ(InstantTextOfSeconds(1'700'000'000), "2023-11-14T22:13:20Z");
  EXPECT_EQ(InstantTextOfSeconds(4'294'967'295), "2106-02-07T06:28:15Z");
}

TEST(CivilTimeTest, DaysAndDatesAreInverse) {
  for (int64_t days = -2'147'483'648; days <= 2'147'483'647; days += 1'234'567) {
    CivilDate const date = CivilFromDays(days);
    ASSERT_TRUE(IsDate(date)) << days;
    ASSERT_EQ(DaysFromCivil(date), days);
  }
  EXPECT_TRUE(IsDate({.year = 2000, .month = 2, .day = 29}));
  EXPECT_FALSE(IsDate({.year = 1900, .month = 2, .day = 29}));
  EXPECT_FALSE(IsDate({.year = 2024, .month = 0, .day = 1}));
  EXPECT_FALSE(IsDate({.year = 2024, .month = 4, .day = 31}));
}

}  // namespace
}  // namespace orochi::sstable
