#pragma once

#include <cstdint>

#include "base/planted_bug.h"

namespace orochi::kv {

/// Mistakes that others have shipped, planted one at a time to see that the simulation finds them
/// (simulation/planted_bugs_test.cc).
enum class PlantedBug : uint8_t {
  kNone,
  kReadCacheEmpty,       // a new leader forgets what was read through the one before
  kNextStamp,            // a write that comes too late takes the next number, not a new stamp
  kReadUnconfirmed,      // a leader serves reads without asking whether it still leads
  kAbortForgotten,       // an aborted transaction leaves no record
  kAnswerBeforeDurable,  // a decision is told before it is in the log
  kFloorForgotten,       // a new leader of the anchor forgets how far readers pushed
  kNoRefresh,            // commits later than it read without looking at what it read again
  kReadPassesWrites,     // a read does not wait for writes that are on their way to the log
  kStrayCommitted,       // an intent that came after the decision becomes a version, too
  kOracleUnconfirmed,    // a deposed oracle goes on giving out stamps
  kOracleForgetsLimit,   // a new oracle begins at its clock
  kRecordBeforeIntents,  // a record goes while intents of its transaction are left
  kResolveUnconfirmed,   // a deposed leader says that no intent is left
  kReadBelowSafepoint,   // what reads below the safepoint is answered from what is left
};

}  // namespace orochi::kv
