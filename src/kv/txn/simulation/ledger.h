#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kv/mvcc/versions.h"
#include "sim/violation.h"

namespace orochi::kv::simulation {

using sim::Violation;

/// What a client did and was told.
struct Step {
  // A read of `span`, or a write of `key`.
  bool reads = false;
  KeySpan span{};
  bool reverse = false;
  uint32_t limit = 0;
  std::vector<std::pair<std::string, std::string>> rows{};

  std::string key{};
  std::string operation{};
  bool holds = true;  // the operation's condition did, or that is not known
  std::string result{};
};

struct History {
  uint64_t number = 0;
  int64_t begin_us = 0;
  int64_t end_us = std::numeric_limits<int64_t>::max();  // of unknown outcome: never
  bool committed = false;
  Timestamp timestamp{};
  std::vector<Step> steps{};
};

/// Checks that the histories that committed are strictly serializable: one after the other by
/// timestamp they give what each client saw, and none that ended before another began comes after
/// it. Throws Violation.
void CheckStrictlySerializable(std::vector<History> histories);

}  // namespace orochi::kv::simulation
