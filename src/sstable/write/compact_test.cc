// Goal: compaction writes what merging its inputs gives, cut into SSTables of the asked size, and
// touches nothing else in the directory.
// Method: random tables split over two SSTables; outputs read one after the other against the
// merge.
#include "sstable/write/compact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "io/testing/memory_file_system.h"
#include "sstable/write/splitting_writer.h"
#include "sstable/write/testing/random_table.h"

namespace orochi::sstable {
namespace {

using testing::OwnedPartition;

class CompactTest : public ::testing::Test {
 protected:
  CompactTest() { layout_ = testing::RandomTableLayout(table_); }

  void WriteInput(const std::string& id, Version version) {
    std::vector<OwnedPartition> partitions = testing::RandomPartitions(random_, layout_, table_);
    WriterOptions options;
    options.id = id;
    options.version = version;
    auto const writer = SstableWriter::Create(files_, "dir", layout_, options);
    ASSERT_TRUE(writer.ok());
    for (OwnedPartition& partition : partitions) {
      ASSERT_TRUE((*writer)->StartPartition(AsBytes(partition.key), partition.deletion).ok());
      if (!partition.static_row.Get().empty_row()) {
        ASSERT_TRUE((*writer)->AddStatic(partition.static_row.Get()).ok());
      }
      for (testing::OwnedUnfiltered& row : partition.rows) {
        ASSERT_TRUE((*writer)->Add(row.Get()).ok());
      }
    }
    Result<WrittenSstable> const written = (*writer)->Finish();
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    Open(written->descriptor, inputs_);
  }

  void Open(const Descriptor& descriptor, std::vector<std::unique_ptr<SstableReader>>& readers) {
    auto reader = SstableReader::Open(files_, "dir", descriptor);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    readers.push_back(*std::move(reader));
  }

  std::string MergedTranscript(const MergeOptions& options) {
    std::vector<std::unique_ptr<UnfilteredStream>> streams;
    for (auto const& input : inputs_) {
      streams.push_back(input->Scan());
    }
    auto const merged = Merge(std::move(streams), layout_, options);
    Result<std::string> const text = testing::Transcript(**merged);
    EXPECT_TRUE(text.ok());
    return text.ok() ? *text : "";
  }

  SeededRandom random_{::orochi::testing::TestSeed(77)};
  testing::RandomTableOptions table_{.partition_count = 40};
  io::testing::MemoryFileSystem files_;
  Layout layout_;
  std::vector<std::unique_ptr<SstableReader>> inputs_;
};

TEST_F(CompactTest, OutputsTogetherAreTheMergeOfTheInputs) {
  WriteInput("3", Version::Nb());
  WriteInput("7", Version::Da());
  WriteInput("8", Version::Oa());
  for (bool const purge : {false, true}) {
    CompactOptions options;
    options.writer.version = Version::Da();
    options.size_bytes_max = 20'000;
    if (purge) {
      options.merge.purge = {.now_s = 1'800'050'000, .gc_before_s = 1'700'050'000};
    }
    Result<std::vector<WrittenSstable>> const written = Compact(inputs_, files_, "dir", options);
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    ASSERT_GT(written->size(), 2u);
    std::string text;
    for (const WrittenSstable& sstable : *written) {
      EXPECT_GT(std::stoi(sstable.descriptor.id), 8);
      std::vector<std::unique_ptr<SstableReader>> outputs;
      Open(sstable.descriptor, outputs);
      Result<std::string> const part = testing::Transcript(*outputs.front()->Scan());
      ASSERT_TRUE(part.ok());
      text += *part;
    }
    EXPECT_EQ(testing::FirstDifference(text, MergedTranscript(options.merge)), "");
  }
  Result<std::vector<Descriptor>> const found = ListSstables(files_, "dir");
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->front().id, "3");
}

TEST_F(CompactTest, WithoutALimitThereIsOneOutput) {
  WriteInput("1", Version::Oa());
  Result<std::vector<WrittenSstable>> const written = Compact(inputs_, files_, "dir", {});
  ASSERT_TRUE(written.ok());
  ASSERT_EQ(written->size(), 1u);
  EXPECT_EQ(written->front().descriptor.id, "2");
}

TEST_F(CompactTest, NothingIsWrittenWhenAllIsPurged) {
  WriterOptions options;
  auto const writer = SstableWriter::Create(files_, "dir", layout_, options);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE(
      (*writer)
          ->StartPartition(AsBytes("gone"), {.marked_for_delete_at = 5, .local_deletion_time = 100})
          .ok());
  Result<WrittenSstable> const input = (*writer)->Finish();
  ASSERT_TRUE(input.ok());
  Open(input->descriptor, inputs_);
  CompactOptions compact;
  compact.merge.purge = {.now_s = 1000, .gc_before_s = 500};
  Result<std::vector<WrittenSstable>> const written = Compact(inputs_, files_, "dir", compact);
  ASSERT_TRUE(written.ok()) << written.status().ToString();
  EXPECT_THAT(*written, ::testing::IsEmpty());
}

TEST(NextGenerationTest, IsAboveEveryNumberInUse) {
  io::testing::MemoryFileSystem files;
  auto const next = [&files] {
    Result<uint64_t> const generation = NextGeneration(files, "dir");
    return generation.ok() ? *generation : 0;
  };
  EXPECT_EQ(next(), 1u);
  ASSERT_TRUE(files.CreateDirectories("dir").ok());
  for (const char* const name : {"nb-12-big-Data.db", "da-7-bti-TOC.txt", "oa-30-big-Statistics.db",
                                 "other.txt", "nb-3gqb_0kb4_2eh0g2n7vy8j5r6i0h-big-Data.db"}) {
    ASSERT_TRUE(files.Create(StrCat("dir/", name)).ok());
  }
  EXPECT_EQ(next(), 31u);
}

}  // namespace
}  // namespace orochi::sstable
