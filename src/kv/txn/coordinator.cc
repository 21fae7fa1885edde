#include "kv/txn/coordinator.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "kv/txn/planted_bug.h"

namespace orochi::kv {
namespace {

constexpr int kPushesMax = 10;

// The answer when it is one; nullptr when nobody answered or the request failed.
const Answer* AnswerIn(const std::optional<Result<Answer>>& answer) {
  return answer && answer->ok() ? &**answer : nullptr;
}

// Why there is none.
std::shared_ptr<const Status> ErrorIn(const std::optional<Result<Answer>>& answer) {
  auto error = std::make_shared<const Status>(
      answer ? answer->status()
             : Status::Unavailable("no leader of the partition answered in time"));
  static_cast<void>(error->code());  // the outcome alone may do for who asked
  return error;
}

}  // namespace

Transaction::Transaction(CoordinatorHost& host, uint64_t high, uint64_t low, const Options& options)
    : host_(host), options_(options), id_{.high = high, .low = low, .start = kNever} {}

void Transaction::Begin(std::function<void()> begun) {
  host_.Stamp([this, here = std::weak_ptr<int>(here_), begun = std::move(begun)](Timestamp stamp) {
    if (!here.expired()) {
      id_.start = read_timestamp_ = write_timestamp_ = stamp;
      begun();
    }
  });
}

void Transaction::BeginAt(Timestamp timestamp) {
  id_.start = read_timestamp_ = write_timestamp_ = timestamp;
  reads_only_ = true;
}

// Requests may come twice, so asking again is safe.
void Transaction::Ask(const std::string& key, Request request, Answered answered, int attempt) {
  host_.Send(key, request,
             WhileHere([this, key, request, answered = std::move(answered),
                        attempt](std::optional<Result<Answer>> answer) {
               if (!answer && attempt + 1 < options_.attempt_count_max) {
                 Ask(key, request, answered, attempt + 1);
               } else {
                 answered(std::move(answer));
               }
             }));
}

void Transaction::Read(const KeySpan& span, bool reverse, uint32_t limit,
                       std::function<void(ReadResult)> done) {
  ASSERT(!ended_);
  read_spans_.push_back(span);
  std::vector<KeySpan> pieces = host_.Cut(span);
  if (reverse) {
    std::reverse(pieces.begin(), pieces.end());
  }
  ReadNext(std::move(pieces), 0, reverse, limit, {},
           [this, reverse, limit, done = std::move(done)](ReadResult result) {
             if (!result.rows.empty() && result.rows.size() == limit) {  // it saw nothing beyond
               KeySpan& seen = read_spans_.back();
               const std::string& last = result.rows.back().first;
               (reverse ? seen.begin : seen.end) = reverse ? last : last + '\0';
             }
             done(std::move(result));
           });
}

void Transaction::ReadNext(std::vector<KeySpan> pieces, size_t index, bool reverse, uint32_t limit,
                           ReadResult so_far, std::function<void(ReadResult)> done) {
  if (index == pieces.size() || so_far.rows.size() == limit) {
    done(std::move(so_far));
    return;
  }
  std::string const key = pieces[index].begin;
  ReadRequest request{.transaction = id_,
                      .timestamp = read_timestamp_,
                      .span = pieces[index],
                      .reverse = reverse,
                      .limit = limit - static_cast<uint32_t>(so_far.rows.size())};
  Ask(key, std::move(request),
      [this, pieces = std::move(pieces), index, reverse, limit, so_far = std::move(so_far),
       done = std::move(done)](const std::optional<Result<Answer>>& answer) mutable {
        const Answer* const rows = AnswerIn(answer);
        if (rows == nullptr) {
          done({.outcome = Outcome::kConflict, .rows = {}, .error = ErrorIn(answer)});
          return;
        }
        if (rows->outcome != Outcome::kOk) {
          done({.outcome = rows->outcome, .rows = {}});
          return;
        }
        so_far.rows.insert(so_far.rows.end(), rows->rows.begin(), rows->rows.end());
        ReadNext(std::move(pieces), index + 1, reverse, limit, std::move(so_far), std::move(done));
      });
}

void Transaction::Write(const std::string& key, std::string operation,
                        std::function<void(WriteResult)> done) {
  ASSERT(!ended_);
  ASSERT(!reads_only_);
  if (anchor_.empty()) {
    anchor_ = key;
    Heartbeat();
  }
  written_.insert(key);
  WriteRequest request{.transaction = id_,
                       .anchor = anchor_,
                       .sequence = ++sequence_,
                       .read_timestamp = read_timestamp_,
                       .timestamp = write_timestamp_,
                       .first_writer_wins = options_.isolation == Isolation::kSnapshot,
                       .key = key,
                       .operation = std::move(operation)};
  Ask(key, std::move(request),
      [this, key, done = std::move(done)](const std::optional<Result<Answer>>& answer) {
        const Answer* const written = AnswerIn(answer);
        if (written == nullptr) {
          done({.outcome = Outcome::kConflict, .result = {}, .error = ErrorIn(answer)});
          return;
        }
        if (written->outcome == Outcome::kOk) {
          write_timestamp_ = std::max(write_timestamp_, written->timestamp);
        } else if (written->outcome == Outcome::kConditionFailed) {
          read_spans_.push_back(KeySpan::Of(key));
        }
        done({.outcome = written->outcome,
              .result = written->results.empty() ? "" : written->results.front()});
      });
}

void Transaction::Heartbeat() {
  host_.After(options_.heartbeat_us, [this, here = std::weak_ptr<int>(here_)] {
    if (!here.expired() && !ended_) {
      host_.Send(anchor_, HeartbeatRequest{.transaction = id_, .anchor = anchor_},
                 [](const std::optional<Result<Answer>>& answer) {
                   if (answer) {
                     static_cast<void>(answer->ok());  // the commit will hear of it
                   }
                 });
      Heartbeat();
    }
  });
}

void Transaction::Refresh(Timestamp until, std::function<void(bool)> done) {
  if (IsPlanted(PlantedBug::kNoRefresh)) {
    read_timestamp_ = until;
    done(true);
    return;
  }
  std::vector<KeySpan> pieces;
  for (const KeySpan& span : read_spans_) {
    std::vector<KeySpan> const cut = host_.Cut(span);
    pieces.insert(pieces.end(), cut.begin(), cut.end());
  }
  RefreshNext(std::move(pieces), 0, until, std::move(done));
}

void Transaction::RefreshNext(std::vector<KeySpan> pieces, size_t index, Timestamp until,
                              std::function<void(bool)> done) {
  if (index == pieces.size()) {
    read_timestamp_ = until;
    done(true);
    return;
  }
  RefreshRequest request{
      .transaction = id_, .spans = {pieces[index]}, .after = read_timestamp_, .until = until};
  std::string const key = pieces[index].begin;
  Ask(key, std::move(request),
      [this, pieces = std::move(pieces), index, until,
       done = std::move(done)](const std::optional<Result<Answer>>& answer) mutable {
        const Answer* const refreshed = AnswerIn(answer);
        if (refreshed == nullptr || refreshed->outcome != Outcome::kOk) {
          done(false);
          return;
        }
        RefreshNext(std::move(pieces), index + 1, until, std::move(done));
      });
}

void Transaction::Commit(std::function<void(CommitResult)> done) {
  ASSERT(!ended_);
  if (written_.empty()) {  // it read what was there at its timestamp
    ended_ = true;
    done({.outcome = TransactionOutcome::kCommitted, .timestamp = read_timestamp_});
    return;
  }
  SendCommit(std::move(done), 0);
}

void Transaction::SendCommit(std::function<void(CommitResult)> done, int pushes) {
  if (write_timestamp_ > read_timestamp_ && options_.isolation != Isolation::kSnapshot) {
    Refresh(write_timestamp_, [this, done = std::move(done), pushes](bool unchanged) mutable {
      if (unchanged) {
        SendCommit(std::move(done), pushes);
      } else {
        GiveUp(std::move(done));
      }
    });
    return;
  }
  CommitRequest request{.transaction = id_,
                        .anchor = anchor_,
                        .timestamp = write_timestamp_,
                        .keys = {written_.begin(), written_.end()}};
  commit_sent_ = true;
  Ask(anchor_, std::move(request),
      [this, done = std::move(done), pushes](const std::optional<Result<Answer>>& answer) mutable {
        const Answer* const decided = AnswerIn(answer);
        if (decided == nullptr) {
          ended_ = true;
          done({.outcome = TransactionOutcome::kUnknown, .timestamp = kNever});
        } else if (decided->outcome == Outcome::kCommitted) {
          ended_ = true;
          done({.outcome = TransactionOutcome::kCommitted, .timestamp = decided->timestamp});
          Resolve(true, decided->timestamp);
        } else if (decided->outcome == Outcome::kPushed && pushes < kPushesMax) {
          host_.Stamp([this, here = std::weak_ptr<int>(here_), done = std::move(done),
                       pushes](Timestamp stamp) mutable {
            if (!here.expired()) {
              write_timestamp_ = stamp;
              SendCommit(std::move(done), pushes + 1);
            }
          });
        } else {
          GiveUp(std::move(done));
        }
      });
}

// It cannot commit any more, unless an earlier message still does so.
void Transaction::GiveUp(std::function<void(CommitResult)> done) {
  Ask(anchor_, AbortRequest{.transaction = id_, .anchor = anchor_},
      [this, done = std::move(done)](const std::optional<Result<Answer>>& answer) {
        ended_ = true;
        const Answer* const decided = AnswerIn(answer);
        if (decided == nullptr || decided->outcome == Outcome::kTooOld) {
          // Nobody commits it but by what was sent from here.
          done({.outcome =
                    commit_sent_ ? TransactionOutcome::kUnknown : TransactionOutcome::kAborted,
                .timestamp = kNever});
          return;
        }
        bool const committed = decided->outcome == Outcome::kCommitted;
        done({.outcome = committed ? TransactionOutcome::kCommitted : TransactionOutcome::kAborted,
              .timestamp = decided->timestamp});
        Resolve(committed, decided->timestamp);
      });
}

void Transaction::Abort(std::function<void()> done) {
  if (anchor_.empty()) {
    ended_ = true;
    done();
    return;
  }
  GiveUp([done = std::move(done)](CommitResult) { done(); });
}

// Nobody waits for this: who meets an intent that is left asks the anchor.
void Transaction::Resolve(bool committed, Timestamp timestamp) {
  for (const std::string& key : written_) {
    host_.Send(
        key,
        ResolveRequest{
            .transaction = id_, .committed = committed, .timestamp = timestamp, .keys = {key}},
        [](const std::optional<Result<Answer>>& answer) {
          if (answer) {
            static_cast<void>(answer->ok());
          }
        });
  }
}

}  // namespace orochi::kv
