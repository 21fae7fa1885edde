// Calls: to the leaders of partitions and of the meta group, wherever they are.

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/node/node.h"

namespace orochi::kv {

// An answer that is given once. Let go of without one, it says that the leader is gone: what it was
// asked for may or may not happen.
class Node::Answering {
 public:
  Answering(std::weak_ptr<int> node, size_t& open, std::function<void(PartitionReply)> reply)
      : node_(std::move(node)), open_(open), reply_(std::move(reply)) {
    ++open_;
  }
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;
  ~Answering() {
    if (!node_.expired() && reply_) {
      --open_;
      reply_({.kind = PartitionReply::Kind::kLost});
    }
  }

  void Answer(Result<kv::Answer> answer) {
    auto const reply = std::exchange(reply_, nullptr);
    if (!reply) {
      return;
    }
    --open_;
    if (answer.ok()) {
      reply({.kind = PartitionReply::Kind::kAnswer, .answer = *std::move(answer)});
    } else {
      reply({.kind = PartitionReply::Kind::kError,
             .code = answer.status().code(),
             .message = answer.status().message()});
    }
  }

 private:
  std::weak_ptr<int> node_;
  size_t& open_;  // the node's
  std::function<void(PartitionReply)> reply_;
};

// Where the leader was last; else whom the replica here follows, and the replicas one after the
// other, from behind the one that has left a call unanswered: it may be dead for long.
NodeNumber Node::LeaderToAsk(log::GroupId group, size_t attempt) {
  auto const hint = leader_hints_.find(group);
  if (hint != leader_hints_.end()) {
    return hint->second;
  }
  NodeNumber const followed = attempt % 2 == 0 ? LeaderKnownTo(group) : NodeNumber();
  if (followed != NodeNumber()) {
    return followed;
  }
  const Partition* const partition = map_.Find(group);
  if (partition == nullptr || partition->replicas.empty()) {
    return NodeNumber();
  }
  auto const unanswered = unanswered_.find(group);
  size_t const begin = unanswered == unanswered_.end() ? 0 : unanswered->second;
  return NodeOf(partition->replicas[(begin + attempt) % partition->replicas.size()]);
}

NodeNumber Node::LeaderKnownTo(log::GroupId group) {
  Replica* const replica = FindReplica(group);
  return replica == nullptr ? NodeNumber() : NodeOf(replica->raft().leader());
}

void Node::Send(const std::string& key, Request request,
                std::function<void(std::optional<Result<Answer>>)> answered) {
  uint64_t const id = ++last_call_;
  const Partition* const partition = map_.FindByKey(key);
  calls_.emplace(id, Call{.group = partition == nullptr ? log::GroupId() : partition->group,
                          .request = std::move(request),
                          .answered = std::move(answered),
                          .until_us = host_.now_us() + options_.answer_within_us});
  if (partition == nullptr) {
    Defer(
        [this, id] { Finish(id, Result<Answer>(Status::NotFound("no partition holds the key"))); });
    return;
  }
  After(options_.answer_within_us, [this, id] { Finish(id, std::nullopt); });
  Attempt(id);
}

void Node::Attempt(uint64_t id) {
  auto const known = calls_.find(id);
  if (known == calls_.end()) {
    return;
  }
  Call& call = known->second;
  NodeNumber const to = LeaderToAsk(call.group, call.attempt++);
  if (to == options_.number) {
    auto reply = [this, id](PartitionReply reply) {
      reply.call = id;
      Defer([this, reply = std::move(reply)] { Handle(options_.number, reply); });
    };
    Serve(call.group, call.request, std::move(reply));
  } else if (to != NodeNumber()) {
    SendTo(to, PartitionCall{.call = id, .group = call.group, .request = call.request});
  }
}

// Nothing has happened yet, so that asking once more does no harm.
void Node::AttemptAgain(uint64_t id, NodeNumber leader) {
  Call& call = calls_.at(id);
  if (leader != NodeNumber() && leader != LeaderToAsk(call.group, call.attempt)) {
    leader_hints_[call.group] = leader;
    Attempt(id);
    return;
  }
  leader_hints_.erase(call.group);
  if (host_.now_us() + options_.ask_again_us < call.until_us) {
    After(options_.ask_again_us, [this, id] { Attempt(id); });
  } else {
    Finish(id, Result<Answer>(Status::Unavailable(
                   StrCat("partition ", call.group.value(), " has no leader now"))));
  }
}

void Node::Finish(uint64_t id, std::optional<Result<Answer>> answer) {
  auto call = calls_.extract(id);
  if (call.empty()) {
    return;
  }
  if (!answer) {
    leader_hints_.erase(call.mapped().group);
    ++unanswered_[call.mapped().group];
  }
  call.mapped().answered(std::move(answer));
}

void Node::Serve(log::GroupId group, Request request, std::function<void(PartitionReply)> reply) {
  auto const leader = leaders_.find(group);
  Replica* const replica = FindReplica(group);
  if (leader != leaders_.end() && handing_over_.contains(group)) {
    reply({.kind = PartitionReply::Kind::kNotLeader});  // soon another is
    return;
  }
  if (leader == leaders_.end()) {
    reply({.kind = PartitionReply::Kind::kNotLeader, .leader = LeaderKnownTo(group)});
    return;
  }
  if (replica->IsOverloaded()) {
    reply({.kind = PartitionReply::Kind::kError,
           .code = StatusCode::kResourceExhausted,
           .message = StrCat("partition ", group.value(), " has more to write than it can")});
    return;
  }
  auto const answering =
      std::make_shared<Answering>(std::weak_ptr<int>(here_), serving_[group], std::move(reply));
  leader->second->Handle(std::move(request), [answering](Result<Answer> answer) {
    answering->Answer(std::move(answer));
  });
}

void Node::Handle(NodeNumber from, PartitionCall call) {
  Serve(call.group, std::move(call.request), [this, from, id = call.call](PartitionReply reply) {
    reply.call = id;
    SendTo(from, std::move(reply));
  });
}

void Node::Handle(NodeNumber from, PartitionReply reply) {
  auto const known = calls_.find(reply.call);
  if (known == calls_.end()) {
    return;
  }
  switch (reply.kind) {
    case PartitionReply::Kind::kAnswer:
      leader_hints_[known->second.group] = from;
      Finish(reply.call, Result<Answer>(std::move(reply.answer)));
      return;
    case PartitionReply::Kind::kError:
      Finish(reply.call, Result<Answer>(Status(reply.code, std::move(reply.message))));
      return;
    case PartitionReply::Kind::kNotLeader:
      AttemptAgain(reply.call, reply.leader == from ? NodeNumber() : reply.leader);
      return;
    case PartitionReply::Kind::kLost:
      Finish(reply.call, std::nullopt);
      return;
  }
}

void Node::Handle(NodeNumber /*from*/, RaftMessage message) {
  if (Replica* const replica = FindReplica(message.group); replica != nullptr) {
    replica->Step(std::move(message.message));
  }
}

void Node::Handle(NodeNumber from, SnapshotChunk chunk) {
  Replica* const replica = FindReplica(chunk.group);
  if (replica != nullptr && replica->id() == chunk.to) {
    replica->OnChunk(from, std::move(chunk));
  }
}

void Node::Handle(NodeNumber /*from*/, const SnapshotReceived& answer) {
  Replica* const replica = FindReplica(answer.group);
  if (replica != nullptr && replica->id() == answer.to) {
    replica->OnChunkAnswer(answer);
  }
}

void Node::Stamp(std::function<void(Timestamp)> stamped) {
  stamps_wanted_.push_back(std::move(stamped));
}

// One call for all that are wanted; those that are wanted meanwhile wait for the next, since the
// oracle may answer with timestamps from before they were.
void Node::AskForStamps() {
  if (stamp_call_ != 0 || stamps_wanted_.empty()) {
    return;
  }
  stamps_asked_ = std::exchange(stamps_wanted_, {});
  uint64_t const id = stamp_call_ = ++last_call_;
  NodeNumber const to = LeaderToAsk(kMetaGroup, stamp_attempt_++);
  After(options_.stamp_within_us, [this, id] {
    if (stamp_call_ == id) {
      leader_hints_.erase(kMetaGroup);
      Handle(options_.number, StampReply{.call = id});
    }
  });
  if (to == options_.number) {
    ServeStamps(stamps_asked_.size(), [this, id](StampReply reply) {
      reply.call = id;
      Defer([this, reply] { Handle(options_.number, reply); });
    });
  } else if (to != NodeNumber()) {
    SendTo(to, StampCall{.call = id, .count = stamps_asked_.size()});
  }
}

void Node::ServeStamps(uint64_t count, std::function<void(StampReply)> reply) {
  if (meta_leader_ == nullptr) {
    reply({.first = kNever, .leader = LeaderKnownTo(kMetaGroup)});
    return;
  }
  meta_leader_->Stamp(count,
                      [reply = std::move(reply)](Timestamp first) { reply({.first = first}); });
}

void Node::Handle(NodeNumber from, const StampCall& call) {
  ServeStamps(std::clamp<uint64_t>(call.count, 1, uint64_t{1} << 16),
              [this, here = std::weak_ptr<int>(here_), from, id = call.call](StampReply reply) {
                if (!here.expired()) {
                  reply.call = id;
                  SendTo(from, reply);
                }
              });
}

void Node::Handle(NodeNumber from, const StampReply& reply) {
  if (reply.call != stamp_call_ || stamp_call_ == 0) {
    return;
  }
  auto asked = std::exchange(stamps_asked_, {});
  if (reply.first == kNever) {
    stamps_wanted_.insert(stamps_wanted_.begin(), std::make_move_iterator(asked.begin()),
                          std::make_move_iterator(asked.end()));
    if (reply.leader != NodeNumber() && reply.leader != from) {
      leader_hints_[kMetaGroup] = reply.leader;
      stamp_call_ = 0;
      return;
    }
    leader_hints_.erase(kMetaGroup);
    uint64_t const pause = stamp_call_ = ++last_call_;  // nobody answers this one
    After(options_.ask_again_us, [this, pause] {
      if (stamp_call_ == pause) {
        stamp_call_ = 0;
      }
    });
    return;
  }
  stamp_call_ = 0;
  leader_hints_[kMetaGroup] = from;
  for (size_t index = 0; index < asked.size(); ++index) {
    asked[index](Timestamp(reply.first.value() + index));
  }
}

void Node::AskMeta(const meta::Command& command,
                   std::function<void(Result<std::string>)> answered) {
  uint64_t const id = ++last_call_;
  meta_calls_.emplace(id, OpenMetaCall{.command = meta::Encode(command),
                                       .answered = std::move(answered),
                                       .until_us = host_.now_us() + options_.answer_within_us});
  AttemptMeta(id);
}

// Commands to the meta group may be asked for twice: without an answer it is asked again.
void Node::AttemptMeta(uint64_t id) {
  auto const known = meta_calls_.find(id);
  if (known == meta_calls_.end()) {
    return;
  }
  OpenMetaCall& call = known->second;
  if (host_.now_us() >= call.until_us) {
    auto const answered = std::move(call.answered);
    meta_calls_.erase(known);
    answered(Status::OutcomeUnknown("the meta group did not answer in time"));
    return;
  }
  NodeNumber const to = LeaderToAsk(kMetaGroup, call.attempt++);
  if (to == options_.number) {
    ServeMeta(call.command, [this, id](MetaReply reply) {
      reply.call = id;
      Defer([this, reply = std::move(reply)] { Handle(options_.number, reply); });
    });
  } else if (to != NodeNumber()) {
    SendTo(to, MetaCall{.call = id, .command = call.command});
  }
  After(options_.stamp_within_us, [this, id, attempt = call.attempt] {
    auto const open = meta_calls_.find(id);
    if (open != meta_calls_.end() && open->second.attempt == attempt) {
      leader_hints_.erase(kMetaGroup);
      AttemptMeta(id);
    }
  });
}

void Node::ServeMeta(const std::string& bytes, std::function<void(MetaReply)> reply) {
  if (meta_leader_ == nullptr) {
    reply({.kind = PartitionReply::Kind::kNotLeader, .leader = LeaderKnownTo(kMetaGroup)});
    return;
  }
  Result<meta::Command> command = meta::Decode(bytes);
  if (!command.ok()) {
    reply({.kind = PartitionReply::Kind::kError,
           .answer = command.status().message(),
           .code = command.status().code()});
    return;
  }
  meta_leader_->Run(*std::move(command), [reply = std::move(reply)](Result<std::string> answer) {
    if (answer.ok()) {
      reply({.kind = PartitionReply::Kind::kAnswer, .answer = *std::move(answer)});
    } else {
      reply({.kind = PartitionReply::Kind::kError,
             .answer = answer.status().message(),
             .code = answer.status().code()});
    }
  });
}

void Node::Handle(NodeNumber from, const MetaCall& call) {
  ServeMeta(call.command,
            [this, here = std::weak_ptr<int>(here_), from, id = call.call](MetaReply reply) {
              if (!here.expired()) {
                reply.call = id;
                SendTo(from, std::move(reply));
              }
            });
}

void Node::Handle(NodeNumber from, MetaReply reply) {
  auto const known = meta_calls_.find(reply.call);
  if (known == meta_calls_.end()) {
    return;
  }
  if (reply.kind == PartitionReply::Kind::kNotLeader) {
    bool const somebody = reply.leader != NodeNumber() && reply.leader != from;
    if (somebody) {
      leader_hints_[kMetaGroup] = reply.leader;
      AttemptMeta(reply.call);
    } else {
      leader_hints_.erase(kMetaGroup);  // and again when the time for an answer is over
    }
    return;
  }
  leader_hints_[kMetaGroup] = from;
  auto const answered = std::move(known->second.answered);
  meta_calls_.erase(known);
  if (reply.kind == PartitionReply::Kind::kAnswer) {
    answered(std::move(reply.answer));
  } else {
    answered(Status(reply.code, std::move(reply.answer)));
  }
}

void Node::Handle(NodeNumber from, const MapCall& call) {
  if (call.version < map_.version()) {
    SendTo(from, MapReply{.map = map_.Encode()});
  }
}

void Node::Handle(NodeNumber /*from*/, const MapReply& reply) {
  Result<ClusterMap> map = ClusterMap::Decode(reply.map);
  if (map.ok()) {
    TakeMap(*std::move(map));
  }
}

}  // namespace orochi::kv
