// Writes of transactions, which become intents, and commands that commit at once.

#include <utility>

#include "kv/txn/partition_core.h"
#include "kv/txn/planted_bug.h"

namespace orochi::kv {

struct PartitionCore::Write {
  WriteRequest request;
  Reply reply;
  int64_t since_us = 0;
  Latches::Id latch = 0;
  int attempt = 0;
  // What is to be proposed.
  std::optional<std::string> value;
  std::string result;
};

struct PartitionCore::OneShot {
  OneShotRequest request;
  Reply reply;
  std::vector<KeySpan> spans;
  Latches::Id latch = 0;
  Timestamp stamp;
  int64_t since_us = 0;
  int attempt = 0;
};

void PartitionCore::Begin(WriteRequest request, Reply reply) {
  auto const write = std::make_shared<Write>();
  write->request = std::move(request);
  write->reply = std::move(reply);
  write->since_us = host_.now_us();
  EvaluateWrite(write);
}

void PartitionCore::EvaluateWrite(const std::shared_ptr<Write>& write) {
  latches_.Acquire({KeySpan::Of(write->request.key)}, write->request.timestamp,
                   [this, write](Latches::Id latch) {
                     write->latch = latch;
                     if (Status status = TryWrite(write); !status.ok()) {
                       latches_.Release(latch);
                       write->reply(std::move(status));
                     }
                   });
}

// With the latch. What is on its way when this returns ok releases it.
Status PartitionCore::TryWrite(const std::shared_ptr<Write>& write) {
  const WriteRequest& request = write->request;
  auto const answer = [&](Answer one) {
    latches_.Release(write->latch);
    write->reply(std::move(one));
    return Status::Ok();
  };
  if (IsTooOld(request.read_timestamp)) {
    return answer({.outcome = Outcome::kTooOld});
  }
  ASSIGN_OR_RETURN(auto const intent, mvcc::IntentOf(host_.state(), request.key));
  bool const own = intent && intent->transaction == request.transaction;
  if (own && intent->sequence >= request.sequence) {  // it came before
    return answer({.timestamp = intent->timestamp, .results = {""}});
  }
  if (intent && !own) {
    if (HasWaitedLong(write->since_us)) {
      return answer({.outcome = Outcome::kConflict});
    }
    latches_.Release(write->latch);
    ClearTheWay(request.key, *intent, request.transaction.start, std::nullopt, write->attempt++,
                [this, write](Way) { EvaluateWrite(write); });
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(Timestamp const last_written, mvcc::LastWritten(host_.state(), request.key));
  bool const reads = rules_.Reads(request.operation);
  if (!own && last_written > request.read_timestamp && (reads || request.first_writer_wins)) {
    return answer({.outcome = Outcome::kConflict});
  }
  std::optional<std::string> current;
  if (own) {
    current = intent->value;
  } else if (reads) {
    ASSIGN_OR_RETURN(auto version,
                     mvcc::NewestAt(host_.state(), request.key, request.read_timestamp));
    current = version ? std::move(version->value) : std::nullopt;
  }
  ASSIGN_OR_RETURN(auto evaluation, rules_.Evaluate(request.operation, {.key = request.key,
                                                                        .value = current,
                                                                        .written = last_written,
                                                                        .safepoint = safepoint_}));
  if (!evaluation.holds) {
    AnswerFailedCondition({KeySpan::Of(request.key)}, request.read_timestamp, write->latch,
                          std::move(evaluation.result), write->reply);
    return Status::Ok();
  }
  if (own) {
    write->request.timestamp = std::max(request.timestamp, intent->timestamp);
  }
  write->value = std::move(evaluation.value);
  write->result = std::move(evaluation.result);
  Timestamp const read = read_cache_.Latest(KeySpan::Of(request.key));
  // Reads with the transaction's own timestamp are its own.
  if (read <= request.timestamp && last_written < request.timestamp) {
    ProposeIntent(write);
  } else if (IsPlanted(PlantedBug::kNextStamp)) {
    write->request.timestamp = std::max(read, last_written).Next();
    ProposeIntent(write);
  } else {
    host_.Stamp(WhileHere(std::function<void(Timestamp)>([this, write](Timestamp stamp) {
      // Reads since then wait for the latch, or are before the old timestamp.
      write->request.timestamp = stamp;
      ProposeIntent(write);
    })));
  }
  return Status::Ok();
}

void PartitionCore::ProposeIntent(const std::shared_ptr<Write>& write) {
  const WriteRequest& request = write->request;
  WriteBatch batch;
  mvcc::PutIntent(batch, request.key,
                  {.transaction = request.transaction,
                   .anchor = request.anchor,
                   .sequence = request.sequence,
                   .timestamp = request.timestamp,
                   .value = write->value});
  host_.Propose(
      std::move(batch), WhileHere(std::function<void()>([this, write] {
        latches_.Release(write->latch);
        write->reply(Answer{.timestamp = write->request.timestamp, .results = {write->result}});
      })));
}

// A condition that does not hold is a read: it stays true as of its timestamp, and whoever answers
// must be the leader. Nobody changes the keys while the latch is held.
void PartitionCore::AnswerFailedCondition(const std::vector<KeySpan>& spans, Timestamp timestamp,
                                          Latches::Id latch, std::string result,
                                          const Reply& reply) {
  for (const KeySpan& span : spans) {
    read_cache_.Add(span, timestamp);
  }
  host_.ConfirmLeadership(WhileHere(std::function<void()>([this, latch, timestamp, result, reply] {
    latches_.Release(latch);
    reply(
        Answer{.outcome = Outcome::kConditionFailed, .timestamp = timestamp, .results = {result}});
  })));
}

void PartitionCore::Begin(OneShotRequest request, Reply reply) {
  auto const one = std::make_shared<OneShot>();
  for (const OneShotRequest::Operation& operation : request.operations) {
    one->spans.push_back(KeySpan::Of(operation.key));
  }
  one->request = std::move(request);
  one->reply = std::move(reply);
  one->since_us = host_.now_us();
  // From after the command came, so that it is behind everything that ended before.
  host_.Stamp(WhileHere(std::function<void(Timestamp)>([this, one](Timestamp stamp) {
    one->stamp = stamp;
    LatchOneShot(one);
  })));
}

void PartitionCore::LatchOneShot(const std::shared_ptr<OneShot>& one) {
  // A lower stamp than this one will not be used, so that later reads below it need not wait.
  latches_.Acquire(one->spans, one->stamp, [this, one](Latches::Id latch) {
    one->latch = latch;
    EvaluateOneShot(one);
  });
}

void PartitionCore::EvaluateOneShot(const std::shared_ptr<OneShot>& one) {
  if (Status status = TryOneShot(one); !status.ok()) {
    latches_.Release(one->latch);
    one->reply(std::move(status));
  }
}

// With the latch and a stamp.
Status PartitionCore::TryOneShot(const std::shared_ptr<OneShot>& one) {
  bool late = false;
  for (const KeySpan& span : one->spans) {
    ASSIGN_OR_RETURN(auto const intent, mvcc::IntentOf(host_.state(), span.begin));
    if (intent) {
      latches_.Release(one->latch);
      if (HasWaitedLong(one->since_us)) {
        one->reply(Answer{.outcome = Outcome::kConflict});
        return Status::Ok();
      }
      ClearTheWay(span.begin, *intent, one->stamp, std::nullopt, one->attempt++,
                  [this, one](Way) { LatchOneShot(one); });
      return Status::Ok();
    }
    ASSIGN_OR_RETURN(Timestamp const last_written, mvcc::LastWritten(host_.state(), span.begin));
    late = late || read_cache_.Latest(span) >= one->stamp || last_written >= one->stamp;
  }
  if (late) {  // others came first meanwhile
    host_.Stamp(WhileHere(std::function<void(Timestamp)>([this, one](Timestamp stamp) {
      one->stamp = stamp;
      EvaluateOneShot(one);
    })));
    return Status::Ok();
  }
  Answer answer{.timestamp = one->stamp};
  struct Known {
    std::optional<std::string> value;
    Timestamp written;
  };
  std::map<std::string, Known> keys;
  for (const OneShotRequest::Operation& operation : one->request.operations) {
    auto place = keys.find(operation.key);
    if (place == keys.end()) {
      ASSIGN_OR_RETURN(auto version, mvcc::NewestAt(host_.state(), operation.key, one->stamp));
      Known known;
      if (version) {
        known = {.value = std::move(version->value), .written = version->timestamp};
      }
      place = keys.emplace(operation.key, std::move(known)).first;
    }
    Known& known = place->second;
    ASSIGN_OR_RETURN(auto evaluation,
                     rules_.Evaluate(operation.operation, {.key = operation.key,
                                                           .value = known.value,
                                                           .written = known.written,
                                                           .safepoint = safepoint_}));
    if (!evaluation.holds) {
      AnswerFailedCondition(one->spans, one->stamp, one->latch, std::move(evaluation.result),
                            one->reply);
      return Status::Ok();
    }
    known.value = std::move(evaluation.value);
    answer.results.push_back(std::move(evaluation.result));
  }
  WriteBatch batch;
  for (auto& [key, known] : keys) {
    mvcc::PutVersion(batch, key, {.timestamp = one->stamp, .value = std::move(known.value)});
  }
  host_.Propose(std::move(batch),
                WhileHere(std::function<void()>([this, one, answer = std::move(answer)] {
                  latches_.Release(one->latch);
                  one->reply(answer);
                })));
  return Status::Ok();
}

}  // namespace orochi::kv
