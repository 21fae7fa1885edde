#include "kv/metrics/metrics.h"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"

namespace orochi::kv::metrics {
namespace {

void CheckName(const std::string& name, const std::string& help, bool is_counter) {
  ASSERT(name.starts_with("orochi_kv_") || name.starts_with("process_"));
  ASSERT(std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; }));
  ASSERT(name.ends_with("_total") == is_counter);
  ASSERT(!help.empty() && help.find_first_of("\n\\") == std::string::npos);
}

}  // namespace

const Buckets& LatencyBuckets() {
  static const Buckets buckets = {0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01,
                                  0.03,    0.1,     0.3,    1,      3,     10};
  return buckets;
}

const Buckets& SizeBuckets() {
  static const Buckets buckets = [] {
    Buckets powers;
    for (double size_bytes = 64; size_bytes <= 2 << 20; size_bytes *= 2) {
      powers.push_back(size_bytes);
    }
    return powers;
  }();
  return buckets;
}

void Samples::Counter(const std::string& name, const std::string& help, double value,
                      const Labels& labels) {
  CheckName(name, help, true);
  Add(name, help, prometheus::MetricType::Counter, labels).counter.value = value;
}

void Samples::Gauge(const std::string& name, const std::string& help, double value,
                    const Labels& labels) {
  CheckName(name, help, false);
  Add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

prometheus::ClientMetric& Samples::Add(const std::string& name, const std::string& help,
                                       prometheus::MetricType type, const Labels& labels) {
  prometheus::MetricFamily& family = families_[name];
  ASSERT(family.metric.empty() || family.type == type);
  family.name = name;
  family.help = help;
  family.type = type;
  prometheus::ClientMetric& metric = family.metric.emplace_back();
  for (const auto& [label, value] : labels) {
    metric.label.push_back({.name = label, .value = value});
  }
  return metric;
}

std::vector<prometheus::MetricFamily> Samples::Take() {
  std::vector<prometheus::MetricFamily> families;
  for (auto& [name, family] : families_) {
    families.push_back(std::move(family));
  }
  families_.clear();
  return families;
}

Counter& Metrics::AddCounter(const std::string& name, const std::string& help,
                             const Labels& labels) {
  CheckName(name, help, true);
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry_).Add(labels);
}

Gauge& Metrics::AddGauge(const std::string& name, const std::string& help, const Labels& labels) {
  CheckName(name, help, false);
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry_).Add(labels);
}

Histogram& Metrics::AddHistogram(const std::string& name, const std::string& help,
                                 const Buckets& buckets, const Labels& labels) {
  CheckName(name, help, false);
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry_).Add(labels,
                                                                                    buckets);
}

void Metrics::AddSource(std::function<void(Samples&)> source) {
  std::lock_guard const guard(mutex_);
  sources_.push_back(std::move(source));
}

std::string Metrics::Expose(Samples samples) const {
  std::vector<std::function<void(Samples&)>> sources;
  {
    std::lock_guard const guard(mutex_);
    sources = sources_;
  }
  for (const auto& source : sources) {
    source(samples);
  }
  std::vector<prometheus::MetricFamily> families = registry_.Collect();
  std::vector<prometheus::MetricFamily> sampled = samples.Take();
  std::move(sampled.begin(), sampled.end(), std::back_inserter(families));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace orochi::kv::metrics
