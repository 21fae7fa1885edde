// Goal: a component that ends anywhere, or says what cannot be, is refused as damaged, by name.
// Method: Statistics.db with all its fields, each of its components cut at every length and given
// right checksums again; chunks of every compressor cut and changed; clusterings cut; headers with
// types that are none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/str_cat.h"
#include "sstable/format/big_endian.h"
#include "sstable/format/bloom_filter.h"
#include "sstable/format/clustering.h"
#include "sstable/format/compressor.h"
#include "sstable/format/crc32.h"
#include "sstable/format/descriptor.h"
#include "sstable/format/layout.h"
#include "sstable/format/statistics.h"

namespace orochi::sstable {
namespace {

using ::testing::HasSubstr;
using Buffer = std::vector<std::byte>;

constexpr const char* kInt = "org.apache.cassandra.db.marshal.Int32Type";

Buffer BytesOf(std::initializer_list<int> values) {
  Buffer bytes;
  for (int const value : values) {
    bytes.push_back(static_cast<std::byte>(value));
  }
  return bytes;
}

Statistics FullStatistics() {
  Statistics statistics;
  statistics.validation = {"org.apache.cassandra.dht.Murmur3Partitioner", 0.1};
  StatsMetadata& stats = statistics.stats;
  stats.partition_sizes_bytes = EstimatedHistogram::WithOffsets(3);
  stats.cells_per_partition = EstimatedHistogram::WithOffsets(2);
  stats.tombstone_drop_times.bins = {{60, 2}, {120, 3}};
  stats.clustering_types = {kInt};
  static Buffer const five = BytesOf({0, 0, 0, 5});
  ClusteringValue const value{five, false};
  stats.covered_start.Assign({ClusteringKind::kInclStartBound, {&value, 1}});
  stats.covered_end.Assign({ClusteringKind::kInclEndBound, {&value, 1}});
  stats.clustering_min = {five};
  stats.clustering_max = {five};
  stats.commit_log_intervals = {{{1, 2}, {3, 4}}};
  stats.pending_repair = Uuid{std::byte{9}};
  stats.originating_host_id = Uuid{std::byte{7}};
  stats.first_key = five;
  stats.last_key = five;
  statistics.header.key_type = kInt;
  statistics.header.clustering_types = {kInt};
  statistics.header.statics = {{"s", kInt}};
  statistics.header.regulars = {{"r", kInt}};
  return statistics;
}

void AppendNumber(Buffer& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::byte>(value >> shift));
  }
}

struct Part {
  uint32_t type = 0;
  Buffer content;  // without its checksum
};

/// The parts of a Statistics.db with checksums.
std::vector<Part> Split(const Buffer& bytes) {
  BigEndianReader reader(bytes);
  uint32_t count = 0;
  uint32_t crc = 0;
  EXPECT_TRUE(reader.Read(count) && reader.Read(crc));
  std::vector<Part> parts(count);
  std::vector<uint32_t> offsets(count + 1, static_cast<uint32_t>(bytes.size()));
  for (uint32_t index = 0; index < count; ++index) {
    EXPECT_TRUE(reader.Read(parts[index].type) && reader.Read(offsets[index]));
  }
  for (uint32_t index = 0; index < count; ++index) {
    parts[index].content.assign(bytes.begin() + offsets[index],
                                bytes.begin() + offsets[index + 1] - 4);
  }
  return parts;
}

/// A Statistics.db of such parts; without checksums for versions that have none.
Buffer Join(const std::vector<Part>& parts, bool with_crcs = true) {
  Buffer out;
  AppendNumber(out, static_cast<uint32_t>(parts.size()));
  Buffer covered = out;
  if (with_crcs) {
    AppendNumber(out, Crc32(covered));
  }
  Buffer body;
  size_t const head_size_bytes = 4 + 8 * parts.size() + (with_crcs ? 8 : 0);
  Buffer table;
  for (const Part& part : parts) {
    AppendNumber(table, part.type);
    AppendNumber(table, static_cast<uint32_t>(head_size_bytes + body.size()));
    body.insert(body.end(), part.content.begin(), part.content.end());
    if (with_crcs) {
      AppendNumber(body, Crc32(part.content));
    }
  }
  out.insert(out.end(), table.begin(), table.end());
  covered.insert(covered.end(), table.begin(), table.end());
  if (with_crcs) {
    AppendNumber(out, Crc32(covered));
  }
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

TEST(BrokenStatisticsTest, EveryPartMayEndAnywhere) {
  constexpr uint32_t kSketch = 1;  // bytes that nobody decodes
  for (Version const version : {Version::Nb(), Version::Oa(), Version::Da()}) {
    Buffer const bytes = FullStatistics().Encode(version);
    std::vector<Part> const parts = Split(bytes);
    ASSERT_EQ(Join(parts), bytes);
    for (size_t which = 0; which < parts.size(); ++which) {
      for (size_t size = 0; size < parts[which].content.size() && parts[which].type != kSketch;
           ++size) {
        std::vector<Part> cut = parts;
        cut[which].content.resize(size);
        Status const status = Statistics::Decode(Join(cut), version).status();
        ASSERT_EQ(status.code(), StatusCode::kCorruption)
            << version.letters() << " part " << which << " of " << size << " bytes";
      }
    }
  }
}

TEST(BrokenStatisticsTest, TheTableOfPartsMustBeOne) {
  std::vector<Part> const parts = Split(FullStatistics().Encode(Version::Nb()));
  Version const unchecked = *Version::Parse("me", IndexFormat::kBig);
  auto const error = [](const Buffer& bytes, Version version) {
    Status const status = Statistics::Decode(bytes, version).status();
    EXPECT_EQ(status.code(), StatusCode::kCorruption);
    return std::string(status.message());
  };
  std::vector<Part> twice = parts;
  twice.push_back(parts[0]);
  EXPECT_THAT(error(Join({parts[0], parts[0]}), Version::Nb()), HasSubstr("two "));
  EXPECT_THAT(error(Join(twice), Version::Nb()), HasSubstr("5 components announced"));
  EXPECT_THAT(error(Join({parts[0]}), Version::Nb()), HasSubstr("there is no "));
  EXPECT_THAT(error(BytesOf({0, 0, 0}), unchecked), HasSubstr("no component count"));
  EXPECT_THAT(error(BytesOf({0, 0, 0, 1, 0, 0, 0, 0}), unchecked),
              HasSubstr("ends in the table of components"));
  Buffer const good = Join(parts);
  for (size_t size = 0; size < 4 + 4 + 8 * parts.size() + 4; ++size) {
    error(Buffer(good.begin(), good.begin() + static_cast<ptrdiff_t>(size)), Version::Nb());
  }
  // The last part is shorter than its checksum.
  Buffer short_part = good;
  short_part.resize(good.size() - parts.back().content.size() - 2);
  EXPECT_THAT(error(short_part, Version::Nb()), HasSubstr("its checksum alone needs"));
}

TEST(BrokenStatisticsTest, HeadersOfTypesThatAreNone) {
  auto const error = [](auto change) {
    Statistics statistics = FullStatistics();
    change(statistics.header);
    Status const status = Layout::FromStatistics(statistics).status();
    EXPECT_EQ(status.code(), StatusCode::kCorruption);
    return std::string(status.message());
  };
  EXPECT_THAT(error([](auto& header) { header.key_type = "ListType("; }),
              HasSubstr("partition key type"));
  EXPECT_THAT(error([](auto& header) { header.clustering_types = {"MapType("}; }),
              HasSubstr("type of clustering column 0"));
  EXPECT_THAT(error([](auto& header) { header.regulars[0].type = ")"; }),
              HasSubstr("regular column 'r'"));
  EXPECT_THAT(error([](auto& header) { header.statics.push_back(header.statics[0]); }),
              HasSubstr("static column 's' occurs twice"));
  std::vector<Part> parts = Split(FullStatistics().Encode(Version::Oa()));
  for (Part& part : parts) {
    std::string_view const content(reinterpret_cast<const char*>(part.content.data()),
                                   part.content.size());
    constexpr uint32_t kStats = 2;
    if (part.type == kStats) {
      size_t const at = content.find("Int32Type");
      ASSERT_NE(at, std::string_view::npos);
      part.content[at + 8] = static_cast<std::byte>('(');
    }
  }
  EXPECT_THAT(Statistics::Decode(Join(parts), Version::Oa()).status().message(),
              HasSubstr("clustering types"));
}

TEST(BrokenChunkTest, EveryCompressorRefusesWhatIsNoChunk) {
  Buffer input(3000);
  for (size_t index = 0; index < input.size(); ++index) {
    input[index] = static_cast<std::byte>(index * index >> 4);
  }
  for (CompressorKind const kind : {CompressorKind::kLz4, CompressorKind::kSnappy,
                                    CompressorKind::kDeflate, CompressorKind::kZstd}) {
    SCOPED_TRACE(CompressorClassName(kind));
    ChunkCodec codec(kind);
    Buffer chunk;
    ASSERT_TRUE(codec.Compress(input, chunk).ok());
    Buffer out(input.size());
    for (size_t size = 0; size < chunk.size(); size += 1 + size / 16) {
      EXPECT_EQ(codec.Decompress(std::span(chunk).first(size), out).code(), StatusCode::kCorruption)
          << size;
    }
    for (size_t const wrong_size : {input.size() - 1, input.size() + 1, size_t{0}}) {
      Buffer other(wrong_size);
      EXPECT_EQ(codec.Decompress(chunk, other).code(), StatusCode::kCorruption) << wrong_size;
    }
    Buffer const garbage(chunk.size(), std::byte{0xA5});
    EXPECT_EQ(codec.Decompress(garbage, out).code(), StatusCode::kCorruption);
  }
  // A Zstd frame that names a dictionary: magic, a descriptor with a byte of it, window, id.
  ChunkCodec zstd(CompressorKind::kZstd);
  Buffer out(1);
  EXPECT_EQ(zstd.Decompress(BytesOf({0x28, 0xB5, 0x2F, 0xFD, 0x01, 0x00, 0x07, 0, 0}), out).code(),
            StatusCode::kUnsupported);
}

TEST(BrokenClusteringTest, PrefixesMayEndAnywhere) {
  ClusteringFormat const format({SimpleType(TypeKind::kInt), SimpleType(TypeKind::kText)});
  Buffer const four = BytesOf({1, 2, 3, 4});
  Buffer const text = BytesOf({'a', 'b'});
  std::vector<ClusteringValue> const values = {{four, false}, {text, false}};
  Buffer row = BytesOf({static_cast<int>(ClusteringKind::kClustering)});
  format.AppendValues(row, values);
  Buffer bound;
  format.AppendBound(bound, {ClusteringKind::kInclEndBound, std::span(values).first(1)});
  for (const Buffer& bytes : {row, bound}) {
    for (size_t size = 0; size <= bytes.size(); ++size) {
      ClusteringKind kind = ClusteringKind::kStatic;
      std::vector<ClusteringValue> found;
      uint64_t needed_bytes = 0;
      const std::byte* const end =
          format.ReadPrefix(bytes.data(), bytes.data() + size, kind, found, needed_bytes);
      if (size < bytes.size()) {
        EXPECT_EQ(end, nullptr);
        EXPECT_GT(needed_bytes, size);
      } else {
        EXPECT_EQ(end, bytes.data() + size);
        EXPECT_EQ(found.size(), &bytes == &row ? 2u : found.size());
      }
    }
  }
}

TEST(OldFormsTest, BloomFiltersOfVersionsBeforeNa) {
  Buffer bytes = BytesOf({0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1});
  Result<BloomFilter> const old =
      BloomFilter::Decode(bytes, *Version::Parse("me", IndexFormat::kBig));
  ASSERT_TRUE(old.ok()) << old.status().ToString();
  std::swap(bytes[8], bytes[15]);  // the one bit that is set, in the other order
  Result<BloomFilter> const later = BloomFilter::Decode(bytes, Version::Oa());
  ASSERT_TRUE(later.ok());
  EXPECT_EQ(old->Encode(), later->Encode());
}

TEST(OldFormsTest, IdentifiersOfTimeComeAfterNumbers) {
  EXPECT_EQ(Descriptor::Parse("nb-3gqb_0kb4-2eh0g2n7vy8j5r6i0h-big-Data.db").status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(Descriptor::Parse("nb-3gqb_0kb4_2eh0g2n7vy8j5r6i0H-big-Data.db").status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace orochi::sstable
