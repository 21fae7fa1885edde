#include "kv/node/partition_leader.h"

#include <utility>

namespace orochi::kv {

PartitionLeader::PartitionLeader(Replica& replica, NodeHost& host, CoordinatorHost& cluster,
                                 const OperationRules& rules, PartitionOptions options)
    : replica_(replica), host_(host), cluster_(cluster) {
  options.span = replica.span();
  core_ = std::make_unique<PartitionCore>(*this, rules, options);
}

void PartitionLeader::Stamp(std::function<void(Timestamp)> stamped) {
  cluster_.Stamp(WhileHere(std::move(stamped)));
}

std::function<void(std::optional<Result<Answer>>)> PartitionLeader::AnswerWhileHere(
    std::function<void(std::optional<Answer>)> answered) {
  return [here = std::weak_ptr<int>(here_),
          answered = std::move(answered)](std::optional<Result<Answer>> answer) {
    bool const is_there = answer && answer->ok();  // what failed is as good as no answer
    if (!here.expired()) {
      answered(is_there ? std::optional<Answer>(**std::move(answer)) : std::nullopt);
    }
  };
}

void PartitionLeader::Push(const PushRequest& request,
                           std::function<void(std::optional<Answer>)> answered) {
  cluster_.Send(request.anchor, request, AnswerWhileHere(std::move(answered)));
}

void PartitionLeader::Resolve(const ResolveRequest& request, std::function<void(bool)> done) {
  cluster_.Send(request.keys.front(), request,
                AnswerWhileHere([done = std::move(done)](const std::optional<Answer>& answer) {
                  done(answer.has_value());
                }));
}

void PartitionLeader::After(int64_t delay_us, std::function<void()> event) {
  host_.After(delay_us, WhileHere(std::move(event)));
}

}  // namespace orochi::kv
