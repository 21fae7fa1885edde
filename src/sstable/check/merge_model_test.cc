// Goal: what a query sees of several SSTables is what Cassandra's rules say, whatever the order and
// grouping of the merge.
// Method: random tables with overlapping rows, all kinds of deletions and TTLs; the model looks at
// every cell of every table on its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "sstable/check/testing/owned_stream.h"
#include "sstable/read/merge.h"
#include "sstable/write/testing/random_table.h"

namespace orochi::sstable {
namespace {

using testing::OwnedPartition;
using testing::OwnedStream;
using testing::OwnedUnfiltered;
using Table = std::vector<OwnedPartition>;

std::string PlaceText(const ClusteringView& place) {
  std::string text;
  for (const ClusteringValue& value : place.values) {
    text += StrCat("[", AsText(value.bytes), "]");
  }
  return text;
}

// What the model knows of one row: of each cell the winner so far, and what deletes it.
struct ModelRow {
  LivenessInfo liveness;
  int64_t deleted_at = kNoTimestamp;
  std::map<uint32_t, int64_t> complex_deleted_at;
  std::map<std::pair<uint32_t, std::string>, CellView> cells;
};

auto CellRank(const CellView& cell) {
  bool const dies = cell.local_deletion_time != kNoDeletionTime;
  return std::make_tuple(cell.timestamp, dies, dies && cell.ttl == kNoTtl,
                         dies ? cell.local_deletion_time : 0, std::string(AsText(cell.value)));
}

auto LivenessRank(const LivenessInfo& info) {
  return std::make_tuple(info.timestamp, info.expiring(),
                         info.expiring() ? info.local_expiration_time : 0);
}

void AddRow(const Unfiltered& row, ModelRow& model) {
  if (LivenessRank(row.liveness) > LivenessRank(model.liveness)) {
    model.liveness = row.liveness;
  }
  model.deleted_at = std::max(model.deleted_at, row.deletion.marked_for_delete_at);
  for (const ComplexColumnView& complex : row.complex_columns) {
    auto const [at, is_new] =
        model.complex_deleted_at.try_emplace(complex.column_index, kNoTimestamp);
    at->second = std::max(at->second, complex.deletion.marked_for_delete_at);
  }
  for (const CellView& cell : row.cells) {
    auto const [at, is_new] =
        model.cells.try_emplace({cell.column_index, std::string(AsText(cell.path))}, cell);
    if (!is_new && CellRank(cell) > CellRank(at->second)) {
      at->second = cell;
    }
  }
}

std::string LiveText(const ModelRow& row, int64_t deleted_at, int64_t now_s) {
  std::string text;
  int64_t const cover = std::max(deleted_at, row.deleted_at);
  if (row.liveness.timestamp > cover && row.liveness.LiveAt(now_s)) {
    text += StrCat(" live ", row.liveness.timestamp);
  }
  for (const auto& [place, cell] : row.cells) {
    auto const complex = row.complex_deleted_at.find(place.first);
    int64_t const covered =
        complex == row.complex_deleted_at.end() ? cover : std::max(cover, complex->second);
    if (cell.timestamp > covered && cell.LiveAt(now_s)) {
      text +=
          StrCat(" ", place.first, "/", place.second, "=", cell.timestamp, ":", AsText(cell.value));
    }
  }
  return text;
}

std::string ModelAnswer(const Layout& layout, std::vector<Table>& tables, int64_t now_s) {
  auto const comes_before = [&](const std::string& a, const std::string& b) {
    return layout.CompareKeys(AsBytes(a), AsBytes(b)) < 0;
  };
  std::map<std::string, std::vector<OwnedPartition*>, decltype(comes_before)> keys(comes_before);
  for (Table& table : tables) {
    for (OwnedPartition& partition : table) {
      keys[partition.key].push_back(&partition);
    }
  }
  auto const place_before = [&](const ClusteringPrefix& a, const ClusteringPrefix& b) {
    return layout.clustering.Compare(a.view(), b.view()) < 0;
  };
  std::string answer;
  for (auto& [key, partitions] : keys) {
    int64_t deleted_at = kNoTimestamp;
    ModelRow static_row;
    std::map<ClusteringPrefix, ModelRow, decltype(place_before)> rows(place_before);
    for (OwnedPartition* const partition : partitions) {
      deleted_at = std::max(deleted_at, partition->deletion.marked_for_delete_at);
      AddRow(partition->static_row.Get(), static_row);
      for (OwnedUnfiltered& row : partition->rows) {
        if (row.Get().is_row()) {
          AddRow(row.view, rows[ClusteringPrefix(row.view.clustering)]);
        }
      }
    }
    std::string text;
    for (auto& [place, row] : rows) {
      int64_t cover = deleted_at;
      for (OwnedPartition* const partition : partitions) {
        int64_t open_at = kNoTimestamp;
        for (OwnedUnfiltered& other : partition->rows) {
          if (!other.Get().is_row() &&
              layout.clustering.Compare(other.view.clustering, place.view()) < 0) {
            open_at = other.view.open.marked_for_delete_at;
          }
        }
        cover = std::max(cover, open_at);
      }
      std::string const live = LiveText(row, cover, now_s);
      if (!live.empty()) {
        text += StrCat("  ", PlaceText(place.view()), live, "\n");
      }
    }
    std::string const live_static = LiveText(static_row, deleted_at, now_s);
    if (!text.empty() || !live_static.empty()) {
      answer += StrCat(key, " static", live_static, "\n", text);
    }
  }
  return answer;
}

std::string RowText(const Unfiltered& row) {
  ModelRow model;
  AddRow(row, model);
  return LiveText(model, kNoTimestamp, 0);
}

std::string FoundAnswer(UnfilteredStream& stream) {
  std::string answer;
  for (;;) {
    Result<bool> const more = stream.NextPartition();
    EXPECT_TRUE(more.ok()) << more.status().ToString();
    if (!more.ok() || !*more) {
      return answer;
    }
    EXPECT_TRUE(stream.partition().deletion.live());
    answer += StrCat(AsText(stream.partition().key), " static", RowText(stream.static_row()), "\n");
    for (;;) {
      Result<bool> const found = stream.Next();
      EXPECT_TRUE(found.ok()) << found.status().ToString();
      if (!found.ok() || !*found) {
        break;
      }
      EXPECT_TRUE(stream.current().is_row());
      answer +=
          StrCat("  ", PlaceText(stream.current().clustering), RowText(stream.current()), "\n");
    }
  }
}

class MergeModelTest : public ::testing::Test {
 protected:
  std::vector<Table> RandomTables(uint64_t count) {
    std::vector<Table> tables;
    for (uint64_t index = 0; index < count; ++index) {
      Table table = RandomPartitions(random_, layout_, options_);
      table.erase(std::remove_if(table.begin(), table.end(),
                                 [&](const OwnedPartition&) { return random_.OneIn(4); }),
                  table.end());
      tables.push_back(std::move(table));
    }
    return tables;
  }

  std::unique_ptr<UnfilteredStream> MergeOf(const std::vector<Table>& tables,
                                            const MergeOptions& options) {
    std::vector<std::unique_ptr<UnfilteredStream>> streams;
    for (const Table& table : tables) {
      streams.push_back(std::make_unique<OwnedStream>(layout_, table, options.reversed));
    }
    Result<std::unique_ptr<UnfilteredStream>> merged = Merge(std::move(streams), layout_, options);
    EXPECT_TRUE(merged.ok()) << merged.status().ToString();
    return *std::move(merged);
  }

  std::string TranscriptOf(UnfilteredStream& stream) {
    Result<std::string> text = testing::Transcript(stream);
    EXPECT_TRUE(text.ok()) << text.status().ToString();
    return text.ok() ? *std::move(text) : std::string();
  }

  SeededRandom random_{orochi::testing::TestSeed(11)};
  testing::RandomTableOptions options_{.partition_count = 6, .row_count_max = 60};
  Layout layout_ = RandomTableLayout(options_);
};

TEST_F(MergeModelTest, AQuerySeesWhatTheModelSees) {
  for (int round = 0; round < 20; ++round) {
    std::vector<Table> tables = RandomTables(1 + random_.Below(4));
    for (int64_t const now_s : {1'700'000'000, 1'800'050'000, 2'000'000'000}) {
      std::string const found = FoundAnswer(*MergeOf(tables, {.live_at_s = now_s}));
      ASSERT_EQ(testing::FirstDifference(found, ModelAnswer(layout_, tables, now_s)), "")
          << "round " << round << " at " << now_s;
    }
  }
}

TEST_F(MergeModelTest, OrderAndGroupingSayNothing) {
  for (int round = 0; round < 12; ++round) {
    std::vector<Table> tables = RandomTables(3);
    std::string const expected = TranscriptOf(*MergeOf(tables, {}));
    std::reverse(tables.begin(), tables.end());
    ASSERT_EQ(testing::FirstDifference(TranscriptOf(*MergeOf(tables, {})), expected), "");

    std::vector<std::unique_ptr<UnfilteredStream>> streams;
    streams.push_back(MergeOf({tables[0], tables[1]}, {}));
    streams.push_back(std::make_unique<OwnedStream>(layout_, tables[2], false));
    Result<std::unique_ptr<UnfilteredStream>> const nested = Merge(std::move(streams), layout_, {});
    ASSERT_TRUE(nested.ok());
    ASSERT_EQ(testing::FirstDifference(TranscriptOf(**nested), expected), "") << round;

    ASSERT_EQ(testing::FirstDifference(TranscriptOf(*MergeOf(tables, {.reversed = true})),
                                       testing::ReversedTranscript(expected)),
              "");
  }
}

TEST_F(MergeModelTest, PurgingChangesNothingAQuerySees) {
  for (int round = 0; round < 12; ++round) {
    std::vector<Table> tables = RandomTables(2);
    int64_t const now_s = 1'800'050'000;
    std::string const expected = FoundAnswer(*MergeOf(tables, {.live_at_s = now_s}));
    for (int64_t const gc_before_s : {int64_t{0}, int64_t{1'700'050'000}, now_s}) {
      MergeOptions options;
      options.purge = {.now_s = now_s, .gc_before_s = gc_before_s};
      std::vector<std::unique_ptr<UnfilteredStream>> streams;
      streams.push_back(MergeOf(tables, options));
      Result<std::unique_ptr<UnfilteredStream>> const seen =
          Merge(std::move(streams), layout_, {.live_at_s = now_s});
      ASSERT_TRUE(seen.ok());
      ASSERT_EQ(testing::FirstDifference(FoundAnswer(**seen), expected), "") << gc_before_s;
    }
    MergeOptions all;
    all.purge = {.now_s = 4'000'000'000, .gc_before_s = 4'000'000'000};
    std::string const left = TranscriptOf(*MergeOf(tables, all));
    EXPECT_EQ(left.find("marker"), std::string::npos);
    EXPECT_EQ(left.find("@1700"), std::string::npos);  // how a deletion is shown
  }
}

}  // namespace
}  // namespace orochi::sstable
