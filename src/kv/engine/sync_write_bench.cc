// kv_engine_sync_bench DIRECTORY THREADS SECONDS: RocksDB alone, each write synced: what a store that
// keeps its log there can reach at most on this disk. One line of JSON, as `orochi kv bench` prints.
#include <rocksdb/db.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kValueSizeBytes = 256;

double At(const std::vector<double>& sorted, double fraction) {
  if (sorted.empty()) {
    return 0;
  }
  auto const index = static_cast<size_t>(fraction * static_cast<double>(sorted.size()));
  return sorted[std::min(index, sorted.size() - 1)];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: kv_engine_sync_bench DIRECTORY THREADS SECONDS\n");
    return 2;
  }
  int const thread_count = std::atoi(argv[2]);
  double const seconds = std::atof(argv[3]);
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* raw = nullptr;
  if (!rocksdb::DB::Open(options, argv[1], &raw).ok()) {
    std::fprintf(stderr, "cannot open %s\n", argv[1]);
    return 1;
  }
  std::unique_ptr<rocksdb::DB> const database(raw);
  std::atomic<bool> ends{false};
  std::atomic<int> errors{0};
  std::mutex mutex;
  std::vector<double> durations_us;  // guarded by mutex
  std::vector<std::thread> threads;
  auto const begin = Clock::now();
  for (int index = 0; index < thread_count; ++index) {
    threads.emplace_back([&, index] {
      rocksdb::WriteOptions write;
      write.sync = true;
      std::string const value(kValueSizeBytes, 'v');
      std::vector<double> mine;
      for (int number = 0; !ends; ++number) {
        std::string const key = std::to_string(index) + "-" + std::to_string(number);
        auto const one = Clock::now();
        if (!database->Put(write, key, value).ok()) {
          ++errors;
        }
        mine.push_back(std::chrono::duration<double, std::micro>(Clock::now() - one).count());
      }
      std::lock_guard const lock(mutex);
      durations_us.insert(durations_us.end(), mine.begin(), mine.end());
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  ends = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  double const elapsed_s = std::chrono::duration<double>(Clock::now() - begin).count();
  std::sort(durations_us.begin(), durations_us.end());
  std::printf(
      "{\"shape\":\"%s\",\"threads\":%d,\"per_second\":%.1f,\"p50_us\":%.1f,\"p99_us\":%.1f,"
      "\"conflicts\":0,\"unknown\":0,\"errors\":%d}\n",
      thread_count == 1 ? "put1" : "put", thread_count,
      static_cast<double>(durations_us.size()) / elapsed_s, At(durations_us, 0.5),
      At(durations_us, 0.99), errors.load());
  return errors == 0 ? 0 : 1;
}
