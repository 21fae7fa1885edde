#pragma once

#include <algorithm>
#include <string>

#include "kv/log/segment_files.h"
#include "kv/log/segment_log.h"

namespace orochi::kv::log {

/// Reads places that mostly follow each other: what was read for one may serve the next.
///
/// Threads: none.    Borrows: files.
class SegmentLog::Window {
 public:
  explicit Window(SegmentFiles& files) : files_(files) {}

  Result<std::string> Read(const Place& place) {
    if (!Covers(place)) {
      uint64_t const end =
          std::min(place.offset_bytes + std::max<uint64_t>(place.size_bytes, kAheadBytes),
                   files_.segment_size_bytes());
      if (place.offset_bytes > end || end - place.offset_bytes < place.size_bytes) {
        return Status::Corruption("a record beyond the end of its segment");
      }
      ASSIGN_OR_RETURN(
          bytes_, files_.ReadBytes(place.segment, place.offset_bytes, end - place.offset_bytes));
      segment_ = place.segment;
      offset_bytes_ = place.offset_bytes;
    }
    return bytes_.substr(place.offset_bytes - offset_bytes_, place.size_bytes);
  }

 private:
  static constexpr uint64_t kAheadBytes = 128 << 10;

  bool Covers(const Place& place) const {
    return segment_ == place.segment && place.offset_bytes >= offset_bytes_ &&
           place.offset_bytes + place.size_bytes <= offset_bytes_ + bytes_.size();
  }

  SegmentFiles& files_;
  SegmentNumber segment_;
  uint64_t offset_bytes_ = 0;
  std::string bytes_;
};

}  // namespace orochi::kv::log
