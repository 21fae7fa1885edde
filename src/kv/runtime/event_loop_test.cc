// Goal: what is posted runs once, in order, on one thread, and before Stop returns; timers and
// ticks come when they are due and never in bursts; what outsiders offer is bounded. Method:
// threads that post at once; a clock that the test moves for everything about time.
#include "kv/runtime/event_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>

#include "io/posix/system_clock.h"

namespace orochi::kv::runtime {
namespace {

using ::testing::ElementsAre;

class TestClock final : public Clock {
 public:
  int64_t NowMicros() override { return MonotonicNanos() / 1000; }
  int64_t MonotonicNanos() override { return now_ns_.load(); }
  void AdvanceMicros(int64_t micros) { now_ns_ += micros * 1000; }

 private:
  std::atomic<int64_t> now_ns_{1'000'000};
};

std::unique_ptr<EventLoop> StartLoop(Clock& clock, LoopOptions options = {},
                                     LoopCallbacks callbacks = {}) {
  auto loop = EventLoop::Start(options, clock, std::move(callbacks));
  EXPECT_TRUE(loop.ok());
  return *std::move(loop);
}

// Returns when all that was posted has run, and the batch it ran in has ended.
void Drain(EventLoop& loop) {
  std::promise<void> ended;
  ASSERT_TRUE(loop.Post([&] { loop.AtBatchEnd([&] { ended.set_value(); }); }));
  ended.get_future().wait();
}

TEST(EventLoop, RunsWhatManyThreadsPostOnceAndInTheOrderOfEach) {
  constexpr size_t kThreads = 4;
  constexpr size_t kPosts = 5000;
  io::SystemClock clock;
  auto loop = StartLoop(clock, {.batch_length_max = 64});
  std::vector<size_t> next(kThreads, 0);  // only the loop touches it
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (size_t post = 0; post < kPosts; ++post) {
        ASSERT_TRUE(loop->Post([&, thread, post] {
          ASSERT_TRUE(loop->IsLoopThread());
          ASSERT_EQ(next[thread]++, post);
        }));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  loop->Stop();
  EXPECT_EQ(next, std::vector<size_t>(kThreads, kPosts));
  EXPECT_EQ(loop->statistics().task_count, kThreads * kPosts);
  EXPECT_GE(loop->statistics().batch_count, kThreads * kPosts / 64);
  EXPECT_EQ(loop->statistics().waiting_count, 0U);
}

TEST(EventLoop, EndsEachBatchOnceAndThenWhatItAskedFor) {
  TestClock clock;
  std::vector<std::string> trace;
  EventLoop* running = nullptr;
  auto loop = StartLoop(clock, {.batch_length_max = 2},
                        {.on_batch_end =
                             [&] {
                               trace.push_back("end");
                               running->AtBatchEnd([&] { trace.push_back("flush"); });
                             },
                         .on_batch =
                             [&](const LoopBatch& batch) {
                               trace.push_back("batch of " + std::to_string(batch.task_count));
                             }});
  running = loop.get();
  // Holds the loop until all three are posted, so that they are cut by length and nothing else.
  std::promise<void> runs;
  std::promise<void> posted;
  ASSERT_TRUE(loop->Post([&] {
    runs.set_value();
    posted.get_future().wait();
  }));
  runs.get_future().wait();
  for (char const name : {'a', 'b', 'c'}) {
    ASSERT_TRUE(loop->Post([&trace, name] { trace.emplace_back(1, name); }));
  }
  posted.set_value();
  loop->Stop();
  EXPECT_THAT(trace, ElementsAre("end", "flush", "batch of 1", "a", "b", "end", "flush",
                                 "batch of 2", "c", "end", "flush", "batch of 1"));
}

TEST(EventLoop, FiresTimersInTheOrderOfTheirTimesAndNotThoseCancelled) {
  TestClock clock;
  auto loop = StartLoop(clock);
  std::vector<std::string> trace;
  ASSERT_TRUE(loop->Post([&] {
    loop->After(300, [&] { trace.push_back("300"); });
    loop->After(100, [&] {
      trace.push_back("100");
      loop->After(0, [&] { trace.push_back("0 after 100"); });
    });
    loop->After(100, [&] { trace.push_back("100 again"); });
    TimerId const cancelled = loop->After(100, [&] { trace.push_back("cancelled"); });
    EXPECT_TRUE(loop->Cancel(cancelled));
    EXPECT_FALSE(loop->Cancel(cancelled));
    EXPECT_FALSE(loop->Cancel(TimerId(1000)));
  }));
  Drain(*loop);
  clock.AdvanceMicros(99);
  Drain(*loop);
  EXPECT_TRUE(trace.empty()) << "never early";
  clock.AdvanceMicros(1);
  Drain(*loop);
  Drain(*loop);  // a timer that a timer sets is of the next batch
  EXPECT_THAT(trace, ElementsAre("100", "100 again", "0 after 100"));
  clock.AdvanceMicros(1000);
  Drain(*loop);
  EXPECT_EQ(trace.back(), "300");
  EXPECT_EQ(loop->statistics().timer_count, 4U);
}

TEST(EventLoop, WakesItselfForATimerWhenNobodyPosts) {
  io::SystemClock clock;
  auto loop = StartLoop(clock);
  std::promise<int64_t> fired;
  int64_t const begin_ns = clock.MonotonicNanos();
  ASSERT_TRUE(loop->Post(
      [&] { loop->After(2000, [&] { fired.set_value(clock.MonotonicNanos() - begin_ns); }); }));
  EXPECT_GE(fired.get_future().get(), 2'000'000);
}

TEST(EventLoop, TicksOnceAfterAPauseAndCountsWhatItSkipped) {
  TestClock clock;
  size_t tick_count = 0;
  auto loop = StartLoop(clock, {.tick_us = 1000}, {.on_tick = [&] { ++tick_count; }});
  Drain(*loop);
  clock.AdvanceMicros(1000);
  Drain(*loop);
  EXPECT_EQ(tick_count, 1U);
  clock.AdvanceMicros(60'000);
  Drain(*loop);
  Drain(*loop);
  EXPECT_EQ(tick_count, 2U) << "a pause of 60 ticks is one tick";
  clock.AdvanceMicros(1000);
  Drain(*loop);
  EXPECT_EQ(tick_count, 3U) << "and the period goes on as it was";
  EXPECT_EQ(loop->statistics().skipped_tick_count, 59U);
}

TEST(EventLoop, StopRunsWhatWasPostedRefusesMoreAndDropsTimers) {
  TestClock clock;
  auto loop = StartLoop(clock);
  auto const held = std::make_shared<int>(0);
  bool late_ran = false;
  bool posted_when_stopping = true;
  std::promise<void> go_on;
  ASSERT_TRUE(loop->Post([&] {
    loop->After(1'000'000, [held] { ++*held; });
    go_on.get_future().wait();
  }));
  ASSERT_TRUE(loop->Post([&] {
    // Stop has begun when this thread sees Post refuse.
    while (loop->Post([] {})) {
      std::this_thread::yield();
    }
    posted_when_stopping = loop->Post([] {});
    late_ran = true;
  }));
  std::thread stopper([&] { loop->Stop(); });
  go_on.set_value();
  loop->Stop();  // two at once
  stopper.join();
  EXPECT_TRUE(late_ran) << "posted before Stop";
  EXPECT_FALSE(posted_when_stopping);
  EXPECT_EQ(held.use_count(), 1) << "the timer is gone";
  EXPECT_FALSE(loop->Post([held] { ++*held; }));
  EXPECT_EQ(loop->Offer([held] { ++*held; }).code(), StatusCode::kUnavailable);
  EXPECT_EQ(*held, 0);
}

TEST(EventLoop, RefusesOffersAboveItsBoundAndTakesAnswersAllTheSame) {
  TestClock clock;
  auto loop = StartLoop(clock, {.offered_length_max = 3});
  std::promise<void> go_on;
  int ran = 0;
  ASSERT_TRUE(loop->Post([&] { go_on.get_future().wait(); }));
  ASSERT_TRUE(loop->Offer([&, owned = std::make_unique<int>(1)] { ran += *owned; }).ok());
  ASSERT_TRUE(loop->Offer([&] { ++ran; }).ok());
  EXPECT_EQ(loop->Offer([&] { ++ran; }).code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(loop->Post([&] { ++ran; }));
  EXPECT_EQ(loop->statistics().refused_count, 1U);
  go_on.set_value();
  Drain(*loop);
  EXPECT_EQ(ran, 3);
  EXPECT_TRUE(loop->Offer([] {}).ok()) << "room again";
}

TEST(EventLoop, RefusesOptionsThatCannotWork) {
  TestClock clock;
  EXPECT_EQ(EventLoop::Start({.tick_us = -1}, clock, {}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(EventLoop::Start({.batch_length_max = 0}, clock, {}).status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace orochi::kv::runtime
