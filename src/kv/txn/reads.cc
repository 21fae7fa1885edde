// Reads, and the second look before a commit.

#include <set>

#include "kv/txn/partition_core.h"
#include "kv/txn/planted_bug.h"

namespace orochi::kv {

struct PartitionCore::Read {
  ReadRequest request;
  Reply reply;
  std::set<TransactionId> passed;  // will commit after the read's timestamp, if ever
};

struct PartitionCore::Refresh {
  RefreshRequest request;
  Reply reply;
  std::set<TransactionId> passed;
};

// The order matters. No writer gets below the timestamp once it is in the read cache; whoever leads
// after this leader begins above it, since the oracle had issued it when this one certainly led;
// and those writers that came before are waited for.
void PartitionCore::AwaitRead(std::vector<KeySpan> spans, Timestamp timestamp,
                              std::function<void()> ready) {
  for (const KeySpan& span : spans) {
    read_cache_.Add(span, timestamp);
  }
  auto const confirmed = [this, spans = std::move(spans), timestamp, ready = std::move(ready)] {
    if (IsPlanted(PlantedBug::kReadPassesWrites)) {
      ready();
      return;
    }
    latches_.AwaitWriters(spans, timestamp, [ready](Latches::Id) { ready(); });
  };
  if (IsPlanted(PlantedBug::kReadUnconfirmed)) {
    confirmed();
    return;
  }
  host_.ConfirmLeadership(WhileHere(std::function<void()>(confirmed)));
}

// Intents of the span that a read at `timestamp` may not pass over: the first of each transaction,
// of so many of them as are asked about together.
Result<PartitionCore::FoundIntents> PartitionCore::IntentsInTheWay(
    const KeySpan& span, Timestamp timestamp, const std::optional<TransactionId>& reader,
    const std::set<TransactionId>& passed) const {
  constexpr size_t kTogetherMax = 64;
  FoundIntents found;
  std::set<TransactionId> seen;
  RETURN_IF_ERROR(
      mvcc::ScanIntents(host_.state(), span, [&](std::string_view key, const Intent& intent) {
        if (intent.timestamp <= timestamp && intent.transaction != reader &&
            !passed.contains(intent.transaction) && seen.insert(intent.transaction).second) {
          found.emplace_back(key, intent);
        }
        return found.size() < kTogetherMax;
      }));
  return found;
}

template <class Reader>
void PartitionCore::PushTogether(const std::shared_ptr<Reader>& reader, const FoundIntents& intents,
                                 Timestamp start, Timestamp reads_at,
                                 void (PartitionCore::*then)(const std::shared_ptr<Reader>&)) {
  auto const left = std::make_shared<size_t>(intents.size());
  for (const auto& [key, intent] : intents) {
    ClearTheWay(key, intent, start, reads_at, 0,
                [this, reader, left, then, id = intent.transaction](Way way) {
                  if (way == Way::kPassed) {
                    reader->passed.insert(id);
                  }
                  if (--*left == 0) {
                    (this->*then)(reader);
                  }
                });
  }
}

void PartitionCore::Begin(ReadRequest request, Reply reply) {
  auto const read = std::make_shared<Read>();
  read->request = std::move(request);
  read->reply = std::move(reply);
  AwaitRead({read->request.span}, read->request.timestamp, [this, read] { EvaluateRead(read); });
}

void PartitionCore::EvaluateRead(const std::shared_ptr<Read>& read) {
  const ReadRequest& request = read->request;
  // Asked each time: the safepoint may have moved while the read waited.
  if (IsTooOld(request.timestamp) && !IsPlanted(PlantedBug::kReadBelowSafepoint)) {
    read->reply(Answer{.outcome = Outcome::kTooOld});
    return;
  }
  auto const evaluate = [&]() -> Result<Answer> {
    // A transaction's own writes lie over what is below them.
    std::map<std::string, std::optional<std::string>> own;
    if (request.transaction) {
      RETURN_IF_ERROR(mvcc::ScanIntents(host_.state(), request.span,
                                        [&](std::string_view key, const Intent& intent) {
                                          if (intent.transaction == *request.transaction) {
                                            own.emplace(key, intent.value);
                                          }
                                          return true;
                                        }));
    }
    Answer answer;
    auto const add = [&](std::string_view key, const std::optional<std::string>& value) {
      if (!value) {
        return true;
      }
      if (answer.rows.size() == request.limit) {
        answer.resume = std::string(key);
        return false;
      }
      answer.rows.emplace_back(key, *value);
      return true;
    };
    // Own writes of keys that have no version yet come in between.
    auto const precedes = [&](const std::string& one, std::string_view other) {
      return request.reverse ? one > other : one < other;
    };
    auto const next_own = [&] { return request.reverse ? std::prev(own.end()) : own.begin(); };
    bool more = true;
    RETURN_IF_ERROR(
        mvcc::ScanAt(host_.state(), request.span, request.timestamp, request.reverse,
                     [&](std::string_view key, const Version& version) {
                       while (more && !own.empty() && precedes(next_own()->first, key)) {
                         more = add(next_own()->first, next_own()->second);
                         own.erase(next_own());
                       }
                       if (more) {
                         auto const mine = own.find(std::string(key));
                         more = add(key, mine == own.end() ? version.value : mine->second);
                         if (mine != own.end()) {
                           own.erase(mine);
                         }
                       }
                       return more;
                     }));
    while (more && !own.empty()) {
      more = add(next_own()->first, next_own()->second);
      own.erase(next_own());
    }
    return answer;
  };
  auto intents =
      IntentsInTheWay(request.span, request.timestamp, request.transaction, read->passed);
  if (!intents.ok()) {
    read->reply(std::move(intents).status());
  } else if (intents->empty()) {
    read->reply(evaluate());
  } else {
    PushTogether(read, *intents,
                 request.transaction ? request.transaction->start : request.timestamp,
                 request.timestamp, &PartitionCore::EvaluateRead);
  }
}

void PartitionCore::Begin(RefreshRequest request, Reply reply) {
  auto const refresh = std::make_shared<Refresh>();
  refresh->request = std::move(request);
  refresh->reply = std::move(reply);
  AwaitRead(refresh->request.spans, refresh->request.until,
            [this, refresh] { EvaluateRefresh(refresh); });
}

void PartitionCore::EvaluateRefresh(const std::shared_ptr<Refresh>& refresh) {
  const RefreshRequest& request = refresh->request;
  if (IsTooOld(request.after)) {  // a deletion since then may be gone
    refresh->reply(Answer{.outcome = Outcome::kTooOld});
    return;
  }
  for (const KeySpan& span : request.spans) {
    auto intents = IntentsInTheWay(span, request.until, request.transaction, refresh->passed);
    if (!intents.ok()) {
      refresh->reply(std::move(intents).status());
      return;
    }
    if (!intents->empty()) {
      PushTogether(refresh, *intents, request.transaction.start, request.until,
                   &PartitionCore::EvaluateRefresh);
      return;
    }
    auto written = mvcc::WrittenBetween(host_.state(), span, request.after, request.until);
    if (!written.ok()) {
      refresh->reply(std::move(written).status());
      return;
    }
    if (*written) {
      refresh->reply(Answer{.outcome = Outcome::kConflict});
      return;
    }
  }
  refresh->reply(Answer{.timestamp = request.until});
}

}  // namespace orochi::kv
