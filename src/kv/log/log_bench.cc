// kv_log_bench DIRECTORY [SECONDS [ROUNDS]]: durable appends through the log writer, beside the
// bare device: a loop that overwrites a file written before, with as many bytes as the appenders
// have under way. Rounds alternate; prints a Markdown row for each case, medians of rounds.
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "io/posix/durable_file.h"
#include "io/posix/system_clock.h"
#include "io/posix/system_random.h"
#include "kv/log/aligned_buffer.h"
#include "kv/log/file_device.h"
#include "kv/log/log_writer.h"

namespace {

using namespace orochi::kv::log;
using orochi::Status;
using orochi::io::DurableFile;
using orochi::io::SystemClock;
namespace raft = orochi::raft;

struct Measured {
  double p50_us = 0;
  double p99_us = 0;
  double per_second = 0;  // appends
};

[[noreturn]] void Die(const Status& status) {
  std::fprintf(stderr, "kv_log_bench: %s\n", status.ToString().c_str());
  std::exit(1);
}

Measured Summarise(std::vector<int64_t>& latencies_ns, double seconds, double appends_each) {
  std::sort(latencies_ns.begin(), latencies_ns.end());
  auto const at = [&](double part) {
    return static_cast<double>(latencies_ns[static_cast<size_t>(
               part * static_cast<double>(latencies_ns.size() - 1))]) /
           1000.0;
  };
  return {at(0.5), at(0.99), appends_each * static_cast<double>(latencies_ns.size()) / seconds};
}

// One group each, the next append when the last is durable; all from the writer's callback, so that
// threads that wait are not what is measured.
class Appenders {
 public:
  Appenders(SystemClock& clock, uint64_t count, size_t size_bytes)
      : clock_(clock),
        payload_(std::make_shared<std::string>(size_bytes, 'x')),
        sequences_(count + 1),
        begun_ns_(count + 1) {}

  Measured Run(LogWriter& writer, double seconds) {
    writer_ = &writer;
    int64_t const begin_ns = clock_.MonotonicNanos();
    end_ns_ = begin_ns + static_cast<int64_t>(seconds * 1e9);
    running_ = sequences_.size() - 1;
    for (uint64_t group = 1; group < sequences_.size(); ++group) {
      Append(group);
    }
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return running_ == 0; });
    double const took = static_cast<double>(clock_.MonotonicNanos() - begin_ns) / 1e9;
    return Summarise(latencies_ns_, took, 1);
  }

  void Note(const std::vector<Completion>& completions) {
    int64_t const now_ns = clock_.MonotonicNanos();
    for (const Completion& completion : completions) {
      uint64_t const group = completion.group.value();
      latencies_ns_.push_back(now_ns - begun_ns_[group]);
      if (now_ns < end_ns_) {
        Append(group);
      } else {
        std::lock_guard const guard(mutex_);
        if (--running_ == 0) {
          ended_.notify_all();
        }
      }
    }
  }

 private:
  void Append(uint64_t group) {
    uint64_t const sequence = ++sequences_[group];
    raft::PersistRequest request;
    request.sequence = sequence;
    request.entries.push_back(
        {.index = raft::LogIndex(sequence), .term = raft::Term(1), .payload = payload_});
    begun_ns_[group] = clock_.MonotonicNanos();
    if (Status const status = writer_->Append(GroupId(group), std::move(request)); !status.ok()) {
      Die(status);
    }
    if (sequence % 64 == 0) {
      Status const status =
          writer_->Compact(GroupId(group), {raft::LogIndex(sequence - 32), raft::Term(1), {}});
      if (!status.ok()) {
        Die(status);
      }
    }
  }

  SystemClock& clock_;
  const raft::Payload payload_;
  LogWriter* writer_ = nullptr;
  int64_t end_ns_ = 0;
  std::vector<uint64_t> sequences_;
  std::vector<int64_t> begun_ns_;
  std::vector<int64_t> latencies_ns_;
  std::mutex mutex_;
  std::condition_variable ended_;
  uint64_t running_ = 0;
};

Measured MeasureLog(const std::string& directory, FileDevice::Mode mode, uint64_t appender_count,
                    size_t size_bytes, double seconds) {
  std::filesystem::remove_all(directory);
  SystemClock clock;
  orochi::io::SystemRandom random;
  auto device = FileDevice::Open(directory, mode);
  if (!device.ok()) {
    Die(device.status());
  }
  LogOptions options;
  auto log = SegmentLog::Open(options, **device, random, SegmentLog::Expect::kNew);
  if (!log.ok()) {
    Die(log.status());
  }
  // As after some hours: segments are files that were used before.
  for (int spare = 0; spare < 4; ++spare) {
    std::string const name = (*log)->files().TakeSpareName();
    if (Status const made = (*device)->Create(name, options.segment_size_bytes); !made.ok()) {
      Die(made);
    }
    (*log)->files().AddSpare(name);
  }
  Appenders appenders(clock, appender_count, size_bytes);
  LogWriter writer(*std::move(log), clock,
                   {.completed = [&](const auto& done) { appenders.Note(done); },
                    .failed = [](const Status& status) { Die(status); }});
  return appenders.Run(writer, seconds);
}

Measured MeasureBare(const std::string& path, DurableFile::Mode mode, uint64_t appender_count,
                     size_t size_bytes, double seconds) {
  constexpr uint64_t kFileBytes = 64 << 20;
  constexpr uint64_t kBlockBytes = DurableFile::kAlignmentBytes;
  SystemClock clock;
  auto file = DurableFile::Open(path, mode);
  if (!file.ok()) {
    Die(file.status());
  }
  uint64_t const appends_each =
      std::min<uint64_t>(appender_count, std::max<uint64_t>(1, (1 << 20) / size_bytes));
  uint64_t const write_bytes =
      (appends_each * size_bytes + kBlockBytes - 1) / kBlockBytes * kBlockBytes;
  AlignedBuffer buffer(write_bytes);
  std::vector<int64_t> latencies_ns;
  uint64_t offset = 0;
  int64_t const begin_ns = clock.MonotonicNanos();
  int64_t now_ns = begin_ns;
  while (now_ns - begin_ns < static_cast<int64_t>(seconds * 1e9)) {
    if (Status const written = file->Write(offset, buffer.span()); !written.ok()) {
      Die(written);
    }
    offset = offset + 2 * write_bytes <= kFileBytes ? offset + write_bytes : 0;
    int64_t const after_ns = clock.MonotonicNanos();
    latencies_ns.push_back(after_ns - now_ns);
    now_ns = after_ns;
  }
  return Summarise(latencies_ns, static_cast<double>(now_ns - begin_ns) / 1e9,
                   static_cast<double>(appends_each));
}

Measured Median(std::vector<Measured>& rounds) {
  std::sort(rounds.begin(), rounds.end(),
            [](const Measured& a, const Measured& b) { return a.per_second < b.per_second; });
  return rounds[rounds.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: kv_log_bench DIRECTORY [SECONDS [ROUNDS]]\n", stderr);
    return 2;
  }
  std::string const directory = argv[1];
  double const seconds = argc > 2 ? std::atof(argv[2]) : 1.0;
  int const round_count = argc > 3 ? std::atoi(argv[3]) : 3;
  std::string const bare = directory + "/bare";
  if (Status const made = DurableFile::CreateZeroed(bare, 64 << 20); !made.ok()) {
    Die(made);
  }
  for (auto const mode : {DurableFile::Mode::kDirect, DurableFile::Mode::kDataSync}) {
    for (size_t const size_bytes : {size_t{512}, size_t{64} << 10}) {
      for (uint64_t const appender_count : {1, 64}) {
        std::vector<Measured> log_rounds;
        std::vector<Measured> bare_rounds;
        for (int round = 0; round < round_count; ++round) {
          bare_rounds.push_back(MeasureBare(bare, mode, appender_count, size_bytes, seconds));
          log_rounds.push_back(
              MeasureLog(directory + "/log", mode, appender_count, size_bytes, seconds));
        }
        Measured const log = Median(log_rounds);
        Measured const limit = Median(bare_rounds);
        std::printf(
            "| %s | %zu B | %llu | %.0f | %.0f | %.0f | %.1f | %.0f | %.0f | %.1f | %.2f |\n",
            mode == DurableFile::Mode::kDirect ? "O_DIRECT, O_DSYNC" : "fdatasync", size_bytes,
            static_cast<unsigned long long>(appender_count), log.p50_us, log.p99_us, log.per_second,
            log.per_second * static_cast<double>(size_bytes) / 1e6, limit.p50_us, limit.p99_us,
            limit.per_second * static_cast<double>(size_bytes) / 1e6,
            log.per_second / limit.per_second);
        std::fflush(stdout);
      }
    }
  }
  return 0;
}
