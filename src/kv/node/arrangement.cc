// Which replicas this node should have, by the map, and how groups get there.

#include <algorithm>
#include <utility>

#include "base/str_cat.h"
#include "kv/node/node.h"

namespace orochi::kv {

void Node::TakeMap(ClusterMap map) {
  if (map.version() <= map_.version()) {
    return;
  }
  map_ = std::move(map);
  map_changed_ = true;
  TellAwaited();
  WriteBatch batch;
  RememberMap(batch, map_);
  if (Status status = host_.engine().Write(batch); !status.ok()) {
    host_.Fail(std::move(status).WithContext("cluster map"));
  }
}

// Who leads the meta group has it, and is asked first.
void Node::AwaitMap(uint64_t version, std::function<void(Status)> done) {
  uint64_t const id = ++last_call_;
  awaiting_map_.emplace(id, Awaiting{.version = version, .done = std::move(done)});
  NodeNumber const to = LeaderToAsk(kMetaGroup, 0);
  if (map_.version() >= version) {
    TellAwaited();
  } else if (to != options_.number && to != NodeNumber()) {
    SendTo(to, MapCall{.version = map_.version()});
  }
  After(options_.answer_within_us, [this, id] {
    if (auto late = awaiting_map_.extract(id); !late.empty()) {
      late.mapped().done(Status::Unavailable("the newest cluster map did not come in time"));
    }
  });
}

void Node::TellAwaited() {
  std::vector<std::function<void(Status)>> told;
  std::erase_if(awaiting_map_, [&](auto& item) {
    if (item.second.version > map_.version()) {
      return false;
    }
    told.push_back(std::move(item.second.done));
    return true;
  });
  for (auto& done : told) {
    Defer([done = std::move(done)] { done(Status()); });
  }
}

void Node::FollowMap() {
  for (const auto& [group, partition] : map_.partitions()) {
    if (!FollowPartition(partition)) {
      return;
    }
  }
  std::vector<log::GroupId> dropped;
  for (const auto& [group, replica] : replicas_) {
    if (map_.Find(group) == nullptr && KnowsOf(*replica)) {
      dropped.push_back(group);
    }
  }
  for (log::GroupId const group : dropped) {
    RemoveReplica(group);
  }
}

// An older map than the one that made a replica says nothing about it.
bool Node::KnowsOf(const Replica& replica) const {
  return map_.version() >= LifeOf(replica.id());
}

bool Node::FollowPartition(const Partition& partition) {
  log::GroupId const group = partition.group;
  auto const mine =
      std::find_if(partition.replicas.begin(), partition.replicas.end(),
                   [this](raft::ReplicaId replica) { return NodeOf(replica) == options_.number; });
  if (Replica* const replica = FindReplica(group); replica != nullptr) {
    // Another life is given to a node when its last one is over.
    bool const has_mine = mine != partition.replicas.end();
    bool const wanted = has_mine && *mine == replica->id();
    bool const over = has_mine ? *mine > replica->id() : partition.settled;
    if (!wanted && over && KnowsOf(*replica)) {
      RemoveReplica(group);
    }
    return true;
  }
  if (mine == partition.replicas.end() || removing_.contains(group) ||
      *mine < host_.RemovedBelow(group)) {
    return true;
  }
  // One of the first voters knows the others; whoever comes later is told by them.
  bool const born =
      std::find(partition.birth.begin(), partition.birth.end(), *mine) != partition.birth.end();
  Status status = Add(Replica::Create(group, *mine, partition.span,
                                      born ? partition.birth : std::vector<raft::ReplicaId>(),
                                      options_.replica, host_, OwnerOf()));
  if (!status.ok()) {
    host_.Fail(std::move(status).WithContext(StrCat("new replica of group ", group.value())));
    return false;
  }
  if (born && partition.birth.front() == *mine) {
    replicas_.at(group)->Campaign();  // somebody should begin
  }
  return true;
}

// The log first: what is left of the state is nobody's when the node comes back.
void Node::RemoveReplica(log::GroupId group) {
  auto const known = replicas_.find(group);
  raft::ReplicaId const id = known->second->id();
  removing_.emplace(group, std::pair(id, known->second->span()));
  leaders_.erase(group);
  if (group == kMetaGroup) {
    meta_leader_.reset();
  }
  awake_.erase(group);
  replicas_.erase(known);
  Status status = host_.Remove(group, raft::ReplicaId(id.value() + 1), kRemovalSequence);
  if (!status.ok()) {
    host_.Fail(std::move(status).WithContext(StrCat("log of group ", group.value())));
  }
}

void Node::FinishRemoval(log::GroupId group) {
  auto const removed = removing_.extract(group);
  if (removed.empty()) {
    return;
  }
  Status status = DropState(host_.engine(), group, removed.mapped().second);
  if (!status.ok()) {
    host_.Fail(std::move(status).WithContext(StrCat("state of group ", group.value())));
    return;
  }
  map_changed_ = true;  // it may be wanted again
}

void Node::MoveReplicas() {
  for (const auto& [group, replica] : replicas_) {
    const Partition* const partition = map_.Find(group);
    if (partition == nullptr || !replica->leads() || partition->settled) {
      continue;
    }
    if (replica->MoveTowards(partition->replicas) && reporting_.insert(group).second) {
      AskMeta(meta::ReportSettled{.group = group, .voters = partition->replicas},
              [this, group = group](const Result<std::string>& answer) {
                answer.status().IgnoreError("it is reported again while the map does not say so");
                reporting_.erase(group);
              });
    }
  }
}

// One node after the other: those with replicas of the meta group have it from their log, unless
// they were removed and nobody told them.
void Node::AskForMap() {
  if (meta_leader_ != nullptr || map_.nodes().empty()) {
    return;
  }
  auto asked = map_.nodes().upper_bound(map_asked_);
  asked = asked == map_.nodes().end() ? map_.nodes().begin() : asked;
  map_asked_ = asked->first;
  if (asked->first != options_.number) {
    SendTo(asked->first, MapCall{.version = map_.version()});
  }
}

}  // namespace orochi::kv
