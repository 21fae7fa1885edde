// Goal: the in-memory log answers terms, slices and configurations through appends, truncation,
// compaction and snapshots. Method: cases on small logs.
#include "raft/log.h"

#include <gtest/gtest.h>

namespace orochi::raft {
namespace {

Entry Command(uint64_t index, uint64_t term, size_t size_bytes = 4) {
  return {.index = LogIndex(index),
          .term = Term(term),
          .kind = EntryKind::kCommand,
          .payload = std::make_shared<const std::string>(size_bytes, 'x')};
}

Configuration VotersUpTo(uint64_t last) {
  Configuration configuration;
  for (uint64_t id = 1; id <= last; ++id) {
    configuration.voters.emplace_back(id);
  }
  return configuration;
}

Entry Change(uint64_t index, uint64_t term, const Configuration& configuration) {
  return {.index = LogIndex(index),
          .term = Term(term),
          .kind = EntryKind::kConfiguration,
          .payload = std::make_shared<const std::string>(EncodeConfiguration(configuration))};
}

// Entries 1..7 of terms 1 1 2 2 2 5 5.
Log Sample() {
  Log log({.index = {}, .term = {}, .configuration = VotersUpTo(1)});
  uint64_t index = 0;
  for (uint64_t const term : {1, 1, 2, 2, 2, 5, 5}) {
    EXPECT_TRUE(log.Append(Command(++index, term)).ok());
  }
  return log;
}

TEST(Log, KnowsTermsFromItsBaseToItsEnd) {
  Log log = Sample();
  EXPECT_EQ(log.TermAt(LogIndex(0)), Term(0));
  EXPECT_EQ(log.TermAt(LogIndex(5)), Term(2));
  EXPECT_EQ(log.TermAt(LogIndex(8)), std::nullopt);
  log.CommitTo(LogIndex(6));
  log.AppliedTo(LogIndex(6));
  log.Compact(LogIndex(5));
  EXPECT_EQ(log.TermAt(LogIndex(4)), std::nullopt);
  EXPECT_EQ(log.TermAt(LogIndex(5)), Term(2));
  EXPECT_EQ(log.At(LogIndex(6)).term, Term(5));
  EXPECT_EQ(log.last_index(), LogIndex(7));
}

TEST(Log, SkipsAWholeTermWhenLogsDisagree) {
  Log const log = Sample();
  EXPECT_EQ(log.LastAtMost(LogIndex(7), Term(4)), LogIndex(5));
  EXPECT_EQ(log.LastAtMost(LogIndex(7), Term(5)), LogIndex(7));
  EXPECT_EQ(log.LastAtMost(LogIndex(4), Term(1)), LogIndex(2));
  EXPECT_EQ(log.LastAtMost(LogIndex(99), Term(0)), LogIndex(0));
}

TEST(Log, ComparesByTermThenLength) {
  Log const log = Sample();
  EXPECT_TRUE(log.IsUpToDate(LogIndex(7), Term(5)));
  EXPECT_FALSE(log.IsUpToDate(LogIndex(6), Term(5)));
  EXPECT_FALSE(log.IsUpToDate(LogIndex(70), Term(4)));
  EXPECT_TRUE(log.IsUpToDate(LogIndex(1), Term(6)));
}

TEST(Log, SlicesHoldAtLeastOneEntry) {
  Log const log = Sample();
  uint64_t const one = Command(1, 1).size_bytes();
  EXPECT_EQ(log.Slice(LogIndex(1), LogIndex(7), 1).size(), 1U);
  EXPECT_EQ(log.Slice(LogIndex(1), LogIndex(7), 3 * one).size(), 3U);
  EXPECT_EQ(log.Slice(LogIndex(6), LogIndex(99), UINT64_MAX).size(), 2U);
  EXPECT_TRUE(log.Slice(LogIndex(8), LogIndex(99), UINT64_MAX).empty());
}

TEST(Log, AConfigurationCountsFromItsEntryAndGoesWithIt) {
  Log log({.index = {}, .term = {}, .configuration = VotersUpTo(1)});
  ASSERT_TRUE(log.Append(Command(1, 1)).ok());
  ASSERT_TRUE(log.Append(Change(2, 1, VotersUpTo(2))).ok());
  ASSERT_TRUE(log.Append(Change(3, 1, VotersUpTo(3))).ok());
  EXPECT_EQ(log.configuration(), VotersUpTo(3));
  EXPECT_EQ(log.ConfigurationAt(LogIndex(1)), VotersUpTo(1));
  log.TruncateFrom(LogIndex(3));
  EXPECT_EQ(log.configuration(), VotersUpTo(2));
  EXPECT_EQ(log.configuration_index(), LogIndex(2));
  log.CommitTo(LogIndex(2));
  log.AppliedTo(LogIndex(2));
  log.Compact(LogIndex(2));
  EXPECT_EQ(log.configuration(), VotersUpTo(2));
  EXPECT_EQ(log.ConfigurationAt(LogIndex(2)), VotersUpTo(2));
}

TEST(Log, AMalformedConfigurationIsRefused) {
  Log log({.index = {}, .term = {}, .configuration = VotersUpTo(1)});
  Entry entry = Command(1, 1);
  entry.kind = EntryKind::kConfiguration;
  Status const status = log.Append(entry);
  EXPECT_EQ(status.code(), StatusCode::kCorruption);
  EXPECT_EQ(log.last_index(), LogIndex(0));
}

TEST(Log, TruncationTakesDurabilityBack) {
  Log log = Sample();
  log.DurableTo(LogIndex(7));
  log.TruncateFrom(LogIndex(4));
  EXPECT_EQ(log.durable(), LogIndex(3));
  log.Reset({.index = LogIndex(20), .term = Term(9), .configuration = VotersUpTo(3)});
  EXPECT_EQ(log.last_index(), LogIndex(20));
  EXPECT_EQ(log.last_term(), Term(9));
  EXPECT_EQ(log.applied(), LogIndex(20));
  EXPECT_EQ(log.configuration(), VotersUpTo(3));
}

}  // namespace
}  // namespace orochi::raft
