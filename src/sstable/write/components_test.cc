// Goal: the parts of an SSTable that other tests see only as a whole keep their own promises.
// Method: tries are walked by a decoder written here from the description of the format; sketches,
// histograms and chunks are checked against exact counts and a second way of reading them.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "io/testing/memory_file_system.h"
#include "sstable/format/big_endian.h"
#include "sstable/format/crc32.h"
#include "sstable/read/data_file.h"
#include "sstable/write/bloom_builder.h"
#include "sstable/write/cardinality_sketch.h"
#include "sstable/write/data_file_writer.h"
#include "sstable/write/statistics_collector.h"
#include "sstable/write/trie_writer.h"

namespace orochi::sstable {
namespace {

using Trie = std::map<std::string, std::string>;  // key, payload bits and bytes

// Collects what hangs below the node at `position`.
class TrieWalker {
 public:
  explicit TrieWalker(std::vector<std::byte> file) : file_(std::move(file)) {}

  // Without recursion: keys of thousands of bytes make tries as deep.
  Trie Walk(uint64_t root) {
    left_.emplace_back(root, "");
    while (!left_.empty() && !::testing::Test::HasFatalFailure()) {
      auto const [position, key] = std::move(left_.back());
      left_.pop_back();
      Visit(position, key);
    }
    return std::move(found_);
  }
  size_t node_count() const { return seen_.size(); }

 private:
  uint64_t Number(uint64_t at, size_t size_bytes) const {
    uint64_t value = 0;
    for (size_t index = 0; index < size_bytes; ++index) {
      value = value << 8 | std::to_integer<uint64_t>(file_[at + index]);
    }
    return value;
  }
  uint64_t Packed12(uint64_t at, size_t index) const {
    uint64_t const pair = Number(at + index * 3 / 2, 2);
    return index % 2 == 0 ? pair >> 4 : pair & 0xFFF;
  }

  void Visit(uint64_t position, const std::string& key) {
    ASSERT_TRUE(seen_.insert(position).second) << "a node has two parents";
    constexpr std::array<size_t, 16> kWidths = {0, 0, 1, 0, 2, 1, 0, 2, 3, 5, 0, 2, 3, 4, 5, 8};
    auto const type = static_cast<size_t>(Number(position, 1) >> 4);
    uint64_t bits = Number(position, 1) & 15;
    std::vector<std::pair<uint8_t, uint64_t>> children;  // transition, distance
    uint64_t end = position + 1;
    if (type == 1) {
      children = {{Number(position + 1, 1), bits}};
      bits = 0;
      end = position + 2;
    } else if (type == 3) {
      children = {{Number(position + 2, 1), Number(position, 2) & 0xFFF}};
      bits = 0;
      end = position + 3;
    } else if (type == 2 || type == 4) {
      children = {{Number(position + 1, 1), Number(position + 2, kWidths[type])}};
      end = position + 2 + kWidths[type];
    } else if (type >= 5 && type <= 9) {
      uint64_t const count = Number(position + 1, 1);
      uint64_t const pointers = position + 2 + count;
      for (uint64_t index = 0; index < count; ++index) {
        uint64_t const distance = type == 6
                                      ? Packed12(pointers, index)
                                      : Number(pointers + index * kWidths[type], kWidths[type]);
        children.emplace_back(Number(position + 2 + index, 1), distance);
      }
      end = pointers + (type == 6 ? (3 * count + 1) / 2 : count * kWidths[type]);
    } else if (type >= 10) {
      uint64_t const first = Number(position + 1, 1);
      uint64_t const count = Number(position + 2, 1) + 1;
      for (uint64_t index = 0; index < count; ++index) {
        uint64_t const distance = type == 10
                                      ? Packed12(position + 3, index)
                                      : Number(position + 3 + index * kWidths[type], kWidths[type]);
        if (distance != 0) {
          children.emplace_back(first + index, distance);
        }
      }
      end = position + 3 + (type == 10 ? (3 * count + 1) / 2 : count * kWidths[type]);
    }
    if (bits != 0) {
      ASSERT_LE(end + bits, file_.size());
      found_[key] = StrCat(bits, ":", AsText(Bytes(file_.data() + end, bits)));
      end += bits;
    }
    ASSERT_EQ(position / TrieWriter::kPageSizeBytes, (end - 1) / TrieWriter::kPageSizeBytes)
        << "the node at " << position << " crosses a page";
    for (auto const& [transition, distance] : children) {
      ASSERT_LE(distance, position);
      left_.emplace_back(position - distance, key + static_cast<char>(transition));
    }
  }

  std::vector<std::byte> file_;
  Trie found_;
  std::set<uint64_t> seen_;
  std::vector<std::pair<uint64_t, std::string>> left_;  // position, the key up to there
};

// In these tests the payload bits say how many bytes there are.
TriePayload Payload(Random& random, std::string& text) {
  TriePayload payload;
  payload.bits = static_cast<uint8_t>(1 + random.Below(15));
  for (int index = 0; index < payload.bits; ++index) {
    payload.Append(static_cast<std::byte>(random.Next()));
  }
  text = StrCat(int{payload.bits}, ":", AsText(Bytes(payload.bytes.data(), payload.bits)));
  return payload;
}

void CheckTrie(Random& random, const std::set<std::string>& keys, uint64_t skipped_bytes) {
  io::testing::MemoryFileSystem files;
  auto handle = files.Create("trie");
  ASSERT_TRUE(handle.ok());
  BufferedFile file(*std::move(handle));
  ASSERT_TRUE(file.Append(std::vector<std::byte>(skipped_bytes)).ok());
  TrieWriter writer(file);
  Trie expected;
  for (const std::string& key : keys) {
    Status const status = writer.Add(AsBytes(key), Payload(random, expected[key]));
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  EXPECT_EQ(writer.key_count(), keys.size());
  Result<uint64_t> const root = writer.Complete();
  ASSERT_TRUE(root.ok()) << root.status().ToString();
  ASSERT_TRUE(file.Finish().ok());
  Result<std::vector<std::byte>> const bytes = ReadWholeFile(files, "trie", 1 << 28);
  ASSERT_TRUE(bytes.ok());
  TrieWalker walker(*bytes);
  ASSERT_TRUE(walker.Walk(*root) == expected);
}

TEST(TrieWriterTest, EveryKeyIsFoundAndNoNodeCrossesAPage) {
  SeededRandom random(::orochi::testing::TestSeed(11));
  for (int round = 0; round < 60; ++round) {
    std::set<std::string> keys;
    uint64_t const count = 1 + random.Below(round % 10 == 0 ? 6000 : 300);
    uint64_t const letters = std::array<uint64_t, 4>{2, 16, 200, 256}[round % 4];
    while (keys.size() < count && (letters > 2 || keys.size() < 200)) {
      std::string key;
      for (uint64_t left = random.Below(letters == 2 ? 40 : 8); left > 0; --left) {
        key.push_back(static_cast<char>(random.Below(letters)));
      }
      keys.insert(key);
    }
    CheckTrie(random, keys, random.Below(9000));
  }
}

TEST(TrieWriterTest, KeysOfThousandsOfBytesAreAsGoodAsAny) {
  SeededRandom random(::orochi::testing::TestSeed(12));
  std::string const prefix(5000, 'p');
  CheckTrie(random, {prefix + "a", prefix + "b", std::string(5000, 'q')}, 100);
}

TEST(TrieWriterTest, ManyTriesFollowEachOtherInOneFile) {
  io::testing::MemoryFileSystem files;
  auto handle = files.Create("tries");
  ASSERT_TRUE(handle.ok());
  BufferedFile file(*std::move(handle));
  TrieWriter writer(file);
  SeededRandom random(::orochi::testing::TestSeed(13));
  std::vector<std::pair<uint64_t, Trie>> tries;
  for (int index = 0; index < 40; ++index) {
    std::string ignored;
    ASSERT_TRUE(writer.Add(AsBytes("abandoned"), Payload(random, ignored)).ok());
    writer.Reset();
    Trie trie;
    for (int key = 0; key <= index * 5; ++key) {
      std::string const name = StrCat(1000 + key);
      ASSERT_TRUE(writer.Add(AsBytes(name), Payload(random, trie[name])).ok());
    }
    Result<uint64_t> const root = writer.Complete();
    ASSERT_TRUE(root.ok());
    tries.emplace_back(*root, std::move(trie));
  }
  ASSERT_TRUE(file.Finish().ok());
  Result<std::vector<std::byte>> const bytes = ReadWholeFile(files, "tries", 1 << 28);
  ASSERT_TRUE(bytes.ok());
  for (auto const& [root, trie] : tries) {
    ASSERT_TRUE(TrieWalker(*bytes).Walk(root) == trie);
  }
}

TEST(TrieWriterTest, KeysThatDoNotAscendAreRefused) {
  io::testing::MemoryFileSystem files;
  auto handle = files.Create("trie");
  ASSERT_TRUE(handle.ok());
  BufferedFile file(*std::move(handle));
  SeededRandom random(1);
  std::string ignored;
  for (const char* const second : {"b", "a", "bb", ""}) {
    TrieWriter writer(file);
    ASSERT_TRUE(writer.Add(AsBytes("bb"), Payload(random, ignored)).ok());
    EXPECT_EQ(writer.Add(AsBytes(second), Payload(random, ignored)).code(),
              StatusCode::kInvalidArgument)
        << second;
  }
}

// The registers of a sketch, read back, and the estimate of plain HyperLogLog from them.
double Estimate(const std::vector<std::byte>& encoded) {
  constexpr size_t kHeadSizeBytes = 4 + 4 + 3 + 2;
  EXPECT_EQ(encoded.size(), kHeadSizeBytes + 5464);
  EXPECT_EQ(LoadBigEndian<uint32_t>(encoded.data()), encoded.size() - 4);
  double sum = 0;
  int zeros = 0;
  for (size_t index = 0; index < 8192; ++index) {
    uint32_t const word = LoadBigEndian<uint32_t>(encoded.data() + kHeadSizeBytes + index / 6 * 4);
    uint32_t const rank = word >> (5 * (index % 6)) & 31;
    sum += std::pow(2.0, -static_cast<double>(rank));
    zeros += rank == 0;
  }
  double const raw = 0.7213 / (1 + 1.079 / 8192) * 8192 * 8192 / sum;
  return zeros > 0 && raw < 2.5 * 8192 ? 8192 * std::log(8192.0 / zeros) : raw;
}

TEST(CardinalitySketchTest, TellsTheNumberOfDifferentKeys) {
  for (uint32_t const count : {1u, 100u, 5000u, 100000u}) {
    CardinalitySketch sketch;
    for (int again = 0; again < 2; ++again) {
      for (uint32_t key = 0; key < count; ++key) {
        sketch.Add(AsBytes(StrCat("key ", key)));
      }
    }
    EXPECT_NEAR(Estimate(sketch.Encode()), count, 1 + count * 0.04) << count;
  }
}

TEST(BloomBuilderTest, KeysThatWereSpilledAreInTheFilterToo) {
  io::testing::MemoryFileSystem files;
  BloomBuilder builder(files, "spill");
  auto const hash_of = [](uint64_t key) { return Murmur3(AsBytes(StrCat("key ", key))); };
  uint64_t const count = 2 * BloomBuilder::kHashesMax + 777;
  for (uint64_t key = 0; key < count; ++key) {
    ASSERT_TRUE(builder.Add(hash_of(key)).ok());
  }
  Result<BloomFilter> const filter = builder.Build(0.01);
  ASSERT_TRUE(filter.ok());
  for (uint64_t key = 0; key < count; ++key) {
    ASSERT_TRUE(filter->MayContain(hash_of(key)));
  }
  uint64_t wrong = 0;
  for (uint64_t key = count; key < 2 * count; ++key) {
    wrong += filter->MayContain(hash_of(key)) ? 1 : 0;
  }
  EXPECT_LT(static_cast<double>(wrong) / static_cast<double>(count), 0.012);
  Result<bool> const left = files.Exists("spill");
  EXPECT_TRUE(left.ok() && !*left);
}

TEST(DataFileWriterTest, StoresChunksThatDoNotShrinkAsTheyAre) {
  io::testing::MemoryFileSystem files;
  auto handle = files.Create("data");
  ASSERT_TRUE(handle.ok());
  CompressionOptions const options = {.chunk_size_bytes = 1024, .compressed_size_bytes_max = 600};
  DataFileWriter writer(*std::move(handle), options);
  SeededRandom random(3);
  std::vector<std::byte> noise(1024);
  for (std::byte& byte : noise) {
    byte = static_cast<std::byte>(random.Next());
  }
  ASSERT_TRUE(writer.Append(noise).ok());
  ASSERT_TRUE(writer.Append(std::vector<std::byte>(1024)).ok());
  ASSERT_TRUE(writer.Append(std::span(noise).first(700)).ok());
  ASSERT_TRUE(writer.Finish().ok());
  const CompressionInfo& info = writer.compression_info();
  ASSERT_EQ(info.chunk_count(), 3u);
  EXPECT_EQ(info.data_size_bytes, 2748u);
  EXPECT_EQ(info.chunk_offsets[1] - info.chunk_offsets[0], 1024u + 4);
  EXPECT_LT(info.chunk_offsets[2] - info.chunk_offsets[1], 100u);
  EXPECT_EQ(writer.stored_size_bytes() - info.chunk_offsets[2], 700u + 4);
  Result<std::vector<std::byte>> const stored = ReadWholeFile(files, "data", 1 << 20);
  ASSERT_TRUE(stored.ok());
  EXPECT_EQ(writer.digest(), Crc32(*stored));
  EXPECT_EQ(LoadBigEndian<uint32_t>(stored->data() + 1024), Crc32(noise));
  EXPECT_TRUE(std::equal(noise.begin(), noise.end(), stored->begin()));
}

// Takes some bytes and no more.
class FullFile final : public io::WritableFile {
 public:
  explicit FullFile(uint64_t size_bytes_max) : left_bytes_(size_bytes_max) {}
  Status Append(std::span<const std::byte> bytes) override {
    if (bytes.size() > left_bytes_) {
      return Status::ResourceExhausted("no space left");
    }
    left_bytes_ -= bytes.size();
    return Status::Ok();
  }
  Status Sync() override { return Status::Ok(); }
  Status Close() override { return Status::Ok(); }

 private:
  uint64_t left_bytes_;
};

TEST(DataFileWriterTest, AThreadWritesTheSameBytes) {
  SeededRandom random(::orochi::testing::TestSeed(17));
  std::vector<std::byte> data(300'000);
  for (std::byte& byte : data) {
    byte = static_cast<std::byte>(random.Below(20));
  }
  CompressionOptions const lz4 = {.chunk_size_bytes = 1024, .compressed_size_bytes_max = 600};
  for (std::optional<CompressionOptions> const& compression :
       {std::optional(lz4), std::optional<CompressionOptions>()}) {
    std::array<std::vector<std::byte>, 2> written;
    std::array<uint32_t, 2> digests;
    std::array<std::vector<uint64_t>, 2> offsets;
    std::array<std::vector<std::byte>, 2> crcs;
    for (size_t threaded = 0; threaded < 2; ++threaded) {
      io::testing::MemoryFileSystem files;
      auto handle = files.Create("data");
      ASSERT_TRUE(handle.ok());
      DataFileWriter writer(*std::move(handle), compression, threaded == 1);
      for (size_t at = 0; at < data.size();) {
        size_t const take = std::min<size_t>(data.size() - at, 1 + random.Below(3000));
        ASSERT_TRUE(writer.Append(std::span(data).subspan(at, take)).ok());
        at += take;
      }
      ASSERT_TRUE(writer.Finish().ok());
      written[threaded] = *ReadWholeFile(files, "data", 1 << 20);
      digests[threaded] = writer.digest();
      offsets[threaded] = writer.compression_info().chunk_offsets;
      crcs[threaded] = writer.crc_component();
    }
    EXPECT_TRUE(written[0] == written[1]);
    EXPECT_EQ(digests[0], digests[1]);
    EXPECT_EQ(offsets[0], offsets[1]);
    EXPECT_TRUE(crcs[0] == crcs[1]);
  }
}

TEST(DataFileWriterTest, AnErrorOfTheThreadEndsTheWriting) {
  SeededRandom random(::orochi::testing::TestSeed(18));
  std::vector<std::byte> noise(1 << 16);
  for (std::byte& byte : noise) {
    byte = static_cast<std::byte>(random.Next());
  }
  DataFileWriter writer(std::make_unique<FullFile>(1 << 20), CompressionOptions(), true);
  int appended = 0;
  while (writer.Append(noise).ok()) {
    ASSERT_LT(++appended, 1000);
  }
  EXPECT_EQ(writer.Finish().code(), StatusCode::kResourceExhausted);
  // The last chunks alone do not fit.
  DataFileWriter last(std::make_unique<FullFile>(1000), CompressionOptions(), true);
  ASSERT_TRUE(last.Append(noise).ok());
  EXPECT_EQ(last.Finish().code(), StatusCode::kResourceExhausted);
}

TEST(DataFileWriterTest, AThreadEndsWithAWriterThatIsGivenUp) {
  for (int chunks = 0; chunks < 20; ++chunks) {
    DataFileWriter writer(std::make_unique<FullFile>(UINT64_MAX), CompressionOptions(), true);
    ASSERT_TRUE(writer.Append(std::vector<std::byte>(static_cast<size_t>(chunks) * 16384)).ok());
  }
}

TEST(DataFileWriterTest, PadsAShortLastChunkThatIsStoredAsItIs) {
  io::testing::MemoryFileSystem files;
  auto handle = files.Create("data");
  ASSERT_TRUE(handle.ok());
  CompressionOptions const options = {.chunk_size_bytes = 1024, .compressed_size_bytes_max = 50};
  DataFileWriter writer(*std::move(handle), options);
  std::string const text = "0123456789qwertzuiopasdfghjklyxcvbnmQWERTZUIOP";  // 46 bytes
  ASSERT_TRUE(writer.Append(AsBytes(text)).ok());
  ASSERT_TRUE(writer.Finish().ok());
  // Compressed it would have more bytes than that; a raw chunk has at least the largest length.
  EXPECT_EQ(writer.stored_size_bytes(), 50u + 4);
  EXPECT_EQ(writer.compression_info().data_size_bytes, text.size());
}

TEST(StatisticsCollectorTest, DropTimesAreRoundedAndJoinedAndNoneIsLost) {
  Layout layout;
  layout.key_type = SimpleType(TypeKind::kText);
  layout.regulars = {Column::Of("v", SimpleType(TypeKind::kText))};
  StatisticsCollector collector(layout);
  collector.StartPartition(AsBytes("k"), {});
  SeededRandom random(::orochi::testing::TestSeed(5));
  int64_t latest = 0;
  for (int row = 0; row < 20000; ++row) {
    CellView cell;
    cell.timestamp = 5;
    cell.local_deletion_time = static_cast<uint32_t>(1'700'000'000 + random.Below(500'000));
    latest = std::max<int64_t>(latest, cell.local_deletion_time);
    Unfiltered unfiltered;
    unfiltered.cells = {&cell, 1};
    collector.Add(unfiltered);
  }
  collector.FinishPartition(100);
  StatsMetadata stats;
  collector.Collect(stats);
  auto const& bins = stats.tombstone_drop_times.bins;
  EXPECT_LE(bins.size(), 100u);
  int64_t const total =
      std::accumulate(bins.begin(), bins.end(), int64_t{0},
                      [](int64_t sum, auto const& bin) { return sum + bin.count; });
  EXPECT_EQ(total, 20000);
  EXPECT_TRUE(std::is_sorted(bins.begin(), bins.end(), [](auto const& a, auto const& b) {
    return a.deletion_time_s < b.deletion_time_s;
  }));
  EXPECT_GE(bins.back().deletion_time_s, latest);
  EXPECT_EQ(bins.back().deletion_time_s % 60, 0);
  EXPECT_EQ(stats.row_count, 20000);
  EXPECT_EQ(stats.local_deletion_time_max, latest);
}

}  // namespace
}  // namespace orochi::sstable
