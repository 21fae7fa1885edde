#pragma once

#include <map>
#include <string>

#include "kv/mvcc/versions.h"

namespace orochi::kv {

/// As of when each key was read last through this leader: no write may come at or before that.
/// Knows more than it is told when memory is short, never less.
///
/// Threads: none.
class ReadCache {
 public:
  explicit ReadCache(size_t entry_count_max) : entry_count_max_(entry_count_max) {}

  /// All keys were perhaps read as of `timestamp`.
  void RaiseAll(Timestamp timestamp);
  void Add(const KeySpan& span, Timestamp timestamp);
  /// The latest of any key of the span.
  Timestamp Latest(const KeySpan& span) const;

 private:
  Timestamp ValueAt(const std::string& key) const;
  void Shrink();

  size_t entry_count_max_;
  Timestamp all_;
  std::map<std::string, Timestamp> steps_;  // from a key on, up to the next one; all_ before
};

}  // namespace orochi::kv
