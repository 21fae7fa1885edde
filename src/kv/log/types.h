#pragma once

#include <cstdint>

#include "base/tagged.h"

namespace orochi::kv::log {

/// A Raft group, the same on all nodes.
using GroupId = Tagged<uint64_t, struct GroupIdTag>;
/// Position of a segment in the log, never used twice: the epoch of the file that carries it. The
/// first is 1.
using SegmentNumber = Tagged<uint64_t, struct SegmentNumberTag>;
/// Position of a frame, which is one durable write, in the log. The first is 1.
using FrameNumber = Tagged<uint64_t, struct FrameNumberTag>;

}  // namespace orochi::kv::log
