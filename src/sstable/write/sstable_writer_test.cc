// Goal: what is written is read back the same, in every format, and byte for byte what Cassandra
// writes; wrong input is refused; whatever fails or is cut short, no set of files looks complete
// that is not.
// Method: random tables through the reader; real tables written again and compared; a file system
// that fails at every call, or loses power there.
#include "sstable/write/sstable_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/temp_dir.h"
#include "base/testing/test_seed.h"
#include "io/posix/posix_file_system.h"
#include "io/testing/memory_file_system.h"
#include "sstable/read/reader.h"
#include "sstable/read/testing/shared_data.h"
#include "sstable/write/rewrite.h"
#include "sstable/write/testing/random_table.h"

namespace orochi::sstable {
namespace {

using ::testing::HasSubstr;
using testing::OwnedPartition;

Status WriteAll(std::vector<OwnedPartition>& partitions, SstableWriter& writer) {
  for (OwnedPartition& partition : partitions) {
    RETURN_IF_ERROR(writer.StartPartition(AsBytes(partition.key), partition.deletion));
    if (!partition.static_row.Get().empty_row()) {
      RETURN_IF_ERROR(writer.AddStatic(partition.static_row.Get()));
    }
    for (testing::OwnedUnfiltered& row : partition.rows) {
      RETURN_IF_ERROR(writer.Add(row.Get()));
    }
  }
  return Status::Ok();
}

Result<WrittenSstable> WriteTable(io::FileSystem& files, const Layout& layout,
                                  std::vector<OwnedPartition>& partitions,
                                  const WriterOptions& options) {
  ASSIGN_OR_RETURN(auto const writer, SstableWriter::Create(files, "dir", layout, options));
  RETURN_IF_ERROR(WriteAll(partitions, *writer));
  return writer->Finish();
}

Result<std::string> ReadTable(io::FileSystem& files, const Descriptor& descriptor) {
  ASSIGN_OR_RETURN(auto const reader, SstableReader::Open(files, "dir", descriptor));
  return testing::Transcript(*reader->Scan());
}

struct Case {
  const char* name;
  Version version;
  std::optional<CompressionOptions> compression;
};

std::vector<Case> Cases() {
  auto const with = [](CompressorKind kind, int32_t size_bytes_max) {
    return CompressionOptions{
        .kind = kind, .chunk_size_bytes = 4096, .compressed_size_bytes_max = size_bytes_max};
  };
  constexpr int32_t kNever = CompressionInfo::kNeverRaw;
  return {{"nb_lz4", Version::Nb(), with(CompressorKind::kLz4, kNever)},
          {"oa_lz4", Version::Oa(), with(CompressorKind::kLz4, kNever)},
          {"da_lz4", Version::Da(), with(CompressorKind::kLz4, kNever)},
          {"nb_none", Version::Nb(), std::nullopt},
          {"oa_none", Version::Oa(), std::nullopt},
          {"da_none", Version::Da(), std::nullopt},
          {"oa_snappy", Version::Oa(), with(CompressorKind::kSnappy, kNever)},
          {"oa_deflate", Version::Oa(), with(CompressorKind::kDeflate, kNever)},
          {"oa_zstd", Version::Oa(), with(CompressorKind::kZstd, kNever)},
          {"oa_noop", Version::Oa(), with(CompressorKind::kNoop, kNever)},
          {"da_lz4_some_chunks_raw", Version::Da(), with(CompressorKind::kLz4, 2000)}};
}

class EveryFormat : public ::testing::TestWithParam<Case> {};

TEST_P(EveryFormat, RandomTablesReadBackTheSame) {
  SeededRandom random(::orochi::testing::TestSeed(20261121));
  for (int round = 0; round < 8; ++round) {
    testing::RandomTableOptions table;
    table.partition_count = 1 + static_cast<uint32_t>(random.Below(30));
    table.row_count_max = round % 3 == 0 ? 150 : 15;
    table.with_statics = round % 2 == 0;
    Layout const layout = testing::RandomTableLayout(table);
    std::vector<OwnedPartition> partitions = testing::RandomPartitions(random, layout, table);
    WriterOptions options;
    options.version = GetParam().version;
    options.compression = GetParam().compression;
    options.row_block_size_bytes = 512;
    if (round % 4 == 1) {
      options.minima = {.timestamp = 500'000, .local_deletion_time = 1'750'000'000, .ttl = 500};
    }
    io::testing::MemoryFileSystem files;
    Result<WrittenSstable> const written = WriteTable(files, layout, partitions, options);
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    EXPECT_EQ(written->partition_count, table.partition_count);
    Result<std::string> const read = ReadTable(files, written->descriptor);
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    ASSERT_EQ(testing::FirstDifference(*read, testing::Transcript(partitions)), "")
        << "round " << round;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, EveryFormat, ::testing::ValuesIn(Cases()),
                         [](auto const& info) { return std::string(info.param.name); });

std::string FileBytes(const std::filesystem::path& path) {
  io::PosixFileSystem files;
  Result<std::vector<std::byte>> const bytes = ReadWholeFile(files, path.string(), 1 << 26);
  return bytes.ok() ? std::string(AsText(*bytes)) : bytes.status().ToString();
}

TEST(RewriteTest, IsByteForByteWhatCassandraWrote) {
  std::string const shared = ::orochi::sstable::testing::SharedSstables();
  if (shared.empty()) {
    GTEST_SKIP() << "SKIPPED: no real SSTables; set OROCHI_SHARED_DATA to their directory";
  }
  int compared = 0;
  io::PosixFileSystem files;
  for (const char* const name :
       {"nb/legacy_nb_simple", "nb/legacy_nb_simple_counter", "nb/legacy_nb_clust",
        "oa/legacy_oa_simple_counter", "oa/legacy_oa_clust_counter", "da/legacy_da_simple",
        "da/legacy_da_simple_counter", "da/legacy_da_clust"}) {
    std::string const source = StrCat(shared, "/apache-cassandra/legacy_tables/", name);
    ::orochi::testing::TempDir copy;
    Result<std::vector<Descriptor>> const found = ListSstables(files, source);
    ASSERT_TRUE(found.ok() && found->size() == 1) << name;
    const Descriptor& descriptor = found->front();
    auto const reader = SstableReader::Open(files, source, descriptor);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    Result<WriterOptions> options = OptionsLike(**reader);
    ASSERT_TRUE(options.ok());
    options->id = descriptor.id;
    options->row_block_size_bytes = 4096;
    Result<WrittenSstable> const written = Rewrite(**reader, files, copy.path(), *options);
    ASSERT_TRUE(written.ok()) << name << ": " << written.status().ToString();
    for (Component const component :
         {Component::kData, Component::kIndex, Component::kSummary, Component::kPartitions,
          Component::kRows, Component::kCompressionInfo, Component::kDigest}) {
      std::string const file = descriptor.FileName(component);
      if (std::filesystem::exists(std::filesystem::path(source) / file)) {
        EXPECT_TRUE(FileBytes(std::filesystem::path(copy.path()) / file) ==
                    FileBytes(std::filesystem::path(source) / file))
            << name << " " << file;
        ++compared;
      }
    }
  }
  EXPECT_GE(compared, 40);
}

// The SSTables of testdata/gold, written again with their own options.
TEST(RewriteTest, OfGoldFilesIsByteForByteTheSame) {
  io::PosixFileSystem files;
  int compared = 0;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(
           std::filesystem::path(OROCHI_TESTDATA_DIR) / "gold")) {
    std::string const name = entry.path().filename().string();
    if (!name.ends_with("-Data.db")) {
      continue;
    }
    std::filesystem::path const source = entry.path().parent_path();
    Result<Descriptor> const descriptor = Descriptor::Parse(name);
    ASSERT_TRUE(descriptor.ok());
    auto const reader = SstableReader::Open(files, source.string(), *descriptor);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    Result<WriterOptions> options = OptionsLike(**reader);
    ASSERT_TRUE(options.ok());
    options->id = descriptor->id;
    options->row_block_size_bytes = 4096;
    ::orochi::testing::TempDir copy;
    Result<WrittenSstable> const written = Rewrite(**reader, files, copy.path(), *options);
    ASSERT_TRUE(written.ok()) << entry.path() << ": " << written.status().ToString();
    for (Component const component :
         {Component::kData, Component::kIndex, Component::kSummary, Component::kPartitions,
          Component::kRows, Component::kFilter, Component::kCompressionInfo, Component::kDigest}) {
      std::string const file = descriptor->FileName(component);
      if (std::filesystem::exists(source / file)) {
        EXPECT_TRUE(FileBytes(std::filesystem::path(copy.path()) / file) ==
                    FileBytes(source / file))
            << source << " " << file;
        ++compared;
      }
    }
  }
  EXPECT_EQ(compared, 3 * 6 * 6);
}

class SmallTable : public ::testing::Test {
 protected:
  SmallTable() {
    testing::RandomTableOptions table;
    table.partition_count = 6;
    layout_ = testing::RandomTableLayout(table);
    partitions_ = testing::RandomPartitions(random_, layout_, table);
    options_.row_block_size_bytes = 256;
  }

  SeededRandom random_{::orochi::testing::TestSeed(7)};
  Layout layout_;
  std::vector<OwnedPartition> partitions_;
  WriterOptions options_;
};

TEST_F(SmallTable, NoFailureLeavesASetThatLooksComplete) {
  for (Version const version : {Version::Oa(), Version::Da()}) {
    options_.version = version;
    uint64_t calls = 0;
    {
      io::testing::MemoryFileSystem files;
      ASSERT_TRUE(WriteTable(files, layout_, partitions_, options_).ok());
      calls = files.call_count();
    }
    ASSERT_GT(calls, 30u);
    for (uint64_t nth = 1; nth <= calls; ++nth) {
      io::testing::MemoryFileSystem files;
      files.FailCall(nth);
      Result<WrittenSstable> const written = WriteTable(files, layout_, partitions_, options_);
      ASSERT_FALSE(written.ok()) << "call " << nth << " of " << calls << " failed unnoticed";
      Result<std::vector<Descriptor>> const found = ListSstables(files, "dir");
      if (found.ok() && !found->empty()) {
        // Only the last sync may fail after the last name is given.
        Result<std::string> const read = ReadTable(files, found->front());
        ASSERT_TRUE(read.ok()) << "call " << nth << ": " << read.status().ToString();
        ASSERT_EQ(testing::FirstDifference(*read, testing::Transcript(partitions_)), "");
      }
    }
  }
}

TEST_F(SmallTable, NoPowerCutLeavesASetThatLooksComplete) {
  uint64_t calls = 0;
  {
    io::testing::MemoryFileSystem files;
    ASSERT_TRUE(WriteTable(files, layout_, partitions_, options_).ok());
    calls = files.call_count();
  }
  int complete = 0;
  for (uint64_t nth = 1; nth <= calls; ++nth) {
    io::testing::MemoryFileSystem files;
    files.FailCall(nth);
    ASSERT_FALSE(WriteTable(files, layout_, partitions_, options_).ok());
    files.CutPower(&random_);
    Result<std::vector<Descriptor>> const found = ListSstables(files, "dir");
    if (found.ok() && !found->empty()) {
      ++complete;
      Result<std::string> const read = ReadTable(files, found->front());
      ASSERT_TRUE(read.ok()) << "call " << nth << ": " << read.status().ToString();
      ASSERT_EQ(testing::FirstDifference(*read, testing::Transcript(partitions_)), "");
    }
  }
  EXPECT_LE(complete, 2);
}

TEST_F(SmallTable, AFinishedSstableSurvivesAPowerCut) {
  io::testing::MemoryFileSystem files;
  Result<WrittenSstable> const written = WriteTable(files, layout_, partitions_, options_);
  ASSERT_TRUE(written.ok());
  files.CutPower();
  Result<std::string> const read = ReadTable(files, written->descriptor);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(testing::FirstDifference(*read, testing::Transcript(partitions_)), "");
}

TEST_F(SmallTable, WhatIsAbandonedIsRemoved) {
  io::testing::MemoryFileSystem files;
  {
    auto const writer = SstableWriter::Create(files, "dir", layout_, options_);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE(WriteAll(partitions_, **writer).ok());
  }
  Result<std::vector<std::string>> const names = files.List("dir");
  ASSERT_TRUE(names.ok());
  EXPECT_THAT(*names, ::testing::IsEmpty());
}

TEST_F(SmallTable, IsNotWrittenOverAnother) {
  io::testing::MemoryFileSystem files;
  ASSERT_TRUE(WriteTable(files, layout_, partitions_, options_).ok());
  EXPECT_EQ(WriteTable(files, layout_, partitions_, options_).status().code(),
            StatusCode::kAlreadyExists);
}

struct WrongCase {
  const char* name;
  const char* message;
  std::function<Status(SstableWriter&, std::vector<OwnedPartition>&)> steps;
};

testing::OwnedUnfiltered RowAt(std::string first, std::string second) {
  testing::OwnedUnfiltered row;
  row.clustering_bytes = {std::move(first), std::move(second)};
  row.view.liveness.timestamp = 1;
  return row;
}
CellView CellAt(uint32_t column_index, std::string_view value = "") {
  CellView cell;
  cell.column_index = column_index;
  cell.value = AsBytes(value);
  return cell;
}
const std::string kOne("\0\0\0\1", 4);

std::vector<WrongCase> WrongCases() {
  auto const start = [](SstableWriter& writer, std::vector<OwnedPartition>& partitions) {
    return writer.StartPartition(AsBytes(partitions[0].key), {});
  };
  auto const add = [start](testing::OwnedUnfiltered row) {
    return [start, row](SstableWriter& writer, std::vector<OwnedPartition>& partitions) mutable {
      RETURN_IF_ERROR(start(writer, partitions));
      return writer.Add(row.Get());
    };
  };
  testing::OwnedUnfiltered wrong_size = RowAt(kOne, "x");
  wrong_size.cells.push_back(CellAt(0, "12345"));
  testing::OwnedUnfiltered wrong_column = RowAt(kOne, "x");
  wrong_column.cells.push_back(CellAt(9));
  testing::OwnedUnfiltered wrong_order = RowAt(kOne, "x");
  wrong_order.cells.push_back(CellAt(1));
  wrong_order.cells.push_back(CellAt(0));
  testing::OwnedUnfiltered stray_cells = RowAt(kOne, "x");
  stray_cells.cells.push_back(CellAt(3));
  testing::OwnedUnfiltered short_clustering = RowAt(kOne, "x");
  short_clustering.clustering_bytes.pop_back();
  testing::OwnedUnfiltered closes_nothing;
  closes_nothing.view.kind = Unfiltered::Kind::kMarker;
  closes_nothing.view.clustering.kind = ClusteringKind::kInclEndBound;
  closes_nothing.view.close = {.marked_for_delete_at = 1, .local_deletion_time = 1};
  testing::OwnedUnfiltered stays_open = closes_nothing;
  stays_open.view.clustering.kind = ClusteringKind::kInclStartBound;
  std::swap(stays_open.view.open, stays_open.view.close);
  testing::OwnedUnfiltered no_deletion = stays_open;
  no_deletion.view.open = {};
  testing::OwnedUnfiltered ttl_alone = RowAt(kOne, "x");
  ttl_alone.view.liveness = {.ttl = 5};
  return {
      {"value_of_wrong_size", "value of column 'a' has 5 bytes", add(wrong_size)},
      {"column_that_is_not_there", "cell of column 9", add(wrong_column)},
      {"cells_out_of_order", "ascending order", add(wrong_order)},
      {"cells_without_their_column", "cell of column 3", add(stray_cells)},
      {"short_clustering", "clustering has 1 values", add(short_clustering)},
      {"clustering_of_wrong_size", "clustering value 0 has 3 bytes", add(RowAt("abc", "x"))},
      {"marker_that_closes_nothing", "does not close what is open", add(closes_nothing)},
      {"marker_without_deletion", "does not have the deletions", add(no_deletion)},
      {"ttl_without_timestamp", "TTL but no timestamp", add(ttl_alone)},
      {"open_marker_at_the_end", "ends while a range tombstone is open",
       [add, stays_open](SstableWriter& writer, std::vector<OwnedPartition>& partitions) {
         RETURN_IF_ERROR(add(stays_open)(writer, partitions));
         return writer.Finish().status();
       }},
      {"rows_out_of_order", "does not come after the one before it in clustering order",
       [add](SstableWriter& writer, std::vector<OwnedPartition>& partitions) {
         RETURN_IF_ERROR(add(RowAt(kOne, "b"))(writer, partitions));
         return writer.Add(RowAt(kOne, "a").Get());
       }},
      {"row_twice", "does not come after the one before it in clustering order",
       [add](SstableWriter& writer, std::vector<OwnedPartition>& partitions) {
         RETURN_IF_ERROR(add(RowAt(kOne, "b"))(writer, partitions));
         return writer.Add(RowAt(kOne, "b").Get());
       }},
      {"partitions_out_of_order", "in token order",
       [](SstableWriter& writer, std::vector<OwnedPartition>& partitions) {
         RETURN_IF_ERROR(writer.StartPartition(AsBytes(partitions[1].key), {}));
         return writer.StartPartition(AsBytes(partitions[0].key), {});
       }},
      {"long_key", "partition key of 65536 bytes",
       [](SstableWriter& writer, std::vector<OwnedPartition>&) {
         return writer.StartPartition(AsBytes(std::string(65536, 'x')), {});
       }},
      {"negative_partition_deletion", "has none below 0",
       [](SstableWriter& writer, std::vector<OwnedPartition>& partitions) {
         return writer.StartPartition(AsBytes(partitions[0].key),
                                      {.marked_for_delete_at = -5, .local_deletion_time = 1});
       }},
      {"no_partition", "there is no partition",
       [](SstableWriter& writer, std::vector<OwnedPartition>&) {
         return writer.Finish().status();
       }},
      {"row_without_partition", "a row goes into a partition",
       [](SstableWriter& writer, std::vector<OwnedPartition>&) {
         return writer.Add(RowAt(kOne, "b").Get());
       }},
      {"static_row_after_rows", "between a partition's start and its rows",
       [add](SstableWriter& writer, std::vector<OwnedPartition>& partitions) {
         RETURN_IF_ERROR(add(RowAt(kOne, "b"))(writer, partitions));
         return writer.AddStatic(partitions[0].static_row.Get());
       }},
  };
}

class WrongInput : public SmallTable, public ::testing::WithParamInterface<WrongCase> {};

TEST_P(WrongInput, IsRefusedAndTheWriterStaysRefused) {
  io::testing::MemoryFileSystem files;
  auto const writer = SstableWriter::Create(files, "dir", layout_, options_);
  ASSERT_TRUE(writer.ok());
  Status const status = GetParam().steps(**writer, partitions_);
  EXPECT_THAT(status.message(), HasSubstr(GetParam().message));
  EXPECT_THAT(status.message(), HasSubstr("dir/oa-1-big-Data.db"));
  EXPECT_EQ((*writer)->StartPartition(AsBytes(partitions_[5].key), {}).code(),
            StatusCode::kFailedPrecondition);
  EXPECT_EQ((*writer)->Finish().status().code(), StatusCode::kFailedPrecondition);
  Result<std::vector<Descriptor>> const found = ListSstables(files, "dir");
  EXPECT_TRUE(found.ok() && found->empty());
}

INSTANTIATE_TEST_SUITE_P(Cases, WrongInput, ::testing::ValuesIn(WrongCases()),
                         [](auto const& info) { return std::string(info.param.name); });

TEST_F(SmallTable, ATtlThatEndsAfter2038IsNotMovedInNb) {
  testing::OwnedUnfiltered row = RowAt(kOne, "x");
  row.view.liveness.ttl = 600'000'000;
  row.view.liveness.local_expiration_time = 2'400'000'000;
  for (Version const version : {Version::Nb(), Version::Oa()}) {
    options_.version = version;
    io::testing::MemoryFileSystem files;
    auto const writer = SstableWriter::Create(files, "dir", layout_, options_);
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->StartPartition(AsBytes("k"), {}).ok());
    Status const status = (*writer)->Add(row.Get());
    if (version == Version::Nb()) {
      EXPECT_THAT(status.message(), HasSubstr("a TTL ends at 2400000000"));
    } else {
      EXPECT_TRUE(status.ok());
    }
  }
}

TEST_F(SmallTable, OptionsThatNoReaderTakesAreRefused) {
  auto const create = [this](auto change) {
    WriterOptions options;
    change(options);
    io::testing::MemoryFileSystem files;
    return SstableWriter::Create(files, "dir", layout_, options).status().message();
  };
  EXPECT_THAT(create([](WriterOptions& o) { o.compression->chunk_size_bytes = 5000; }),
              HasSubstr("chunks of 5000 bytes: expected a power of two"));
  EXPECT_THAT(create([](WriterOptions& o) { o.bloom_fp_chance = 0; }), HasSubstr("(0, 1]"));
  EXPECT_THAT(create([](WriterOptions& o) { o.index_interval_min = 0; }), HasSubstr("at least 1"));
  EXPECT_THAT(create([](WriterOptions& o) { o.id = "not an id"; }), HasSubstr("not an id"));
  EXPECT_THAT(
      create([](WriterOptions& o) { o.version = *Version::Parse("mc", IndexFormat::kBig); }),
      HasSubstr("mc cannot be written"));
}

}  // namespace
}  // namespace orochi::sstable
