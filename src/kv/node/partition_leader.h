#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kv/node/node_host.h"
#include "kv/node/replica.h"
#include "kv/txn/coordinator.h"
#include "kv/txn/partition_core.h"

namespace orochi::kv {

/// The replica that leads a partition: transactions over its Raft group.
///
/// Threads: none.    Borrows: all.
class PartitionLeader final : public PartitionHost {
 public:
  /// `cluster` reaches the oracle and other partitions.
  PartitionLeader(Replica& replica, NodeHost& host, CoordinatorHost& cluster,
                  const OperationRules& rules, PartitionOptions options);

  void Handle(Request request, PartitionCore::Reply reply) {
    core_->Handle(std::move(request), std::move(reply));
  }

 private:
  const Reader& state() const override { return host_.engine(); }
  void Propose(WriteBatch batch, std::function<void()> applied) override {
    replica_.Propose(std::move(batch), std::move(applied));
  }
  void ConfirmLeadership(std::function<void()> confirmed) override {
    replica_.Confirm(std::move(confirmed));
  }
  void Stamp(std::function<void(Timestamp)> stamped) override;
  void Push(const PushRequest& request,
            std::function<void(std::optional<Answer>)> answered) override;
  void Resolve(const ResolveRequest& request, std::function<void(bool)> done) override;
  void After(int64_t delay_us, std::function<void()> event) override;
  int64_t now_us() const override { return host_.now_us(); }

  std::function<void(std::optional<Result<Answer>>)> AnswerWhileHere(
      std::function<void(std::optional<Answer>)> answered);
  template <class... Arguments>
  std::function<void(Arguments...)> WhileHere(std::function<void(Arguments...)> body) {
    return [here = std::weak_ptr<int>(here_), body = std::move(body)](Arguments... arguments) {
      if (!here.expired()) {
        body(std::move(arguments)...);
      }
    };
  }

  Replica& replica_;
  NodeHost& host_;
  CoordinatorHost& cluster_;
  std::shared_ptr<int> here_ = std::make_shared<int>(0);
  std::unique_ptr<PartitionCore> core_;  // asks for a stamp as soon as it is there
};

}  // namespace orochi::kv
