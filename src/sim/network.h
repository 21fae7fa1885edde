#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <utility>

#include "base/random.h"
#include "sim/event_queue.h"

namespace orochi::sim {

/// How a network treats what is sent over it. Rates are in thousandths of the messages.
struct NetworkFaults {
  int64_t delay_us_min = 100;
  int64_t delay_us_max = 1'000;  // also how far messages overtake each other
  uint32_t drop_permille = 0;
  uint32_t duplicate_permille = 0;
  uint32_t straggler_permille = 0;  // these take up to a hundred times as long
};

/// Carries messages between numbered places, late, twice or not at all, and over no link that is
/// cut. Links have a direction: one side may hear the other and not be heard.
///
/// Threads: none.    Borrows: queue, random.
template <class Message>
class Network {
 public:
  using Deliver = std::function<void(uint64_t to, const Message& message)>;

  Network(EventQueue& queue, Random& random, Deliver deliver)
      : queue_(queue), random_(random), deliver_(std::move(deliver)) {}

  NetworkFaults& faults() { return faults_; }
  void Cut(uint64_t from, uint64_t to) { cut_.emplace(from, to); }
  void HealAll() { cut_.clear(); }
  bool IsCut(uint64_t from, uint64_t to) const { return cut_.contains({from, to}); }

  /// False when the message is certainly lost, which a sender must not look at but a simulated
  /// connection may.
  bool Send(uint64_t from, uint64_t to, const Message& message) {
    if (random_.Below(1000) < faults_.drop_permille) {
      return false;
    }
    int const copies = random_.Below(1000) < faults_.duplicate_permille ? 2 : 1;
    for (int copy = 0; copy < copies; ++copy) {
      queue_.After(DrawDelay(), [this, from, to, message] {
        if (!IsCut(from, to)) {
          deliver_(to, message);
        }
      });
    }
    return !IsCut(from, to);
  }

 private:
  int64_t DrawDelay() {
    auto const spread = static_cast<uint64_t>(faults_.delay_us_max - faults_.delay_us_min + 1);
    int64_t const delay_us = faults_.delay_us_min + static_cast<int64_t>(random_.Below(spread));
    return random_.Below(1000) < faults_.straggler_permille
               ? delay_us * static_cast<int64_t>(1 + random_.Below(100))
               : delay_us;
  }

  EventQueue& queue_;
  Random& random_;
  Deliver deliver_;
  NetworkFaults faults_;
  std::set<std::pair<uint64_t, uint64_t>> cut_;
};

}  // namespace orochi::sim
