// Who leads: the preferred replica where it can, and nobody who is about to stop.

#include <algorithm>
#include <utility>

#include "base/str_cat.h"
#include "kv/meta/placement.h"
#include "kv/node/node.h"

namespace orochi::kv {
namespace {

constexpr int64_t kLookAgainUs = 5'000;
constexpr uint64_t kLagMax = 64;  // entries that a new leader may lack when it is asked

bool IsVoter(const Replica& replica, raft::ReplicaId other) {
  const std::vector<raft::ReplicaId>& voters = replica.raft().configuration().voters;
  return std::find(voters.begin(), voters.end(), other) != voters.end();
}

// Whether it is heard of and has nearly all.
bool IsFitToLead(const Replica& replica, raft::ReplicaId other) {
  auto const progress = replica.raft().progress().find(other);
  return IsVoter(replica, other) && other != replica.id() &&
         progress != replica.raft().progress().end() && progress->second.recently_active &&
         progress->second.match.value() + kLagMax >= replica.raft().log().last_index().value();
}

}  // namespace

// One at a time: each costs its partition a moment.
void Node::LeadWherePreferred() {
  for (const auto& [group, replica] : replicas_) {
    const Partition* const partition = map_.Find(group);
    if (partition == nullptr || !replica->leads() || !partition->settled ||
        handing_over_.contains(group)) {
      continue;
    }
    raft::ReplicaId const preferred = PreferredLeader(map_, *partition);
    if (preferred != raft::kNobody && !absent_.contains(NodeOf(preferred)) &&
        IsFitToLead(*replica, preferred)) {
      HandOver(group, preferred, Haste::kGiveUp);
      return;
    }
  }
}

raft::ReplicaId Node::BestFollower(const Replica& replica) const {
  raft::ReplicaId best = raft::kNobody;
  raft::LogIndex match;
  for (const auto& [id, progress] : replica.raft().progress()) {
    if (IsFitToLead(replica, id) && !absent_.contains(NodeOf(id)) &&
        (best == raft::kNobody || progress.match > match)) {
      best = id;
      match = progress.match;
    }
  }
  return best;
}

Status Node::HandOver(log::GroupId group, NodeNumber to) {
  Replica* const replica = FindReplica(group);
  if (replica == nullptr || !replica->leads()) {
    NodeNumber const leader = LeaderKnownTo(group);
    return Status::FailedPrecondition(
        StrCat("node ", options_.number.value(), " does not lead group ", group.value(),
               leader == NodeNumber() ? "" : StrCat("; node ", leader.value(), " does")));
  }
  for (const auto& [id, progress] : replica->raft().progress()) {
    if (NodeOf(id) == to && IsFitToLead(*replica, id)) {
      HandOver(group, id, Haste::kGoOn);
      return Status();
    }
  }
  return Status::FailedPrecondition(StrCat("node ", to.value(), " has no replica of group ",
                                           group.value(), " that could lead now"));
}

void Node::HandOver(log::GroupId group, raft::ReplicaId to, Haste haste) {
  HandingOver const change{.to = to, .haste = haste, .since_us = host_.now_us()};
  if (handing_over_.try_emplace(group, change).second) {
    ContinueHandingOver(group);
  }
}

void Node::ContinueHandingOver(log::GroupId group) {
  auto const known = handing_over_.find(group);
  if (known == handing_over_.end()) {
    return;
  }
  HandingOver& change = known->second;
  Replica* const replica = FindReplica(group);
  int64_t const spent_us = host_.now_us() - change.since_us;
  if (replica == nullptr || !replica->leads() || spent_us > options_.hand_over_within_us) {
    handing_over_.erase(known);
    return;
  }
  bool const idle = serving_[group] == 0;
  bool const late = spent_us > options_.hand_over_wait_us;
  if (late && !idle && !change.is_sent && change.haste == Haste::kGiveUp) {
    handing_over_.erase(known);  // another time
    return;
  }
  // Else who waits for others hears that the outcome is lost.
  if ((idle || late) && !change.is_sent) {
    change.is_sent = true;
    if (!replica->TransferLeadership(change.to).ok()) {
      handing_over_.erase(known);
      return;
    }
  }
  After(kLookAgainUs, [this, group] { ContinueHandingOver(group); });
}

NodeNumber Node::KnownLeader(log::GroupId group) const {
  auto const replica = replicas_.find(group);
  if (replica != replicas_.end()) {
    return NodeOf(replica->second->raft().leader());
  }
  auto const hint = leader_hints_.find(group);
  return hint == leader_hints_.end() ? NodeNumber() : hint->second;
}

void Node::HandOverAll() {
  for (const auto& [group, replica] : replicas_) {
    raft::ReplicaId const best = replica->leads() ? BestFollower(*replica) : raft::kNobody;
    if (best != raft::kNobody) {
      HandOver(group, best, Haste::kGoOn);
    }
  }
}

}  // namespace orochi::kv
