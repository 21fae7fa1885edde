#include "kv/txn/latches.h"

#include <algorithm>

#include "base/assert.h"

namespace orochi::kv {
namespace {

bool Overlap(const std::vector<KeySpan>& spans, const std::vector<KeySpan>& others) {
  return std::any_of(spans.begin(), spans.end(), [&](const KeySpan& span) {
    return std::any_of(others.begin(), others.end(),
                       [&](const KeySpan& other) { return span.Overlaps(other); });
  });
}

}  // namespace

bool Latches::IsBlocked(Id id, const Entry& entry) const {
  for (auto earlier = entries_.begin(); earlier != entries_.end() && earlier->first < id;
       ++earlier) {
    const Entry& other = earlier->second;
    if (other.writes && (entry.writes || other.bound <= entry.bound) &&
        Overlap(entry.spans, other.spans)) {
      return true;
    }
  }
  return false;
}

Latches::Id Latches::Add(Entry entry) {
  Id const id = ++last_;
  if (IsBlocked(id, entry)) {
    entries_.emplace(id, std::move(entry));
    return id;
  }
  auto const ready = std::exchange(entry.ready, {});
  if (entry.writes) {
    entries_.emplace(id, std::move(entry));
  }
  ready(id);
  return id;
}

Latches::Id Latches::Acquire(std::vector<KeySpan> spans, Timestamp lower_bound,
                             std::function<void(Id)> ready) {
  return Add(
      {.spans = std::move(spans), .bound = lower_bound, .writes = true, .ready = std::move(ready)});
}

void Latches::AwaitWriters(std::vector<KeySpan> spans, Timestamp timestamp,
                           std::function<void(Id)> ready) {
  Add({.spans = std::move(spans), .bound = timestamp, .writes = false, .ready = std::move(ready)});
}

void Latches::Release(Id id) {
  ASSERT(entries_.erase(id) == 1);
  // What is called may release and acquire: look again from the start each time.
  for (bool called = true; called;) {
    called = false;
    for (auto waiting = entries_.begin(); waiting != entries_.end(); ++waiting) {
      if (waiting->second.ready && !IsBlocked(waiting->first, waiting->second)) {
        Id const id = waiting->first;
        auto const ready = std::exchange(waiting->second.ready, {});
        if (!waiting->second.writes) {
          entries_.erase(waiting);
        }
        ready(id);
        called = true;
        break;
      }
    }
  }
}

}  // namespace orochi::kv
