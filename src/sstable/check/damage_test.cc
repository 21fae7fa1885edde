// Goal: no damage makes the reader crash, hang or answer wrong rows.
// Method: every byte of every component of small tables flipped once, every component cut short,
// removed or given another version's name. A scan answers the right rows or an error. A lookup may
// also miss its partition where the damaged file has no checksum (Cassandra protects none of the
// indexes); then the verifier names it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "io/testing/memory_file_system.h"
#include "sstable/check/testing/owned_stream.h"
#include "sstable/read/reader.h"
#include "sstable/read/verify.h"
#include "sstable/write/sstable_writer.h"
#include "sstable/write/testing/random_table.h"

namespace orochi::sstable {
namespace {

using testing::OwnedPartition;
using Content = std::vector<std::byte>;

constexpr Component kComponents[] = {
    Component::kData, Component::kIndex,  Component::kSummary,    Component::kPartitions,
    Component::kRows, Component::kFilter, Component::kStatistics, Component::kCompressionInfo,
    Component::kCrc,  Component::kDigest, Component::kToc,
};

struct Case {
  const char* name;
  Version version;
  bool compressed;
};

void PrintTo(const Case& value, std::ostream* out) {
  *out << value.name;
}

class DamageTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_.CreateDirectories("t").ok());
    SeededRandom random(orochi::testing::TestSeed(3));
    layout_ = RandomTableLayout(table_);
    partitions_ = RandomPartitions(random, layout_, table_);
    WriterOptions options;
    options.version = GetParam().version;
    options.row_block_size_bytes = 256;
    if (GetParam().compressed) {
      options.compression->chunk_size_bytes = 1024;
    } else {
      options.compression.reset();
    }
    Result<std::unique_ptr<SstableWriter>> writer =
        SstableWriter::Create(files_, "t", layout_, options);
    ASSERT_TRUE(writer.ok()) << writer.status().ToString();
    testing::OwnedStream source(layout_, partitions_, false);
    ASSERT_TRUE(WriteStream(source, **writer).ok());
    ASSERT_TRUE((*writer)->Finish().ok());
    for (OwnedPartition& partition : partitions_) {
      std::vector<OwnedPartition> one;
      one.push_back(partition);
      expected_one_.push_back(testing::Transcript(one));
      expected_ += expected_one_.back();
    }
  }

  std::string PathOf(Component component) const {
    return StrCat("t/", descriptor_.FileName(component));
  }

  Content Load(const std::string& path) {
    Result<std::vector<std::byte>> bytes = ReadWholeFile(files_, path, UINT64_MAX);
    EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
    return *std::move(bytes);
  }

  void Store(const std::string& path, const Content& bytes) {
    Result<std::unique_ptr<io::WritableFile>> file = files_.Create(path);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(bytes).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }

  // Empty when all that is read is right or an error, else what is wrong.
  std::string WrongAnswer() {
    Result<std::unique_ptr<SstableReader>> const reader =
        SstableReader::Open(files_, "t", descriptor_);
    if (!reader.ok()) {
      ++errors_;
      return "";
    }
    Result<std::string> const scan = testing::Transcript(*(*reader)->Scan());
    if (scan.ok() && *scan != expected_) {
      return StrCat("scan: ", testing::FirstDifference(*scan, expected_));
    }
    errors_ += scan.ok() ? 0 : 1;
    bool missed = false;
    for (size_t index = 0; index < partitions_.size(); ++index) {
      Bytes const key = AsBytes(partitions_[index].key);
      Result<std::unique_ptr<UnfilteredStream>> const stream = (*reader)->Lookup(key);
      Result<std::string> const found =
          stream.ok() ? testing::Transcript(**stream) : Result<std::string>(stream.status());
      if (found.ok() && !found->empty() && *found != expected_one_[index]) {
        return StrCat("lookup: ", testing::FirstDifference(*found, expected_one_[index]));
      }
      errors_ += found.ok() ? 0 : 1;
      missed = missed || (found.ok() && found->empty());
      // Slices through a damaged row index: any answer, but an end.
      ClusteringSlice slice;
      Result<std::unique_ptr<UnfilteredStream>> const slices =
          (*reader)->Lookup(key, {.slices = {slice}, .reversed = true});
      if (slices.ok()) {
        testing::Transcript(**slices).status().IgnoreError("an error is as good as rows here");
      } else {
        slices.status().IgnoreError("as above");
      }
    }
    if (missed) {
      Result<VerifyReport> const report = Verify(files_, "t", descriptor_);
      if (report.ok() && report->good()) {
        return "a partition is missed and the verifier finds nothing";
      }
    }
    return "";
  }

  testing::RandomTableOptions table_{.partition_count = 2, .row_count_max = 14};
  io::testing::MemoryFileSystem files_;
  Layout layout_;
  std::vector<OwnedPartition> partitions_;
  std::vector<std::string> expected_one_;
  std::string expected_;
  Descriptor descriptor_{GetParam().version, "1"};
  uint64_t errors_ = 0;
};

TEST_P(DamageTest, TheWholeTableVerifies) {
  Result<VerifyReport> const report = Verify(files_, "t", descriptor_);
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  EXPECT_THAT(report->findings, ::testing::IsEmpty());
  EXPECT_EQ(report->partitions, partitions_.size());
  EXPECT_EQ(WrongAnswer(), "");
  EXPECT_EQ(errors_, 0U);
}

TEST_P(DamageTest, EveryByteFlipped) {
  uint64_t flips = 0;
  for (Component const component : kComponents) {
    Result<bool> const exists = files_.Exists(PathOf(component));
    ASSERT_TRUE(exists.ok());
    if (!*exists) {
      continue;
    }
    Content const whole = Load(PathOf(component));
    Content damaged = whole;
    for (size_t index = 0; index < whole.size(); ++index) {
      damaged[index] ^= static_cast<std::byte>(1u << (index % 8));
      Store(PathOf(component), damaged);
      ASSERT_EQ(WrongAnswer(), "") << ComponentFileName(component) << " byte " << index;
      damaged[index] = whole[index];
      ++flips;
    }
    Store(PathOf(component), whole);
  }
  EXPECT_GT(flips, 1000U);
  EXPECT_GT(errors_, flips / 2);
  EXPECT_EQ(WrongAnswer(), "");
}

TEST_P(DamageTest, EveryComponentCutShort) {
  for (Component const component : kComponents) {
    Result<bool> const exists = files_.Exists(PathOf(component));
    ASSERT_TRUE(exists.ok());
    if (!*exists) {
      continue;
    }
    Content const whole = Load(PathOf(component));
    for (size_t size_bytes = 0; size_bytes < whole.size(); size_bytes += 1 + whole.size() / 40) {
      Store(PathOf(component),
            Content(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size_bytes)));
      ASSERT_EQ(WrongAnswer(), "") << ComponentFileName(component) << " of " << size_bytes;
    }
    Content longer = whole;
    longer.push_back(std::byte{0});
    Store(PathOf(component), longer);
    ASSERT_EQ(WrongAnswer(), "") << ComponentFileName(component) << " one byte longer";
    Store(PathOf(component), whole);
  }
}

TEST_P(DamageTest, AMissingComponentIsNamed) {
  for (Component const component : kComponents) {
    Result<bool> const exists = files_.Exists(PathOf(component));
    ASSERT_TRUE(exists.ok());
    if (!*exists) {
      continue;
    }
    Content const whole = Load(PathOf(component));
    ASSERT_TRUE(files_.Remove(PathOf(component)).ok());
    Result<std::unique_ptr<SstableReader>> const reader =
        SstableReader::Open(files_, "t", descriptor_);
    ASSERT_FALSE(reader.ok()) << ComponentFileName(component);
    EXPECT_THAT(reader.status().message(),
                ::testing::HasSubstr(std::string(ComponentFileName(component))));
    Store(PathOf(component), whole);
  }
}

TEST_P(DamageTest, AnotherVersionsNameChangesNoAnswer) {
  Descriptor const written = descriptor_;
  for (Version const version : {Version::Nb(), Version::Oa()}) {
    if (written.version.is_bti() || version == written.version) {
      continue;
    }
    descriptor_ = Descriptor{version, "1"};
    for (Component const component : kComponents) {
      std::string const from = StrCat("t/", written.FileName(component));
      Result<bool> const exists = files_.Exists(from);
      ASSERT_TRUE(exists.ok());
      if (*exists) {
        Store(PathOf(component), Load(from));
      }
    }
    EXPECT_EQ(WrongAnswer(), "") << version.letters();
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, DamageTest,
                         ::testing::Values(Case{"nb", Version::Nb(), true},
                                           Case{"oa_plain", Version::Oa(), false},
                                           Case{"oa", Version::Oa(), true},
                                           Case{"da", Version::Da(), true}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace orochi::sstable
