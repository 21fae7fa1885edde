#include "kv/node/meta_leader.h"

#include <utility>

namespace orochi::kv {

MetaLeader::MetaLeader(Replica& replica, NodeHost& host, const Options& options)
    : replica_(replica), host_(host), options_(options) {
  Result<uint64_t> const limit = meta::NumberOf(host_.engine(), meta::Number::kOracleLimit);
  if (!limit.ok()) {
    host_.Fail(limit.status());
  }
  oracle_ = std::make_unique<TimestampOracle>(
      *this, limit.ok() ? Timestamp(*limit) : Timestamp(~uint64_t{0}), options_.oracle);
}

void MetaLeader::ProposeLimit(Timestamp limit, std::function<void()> applied) {
  WriteBatch batch;
  meta::PutNumber(batch, meta::Number::kOracleLimit, limit.value());
  replica_.Propose(std::move(batch), std::move(applied));
}

void MetaLeader::Run(meta::Command command, std::function<void(Result<std::string>)> done) {
  waiting_.push_back({std::move(command), std::move(done)});
  RunNext();
}

// Each command is evaluated on the state that the one before has left.
void MetaLeader::RunNext() {
  if (running_ || waiting_.empty()) {
    return;
  }
  Waiting next = std::move(waiting_.front());
  waiting_.pop_front();
  Result<ClusterMap> const map = ClusterMap::Load(host_.engine());
  if (!map.ok()) {
    host_.Fail(map.status());
    return;
  }
  Result<meta::Evaluation> evaluation =
      meta::Evaluate(host_.engine(), *map, next.command, options_.placement);
  if (!evaluation.ok()) {
    next.done(std::move(evaluation).status());
    RunNext();
    return;
  }
  Propose(*std::move(evaluation), std::move(next.done));
}

// What changes nothing is answered when it is certain that nobody else has changed anything.
void MetaLeader::Propose(meta::Evaluation evaluation,
                         std::function<void(Result<std::string>)> done) {
  running_ = true;
  auto finish = [this, answer = std::move(evaluation.answer), done = std::move(done)]() mutable {
    running_ = false;
    done(std::move(answer));
    RunNext();
  };
  if (evaluation.batch.empty()) {
    replica_.Confirm(std::move(finish));
  } else {
    replica_.Propose(std::move(evaluation.batch), std::move(finish));
  }
}

// Whether a node's state is to change. Who has just begun to lead gives everyone the whole time.
bool MetaLeader::NoteAbsent(const ClusterMap& map, const std::set<NodeNumber>& absent) {
  std::erase_if(absent_since_us_, [&](const auto& item) { return !absent.contains(item.first); });
  for (const auto& [number, node] : map.nodes()) {
    bool const is_absent = absent.contains(number);
    int64_t const since_us =
        is_absent ? absent_since_us_.try_emplace(number, host_.now_us()).first->second : 0;
    bool const is_late = is_absent && host_.now_us() - since_us > options_.down_after_us;
    NodeState const state = node.state == NodeState::kMember && is_late    ? NodeState::kDown
                            : node.state == NodeState::kDown && !is_absent ? NodeState::kMember
                                                                           : node.state;
    if (state != node.state) {
      Run(meta::SetNodeState{.node = number, .state = state}, [](const Result<std::string>& done) {
        done.status().IgnoreError("it is looked at again soon");
      });
      return true;
    }
  }
  return false;
}

void MetaLeader::Rearrange(const std::set<NodeNumber>& absent) {
  options_.placement.absent = absent;
  if (running_) {
    return;
  }
  Result<ClusterMap> const map = ClusterMap::Load(host_.engine());
  if (!map.ok()) {
    host_.Fail(map.status());
    return;
  }
  if (NoteAbsent(*map, absent)) {
    return;
  }
  meta::Evaluation evaluation = meta::Rearrange(*map, options_.placement);
  if (!evaluation.batch.empty()) {
    Propose(std::move(evaluation), [](const Result<std::string>& done) {
      done.status().IgnoreError("it is looked at again soon");
    });
  }
}

}  // namespace orochi::kv
