#include "sim/event_queue.h"

#include "base/assert.h"

namespace orochi::sim {

void EventQueue::After(int64_t delay_us, std::function<void()> event) {
  ASSERT(delay_us >= 0);
  events_.emplace(std::pair(now_us_ + delay_us, ++sequence_), std::move(event));
}

void EventQueue::RunNext() {
  ASSERT(!events_.empty());
  auto node = events_.extract(events_.begin());
  now_us_ = node.key().first;
  ++run_count_;
  node.mapped()();
}

}  // namespace orochi::sim
