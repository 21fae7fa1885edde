// Goal: every engine keeps what Engine promises, also over crashes.
// Method: one suite over both. RocksDB runs on a file system that drops at a crash what was not
// synced; the engine in memory drops batches. Random histories are compared with maps.
#include "kv/engine/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include <array>
#include <map>

#include "base/random.h"
#include "base/testing/temp_dir.h"
#include "base/testing/test_seed.h"
#include "kv/engine/checkpoint.h"
#include "kv/engine/mem_engine.h"
#include "kv/engine/rocks_engine.h"
#include "kv/engine/testing/dropping_file_system.h"

namespace orochi::kv {
namespace {

using ::testing::ElementsAre;
using Maps = std::array<std::map<std::string, std::string>, kFamilyCount>;

constexpr log::GroupId kGroup(3);

// An engine that can crash.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual Engine& engine() = 0;
  virtual void Crash(Random& random) = 0;
};

class MemSubject final : public Subject {
 public:
  Engine& engine() override { return engine_; }
  void Crash(Random& random) override { engine_.Crash(random); }

 private:
  MemEngine engine_;
};

class RocksSubject final : public Subject {
 public:
  RocksSubject() { Open(); }
  ~RocksSubject() override { engine_.reset(); }
  Engine& engine() override { return *engine_; }
  void Crash(Random& random) override {
    files_->Crash();
    engine_.reset();
    files_->DropUnsynced(random);
    Open();
  }

 private:
  void Open() {
    auto engine = OpenRocksEngine({.directory = directory_.path() + "/rocks",
                                   .write_buffer_size_bytes = 256 << 10,
                                   .cache_size_bytes = 1 << 20,
                                   .env = env_.get()});
    if (!engine.ok()) {
      throw std::runtime_error(engine.status().ToString());
    }
    engine_ = *std::move(engine);
  }

  orochi::testing::TempDir directory_;
  std::shared_ptr<testing::DroppingFileSystem> files_ =
      std::make_shared<testing::DroppingFileSystem>();
  std::unique_ptr<rocksdb::Env> env_ = rocksdb::NewCompositeEnv(files_);
  std::unique_ptr<Engine> engine_;
};

class EngineTest : public ::testing::TestWithParam<bool> {
 protected:
  EngineTest() {
    subject_ = GetParam() ? std::unique_ptr<Subject>(std::make_unique<RocksSubject>())
                          : std::make_unique<MemSubject>();
  }
  Engine& engine() { return subject_->engine(); }
  std::string Get(Family family, std::string_view key) {
    auto const value = engine().Get(family, key);
    EXPECT_TRUE(value.ok());
    return value->value_or("-");
  }
  void Put(Family family, std::string key, std::string value) {
    WriteBatch batch;
    batch.Put(family, std::move(key), std::move(value));
    ASSERT_TRUE(engine().Write(batch).ok());
  }
  std::vector<std::string> Keys(Family family, KeyRange range, bool reverse = false) {
    auto const cursor = engine().NewCursor(family);
    std::vector<std::string> keys;
    for (reverse ? cursor->SeekBefore(range.end) : cursor->Seek(range.begin);
         cursor->Valid() && range.Contains(cursor->key());
         reverse ? cursor->Previous() : cursor->Next()) {
      keys.emplace_back(cursor->key());
    }
    EXPECT_TRUE(cursor->status().ok());
    return keys;
  }
  Maps Everything() {
    Maps maps;
    auto const snapshot = engine().TakeSnapshot();
    for (size_t family = 0; family < kFamilyCount; ++family) {
      auto const cursor = snapshot->NewCursor(static_cast<Family>(family));
      for (cursor->Seek(""); cursor->Valid(); cursor->Next()) {
        maps[family].emplace(cursor->key(), cursor->value());
      }
    }
    return maps;
  }

  std::unique_ptr<Subject> subject_;
};

TEST_P(EngineTest, FamiliesAreApartAndBatchesAreWhole) {
  WriteBatch batch;
  batch.Put(Family::kData, "k", "data");
  batch.Put(Family::kIntent, "k", "intent");
  batch.Put(Family::kTransaction, "k", "first");
  batch.Put(Family::kTransaction, "k", "second");
  SetApplied(batch, kGroup, raft::LogIndex(7));
  ASSERT_TRUE(engine().Write(batch).ok());
  EXPECT_EQ(Get(Family::kData, "k"), "data");
  EXPECT_EQ(Get(Family::kIntent, "k"), "intent");
  EXPECT_EQ(Get(Family::kTransaction, "k"), "second");
  EXPECT_EQ(Get(Family::kMeta, "k"), "-");
  auto const applied = engine().Applied(kGroup);
  ASSERT_TRUE(applied.ok());
  EXPECT_EQ(*applied, raft::LogIndex(7));
  WriteBatch removal;
  removal.Delete(Family::kData, "k");
  removal.Delete(Family::kData, "never");
  ASSERT_TRUE(engine().Write(removal).ok());
  EXPECT_EQ(Get(Family::kData, "k"), "-");
}

TEST_P(EngineTest, CursorsGoBothWays) {
  for (const char* const key : {"a", "b", "c", "d", "\xff\xff"}) {
    Put(Family::kData, key, "v");
  }
  EXPECT_THAT(Keys(Family::kData, {"b", "d"}), ElementsAre("b", "c"));
  EXPECT_THAT(Keys(Family::kData, {"b", "d"}, true), ElementsAre("c", "b"));
  EXPECT_THAT(Keys(Family::kData, {"c"}), ElementsAre("c", "d", "\xff\xff"));
  EXPECT_THAT(Keys(Family::kData, {"", "b"}, true), ElementsAre("a"));
  EXPECT_TRUE(Keys(Family::kData, {"x", "y"}).empty());
  EXPECT_TRUE(Keys(Family::kData, {"x", "y"}, true).empty());
  EXPECT_THAT(Keys(Family::kData, {"cc"}, true), ElementsAre("\xff\xff", "d"));
  EXPECT_THAT(Keys(Family::kData, {"", "bb"}, true), ElementsAre("b", "a"));
}

TEST_P(EngineTest, ASnapshotStays) {
  Put(Family::kData, "a", "1");
  auto const snapshot = engine().TakeSnapshot();
  Put(Family::kData, "a", "2");
  Put(Family::kData, "b", "2");
  auto const seen = snapshot->Get(Family::kData, "a");
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->value_or("-"), "1");
  auto const cursor = snapshot->NewCursor(Family::kData);
  cursor->Seek("");
  ASSERT_TRUE(cursor->Valid());
  cursor->Next();
  EXPECT_FALSE(cursor->Valid());
  EXPECT_EQ(Get(Family::kData, "a"), "2");
}

TEST_P(EngineTest, WhatIsFlushedIsKnownAndSurvives) {
  SeededRandom random(1);
  WriteBatch batch;
  batch.Put(Family::kData, "k", "kept");
  SetApplied(batch, kGroup, raft::LogIndex(5));
  ASSERT_TRUE(engine().Write(batch).ok());
  EXPECT_EQ(engine().FlushedApplied(kGroup), raft::LogIndex());
  ASSERT_TRUE(engine().Flush().ok());
  EXPECT_EQ(engine().FlushedApplied(kGroup), raft::LogIndex(5));
  WriteBatch later;
  SetApplied(later, kGroup, raft::LogIndex(6));
  ASSERT_TRUE(engine().Write(later).ok());
  EXPECT_EQ(engine().FlushedApplied(kGroup), raft::LogIndex(5));
  subject_->Crash(random);
  EXPECT_EQ(Get(Family::kData, "k"), "kept");
  EXPECT_GE(engine().FlushedApplied(kGroup), raft::LogIndex(5));
}

// W2, W3, R12 of an engine: after a crash it is as after some of the batches, all of those flushed.
TEST_P(EngineTest, ACrashLeavesABeginning) {
  uint64_t const seed = orochi::testing::TestSeed(11);
  SeededRandom random(seed);
  std::vector<Maps> states{Maps()};
  uint64_t number = 0;
  bool lost = false;
  int const round_count = GetParam() ? 8 : 50;  // opening RocksDB takes many syncs
  for (int round = 0; round < round_count; ++round) {
    uint64_t const count = random.Below(30);
    size_t flushed = 0;
    for (uint64_t batch_number = 0; batch_number < count; ++batch_number) {
      Maps maps = states.back();
      WriteBatch batch;
      for (uint64_t change = 1 + random.Below(5); change > 0; --change) {
        size_t const family = random.Below(kFamilyCount);
        std::string const key = "k" + std::to_string(random.Below(40));
        uint64_t const kind = random.Below(10);
        if (kind < 3) {
          batch.Delete(static_cast<Family>(family), key);
          maps[family].erase(key);
        } else {
          std::string const value(random.Below(3000), 'v');
          batch.Put(static_cast<Family>(family), key, value);
          maps[family][key] = value;
        }
      }
      SetApplied(batch, kGroup, raft::LogIndex(++number));
      maps[static_cast<size_t>(Family::kMeta)][AppliedKey(kGroup)] =
          EncodeApplied(raft::LogIndex(number));
      ASSERT_TRUE(engine().Write(batch).ok());
      states.push_back(std::move(maps));
      if (random.OneIn(15)) {
        ASSERT_TRUE(engine().Flush().ok());
        flushed = states.size() - 1;
      }
    }
    ASSERT_EQ(Everything(), states.back());
    subject_->Crash(random);
    Maps const found = Everything();
    auto const state =
        std::find(states.begin() + static_cast<ptrdiff_t>(flushed), states.end(), found);
    ASSERT_NE(state, states.end()) << "seed " << seed << ", round " << round;
    lost = lost || std::next(state) != states.end();
    states = {found};
  }
  EXPECT_TRUE(lost) << "no crash lost anything: nothing was tested";
}

TEST_P(EngineTest, ACheckpointReplacesRangesAtOnce) {
  SeededRandom random(5);
  std::map<std::string, std::string> expected;
  for (int number = 0; number < 500; ++number) {
    std::string const key = "m" + std::to_string(1000 + number);
    expected[key] = std::string(random.Below(2000), static_cast<char>('a' + number % 26));
    Put(Family::kData, key, expected[key]);
  }
  Put(Family::kIntent, "m2", "intent");
  std::vector<FamilyRange> const ranges = {{Family::kData, {"m", "n"}},
                                           {Family::kIntent, {"m", "n"}}};
  auto const snapshot = engine().TakeSnapshot();
  CheckpointExporter exporter(*snapshot, ranges, 64 << 10);
  CheckpointImporter importer(ranges);
  int chunks = 0;
  while (!exporter.done()) {
    auto chunk = exporter.NextChunk();
    ASSERT_TRUE(chunk.ok());
    ++chunks;
    Status const added = importer.Add(*chunk);
    ASSERT_TRUE(added.ok()) << added.ToString();
  }
  EXPECT_GT(chunks, 4);
  MemEngine other;
  WriteBatch before;
  before.Put(Family::kData, "l", "stays");
  before.Put(Family::kData, "m", "goes");
  before.Put(Family::kIntent, "m", "goes");
  ASSERT_TRUE(other.Write(before).ok());
  WriteBatch with;
  SetApplied(with, kGroup, raft::LogIndex(9));
  ASSERT_TRUE(importer.complete());
  ASSERT_TRUE(importer.Install(other, with).ok());
  expected["l"] = "stays";
  auto const after = other.TakeSnapshot();
  auto const cursor = after->NewCursor(Family::kData);
  std::map<std::string, std::string> found;
  for (cursor->Seek(""); cursor->Valid(); cursor->Next()) {
    found.emplace(cursor->key(), cursor->value());
  }
  EXPECT_EQ(found, expected);
  EXPECT_EQ(*other.Applied(kGroup), raft::LogIndex(9));
  EXPECT_EQ(other.Get(Family::kIntent, "m")->value_or("-"), "-");
  EXPECT_EQ(other.Get(Family::kIntent, "m2")->value_or("-"), "intent");
}

TEST_P(EngineTest, SizesAreAboutRight) {
  SeededRandom random(2);
  for (int number = 0; number < 400; ++number) {
    std::string value(1000, '\0');
    for (char& c : value) {
      c = static_cast<char>(random.Next());
    }
    Put(Family::kData, "k" + std::to_string(1000 + number), value);
  }
  auto const all = engine().ApproximateSize(Family::kData, {""});
  ASSERT_TRUE(all.ok());
  EXPECT_GT(*all, 200'000U);
  EXPECT_LT(*all, 800'000U);
  auto const none = engine().ApproximateSize(Family::kData, {"x", "y"});
  ASSERT_TRUE(none.ok());
  EXPECT_LT(*none, 50'000U);
}

INSTANTIATE_TEST_SUITE_P(Engines, EngineTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "rocks" : "memory"; });

TEST(Checkpoint, ChunksAreChecked) {
  MemEngine engine;
  WriteBatch batch;
  for (int number = 0; number < 20; ++number) {
    batch.Put(Family::kData, "k" + std::to_string(number), std::string(100, 'v'));
  }
  ASSERT_TRUE(engine.Write(batch).ok());
  std::vector<FamilyRange> const ranges = {{Family::kData, {"k", "l"}}};
  auto const snapshot = engine.TakeSnapshot();
  CheckpointExporter exporter(*snapshot, ranges, 1000);
  std::string const first = *exporter.NextChunk();
  std::string const second = *exporter.NextChunk();
  for (size_t at = 0; at < first.size(); ++at) {
    std::string damaged = first;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_EQ(CheckpointImporter(ranges).Add(damaged).code(), StatusCode::kCorruption) << at;
    EXPECT_EQ(CheckpointImporter(ranges).Add(first.substr(0, at)).code(), StatusCode::kCorruption);
  }
  EXPECT_EQ(CheckpointImporter(ranges).Add(second).code(), StatusCode::kCorruption);
  EXPECT_EQ(CheckpointImporter({{Family::kData, {"a", "b"}}}).Add(first).code(),
            StatusCode::kCorruption);
  CheckpointImporter importer(ranges);
  EXPECT_TRUE(importer.Add(first).ok());
  EXPECT_EQ(importer.Add(first).code(), StatusCode::kCorruption);
  EXPECT_EQ(importer.Add(second).code(), StatusCode::kFailedPrecondition);
  EXPECT_FALSE(importer.complete());
}

}  // namespace
}  // namespace orochi::kv
