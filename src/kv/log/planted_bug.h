#pragma once

#include <cstdint>

#include "base/planted_bug.h"

namespace orochi::kv::log {

/// Mistakes that logs have shipped with. A simulation that cannot find each of them again proves
/// nothing, so a test plants them one at a time (simulation/planted_bugs_test.cc).
enum class PlantedBug : uint8_t {
  kNone,
  kRecycledWithoutEpoch,      // frames of a segment's earlier life count
  kAcknowledgeBeforeDurable,  // completions when the write begins
  kTornTailAnywhere,          // damage before the last segment passes for the end of a segment
  kTailIgnoresLaterFrames,    // damage in the last segment cuts off durable frames behind it
  kCollectIgnoresGroup,       // a segment is freed although a group has records there
  kFreeBeforeMoved,           // a segment is recycled before what was moved from it is durable
  kTruncationNotLogged,       // replay brings back entries that were overwritten
  kTombstoneForgotten,        // collecting garbage drops what says that a group was removed
  kRecoverWithoutSync,        // what a recovery has seen may be lost by the next power cut
  kNameNotDurable,            // a new segment's name may be lost with all that is in it
  kPayloadUnchecked,          // bytes are believed because the head before them is right
  kPlaceUnchecked,            // a frame counts wherever it is found
  kGoesOnAfterFailure,        // a failed write is taken for done
};

}  // namespace orochi::kv::log
