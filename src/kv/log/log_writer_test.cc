// Goal: many threads append at once, each is told once its append is durable, and all is there
// afterwards; a failure is told once and ends it.
// Method: threads on a log in real files (and one in memory that fails), opened again at the end.
#include "kv/log/log_writer.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>

#include "base/random.h"
#include "base/testing/temp_dir.h"
#include "io/posix/system_clock.h"
#include "kv/log/file_device.h"
#include "kv/log/testing/memory_device.h"

namespace orochi::kv::log {
namespace {

LogOptions SmallOptions() {
  return {.segment_size_bytes = 1 << 20,
          .batch_size_bytes_max = 256 << 10,
          .confirm_after_us = 1000,
          .segment_count_min = 3,
          .spare_count_max = 2};
}

raft::PersistRequest OneEntry(uint64_t sequence, const std::string& payload) {
  raft::PersistRequest request;
  request.sequence = sequence;
  request.entries.push_back({.index = raft::LogIndex(sequence),
                             .term = raft::Term(1),
                             .payload = std::make_shared<std::string>(payload)});
  return request;
}

// Waits for the completions of each group.
class Completed {
 public:
  void Note(const std::vector<Completion>& completions) {
    std::lock_guard const guard(mutex_);
    for (const Completion& completion : completions) {
      EXPECT_EQ(completion.sequence, ++last_[completion.group]) << "in order, each once";
    }
    changed_.notify_all();
  }
  void AwaitSequence(GroupId group, uint64_t sequence) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return last_[group] >= sequence; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<GroupId, uint64_t> last_;
};

TEST(LogWriter, ServesManyThreadsAndLosesNothing) {
  constexpr uint64_t kThreads = 8;
  constexpr uint64_t kAppends = 150;
  orochi::testing::TempDir directory;
  io::SystemClock clock;
  SeededRandom random(1);
  {
    auto device = FileDevice::Open(directory.path(), FileDevice::Mode::kDirect);
    ASSERT_TRUE(device.ok()) << device.status().ToString();
    auto log = SegmentLog::Open(SmallOptions(), **device, random, SegmentLog::Expect::kNew);
    ASSERT_TRUE(log.ok()) << log.status().ToString();
    Completed completed;
    LogWriter writer(*std::move(log), clock,
                     {.completed = [&](const auto& done) { completed.Note(done); },
                      .failed = [](const Status& status) { FAIL() << status.ToString(); }});
    std::vector<std::jthread> threads;
    for (uint64_t thread = 1; thread <= kThreads; ++thread) {
      threads.emplace_back([&, group = GroupId(thread)] {
        for (uint64_t sequence = 1; sequence <= kAppends; ++sequence) {
          ASSERT_TRUE(writer.Append(group, OneEntry(sequence, std::string(3000, 'x'))).ok());
          completed.AwaitSequence(group, sequence);
          if (sequence % 10 == 0) {
            ASSERT_TRUE(
                writer.Compact(group, {raft::LogIndex(sequence - 5), raft::Term(1), {}}).ok());
          }
        }
      });
    }
    threads.clear();
    LogStatistics const statistics = writer.statistics();
    EXPECT_LT(statistics.frame_count, kThreads * kAppends) << "appends share writes";
    EXPECT_LE(statistics.segment_count, 4U);
    auto const entries =
        writer.Read(GroupId(1), raft::LogIndex(kAppends), raft::LogIndex(kAppends), 1);
    ASSERT_TRUE(entries.ok()) << entries.status().ToString();
    writer.Stop();
    EXPECT_EQ(writer.Append(GroupId(1), OneEntry(kAppends + 1, "")).code(),
              StatusCode::kUnavailable);
  }
  auto device = FileDevice::Open(directory.path(), FileDevice::Mode::kDataSync);
  ASSERT_TRUE(device.ok()) << device.status().ToString();
  auto log = SegmentLog::Open(SmallOptions(), **device, random, SegmentLog::Expect::kExisting);
  ASSERT_TRUE(log.ok()) << log.status().ToString();
  EXPECT_TRUE((*log)->damages().empty());
  EXPECT_EQ((*log)->Groups().size(), kThreads);
  for (GroupId const group : (*log)->Groups()) {
    auto const state = (*log)->LoadGroup(group);
    ASSERT_TRUE(state.ok()) << state.status().ToString();
    EXPECT_EQ(state->entries.back().index, raft::LogIndex(kAppends));
    EXPECT_EQ(state->base.index, raft::LogIndex(kAppends - 5));
  }
}

TEST(LogWriter, AFailureIsToldOnceAndEndsIt) {
  testing::MemoryDevice device;
  io::SystemClock clock;
  SeededRandom random(1);
  LogOptions options = SmallOptions();
  options.spare_count_max = 0;  // this device is for one thread
  auto log = SegmentLog::Open(options, device, random, SegmentLog::Expect::kNew);
  ASSERT_TRUE(log.ok()) << log.status().ToString();
  device.FailWrites();
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<StatusCode> failures;
  LogWriter writer(*std::move(log), clock,
                   {.completed = [](const auto&) { FAIL() << "nothing is durable"; },
                    .failed =
                        [&](const Status& status) {
                          std::lock_guard const guard(mutex);
                          failures.push_back(status.code());
                          changed.notify_all();
                        }});
  ASSERT_TRUE(writer.Append(GroupId(1), OneEntry(1, "x")).ok());
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !failures.empty(); });
  }
  EXPECT_EQ(writer.Append(GroupId(1), OneEntry(2, "x")).code(), StatusCode::kIoError);
  writer.Stop();
  EXPECT_EQ(failures, std::vector<StatusCode>{StatusCode::kIoError});
}

}  // namespace
}  // namespace orochi::kv::log
