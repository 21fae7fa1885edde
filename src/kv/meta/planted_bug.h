#pragma once

#include <cstdint>

#include "base/planted_bug.h"

namespace orochi::kv::cluster {

/// Mistakes that are easy to make here and in kv/node. A simulation that cannot find each of them
/// again proves nothing.
enum class PlantedBug : uint8_t {
  kNone,
  kAppliedApart,        // the applied index is written before what was applied, not with it
  kConfirmAtOnce,       // leadership is taken for granted
  kBornAtZero,          // who joins a young group is given its entries, and not what came before
  kLogBeforeState,      // the log knows of a snapshot before the state is durable
  kReplicaIdReused,     // a node's next replica of a group is the last one again
  kMovedBeforeItBegan,  // a partition may be moved before its group has begun
};

}  // namespace orochi::kv::cluster
