// Goal: the small formats hold what they say, at their edges too.
// Method: known bytes, round trips, and values on either side of every limit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/testing/memory_file_system.h"
#include "sstable/format/big_endian.h"
#include "sstable/format/bloom_filter.h"
#include "sstable/format/clustering.h"
#include "sstable/format/compression_info.h"
#include "sstable/format/compressor.h"
#include "sstable/format/crc32.h"
#include "sstable/format/descriptor.h"
#include "sstable/format/statistics.h"
#include "sstable/format/summary.h"

namespace orochi::sstable {
namespace {

using ::testing::HasSubstr;

std::vector<std::byte> BytesOf(std::initializer_list<int> values) {
  std::vector<std::byte> bytes;
  for (int const value : values) {
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

TEST(DescriptorTest, NamesGoBothWays) {
  for (const char* const name : {"nb-1-big-Data.db", "oa-123456-big-CompressionInfo.db",
                                 "da-3gqb_0kb4_2eh0g2n7vy8j5r6i0h-bti-Partitions.db"}) {
    Result<Descriptor> const descriptor = Descriptor::Parse(name);
    ASSERT_TRUE(descriptor.ok()) << descriptor.status().ToString();
    EXPECT_THAT(name, HasSubstr(descriptor->Stem() + "-"));
  }
  Result<Descriptor> const data = Descriptor::Parse("nb-7-big-TOC.txt");
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(data->FileName(Component::kData), "nb-7-big-Data.db");
}

TEST(DescriptorTest, OtherNamesAreRefusedByName) {
  for (const char* const name :
       {"", "nb", "nb-1", "nb-1-big", "nb-1-big-", "nbx-1-big-Data.db", "nb-x-big-Data.db",
        "nb-1-bog-Data.db", "da-3gqb_0kb4_2eh0g2n7vy8j5r6i0-bti-Data.db"}) {
    EXPECT_EQ(Descriptor::Parse(name).status().code(), StatusCode::kInvalidArgument) << name;
  }
  for (const char* const name :
       {"la-1-big-Data.db", "ob-1-big-Data.db", "da-1-big-Data.db", "nb-1-bti-Data.db"}) {
    Status const status = Descriptor::Parse(name).status();
    EXPECT_EQ(status.code(), StatusCode::kUnsupported) << name;
    EXPECT_THAT(status.message(), HasSubstr(std::string(name).substr(0, 2)));
  }
}

TEST(DescriptorTest, ListingOrdersByGenerationAndNeedsAToc) {
  io::testing::MemoryFileSystem files;
  ASSERT_TRUE(files.CreateDirectories("t").ok());
  for (const char* const name :
       {"nb-10-big-Data.db", "nb-10-big-TOC.txt", "nb-9-big-Data.db", "nb-9-big-TOC.txt",
        "oa-11-big-Data.db", "notes.txt", "backup-Data.db", "nb-12-big-TOC.txt"}) {
    Result<std::unique_ptr<io::WritableFile>> file = files.Create(std::string("t/") + name);
    ASSERT_TRUE(file.ok() && (*file)->Close().ok());
  }
  Result<std::vector<Descriptor>> const found = ListSstables(files, "t");
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  ASSERT_EQ(found->size(), 2U);
  EXPECT_EQ((*found)[0].id, "9");
  EXPECT_EQ((*found)[1].id, "10");
  Result<std::unique_ptr<io::WritableFile>> file = files.Create("t/zz-1-big-Data.db");
  ASSERT_TRUE(file.ok() && (*file)->Close().ok());
  EXPECT_EQ(ListSstables(files, "t").status().code(), StatusCode::kUnsupported);
}

TEST(VersionTest, GatesAreThoseOfEachVersion) {
  auto const parse = [](const char* letters) {
    return *Version::Parse(letters, IndexFormat::kBig);
  };
  EXPECT_FALSE(parse("ma").has_commit_log_lower_bound());
  EXPECT_TRUE(parse("mb").has_commit_log_lower_bound());
  EXPECT_FALSE(parse("mb").has_commit_log_intervals());
  EXPECT_TRUE(parse("mc").has_commit_log_intervals());
  EXPECT_FALSE(parse("md").has_originating_host_id());
  EXPECT_TRUE(parse("me").has_originating_host_id());
  EXPECT_FALSE(parse("na").has_originating_host_id());
  EXPECT_TRUE(parse("nb").has_originating_host_id());
  EXPECT_FALSE(parse("me").has_metadata_checksums());
  EXPECT_TRUE(parse("na").has_metadata_checksums());
  EXPECT_TRUE(parse("me").has_big_endian_bloom_words());
  EXPECT_FALSE(parse("na").has_big_endian_bloom_words());
  EXPECT_FALSE(parse("nc").has_unsigned_deletion_times());
  EXPECT_TRUE(parse("oa").has_unsigned_deletion_times());
  EXPECT_TRUE(Version::Da().has_covered_slice());
  EXPECT_FALSE(Version::Da().has_legacy_min_max_clustering());
}

TEST(Crc32Test, IsZlibs) {
  std::vector<std::byte> const text = BytesOf({'1', '2', '3', '4', '5', '6', '7', '8', '9'});
  EXPECT_EQ(Crc32(text), 0xCBF43926U);
  EXPECT_EQ(Crc32({}), 0U);
  EXPECT_EQ(Crc32(std::span(text).subspan(4), Crc32(std::span(text).first(4))), 0xCBF43926U);
}

CompressionInfo SmallInfo() {
  CompressionInfo info;
  info.compressor = "LZ4Compressor";
  info.options = {{"chunk_length_in_kb", "16"}};
  info.chunk_size_bytes = 16384;
  info.data_size_bytes = 40000;
  info.chunk_offsets = {0, 9000, 17000};
  return info;
}

TEST(CompressionInfoTest, RoundTripsAndChecksItsNumbers) {
  for (Version const version : {*Version::Parse("me", IndexFormat::kBig), Version::Oa()}) {
    CompressionInfo info = SmallInfo();
    Result<CompressionInfo> const found = CompressionInfo::Decode(info.Encode(version), version);
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_EQ(found->chunk_offsets, info.chunk_offsets);
    EXPECT_EQ(found->UncompressedSizeBytes(0), 16384U);
    EXPECT_EQ(found->UncompressedSizeBytes(2), 40000U - 2 * 16384U);
    info.chunk_offsets.push_back(20000);  // an empty chunk at the end is what Cassandra may write
    Result<CompressionInfo> const longer = CompressionInfo::Decode(info.Encode(version), version);
    ASSERT_TRUE(longer.ok()) << longer.status().ToString();
    EXPECT_EQ(longer->UncompressedSizeBytes(3), 0U);
  }
  auto const refuses = [](auto change) {
    CompressionInfo info = SmallInfo();
    change(info);
    return CompressionInfo::Decode(info.Encode(Version::Oa()), Version::Oa()).status().code() ==
           StatusCode::kCorruption;
  };
  EXPECT_TRUE(refuses([](CompressionInfo& info) { info.chunk_size_bytes = 16000; }));
  EXPECT_TRUE(refuses([](CompressionInfo& info) { info.chunk_size_bytes = 0; }));
  EXPECT_TRUE(refuses([](CompressionInfo& info) { info.chunk_size_bytes = 1u << 29; }));
  EXPECT_TRUE(refuses([](CompressionInfo& info) { info.compressed_size_bytes_max = -1; }));
  EXPECT_TRUE(refuses([](CompressionInfo& info) { info.data_size_bytes = 50000; }));
  EXPECT_TRUE(refuses([](CompressionInfo& info) { info.data_size_bytes = 10; }));
  EXPECT_TRUE(refuses([](CompressionInfo& info) { info.chunk_offsets = {}; }));
  EXPECT_TRUE(refuses([](CompressionInfo& info) { info.chunk_offsets = {0, 17000, 9000}; }));
  EXPECT_TRUE(refuses([](CompressionInfo& info) { info.chunk_offsets = {0, 4, 9000}; }));
  EXPECT_FALSE(refuses([](CompressionInfo&) {}));
}

TEST(ChunkCodecTest, EveryCodecGivesBackWhatItGot) {
  std::vector<std::byte> const input(5000, std::byte{'x'});
  for (int kind = 0; kind < 5; ++kind) {
    ChunkCodec codec(static_cast<CompressorKind>(kind));
    for (size_t const size_bytes : {size_t{0}, size_t{1}, size_t{5000}}) {
      std::vector<std::byte> compressed;
      std::vector<std::byte> out(size_bytes);
      ASSERT_TRUE(codec.Compress(std::span(input).first(size_bytes), compressed).ok());
      ASSERT_TRUE(codec.Decompress(compressed, out).ok()) << kind << " of " << size_bytes;
      EXPECT_TRUE(std::equal(out.begin(), out.end(), input.begin()));
      out.push_back({});
      EXPECT_EQ(codec.Decompress(compressed, out).code(), StatusCode::kCorruption);
    }
    EXPECT_EQ(*CompressorFromClassName(
                  std::string("org.apache.cassandra.io.compress.") +
                  std::string(CompressorClassName(static_cast<CompressorKind>(kind)))),
              static_cast<CompressorKind>(kind));
  }
  EXPECT_EQ(CompressorFromClassName("BrotliCompressor").status().code(), StatusCode::kUnsupported);
}

TEST(BloomFilterTest, FindsWhatWasAddedAndFewOthers) {
  BloomFilter filter = BloomFilter::ForKeys(10'000, 0.01);
  for (uint32_t key = 0; key < 10'000; ++key) {
    std::vector<std::byte> bytes;
    AppendBigEndian(bytes, key);
    filter.Add(Murmur3(bytes));
  }
  Result<BloomFilter> const read = BloomFilter::Decode(filter.Encode(), Version::Oa());
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  uint32_t wrong = 0;
  for (uint32_t key = 0; key < 20'000; ++key) {
    std::vector<std::byte> bytes;
    AppendBigEndian(bytes, key);
    bool const found = read->MayContain(Murmur3(bytes));
    ASSERT_TRUE(found || key >= 10'000);
    wrong += found && key >= 10'000 ? 1 : 0;
  }
  EXPECT_LT(wrong, 200U);  // 100 expected
  std::vector<std::byte> bytes = filter.Encode();
  bytes.pop_back();
  EXPECT_EQ(BloomFilter::Decode(bytes, Version::Oa()).status().code(), StatusCode::kCorruption);
}

TEST(IndexSummaryTest, RoundTrips) {
  IndexSummary summary;
  summary.Append(AsBytes("a"), 0);
  summary.Append(AsBytes(""), 100);
  summary.Append(AsBytes("longer key"), 5'000'000'000);
  summary.first_key = BytesOf({'a'});
  Result<IndexSummary> const found = IndexSummary::Decode(summary.Encode());
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  ASSERT_EQ(found->entry_count(), 3U);
  EXPECT_EQ(AsText(found->key(2)), "longer key");
  EXPECT_EQ(found->index_position(2), 5'000'000'000U);
  EXPECT_EQ(found->first_key, summary.first_key);
  summary.Append(AsBytes("back"), 7);
  EXPECT_EQ(IndexSummary::Decode(summary.Encode()).status().code(), StatusCode::kCorruption);
}

TEST(StatisticsTest, RoundTripsEveryFieldOfEachVersion) {
  Statistics statistics;
  statistics.validation = {"org.apache.cassandra.dht.Murmur3Partitioner", 0.1};
  statistics.compaction = BytesOf({1, 2, 3});
  StatsMetadata& stats = statistics.stats;
  stats.partition_sizes_bytes = EstimatedHistogram::WithOffsets(kPartitionSizeOffsets);
  stats.partition_sizes_bytes.Add(1000);
  stats.cells_per_partition = EstimatedHistogram::WithOffsets(kCellsPerPartitionOffsets);
  stats.timestamp_min = -5;
  stats.timestamp_max = INT64_MAX;
  stats.local_deletion_time_min = 17;
  stats.ttl_max = 100;
  stats.compression_ratio = 0.5;
  stats.tombstone_drop_times.bins = {{60, 2}, {120, 3}};
  stats.clustering_types = {"org.apache.cassandra.db.marshal.Int32Type"};
  std::vector<std::byte> const five = BytesOf({0, 0, 0, 5});
  ClusteringValue const value{five, false};
  stats.covered_start.Assign({ClusteringKind::kInclStartBound, {&value, 1}});
  stats.clustering_min = {five};
  stats.row_count = 12;
  stats.pending_repair = Uuid{std::byte{9}};
  stats.first_key = five;
  stats.has_partition_deletions = true;
  SerializationHeader& header = statistics.header;
  header.timestamp_min = -1;                     // below the epoch: wraps
  header.local_deletion_time_min = 0xFFFF'FFFF;  // -1 in the signed formats: nine bytes
  header.key_type = "org.apache.cassandra.db.marshal.Int32Type";
  header.statics = {{"s", "org.apache.cassandra.db.marshal.UTF8Type"}};
  header.regulars = {{"", "org.apache.cassandra.db.marshal.BytesType"}};
  for (Version const version : {Version::Nb(), Version::Oa(), Version::Da()}) {
    std::vector<std::byte> const bytes = statistics.Encode(version);
    Result<Statistics> const found = Statistics::Decode(bytes, version);
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    EXPECT_EQ(found->validation.partitioner, statistics.validation.partitioner);
    EXPECT_EQ(found->compaction, statistics.compaction);
    EXPECT_EQ(found->header.timestamp_min, -1);
    EXPECT_EQ(found->header.local_deletion_time_min, 0xFFFF'FFFFU);
    EXPECT_EQ(found->header.regulars[0].type, header.regulars[0].type);
    EXPECT_EQ(found->stats.timestamp_max, INT64_MAX);
    EXPECT_EQ(found->stats.local_deletion_time_max, kNoDeletionTime);
    EXPECT_EQ(found->stats.tombstone_drop_times.bins[1].count, 3);
    EXPECT_EQ(found->stats.pending_repair, stats.pending_repair);
    EXPECT_EQ(found->stats.row_count, 12);
    if (version.has_covered_slice()) {
      EXPECT_EQ(found->stats.first_key, five);
      EXPECT_EQ(found->stats.covered_start.view().values.size(), 1U);
    } else {
      EXPECT_EQ(found->stats.clustering_min, stats.clustering_min);
    }
    EXPECT_EQ(found->Encode(version), bytes);
    std::vector<std::byte> damaged = bytes;
    damaged[bytes.size() / 2] ^= std::byte{4};
    Status const status = Statistics::Decode(damaged, version).status();
    EXPECT_EQ(status.code(), StatusCode::kCorruption);
    EXPECT_THAT(status.message(), HasSubstr("checksum"));
  }
}

TEST(ClusteringTest, NullsEmptiesAndManyColumnsRoundTrip) {
  std::vector<TypeRef> types;
  std::vector<ClusteringValue> values;
  std::vector<std::byte> const four = BytesOf({1, 2, 3, 4});
  std::vector<std::byte> const text = BytesOf({'a', 'b'});
  for (int index = 0; index < 70; ++index) {  // headers hold 32 columns each
    types.push_back(SimpleType(index % 2 == 0 ? TypeKind::kInt : TypeKind::kText));
    Bytes const bytes = index % 2 == 0 ? Bytes(four) : Bytes(text);
    values.push_back(index % 5 == 0   ? ClusteringValue{Bytes(), true}
                     : index % 7 == 0 ? ClusteringValue{Bytes(), false}
                                      : ClusteringValue{bytes, false});
  }
  ClusteringFormat const format(types);
  std::vector<std::byte> out;
  format.AppendValues(out, values);
  std::vector<ClusteringValue> found(70);
  uint64_t needed = 0;
  const std::byte* const end = out.data() + out.size();
  ASSERT_EQ(format.ReadValues(out.data(), end, 70, found.data(), needed), end);
  for (size_t index = 0; index < 70; ++index) {
    EXPECT_EQ(found[index].is_null, values[index].is_null);
    EXPECT_EQ(CompareUnsigned(found[index].bytes, values[index].bytes), 0);
  }
  for (size_t size_bytes = 0; size_bytes < out.size(); ++size_bytes) {
    needed = 0;
    EXPECT_EQ(format.ReadValues(out.data(), out.data() + size_bytes, 70, found.data(), needed),
              nullptr);
    EXPECT_GT(needed, 0U);
  }
}

TEST(ClusteringTest, BoundsStandAroundWhatStartsWithTheirValues) {
  ClusteringFormat const format({SimpleType(TypeKind::kInt), Reversed(SimpleType(TypeKind::kInt))});
  std::vector<std::byte> const one = BytesOf({0, 0, 0, 1});
  std::vector<std::byte> const two = BytesOf({0, 0, 0, 2});
  ClusteringValue const v1{one, false};
  ClusteringValue const v2{two, false};
  ClusteringValue const null{Bytes(), true};
  ClusteringValue const empty{Bytes(), false};
  std::vector<std::vector<ClusteringValue>> const rows = {
      {v1, null}, {v1, v2}, {v1, v1}, {v1, empty}, {v2, v2}};
  auto const row = [&](size_t index) {
    return ClusteringView{ClusteringKind::kClustering, rows[index]};
  };
  for (size_t a = 0; a < rows.size(); ++a) {
    for (size_t b = 0; b < rows.size(); ++b) {
      int const order = format.Compare(row(a), row(b));
      EXPECT_EQ(order < 0, a < b) << a << " " << b;
      EXPECT_EQ(order == 0, a == b) << a << " " << b;
    }
  }
  ClusteringView const before{ClusteringKind::kInclStartBound, {&v1, 1}};
  ClusteringView const after{ClusteringKind::kInclEndBound, {&v1, 1}};
  for (size_t index = 0; index < 4; ++index) {
    EXPECT_LT(format.Compare(before, row(index)), 0);
    EXPECT_GT(format.Compare(after, row(index)), 0);
  }
  EXPECT_LT(format.Compare(after, row(4)), 0);
  EXPECT_LT(format.Compare(ClusteringPrefix::Bottom().view(), before), 0);
  EXPECT_GT(format.Compare(ClusteringPrefix::Top().view(), row(4)), 0);
  ClusteringView const exact{ClusteringKind::kExclStartBound, rows[1]};
  EXPECT_GT(format.Compare(exact, row(1)), 0);
  EXPECT_LT(format.Compare(exact, row(2)), 0);
}

TEST(ClusteringTest, BadBoundsAreNoBounds) {
  ClusteringFormat const format({SimpleType(TypeKind::kInt)});
  ClusteringKind kind{};
  std::vector<ClusteringValue> values;
  for (const std::vector<std::byte>& bytes :
       {BytesOf({4, 0, 0, 0}), BytesOf({3, 0, 0, 0}), BytesOf({8, 0, 0, 0}), BytesOf({1, 0, 2, 0}),
        BytesOf({255, 0, 0, 0})}) {
    uint64_t needed = 7;
    EXPECT_EQ(format.ReadBound(bytes.data(), bytes.data() + bytes.size(), kind, values, needed),
              nullptr);
    EXPECT_EQ(needed, 0U);
  }
}

}  // namespace
}  // namespace orochi::sstable
