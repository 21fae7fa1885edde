#include "kv/txn/simulation/workload.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/mvcc/versions.h"
#include "kv/txn/record.h"
#include "sim/serializability.h"

namespace orochi::kv::simulation {
namespace {

constexpr uint64_t kTransactionsAfterHealing = 3;  // of each client

std::vector<uint64_t> NumbersOf(const std::string& value) {
  std::vector<uint64_t> numbers;
  for (size_t at = 0; at < value.size(); at = value.find(';', at + 1)) {
    numbers.push_back(std::stoull(value.substr(at + 1)));
  }
  return numbers;
}

}  // namespace

Workload::Workload(const WorkloadPlan& plan, Cluster cluster, sim::EventQueue& queue,
                   Random& random)
    : plan_(plan), cluster_(std::move(cluster)), queue_(queue), random_(random) {}

std::string Workload::KeyOf(uint64_t index) {
  return StrCat("k", index < 10 ? "0" : "", index);
}

void Workload::Begin() {
  for (uint64_t index = 0; index < plan_.client_count; ++index) {
    clients_.push_back(std::make_unique<Client>());
    queue_.After(Between(0, 20'000), [this, index] { BeginNext(index); });
  }
}

void Workload::Heal() {
  healed_ = true;
  for (size_t index = 0; index < clients_.size(); ++index) {
    if (clients_[index]->idle) {
      BeginNext(index);
    }
  }
}

bool Workload::IsDone() const {
  return WhyNotDone().empty();
}

std::string Workload::WhyNotDone() const {
  for (const auto& client : clients_) {
    if (!client->idle || client->ended_after_healing < kTransactionsAfterHealing) {
      return StrCat("transaction ", client->history.number, " has not ended");
    }
  }
  return {};
}

void Workload::CutOff(size_t index) {
  Client& client = *clients_[index];
  if (!client.idle) {
    End(index, TransactionOutcome::kUnknown, kNever);
  }
  client.transaction.reset();
}

void Workload::BeginNext(size_t index) {
  Client& client = *clients_[index];
  ++client.life;
  client.idle = false;
  client.transaction.reset();
  client.history = {.number = ++counts_.begun, .begin_us = queue_.now_us()};
  CoordinatorHost* const host = cluster_.host(index);
  if (host == nullptr) {
    client.idle = true;
    BeginSoon(index, 100'000);
    return;
  }
  if (Chance(plan_.one_shot_percent)) {
    RunOneShot(index, *host);
    return;
  }
  client.steps_left = 1 + random_.Below(plan_.step_count_max);
  client.transaction = std::make_unique<Transaction>(*host, random_.Next(), random_.Next(),
                                                     Transaction::Options{.heartbeat_us = 50'000});
  client.transaction->Begin([this, index] { RunStep(index); });
  if (Chance(plan_.client_death_percent)) {
    queue_.After(Between(0, 30'000), [this, index, &client, life = client.life] {
      if (client.life == life && !healed_) {
        End(index, TransactionOutcome::kUnknown, kNever);
        client.transaction.reset();  // and nobody hears of it again
      }
    });
  }
}

void Workload::BeginSoon(size_t index, int64_t delay_us_max) {
  queue_.After(Between(0, delay_us_max), [this, index, life = clients_[index]->life] {
    const Client& client = *clients_[index];
    if (client.life == life && client.idle &&
        client.ended_after_healing < kTransactionsAfterHealing) {
      BeginNext(index);
    }
  });
}

std::string Workload::DrawOperation() {
  uint64_t const number = ++last_number_;
  uint64_t const kind = plan_.appends_only ? 7 : random_.Below(8);
  return kind == 0 ? "d" : kind == 1 ? StrCat("n", number) : StrCat(kind < 5 ? "p" : "a", number);
}

// A command's outcome is found by the number it wrote, and which condition failed is known: that
// of its first operation.
std::string Workload::DrawOneShotOperation(bool first) {
  uint64_t const kind = plan_.appends_only ? 1 : random_.Below(first ? 3 : 2);
  return StrCat(kind == 0 ? "p" : kind == 1 ? "a" : "n", ++last_number_);
}

void Workload::RunOneShot(size_t index, CoordinatorHost& host) {
  Client& client = *clients_[index];
  std::string const key = KeyOf(random_.Below(plan_.key_count));
  OneShotRequest request;
  for (uint64_t left = 1 + random_.Below(2); left > 0; --left) {
    std::string other = KeyOf(random_.Below(plan_.key_count));
    if (!cluster_.together(other, key)) {
      other = key;
    }
    std::string const operation = DrawOneShotOperation(request.operations.empty());
    request.operations.push_back({.key = other, .operation = operation});
    client.history.steps.push_back({.key = other, .operation = operation});
  }
  host.Send(
      key, std::move(request),
      [this, index, &client, life = client.life](std::optional<Result<Answer>> answer) {
        bool const refused = answer && (!answer->ok() || (*answer)->outcome == Outcome::kConflict);
        if (client.life != life) {
          return;
        }
        if (!answer || refused) {
          End(index, refused ? TransactionOutcome::kAborted : TransactionOutcome::kUnknown, kNever);
          return;
        }
        const Answer& one = **answer;
        if (one.outcome == Outcome::kConditionFailed) {
          client.history.steps.resize(1);
          client.history.steps.front().holds = false;
          client.history.steps.front().result = one.results.front();
        }
        End(index, TransactionOutcome::kCommitted, one.timestamp);
      });
}

void Workload::RunStep(size_t index) {
  Client& client = *clients_[index];
  if (client.steps_left-- == 0) {
    client.transaction->Commit([this, index](const Transaction::CommitResult& result) {
      End(index, result.outcome, result.timestamp);
    });
    return;
  }
  Step step;
  if (Chance(40)) {
    step.reads = true;
    uint64_t const first = random_.Below(plan_.key_count);
    bool const scans = Chance(plan_.scan_percent);
    uint64_t const end = scans ? first + 1 + random_.Below(plan_.key_count) : first + 1;
    step.span = scans ? KeySpan{.begin = KeyOf(first), .end = KeyOf(std::min<uint64_t>(end, 99))}
                      : KeySpan::Of(KeyOf(first));
    step.reverse = Chance(30);
    step.limit = Chance(50) ? UINT32_MAX : static_cast<uint32_t>(1 + random_.Below(4));
    client.transaction->Read(step.span, step.reverse, step.limit,
                             [this, index, step](Transaction::ReadResult result) mutable {
                               step.rows = std::move(result.rows);
                               Went(index, result.outcome, std::move(step));
                             });
    return;
  }
  step.key = KeyOf(random_.Below(plan_.key_count));
  step.operation = DrawOperation();
  client.transaction->Write(step.key, step.operation,
                            [this, index, step](Transaction::WriteResult result) mutable {
                              step.holds = result.outcome == Outcome::kOk;
                              step.result = std::move(result.result);
                              Went(index, result.outcome, std::move(step));
                            });
}

void Workload::Went(size_t index, Outcome outcome, Step step) {
  if (outcome == Outcome::kOk || outcome == Outcome::kConditionFailed) {
    clients_[index]->history.steps.push_back(std::move(step));
    RunStep(index);
    return;
  }
  clients_[index]->transaction->Abort(
      [this, index] { End(index, TransactionOutcome::kAborted, kNever); });
}

void Workload::End(size_t index, TransactionOutcome outcome, Timestamp timestamp) {
  Client& client = *clients_[index];
  ++client.life;
  History& history = client.history;
  history.timestamp = timestamp;
  history.committed = outcome == TransactionOutcome::kCommitted;
  switch (outcome) {
    case TransactionOutcome::kCommitted:
      ++counts_.committed;
      history.end_us = queue_.now_us();
      break;
    case TransactionOutcome::kAborted:
      ++counts_.aborted;
      history.end_us = queue_.now_us();
      break;
    case TransactionOutcome::kUnknown:
      ++counts_.unknown;
      if (client.transaction != nullptr) {
        unknown_[histories_.size()] = {client.transaction->anchor(), client.transaction->id()};
      }
      break;
  }
  histories_.push_back(std::move(history));
  client.ended_after_healing += healed_ ? 1 : 0;
  client.idle = true;
  BeginSoon(index, 5'000);  // not from within what the transaction called
}

void Workload::Judge(const std::function<const Reader&(const std::string& key)>& ever) {
  FindUnknown(ever);
  for (const History& history : histories_) {
    hash_ = hash_ * 1'099'511'628'211ULL + history.timestamp.value();
  }
  if (plan_.appends_only) {
    CheckAppends();
  }
  CheckStrictlySerializable(histories_);
}

// What became of those whose clients were not told.
void Workload::FindUnknown(const std::function<const Reader&(const std::string& key)>& ever) {
  for (size_t index = 0; index < histories_.size(); ++index) {
    History& history = histories_[index];
    if (history.end_us != std::numeric_limits<int64_t>::max()) {
      continue;
    }
    if (auto const asked = unknown_.find(index); asked != unknown_.end()) {
      const auto& [anchor, id] = asked->second;
      if (!anchor.empty()) {
        auto const record = RecordOf(ever(anchor), anchor, id);
        ASSERT(record.ok());
        history.committed = *record && (*record)->committed;
        history.timestamp = history.committed ? (*record)->timestamp : kNever;
      }
    } else {
      FindOneShot(history, ever);
    }
  }
}

// By the number that it wrote, and only it.
void Workload::FindOneShot(History& history,
                           const std::function<const Reader&(const std::string& key)>& ever) {
  for (const Step& step : history.steps) {
    std::string const number = StrCat(";", step.operation.substr(1));
    const Reader& state = ever(step.key);
    auto const scanned =
        mvcc::ScanAt(state, KeySpan::Of(step.key), Timestamp(~uint64_t{0}), false,
                     [&](std::string_view, const Version& newest) {
                       for (Timestamp at = newest.timestamp;;) {
                         auto const version = mvcc::NewestAt(state, step.key, at);
                         ASSERT(version.ok());
                         if (!*version) {
                           return true;
                         }
                         if ((*version)->value && (*version)->value->ends_with(number)) {
                           history.committed = true;
                           history.timestamp = (*version)->timestamp;
                         }
                         at = Timestamp((*version)->timestamp.value() - 1);
                       }
                     });
    ASSERT(scanned.ok());
  }
}

// Judged once more by what clients were told, and nothing else.
void Workload::CheckAppends() const {
  using sim::ListTransaction;
  std::vector<ListTransaction> told;
  for (const History& history : histories_) {
    bool const unknown = history.end_us == std::numeric_limits<int64_t>::max();
    ListTransaction one{.name = history.number,
                        .begin_us = history.begin_us,
                        .end_us = history.end_us,
                        .end = unknown             ? ListTransaction::End::kUnknown
                               : history.committed ? ListTransaction::End::kCommitted
                                                   : ListTransaction::End::kAborted,
                        .steps = {}};
    for (const Step& step : history.steps) {
      if (!step.reads) {
        one.steps.push_back({.key = step.key,
                             .appends = true,
                             .number = std::stoull(step.operation.substr(1)),
                             .list = {}});
      } else if (!unknown) {
        for (const auto& [key, value] : step.rows) {
          one.steps.push_back(
              {.key = key, .appends = false, .number = 0, .list = NumbersOf(value)});
        }
        if (step.rows.empty() && step.span.end == KeySpan::Of(step.span.begin).end) {
          one.steps.push_back({.key = step.span.begin, .appends = false, .number = 0, .list = {}});
        }
      }
    }
    told.push_back(std::move(one));
  }
  if (std::string const anomaly = sim::FindAnomaly(told); !anomaly.empty()) {
    throw Violation(anomaly);
  }
}

}  // namespace orochi::kv::simulation
