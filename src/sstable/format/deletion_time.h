#pragma once

#include <cstdint>
#include <limits>

namespace orochi::sstable {

/// Seconds since 1970 as an unsigned number, good until 2106. Formats before `oa` keep a signed
/// number on disk; they are read into this form and written from it.
inline constexpr uint32_t kNoDeletionTime = 0xFFFF'FFFF;       // neither deleted nor expiring
inline constexpr uint32_t kInvalidDeletionTime = 0xFFFF'FFFE;  // cannot be right; see below
inline constexpr uint32_t kDeletionTimeMax = 0xFFFF'FFFD;
/// The largest of the signed formats, whose "none" is 0x7FFFFFFF.
inline constexpr uint32_t kSignedDeletionTimeMax = 0x7FFF'FFFE;

inline constexpr int64_t kNoTimestamp = std::numeric_limits<int64_t>::min();
inline constexpr int32_t kNoTtl = 0;
/// Row liveness that says "expired", in the base rows of materialised views.
inline constexpr int32_t kExpiredTtl = std::numeric_limits<int32_t>::max();

/// A deletion of everything in its scope with a timestamp of at most `marked_for_delete_at`.
///
/// `local_deletion_time` is the deleting node's clock; it only says when the tombstone itself may
/// be forgotten. kInvalidDeletionTime stands for what no node can have meant (negative on disk):
/// such a tombstone deletes as any other, is never forgotten, and is reported by a verifier.
struct DeletionTime {
  int64_t marked_for_delete_at = kNoTimestamp;
  uint32_t local_deletion_time = kNoDeletionTime;

  /// True when nothing is deleted.
  bool live() const { return marked_for_delete_at == kNoTimestamp; }
  bool valid() const { return local_deletion_time != kInvalidDeletionTime; }
  bool Deletes(int64_t timestamp) const { return timestamp <= marked_for_delete_at; }
  /// True when this deletion and not `other` counts where both apply.
  bool Supersedes(const DeletionTime& other) const {
    return marked_for_delete_at != other.marked_for_delete_at
               ? marked_for_delete_at > other.marked_for_delete_at
               : local_deletion_time > other.local_deletion_time;
  }
  friend bool operator==(const DeletionTime&, const DeletionTime&) = default;
};

/// What the INSERT of a row leaves: its timestamp and, with a TTL, when it expires. Empty for a row
/// that only UPDATE made, which exists as long as one of its cells does.
struct LivenessInfo {
  int64_t timestamp = kNoTimestamp;
  int32_t ttl = kNoTtl;
  uint32_t local_expiration_time = kNoDeletionTime;

  bool empty() const { return timestamp == kNoTimestamp; }
  bool expiring() const { return ttl != kNoTtl; }
  bool expired_marker() const { return ttl == kExpiredTtl; }
  /// True when the row exists by its own liveness at `now_s`, in seconds since 1970.
  bool LiveAt(int64_t now_s) const {
    return !empty() && !expired_marker() && (!expiring() || now_s < local_expiration_time);
  }
  friend bool operator==(const LivenessInfo&, const LivenessInfo&) = default;
};

}  // namespace orochi::sstable
