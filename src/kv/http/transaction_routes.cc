// Transactions that live between calls.

#include <utility>

#include "base/str_cat.h"
#include "kv/http/places.h"
#include "kv/http/service.h"
#include "kv/http/status_table.h"
#include "kv/wire/json.h"

namespace orochi::kv::http {
namespace {

std::string_view NameOf(Decision decision) {
  switch (decision) {
    case Decision::kOpen:
      return "open";
    case Decision::kCommitted:
      return "committed";
    case Decision::kAborted:
      return "aborted";
    case Decision::kUnknown:
      break;
  }
  return "unknown";
}

Document TransactionDocument(const TransactionId& id, std::string_view outcome) {
  Document body = Document::Object();
  body.Add("transaction", Document::String(TransactionText(id)));
  body.Add("outcome", Document::String(std::string(outcome)));
  return body;
}

Result<BeginOptions> BeginOptionsFrom(const Call& call) {
  BeginOptions options;
  if (call.body.kind == Document::Kind::kNull) {
    return options;
  }
  Place const place(call.body);
  RETURN_IF_ERROR(place.CheckObject({"isolation"}));
  if (place.Has("isolation")) {
    ASSIGN_OR_RETURN(Place const isolation, place.Member("isolation"));
    ASSIGN_OR_RETURN(std::string const text, isolation.Text());
    if (text != "serializable" && text != "snapshot") {
      return isolation.Fail(StrCat("found '", text, "', expected serializable or snapshot"));
    }
    options.isolation = text == "snapshot" ? Isolation::kSnapshot : Isolation::kStrictSerializable;
  }
  return options;
}

// Reads the id of the path; nullopt when it has answered.
std::optional<TransactionId> IdOf(const Call& call, const Done& done) {
  auto const id = ParseTransactionText(call.segments[2]);
  if (!id.ok()) {
    done(ErrorReply(id.status()));
    return std::nullopt;
  }
  return *id;
}

// What was not committed may be asked about, by whom is told which partition decides.
Reply EndReply(const Gateway& gateway, const TransactionId& id, const Status& error) {
  Reply reply = ErrorReply(error);
  reply.document.Add("transaction", Document::String(TransactionText(id)));
  std::string const anchor = gateway.AnchorOf(id);
  if (error.code() == StatusCode::kOutcomeUnknown && !anchor.empty()) {
    reply.document.Add("outcome", Document::String("unknown"));
    reply.document.Add("anchor", Document::String(EncodeBase64(anchor)));
  }
  return reply;
}

}  // namespace

void Service::Begin(const CallPointer& call, Done done) {
  auto const options = BeginOptionsFrom(*call);
  if (!options.ok()) {
    done(ErrorReply(options.status()));
    return;
  }
  gateway_.Begin(*options, [this, done = std::move(done)](const Result<TransactionId>& id) {
    if (!id.ok()) {
      done(ErrorReply(id.status()));
      return;
    }
    Document body = TransactionDocument(*id, "open");
    body.Add("idle_seconds", Document::Signed(gateway_.options().idle_us / 1'000'000));
    done({.status = 201, .document = std::move(body)});
  });
}

void Service::Commit(const CallPointer& call, Done done) {
  if (auto const id = IdOf(*call, done)) {
    gateway_.Commit(*id, [this, call, id = *id, done](const Result<Timestamp>& committed) {
      if (!committed.ok()) {
        done(EndReply(gateway_, id, committed.status()));
        return;
      }
      Document body = TransactionDocument(id, "committed");
      body.Add("timestamp", TimestampDocument(*committed, call->reply_form));
      done({.document = std::move(body)});
    });
  }
}

void Service::Abort(const CallPointer& call, Done done) {
  if (auto const id = IdOf(*call, done)) {
    gateway_.Abort(*id, [this, id = *id, done](const Status& aborted) {
      done(aborted.ok() ? Reply{.document = TransactionDocument(id, "aborted")}
                        : EndReply(gateway_, id, aborted));
    });
  }
}

void Service::Heartbeat(const CallPointer& call, Done done) {
  if (auto const id = IdOf(*call, done)) {
    Status const alive = gateway_.Heartbeat(*id);
    done(alive.ok() ? Reply{.document = TransactionDocument(*id, "open")}
                    : EndReply(gateway_, *id, alive));
  }
}

void Service::Inquire(const CallPointer& call, Done done) {
  auto const id = IdOf(*call, done);
  if (!id) {
    return;
  }
  std::optional<std::string> anchor;
  if (auto const given = call->parameters.find("anchor"); given != call->parameters.end()) {
    auto bytes = DecodeBase64(given->second);
    if (!bytes.ok() || bytes->size() > kStorageKeySizeBytesMax) {
      done(ErrorReply(Status::InvalidArgument("anchor: this is none")));
      return;
    }
    anchor = *std::move(bytes);
  }
  gateway_.Inquire(
      *id, std::move(anchor), [call, id = *id, done](const Result<InquiryResult>& result) {
        if (!result.ok()) {
          done(ErrorReply(result.status()));
          return;
        }
        Document body = TransactionDocument(id, NameOf(result->decision));
        if (result->decision == Decision::kCommitted) {
          body.Add("timestamp", TimestampDocument(result->timestamp, call->reply_form));
        }
        done({.document = std::move(body)});
      });
}

}  // namespace orochi::kv::http
