#pragma once

#include <cstddef>
#include <cstdint>
#include <set>

#include "swim/options.h"
#include "swim/types.h"

namespace orochi::swim {

/// How long a member stays suspect: long while one node alone got no answer, which may be that
/// node's own fault, and shorter with each other node that got none either. Dadgar, Phillips,
/// Currey, "Lifeguard: Local Health Awareness for More Accurate Failure Detection", 2018, IV-B.
class Suspicion {
 public:
  /// `member_count` counts all that may be there, the suspect and ourselves among them.
  Suspicion(const Options& options, size_t member_count, int64_t now_us, NodeId accuser);

  /// True when this is news: one more accuser, of those that still shorten the suspicion.
  bool Confirm(NodeId accuser);
  int64_t deadline_us() const { return begun_us_ + timeout_us_; }
  int64_t begun_us() const { return begun_us_; }
  int64_t timeout_us() const { return timeout_us_; }

 private:
  int64_t begun_us_;
  int64_t timeout_us_min_;
  int64_t timeout_us_max_;
  int64_t timeout_us_;
  size_t confirmation_count_max_;
  std::set<NodeId> accusers_;
};

/// The shortest and the longest that a suspicion lasts among so many members.
int64_t SuspicionTimeoutMin(const Options& options, size_t member_count);
int64_t SuspicionTimeoutMax(const Options& options, size_t member_count);

}  // namespace orochi::swim
