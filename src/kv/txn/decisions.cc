// What becomes of transactions: records at the anchor, pushes, and intents that are decided.

#include <algorithm>
#include <utility>

#include "kv/txn/partition_core.h"
#include "kv/txn/planted_bug.h"
#include "kv/txn/record.h"

namespace orochi::kv {
namespace {

Answer AnswerOf(const TransactionRecord& record) {
  return {.outcome = record.committed ? Outcome::kCommitted : Outcome::kAborted,
          .timestamp = record.timestamp};
}

}  // namespace

PartitionCore::Pending& PartitionCore::PendingOf(const TransactionId& id) {
  auto const [place, is_new] = pending_.try_emplace(id);
  if (is_new) {  // whoever asks first gives it time to be heard of
    place->second.heard_us = host_.now_us();
    place->second.floor = first_stamp_;
  }
  return place->second;
}

// True when what is decided about the transaction, or that nobody knows any more, was the answer:
// also to one who asks once more, not having heard. It must be the leader who says so.
bool PartitionCore::AnswerDecided(const std::string& anchor, const TransactionId& id,
                                  const Reply& reply) {
  auto record = RecordOf(host_.state(), anchor, id);
  if (!record.ok()) {
    reply(std::move(record).status());
    return true;
  }
  if (*record) {
    host_.ConfirmLeadership(
        WhileHere(std::function<void()>([reply, answer = AnswerOf(**record)] { reply(answer); })));
    return true;
  }
  if (IsTooOld(id.start)) {
    reply(Answer{.outcome = Outcome::kTooOld});
    return true;
  }
  return false;
}

void PartitionCore::Begin(CommitRequest request, Reply reply) {
  if (AnswerDecided(request.anchor, request.transaction, reply)) {
    return;
  }
  const Pending& pending = PendingOf(request.transaction);
  if (!pending.deciding && request.timestamp <= pending.floor) {
    reply(Answer{.outcome = Outcome::kPushed, .timestamp = pending.floor});
    return;
  }
  Decide(request.anchor, request.transaction, true, request.timestamp, std::move(request.keys),
         std::move(reply));
}

void PartitionCore::Begin(AbortRequest request, Reply reply) {
  if (!AnswerDecided(request.anchor, request.transaction, reply)) {
    Decide(request.anchor, request.transaction, false, kNever, {}, std::move(reply));
  }
}

// Proposes the record unless somebody does already, and answers what is decided to all.
void PartitionCore::Decide(const std::string& anchor, const TransactionId& id, bool committed,
                           Timestamp timestamp, std::vector<std::string> keys, Reply reply) {
  Pending& pending = PendingOf(id);
  if (pending.deciding) {
    pending.waiting.push_back(std::move(reply));
    return;
  }
  pending.deciding = true;
  TransactionRecord const record{
      .committed = committed, .timestamp = timestamp, .keys = std::move(keys)};
  if (IsPlanted(PlantedBug::kAnswerBeforeDurable)) {
    reply(AnswerOf(record));
  } else {
    pending.waiting.push_back(std::move(reply));
  }
  WriteBatch batch;
  if (committed || !IsPlanted(PlantedBug::kAbortForgotten)) {
    PutRecord(batch, anchor, id, record);
  }
  host_.Propose(std::move(batch),
                WhileHere(std::function<void()>([this, id, answer = AnswerOf(record)] {
                  auto const decided = pending_.extract(id);
                  for (const Reply& reply : decided.mapped().waiting) {
                    reply(answer);
                  }
                })));
}

void PartitionCore::Begin(HeartbeatRequest request, Reply reply) {
  auto record = RecordOf(host_.state(), request.anchor, request.transaction);
  if (!record.ok()) {
    reply(std::move(record).status());
  } else if (*record) {
    reply(AnswerOf(**record));
  } else {
    PendingOf(request.transaction).heard_us = host_.now_us();
    reply(Answer{.outcome = Outcome::kPending});
  }
}

// Whoever answers must be the leader: another may have decided, or not know of a push.
void PartitionCore::Begin(PushRequest request, Reply reply) {
  host_.ConfirmLeadership(
      WhileHere(std::function<void()>([this, request = std::move(request),
                                       reply = std::move(reply)] { AnswerPush(request, reply); })));
}

void PartitionCore::AnswerPush(const PushRequest& request, const Reply& reply) {
  auto record = RecordOf(host_.state(), request.anchor, request.transaction);
  if (!record.ok()) {
    reply(std::move(record).status());
    return;
  }
  if (*record) {
    reply(AnswerOf(**record));
    return;
  }
  Pending& pending = PendingOf(request.transaction);
  if (pending.deciding) {
    pending.waiting.push_back(reply);
    return;
  }
  if (IsTooOld(request.transaction.start)) {
    // It never committed, or all its intents were resolved and this one came after that.
    pending_.erase(request.transaction);
    reply(Answer{.outcome = Outcome::kAborted});
    return;
  }
  bool const abandoned = host_.now_us() - pending.heard_us > options_.abandoned_after_us;
  bool const wounds = !request.reads && request.pusher_start < request.transaction.start;
  if (abandoned || wounds) {
    Decide(request.anchor, request.transaction, false, kNever, {}, reply);
    return;
  }
  if (request.reads) {
    pending.floor = std::max(pending.floor, request.timestamp);
  }
  reply(Answer{.outcome = Outcome::kPending, .timestamp = pending.floor});
}

void PartitionCore::ClearTheWay(const std::string& key, const Intent& intent,
                                Timestamp pusher_start, std::optional<Timestamp> reads_at,
                                int attempt, std::function<void(Way)> cleared) {
  PushRequest const push{.transaction = intent.transaction,
                         .anchor = intent.anchor,
                         .pusher_start = pusher_start,
                         .reads = reads_at.has_value(),
                         .timestamp = reads_at.value_or(kNever)};
  auto const again = [this, key, intent, pusher_start, reads_at, attempt, cleared] {
    int64_t const wait_us =
        std::min(options_.push_again_us_max, options_.push_again_us_min << std::min(attempt, 10));
    host_.After(wait_us, WhileHere(std::function<void()>([=, this] {
                  // It may be gone by now, or another's.
                  if (reads_at) {
                    ClearTheWay(key, intent, pusher_start, reads_at, attempt + 1, cleared);
                  } else {
                    cleared(Way::kFree);
                  }
                })));
  };
  host_.Push(push, WhileHere(std::function<void(std::optional<Answer>)>(
                       [this, key, id = intent.transaction, reads_at, cleared,
                        again](const std::optional<Answer>& answer) {
                         if (answer && answer->outcome == Outcome::kPending && reads_at &&
                             answer->timestamp >= *reads_at) {
                           cleared(Way::kPassed);
                         } else if (answer && (answer->outcome == Outcome::kCommitted ||
                                               answer->outcome == Outcome::kAborted)) {
                           Begin(ResolveRequest{.transaction = id,
                                                .committed = answer->outcome == Outcome::kCommitted,
                                                .timestamp = answer->timestamp,
                                                .keys = {key}},
                                 [cleared](Result<Answer> resolved) {
                                   static_cast<void>(
                                       resolved.ok());  // seen again when the state is read again
                                   cleared(Way::kFree);
                                 });
                         } else {
                           again();
                         }
                       })));
}

void PartitionCore::Begin(ResolveRequest request, Reply reply) {
  std::vector<KeySpan> spans;
  for (const std::string& key : request.keys) {
    spans.push_back(KeySpan::Of(key));
  }
  Timestamp const bound = request.committed ? request.timestamp : Timestamp(~uint64_t{0});
  latches_.Acquire(std::move(spans), bound,
                   [this, request = std::move(request), reply](Latches::Id latch) {
                     ResolveNow(request, latch, reply);
                   });
}

void PartitionCore::ResolveNow(const ResolveRequest& request, Latches::Id latch,
                               const Reply& reply) {
  WriteBatch batch;
  for (const std::string& key : request.keys) {
    auto intent = mvcc::IntentOf(host_.state(), key);
    if (!intent.ok()) {
      latches_.Release(latch);
      reply(std::move(intent).status());
      return;
    }
    if (!*intent || (*intent)->transaction != request.transaction) {
      continue;
    }
    // One that is later than the decision was sent twice, and is not part of it.
    if (request.committed &&
        ((*intent)->timestamp <= request.timestamp || IsPlanted(PlantedBug::kStrayCommitted))) {
      mvcc::PutVersion(batch, key, {.timestamp = request.timestamp, .value = (*intent)->value});
    }
    mvcc::DeleteIntent(batch, key);
  }
  if (batch.empty()) {
    // The record goes when this is answered, so it must be the leader who says that no intent is
    // left: who led before may not know of it.
    if (IsPlanted(PlantedBug::kResolveUnconfirmed)) {
      latches_.Release(latch);
      reply(Answer{});
      return;
    }
    host_.ConfirmLeadership(WhileHere(std::function<void()>([this, latch, reply] {
      latches_.Release(latch);
      reply(Answer{});
    })));
    return;
  }
  host_.Propose(std::move(batch), WhileHere(std::function<void()>([this, latch, reply] {
                  latches_.Release(latch);
                  reply(Answer{});
                })));
}

}  // namespace orochi::kv
