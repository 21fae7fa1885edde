// Goal: tokens and the order of partitions are Cassandra's.
// Method: tokens published with Cassandra's drivers, tokens that Cassandra printed, and the key
// order of a file that Cassandra wrote (10,000 int keys), where it is at hand.
#include "sstable/types/decorated_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "sstable/types/cassandra_vint.h"
#include "sstable/types/testing/hex.h"

namespace orochi::sstable {
namespace {

using testing::FromHex;

int64_t Murmur3Token(std::string_view key) {
  return TokenOf(Partitioner::kMurmur3, AsBytes(key)).murmur3();
}

TEST(DecoratedKeyTest, Murmur3TokensAreThoseOfTheDrivers) {
  EXPECT_EQ(Murmur3Token("123"), -7468325962851647638);
  EXPECT_EQ(Murmur3Token(FromHex("00ff10fa99 00ff10fa99 00ff10fa99 00ff10fa99 00ff10fa99"
                                 "00ff10fa99 00ff10fa99 00ff10fa99 00ff10fa99 00ff10fa99")),
            5837342703291459765);
  EXPECT_EQ(Murmur3Token(FromHex("fefefefefefefefe")), -8927430733708461935);
  EXPECT_EQ(Murmur3Token(FromHex("1010101010101010")), 1446172840243228796);
  EXPECT_EQ(Murmur3Token("9223372036854775807"), 7162290910810015547);
  EXPECT_EQ(Murmur3Token(""), std::numeric_limits<int64_t>::min());
}

// Of org.apache.cassandra.dht.RandomPartitioner and ByteOrderedPartitioner, 5.0.6, getToken(key),
// and the order in which a node with each of them wrote the keys.
TEST(DecoratedKeyTest, TokensOfOtherPartitionersAreCassandras) {
  struct Expected {
    std::string key;
    const char* token;
  };
  Expected const by_hash[] = {
      {"", "-1"},
      {"test", "12707736894140473154801792860916528374"},
      {"a", "16955237001963240173058271559858726497"},
      {"ab", "32560655549305688865853317129809488800"},
      {"zz", "50412573928388321756759567765039684750"},
      {"0", "64067091395865220333931589265234893606"},
      {"~", "101634649290240658234687608178532259879"},
      {std::string(300, 'k'), "120180341794137191422602691128493557469"},
      {"\u00e9", "136732923097551493579404309126273812335"},
      {std::string(1, '\0'), "143927757573010354572009627285182898319"},
      {"b", "144992942750327304334463589818972416113"},
  };
  TypeRef const text = SimpleType(TypeKind::kText);
  const Expected* previous = nullptr;
  for (const Expected& expected : by_hash) {
    Bytes const key = AsBytes(expected.key);
    EXPECT_EQ(TokenText(Partitioner::kRandom, key), expected.token) << expected.key;
    if (previous != nullptr) {
      Bytes const before = AsBytes(previous->key);
      EXPECT_LT(CompareKeys(Partitioner::kRandom, *text, TokenOf(Partitioner::kRandom, before),
                            before, TokenOf(Partitioner::kRandom, key), key),
                0)
          << expected.key;
    }
    previous = &expected;
  }
  EXPECT_EQ(TokenText(Partitioner::kByteOrdered, AsBytes("a\x01")), "6101");
  EXPECT_EQ(TokenText(Partitioner::kByteOrdered, AsBytes("\u00e9")), "c3a9");
  EXPECT_EQ(TokenText(Partitioner::kMurmur3, AsBytes("123")), "-7468325962851647638");
}

TEST(DecoratedKeyTest, PartitionersAreKnownByClass) {
  for (Partitioner const partitioner : {Partitioner::kMurmur3, Partitioner::kRandom,
                                        Partitioner::kByteOrdered, Partitioner::kLocal}) {
    Result<Partitioner> const parsed = ParsePartitioner(PartitionerClass(partitioner));
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(*parsed, partitioner);
  }
  EXPECT_TRUE(ParsePartitioner("Murmur3Partitioner").ok());
  Result<Partitioner> const unknown = ParsePartitioner("OrderPreservingPartitioner");
  EXPECT_EQ(unknown.status().code(), StatusCode::kUnsupported);
}

TEST(DecoratedKeyTest, OrderIsByTokenThenByKey) {
  TypeRef const text = SimpleType(TypeKind::kText);
  auto const compare = [&](Partitioner partitioner, std::string_view a, std::string_view b) {
    return CompareKeys(partitioner, *text, TokenOf(partitioner, AsBytes(a)), AsBytes(a),
                       TokenOf(partitioner, AsBytes(b)), AsBytes(b));
  };
  EXPECT_GT(compare(Partitioner::kMurmur3, "9223372036854775807", "123"), 0);
  EXPECT_LT(compare(Partitioner::kByteOrdered, "123", "9223372036854775807"), 0);
  EXPECT_EQ(compare(Partitioner::kRandom, "123", "123"), 0);
  // -1 before 5, by the key's type; not so by its bytes.
  TypeRef const number = SimpleType(TypeKind::kInt);
  std::string const minus_one = FromHex("ffffffff");
  std::string const five = FromHex("00000005");
  auto const compare_numbers = [&](Partitioner partitioner) {
    return CompareKeys(partitioner, *number, TokenOf(partitioner, AsBytes(minus_one)),
                       AsBytes(minus_one), TokenOf(partitioner, AsBytes(five)), AsBytes(five));
  };
  EXPECT_LT(compare_numbers(Partitioner::kLocal), 0);
  EXPECT_GT(compare_numbers(Partitioner::kByteOrdered), 0);
}

TEST(DecoratedKeyTest, KeysOfSeveralColumnsAreComposites) {
  Result<std::string> const one = MakePartitionKey({"abc"});
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(*one, "abc");
  Result<std::string> const two = MakePartitionKey({"abc", ""});
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(*two, FromHex("0003 616263 00 0000 00"));
  Result<std::vector<Bytes>> const parts = SplitPartitionKey(AsBytes(*two), 2);
  ASSERT_TRUE(parts.ok());
  EXPECT_EQ(AsText((*parts)[0]), "abc");
  EXPECT_TRUE((*parts)[1].empty());
  EXPECT_EQ(MakePartitionKey({std::string(65536, 'x')}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(MakePartitionKey({std::string(40000, 'x'), std::string(40000, 'x')}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(DecoratedKeyTest, KeysThatAreNoCompositesAreRefused) {
  for (std::string_view const hex :
       {"", "00", "0003 6162", "0001 61", "0001 61 00", "0001 61 00 0001 62 00 00"}) {
    EXPECT_EQ(SplitPartitionKey(AsBytes(FromHex(hex)), 2).status().code(), StatusCode::kCorruption)
        << hex;
  }
}

std::filesystem::path SharedData() {
  const char* const from_environment = std::getenv("OROCHI_SHARED_DATA");
  return from_environment != nullptr
             ? std::filesystem::path(from_environment)
             : std::filesystem::path(OROCHI_TESTDATA_DIR) / "../../../../../shared/data";
}

TEST(DecoratedKeyTest, TheKeysOfARealFileAscend) {
  std::filesystem::path const directory =
      SharedData() / "sstables/sstable-transformer/oa-13_int_pk_only_10000";
  if (!std::filesystem::is_directory(directory)) {
    GTEST_SKIP() << "no real files at " << directory << "; OROCHI_SHARED_DATA names their folder";
  }
  std::string bytes;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    if (entry.path().filename().string().ends_with("-Index.db")) {
      std::ifstream file(entry.path(), std::ios::binary);
      bytes.assign(std::istreambuf_iterator<char>(file), {});
    }
  }
  const std::byte* at = AsBytes(bytes).data();
  const std::byte* const end = at + bytes.size();
  int count = 0;
  std::optional<Token> previous;
  while (at < end) {
    Bytes const key(at + 2, 4);
    at += 6;
    uint64_t ignored = 0;
    at = ReadVint(at, end, ignored);
    at = ReadVint(at, end, ignored);
    ASSERT_NE(at, nullptr);
    Token const token = TokenOf(Partitioner::kMurmur3, key);
    ASSERT_TRUE(!previous.has_value() || *previous < token) << "key " << count;
    previous = token;
    ++count;
  }
  EXPECT_EQ(count, 10000);
}

}  // namespace
}  // namespace orochi::sstable
