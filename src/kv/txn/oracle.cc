#include "kv/txn/oracle.h"

#include <algorithm>
#include <utility>

#include "kv/txn/planted_bug.h"

namespace orochi::kv {
namespace {

Timestamp AtMs(int64_t ms) {
  return Timestamp(static_cast<uint64_t>(std::max<int64_t>(ms, 0)) << kCounterBits);
}

}  // namespace

TimestampOracle::TimestampOracle(OracleHost& host, Timestamp limit, const Options& options)
    : host_(host), options_(options), next_(std::max(limit, Timestamp(1))), limit_(next_) {
  if (IsPlanted(PlantedBug::kOracleForgetsLimit)) {
    next_ = std::max(AtMs(host.now_ms()), Timestamp(1));
  }
}

void TimestampOracle::Issue(uint64_t count, std::function<void(Timestamp first)> issued) {
  if (IsPlanted(PlantedBug::kOracleUnconfirmed)) {
    ready_.push_back({.count = count, .issued = std::move(issued)});
    Serve();
    return;
  }
  arrived_.push_back({.count = count, .issued = std::move(issued)});
  ConfirmNext();
}

// A deposed oracle, paused for a while, must not give out old numbers: it asks for each batch
// whether it still leads, after the batch came.
void TimestampOracle::ConfirmNext() {
  if (confirming_ || arrived_.empty()) {
    return;
  }
  confirming_ = true;
  asked_for_ = std::exchange(arrived_, {});
  host_.ConfirmLeadership([this, here = std::weak_ptr<int>(here_)] {
    if (here.expired()) {
      return;
    }
    confirming_ = false;
    std::move(asked_for_.begin(), asked_for_.end(), std::back_inserter(ready_));
    asked_for_.clear();
    ConfirmNext();
    Serve();
  });
}

void TimestampOracle::Serve() {
  size_t served = 0;
  std::vector<std::pair<Timestamp, std::function<void(Timestamp)>>> issued;
  for (; served < ready_.size(); ++served) {
    Waiting& waiting = ready_[served];
    Timestamp const first = std::max(next_, AtMs(host_.now_ms()));
    if (first.value() + waiting.count > limit_.value()) {
      Reserve(waiting.count);
      // The clock may be ahead of the window, the window's rest is as good.
      if (next_.value() + waiting.count > limit_.value()) {
        break;
      }
      issued.emplace_back(next_, std::move(waiting.issued));
      next_ = Timestamp(next_.value() + waiting.count);
      continue;
    }
    issued.emplace_back(first, std::move(waiting.issued));
    next_ = Timestamp(first.value() + waiting.count);
  }
  ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(served));
  for (const auto& [first, call] : issued) {
    call(first);
  }
}

void TimestampOracle::Reserve(uint64_t count) {
  if (reserving_) {
    return;
  }
  reserving_ = true;
  uint64_t const window = AtMs(options_.window_ms).value();
  Timestamp const limit(
      std::max({limit_.value(), next_.value() + count, AtMs(host_.now_ms()).value()}) + window);
  host_.ProposeLimit(limit, [this, limit, here = std::weak_ptr<int>(here_)] {
    if (here.expired()) {
      return;
    }
    reserving_ = false;
    limit_ = std::max(limit_, limit);
    Serve();
  });
}

}  // namespace orochi::kv
