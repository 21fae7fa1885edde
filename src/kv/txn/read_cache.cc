#include "kv/txn/read_cache.h"

#include <algorithm>
#include <vector>

namespace orochi::kv {

void ReadCache::RaiseAll(Timestamp timestamp) {
  all_ = std::max(all_, timestamp);
  for (auto step = steps_.begin(); step != steps_.end();) {
    step->second = std::max(step->second, all_);
    bool const same = (step == steps_.begin() ? all_ : std::prev(step)->second) == step->second;
    step = same ? steps_.erase(step) : std::next(step);
  }
}

Timestamp ReadCache::ValueAt(const std::string& key) const {
  auto const after = steps_.upper_bound(key);
  return after == steps_.begin() ? all_ : std::prev(after)->second;
}

void ReadCache::Add(const KeySpan& span, Timestamp timestamp) {
  if (timestamp <= all_) {
    return;
  }
  if (!span.end.empty()) {
    steps_.emplace(span.end, ValueAt(span.end));
  }
  steps_.emplace(span.begin, ValueAt(span.begin));
  auto const end = span.end.empty() ? steps_.end() : steps_.find(span.end);
  for (auto step = steps_.find(span.begin); step != end; ++step) {
    step->second = std::max(step->second, timestamp);
  }
  if (steps_.size() > entry_count_max_) {
    Shrink();
  }
}

// What was read longest ago is forgotten by calling all of that age.
void ReadCache::Shrink() {
  std::vector<Timestamp> values;
  values.reserve(steps_.size());
  for (const auto& [key, value] : steps_) {
    values.push_back(value);
  }
  auto const middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  RaiseAll(*middle);
}

Timestamp ReadCache::Latest(const KeySpan& span) const {
  Timestamp latest = ValueAt(span.begin);
  auto const end = span.end.empty() ? steps_.end() : steps_.lower_bound(span.end);
  for (auto step = steps_.upper_bound(span.begin); step != end; ++step) {
    latest = std::max(latest, step->second);
  }
  return latest;
}

}  // namespace orochi::kv
