#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kv/log/group_table.h"
#include "kv/log/segment_files.h"
#include "kv/log/types.h"

namespace orochi::kv::log {

/// Bytes that were durable and are not what was written, or are gone.
struct Damage {
  std::string file;
  uint64_t offset_bytes = 0;
  SegmentNumber segment;
  /// Whose records they were. Empty: nobody knows, so it may be any group, also one that this log
  /// does not know of any more.
  std::vector<GroupId> groups;

  /// kCorruption that names all of it.
  Status ToStatus() const;
};

/// What the segments add up to, and where the log goes on.
struct RecoveredLog {
  GroupTable table;
  std::vector<Damage> damages;
  uint64_t log_id = 0;
  SegmentNumber first_segment;
  SegmentNumber last_segment;
  uint64_t end_offset_bytes = 0;
  bool last_is_closed = false;
  FrameNumber last_frame;
  uint32_t last_crc = 0;
  std::vector<SegmentNumber> leftover;  // before the first, to be recycled
  std::vector<SegmentNumber> missing;   // after it
};

/// Called for each entry's payload that was replayed, in order.
using KeepPayload =
    std::function<raft::Payload(const RecordHead& record, std::span<const std::byte> payload)>;

/// Replays the segments. Nothing when no frame was ever durable. Damage is not an error here: the
/// groups concerned are marked, all of them where nobody knows whose the bytes were.
///
/// Only what follows the last frame of the last segment passes for a write that was cut short,
/// because it was never acknowledged. A segment that has a successor must end with a frame that
/// closes it, and frames are numbered without gaps.
Result<std::optional<RecoveredLog>> RecoverLog(SegmentFiles& files,
                                               const std::vector<SegmentNumber>& segments,
                                               const KeepPayload& keep);

}  // namespace orochi::kv::log
