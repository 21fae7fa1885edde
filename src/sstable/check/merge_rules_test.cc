// Goal: of what several SSTables say of one place, what Cassandra keeps is kept.
// Method: one partition with one row in each of two tables in memory, merged in both orders; the
// answer is written next to each pair. Cassandra's own rules are judged end to end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/str_cat.h"
#include "sstable/check/testing/owned_stream.h"
#include "sstable/read/merge.h"
#include "sstable/types/bytes.h"

namespace orochi::sstable {
namespace {

using ::testing::HasSubstr;
using testing::OwnedPartition;
using testing::OwnedUnfiltered;

Layout OneColumn(TypeKind kind) {
  Layout layout;
  layout.key_type = SimpleType(TypeKind::kText);
  layout.regulars = {Column::Of("v", SimpleType(kind))};
  return layout;
}

struct CellOf {
  std::string value = {};
  int64_t timestamp = 10;
  uint32_t deleted_s = kNoDeletionTime;
  int32_t ttl = kNoTtl;
};

/// One row with that cell.
OwnedPartition TableOf(const CellOf& cell, LivenessInfo liveness = {}, DeletionTime deletion = {}) {
  OwnedPartition partition;
  partition.key = "k";
  partition.static_row.view.clustering.kind = ClusteringKind::kStatic;
  OwnedUnfiltered row;
  row.bytes->push_back(cell.value);
  row.cells.push_back({.column_index = 0,
                       .ttl = cell.ttl,
                       .timestamp = cell.timestamp,
                       .local_deletion_time = cell.deleted_s,
                       .path = {},
                       .value = AsBytes(row.bytes->back())});
  row.view.liveness = liveness;
  row.view.deletion = deletion;
  partition.rows.push_back(std::move(row));
  return partition;
}

std::unique_ptr<UnfilteredStream> StreamOf(const Layout& layout, const OwnedPartition& table) {
  return std::make_unique<testing::OwnedStream>(layout, std::vector<OwnedPartition>{table}, false);
}

std::string MergedText(const Layout& layout, const OwnedPartition& first,
                       const OwnedPartition& second, const MergeOptions& options) {
  std::vector<std::unique_ptr<UnfilteredStream>> streams;
  streams.push_back(StreamOf(layout, first));
  streams.push_back(StreamOf(layout, second));
  Result<std::unique_ptr<UnfilteredStream>> merged = Merge(std::move(streams), layout, options);
  if (!merged.ok()) {
    return merged.status().ToString();
  }
  Result<std::string> text = testing::Transcript(**merged);
  return text.ok() ? *text : text.status().ToString();
}

/// The order of files says nothing.
void ExpectWins(const Layout& layout, const OwnedPartition& winner, const OwnedPartition& loser,
                const MergeOptions& options = {}) {
  std::string const alone = MergedText(layout, winner, winner, options);
  EXPECT_THAT(alone, HasSubstr("row 4"));
  EXPECT_EQ(MergedText(layout, winner, loser, options), alone);
  EXPECT_EQ(MergedText(layout, loser, winner, options), alone);
}

TEST(MergeRulesTest, OfTwoCellsTheLaterOneStays) {
  Layout const layout = OneColumn(TypeKind::kText);
  ExpectWins(layout, TableOf({.value = "a", .timestamp = 11}), TableOf({.value = "b"}));
}

TEST(MergeRulesTest, CellsOfOneTimestamp) {
  Layout const layout = OneColumn(TypeKind::kText);
  ExpectWins(layout, TableOf({.value = "b"}), TableOf({.value = "a"}));
  ExpectWins(layout, TableOf({.value = "bb"}), TableOf({.value = "b"}));
  // What ends wins over what stays, a tombstone over what expires, the later end over the sooner.
  ExpectWins(layout, TableOf({.deleted_s = 100}), TableOf({.value = "z"}));
  ExpectWins(layout, TableOf({.value = "a", .deleted_s = 100, .ttl = 5}), TableOf({.value = "z"}));
  ExpectWins(layout, TableOf({.deleted_s = 100}),
             TableOf({.value = "z", .deleted_s = 200, .ttl = 5}));
  ExpectWins(layout, TableOf({.value = "a", .deleted_s = 200, .ttl = 5}),
             TableOf({.value = "z", .deleted_s = 100, .ttl = 5}));
  ExpectWins(layout, TableOf({.deleted_s = 200}), TableOf({.deleted_s = 100}));
}

TEST(MergeRulesTest, LivenessOfOneTimestamp) {
  Layout const layout = OneColumn(TypeKind::kText);
  CellOf const cell{.value = "v"};
  auto const table = [&](int32_t ttl, uint32_t expires_s) {
    return TableOf(cell, {.timestamp = 10, .ttl = ttl, .local_expiration_time = expires_s});
  };
  ExpectWins(layout, TableOf(cell, {.timestamp = 11}), table(5, 100));
  ExpectWins(layout, table(5, 100), table(kNoTtl, kNoDeletionTime));
  ExpectWins(layout, table(5, 200), table(5, 100));
  ExpectWins(layout, table(kExpiredTtl, 50), table(5, 100));
}

TEST(MergeRulesTest, ADeletionOfARowTakesWhatIsNotLater) {
  Layout const layout = OneColumn(TypeKind::kText);
  DeletionTime const deletion{.marked_for_delete_at = 10, .local_deletion_time = 100};
  std::string const text = MergedText(layout, TableOf({.value = "old", .timestamp = 10}),
                                      TableOf({.value = "new", .timestamp = 11}, {}, deletion), {});
  EXPECT_THAT(text, HasSubstr("new"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("old")));
}

/// A context of one shard for each (rank, id, clock, count); rank 'g'lobal, 'l'ocal or 'r'emote.
struct Shard {
  char rank;
  char id;
  uint64_t clock;
  int64_t count;
};

std::string ContextOf(const std::vector<Shard>& shards) {
  std::string header;
  std::string body;
  uint16_t entries = 0;
  for (size_t index = 0; index < shards.size(); ++index) {
    if (shards[index].rank != 'r') {
      ++entries;
      AppendBigEndian(header,
                      static_cast<uint16_t>(index | (shards[index].rank == 'g' ? 0x8000u : 0u)));
    }
    body += std::string(16, shards[index].id);
    AppendBigEndian(body, shards[index].clock);
    AppendBigEndian(body, static_cast<uint64_t>(shards[index].count));
  }
  std::string out;
  AppendBigEndian(out, entries);
  return out + header + body;
}

std::string MergedContext(const std::vector<Shard>& left, const std::vector<Shard>& right) {
  Layout const layout = OneColumn(TypeKind::kCounter);
  std::vector<std::unique_ptr<UnfilteredStream>> streams;
  streams.push_back(StreamOf(layout, TableOf({.value = ContextOf(left)})));
  streams.push_back(StreamOf(layout, TableOf({.value = ContextOf(right), .timestamp = 12})));
  auto const merged = Merge(std::move(streams), layout, {});
  EXPECT_TRUE(*(*merged)->NextPartition());
  EXPECT_TRUE(*(*merged)->Next());
  EXPECT_EQ((*merged)->current().cells[0].timestamp, 12);
  return std::string(AsText((*merged)->current().cells[0].value));
}

TEST(MergeRulesTest, CountersMergeByShard) {
  using Shards = std::vector<Shard>;
  auto const expect = [](const Shards& left, const Shards& right, const Shards& expected) {
    EXPECT_EQ(MergedContext(left, right), ContextOf(expected));
    EXPECT_EQ(MergedContext(right, left), ContextOf(expected));
  };
  // Of global shards of one node the higher clock, of equal clocks the higher count.
  expect({{'g', 'a', 5, 50}}, {{'g', 'a', 6, 10}}, {{'g', 'a', 6, 10}});
  expect({{'g', 'a', 5, 50}}, {{'g', 'a', 5, 60}}, {{'g', 'a', 5, 60}});
  // Global over local over remote, whatever their clocks.
  expect({{'g', 'a', 1, 1}}, {{'l', 'a', 9, 9}}, {{'g', 'a', 1, 1}});
  expect({{'l', 'a', 1, 1}}, {{'r', 'a', 9, 9}}, {{'l', 'a', 1, 1}});
  // Local shards add up.
  expect({{'l', 'a', 1, 10}}, {{'l', 'a', 2, 20}}, {{'l', 'a', 3, 30}});
  // Nodes stay apart, ascending.
  expect({{'g', 'a', 1, 1}, {'r', 'c', 3, 3}}, {{'g', 'b', 2, 2}, {'r', 'c', 2, 9}},
         {{'g', 'a', 1, 1}, {'g', 'b', 2, 2}, {'r', 'c', 3, 3}});
}

TEST(MergeRulesTest, ACounterThatWasDeletedStaysDeleted) {
  Layout const layout = OneColumn(TypeKind::kCounter);
  std::string const context = ContextOf({{'g', 'a', 5, 50}});
  CellOf const counter{.value = context, .timestamp = 99};
  ExpectWins(layout, TableOf({.timestamp = 10, .deleted_s = 100}), TableOf(counter));
  ExpectWins(layout, TableOf({.timestamp = 11, .deleted_s = 100}),
             TableOf({.timestamp = 10, .deleted_s = 200}));
  // Empty contexts are what a row without a count of its own has.
  ExpectWins(layout, TableOf({.timestamp = 5}), TableOf(counter));
  ExpectWins(layout, TableOf({.timestamp = 6}), TableOf({.timestamp = 5}));
}

TEST(MergeRulesTest, CellsOfADroppedColumnAreGoneUpToThen) {
  Layout const layout = OneColumn(TypeKind::kText);
  MergeOptions const options{.dropped_columns = {{.name = "v", .dropped_at_us = 10}}};
  OwnedPartition const before = TableOf({.value = "before", .timestamp = 10}, {.timestamp = 1});
  OwnedPartition const after = TableOf({.value = "after", .timestamp = 11}, {.timestamp = 1});
  EXPECT_THAT(MergedText(layout, before, before, options), ::testing::Not(HasSubstr("before")));
  ExpectWins(layout, after, before, options);
}

TEST(MergeRulesTest, PurgingTurnsWhatHasExpiredIntoTombstonesAndForgetsOldOnes) {
  Layout const layout = OneColumn(TypeKind::kText);
  OwnedPartition const expired = TableOf({.value = "v", .deleted_s = 1000, .ttl = 100});
  auto const purged = [&](int64_t gc_before_s) {
    MergeOptions options;
    options.purge = {.now_s = 2000, .gc_before_s = gc_before_s};
    return MergedText(layout, expired, expired, options);
  };
  // Its tombstone is of the time of writing, 900.
  EXPECT_THAT(purged(900), HasSubstr("row 4"));
  EXPECT_THAT(purged(900), ::testing::Not(HasSubstr("=v")));
  EXPECT_THAT(purged(901), ::testing::Not(HasSubstr("row 4")));
}

TEST(MergeRulesTest, WhatCannotBeMergedIsRefused) {
  Layout const text = OneColumn(TypeKind::kText);
  Layout other = text;
  other.partitioner = Partitioner::kRandom;
  EXPECT_THAT(MergeLayouts({&text, &other}).status().message(), HasSubstr("RandomPartitioner"));
  EXPECT_THAT(MergeLayouts({}).status().message(), HasSubstr("no SSTables"));
  Layout const number = OneColumn(TypeKind::kInt);
  EXPECT_THAT(MergeLayouts({&text, &number}).status().message(), HasSubstr("column 'v' is text"));
  Layout const blob = OneColumn(TypeKind::kBlob);
  EXPECT_EQ(MergeLayouts({&text, &blob})->regulars[0].type->kind, TypeKind::kBlob);
  EXPECT_EQ(MergeLayouts({&blob, &text})->regulars[0].type->kind, TypeKind::kBlob);

  OwnedPartition const table = TableOf({.value = "v"});
  MergeOptions both{.live_at_s = 5};
  both.purge = {.now_s = 5, .gc_before_s = 5};
  EXPECT_THAT(MergedText(text, table, table, both), HasSubstr("either what a query sees"));
  Layout complex = text;
  complex.regulars = {Column::Of("v", SetOf(SimpleType(TypeKind::kText)))};
  std::vector<std::unique_ptr<UnfilteredStream>> streams;
  streams.push_back(StreamOf(text, table));
  EXPECT_THAT(Merge(std::move(streams), complex, {}).status().message(),
              HasSubstr("is text in an SSTable and set<text> in the table"));
}

}  // namespace
}  // namespace orochi::sstable
