#include "kv/client/transaction.h"

#include <algorithm>
#include <utility>

#include "base/str_cat.h"
#include "kv/client/client.h"
#include "kv/client/message_pack.h"

namespace orochi::kv::client {
namespace {

constexpr const char* kMessagePackType = "application/x-msgpack";
constexpr int64_t kLastAbortUs = 1'000'000;

Result<Outcome> OutcomeFrom(const Value& document) {
  std::string const text = document.TextOf("outcome");
  Outcome outcome;
  if (text == "open") {
    outcome.kind = Outcome::Kind::kOpen;
  } else if (text == "committed") {
    outcome.kind = Outcome::Kind::kCommitted;
    const Value* const timestamp = document.Find("timestamp");
    outcome.timestamp = timestamp != nullptr ? timestamp->AsUint64().value_or(0) : 0;
  } else if (text == "aborted") {
    outcome.kind = Outcome::Kind::kAborted;
  } else if (text != "unknown") {
    return Status::Corruption(StrCat("found the outcome '", text, "'"));
  }
  return outcome;
}

CallRequest ControlRequest(const std::string& id, std::string_view what, size_t node) {
  return {.method = "POST", .target = StrCat("/v1/txn/", id, "/", what), .only_node = node};
}

}  // namespace

Transaction::Transaction(Transaction&& other) noexcept
    : caller_(other.caller_),
      node_(other.node_),
      id_(std::move(other.id_)),
      anchor_(std::move(other.anchor_)),
      ended_(std::exchange(other.ended_, true)) {}

Transaction::~Transaction() {
  if (!ended_) {
    CallRequest request = ControlRequest(id_, "abort", node_);
    request.deadline_us = kLastAbortUs;
    caller_->Call(request).status.IgnoreError("it is aborted when it has been idle for a while");
  }
}

void Transaction::Learn(const CallReply& reply) {
  if (std::string anchor = reply.document.TextOf("anchor"); !anchor.empty()) {
    anchor_ = std::move(anchor);
  }
}

CallReply Transaction::Post(std::string_view what, const Value& body) {
  CallReply reply = caller_->Call({.method = "POST",
                                   .target = StrCat("/v1/txn/", id_, "/", what),
                                   .content_type = kMessagePackType,
                                   .body = WriteMessagePack(body),
                                   .only_node = node_});
  Learn(reply);
  // Whatever became of the operation: without a commit it comes to nothing.
  if (reply.status.code() == StatusCode::kOutcomeUnknown) {
    reply.status = Status::Unavailable(
        StrCat(what, " of transaction ", id_, " at ", caller_->pool().address(node_).Text(),
               " was not answered; nothing of the transaction is committed"));
  }
  return reply;
}

Result<ReadAnswer> Transaction::Read(const Target& in, const Object& key) {
  return ReadAnswerFrom(Post("read", DocumentOf(KeyRead{.in = in, .key = key})));
}

Result<Written> Transaction::WriteOne(const client::Write& write) {
  return WrittenFrom(Post("write", DocumentOf(write)));
}

Result<Written> Transaction::WriteAll(const std::vector<client::Write>& writes) {
  Value::Array documents;
  for (const client::Write& write : writes) {
    documents.emplace_back(DocumentOf(write));
  }
  return WrittenFrom(Post("write", Object{{"writes", std::move(documents)}}));
}

Result<QueryPage> Transaction::RunQuery(const Query& query, const std::string& token) {
  return QueryPageFrom(Post("query", DocumentOf(query, token)));
}

Status Transaction::Heartbeat() {
  return caller_->Call(ControlRequest(id_, "heartbeat", node_)).status;
}

Result<uint64_t> Transaction::Commit() {
  ended_ = true;
  CallReply const reply = caller_->Call(ControlRequest(id_, "commit", node_));
  Learn(reply);
  if (reply.status.code() == StatusCode::kOutcomeUnknown) {
    return Status::OutcomeUnknown(StrCat("the commit of transaction ", id_, " (anchor '", anchor_,
                                         "') was not answered: ", reply.status.message()))
        .WithHint("ask what became of it with its id and anchor; do not simply run it again");
  }
  RETURN_IF_ERROR(reply.status);
  ASSIGN_OR_RETURN(Outcome const outcome, OutcomeFrom(reply.document));
  return outcome.timestamp;
}

Status Transaction::Abort() {
  ended_ = true;
  return caller_->Call(ControlRequest(id_, "abort", node_)).status;
}

Result<Outcome> Transaction::Ask() {
  auto asked = AskOutcome(*caller_, id_, anchor_, node_);
  if (asked.ok() && asked->kind != Outcome::Kind::kUnknown) {
    return asked;
  }
  return AskOutcome(*caller_, id_, anchor_, std::nullopt);
}

Result<Outcome> AskOutcome(Caller& caller, const std::string& transaction,
                           const std::string& anchor, std::optional<size_t> node) {
  std::string target = StrCat("/v1/txn/", PercentEncode(transaction));
  if (!anchor.empty()) {
    target += StrCat("?anchor=", PercentEncode(anchor));
  }
  CallReply const reply =
      caller.Call({.target = std::move(target), .only_reads = true, .only_node = node});
  if (reply.status.code() == StatusCode::kNotFound) {  // not known there, and no anchor
    return Outcome{};
  }
  RETURN_IF_ERROR(reply.status);
  return OutcomeFrom(reply.document);
}

Result<Outcome> Client::Ask(const std::string& transaction, const std::string& anchor) {
  return AskOutcome(*caller_, transaction, anchor, std::nullopt);
}

Result<Transaction> Client::Begin(Isolation isolation) {
  Object body;
  if (isolation == Isolation::kSnapshot) {
    body.emplace_back("isolation", "snapshot");
  }
  // A transaction that nobody knows of does no harm: it is idle, and ends.
  CallReply const reply = Post("/v1/txn/begin", std::move(body), true, false);
  RETURN_IF_ERROR(reply.status);
  std::string id = reply.document.TextOf("transaction");
  if (id.empty()) {
    return Status::Corruption("the answer to a begin names no transaction");
  }
  return Transaction(*caller_, reply.node, std::move(id));
}

Status Client::RunTransaction(const std::function<Status(Transaction&)>& body,
                              Isolation isolation) {
  const ClientOptions& options = caller_->options();
  int64_t const until_us = caller_->NowMicros() + options.deadline_us;
  Status last;
  for (int attempt = 0; attempt < options.transaction_attempt_count_max; ++attempt) {
    if (attempt > 0) {
      caller_->Pause(attempt, until_us);
      if (caller_->NowMicros() >= until_us) {
        break;
      }
    }
    ASSIGN_OR_RETURN(Transaction transaction, Begin(isolation));
    last = body(transaction);
    if (last.ok()) {
      last = CommitSurely(transaction, until_us);
    }
    if (last.code() != StatusCode::kAborted) {
      return last;
    }
  }
  return last;
}

// What was not answered is asked about, while there is time: an outcome that is found is as good as
// an answer.
Status Client::CommitSurely(Transaction& transaction, int64_t until_us) {
  auto const committed = transaction.Commit();
  if (committed.ok() || committed.status().code() != StatusCode::kOutcomeUnknown) {
    return committed.status();
  }
  for (int attempt = 0;; ++attempt) {
    auto const asked = transaction.Ask();
    if (asked.ok() && asked->kind == Outcome::Kind::kCommitted) {
      return Status::Ok();
    }
    if (asked.ok() && asked->kind == Outcome::Kind::kAborted) {
      return Status::Aborted(StrCat("transaction ", transaction.id(), " was aborted"));
    }
    bool const is_lost = asked.ok() && asked->kind == Outcome::Kind::kUnknown;
    if (is_lost || caller_->NowMicros() >= until_us) {
      return committed.status();
    }
    caller_->Pause(attempt, until_us);
  }
}

}  // namespace orochi::kv::client
