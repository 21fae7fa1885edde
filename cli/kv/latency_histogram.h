#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace orochi::cli {

/// Counts of durations in nanoseconds, each known to one part in 64 (1.6 %): 64 buckets for each
/// power of two, as HdrHistogram has them.
class LatencyHistogram {
 public:
  void Record(int64_t duration_ns) {
    auto const value = static_cast<uint64_t>(std::max<int64_t>(duration_ns, 0));
    ++counts_[BucketOf(value)];
    ++count_;
    sum_ns_ += value;
    max_ns_ = std::max(max_ns_, value);
  }
  void Merge(const LatencyHistogram& other) {
    for (size_t bucket = 0; bucket < kBucketCount; ++bucket) {
      counts_[bucket] += other.counts_[bucket];
    }
    count_ += other.count_;
    sum_ns_ += other.sum_ns_;
    max_ns_ = std::max(max_ns_, other.max_ns_);
  }

  uint64_t count() const { return count_; }
  uint64_t max_ns() const { return max_ns_; }
  double mean_ns() const {
    return count_ == 0 ? 0 : static_cast<double>(sum_ns_) / static_cast<double>(count_);
  }
  /// The smallest duration that `fraction` of all do not exceed, as far as buckets tell.
  uint64_t Quantile(double fraction) const {
    auto const rank = static_cast<uint64_t>(fraction * static_cast<double>(count_));
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < kBucketCount; ++bucket) {
      seen += counts_[bucket];
      if (seen > rank) {
        return std::min(max_ns_, EndOf(bucket) - 1);
      }
    }
    return max_ns_;
  }

 private:
  static constexpr size_t kSubBits = 6;
  static constexpr size_t kSubCount = size_t{1} << kSubBits;
  static constexpr size_t kBucketCount = (64 - kSubBits + 1) * kSubCount;

  static size_t BucketOf(uint64_t value) {
    if (value < kSubCount) {
      return value;
    }
    size_t const shift = static_cast<size_t>(std::bit_width(value)) - kSubBits - 1;
    return (shift + 1) * kSubCount + ((value >> shift) - kSubCount);
  }
  static uint64_t EndOf(size_t bucket) {
    if (bucket < kSubCount) {
      return bucket + 1;
    }
    size_t const shift = bucket / kSubCount - 1;
    return (kSubCount + bucket % kSubCount + 1) << shift;
  }

  std::array<uint64_t, kBucketCount> counts_{};
  uint64_t count_ = 0;
  uint64_t sum_ns_ = 0;
  uint64_t max_ns_ = 0;
};

}  // namespace orochi::cli
