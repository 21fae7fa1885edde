// Transactions of the gateway's own: reads, then writes, begun anew after a conflict.

#include <algorithm>
#include <utility>

#include "base/str_cat.h"
#include "kv/gateway/batch.h"
#include "kv/gateway/open_transaction.h"

namespace orochi::kv {
namespace {

constexpr int64_t kAgainAfterUs = 2'000;

}  // namespace

void Gateway::RunBatch(std::vector<ReadOne> reads, std::vector<WriteOne> writes,
                       Done<BatchResult> done) {
  auto batch = Prepare(std::move(reads), std::move(writes));
  if (!batch.ok()) {
    done(std::move(batch).status());
    return;
  }
  (*batch)->done = [this, done = std::move(done)](Result<BatchResult> result) {
    CountSingle(result);
    done(std::move(result));
  };
  StartBatch(*batch);
}

void Gateway::CountSingle(const Result<BatchResult>& result) {
  if (result.ok()) {
    ++(result->written.outcome == OperationOutcome::kDone ? statistics_.single_committed
                                                          : statistics_.single_condition);
    return;
  }
  switch (result.status().code()) {
    case StatusCode::kAborted:
      ++statistics_.single_conflict;
      return;
    case StatusCode::kOutcomeUnknown:
      ++statistics_.single_unknown;
      return;
    default:
      ++statistics_.single_failed;
  }
}

void Gateway::StartBatch(const std::shared_ptr<Batch>& batch) {
  if (batch->reads.empty() && batch->writes.empty()) {
    batch->done(BatchResult{});
    return;
  }
  if (batch->reads.empty()) {
    auto const [first, last] =
        std::minmax_element(batch->writes.begin(), batch->writes.end(),
                            [](const auto& one, const auto& other) { return one.key < other.key; });
    KeySpan const around{.begin = first->key, .end = last->key + '\0'};
    if (host_.Cut(around).size() == 1) {
      SendOneShot(batch);
      return;
    }
  }
  RunAttempt(batch);
}

void Gateway::RunAttempt(const std::shared_ptr<Batch>& batch) {
  batch->result = {};
  OpenPointer const open = NewOpen();
  BeginStamped(open, [this, open, batch](Status begun) {
    if (begun.ok()) {
      ReadNext(open, batch, 0);
    } else {
      batch->done(std::move(begun));
    }
  });
}

void Gateway::ReadNext(const OpenPointer& open, const std::shared_ptr<Batch>& batch, size_t index) {
  if (index == batch->reads.size()) {
    WriteWithin(open, batch, 0);
    return;
  }
  ReadRecord(open, batch->reads[index], [this, open, batch, index](Result<ReadResult> record) {
    if (!record.ok()) {
      EndAttempt(open, batch, std::move(record).status());
      return;
    }
    batch->result.reads.push_back(*std::move(record));
    ReadNext(open, batch, index + 1);
  });
}

// All were done, or a condition did not hold, or `error`.
void Gateway::FinishWrites(const OpenPointer& open, const std::shared_ptr<Batch>& batch,
                           Status error) {
  bool const good = error.ok();
  if (!batch->commits) {
    if (good) {
      batch->done(std::move(batch->result));
    } else {
      batch->done(open->Fail(error));
    }
  } else if (good && batch->result.written.outcome == OperationOutcome::kDone) {
    CommitAttempt(open, batch);
  } else {
    EndAttempt(open, batch, std::move(error));
  }
}

void Gateway::CommitAttempt(const OpenPointer& open, const std::shared_ptr<Batch>& batch) {
  open->transaction.Commit(WhileHere(std::function<void(Transaction::CommitResult)>(
      [this, open, batch](Transaction::CommitResult result) {
        if (result.outcome == TransactionOutcome::kCommitted) {
          batch->result.written.timestamp = result.timestamp;
          batch->done(std::move(batch->result));
        } else if (result.outcome == TransactionOutcome::kAborted) {
          TryAgain(batch, FailureOf(Outcome::kConflict, nullptr));
        } else {
          const TransactionId& id = open->transaction.id();
          Remember({.id = id, .anchor = open->transaction.anchor(), .result = {}});
          batch->done(Status::OutcomeUnknown(
              StrCat("transaction ", TransactionText(id), " may or may not have committed")));
        }
      })));
}

// Nothing of it is to remain.
void Gateway::EndAttempt(const OpenPointer& open, const std::shared_ptr<Batch>& batch,
                         Status error) {
  StatusCode const code = error.code();
  std::string message = error.message();
  open->transaction.Abort(
      WhileHere(std::function<void()>([this, open, batch, code, message = std::move(message)] {
        if (code == StatusCode::kOk) {
          batch->done(std::move(batch->result));
        } else {
          TryAgain(batch, Status(code, message));
        }
      })));
}

void Gateway::TryAgain(const std::shared_ptr<Batch>& batch, Status error) {
  if (error.code() != StatusCode::kAborted ||
      ++batch->conflict_count >= options_.conflict_attempt_count_max) {
    batch->done(std::move(error));
    return;
  }
  ++statistics_.restarted;
  int64_t const wait_us = kAgainAfterUs << batch->conflict_count;
  host_.After(wait_us / 2 + static_cast<int64_t>(random_.Below(static_cast<uint64_t>(wait_us))),
              WhileHere(std::function<void()>([this, batch] { RunAttempt(batch); })));
}

}  // namespace orochi::kv
