#pragma once

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace orochi::kv::metrics {

using Counter = prometheus::Counter;
using Gauge = prometheus::Gauge;
using Histogram = prometheus::Histogram;
using Labels = std::map<std::string, std::string>;
using Buckets = prometheus::Histogram::BucketBoundaries;

/// Powers of two from 64 bytes to 2 MiB: of writes and batches.
const Buckets& SizeBuckets();

/// Seconds, from 10 us to 10 s: two a decade up to 100 ms, where latencies of a store are.
const Buckets& LatencyBuckets();

/// What something counts by itself, filled in while metrics are exposed.
class Samples {
 public:
  void Counter(const std::string& name, const std::string& help, double value,
               const Labels& labels = {});
  void Gauge(const std::string& name, const std::string& help, double value,
             const Labels& labels = {});
  std::vector<prometheus::MetricFamily> Take();

 private:
  prometheus::ClientMetric& Add(const std::string& name, const std::string& help,
                                prometheus::MetricType type, const Labels& labels);

  std::map<std::string, prometheus::MetricFamily> families_;
};

/// The metrics of a process, in Prometheus' text format: prometheus-cpp under the names of this
/// project. Cores count in structs of their own, which a source brings here; only what has to be
/// seen one by one, as latencies have, is a Histogram.
///
/// Names begin with "orochi_kv_", or as Prometheus has those of any process with "process_";
/// counters end with "_total", units are seconds and bytes; help is one line (prometheus-cpp would
/// not escape it). Labels may hold any UTF-8. All of this is asserted.
///
/// Life:    Add* -> Expose*. What Add* gives lives as long as this.
/// Threads: any, also for what Add* gives; that costs 10 to 30 ns and allocates nothing.
/// Borrows: what sources look at, as long as this lives.
class Metrics {
 public:
  Counter& AddCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& AddGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  Histogram& AddHistogram(const std::string& name, const std::string& help, const Buckets& buckets,
                          const Labels& labels = {});
  /// Called by each Expose, without a lock of the caller's.
  void AddSource(std::function<void(Samples&)> source);

  /// Of all; text/plain; version=0.0.4.
  std::string Expose() const { return Expose({}); }
  /// And what the caller has gathered.
  std::string Expose(Samples samples) const;

 private:
  mutable prometheus::Registry registry_;
  mutable std::mutex mutex_;
  std::vector<std::function<void(Samples&)>> sources_;  // guarded by mutex_
};

}  // namespace orochi::kv::metrics
