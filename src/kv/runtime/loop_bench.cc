// What a Post costs, and how long it takes until it runs. Prints one line a case; processor time
// besides wall time, since the machine may be busy.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <future>

#include "io/posix/system_clock.h"
#include "kv/runtime/event_loop.h"

namespace orochi::kv::runtime {
namespace {

double ProcessorMicros() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto const micros = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

void BenchFlood(size_t thread_count) {
  constexpr size_t kPosts = 2'000'000;
  io::SystemClock clock;
  auto loop = EventLoop::Start({}, clock, {});
  if (!loop.ok()) {
    return;
  }
  uint64_t sum = 0;
  double const processor_begin_us = ProcessorMicros();
  int64_t const begin_ns = clock.MonotonicNanos();
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < thread_count; ++thread) {
    threads.emplace_back([&] {
      for (size_t post = 0; post < kPosts / thread_count; ++post) {
        (*loop)->Post([&sum, post] { sum += post; });
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  int64_t const posted_ns = clock.MonotonicNanos();
  (*loop)->Stop();
  double const processor_us = ProcessorMicros() - processor_begin_us;
  LoopStatistics const statistics = (*loop)->statistics();
  std::printf(
      "flood, %zu threads: %.0f ns a Post, %.0f ns of processor a task with its run, batches of "
      "%.0f\n",
      thread_count,
      static_cast<double>(posted_ns - begin_ns) * static_cast<double>(thread_count) / kPosts,
      processor_us * 1000 / kPosts,
      static_cast<double>(statistics.task_count) / static_cast<double>(statistics.batch_count));
}

void BenchIdle() {
  constexpr size_t kPosts = 20'000;
  io::SystemClock clock;
  auto loop = EventLoop::Start({}, clock, {});
  if (!loop.ok()) {
    return;
  }
  std::vector<int64_t> latencies_ns;
  double const processor_begin_us = ProcessorMicros();
  for (size_t post = 0; post < kPosts; ++post) {
    std::promise<int64_t> ran;
    int64_t const begin_ns = clock.MonotonicNanos();
    (*loop)->Post([&] { ran.set_value(clock.MonotonicNanos()); });
    latencies_ns.push_back(ran.get_future().get() - begin_ns);
  }
  double const processor_us = ProcessorMicros() - processor_begin_us;
  std::sort(latencies_ns.begin(), latencies_ns.end());
  std::printf("idle loop, Post until it runs: p50 %.1f us, p99 %.1f us, %.1f us of processor\n",
              static_cast<double>(latencies_ns[kPosts / 2]) / 1e3,
              static_cast<double>(latencies_ns[kPosts * 99 / 100]) / 1e3, processor_us / kPosts);
}

}  // namespace
}  // namespace orochi::kv::runtime

int main() {
  orochi::kv::runtime::BenchFlood(1);
  orochi::kv::runtime::BenchFlood(4);
  orochi::kv::runtime::BenchIdle();
  return 0;
}
