// Transactions that live between calls: begun, kept in order, ended, forgotten, asked about.

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/str_cat.h"
#include "kv/gateway/open_transaction.h"

namespace orochi::kv {
namespace {

constexpr int kBeginTicks = 4;

void AppendHex(std::string& out, uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) {
    out.push_back(kDigits[value >> shift & 15]);
  }
}

bool ReadHex(std::string_view text, uint64_t& value) {
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string TransactionText(const TransactionId& id) {
  std::string text;
  AppendHex(text, id.high);
  AppendHex(text, id.low);
  text.push_back('-');
  AppendHex(text, id.start.value());
  return text;
}

Result<TransactionId> ParseTransactionText(std::string_view text) {
  TransactionId id;
  uint64_t start = 0;
  if (text.size() == 49 && text[32] == '-' && ReadHex(text.substr(0, 16), id.high) &&
      ReadHex(text.substr(16, 16), id.low) && ReadHex(text.substr(33), start)) {
    id.start = Timestamp(start);
    if (TransactionText(id) == text) {
      return id;
    }
  }
  return Status::InvalidArgument("this is no transaction's id");
}

Gateway::OpenPointer Gateway::NewOpen(const BeginOptions& options) {
  uint64_t const high = random_.Next();
  auto open = std::make_shared<Open>(host_, high, random_.Next(),
                                     Transaction::Options{.isolation = options.isolation});
  open->writes_move = options.writes_move;
  return open;
}

void Gateway::BeginStamped(const OpenPointer& open, std::function<void(Status)> begun) {
  uint64_t const number = next_beginning_++;
  beginning_.emplace(number, Beginning{.begun = std::move(begun)});
  Arm();
  open->transaction.Begin(WhileHere(std::function<void()>([this, open, number] {
    if (auto const waits = beginning_.extract(number)) {
      waits.mapped().begun(Status::Ok());
    }
  })));
}

void Gateway::Begin(const BeginOptions& options, Done<TransactionId> done) {
  if (open_.size() + beginning_.size() >= options_.open_transaction_count_max) {
    done(Status::ResourceExhausted(StrCat("found ", open_.size(),
                                          " open transactions, there may be at most ",
                                          options_.open_transaction_count_max)));
    return;
  }
  OpenPointer const open = NewOpen(options);
  BeginStamped(open, [this, open, done = std::move(done)](Status begun) {
    if (!begun.ok()) {
      done(std::move(begun));
      return;
    }
    open_.emplace(open->transaction.id().start, open);
    ++statistics_.begun;
    done(open->transaction.id());
  });
}

// One timer for all that waits here, while something does.
void Gateway::Arm() {
  if (!armed_ && (!open_.empty() || !beginning_.empty())) {
    armed_ = true;
    host_.After(options_.begin_us_max / kBeginTicks, WhileHere(std::function<void()>([this] {
                  armed_ = false;
                  Tick();
                  Arm();
                })));
  }
}

void Gateway::Tick() {
  std::vector<std::function<void(Status)>> late;
  for (auto place = beginning_.begin(); place != beginning_.end();) {
    if (++place->second.ticks > kBeginTicks) {
      late.push_back(std::move(place->second.begun));
      place = beginning_.erase(place);
    } else {
      ++place;
    }
  }
  for (const auto& begun : late) {
    begun(Status::Unavailable("no timestamp came in time to begin with"));
  }
  int64_t const idle_ticks_max = 1 + options_.idle_us / (options_.begin_us_max / kBeginTicks);
  std::vector<TransactionId> idle;
  for (const auto& [start, open] : open_) {
    if (!open->busy && ++open->idle_ticks > idle_ticks_max) {
      idle.push_back(open->transaction.id());
    }
  }
  statistics_.idle += idle.size();
  for (const TransactionId& id : idle) {
    Abort(id, [](const Status& aborted) {
      aborted.IgnoreError("who meets what it wrote aborts it, too");
    });
  }
}

Status Gateway::NotOpen(const TransactionId& id) const {
  return Status::Cancelled(StrCat("transaction ", TransactionText(id),
                                  " is not open here: it has ended, or was idle for ",
                                  options_.idle_us / 1'000'000, " s and was aborted"));
}

void Gateway::Run(const TransactionId& id, Work work, const std::function<void(Status)>& refused) {
  auto const place = open_.find(id.start);
  if (place == open_.end() || place->second->transaction.id() != id) {
    refused(NotOpen(id));
    return;
  }
  OpenPointer const open = place->second;
  if (open->waiting.size() >= options_.transaction_queue_count_max) {
    refused(Status::ResourceExhausted(StrCat("transaction ", TransactionText(id), ": ",
                                             open->waiting.size(), " operations wait already")));
    return;
  }
  open->waiting.push_back({.work = std::move(work), .refused = refused});
  RunNext(open);
}

void Gateway::RunNext(const OpenPointer& open) {
  if (open->busy || open->waiting.empty()) {
    return;
  }
  Open::Waiting next = std::move(open->waiting.front());
  open->waiting.pop_front();
  if (open->ended) {
    next.refused(NotOpen(open->transaction.id()));
    RunNext(open);
    return;
  }
  open->busy = true;
  open->idle_ticks = 0;
  next.work(open, [this, open] {
    open->busy = false;
    open->idle_ticks = 0;
    RunNext(open);
  });
}

void Gateway::End(const OpenPointer& open, const InquiryResult& result) {
  open->ended = true;
  ++(result.decision == Decision::kCommitted ? statistics_.committed
     : result.decision == Decision::kAborted ? statistics_.aborted
                                             : statistics_.unknown);
  open_.erase(open->transaction.id().start);
  Remember({.id = open->transaction.id(), .anchor = open->transaction.anchor(), .result = result});
}

void Gateway::Remember(const Ended& ended) {
  if (ended_.insert_or_assign(ended.id.start, ended).second) {
    ended_order_.push_back(ended.id.start);
  }
  if (ended_order_.size() > options_.ended_count_max) {
    ended_.erase(ended_order_.front());
    ended_order_.pop_front();
  }
}

void Gateway::Commit(const TransactionId& id, Done<Timestamp> done) {
  Run(
      id,
      [this, done](const OpenPointer& open, std::function<void()> next) {
        if (open->failed) {
          open->transaction.Abort(WhileHere(std::function<void()>([this, open, next, done] {
            End(open, {.decision = Decision::kAborted});
            next();
            done(open->Failed());
          })));
          return;
        }
        open->transaction.Commit(WhileHere(std::function<void(Transaction::CommitResult)>(
            [this, open, next, done](Transaction::CommitResult result) {
              switch (result.outcome) {
                case TransactionOutcome::kCommitted:
                  End(open, {.decision = Decision::kCommitted, .timestamp = result.timestamp});
                  next();
                  done(result.timestamp);
                  return;
                case TransactionOutcome::kAborted:
                  End(open, {.decision = Decision::kAborted});
                  next();
                  done(FailureOf(Outcome::kConflict, nullptr));
                  return;
                case TransactionOutcome::kUnknown:
                  End(open, {.decision = Decision::kUnknown});
                  next();
                  done(Status::OutcomeUnknown(StrCat("transaction ",
                                                     TransactionText(open->transaction.id()),
                                                     " may or may not have committed")));
                  return;
              }
            })));
      },
      done);
}

void Gateway::Abort(const TransactionId& id, std::function<void(Status)> done) {
  Run(
      id,
      [this, done](const OpenPointer& open, std::function<void()> next) {
        open->transaction.Abort(WhileHere(std::function<void()>([this, open, next, done] {
          End(open, {.decision = Decision::kAborted});
          next();
          done(Status::Ok());
        })));
      },
      done);
}

Status Gateway::Heartbeat(const TransactionId& id) {
  auto const place = open_.find(id.start);
  if (place == open_.end() || place->second->transaction.id() != id) {
    return NotOpen(id);
  }
  place->second->idle_ticks = 0;
  return Status::Ok();
}

std::optional<TransactionId> Gateway::FindOpen(Timestamp start) const {
  auto const place = open_.find(start);
  return place == open_.end() ? std::nullopt : std::optional(place->second->transaction.id());
}

std::string Gateway::AnchorOf(const TransactionId& id) const {
  if (auto const place = open_.find(id.start);
      place != open_.end() && place->second->transaction.id() == id) {
    return place->second->transaction.anchor();
  }
  auto const place = ended_.find(id.start);
  return place != ended_.end() && place->second.id == id ? place->second.anchor : "";
}

void Gateway::Inquire(const TransactionId& id, std::optional<std::string> anchor,
                      Done<InquiryResult> done) {
  if (Heartbeat(id).ok()) {
    done(InquiryResult{.decision = Decision::kOpen});
    return;
  }
  auto const place = ended_.find(id.start);
  if (place != ended_.end() && place->second.id == id) {
    if (place->second.result.decision != Decision::kUnknown) {
      done(place->second.result);
      return;
    }
    anchor = place->second.anchor;
  }
  if (!anchor || anchor->empty()) {
    done(Status::NotFound(StrCat("transaction ", TransactionText(id),
                                 " is not known here; its anchor is needed to ask about it")));
    return;
  }
  AskAnchor(id, *anchor, [this, id, anchor, done = std::move(done)](Result<InquiryResult> result) {
    if (result.ok() &&
        (result->decision == Decision::kCommitted || result->decision == Decision::kAborted)) {
      Remember({.id = id, .anchor = *anchor, .result = *result});
    }
    done(std::move(result));
  });
}

// A push that asks for nothing answers what was decided, and aborts what was abandoned. That it is
// aborted is also said of what nobody remembers, so a request to abort tells the two apart.
void Gateway::AskAnchor(const TransactionId& id, const std::string& anchor,
                        Done<InquiryResult> done) {
  auto const answered = [done](const std::optional<Result<Answer>>& answer,
                               std::function<void()> when_aborted) {
    if (!answer) {
      done(Status::Unavailable("the partition that decides does not answer"));
    } else if (!answer->ok()) {
      done(answer->status());
    } else if ((*answer)->outcome == Outcome::kCommitted) {
      done(InquiryResult{.decision = Decision::kCommitted, .timestamp = (*answer)->timestamp});
    } else if ((*answer)->outcome == Outcome::kAborted) {
      when_aborted();
    } else {
      done(InquiryResult{.decision = (*answer)->outcome == Outcome::kPending ? Decision::kOpen
                                                                             : Decision::kUnknown});
    }
  };
  auto const confirm = WhileHere(std::function<void()>([this, id, anchor, answered, done] {
    host_.Send(anchor, AbortRequest{.transaction = id, .anchor = anchor},
               [answered, done](const std::optional<Result<Answer>>& answer) {
                 answered(answer, [done] { done(InquiryResult{.decision = Decision::kAborted}); });
               });
  }));
  host_.Send(anchor,
             PushRequest{.transaction = id,
                         .anchor = anchor,
                         .pusher_start = id.start,
                         .reads = true,
                         .timestamp = kNever},
             [answered, confirm](const std::optional<Result<Answer>>& answer) {
               answered(answer, confirm);
             });
}

}  // namespace orochi::kv
