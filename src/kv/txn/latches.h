#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "kv/mvcc/versions.h"

namespace orochi::kv {

/// Who is about to change which keys of a partition: from evaluation until the change is applied.
/// Writers of a key go one after the other, in the order they came. Readers wait for the writers
/// before them that may write at or before their timestamp.
///
/// Threads: none.
class Latches {
 public:
  using Id = uint64_t;

  /// Calls `ready(id)` when no earlier writer of one of the keys is left, at once perhaps. Its
  /// versions are not before `lower_bound`.
  Id Acquire(std::vector<KeySpan> spans, Timestamp lower_bound, std::function<void(Id)> ready);
  /// Calls `ready` when no writer, of those that are there now, is left that may write into the
  /// spans at or before `timestamp`.
  void AwaitWriters(std::vector<KeySpan> spans, Timestamp timestamp, std::function<void(Id)> ready);
  void Release(Id id);

 private:
  struct Entry {
    std::vector<KeySpan> spans;
    Timestamp bound;
    bool writes;
    std::function<void(Id)> ready;  // empty once it was called
  };
  bool IsBlocked(Id id, const Entry& entry) const;
  Id Add(Entry entry);

  Id last_ = 0;
  std::map<Id, Entry> entries_;
};

}  // namespace orochi::kv
