#include "kv/server/first_meeting.h"

#include <algorithm>
#include <utility>

#include "base/str_cat.h"
#include "io/posix/system_clock.h"
#include "kv/peer/admission.h"

namespace orochi::kv {
namespace {

constexpr int64_t kAnswerUs = 1'000'000;
constexpr int64_t kPauseUs = 100'000;

}  // namespace

FirstMeeting::FirstMeeting(Options options, Met met)
    : options_(std::move(options)), met_(std::move(met)) {
  for (NodeRecord& node : options_.nodes) {
    if (node.number == options_.number) {
      node.identity = options_.identity;
    }
  }
  thread_ = std::thread([this] { Run(); });
}

void FirstMeeting::Stop() {
  stopping_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
}

void FirstMeeting::Run() {
  while (!stopping_) {
    for (NodeRecord& node : options_.nodes) {
      if (stopping_ || node.number == options_.number) {
        continue;
      }
      Result<bool> const has_begun = Ask(node);
      if (!has_begun.ok()) {
        met_(has_begun.status());
        return;
      }
      if (*has_begun) {
        break;
      }
    }
    bool const all = std::none_of(options_.nodes.begin(), options_.nodes.end(),
                                  [](const NodeRecord& node) { return node.identity.empty(); });
    if (all && !stopping_) {
      met_(options_.nodes);
      return;
    }
    io::SleepMicros(kPauseUs);
  }
}

// Whether the cluster has begun there: then it says who all are.
Result<bool> FirstMeeting::Ask(NodeRecord& node) {
  Result<peer::Introduction> const told = peer::AskWhoYouAre({.cluster = options_.cluster,
                                                              .addresses = {node.address},
                                                              .tls = options_.tls,
                                                              .within_us = kAnswerUs});
  node.identity.clear();  // it may have been another's
  if (!told.ok()) {
    return told.status().code() == StatusCode::kUnavailable ? Result<bool>(false) : told.status();
  }
  if (told->self.number != node.number.value()) {
    return Status::FailedPrecondition(StrCat("at ", node.address, " is node ", told->self.number,
                                             ", not node ", node.number.value()));
  }
  node.identity = told->self.identity;
  if (told->nodes.empty()) {
    return false;
  }
  for (NodeRecord& one : options_.nodes) {
    auto const known = std::find_if(told->nodes.begin(), told->nodes.end(), [&](const auto& other) {
      return other.number == one.number.value();
    });
    if (known == told->nodes.end()) {
      return Status::FailedPrecondition(StrCat("node ", one.number.value(), " is none of cluster '",
                                               options_.cluster, "', says node ",
                                               node.number.value()))
          .WithHint("--peer names the same first nodes on each. Later ones --join.");
    }
    if (one.number == options_.number && known->identity != options_.identity) {
      return Status::FailedPrecondition(StrCat("cluster '", options_.cluster,
                                               "' lives, and its node ", one.number.value(),
                                               " had another data directory than this one"))
          .WithHint(
              "What that directory had promised is lost with it: start this node with an empty "
              "directory and --join, and remove the old number from the cluster.");
    }
    one.identity = known->identity;
  }
  return true;
}

}  // namespace orochi::kv
