#include "cli/demo_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numbers>
#include <string>

namespace orochi::cli {

namespace {

constexpr int64_t kMinutesPerDay = 1440;
constexpr std::array<const char*, 4> kRegions = {"eu-west", "eu-north", "us-east", "ap-south"};

/// SplitMix64's finaliser: neighbouring inputs give unrelated outputs.
uint64_t Mix(uint64_t value) {
  value += 0x9E3779B97F4A7C15u;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

enum class Metric : uint64_t { kCpu, kMemory, kRequests };

/// From -1 to 1, the same for the same row and metric.
double Noise(int64_t index, Metric metric) {
  uint64_t const input = static_cast<uint64_t>(index) * 4 + static_cast<uint64_t>(metric);
  uint64_t const bits = Mix(input) >> 11;
  return static_cast<double>(bits) / static_cast<double>(uint64_t{1} << 52) - 1;
}

std::string TimeText(int64_t minute) {
  using std::chrono::sys_days;
  using std::chrono::year_month_day;
  constexpr sys_days kStart = std::chrono::year(2024) / 1 / 1;
  year_month_day const date(kStart + std::chrono::days(minute / kMinutesPerDay));
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:00+00", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     minute / 60 % 24, minute % 60);
}

/// Host 7 fails for an hour, every third day at 14:00.
bool IsOutage(int64_t host, int64_t minute) {
  return host == 7 && minute / kMinutesPerDay % 3 == 1 && minute % kMinutesPerDay / 60 == 14;
}

}  // namespace

void AddDemoRow(int64_t index, CopyTextWriter& writer) {
  int64_t const host = index % kDemoHostCount;
  int64_t const minute = index / kDemoHostCount;
  double const day_phase =
      2 * std::numbers::pi *
      (static_cast<double>(minute) / kMinutesPerDay + static_cast<double>(host) / kDemoHostCount);
  double const wave = std::sin(day_phase);
  double const cpu = std::clamp(45 + 35 * wave + 4 * Noise(index, Metric::kCpu), 0.0, 100.0);
  int64_t const hours_between_restarts = 6 + host % 7;
  int64_t const minutes_up = minute % (hours_between_restarts * 60);
  double const memory_gb =
      4 + 0.03 * static_cast<double>(minutes_up) + 0.2 * Noise(index, Metric::kMemory);
  bool const outage = IsOutage(host, minute);
  double const load = (1000 + 800 * wave) * (1 + 0.05 * Noise(index, Metric::kRequests));
  int64_t const requests = outage ? 0 : std::llround(load) * (1 + host % 3);
  int64_t const errors = outage ? 60 + index % 40 : 0;

  writer.AddValue(TimeText(minute));
  writer.AddValue(fmt::format("host_{:02}", host));
  writer.AddValue(kRegions[static_cast<size_t>(host) % kRegions.size()]);
  writer.AddValue(fmt::format("{:.1f}", cpu));
  writer.AddValue(fmt::format("{:.2f}", memory_gb));
  writer.AddValue(fmt::format("{}", requests));
  writer.AddValue(fmt::format("{}", errors));
  writer.EndRow();
}

}  // namespace orochi::cli
