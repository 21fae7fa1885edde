// Goal: of a damaged SSTable every row outside the damage is salvaged, every row salvaged is the
// one that was written, what is lost is listed, and the result is a sound SSTable. Method: bytes of
// every component of small tables flipped, every component cut short or removed; each time the
// table is scrubbed and the result verified and compared, row by row, with what was written and
// with the bytes that the damage reaches. By default some bytes of each component are
// flipped, other ones with another seed; OROCHI_SCRUB_EVERY_BYTE=1 flips all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "io/testing/memory_file_system.h"
#include "sstable/check/testing/owned_stream.h"
#include "sstable/read/reader.h"
#include "sstable/read/verify.h"
#include "sstable/write/rewrite.h"
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
constexpr uint32_t kChunkSizeBytes = 1024;

struct Case {
  const char* name;
  Version version;
  std::optional<CompressorKind> compressor;
};

/// A row, by partition and place: what it says, and its bytes in the whole Data.db.
struct KnownRow {
  std::string text;
  uint64_t begin_bytes = 0;
  uint64_t end_bytes = 0;
};
/// By partition key, then by what Transcript says of the row.
using KnownTable = std::map<std::string, std::map<std::string, KnownRow>>;

std::string RowText(const Layout& layout, const Unfiltered& row) {
  std::vector<OwnedPartition> none;
  std::string text = StrCat(static_cast<int>(row.clustering.kind));
  for (const ClusteringValue& value : row.clustering.values) {
    text += StrCat(" ", value.is_null ? "null" : std::string(AsText(value.bytes)));
  }
  text += StrCat(" live ", row.liveness.timestamp, " ", row.liveness.ttl, " deleted ",
                 row.deletion.marked_for_delete_at, " ", row.deletion.local_deletion_time);
  for (const CellView& cell : row.cells) {
    text += StrCat(" [", layout.columns(row.is_static())[cell.column_index].name, " ",
                   cell.timestamp, " ", cell.ttl, " ", cell.local_deletion_time, " ",
                   AsText(cell.path), "=", AsText(cell.value), "]");
  }
  for (const ComplexColumnView& complex : row.complex_columns) {
    text += StrCat(" {", complex.column_index, " ", complex.deletion.marked_for_delete_at, " ",
                   complex.cell_begin, " ", complex.cell_end, "}");
  }
  return text;
}

class ScrubTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    ASSERT_TRUE(files_.CreateDirectories("t").ok());
    ASSERT_TRUE(files_.CreateDirectories("out").ok());
    SeededRandom random(orochi::testing::TestSeed(7));
    testing::RandomTableOptions const table = {.partition_count = 5, .row_count_max = 40};
    layout_ = RandomTableLayout(table);
    std::vector<OwnedPartition> partitions = RandomPartitions(random, layout_, table);
    WriterOptions options;
    options.version = GetParam().version;
    options.row_block_size_bytes = 512;
    if (GetParam().compressor.has_value()) {
      options.compression->kind = *GetParam().compressor;
      options.compression->chunk_size_bytes = kChunkSizeBytes;
    } else {
      options.compression.reset();
    }
    Result<std::unique_ptr<SstableWriter>> writer =
        SstableWriter::Create(files_, "t", layout_, options);
    ASSERT_TRUE(writer.ok()) << writer.status().ToString();
    testing::OwnedStream source(layout_, partitions, false);
    ASSERT_TRUE(WriteStream(source, **writer).ok());
    ASSERT_TRUE((*writer)->Finish().ok());
    Learn();
  }

  // What is where.
  void Learn() {
    Result<std::unique_ptr<SstableReader>> const reader =
        SstableReader::Open(files_, "t", descriptor_);
    ASSERT_TRUE(reader.ok());
    data_size_bytes_ = (*reader)->data().size_bytes();
    std::unique_ptr<UnfilteredStream> const stream = (*reader)->Scan();
    std::vector<KnownRow*> in_order;
    std::vector<uint64_t> begins;
    while (*stream->NextPartition()) {
      std::string const key(AsText(stream->partition().key));
      uint64_t const begin = stream->partition().position_bytes;
      begins.push_back(begin == 0 ? 0 : begin - 1);  // where the partition before it ends
      header_end_bytes_[key] = stream->partition().body_position_bytes;
      partition_begin_bytes_[key] = stream->partition().position_bytes;
      known_[key];
      while (*stream->Next()) {
        const Unfiltered& current = stream->current();
        begins.push_back(current.position_bytes);
        if (current.is_row()) {
          KnownRow& row = known_[key][RowText(layout_, current)];
          row = {RowText(layout_, current), current.position_bytes, 0};
          in_order.push_back(&row);
        }
      }
    }
    begins.push_back(data_size_bytes_ - 1);
    std::sort(begins.begin(), begins.end());
    for (KnownRow* row : in_order) {
      row->end_bytes = *std::upper_bound(begins.begin(), begins.end(), row->begin_bytes);
    }
    row_count_ = in_order.size();
    ASSERT_GT(row_count_, 30U);
  }

  std::string PathOf(Component component) const {
    return StrCat("t/", descriptor_.FileName(component));
  }
  bool Has(Component component) { return *files_.Exists(PathOf(component)); }
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
  void ClearOut() {
    std::vector<std::string> const names = *files_.List("out");
    for (const std::string& name : names) {
      ASSERT_TRUE(files_.Remove("out/" + name).ok());
    }
  }

  /// The uncompressed bytes that byte `index` of Data.db stands for.
  std::pair<uint64_t, uint64_t> ReachOf(uint64_t index) {
    if (!GetParam().compressor.has_value()) {
      constexpr uint64_t kBlock = 65536;
      return {index / kBlock * kBlock, (index / kBlock + 1) * kBlock};
    }
    Result<CompressionInfo> const info =
        CompressionInfo::Decode(Load(PathOf(Component::kCompressionInfo)), descriptor_.version);
    size_t chunk = 0;
    while (chunk + 1 < info->chunk_count() && info->chunk_offsets[chunk + 1] <= index) {
      ++chunk;
    }
    return {chunk * uint64_t{kChunkSizeBytes}, (chunk + 1) * uint64_t{kChunkSizeBytes}};
  }

  struct Outcome {
    std::string wrong;  // empty: all that was salvaged is right
    bool opened = false;
    SalvageReport report;
    std::map<std::string, std::set<std::string>> rows;
  };

  /// Scrubs the table as it is now and looks at the result.
  Outcome ScrubNow() {
    Outcome outcome;
    ClearOut();
    Result<std::unique_ptr<SalvageReader>> const reader =
        SalvageReader::Open(files_, "t", descriptor_);
    if (!reader.ok()) {
      outcome.wrong = reader.status().code() == StatusCode::kCorruption ||
                              reader.status().code() == StatusCode::kNotFound
                          ? ""
                          : reader.status().ToString();
      return outcome;
    }
    outcome.opened = true;
    Result<WriterOptions> options = OptionsLike(**reader);
    EXPECT_TRUE(options.ok());
    Result<std::optional<WrittenSstable>> const written = Scrub(**reader, files_, "out", *options);
    outcome.report = (*reader)->report();
    if (!written.ok()) {
      outcome.wrong = written.status().ToString();
    } else if (!written->has_value()) {
      outcome.wrong = files_.List("out")->empty() ? "" : "files are left";
    } else {
      Inspect((*written)->descriptor, outcome);
    }
    return outcome;
  }

  void Inspect(const Descriptor& descriptor, Outcome& outcome) {
    Result<VerifyReport> const verified = Verify(files_, "out", descriptor);
    if (!verified.ok() || !verified->good()) {
      outcome.wrong = verified.ok() ? verified->findings.front() : verified.status().ToString();
      return;
    }
    Result<std::unique_ptr<SstableReader>> const copy =
        SstableReader::Open(files_, "out", descriptor);
    std::unique_ptr<UnfilteredStream> const stream = (*copy)->Scan();
    while (*stream->NextPartition()) {
      std::string const key(AsText(stream->partition().key));
      auto const partition = known_.find(key);
      if (partition == known_.end()) {
        outcome.wrong = "a partition that was never written";
        return;
      }
      std::set<std::string>& rows = outcome.rows[key];
      while (*stream->Next()) {
        if (!stream->current().is_row()) {
          continue;
        }
        std::string const text = RowText(layout_, stream->current());
        if (!partition->second.contains(text) || !rows.insert(text).second) {
          outcome.wrong = "a row that was never written: " + text;
          return;
        }
      }
    }
  }

  uint64_t RowsOf(const Outcome& outcome) const {
    uint64_t count = 0;
    for (auto const& [key, rows] : outcome.rows) {
      count += rows.size();
    }
    return count;
  }

  /// Rows that bytes [begin, end) do not touch and that are not there. A row alone behind the
  /// damage at its partition's end has nothing that proves it to be one; those are counted apart.
  std::string Missing(const Outcome& outcome, uint64_t begin, uint64_t end, uint64_t& alone) const {
    bool const is_bti = descriptor_.version.is_bti();
    for (auto const& [key, rows] : known_) {
      bool const header_hit =
          partition_begin_bytes_.at(key) < end && header_end_bytes_.at(key) > begin;
      auto const salvaged = outcome.rows.find(key);
      uint64_t missing = 0;
      for (auto const& [text, row] : rows) {
        bool const hit = row.begin_bytes < end && row.end_bytes > begin;
        if (hit || (salvaged != outcome.rows.end() && salvaged->second.contains(text))) {
          continue;
        }
        ++missing;
        bool const is_behind = row.begin_bytes >= end && partition_begin_bytes_.at(key) < end;
        if (is_behind && header_hit && is_bti) {
          --missing;  // the key of a narrow partition stands nowhere else
        } else if (!is_behind || missing > 1) {
          return StrCat("a row at ", row.begin_bytes, " to ", row.end_bytes, " is missing: damage ",
                        begin, " to ", end, ", partition from ", partition_begin_bytes_.at(key));
        }
      }
      alone += missing;
    }
    return "";
  }

  io::testing::MemoryFileSystem files_;
  Layout layout_;
  Descriptor descriptor_{GetParam().version, "1"};
  KnownTable known_;
  std::map<std::string, uint64_t> partition_begin_bytes_;
  std::map<std::string, uint64_t> header_end_bytes_;
  uint64_t data_size_bytes_ = 0;
  uint64_t row_count_ = 0;
};

TEST_P(ScrubTest, AWholeTableLosesNothing) {
  Outcome const outcome = ScrubNow();
  EXPECT_EQ(outcome.wrong, "");
  EXPECT_EQ(RowsOf(outcome), row_count_);
  EXPECT_TRUE(outcome.report.all_rows());
  EXPECT_THAT(outcome.report.notes, ::testing::IsEmpty());
  Result<std::string> const before =
      testing::Transcript(*(*SstableReader::Open(files_, "t", descriptor_))->Scan());
  Result<std::string> const after =
      testing::Transcript(*(*SstableReader::Open(files_, "out", descriptor_))->Scan());
  EXPECT_EQ(testing::FirstDifference(*after, *before), "");
}

TEST_P(ScrubTest, EveryByteFlipped) {
  uint64_t alone = 0;
  uint64_t gaps = 0;
  for (Component const component : kComponents) {
    if (!Has(component)) {
      continue;
    }
    Content const whole = Load(PathOf(component));
    Content damaged = whole;
    bool const every_byte = std::getenv("OROCHI_SCRUB_EVERY_BYTE") != nullptr;
    size_t const step = every_byte ? 1 : 1 + whole.size() / 25;
    size_t const first = orochi::testing::TestSeed(7) % step;
    for (size_t index = first; index < whole.size(); index += step) {
      std::pair<uint64_t, uint64_t> const reach =
          component == Component::kData ? ReachOf(index) : std::pair<uint64_t, uint64_t>(0, 0);
      damaged[index] ^= static_cast<std::byte>(1u << (index % 8));
      Store(PathOf(component), damaged);
      Outcome const outcome = ScrubNow();
      ASSERT_EQ(outcome.wrong, "") << ComponentFileName(component) << " byte " << index;
      damaged[index] = whole[index];
      if (component == Component::kStatistics && !outcome.opened) {
        continue;  // the header is damaged
      }
      ASSERT_EQ(Missing(outcome, reach.first, reach.second, alone), "")
          << ComponentFileName(component) << " byte " << index;
      ASSERT_EQ(outcome.report.all_rows(),
                RowsOf(outcome) == row_count_ && component != Component::kData)
          << ComponentFileName(component) << " byte " << index;
      gaps += component == Component::kData ? 1 : 0;
    }
    Store(PathOf(component), whole);
  }
  EXPECT_GT(gaps, 15U);
  EXPECT_LE(alone, gaps / 2) << "rows alone behind the damage that were not taken for rows";
}

TEST_P(ScrubTest, SeveralChunksDamaged) {
  SeededRandom random(orochi::testing::TestSeed(8));
  Content const whole = Load(PathOf(Component::kData));
  uint64_t salvaged = 0;
  for (int round = 0; round < 30; ++round) {
    Content damaged = whole;
    for (uint64_t left = 1 + random.Below(4); left > 0; --left) {
      damaged[random.Below(damaged.size())] ^= std::byte{0x10};
    }
    Store(PathOf(Component::kData), damaged);
    Outcome const outcome = ScrubNow();
    ASSERT_EQ(outcome.wrong, "") << "round " << round;
    salvaged += RowsOf(outcome);
    EXPECT_GT(outcome.report.lost_bytes, 0U);
    if (outcome.report.rows_before.has_value()) {
      EXPECT_LT(outcome.report.rows, *outcome.report.rows_before);
    }
  }
  if (GetParam().compressor.has_value()) {
    EXPECT_GT(salvaged, 30 * row_count_ / 4);
  }
}

TEST_P(ScrubTest, DataAndIndexDamagedTogetherMakeNoRowUp) {
  SeededRandom random(orochi::testing::TestSeed(9));
  Component const index_component =
      descriptor_.version.is_bti() ? Component::kPartitions : Component::kIndex;
  Content const data = Load(PathOf(Component::kData));
  Content const index = Load(PathOf(index_component));
  for (int round = 0; round < 60; ++round) {
    Content damaged = data;
    damaged[random.Below(damaged.size())] ^= std::byte{0x10};
    Store(PathOf(Component::kData), damaged);
    damaged = index;
    if (random.OneIn(3)) {
      damaged.resize(random.Below(damaged.size()));
    } else {
      damaged[random.Below(damaged.size())] ^= static_cast<std::byte>(1 + random.Below(255));
    }
    Store(PathOf(index_component), damaged);
    ASSERT_EQ(ScrubNow().wrong, "") << "round " << round;
  }
}

// Without checksums any bytes can be rows; what makes no sense as rows of this table is lost.
TEST_P(ScrubTest, WhatNoChecksumCoversMakesASoundTable) {
  if (GetParam().compressor.has_value()) {
    GTEST_SKIP() << "compressed data has its checksums inside";
  }
  ASSERT_TRUE(files_.Remove(PathOf(Component::kCrc)).ok());
  ASSERT_TRUE(files_.Remove(PathOf(Component::kDigest)).ok());
  Content const whole = Load(PathOf(Component::kData));
  Content damaged = whole;
  SeededRandom random(orochi::testing::TestSeed(10));
  uint64_t rows = 0;
  constexpr int kRounds = 300;
  for (int round = 0; round < kRounds; ++round) {
    size_t const index = random.Below(whole.size());
    damaged[index] ^= static_cast<std::byte>(1 + random.Below(255));
    Store(PathOf(Component::kData), damaged);
    Outcome const outcome = ScrubNow();
    ASSERT_TRUE(outcome.opened) << outcome.wrong;
    if (!outcome.wrong.starts_with("a row that was never written") &&
        !outcome.wrong.ends_with("that nobody can have meant")) {
      ASSERT_EQ(outcome.wrong, "") << "byte " << index;
    }
    rows += outcome.report.rows;
    damaged[index] = whole[index];
  }
  EXPECT_GT(rows, kRounds * row_count_ / 2) << "one wrong byte costs most of the table";
}

TEST_P(ScrubTest, TheCompressorIsFoundThoughItsNameAndAChunkAreDamaged) {
  if (!GetParam().compressor.has_value()) {
    GTEST_SKIP() << "not compressed";
  }
  Content info = Load(PathOf(Component::kCompressionInfo));
  info[4] ^= std::byte{0x20};  // inside the name: a u16 size and at least 13 letters
  Store(PathOf(Component::kCompressionInfo), info);
  Content data = Load(PathOf(Component::kData));
  data[data.size() / 2] ^= std::byte{1};
  Store(PathOf(Component::kData), data);
  Outcome const outcome = ScrubNow();
  EXPECT_EQ(outcome.wrong, "");
  ASSERT_TRUE(outcome.opened);
  EXPECT_GT(RowsOf(outcome), row_count_ / 2);
  EXPECT_LT(RowsOf(outcome), row_count_);
}

// What the index says of a partition is covered by no checksum.
TEST_P(ScrubTest, ADeletionThatTheIndexMakesUpIsNotTaken) {
  if (descriptor_.version.is_bti()) {
    GTEST_SKIP() << "for the row lists of Index.db";
  }
  Content damaged = Load(PathOf(Component::kData));
  damaged[2] ^= std::byte{1};  // the first partition's key
  Store(PathOf(Component::kData), damaged);
  Content const index = Load(PathOf(Component::kIndex));
  for (size_t at = 0; at < std::min<size_t>(index.size(), 200); ++at) {
    for (int bit : {0, 7}) {
      damaged = index;
      damaged[at] ^= static_cast<std::byte>(1 << bit);
      Store(PathOf(Component::kIndex), damaged);
      Outcome const outcome = ScrubNow();
      ASSERT_THAT(outcome.wrong, ::testing::Not(::testing::HasSubstr("meant")))
          << "byte " << at << " bit " << bit;
    }
  }
}

TEST_P(ScrubTest, EveryComponentCutShort) {
  for (Component const component : kComponents) {
    if (!Has(component)) {
      continue;
    }
    Content const whole = Load(PathOf(component));
    uint64_t const step = 1 + whole.size() / 20;
    uint64_t rows_before = 0;
    for (size_t size_bytes = 0; size_bytes < whole.size(); size_bytes += step) {
      Store(PathOf(component),
            Content(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(size_bytes)));
      Outcome const outcome = ScrubNow();
      ASSERT_EQ(outcome.wrong, "") << ComponentFileName(component) << " of " << size_bytes;
      if (component == Component::kData) {
        ASSERT_GE(RowsOf(outcome) + 20, rows_before) << "more data, and much fewer rows";
        rows_before = RowsOf(outcome);
      } else if (component != Component::kStatistics) {
        ASSERT_EQ(RowsOf(outcome), row_count_)
            << ComponentFileName(component) << " of " << size_bytes;
      }
    }
    Store(PathOf(component), whole);
  }
}

TEST_P(ScrubTest, AMissingComponentIsMadeAnew) {
  for (Component const component : kComponents) {
    if (!Has(component)) {
      continue;
    }
    Content const whole = Load(PathOf(component));
    ASSERT_TRUE(files_.Remove(PathOf(component)).ok());
    Outcome const outcome = ScrubNow();
    EXPECT_EQ(outcome.wrong, "") << ComponentFileName(component);
    bool const needed = component == Component::kData || component == Component::kStatistics;
    EXPECT_EQ(outcome.opened, !needed) << ComponentFileName(component);
    if (!needed) {
      EXPECT_EQ(RowsOf(outcome), row_count_) << ComponentFileName(component);
    }
    Store(PathOf(component), whole);
  }
}

TEST_P(ScrubTest, ListsWhatIsLost) {
  if (!GetParam().compressor.has_value()) {
    GTEST_SKIP() << "one block holds the whole table";
  }
  Content damaged = Load(PathOf(Component::kData));
  std::pair<uint64_t, uint64_t> const reach = ReachOf(damaged.size() / 2);
  damaged[damaged.size() / 2] ^= std::byte{1};
  Store(PathOf(Component::kData), damaged);
  SalvageReport const report = ScrubNow().report;
  ASSERT_FALSE(report.losses.empty());
  for (const SalvageLoss& loss : report.losses) {
    if (loss.kind != SalvageLoss::Kind::kRangeTombstone) {
      EXPECT_LT(loss.position_bytes, reach.second);
    }
    EXPECT_TRUE(loss.key.has_value() || descriptor_.version.is_bti());
    EXPECT_THAT(loss.why, ::testing::Not(::testing::IsEmpty()));
  }
  EXPECT_GE(report.lost_bytes, kChunkSizeBytes);
  EXPECT_LT(report.lost_bytes, data_size_bytes_ / 2);
}

INSTANTIATE_TEST_SUITE_P(
    Formats, ScrubTest,
    ::testing::Values(Case{"nb", Version::Nb(), CompressorKind::kLz4},
                      Case{"oa_plain", Version::Oa(), std::nullopt},
                      Case{"oa_snappy", Version::Oa(), CompressorKind::kSnappy},
                      Case{"oa_deflate", Version::Oa(), CompressorKind::kDeflate},
                      Case{"da", Version::Da(), CompressorKind::kZstd}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace orochi::sstable
