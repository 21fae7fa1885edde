#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "kv/engine/reader.h"
#include "kv/engine/write_batch.h"
#include "kv/log/types.h"
#include "raft/types.h"

namespace orochi::kv {

/// Keys in [begin, end); an empty end has none after it.
struct KeyRange {
  std::string begin;
  std::string end{};

  bool Contains(std::string_view key) const { return key >= begin && (end.empty() || key < end); }
};

/// The state machine of the group is at this entry with the batch (R12).
void SetApplied(WriteBatch& batch, log::GroupId group, raft::LogIndex index);

/// What an engine takes and does, of all families together. Zeros where there is no such thing.
struct EngineStatistics {
  uint64_t memory_table_size_bytes = 0;
  uint64_t table_size_bytes = 0;  // of files that are in use
  uint64_t table_count_level0 = 0;
  uint64_t cache_size_bytes = 0;
  uint64_t cursor_memory_size_bytes = 0;  // index and filter blocks outside the cache
  uint64_t key_count_estimate = 0;
  uint64_t pending_compaction_size_bytes = 0;
  uint64_t running_compaction_count = 0;
  uint64_t running_flush_count = 0;
  uint64_t delayed_write_rate_bytes = 0;  // 0: writes are not slowed down
  bool writes_stopped = false;
};

/// Holds the state machines of all groups of a node. After a crash it has all that was flushed, and
/// of what was written since a beginning: never a batch without those before it, nor a part of one.
///
/// As a Reader it is the newest state; a cursor sees that of when it was made.
///
/// Threads: any; batches of one group from one at a time.
class Engine : public Reader {
 public:
  /// Visible when it returns, durable with the next Flush. An error is final (R13).
  virtual Status Write(const WriteBatch& batch) = 0;
  /// The state of this moment. Borrows the engine.
  virtual std::unique_ptr<Reader> TakeSnapshot() const = 0;
  /// All that was written before is durable when it returns.
  virtual Status Flush() = 0;
  /// What of the group is durable: its log may do without entries up to there. 0: nothing is.
  virtual raft::LogIndex FlushedApplied(log::GroupId group) const = 0;
  /// Bytes that the range takes; off by what was not compacted yet.
  virtual Result<uint64_t> ApproximateSize(Family family, const KeyRange& range) const = 0;

  /// For metrics; takes no long lock.
  virtual EngineStatistics statistics() const { return {}; }

  /// As of the last batch of the group. 0: none.
  Result<raft::LogIndex> Applied(log::GroupId group) const;
};

/// Where in kMeta a group's applied index is, and its 8 bytes. Keys of others do not begin so.
inline constexpr std::string_view kAppliedPrefix =
    "\x01"
    "applied";
std::string AppliedKey(log::GroupId group);
std::string EncodeApplied(raft::LogIndex index);
Result<raft::LogIndex> DecodeApplied(std::string_view value);
/// Nothing when the key is not one of an applied index.
std::optional<log::GroupId> GroupOfAppliedKey(std::string_view key);

}  // namespace orochi::kv
