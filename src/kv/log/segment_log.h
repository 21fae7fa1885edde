#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "kv/log/group_table.h"
#include "kv/log/recovery.h"
#include "kv/log/segment_files.h"
#include "kv/log/types.h"
#include "raft/raft_core.h"

namespace orochi::kv::log {

/// Fewer would waste too much of each write.
inline constexpr uint64_t kBatchBlocksMin = 4;

struct LogOptions {
  uint64_t segment_size_bytes = 64 << 20;
  /// One write carries at most this much, but for a single entry. A larger append is cut at
  /// entries. At least kBatchBlocksMin blocks, at most a quarter of a segment.
  uint64_t batch_size_bytes_max = 1 << 20;
  /// How long an append waits for those of other groups, when several groups are busy. 0: never.
  int64_t batch_wait_us_max = 30;
  /// The last write before a power cut cannot be told from damage. After this time without another
  /// an empty frame says that it was durable. 0: never.
  int64_t confirm_after_us = 100'000;
  /// Segments from which on garbage is collected when less than half of them is needed.
  uint64_t segment_count_min = 4;
  uint64_t spare_count_max = 4;
  /// Payloads kept in memory beside those being written.
  uint64_t cache_size_bytes_max = 64 << 20;
};

/// The largest payload of an entry for which a segment has room beside its own frame's heads.
uint64_t EntrySizeMax(const LogOptions& options, uint32_t block_size_bytes);

/// An append that is durable: for RaftCore::OnPersisted(sequence) of the group's replica.
struct Completion {
  GroupId group;
  uint64_t sequence = 0;

  friend bool operator==(const Completion&, const Completion&) = default;
};

struct Decision {
  enum class Kind : uint8_t {
    kIdle,   // nothing to do until something is appended
    kBusy,   // a write is under way
    kWait,   // look again at until_us, or when something is appended
    kWrite,  // BuildWrite
  };
  Kind kind = Kind::kIdle;
  int64_t until_us = 0;
};

struct LogStatistics {
  uint64_t segment_count = 0;
  uint64_t live_bytes = 0;
  uint64_t cached_bytes = 0;
  uint64_t pending_bytes = 0;
  uint64_t frame_count = 0;    // since opened
  uint64_t written_bytes = 0;  // whole blocks
  uint64_t record_count = 0;
  uint64_t moved_count = 0;  // records written once more to free a segment
};

/// The Raft logs of all groups of a node in one sequence of segments, without thread and clock: one
/// durable write serves many groups. docs/formats/kv-log.md has the bytes.
///
/// Life:    Open -> (Append* -> Next -> BuildWrite -> files().Write -> OnWritten ->
///          TakeCompletions, files().Recycle)*. Between BuildWrite and OnWritten or OnFailed
///          anything else may be called, and files() used without what guards the rest.
/// Order:   what is asked for of one group happens in the order in which it was asked.
/// Threads: none; LogWriter gives it one.    Borrows: device.
/// Bounds:  memory is that of live entries' heads, the cache, and what was appended and not written
///          yet, which Raft bounds per group.
class SegmentLog {
 public:
  /// kNew makes an empty log where none is; kExisting expects one. The caller knows which, from its
  /// own record of this node: an empty directory may be a lost one, whose votes are forgotten.
  enum class Expect : uint8_t { kNew, kExisting };

  /// Recovers. kAlreadyExists, kCorruption where the other of `expect` is found; damage of parts is
  /// no error but in damages().
  static Result<std::unique_ptr<SegmentLog>> Open(const LogOptions& options, Device& device,
                                                  Random& random, Expect expect);

  /// What is durable of all groups, after Open.
  std::vector<GroupId> Groups() const;
  /// As RaftCore wants it, but for what only the state machine knows (applied). kCorruption when
  /// the group is damaged: its replica may have forgotten a vote, so it is to be removed, and may
  /// come back under another replica id. kNotFound when the log has nothing of it.
  Result<raft::RecoveredState> LoadGroup(GroupId group);
  const std::vector<Damage>& damages() const { return damages_; }
  /// Replica ids of the group below this one are removed for good. 0: none is.
  raft::ReplicaId RemovedBelow(GroupId group) const;

  /// Makes a request of RaftCore durable; its completion says so. kInvalidArgument for an entry
  /// over EntrySizeMax, kFailedPrecondition for a damaged group: neither changes anything.
  /// A request that is cut may survive a crash in part, as a shorter append would.
  Status Append(GroupId group, raft::PersistRequest request, int64_t now_us);
  /// The group does without its entries up to point.index. It survives a crash at the latest when a
  /// segment is freed thanks to it. REQUIRES: the state machine has them durably.
  Status Compact(GroupId group, raft::SnapshotPoint point);
  /// Drops the group, and refuses replicas below `removed_below` from now on; with a completion.
  Status Remove(GroupId group, raft::ReplicaId removed_below, uint64_t sequence, int64_t now_us);

  /// Entries [first, last] of those written so far, at least one if there is one, then while
  /// `size_bytes_max` allows. Reads what is not in memory. kOutOfRange when not all are there.
  Result<std::vector<raft::Entry>> Read(GroupId group, raft::LogIndex first, raft::LogIndex last,
                                        uint64_t size_bytes_max);

  Decision Next(int64_t now_us) const;
  /// REQUIRES: Next says kWrite.
  WriteOrder BuildWrite();
  void OnWritten(int64_t now_us);
  /// The write, or the recycling after it, failed: nothing is accepted any more, since nobody knows
  /// what a disk that lies would do next. The process is to stop (R13).
  void OnFailed(Status status);
  const Status& failure() const { return failure_; }
  /// What has become durable since the last call, in order.
  std::vector<Completion> TakeCompletions();

  /// Writes what nobody waits for, and then an empty frame, so that the last write is known to have
  /// been durable. Before a shutdown.
  bool IsConfirmed() const { return confirmed_; }
  void RequestConfirmation() { confirmation_requested_ = !confirmed_ || !pending_.empty(); }

  SegmentFiles& files() { return files_; }
  LogStatistics statistics() const;
  /// Groups that need the oldest segment, while there are more segments than there should be: for
  /// them to be flushed and compacted.
  std::vector<GroupId> OldestHolders() const;

 private:
  struct Pending {
    enum class Kind : uint8_t { kAppend, kCompact, kRemove };
    Kind kind;
    GroupId group;
    raft::PersistRequest request{};  // kAppend; of kRemove the sequence
    raft::SnapshotPoint point{};     // kCompact
    raft::ReplicaId removed_below{};
    int64_t since_us = 0;
    size_t entries_done = 0;
    bool begun = false;
  };
  struct Cached {
    FrameNumber frame;
    GroupId group;
    raft::LogIndex index;
  };
  class Batch;

  SegmentLog(const LogOptions& options, Device& device)
      : options_(options), files_(device, options.segment_size_bytes, options.spare_count_max) {}

  Status Recover(Random& random, Expect expect);
  Status BeginNew(Random& random);

  // batching.cc
  void Enqueue(Pending pending);
  static uint64_t SizeOf(const Pending& pending);
  uint64_t FirstPartSize() const;
  uint64_t FrameSizeMax() const;
  bool HasRoom() const;
  void RollSegment(WriteOrder& order);
  void AddPending(Batch& batch);
  bool AddPart(Batch& batch, Pending& pending);
  bool AddAppend(Batch& batch, Pending& pending);
  bool AddAppendHeads(Batch& batch, const Pending& pending);
  void CheckEntries(const Pending& pending) const;
  WriteOrder::Step FinishFrame(Batch& batch);
  FrameHead NextHead();
  WriteOrder::Step FinishStep(FrameBuilder& builder, FrameHead head);

  // collection.cc
  uint64_t segment_count() const { return last_segment_.value() - first_segment_.value() + 1; }
  uint64_t SegmentCountMax() const;
  bool WantsCollection() const;
  void Collect(Batch& batch);
  bool MoveGroup(Batch& batch, GroupId group);
  bool MoveEntries(Batch& batch, GroupId group, const StoredGroup& stored);
  void FreeFirstSegments(WriteOrder& order);
  void NoteDamage(GroupId group, const Place& place);

  void TrimCache();
  void DropStaleCached();
  class Window;
  Result<raft::Payload> PayloadOf(const StoredEntry& entry, Window& window);

  const LogOptions options_;
  SegmentFiles files_;
  GroupTable table_;
  std::vector<Damage> damages_;
  Status failure_;

  uint64_t log_id_ = 0;
  SegmentNumber first_segment_;
  SegmentNumber last_segment_;
  uint64_t offset_bytes_ = 0;  // where the next frame goes
  bool last_is_closed_ = false;
  FrameNumber last_frame_;  // handed out
  uint32_t last_crc_ = 0;
  FrameNumber durable_frame_;    // and durable
  SegmentNumber damaged_until_;  // segments up to here have damage, and are to be freed

  std::vector<SegmentNumber> missing_;   // between the first and the last
  uint64_t collection_needs_bytes_ = 0;  // of room, for the next record to be moved

  std::deque<Pending> pending_;
  std::map<GroupId, uint64_t> pending_counts_;
  std::map<GroupId, uint64_t> removals_;  // pending ones
  uint64_t pending_bytes_ = 0;
  uint64_t urgent_count_ = 0;    // of pending_: somebody waits for these
  size_t last_group_count_ = 0;  // of the last write
  bool writing_ = false;
  bool frame_is_empty_ = false;  // the one under way
  bool confirmed_ = true;
  bool confirmation_requested_ = false;
  int64_t last_write_us_ = 0;
  std::vector<Completion> written_;  // with the frame under way
  std::vector<Completion> completions_;
  std::deque<Cached> cached_;  // in the order written; some are out of date
  size_t cached_count_max_ = 0;
  LogStatistics statistics_;
};

}  // namespace orochi::kv::log
