// Goal: slices of partitions with range tombstones hold what they should, forwards and backwards,
// through both kinds of row index and without one.
// Method: random tables in small blocks and chunks; random slices; the model cuts the list of rows
// and the list of ranges.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "io/testing/memory_file_system.h"
#include "sstable/check/testing/owned_stream.h"
#include "sstable/read/reader.h"
#include "sstable/write/sstable_writer.h"
#include "sstable/write/testing/random_table.h"

namespace orochi::sstable {
namespace {

using testing::OwnedPartition;
using testing::OwnedUnfiltered;

struct DeletedRange {
  ClusteringPrefix start;
  ClusteringPrefix end;
  DeletionTime deletion;
};

OwnedUnfiltered MarkerAt(const ClusteringPrefix& place, ClusteringKind kind, DeletionTime close,
                         DeletionTime open) {
  OwnedUnfiltered marker;
  marker.view.kind = Unfiltered::Kind::kMarker;
  marker.view.clustering.kind = kind;
  marker.view.close = close;
  marker.view.open = open;
  for (const ClusteringValue& value : place.view().values) {
    marker.clustering_bytes.emplace_back(AsText(value.bytes));
  }
  return marker;
}

std::vector<DeletedRange> RangesOf(std::vector<OwnedUnfiltered>& rows) {
  std::vector<DeletedRange> ranges;
  std::optional<DeletedRange> open;
  for (OwnedUnfiltered& row : rows) {
    const Unfiltered& unfiltered = row.Get();
    if (unfiltered.is_row()) {
      continue;
    }
    if (open.has_value()) {
      open->end.Assign(unfiltered.clustering);
      ranges.push_back(*open);
      open.reset();
    }
    if (OpensDeletion(unfiltered.clustering.kind)) {
      open = DeletedRange{ClusteringPrefix(unfiltered.clustering), {}, unfiltered.open};
    }
  }
  return ranges;
}

bool IsBeforeSide(ClusteringKind kind) {
  return kind == ClusteringKind::kInclStartBound || kind == ClusteringKind::kExclEndBound ||
         kind == ClusteringKind::kExclEndInclStartBoundary;
}

// The rows of the slice, and the ranges cut to it as markers, in order.
std::vector<OwnedUnfiltered> Cut(const Layout& layout, std::vector<OwnedUnfiltered>& rows,
                                 const ClusteringSlice& slice) {
  const ClusteringFormat& order = layout.clustering;
  std::vector<OwnedUnfiltered> cut;
  for (DeletedRange& range : RangesOf(rows)) {
    const ClusteringPrefix& start =
        order.Compare(range.start.view(), slice.start.view()) < 0 ? slice.start : range.start;
    const ClusteringPrefix& end =
        order.Compare(range.end.view(), slice.end.view()) > 0 ? slice.end : range.end;
    if (order.Compare(start.view(), end.view()) >= 0) {
      continue;
    }
    bool const start_is_before = IsBeforeSide(start.view().kind);
    if (!cut.empty() && order.Compare(cut.back().Get().clustering, start.view()) == 0) {
      cut.back().view.clustering.kind = start_is_before ? ClusteringKind::kExclEndInclStartBoundary
                                                        : ClusteringKind::kInclEndExclStartBoundary;
      cut.back().view.open = range.deletion;
    } else {
      cut.push_back(MarkerAt(
          start,
          start_is_before ? ClusteringKind::kInclStartBound : ClusteringKind::kExclStartBound, {},
          range.deletion));
    }
    cut.push_back(MarkerAt(end,
                           IsBeforeSide(end.view().kind) ? ClusteringKind::kExclEndBound
                                                         : ClusteringKind::kInclEndBound,
                           range.deletion, {}));
  }
  for (OwnedUnfiltered& row : rows) {
    if (row.Get().is_row() && order.Compare(row.view.clustering, slice.start.view()) > 0 &&
        order.Compare(row.view.clustering, slice.end.view()) < 0) {
      cut.push_back(row);
    }
  }
  std::stable_sort(cut.begin(), cut.end(), [&](OwnedUnfiltered a, OwnedUnfiltered b) {
    return order.Compare(a.Get().clustering, b.Get().clustering) < 0;
  });
  return cut;
}

ClusteringPrefix RandomBound(Random& random) {
  std::string number;
  AppendBigEndian(number, static_cast<int32_t>(random.Below(21)) - 1);
  std::string text;
  for (uint64_t left = random.Below(4); left > 0; --left) {
    text.push_back(static_cast<char>('a' + random.Below(4)));
  }
  ClusteringValue const values[] = {{AsBytes(number), false}, {AsBytes(text), false}};
  ClusteringView view;
  view.kind = random.OneIn(2) ? ClusteringKind::kInclStartBound : ClusteringKind::kExclStartBound;
  view.values = {values, static_cast<size_t>(random.Below(3))};
  return ClusteringPrefix(view);
}

std::vector<ClusteringSlice> RandomSlices(Random& random, const ClusteringFormat& order) {
  std::vector<ClusteringPrefix> bounds;
  for (uint64_t left = 2 * (1 + random.Below(3)); left > 0; --left) {
    bounds.push_back(RandomBound(random));
  }
  auto const compare = [&](const ClusteringPrefix& a, const ClusteringPrefix& b) {
    return order.Compare(a.view(), b.view());
  };
  std::sort(bounds.begin(), bounds.end(),
            [&](const auto& a, const auto& b) { return compare(a, b) < 0; });
  bounds.erase(std::unique(bounds.begin(), bounds.end(),
                           [&](const auto& a, const auto& b) { return compare(a, b) == 0; }),
               bounds.end());
  std::vector<ClusteringSlice> slices;
  for (size_t index = 0; index + 1 < bounds.size(); index += 2) {
    ClusteringSlice slice{bounds[index], bounds[index + 1]};
    slice.end.set_kind(IsBeforeSide(slice.end.view().kind) ? ClusteringKind::kExclEndBound
                                                           : ClusteringKind::kInclEndBound);
    slices.push_back(std::move(slice));
  }
  return slices;
}

std::string TranscriptOf(Result<std::unique_ptr<UnfilteredStream>> stream) {
  EXPECT_TRUE(stream.ok()) << stream.status().ToString();
  Result<std::string> text = testing::Transcript(**stream);
  EXPECT_TRUE(text.ok()) << text.status().ToString();
  return text.ok() ? *std::move(text) : std::string();
}

class SlicesTest : public ::testing::TestWithParam<const char*> {};

TEST_P(SlicesTest, AreThoseOfTheModel) {
  SeededRandom random(orochi::testing::TestSeed(7));
  std::string_view const version = GetParam();
  for (int round = 0; round < 4; ++round) {
    testing::RandomTableOptions table;
    table.partition_count = 4;
    table.row_count_max = round % 3 == 0 ? 10 : 300;
    Layout const layout = RandomTableLayout(table);
    std::vector<OwnedPartition> partitions = RandomPartitions(random, layout, table);
    io::testing::MemoryFileSystem files;
    ASSERT_TRUE(files.CreateDirectories("t").ok());
    WriterOptions options;
    options.version = version == "nb"   ? Version::Nb()
                      : version == "da" ? Version::Da()
                                        : Version::Oa();
    options.row_block_size_bytes = static_cast<uint32_t>(200 + random.Below(2000));
    if (random.OneIn(3)) {
      options.compression.reset();
    } else {
      options.compression->chunk_size_bytes = 512;
    }
    Result<std::unique_ptr<SstableWriter>> writer =
        SstableWriter::Create(files, "t", layout, options);
    ASSERT_TRUE(writer.ok()) << writer.status().ToString();
    testing::OwnedStream source(layout, partitions, false);
    Status const copied = WriteStream(source, **writer);
    ASSERT_TRUE(copied.ok()) << copied.ToString();
    Result<WrittenSstable> const written = (*writer)->Finish();
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    Result<std::unique_ptr<SstableReader>> const reader =
        SstableReader::Open(files, "t", written->descriptor);
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();

    for (int tries = 0; tries < 12; ++tries) {
      std::vector<ClusteringSlice> const slices = RandomSlices(random, layout.clustering);
      if (slices.empty()) {
        continue;
      }
      std::string all_expected;
      for (OwnedPartition& partition : partitions) {
        OwnedPartition cut = partition;
        cut.rows.clear();
        for (const ClusteringSlice& slice : slices) {
          for (OwnedUnfiltered& row : Cut(layout, partition.rows, slice)) {
            cut.rows.push_back(std::move(row));
          }
        }
        std::vector<OwnedPartition> one;
        one.push_back(std::move(cut));
        std::string const expected = testing::Transcript(one);
        all_expected += expected;
        for (bool const reversed : {false, true}) {
          std::string const found = TranscriptOf(
              (*reader)->Lookup(AsBytes(partition.key), {.slices = slices, .reversed = reversed}));
          ASSERT_EQ(testing::FirstDifference(
                        found, reversed ? testing::ReversedTranscript(expected) : expected),
                    "")
              << "round " << round << " try " << tries << " key " << partition.key
              << (reversed ? " reversed" : "");
        }
      }
      for (bool const reversed : {false, true}) {
        std::string const found = TranscriptOf(
            (*reader)->Scan(PartitionRange(), {.slices = slices, .reversed = reversed}));
        ASSERT_EQ(testing::FirstDifference(
                      found, reversed ? testing::ReversedTranscript(all_expected) : all_expected),
                  "");
      }
    }
    std::string const everything = TranscriptOf((*reader)->Scan(PartitionRange()));
    ASSERT_EQ(testing::FirstDifference(everything, testing::Transcript(partitions)), "");
    ASSERT_EQ(TranscriptOf((*reader)->Scan(PartitionRange(), {.reversed = true})),
              testing::ReversedTranscript(everything));
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, SlicesTest, ::testing::Values("nb", "oa", "da"),
                         [](const auto& parameter) { return std::string(parameter.param); });

}  // namespace
}  // namespace orochi::sstable
