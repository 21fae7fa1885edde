#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

namespace orochi::sim {

/// Simulated time and what is to happen in it. Events at the same time run in the order in which
/// they were asked for, so a seed gives one history.
///
/// Threads: none.
class EventQueue {
 public:
  int64_t now_us() const { return now_us_; }
  bool empty() const { return events_.empty(); }
  uint64_t run_count() const { return run_count_; }

  /// REQUIRES: delay_us >= 0.
  void After(int64_t delay_us, std::function<void()> event);
  /// Moves time to the next event and runs it. REQUIRES: not empty.
  void RunNext();

 private:
  int64_t now_us_ = 0;
  uint64_t sequence_ = 0;
  uint64_t run_count_ = 0;
  std::map<std::pair<int64_t, uint64_t>, std::function<void()>> events_;
};

}  // namespace orochi::sim
