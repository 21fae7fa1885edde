#include "swim/suspicion.h"

#include <algorithm>
#include <cmath>

#include "swim/planted_bug.h"

namespace orochi::swim {

int64_t SuspicionTimeoutMin(const Options& options, size_t member_count) {
  double const scale =
      std::max(1.0, std::log10(static_cast<double>(std::max<size_t>(1, member_count))));
  return static_cast<int64_t>(options.suspicion_mult * scale *
                              static_cast<double>(options.probe_interval_us));
}

int64_t SuspicionTimeoutMax(const Options& options, size_t member_count) {
  return options.suspicion_max_mult * SuspicionTimeoutMin(options, member_count);
}

Suspicion::Suspicion(const Options& options, size_t member_count, int64_t now_us, NodeId accuser)
    : begun_us_(now_us),
      timeout_us_min_(SuspicionTimeoutMin(options, member_count)),
      timeout_us_max_(SuspicionTimeoutMax(options, member_count)),
      timeout_us_(timeout_us_max_),
      confirmation_count_max_(static_cast<size_t>(std::max(0, options.suspicion_mult - 2))) {
  // The accuser and the suspect confirm nothing. Where too few others are left to do it, waiting
  // for them would only make detection slow.
  if (confirmation_count_max_ == 0 || member_count < confirmation_count_max_ + 2) {
    confirmation_count_max_ = 0;
    timeout_us_ = timeout_us_min_;
  }
  accusers_.insert(accuser);
}

bool Suspicion::Confirm(NodeId accuser) {
  if (IsPlanted(PlantedBug::kConfirmationsIgnored) || accusers_.size() > confirmation_count_max_ ||
      !accusers_.insert(accuser).second) {
    return false;
  }
  double const share = std::log(static_cast<double>(accusers_.size())) /
                       std::log(static_cast<double>(confirmation_count_max_ + 1));
  timeout_us_ =
      timeout_us_max_ -
      static_cast<int64_t>(share * static_cast<double>(timeout_us_max_ - timeout_us_min_));
  timeout_us_ = std::max(timeout_us_, timeout_us_min_);
  return true;
}

}  // namespace orochi::swim
