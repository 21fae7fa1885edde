#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kv/log/aligned_buffer.h"
#include "kv/log/types.h"
#include "raft/types.h"

namespace orochi::kv::log {

// A frame is one durable write: it begins at a block of the device and ends with zeros up to the
// next one. docs/formats/kv-log.md has every byte.
//
//   head (64 bytes) | record heads (40 bytes each) | payloads, back to back | zeros
//
// The head's CRC covers all record heads, each of which has the CRC of its payload: a damaged
// payload still says whose it is, and can be read back alone.

inline constexpr uint32_t kFrameMagic = 0x4C564B4F;  // "OKVL"
inline constexpr uint64_t kFrameHeadBytes = 64;
inline constexpr uint64_t kRecordHeadBytes = 40;
inline constexpr uint32_t kFrameRecordsMax = 1 << 16;

enum class RecordKind : uint8_t {
  kReset = 1,      // the group is as if it never was; index: replica ids below it are removed
  kHardState = 2,  // term, index: commit; the payload is the vote, 8 bytes
  kInstall = 3,    // index, term: the log begins anew after them; the payload is a Configuration
  kCompact = 4,    // index, term: entries up to there are dropped; the payload as above
  kTruncate = 5,   // index: entries from there on are dropped
  kEntry = 6,      // index, term and kind of an entry, whose payload it is
  kTombstone = 7,  // index: replica ids below it are removed; what the group has stays
};

struct RecordHead {
  GroupId group{};
  RecordKind kind = RecordKind::kEntry;
  raft::EntryKind entry_kind = raft::EntryKind::kCommand;
  uint64_t index = 0;
  raft::Term term{};
  uint32_t size_bytes = 0;  // of the payload
  uint32_t crc = 0;         // of the payload

  friend bool operator==(const RecordHead&, const RecordHead&) = default;
};

/// What a frame says of itself. A frame whose place is not the one it names is not one: the bytes
/// are of the file's earlier life, of another log, or were written in the wrong place.
struct FrameHead {
  uint64_t log_id = 0;
  SegmentNumber segment{};
  uint64_t offset_bytes = 0;  // within the segment
  FrameNumber number{};
  SegmentNumber first_segment{};  // those before it are not needed
  bool closes_segment = false;    // no frame follows in this segment
  uint32_t size_bytes = 0;        // without the zeros at the end
  uint32_t crc = 0;               // of this head
  uint32_t previous_crc = 0;      // of the frame before: what was cut short there is not that frame
  std::vector<RecordHead> records{};
};

/// Where the payload of records[i] is, from the beginning of their frame.
std::vector<uint64_t> PayloadOffsets(const std::vector<RecordHead>& records);

/// The head at the beginning of `bytes`, which end with the segment. Nothing when there is none,
/// for whatever reason. A payload's CRC is not checked.
std::optional<FrameHead> DecodeFrameHead(std::span<const std::byte> bytes);

/// Whether the payload is the one that its head was written for.
bool PayloadMatches(const RecordHead& record, std::span<const std::byte> payload);

/// Puts records together until they are written.
///
/// Life:    Add* -> Finish. Threads: none. Borrows: payloads, until Finish.
class FrameBuilder {
 public:
  /// Fills in size and CRC.
  void Add(RecordHead record, std::string_view payload);
  /// The same with bytes that nobody else keeps.
  void AddOwned(RecordHead record, std::string payload);

  /// Of the frame with one more record.
  uint64_t SizeWith(uint64_t payload_size_bytes) const {
    return size_bytes_ + kRecordHeadBytes + payload_size_bytes;
  }
  uint64_t size_bytes() const { return size_bytes_; }
  size_t record_count() const { return head_.records.size(); }
  const std::vector<RecordHead>& records() const { return head_.records; }

  /// Fills in what the frame says of its place; of `head` the records and the size are ignored,
  /// and the CRC is set. The buffer ends at a multiple of `block_size_bytes`.
  AlignedBuffer Finish(FrameHead& head, uint32_t block_size_bytes);

 private:
  FrameHead head_;
  std::vector<std::string_view> payloads_;
  std::deque<std::string> owned_;
  uint64_t size_bytes_ = kFrameHeadBytes;
};

}  // namespace orochi::kv::log
