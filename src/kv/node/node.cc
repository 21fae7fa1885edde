#include "kv/node/node.h"

#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/engine/mem_engine.h"

namespace orochi::kv {

Node::Node(NodeHost& host, const OperationRules& rules, const NodeOptions& options)
    : host_(host),
      rules_(rules),
      options_(options),
      // An answer to an earlier life of this node is none to this one.
      last_call_(host.random().Next() >> 1) {}

// Leaders go first: what they had open is not answered.
Node::~Node() {
  here_.reset();
  meta_leader_.reset();
  leaders_.clear();
}

Status Node::Bootstrap(const std::vector<NodeRecord>& nodes) {
  // Those without a replica of the meta group know of it, and have none of its state.
  WriteBatch birth = meta::BirthState(nodes, options_.meta.placement);
  MemEngine born;
  RETURN_IF_ERROR(born.Write(birth));
  ASSIGN_OR_RETURN(map_, ClusterMap::Load(born));
  const Partition* const own = map_.Find(kMetaGroup);
  WriteBatch batch;
  RememberMap(batch, map_);
  if (own->HasReplicaOn(options_.number)) {
    batch.Append(std::move(birth));
  }
  RETURN_IF_ERROR(host_.engine().Write(batch));
  RETURN_IF_ERROR(host_.engine().Flush());
  map_changed_ = true;
  return Status();
}

void Node::Join(ClusterMap map) {
  TakeMap(std::move(map));
}

Status Node::Recover(std::vector<std::pair<log::GroupId, raft::RecoveredState>> logged) {
  for (auto& [group, state] : logged) {
    ASSIGN_OR_RETURN(auto note, GroupNoteOf(host_.engine(), group));
    if (!note) {
      return Status::Corruption(
          StrCat("the log has group ", group.value(), ", of which the state knows nothing"));
    }
    RETURN_IF_ERROR(Add(Replica::Open(group, *std::move(note), std::move(state), options_.replica,
                                      host_, OwnerOf())));
  }
  ASSIGN_OR_RETURN(map_, RememberedMap(host_.engine()));
  map_changed_ = true;
  return Status();
}

Replica* Node::FindReplica(log::GroupId group) {
  auto const known = replicas_.find(group);
  return known == replicas_.end() ? nullptr : known->second.get();
}

Status Node::Add(Result<std::unique_ptr<Replica>> replica) {
  RETURN_IF_ERROR(replica.status());
  log::GroupId const group = (*replica)->group();
  replicas_.insert_or_assign(group, *std::move(replica));
  awake_.insert(group);
  return Status();
}

Replica::Owner Node::OwnerOf() {
  return {
      .send =
          [this](log::GroupId group, raft::Message message) {
            NodeNumber const to = NodeOf(message.to);
            SendTo(to, RaftMessage{.group = group, .message = std::move(message)});
          },
      .send_peer = [this](NodeNumber to, PeerMessage message) { SendTo(to, std::move(message)); },
      .wake = [this](Replica& replica) { awake_.insert(replica.group()); },
      .leads = [this](Replica& replica, bool leads) { OnLeads(replica, leads); },
      .applied = [this](Replica& replica) { OnApplied(replica); }};
}

void Node::OnLeads(Replica& replica, bool leads) {
  log::GroupId const group = replica.group();
  if (group == kMetaGroup) {
    meta_leader_ = leads ? std::make_unique<MetaLeader>(replica, host_, options_.meta) : nullptr;
  } else if (leads) {
    leaders_[group] =
        std::make_unique<PartitionLeader>(replica, host_, *this, rules_, options_.partition);
  } else {
    leaders_.erase(group);
  }
  if (leads) {
    leader_hints_[group] = options_.number;
  }
}

// The meta group's replicas know the map first.
void Node::OnApplied(Replica& replica) {
  if (replica.group() != kMetaGroup) {
    return;
  }
  Result<uint64_t> const version = meta::NumberOf(host_.engine(), meta::Number::kVersion);
  if (version.ok() && *version <= map_.version()) {
    return;
  }
  Result<ClusterMap> map = version.ok() ? ClusterMap::Load(host_.engine()) : version.status();
  if (!map.ok()) {
    host_.Fail(std::move(map).status());
    return;
  }
  TakeMap(*std::move(map));
}

void Node::Receive(NodeNumber from, PeerMessage message) {
  std::visit([&](auto& one) { Handle(from, std::move(one)); }, message);
}

// A completion may be of a replica that is gone, or of its removal.
void Node::OnDurable(const std::vector<log::Completion>& completions) {
  for (const log::Completion& completion : completions) {
    if (completion.sequence == kRemovalSequence) {
      FinishRemoval(completion.group);
    } else if (Replica* const replica = FindReplica(completion.group); replica != nullptr) {
      replica->OnPersisted(completion.sequence);
    }
  }
}

void Node::Tick() {
  for (const auto& [group, replica] : replicas_) {
    replica->Tick();
  }
  if (++ticks_ % options_.maintain_every_ticks == 0) {
    Maintain();
  }
  if (ticks_ % options_.arrange_every_ticks == 0) {
    Arrange();
  }
}

void Node::Maintain() {
  if (Status status = host_.engine().Flush(); !status.ok()) {
    host_.Fail(std::move(status).WithContext("state of the node"));
    return;
  }
  for (const auto& [group, replica] : replicas_) {
    replica->Compact();
  }
  LeadWherePreferred();
  AskForMap();
}

void Node::Arrange() {
  if (meta_leader_ != nullptr) {
    meta_leader_->Rearrange(absent_);
  }
  MoveReplicas();
}

void Node::Flush() {
  while (true) {
    if (std::exchange(map_changed_, false)) {
      FollowMap();
    }
    if (!awake_.empty()) {
      log::GroupId const group = awake_.extract(awake_.begin()).value();
      if (Replica* const replica = FindReplica(group); replica != nullptr) {
        replica->Pump();
      }
      continue;
    }
    if (!deferred_.empty()) {
      for (const auto& event : std::exchange(deferred_, {})) {
        event();
      }
      continue;
    }
    AskForStamps();
    if (awake_.empty() && deferred_.empty() && !map_changed_) {
      break;
    }
  }
  Deliver();
}

void Node::SendTo(NodeNumber node, PeerMessage message) {
  ASSERT(node != options_.number);
  outbox_[node].push_back(std::move(message));
}

void Node::Deliver() {
  for (auto& [node, messages] : std::exchange(outbox_, {})) {
    host_.Send(node, std::move(messages));
  }
}

void Node::After(int64_t delay_us, std::function<void()> event) {
  host_.After(delay_us, [here = std::weak_ptr<int>(here_), event = std::move(event)] {
    if (!here.expired()) {
      event();
    }
  });
}

}  // namespace orochi::kv
