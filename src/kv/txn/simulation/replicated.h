#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "base/random.h"
#include "sim/event_queue.h"

namespace orochi::kv::simulation {

/// How long a simulated group takes.
struct GroupPace {
  int64_t commit_us_max = 2'000;
  int64_t confirm_us_max = 1'000;
};

/// One leader's side of a replicated log, as Raft gives it: what it proposes is committed in order
/// while it leads; when it is deposed, some of what is on its way is committed nonetheless and it
/// is not told. It goes on believing that it leads until it is stopped.
///
/// Threads: none.    Borrows: queue, random.
template <class Entry>
class SimulatedLog {
 public:
  SimulatedLog(sim::EventQueue& queue, Random& random, const GroupPace& pace,
               std::function<void(const Entry&)> commit)
      : queue_(queue), random_(random), pace_(pace), commit_(std::move(commit)) {}

  bool deposed() const { return deposed_; }

  void Propose(Entry entry, std::function<void(const Entry&)> applied) {
    pending_.emplace_back(std::move(entry), std::move(applied));
    After(Draw(pace_.commit_us_max), [this] {
      if (!deposed_) {
        auto const [entry, applied] = std::move(pending_.front());
        pending_.pop_front();
        commit_(entry);
        applied(entry);
      }
    });
  }

  void Confirm(std::function<void()> confirmed) {
    After(Draw(pace_.confirm_us_max), [this, confirmed = std::move(confirmed)] {
      if (!deposed_) {
        confirmed();
      }
    });
  }

  void After(int64_t delay_us, std::function<void()> event) {
    queue_.After(delay_us, [here = std::weak_ptr<int>(here_), event = std::move(event)] {
      if (!here.expired()) {
        event();
      }
    });
  }

  void Depose() {
    deposed_ = true;
    uint64_t const survive_count = random_.Below(pending_.size() + 1);
    for (uint64_t index = 0; index < survive_count; ++index) {
      commit_(pending_[index].first);
    }
  }

 private:
  int64_t Draw(int64_t us_max) {
    return 1 + static_cast<int64_t>(random_.Below(static_cast<uint64_t>(us_max)));
  }

  sim::EventQueue& queue_;
  Random& random_;
  GroupPace pace_;
  std::function<void(const Entry&)> commit_;
  bool deposed_ = false;
  std::deque<std::pair<Entry, std::function<void(const Entry&)>>> pending_;
  std::shared_ptr<int> here_ = std::make_shared<int>(0);
};

}  // namespace orochi::kv::simulation
