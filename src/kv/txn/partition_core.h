#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "kv/txn/latches.h"
#include "kv/txn/partition_host.h"
#include "kv/txn/read_cache.h"
#include "kv/txn/requests.h"

namespace orochi::kv {

struct PartitionOptions {
  KeySpan span{};  // what the partition holds
  size_t read_cache_entries_max = 16'384;
  /// Without a heartbeat for so long a transaction counts as abandoned.
  int64_t abandoned_after_us = 5'000'000;
  /// Who waits for a transaction to be decided asks again after this.
  int64_t push_again_us_min = 2'000;
  int64_t push_again_us_max = 100'000;
  /// A write that has waited so long for another transaction is a conflict. Less than who asks
  /// waits for an answer, or the write would happen when nobody waits for it any more.
  int64_t wait_us_max = 1'000'000;
  size_t collect_count_max = 1'000;  // removals in one batch
};

/// The leader of a partition, from when it has applied the first entry of its term until it leads
/// no more: evaluates requests, one after the other where they touch the same keys, and proposes
/// what they change (docs: src/kv/txn/ARCHITECTURE.md). All it remembers itself may be lost with
/// it.
///
/// Threads: none; everything happens in Handle and in what the host calls back.
/// Borrows: host, rules.
class PartitionCore {
 public:
  /// An answer, or an error: kCorruption of the state, kInvalidArgument of the request. A request
  /// that is still open when the leader goes is not answered.
  using Reply = std::function<void(Result<Answer>)>;

  PartitionCore(PartitionHost& host, const OperationRules& rules, const PartitionOptions& options);

  /// `reply` may be called from within.
  void Handle(Request request, Reply reply);

 private:
  struct Read;
  struct Write;
  struct OneShot;
  struct Refresh;
  // What an intent in the way has come to.
  enum class Way : uint8_t { kFree, kPassed };

  // A transaction not decided whose anchor is here, as far as this leader has heard of it.
  struct Pending {
    int64_t heard_us = 0;
    Timestamp floor;  // it must commit after this
    bool deciding = false;
    std::vector<Reply> waiting;  // until it is decided
  };

  // reads.cc
  void Begin(ReadRequest request, Reply reply);
  void Begin(RefreshRequest request, Reply reply);
  void EvaluateRead(const std::shared_ptr<Read>& read);
  void EvaluateRefresh(const std::shared_ptr<Refresh>& refresh);
  void AwaitRead(std::vector<KeySpan> spans, Timestamp timestamp, std::function<void()> ready);
  using FoundIntents = std::vector<std::pair<std::string, Intent>>;
  Result<FoundIntents> IntentsInTheWay(const KeySpan& span, Timestamp timestamp,
                                       const std::optional<TransactionId>& reader,
                                       const std::set<TransactionId>& passed) const;
  template <class Reader>
  void PushTogether(const std::shared_ptr<Reader>& reader, const FoundIntents& intents,
                    Timestamp start, Timestamp reads_at,
                    void (PartitionCore::*then)(const std::shared_ptr<Reader>&));

  // writes.cc
  void Begin(WriteRequest request, Reply reply);
  void Begin(OneShotRequest request, Reply reply);
  void EvaluateWrite(const std::shared_ptr<Write>& write);
  Status TryWrite(const std::shared_ptr<Write>& write);
  void ProposeIntent(const std::shared_ptr<Write>& write);
  void LatchOneShot(const std::shared_ptr<OneShot>& one);
  void EvaluateOneShot(const std::shared_ptr<OneShot>& one);
  Status TryOneShot(const std::shared_ptr<OneShot>& one);
  void AnswerFailedCondition(const std::vector<KeySpan>& spans, Timestamp timestamp,
                             Latches::Id latch, std::string result, const Reply& reply);

  // decisions.cc
  void Begin(CommitRequest request, Reply reply);
  void Begin(AbortRequest request, Reply reply);
  void Begin(HeartbeatRequest request, Reply reply);
  void Begin(PushRequest request, Reply reply);
  void Begin(ResolveRequest request, Reply reply);
  bool AnswerDecided(const std::string& anchor, const TransactionId& id, const Reply& reply);
  void Decide(const std::string& anchor, const TransactionId& id, bool committed,
              Timestamp timestamp, std::vector<std::string> keys, Reply reply);
  void AnswerPush(const PushRequest& request, const Reply& reply);
  void ResolveNow(const ResolveRequest& request, Latches::Id latch, const Reply& reply);
  Pending& PendingOf(const TransactionId& id);
  // garbage.cc
  struct Collection;
  void Begin(CollectRequest request, Reply reply);
  void RemoveRecords(const std::shared_ptr<Collection>& collection);
  void FinishCommitted(const std::shared_ptr<Collection>& collection);
  void RemoveVersions(const std::shared_ptr<Collection>& collection);
  void ProposeRemovals(WriteBatch batch, std::function<void()> removed);
  bool IsTooOld(Timestamp timestamp) const { return timestamp < safepoint_; }
  bool HasWaitedLong(int64_t since_us) const {
    return host_.now_us() - since_us > options_.wait_us_max;
  }

  // Asks about the intent and clears it away when it is decided. `passed`: it is not, but will
  // commit after `timestamp` if it does; only for readers.
  void ClearTheWay(const std::string& key, const Intent& intent, Timestamp pusher_start,
                   std::optional<Timestamp> reads_at, int attempt,
                   std::function<void(Way)> cleared);

  // Runs `body` unless this is gone.
  template <class... Arguments>
  std::function<void(Arguments...)> WhileHere(std::function<void(Arguments...)> body) {
    return [here = std::weak_ptr<int>(here_), body = std::move(body)](Arguments... arguments) {
      if (!here.expired()) {
        body(std::move(arguments)...);
      }
    };
  }

  PartitionHost& host_;
  const OperationRules& rules_;
  PartitionOptions options_;

  Latches latches_;
  ReadCache read_cache_;
  bool started_ = false;                         // the first stamp is there
  std::vector<std::function<void()>> to_start_;  // came before
  Timestamp safepoint_;
  Timestamp proposed_safepoint_;  // the highest that is in the log, or on its way
  Timestamp first_stamp_;         // others may have read and pushed up to here
  std::map<TransactionId, Pending> pending_;
  std::shared_ptr<int> here_ = std::make_shared<int>(0);
};

}  // namespace orochi::kv
