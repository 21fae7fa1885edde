// Goal: what is read of versions is what was written, at every timestamp and over every span, and
// garbage collection takes nothing that a read may see.
// Method: random versions beside a map of maps; spans whose bounds lie between, at and behind keys.
#include "kv/mvcc/versions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.h"
#include "base/str_cat.h"
#include "base/testing/test_seed.h"
#include "kv/engine/testing/map_state.h"

namespace orochi::kv {
namespace {

using Rows = std::vector<std::pair<std::string, std::optional<std::string>>>;

class Versions : public ::testing::Test {
 protected:
  void Write(const std::string& key, uint64_t timestamp, std::optional<std::string> value) {
    WriteBatch batch;
    mvcc::PutVersion(batch, key, {.timestamp = Timestamp(timestamp), .value = value});
    state_.Apply(batch);
    model_[key][timestamp] = std::move(value);
  }

  void Fill() {
    for (int count = 0; count < 120; ++count) {
      // Not one is the beginning of another; some have bytes that order against the suffix.
      std::string const key =
          StrCat("k", random_.Below(9)) + static_cast<char>(random_.Below(3) * 127);
      auto const value =
          random_.OneIn(4) ? std::nullopt : std::optional(StrCat("v", random_.Below(1000)));
      Write(key, 1 + random_.Below(40), value);
    }
  }

  KeySpan RandomSpan() {
    auto const bound = [&]() -> std::string {
      auto at = model_.begin();
      std::advance(at, static_cast<std::ptrdiff_t>(random_.Below(model_.size())));
      switch (random_.Below(5)) {
        case 0:
          return "";
        case 1:
          return at->first + '\0';
        case 2:
          return at->first + "\xff\xff\xff\xff\xff\xff\xff\xf0";
        case 3:
          return at->first.substr(0, 2);
        default:
          return at->first;
      }
    };
    return {.begin = bound(), .end = bound()};
  }

  Rows Expected(const KeySpan& span, uint64_t timestamp, bool reverse) const {
    Rows rows;
    for (const auto& [key, versions] : model_) {
      auto const after = versions.upper_bound(timestamp);
      if (span.Holds(key) && after != versions.begin()) {
        rows.emplace_back(key, std::prev(after)->second);
      }
    }
    if (reverse) {
      std::reverse(rows.begin(), rows.end());
    }
    return rows;
  }

  Rows Scanned(const KeySpan& span, uint64_t timestamp, bool reverse) const {
    Rows rows;
    Status const status = mvcc::ScanAt(state_, span, Timestamp(timestamp), reverse,
                                       [&](std::string_view key, const Version& version) {
                                         rows.emplace_back(key, version.value);
                                         return true;
                                       });
    EXPECT_TRUE(status.ok()) << status.message();
    return rows;
  }

  SeededRandom random_{orochi::testing::TestSeed(20261121)};
  MapState state_;
  std::map<std::string, std::map<uint64_t, std::optional<std::string>>> model_;
};

// Counts the cursors that are opened, a family.
class CountingReader final : public Reader {
 public:
  explicit CountingReader(const Reader& state) : state_(state) {}
  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    return state_.Get(family, key);
  }
  std::unique_ptr<Cursor> NewCursor(Family family) const override {
    ++counts[family];
    return state_.NewCursor(family);
  }
  mutable std::map<Family, int> counts;

 private:
  const Reader& state_;
};

TEST_F(Versions, OneKeyIsReadWithoutPassingOverOthers) {
  Fill();
  Intent const intent{.sequence = 1, .timestamp = Timestamp(7), .value = "i"};
  WriteBatch batch;
  mvcc::PutIntent(batch, model_.begin()->first, intent);
  state_.Apply(batch);
  CountingReader const reader(state_);
  for (const auto& [key, versions] : model_) {
    for (bool const reverse : {false, true}) {
      reader.counts.clear();
      std::vector<Timestamp> seen;
      ASSERT_TRUE(mvcc::ScanAt(reader, KeySpan::Of(key), Timestamp(20), reverse,
                               [&](std::string_view found, const Version& version) {
                                 EXPECT_EQ(found, key);
                                 seen.push_back(version.timestamp);
                                 return true;
                               })
                      .ok());
      auto const after = versions.upper_bound(20);
      EXPECT_EQ(seen.empty(), after == versions.begin());
      if (!seen.empty()) {
        EXPECT_EQ(seen, std::vector{Timestamp(std::prev(after)->first)});
      }
      int intents = 0;
      ASSERT_TRUE(
          mvcc::ScanIntents(reader, KeySpan::Of(key), [&](std::string_view found, const Intent&) {
            EXPECT_EQ(found, key);
            ++intents;
            return true;
          }).ok());
      EXPECT_EQ(intents, key == model_.begin()->first ? 1 : 0);
      EXPECT_EQ(reader.counts[Family::kIntent], 0);
      EXPECT_EQ(reader.counts[Family::kData], 1);
    }
  }
}

TEST_F(Versions, AreReadAsOfATimestamp) {
  Fill();
  for (int round = 0; round < 2'000; ++round) {
    KeySpan const span = RandomSpan();
    uint64_t const timestamp = random_.Below(45);
    bool const reverse = random_.OneIn(2);
    EXPECT_EQ(Scanned(span, timestamp, reverse), Expected(span, timestamp, reverse));
  }
}

TEST_F(Versions, WrittenBetweenLooksAtTheNewest) {
  Fill();
  for (int round = 0; round < 500; ++round) {
    KeySpan const span = RandomSpan();
    uint64_t const after = random_.Below(40);
    uint64_t const until = after + random_.Below(10);
    bool expected = false;
    for (const auto& [key, versions] : model_) {
      auto const first = versions.upper_bound(after);
      expected = expected || (span.Holds(key) && first != versions.end() && first->first <= until);
    }
    auto const found = mvcc::WrittenBetween(state_, span, Timestamp(after), Timestamp(until));
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->has_value(), expected);
  }
}

TEST_F(Versions, GarbageIsWhatNobodySees) {
  for (int round = 0; round < 50; ++round) {
    Fill();
    uint64_t const safepoint = random_.Below(45);
    std::string from;
    uint64_t steps = 0;
    do {
      WriteBatch batch;
      auto next = mvcc::CollectGarbage(state_, {}, from, Timestamp(safepoint), 3, batch);
      ASSERT_TRUE(next.ok());
      from = *next;
      state_.Apply(batch);
      ASSERT_LT(++steps, 1'000U);
    } while (!from.empty());
    for (uint64_t timestamp = safepoint; timestamp < 45; ++timestamp) {
      auto const present = [](Rows rows) {
        std::erase_if(rows, [](const auto& row) { return !row.second; });
        return rows;
      };
      EXPECT_EQ(present(Scanned({}, timestamp, false)), present(Expected({}, timestamp, false)));
    }
    size_t expected_count = 0;  // versions that somebody may see
    for (const auto& [key, versions] : model_) {
      auto const after = versions.upper_bound(safepoint);
      expected_count += static_cast<size_t>(std::distance(after, versions.end()));
      expected_count += after != versions.begin() && std::prev(after)->second ? 1 : 0;
    }
    EXPECT_EQ(state_.map(Family::kData).size(), expected_count);
    state_ = {};
    model_.clear();
  }
}

TEST_F(Versions, DamageIsAnError) {
  WriteBatch batch;
  batch.Put(Family::kData, "short", "\1");
  batch.Put(Family::kIntent, "key", "no intent");
  state_.Apply(batch);
  Status const scanned = mvcc::ScanAt(state_, {}, Timestamp(9), false,
                                      [](std::string_view, const Version&) { return true; });
  EXPECT_EQ(scanned.code(), StatusCode::kCorruption);
  EXPECT_EQ(mvcc::IntentOf(state_, "key").status().code(), StatusCode::kCorruption);
}

TEST(IntentBytes, ComeBackAndDamageIsAnErrorOrAnother) {
  Intent const intent{.transaction = {.high = 7, .low = 8, .start = Timestamp(9)},
                      .anchor = "anchor",
                      .sequence = 3,
                      .timestamp = Timestamp(12),
                      .value = "value"};
  std::string const bytes = intent.Encode();
  auto const decoded = Intent::Decode("key", bytes);
  ASSERT_TRUE(decoded.ok());
  EXPECT_EQ(decoded->transaction, intent.transaction);
  EXPECT_EQ(decoded->anchor, intent.anchor);
  EXPECT_EQ(decoded->sequence, intent.sequence);
  EXPECT_EQ(decoded->timestamp, intent.timestamp);
  EXPECT_EQ(decoded->value, intent.value);
  size_t const without_value = bytes.size() - intent.value->size();
  for (size_t size = 0; size < without_value; ++size) {
    EXPECT_FALSE(Intent::Decode("key", std::string_view(bytes).substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace orochi::kv
