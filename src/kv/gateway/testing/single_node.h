#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "kv/engine/mem_engine.h"
#include "kv/operation/record_rules.h"
#include "kv/txn/coordinator.h"
#include "kv/txn/partition_core.h"

namespace orochi::kv::testing {

/// A cluster of one node, for tests: partitions with real leaders over an engine in memory, whose
/// proposals are applied at once, and timestamps by counting. Everything is answered by an event
/// of `schedule`, in the order in which it was asked.
///
/// Threads: that of the events.
class SingleNode final : public CoordinatorHost {
 public:
  using Schedule = std::function<void(int64_t delay_us, std::function<void()>)>;

  /// Partitions begin at "" and at each of `bounds`, which ascend.
  SingleNode(Schedule schedule, std::function<int64_t()> now_us, std::vector<std::string> bounds)
      : schedule_(std::move(schedule)), now_us_(std::move(now_us)) {
    bounds.insert(bounds.begin(), "");
    for (size_t index = 0; index < bounds.size(); ++index) {
      KeySpan const span{.begin = bounds[index],
                         .end = index + 1 < bounds.size() ? bounds[index + 1] : ""};
      partitions_.push_back(std::make_unique<Partition>(*this, span));
    }
  }

  void Stamp(std::function<void(Timestamp)> stamped) override {
    schedule_(0, [this, stamped = std::move(stamped)] {
      if (oracle_answers_) {
        stamped(Timestamp(++last_stamp_));
      }
    });
  }
  void Send(const std::string& key, Request request,
            std::function<void(std::optional<Result<Answer>>)> answered) override {
    ++sent_count_;
    one_shot_count_ += std::holds_alternative<OneShotRequest>(request) ? 1 : 0;
    bool const commits = std::holds_alternative<CommitRequest>(request);
    bool const lost = commits ? lose_commits_ : lose_requests_;
    bool const unheard = commits ? lose_commit_answers_ : lose_answers_;
    if (refuse_all_) {
      schedule_(0, [answered] { answered(Status::Unavailable("no leader")); });
    } else if (lost) {
      schedule_(0, [answered] { answered(std::nullopt); });
    } else {
      Handle(key, std::move(request), [answered, unheard](Result<Answer> answer) {
        static_cast<void>(answer.ok());
        answered(unheard ? std::nullopt : std::optional(std::move(answer)));
      });
    }
  }
  std::vector<KeySpan> Cut(const KeySpan& span) override {
    std::vector<KeySpan> pieces;
    for (const auto& partition : partitions_) {
      const KeySpan& whole = partition->span;
      if (whole.Overlaps(span)) {
        bool const ends_here = !span.end.empty() && (whole.end.empty() || span.end < whole.end);
        pieces.push_back(
            {.begin = std::max(whole.begin, span.begin), .end = ends_here ? span.end : whole.end});
      }
    }
    return pieces;
  }
  void After(int64_t delay_us, std::function<void()> event) override {
    schedule_(delay_us, std::move(event));
  }

  // What goes wrong from now on.
  void LoseRequests(bool on) { lose_requests_ = on; }  // all but commits
  void LoseAnswers(bool on) { lose_answers_ = on; }    // likewise
  void LoseCommits(bool on) { lose_commits_ = on; }
  void LoseCommitAnswers(bool on) { lose_commit_answers_ = on; }
  void RefuseAll(bool on) { refuse_all_ = on; }
  void StopOracle(bool on) { oracle_answers_ = !on; }

  size_t sent_count() const { return sent_count_; }
  size_t one_shot_count() const { return one_shot_count_; }

 private:
  struct Partition final : PartitionHost {
    Partition(SingleNode& its_node, KeySpan its_span) : node(its_node), span(std::move(its_span)) {
      core = std::make_unique<PartitionCore>(*this, node.rules_, PartitionOptions{.span = span});
    }
    const Reader& state() const override { return node.engine_; }
    void Propose(WriteBatch batch, std::function<void()> applied) override {
      Status const written = node.engine_.Write(batch);
      ASSERT(written.ok());
      node.schedule_(0, std::move(applied));
    }
    void ConfirmLeadership(std::function<void()> confirmed) override {
      node.schedule_(0, std::move(confirmed));
    }
    void Stamp(std::function<void(Timestamp)> stamped) override { node.Stamp(std::move(stamped)); }
    void Push(const PushRequest& request,
              std::function<void(std::optional<Answer>)> answered) override {
      node.Handle(request.anchor, request, [answered](Result<Answer> answer) {
        answered(answer.ok() ? std::optional<Answer>(*std::move(answer)) : std::nullopt);
      });
    }
    void Resolve(const ResolveRequest& request, std::function<void(bool)> done) override {
      node.Handle(request.keys.front(), request,
                  [done](const Result<Answer>& answer) { done(answer.ok()); });
    }
    void After(int64_t delay_us, std::function<void()> event) override {
      node.schedule_(delay_us, std::move(event));
    }
    int64_t now_us() const override { return node.now_us_(); }

    SingleNode& node;
    KeySpan span;
    std::unique_ptr<PartitionCore> core;
  };

  void Handle(const std::string& key, Request request, PartitionCore::Reply reply) {
    schedule_(0, [this, key, request = std::move(request), reply = std::move(reply)]() mutable {
      auto const place = std::find_if(partitions_.begin(), partitions_.end(),
                                      [&](const auto& one) { return one->span.Holds(key); });
      ASSERT(place != partitions_.end());
      (*place)->core->Handle(std::move(request), [this, reply](const Result<Answer>& answer) {
        static_cast<void>(answer.ok());
        schedule_(0, [reply, answer] { reply(answer); });
      });
    });
  }

  Schedule schedule_;
  std::function<int64_t()> now_us_;
  MemEngine engine_;
  RecordRules rules_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  uint64_t last_stamp_ = uint64_t{1} << 40;
  bool lose_requests_ = false;
  bool lose_answers_ = false;
  bool lose_commits_ = false;
  bool lose_commit_answers_ = false;
  bool refuse_all_ = false;
  bool oracle_answers_ = true;
  size_t sent_count_ = 0;
  size_t one_shot_count_ = 0;
};

}  // namespace orochi::kv::testing
