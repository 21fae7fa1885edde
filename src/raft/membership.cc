// Changes of the configuration: Ongaro's thesis, chapter 4. A configuration is in force from when
// it is appended, and one change at a time is under way.

#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"
#include "raft/planted_bug.h"
#include "raft/raft_core.h"

namespace orochi::raft {
namespace {

std::vector<ReplicaId> Sorted(std::vector<ReplicaId> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace

Result<LogIndex> RaftCore::ProposeConfiguration(std::vector<ReplicaId> voters,
                                                std::vector<ReplicaId> learners) {
  if (role_ != Role::kLeader || transfer_to_ != kNobody) {
    return Status::Unavailable(StrCat("replica ", options_.id.value(), " does not lead term ",
                                      term_.value(), "; the leader is ", leader_.value()));
  }
  const Configuration& now = configuration();
  Configuration next{
      .voters = Sorted(std::move(voters)), .outgoing = {}, .learners = Sorted(std::move(learners))};
  RETURN_IF_ERROR(CheckConfiguration(next));
  bool const under_way = now.IsJoint() || log_.configuration_index() > log_.committed();
  // Without an entry of this term, what is committed and so what is in force is not yet known: two
  // leaders could each change one voter of different configurations (thesis, 4.1, erratum).
  if ((under_way || !IsLeaderReady()) && !IsPlanted(PlantedBug::kConfigurationUnchecked)) {
    return Status::FailedPrecondition(
        under_way ? StrCat("a change of configuration is under way since entry ",
                           log_.configuration_index().value())
                  : StrCat("the leader has not committed in term ", term_.value(), " yet"));
  }
  std::vector<ReplicaId> changed;
  std::set_symmetric_difference(now.voters.begin(), now.voters.end(), next.voters.begin(),
                                next.voters.end(), std::back_inserter(changed));
  for (ReplicaId const id : changed) {
    auto const found = progress_.find(id);
    bool const joins = next.IsVoter(id);
    if (!joins) {
      continue;
    }
    // A short log alone is no sign of life: who has acknowledged nothing in this term may not exist
    // yet, and would count for a quorum from now on.
    bool const is_there = found != progress_.end() && found->second.match > LogIndex();
    if (!is_there || found->second.match + options_.promotion_lag_max < log_.last_index()) {
      return Status::FailedPrecondition(StrCat("replica ", id.value(), " is not heard of or lacks ",
                                               "more than ", options_.promotion_lag_max,
                                               " entries of the log"))
          .WithHint("Make it a learner first and wait.");
    }
  }
  if (changed.size() > 1) {
    next.outgoing = now.voters;
    std::erase_if(next.learners, [&](ReplicaId id) { return next.IsVoter(id); });
  }
  return AppendOwn(EntryKind::kConfiguration,
                   std::make_shared<const std::string>(EncodeConfiguration(next)));
}

void RaftCore::SyncProgress() {
  std::vector<ReplicaId> const members = configuration().Members();
  std::erase_if(progress_, [&members](const auto& item) {
    return !std::binary_search(members.begin(), members.end(), item.first);
  });
  for (ReplicaId const id : members) {
    // Counts as active at first, so that the quorum's first check does not come too early.
    Progress fresh;
    fresh.next = log_.last_index() + 1;
    fresh.recently_active = true;
    progress_.try_emplace(id, std::move(fresh));
  }
}

// Called when the commit index has moved.
void RaftCore::ContinueConfigurationChange() {
  if (log_.configuration_index() > log_.committed() || log_.committed() < leader_start_) {
    return;
  }
  const Configuration& now = configuration();
  if (now.IsJoint()) {
    Configuration next{.voters = now.voters, .outgoing = {}, .learners = now.learners};
    AppendOwn(EntryKind::kConfiguration,
              std::make_shared<const std::string>(EncodeConfiguration(next)));
  } else if (!now.IsVoter(options_.id)) {
    heartbeat_due_ = false;
    BecomeFollower(term_, kNobody);  // the group goes on without this replica
  }
}

Status RaftCore::TransferLeadership(ReplicaId to) {
  if (role_ != Role::kLeader) {
    return Status::FailedPrecondition(
        StrCat("replica ", options_.id.value(), " does not lead term ", term_.value()));
  }
  if (to == options_.id) {
    return Status::Ok();
  }
  if (!std::binary_search(configuration().voters.begin(), configuration().voters.end(), to)) {
    return Status::FailedPrecondition(
        StrCat("replica ", to.value(), " is not a voter of ", ToString(configuration())));
  }
  transfer_to_ = to;
  election_elapsed_ = 0;  // it has one election timeout to succeed
  HandOverIfReady();
  return Status::Ok();
}

void RaftCore::HandOverIfReady() {
  if (role_ != Role::kLeader || transfer_to_ == kNobody) {
    return;
  }
  auto const found = progress_.find(transfer_to_);
  if (found == progress_.end()) {
    transfer_to_ = kNobody;  // it was removed
  } else if (found->second.match == log_.last_index()) {
    Send({.kind = MessageKind::kTimeoutNow, .to = transfer_to_, .term = term_});
  }
}

}  // namespace orochi::raft
