// Goal: what the log promises its caller, one promise a test. What crashes do to it is simulated
// (simulation/).
// Method: a log on a simulated disk without faults, written and opened again.
#include "kv/log/segment_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/random.h"
#include "kv/log/testing/memory_device.h"

namespace orochi::kv::log {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MemoryDevice;

constexpr GroupId kGroup(7);
constexpr GroupId kOther(8);

LogOptions SmallOptions() {
  return {.segment_size_bytes = 64 << 10,
          .batch_size_bytes_max = 16 << 10,
          .batch_wait_us_max = 30,
          .confirm_after_us = 0,
          .segment_count_min = 2,
          .cache_size_bytes_max = 1 << 20};
}

raft::PersistRequest Entries(uint64_t sequence, uint64_t first, uint64_t count, uint64_t term,
                             std::string payload = "x") {
  raft::PersistRequest request;
  request.sequence = sequence;
  request.hard_state = raft::HardState{raft::Term(term), raft::ReplicaId(1), raft::LogIndex()};
  for (uint64_t index = first; index < first + count; ++index) {
    request.entries.push_back({.index = raft::LogIndex(index),
                               .term = raft::Term(term),
                               .payload = std::make_shared<std::string>(payload)});
  }
  return request;
}

class SegmentLogTest : public ::testing::Test {
 protected:
  void Open(SegmentLog::Expect expect) {
    log_.reset();
    auto log = SegmentLog::Open(options_, device_, random_, expect);
    ASSERT_TRUE(log.ok()) << log.status().ToString();
    log_ = *std::move(log);
  }
  void WriteAll() {
    while (true) {
      Decision const decision = log_->Next(now_us_);
      if (decision.kind == Decision::Kind::kIdle) {
        return;
      }
      now_us_ = std::max(now_us_, decision.until_us);
      WriteOne();
    }
  }
  void WriteOne() {
    WriteOrder const order = log_->BuildWrite();
    ASSERT_TRUE(log_->files().Write(order).ok());
    log_->OnWritten(now_us_);
    ASSERT_TRUE(log_->files().Recycle(order).ok());
  }
  void Append(GroupId group, raft::PersistRequest request) {
    ASSERT_TRUE(log_->Append(group, std::move(request), now_us_).ok());
  }

  LogOptions options_ = SmallOptions();
  MemoryDevice device_;
  SeededRandom random_{1};
  std::unique_ptr<SegmentLog> log_;
  int64_t now_us_ = 0;
};

TEST_F(SegmentLogTest, ManyGroupsShareAWriteAndEachIsTold) {
  Open(SegmentLog::Expect::kNew);
  Append(kGroup, Entries(1, 1, 3, 1));
  Append(kOther, Entries(1, 1, 1, 1));
  Append(kGroup, Entries(2, 4, 1, 1));
  EXPECT_EQ(log_->Next(0).kind, Decision::Kind::kWrite);
  WriteOrder const order = log_->BuildWrite();
  EXPECT_EQ(log_->Next(0).kind, Decision::Kind::kBusy);
  EXPECT_TRUE(log_->TakeCompletions().empty()) << "it is not durable yet";
  ASSERT_TRUE(log_->files().Write(order).ok());
  log_->OnWritten(0);
  EXPECT_THAT(log_->TakeCompletions(),
              ElementsAre(Completion{kGroup, 1}, Completion{kOther, 1}, Completion{kGroup, 2}));
  EXPECT_EQ(log_->statistics().frame_count, 1U);
}

TEST_F(SegmentLogTest, WaitsForGroupsThatWroteLastTimeButNotLong) {
  Open(SegmentLog::Expect::kNew);
  Append(kGroup, Entries(1, 1, 1, 1));
  EXPECT_EQ(log_->Next(0).kind, Decision::Kind::kWrite) << "nobody else was busy";
  Append(kOther, Entries(1, 1, 1, 1));
  WriteOne();
  now_us_ = 100;
  Append(kGroup, Entries(2, 2, 1, 1));
  Decision const decision = log_->Next(now_us_);
  EXPECT_EQ(decision.kind, Decision::Kind::kWait);
  EXPECT_EQ(decision.until_us, 130);
  EXPECT_EQ(log_->Next(130).kind, Decision::Kind::kWrite);
  Append(kOther, Entries(2, 2, 1, 1));
  EXPECT_EQ(log_->Next(now_us_).kind, Decision::Kind::kWrite) << "all are here";
}

TEST_F(SegmentLogTest, ComesBackWithWhatWasWritten) {
  Open(SegmentLog::Expect::kNew);
  raft::PersistRequest request = Entries(1, 11, 3, 4, "payload");
  request.install = raft::SnapshotPoint{.index = raft::LogIndex(10),
                                        .term = raft::Term(3),
                                        .configuration = {{raft::ReplicaId(1)}, {}, {}}};
  Append(kGroup, std::move(request));
  Append(kGroup, Entries(2, 13, 2, 5, "later"));  // replaces 13
  WriteAll();
  Open(SegmentLog::Expect::kExisting);
  EXPECT_THAT(log_->Groups(), ElementsAre(kGroup));
  auto const state = log_->LoadGroup(kGroup);
  ASSERT_TRUE(state.ok()) << state.status().ToString();
  EXPECT_EQ(state->hard_state.term, raft::Term(5));
  EXPECT_EQ(state->base.index, raft::LogIndex(10));
  EXPECT_EQ(state->base.configuration.voters.size(), 1U);
  ASSERT_EQ(state->entries.size(), 4U);
  EXPECT_EQ(state->entries[2].index, raft::LogIndex(13));
  EXPECT_EQ(*state->entries[2].payload, "later");
  EXPECT_EQ(log_->LoadGroup(kOther).status().code(), StatusCode::kNotFound);
}

TEST_F(SegmentLogTest, AnEntryLargerThanAWriteGetsAWriteOfItsOwn) {
  Open(SegmentLog::Expect::kNew);
  uint64_t const size_bytes = EntrySizeMax(options_, device_.block_size_bytes());
  EXPECT_EQ(log_->Append(kGroup, Entries(1, 1, 1, 1, std::string(size_bytes + 1, 'x')), 0).code(),
            StatusCode::kInvalidArgument);
  Append(kGroup, Entries(1, 1, 1, 1, std::string(size_bytes, 'x')));
  Append(kGroup, Entries(2, 2, 1, 1));
  WriteAll();
  Open(SegmentLog::Expect::kExisting);
  auto const entries = log_->Read(kGroup, raft::LogIndex(1), raft::LogIndex(2), UINT64_MAX);
  ASSERT_TRUE(entries.ok()) << entries.status().ToString();
  EXPECT_EQ((*entries)[0].payload->size(), size_bytes);
}

TEST_F(SegmentLogTest, ReadsBackWhatIsNotInMemory) {
  options_.cache_size_bytes_max = 0;
  Open(SegmentLog::Expect::kNew);
  Append(kGroup, Entries(1, 1, 100, 1, std::string(300, 'a')));
  WriteAll();
  EXPECT_EQ(log_->statistics().cached_bytes, 0U);
  auto const some = log_->Read(kGroup, raft::LogIndex(50), raft::LogIndex(99), 1000);
  ASSERT_TRUE(some.ok()) << some.status().ToString();
  EXPECT_EQ(some->size(), 3U) << "as many as 1000 bytes allow";
  EXPECT_EQ(*some->front().payload, std::string(300, 'a'));
  EXPECT_EQ(log_->Read(kGroup, raft::LogIndex(50), raft::LogIndex(101), 1).status().code(),
            StatusCode::kOutOfRange);
}

TEST_F(SegmentLogTest, AnIdleGroupDoesNotPinSegments) {
  Open(SegmentLog::Expect::kNew);
  Append(kOther, Entries(1, 1, 2, 3, "idle"));
  for (uint64_t round = 0; round < 200; ++round) {
    Append(kGroup, Entries(round + 1, round + 1, 1, 1, std::string(8000, 'b')));
    ASSERT_TRUE(log_->Compact(kGroup, {raft::LogIndex(round + 1), raft::Term(1), {}}).ok());
    WriteAll();
  }
  EXPECT_LE(log_->statistics().segment_count, 4U);
  EXPECT_LE(device_.file_count(), 4 + options_.spare_count_max);
  Open(SegmentLog::Expect::kExisting);
  auto const state = log_->LoadGroup(kOther);
  ASSERT_TRUE(state.ok()) << state.status().ToString();
  EXPECT_EQ(state->entries.size(), 2U);
  EXPECT_EQ(state->hard_state.term, raft::Term(3));
}

TEST_F(SegmentLogTest, ARemovedGroupLeavesATombstone) {
  Open(SegmentLog::Expect::kNew);
  Append(kGroup, Entries(1, 1, 2, 1));
  ASSERT_TRUE(log_->Remove(kGroup, raft::ReplicaId(5), 2, 0).ok());
  WriteAll();
  EXPECT_THAT(log_->TakeCompletions(), ElementsAre(Completion{kGroup, 1}, Completion{kGroup, 2}));
  Open(SegmentLog::Expect::kExisting);
  EXPECT_TRUE(log_->Groups().empty());
  EXPECT_EQ(log_->RemovedBelow(kGroup), raft::ReplicaId(5));
  Append(kGroup, Entries(3, 1, 1, 9));
  WriteAll();
  Open(SegmentLog::Expect::kExisting);
  EXPECT_THAT(log_->Groups(), ElementsAre(kGroup));
  EXPECT_EQ(log_->RemovedBelow(kGroup), raft::ReplicaId(5));
}

TEST_F(SegmentLogTest, DamageNamesFileOffsetAndGroup) {
  options_.cache_size_bytes_max = 0;
  Open(SegmentLog::Expect::kNew);
  Append(kGroup, Entries(1, 1, 1, 1, "needle"));
  WriteAll();
  Append(kOther, Entries(1, 1, 1, 1));
  WriteAll();
  device_.Replace("needle", "noodle");
  auto const read = log_->Read(kGroup, raft::LogIndex(1), raft::LogIndex(1), 1);
  EXPECT_EQ(read.status().code(), StatusCode::kCorruption);
  EXPECT_EQ(log_->Append(kGroup, Entries(2, 2, 1, 1), 0).code(), StatusCode::kFailedPrecondition);
  Open(SegmentLog::Expect::kExisting);
  ASSERT_EQ(log_->damages().size(), 1U);
  EXPECT_THAT(log_->damages()[0].ToStatus().message(),
              HasSubstr("0000000000000001.segment: offset 512: records of group 7"));
  EXPECT_EQ(log_->LoadGroup(kGroup).status().code(), StatusCode::kCorruption);
  EXPECT_TRUE(log_->LoadGroup(kOther).ok());
  // Removing the group is the way out; the damaged segment is freed then.
  ASSERT_TRUE(log_->Remove(kGroup, raft::ReplicaId(2), 1, 0).ok());
  WriteAll();
  for (uint64_t round = 0; round < 20; ++round) {
    Append(kOther, Entries(2, 2, 1, 1, std::string(8000, 'c')));
    WriteAll();
  }
  Open(SegmentLog::Expect::kExisting);
  EXPECT_TRUE(log_->damages().empty());
}

TEST_F(SegmentLogTest, TheLastWriteIsConfirmedWhenNothingFollows) {
  options_.confirm_after_us = 1000;
  Open(SegmentLog::Expect::kNew);
  Append(kGroup, Entries(1, 1, 1, 1, "needle"));
  WriteOne();
  EXPECT_FALSE(log_->IsConfirmed());
  Decision const decision = log_->Next(now_us_);
  EXPECT_EQ(decision.kind, Decision::Kind::kWait);
  EXPECT_EQ(decision.until_us, 1000);
  WriteAll();
  EXPECT_TRUE(log_->IsConfirmed());
  EXPECT_EQ(log_->Next(now_us_ + 5000).kind, Decision::Kind::kIdle);
  device_.Replace("needle", "noodle");
  Open(SegmentLog::Expect::kExisting);
  EXPECT_EQ(log_->damages().size(), 1U) << "not taken for a write that was cut short";
}

TEST_F(SegmentLogTest, AFailedWriteStopsTheLog) {
  Open(SegmentLog::Expect::kNew);
  Append(kGroup, Entries(1, 1, 1, 1));
  WriteOrder const order = log_->BuildWrite();
  device_.FailWrites();
  Status written = log_->files().Write(order);
  ASSERT_FALSE(written.ok());
  log_->OnFailed(std::move(written));
  EXPECT_TRUE(log_->TakeCompletions().empty());
  EXPECT_EQ(log_->Append(kOther, Entries(1, 1, 1, 1), 0).code(), StatusCode::kIoError);
  EXPECT_EQ(log_->Compact(kGroup, {}).code(), StatusCode::kIoError);
  EXPECT_EQ(log_->Remove(kGroup, {}, 1, 0).code(), StatusCode::kIoError);
  EXPECT_EQ(log_->Next(0).kind, Decision::Kind::kIdle);
}

TEST_F(SegmentLogTest, IsNotMadeWhereOneIsAndNotMissedWhereNoneIs) {
  auto const missing = SegmentLog::Open(options_, device_, random_, SegmentLog::Expect::kExisting);
  EXPECT_EQ(missing.status().code(), StatusCode::kCorruption);
  Open(SegmentLog::Expect::kNew);
  Open(SegmentLog::Expect::kNew);  // nothing has been written: making it was interrupted
  Append(kGroup, Entries(1, 1, 1, 1));
  WriteAll();
  auto const again = SegmentLog::Open(options_, device_, random_, SegmentLog::Expect::kNew);
  EXPECT_EQ(again.status().code(), StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace orochi::kv::log
