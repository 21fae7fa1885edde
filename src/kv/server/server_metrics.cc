#include "kv/server/server_metrics.h"

#include <memory>
#include <utility>

#include "io/posix/process_statistics.h"
#include "kv/server/node_sample.h"

namespace orochi::kv {
namespace {

constexpr double kNanosInSecond = 1e9;

const metrics::Buckets& CountBuckets() {
  static const metrics::Buckets buckets = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
  return buckets;
}

void SampleProcess(metrics::Samples& samples) {
  io::ProcessStatistics const process = io::ReadProcessStatistics();
  samples.Counter("process_cpu_seconds_total", "Processor time, user and system.",
                  process.cpu_seconds);
  samples.Gauge("process_resident_memory_bytes", "Memory in use.",
                static_cast<double>(process.resident_size_bytes));
  samples.Gauge("process_virtual_memory_bytes", "Address space.",
                static_cast<double>(process.virtual_size_bytes));
  samples.Gauge("process_threads", "Threads.", static_cast<double>(process.thread_count));
  samples.Gauge("process_open_fds", "Open file descriptors.",
                static_cast<double>(process.open_descriptor_count));
  samples.Gauge("process_max_fds", "File descriptors that may be open.",
                static_cast<double>(process.open_descriptor_count_max));
  samples.Gauge("process_start_time_seconds", "When the process began, since 1970.",
                process.start_seconds);
}

void SampleLog(const log::LogStatistics& log, metrics::Samples& samples) {
  samples.Gauge("orochi_kv_log_segments", "Segments of the log.",
                static_cast<double>(log.segment_count));
  samples.Gauge("orochi_kv_log_live_bytes", "Bytes of the log that some group needs.",
                static_cast<double>(log.live_bytes));
  samples.Gauge("orochi_kv_log_cached_bytes", "Entries of the log held in memory.",
                static_cast<double>(log.cached_bytes));
  samples.Gauge("orochi_kv_log_pending_bytes", "Bytes that wait to be written to the log.",
                static_cast<double>(log.pending_bytes));
  samples.Counter("orochi_kv_log_frames_total", "Durable writes of the log.",
                  static_cast<double>(log.frame_count));
  samples.Counter("orochi_kv_log_written_bytes_total", "Bytes written to the log, whole blocks.",
                  static_cast<double>(log.written_bytes));
  samples.Counter("orochi_kv_log_records_total", "Records written to the log.",
                  static_cast<double>(log.record_count));
  samples.Counter("orochi_kv_log_moved_records_total",
                  "Records written once more to free a segment.",
                  static_cast<double>(log.moved_count));
}

void SampleEngine(const EngineStatistics& engine, metrics::Samples& samples) {
  auto const gauge = [&](const char* name, const char* help, uint64_t value) {
    samples.Gauge(name, help, static_cast<double>(value));
  };
  gauge("orochi_kv_state_table_bytes", "Files of RocksDB in use.", engine.table_size_bytes);
  gauge("orochi_kv_state_memory_table_bytes", "What RocksDB has not written to files yet.",
        engine.memory_table_size_bytes);
  gauge("orochi_kv_state_cache_bytes", "RocksDB's cache of blocks.", engine.cache_size_bytes);
  gauge("orochi_kv_state_reader_memory_bytes", "Index and filter blocks outside the cache.",
        engine.cursor_memory_size_bytes);
  gauge("orochi_kv_state_level_zero_tables", "Files that wait to be merged into the levels.",
        engine.table_count_level0);
  gauge("orochi_kv_state_keys", "Keys, estimated.", engine.key_count_estimate);
  gauge("orochi_kv_state_pending_compaction_bytes", "What has to be rewritten, estimated.",
        engine.pending_compaction_size_bytes);
  gauge("orochi_kv_state_running_compactions", "Compactions under way.",
        engine.running_compaction_count);
  gauge("orochi_kv_state_running_flushes", "Flushes under way.", engine.running_flush_count);
  gauge("orochi_kv_state_delayed_write_bytes_per_second",
        "What RocksDB slows writes down to; 0: it does not.", engine.delayed_write_rate_bytes);
  gauge("orochi_kv_state_writes_stopped", "1 while RocksDB takes no writes.",
        engine.writes_stopped ? 1 : 0);
}

}  // namespace

ServerMetrics::ServerMetrics(const Identity& identity)
    : loop_(metrics_),
      log_seconds_(metrics_.AddHistogram("orochi_kv_log_sync_seconds",
                                         "How long a write of the log takes to be durable.",
                                         metrics::LatencyBuckets())),
      log_bytes_(metrics_.AddHistogram("orochi_kv_log_write_bytes",
                                       "How much a write of the log carries, whole blocks.",
                                       metrics::SizeBuckets())),
      log_appends_(metrics_.AddHistogram("orochi_kv_log_write_appends",
                                         "How many appends become durable with one write.",
                                         CountBuckets())) {
  metrics_
      .AddGauge("orochi_kv_node_info", "1; who this is.",
                {{"cluster", identity.cluster},
                 {"node", std::to_string(identity.node)},
                 {"version", OROCHI_VERSION}})
      .Set(1);
  metrics_.AddSource(SampleProcess);
}

void ServerMetrics::NoteWrite(const log::WriteMeasure& write) {
  log_seconds_.Observe(static_cast<double>(write.duration_ns) / kNanosInSecond);
  log_bytes_.Observe(static_cast<double>(write.size_bytes));
  log_appends_.Observe(static_cast<double>(write.completion_count));
}

ServerMetrics::RouteMetrics& ServerMetrics::OfRoute(std::string_view route) {
  auto const known = routes_.find(route);
  if (known != routes_.end()) {
    return known->second;
  }
  metrics::Labels const labels = {{"route", std::string(route)}};
  RouteMetrics made = {
      .seconds = &metrics_.AddHistogram("orochi_kv_http_request_seconds",
                                        "From a request's last byte to its answer.",
                                        metrics::LatencyBuckets(), labels),
      .request_bytes =
          &metrics_.AddCounter("orochi_kv_http_request_bytes_total", "Bodies of requests.", labels),
      .reply_bytes =
          &metrics_.AddCounter("orochi_kv_http_reply_bytes_total", "Bodies of answers.", labels)};
  return routes_.emplace(route, made).first->second;
}

void ServerMetrics::NoteRequest(const http::Served& served) {
  RouteMetrics route{};
  metrics::Counter* outcome = nullptr;
  {
    std::lock_guard const guard(requests_mutex_);
    route = OfRoute(served.route);
    metrics::Counter*& counter =
        request_outcomes_[Outcome(served.route, served.method, served.status, served.code)];
    if (counter == nullptr) {
      counter = &metrics_.AddCounter("orochi_kv_http_requests_total",
                                     "Requests answered; of the dialect the code in the answer.",
                                     {{"route", std::string(served.route)},
                                      {"method", served.method},
                                      {"status", std::to_string(served.status)},
                                      {"code", served.code.empty() ? "ok" : served.code}});
    }
    outcome = counter;
  }
  outcome->Increment();
  route.seconds->Observe(static_cast<double>(served.duration_ns) / kNanosInSecond);
  route.request_bytes->Increment(static_cast<double>(served.request_size_bytes));
  route.reply_bytes->Increment(static_cast<double>(served.reply_size_bytes));
}

void ServerMetrics::WatchLog(log::LogWriter& log) {
  metrics_.AddSource([&log](metrics::Samples& samples) { SampleLog(log.statistics(), samples); });
}

void ServerMetrics::WatchEngine(const Engine& engine) {
  metrics_.AddSource(
      [&engine](metrics::Samples& samples) { SampleEngine(engine.statistics(), samples); });
}

void ServerMetrics::WatchHttp(const http::Server& server) {
  metrics_.AddSource([&server](metrics::Samples& samples) {
    http::ServerStatistics const counts = server.statistics();
    samples.Gauge("orochi_kv_http_connections", "Connections of clients that are served.",
                  static_cast<double>(counts.open_count));
    samples.Gauge("orochi_kv_http_waiting_connections", "Connections that wait to be served.",
                  static_cast<double>(counts.waiting_count));
    samples.Counter("orochi_kv_http_connections_total", "Connections that were served.",
                    static_cast<double>(counts.accepted_count));
    samples.Counter("orochi_kv_http_refused_connections_total",
                    "Connections told 503 because too many waited.",
                    static_cast<double>(counts.refused_count));
    samples.Counter("orochi_kv_http_failed_handshakes_total", "Connections without agreed TLS.",
                    static_cast<double>(counts.tls_failed_count));
  });
}

std::function<std::string()> ServerMetrics::Gather(const Node& node, Gateway& gateway) {
  return [this, sample = std::make_shared<NodeSample>(TakeSample(node, gateway))] {
    metrics::Samples samples;
    AddSample(*sample, samples);
    return metrics_.Expose(std::move(samples));
  };
}

}  // namespace orochi::kv
