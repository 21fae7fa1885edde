#pragma once

#include <cstdint>

#include "base/planted_bug.h"

namespace orochi::swim {

/// Mistakes that are easy to make here. A simulation that cannot find each of them again proves
/// nothing, so a test plants them one at a time (simulation/planted_bugs_test.cc).
enum class PlantedBug : uint8_t {
  kNone,
  kGenerationIgnored,      // rumours of a node's last life beat its new one
  kRefuteSameIncarnation,  // a refutation that is no newer than what it refutes
  kDeadImportedAsDead,     // an exchange kills members without asking them
  kSuspicionNeverExpires,  // a suspect stays one
  kConfirmationsIgnored,   // what others see does not shorten a suspicion
  kGossipForever,          // a rumour is passed on without end
  kLeaveNotSticky,         // a member that left is called dead afterwards
  kAnswersForOthers,       // a node answers pings meant for who had its address before
  kAddressSticks,          // a restarted node is looked for where it was
  kConflictUnnoticed,      // two nodes of one identity take turns
  kDeadNeverCalled,        // two halves that think each other dead never meet again
  kPacketNotBounded,       // rumours fill a packet past what a network carries
  kAgeNotKept,             // the dead are remembered anew by each who hears of them
  kClusterUnchecked,       // members of another cluster join by mistake
  kHintsWithoutRevision,   // an older hint replaces a newer one
};

}  // namespace orochi::swim
