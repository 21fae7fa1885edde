// `orochi kv bench`: how fast the store is, in shapes that are the same for every run.
#include <fmt/format.h>
#include <poll.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

#include "base/str_cat.h"
#include "cli/kv/bench_shape.h"
#include "cli/kv/commands.h"
#include "cli/kv/latency_histogram.h"
#include "cli/kv/result_list.h"
#include "cli/kv/session.h"
#include "cli/number_format.h"
#include "cli/sstable/output.h"
#include "io/posix/system_random.h"

namespace orochi::cli {

using kv::client::Client;
using kv::client::ClientOptions;
using kv::client::Object;
using kv::client::SchemaDefinition;
using kv::client::Value;
using kv::client::Write;

namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kLoadBatch = 100;

std::string Footer() {
  return StrCat(
      R"(Loads rows into the collections bench and bench_range, which it makes and keeps, then runs
each shape for some seconds and prints rates and latencies. Threads share the nodes
evenly. Shapes:

)",
      ShapeNames(), R"(
  orochi kv bench --shape put1,put,get --threads 64 --seconds 10
  orochi kv bench --shape a,b,c,d,e,f -o lines > results.jsonl

Keys of A to F are zipfian by YCSB's constant 0.99. Operations that failed are counted
apart, as conflicts, unknown outcomes and other errors; they have no latency.)");
}

struct BenchOptions {
  KvOptions kv;
  std::vector<std::string> shapes = {"put1", "put", "get", "txn"};
  size_t threads = 16;
  double seconds = 5;
  double warmup_s = 0.5;
  uint64_t rows = 10'000;
  size_t value_size_bytes = 256;
  uint32_t partitions = 8;
  uint64_t seed = 1;
};

// What all threads of a run counted; a thread counts on its own and adds it in the end.
struct Counts {
  std::array<LatencyHistogram, kBenchOperationCount> by_operation{};
  uint64_t conflicts = 0;
  uint64_t unknown = 0;
  uint64_t errors = 0;
  std::string first_error = {};

  void Add(BenchOperation operation, const Status& status, int64_t duration_ns) {
    if (status.ok()) {
      by_operation[static_cast<size_t>(operation)].Record(duration_ns);
    } else if (status.code() == StatusCode::kAborted) {
      ++conflicts;
    } else {
      ++(status.code() == StatusCode::kOutcomeUnknown ? unknown : errors);
      first_error = first_error.empty() ? status.message() : first_error;
    }
  }
  void Merge(const Counts& other) {
    for (size_t index = 0; index < by_operation.size(); ++index) {
      by_operation[index].Merge(other.by_operation[index]);
    }
    conflicts += other.conflicts;
    unknown += other.unknown;
    errors += other.errors;
    first_error = first_error.empty() ? other.first_error : first_error;
  }
};

int64_t NanosSince(Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count();
}

// A client for each node, that asks this node first: so threads share them evenly.
Result<std::vector<std::unique_ptr<Client>>> ClientsOf(const KvOptions& options) {
  ASSIGN_OR_RETURN(ClientOptions client_options, options.ForClient());
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::string> nodes = client_options.nodes;
  for (size_t index = 0; index < nodes.size(); ++index) {
    client_options.nodes = nodes;
    ASSIGN_OR_RETURN(auto client, Client::Create(client_options));
    clients.push_back(std::move(client));
    std::rotate(nodes.begin(), nodes.begin() + 1, nodes.end());
  }
  return clients;
}

Status MakeCollection(Client& client, bool by_range, uint32_t partitions) {
  std::string const name = BenchWorker::TargetOf(by_range).collection;
  kv::client::CollectionDefinition definition{.name = name, .by_range = by_range};
  if (!by_range) {
    definition.partition_count = partitions;
  }
  Status const made = client.CreateCollection(definition).status();
  if (!made.ok() && made.code() != StatusCode::kAlreadyExists) {
    return made;
  }
  SchemaDefinition schema{.name = "row",
                          .version = 1,
                          .fields = {{.name = "key", .type = "text"},
                                     {.name = "part", .type = "int64"},
                                     {.name = "data", .type = "bytes"}},
                          .partition_key = {"key"},
                          .range_key = {"part"}};
  Status const has_schema = client.CreateSchema(name, schema).status();
  return has_schema.code() == StatusCode::kAlreadyExists ? Status::Ok() : has_schema;
}

Status Load(const std::vector<std::unique_ptr<Client>>& clients, const BenchOptions& options,
            BenchData& data, bool by_range) {
  RETURN_IF_ERROR(MakeCollection(*clients[0], by_range, options.partitions));
  std::atomic<uint64_t> next{0};
  std::mutex mutex;
  Status failed;
  std::vector<std::thread> threads;
  Zipfian const zipfian(2);
  const BenchShape& shape = *FindShape(by_range ? "e" : "put");
  for (size_t index = 0; index < std::min<size_t>(8, options.threads); ++index) {
    threads.emplace_back([&, index] {
      BenchWorker worker(*clients[index % clients.size()], shape, data, zipfian,
                         options.seed + index);
      for (uint64_t at; (at = next.fetch_add(kLoadBatch)) < data.row_count;) {
        std::vector<Write> writes;
        for (uint64_t row = at; row < std::min(at + kLoadBatch, data.row_count); ++row) {
          writes.push_back(Write::Put(BenchWorker::TargetOf(by_range),
                                      worker.Row(BenchWorker::KeyOf(data, row))));
        }
        if (auto const wrote = clients[index % clients.size()]->WriteAll(writes); !wrote.ok()) {
          std::lock_guard const lock(mutex);
          next = data.row_count;
          failed.IgnoreError("the last is as good as the first");
          failed = wrote.status();
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return std::move(failed).WithContext("loading rows");
}

struct RunState {
  std::atomic<bool> measures{false};
  std::atomic<bool> ends{false};
  std::atomic<uint64_t> done{0};
  std::mutex mutex;
  Counts counts;  // guarded by mutex
};

void Work(BenchWorker worker, RunState& state) {
  Counts mine;
  while (!state.ends.load(std::memory_order_relaxed)) {
    BenchOperation const operation = worker.Draw();
    auto const begin = Clock::now();
    Status const status = worker.Run(operation);
    int64_t const duration_ns = NanosSince(begin);
    if (state.measures.load(std::memory_order_relaxed)) {
      mine.Add(operation, status, duration_ns);
      state.done.fetch_add(1, std::memory_order_relaxed);
    }
    if (!status.ok() && status.code() != StatusCode::kAborted) {
      poll(nullptr, 0, 5);  // a store that is gone is not asked at full speed
    }
  }
  std::lock_guard const lock(state.mutex);
  state.counts.Merge(mine);
}

// Shows on a terminal how a run goes, until `seconds` are over.
void Watch(const BenchShape& shape, double seconds, RunState& state, const Terminal& progress) {
  auto const begin = Clock::now();
  uint64_t before = 0;
  double elapsed_s = 0;
  while (elapsed_s < seconds) {
    double const left_ms = (seconds - elapsed_s) * 1000;
    poll(nullptr, 0, static_cast<int>(std::clamp(left_ms, 1.0, 500.0)));
    double const now_s = static_cast<double>(NanosSince(begin)) / 1e9;
    uint64_t const done = state.done;
    if (progress.interactive()) {
      fmt::print(stderr, "\r{:<6}{:6.1f} s  {:>10} /s ", shape.name, now_s,
                 FormatCount(static_cast<int64_t>(static_cast<double>(done - before) /
                                                  std::max(now_s - elapsed_s, 1e-3))));
    }
    before = done;
    elapsed_s = now_s;
  }
  if (progress.interactive()) {
    fmt::print(stderr, "\r{:40}\r", "");
  }
}

double Micros(double nanos) {
  return std::round(nanos / 10) / 100;
}

Object Latencies(const LatencyHistogram& histogram) {
  auto const quantile = [&](double fraction) {
    return Micros(static_cast<double>(histogram.Quantile(fraction)));
  };
  return {{"operations", histogram.count()},
          {"mean_us", Micros(histogram.mean_ns())},
          {"p50_us", quantile(0.5)},
          {"p90_us", quantile(0.9)},
          {"p99_us", quantile(0.99)},
          {"p999_us", quantile(0.999)},
          {"max_us", Micros(static_cast<double>(histogram.max_ns()))}};
}

Value Report(const BenchShape& shape, size_t threads, double seconds, const Counts& counts) {
  LatencyHistogram all;
  Value::Array kinds;
  for (size_t index = 0; index < counts.by_operation.size(); ++index) {
    const LatencyHistogram& one = counts.by_operation[index];
    all.Merge(one);
    if (one.count() > 0) {
      Object kind{{"operation", NameOf(static_cast<BenchOperation>(index))}};
      Object const latencies = Latencies(one);
      kind.insert(kind.end(), latencies.begin(), latencies.end());
      kinds.emplace_back(std::move(kind));
    }
  }
  Object report{{"shape", shape.name},
                {"threads", uint64_t{threads}},
                {"seconds", std::round(seconds * 1000) / 1000},
                {"per_second", std::round(static_cast<double>(all.count()) / seconds * 10) / 10}};
  Object const latencies = Latencies(all);
  report.insert(report.end(), latencies.begin(), latencies.end());
  report.emplace_back("conflicts", counts.conflicts);
  report.emplace_back("unknown", counts.unknown);
  report.emplace_back("errors", counts.errors);
  if (!counts.first_error.empty()) {
    report.emplace_back("first_error", counts.first_error);
  }
  report.emplace_back("kinds", std::move(kinds));
  return report;
}

Value RunShape(const std::vector<std::unique_ptr<Client>>& clients, const BenchShape& shape,
               const BenchOptions& options, BenchData& data, const Zipfian& zipfian) {
  RunState state;
  size_t const thread_count = shape.alone ? 1 : options.threads;
  std::vector<std::thread> threads;
  for (size_t index = 0; index < thread_count; ++index) {
    threads.emplace_back([&, index] {
      Work(BenchWorker(*clients[index % clients.size()], shape, data, zipfian,
                       options.seed * 1000 + index),
           state);
    });
  }
  Terminal const progress = Terminal::Detect(stderr);
  Watch(shape, options.warmup_s, state, progress);
  state.measures = true;
  auto const begin = Clock::now();
  Watch(shape, options.seconds, state, progress);
  state.measures = false;
  double const seconds = static_cast<double>(NanosSince(begin)) / 1e9;
  state.ends = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  return Report(shape, thread_count, seconds, state.counts);
}

Status RunBench(const BenchOptions& options, const Terminal& terminal) {
  std::vector<const BenchShape*> shapes;
  bool hash = false;
  bool range = false;
  for (const std::string& name : options.shapes) {
    const BenchShape* const shape = FindShape(name);
    if (shape == nullptr) {
      return Status::InvalidArgument(StrCat("there is no shape '", name, "'"))
          .WithHint("`orochi kv bench --help` lists them");
    }
    shapes.push_back(shape);
    (shape->by_range ? range : hash) = true;
  }
  ASSIGN_OR_RETURN(auto const clients, ClientsOf(options.kv));
  BenchData data{.row_count = options.rows, .value_size_bytes = options.value_size_bytes};
  data.prefix = fmt::format("{:08x}-", static_cast<uint32_t>(io::SystemRandom().Next()));
  if (hash) {
    RETURN_IF_ERROR(Load(clients, options, data, false));
  }
  if (range) {
    RETURN_IF_ERROR(Load(clients, options, data, true));
  }
  Zipfian const zipfian(options.rows);
  std::vector<Value> reports;
  for (const BenchShape* const shape : shapes) {
    reports.push_back(RunShape(clients, *shape, options, data, zipfian));
    if (options.kv.output() == KvForm::kLines) {
      RETURN_IF_ERROR(PrintOne(reports.back(), KvForm::kLines));
      RETURN_IF_ERROR(FlushStdout());
    }
  }
  if (options.kv.output() == KvForm::kLines) {
    return Status::Ok();
  }
  return PrintList(reports,
                   {{"shape", "shape"},
                    {"threads", "threads", true},
                    {"per s", "per_second", true},
                    {"p50 us", "p50_us", true},
                    {"p99 us", "p99_us", true},
                    {"p99.9 us", "p999_us", true},
                    {"max us", "max_us", true},
                    {"conflicts", "conflicts", true},
                    {"unknown", "unknown", true},
                    {"errors", "errors", true}},
                   options.kv.output(), terminal);
}

}  // namespace

void AddKvBench(CLI::App& kv, Invocation& invocation) {
  auto const options = std::make_shared<BenchOptions>();
  CLI::App* bench = AddCommand(kv, "bench", "Measure rates and latencies", Footer());
  bench->add_option("--shape", options->shapes, "What to do, separated by commas")
      ->delimiter(',')
      ->capture_default_str();
  bench->add_option("--threads", options->threads, "Requests at a time")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  bench->add_option("--seconds", options->seconds, "Of each shape")
      ->check(CLI::Range(0.01, 86'400.0))
      ->capture_default_str();
  bench->add_option("--warmup", options->warmup_s, "Seconds before it counts")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  bench->add_option("--rows", options->rows, "Loaded before")
      ->check(CLI::Range(2, 100'000'000))
      ->capture_default_str();
  bench->add_option("--value-size", options->value_size_bytes, "Bytes of a value")
      ->check(CLI::Range(1, 500'000))
      ->capture_default_str();
  bench->add_option("--partitions", options->partitions, "Of the collection, when it is made")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  bench->add_option("--seed", options->seed, "Of keys and values")->capture_default_str();
  options->kv.AddTo(*bench);
  bench->callback(
      [options, &invocation] { FinishKv(invocation, RunBench(*options, invocation.terminal)); });
}

}  // namespace orochi::cli
