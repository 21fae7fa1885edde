// Goal: histories with an anomaly are told from those without.
// Method: one small history for each kind; a serial one of many transactions, whose neighbours are
// then swapped in time.
#include "sim/serializability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "base/str_cat.h"

namespace orochi::sim {
namespace {

using End = ListTransaction::End;
using Step = ListTransaction::Step;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Step Append(const std::string& key, uint64_t number) {
  return {.key = key, .appends = true, .number = number, .list = {}};
}
Step Read(const std::string& key, std::vector<uint64_t> list) {
  return {.key = key, .appends = false, .number = 0, .list = std::move(list)};
}
// All at the same time unless said otherwise.
ListTransaction Transaction(uint64_t name, std::vector<Step> steps, End end = End::kCommitted) {
  return {.name = name, .begin_us = 0, .end_us = 100, .end = end, .steps = std::move(steps)};
}

TEST(FindAnomaly, SerialHistoriesHaveNone) {
  EXPECT_THAT(FindAnomaly({Transaction(1, {Append("x", 1), Read("x", {1})}),
                           Transaction(2, {Read("x", {1}), Append("x", 2)}),
                           Transaction(3, {Read("x", {1, 2}), Read("y", {})})}),
              IsEmpty());
}

TEST(FindAnomaly, ReadsOfWhatWasAborted) {
  EXPECT_THAT(FindAnomaly({Transaction(1, {Append("x", 1)}, End::kAborted),
                           Transaction(2, {Read("x", {1})})}),
              HasSubstr("which nobody committed"));
}

TEST(FindAnomaly, UnknownCountsWhenItWasRead) {
  EXPECT_THAT(FindAnomaly({Transaction(1, {Append("x", 1)}, End::kUnknown),
                           Transaction(2, {Read("x", {1})})}),
              IsEmpty());
}

TEST(FindAnomaly, ReadsInTheMiddle) {
  EXPECT_THAT(FindAnomaly({Transaction(1, {Append("x", 1), Append("x", 2)}),
                           Transaction(2, {Read("x", {1})}), Transaction(3, {Read("x", {1, 2})})}),
              HasSubstr("in the middle"));
}

TEST(FindAnomaly, ListsThatContradict) {
  EXPECT_THAT(
      FindAnomaly({Transaction(1, {Append("x", 1)}), Transaction(2, {Append("x", 2)}),
                   Transaction(3, {Read("x", {1, 2})}), Transaction(4, {Read("x", {2, 1})})}),
      HasSubstr("another as"));
}

TEST(FindAnomaly, ForgetsItsOwn) {
  EXPECT_THAT(FindAnomaly({Transaction(1, {Append("x", 1), Read("x", {})})}),
              HasSubstr("does not see what it appended"));
}

TEST(FindAnomaly, WritesInACircle) {
  EXPECT_THAT(
      FindAnomaly({Transaction(1, {Append("x", 1), Append("y", 1001)}),
                   Transaction(2, {Append("x", 2), Append("y", 1002)}),
                   Transaction(3, {Read("x", {1, 2})}), Transaction(4, {Read("y", {1002, 1001})})}),
      HasSubstr("wrote before"));
}

TEST(FindAnomaly, LostUpdate) {
  EXPECT_THAT(FindAnomaly({Transaction(1, {Read("x", {}), Append("x", 1)}),
                           Transaction(2, {Read("x", {}), Append("x", 2)}),
                           Transaction(3, {Read("x", {1, 2})})}),
              HasSubstr("read before the write of"));
}

TEST(FindAnomaly, WriteSkew) {
  EXPECT_THAT(FindAnomaly({Transaction(1, {Read("x", {}), Append("y", 1)}),
                           Transaction(2, {Read("y", {}), Append("x", 2)}),
                           Transaction(3, {Read("x", {2}), Read("y", {1})})}),
              HasSubstr("read before the write of"));
}

TEST(FindAnomaly, StaleReads) {
  ListTransaction writer = Transaction(1, {Append("x", 1)});
  writer.end_us = 10;
  ListTransaction reader = Transaction(2, {Read("x", {})});
  reader.begin_us = 11;
  ListTransaction witness = Transaction(3, {Read("x", {1})});
  EXPECT_THAT(FindAnomaly({writer, reader, witness}), HasSubstr("ended before the beginning of"));
  reader.begin_us = 10;  // at the same time
  EXPECT_THAT(FindAnomaly({writer, reader, witness}), IsEmpty());
}

TEST(FindAnomaly, ManyInSeriesAndTwoOutOfIt) {
  SeededRandom random(7);
  std::map<std::string, std::vector<uint64_t>> lists;
  std::vector<ListTransaction> history;
  for (uint64_t name = 1; name <= 2'000; ++name) {
    std::vector<Step> steps;
    std::string const key = StrCat("k", random.Below(5));
    steps.push_back(Read(key, lists[key]));
    lists[key].push_back(name);
    steps.push_back(Append(key, name));
    auto const at = static_cast<int64_t>(name) * 10;
    history.push_back({.name = name,
                       .begin_us = at - 15,
                       .end_us = at,
                       .end = End::kCommitted,
                       .steps = std::move(steps)});
  }
  for (const auto& [key, list] : lists) {
    history.push_back(Transaction(9'000, {Read(key, list)}));
    history.back().end_us = 1'000'000;
  }
  EXPECT_THAT(FindAnomaly(history), IsEmpty());
  std::swap(history[500].steps, history[503].steps);
  bool const same_key = history[500].steps[0].key == history[503].steps[0].key;
  EXPECT_EQ(FindAnomaly(history).empty(), false) << same_key;
}

}  // namespace
}  // namespace orochi::sim
