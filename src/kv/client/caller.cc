// How the outcome of a request becomes known:
//   no connection, or not all of the request taken by the system: it was not read in full, so
//       nothing happened, and another node may be asked;
//   an answer that says so (unavailable, overloaded): likewise;
//   sent in full and no answer, or one that says so (outcome_unknown, deadline): unknown. What only
//       reads is asked again; all else is told to the caller.
#include "kv/client/caller.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <utility>

#include "base/str_cat.h"
#include "kv/client/message_pack.h"

namespace orochi::kv::client {
namespace {

constexpr std::string_view kMessagePackType = "application/x-msgpack";
constexpr int64_t kPauseUsMin = 5'000;
constexpr int64_t kPauseUsMax = 500'000;
constexpr int64_t kRetryAfterSecondsMax = 3600;

struct CodeRow {
  std::string_view code;
  StatusCode status;
};
constexpr std::array kCodes = {
    CodeRow{"invalid_argument", StatusCode::kInvalidArgument},
    CodeRow{"bad_request", StatusCode::kInvalidArgument},
    CodeRow{"unsupported", StatusCode::kInvalidArgument},  // a content type
    CodeRow{"not_found", StatusCode::kNotFound},
    CodeRow{"no_such_route", StatusCode::kUnsupported},
    CodeRow{"method_not_allowed", StatusCode::kUnsupported},
    CodeRow{"conflict", StatusCode::kAborted},
    CodeRow{"already_exists", StatusCode::kAlreadyExists},
    CodeRow{"failed_precondition", StatusCode::kFailedPrecondition},
    CodeRow{"transaction_gone", StatusCode::kCancelled},
    CodeRow{"too_old", StatusCode::kOutOfRange},
    CodeRow{"forbidden", StatusCode::kPermissionDenied},
    CodeRow{"unauthenticated", StatusCode::kPermissionDenied},
    CodeRow{"overloaded", StatusCode::kResourceExhausted},
    CodeRow{"unavailable", StatusCode::kUnavailable},
    CodeRow{"outcome_unknown", StatusCode::kOutcomeUnknown},
    CodeRow{"deadline", StatusCode::kOutcomeUnknown},
    CodeRow{"corruption", StatusCode::kCorruption},
    CodeRow{"internal", StatusCode::kInternal},
};

// Of an answer without a code that is known here: a proxy's, or a later node's.
StatusCode CodeOfHttpStatus(int status) {
  if (status == 401 || status == 403) {
    return StatusCode::kPermissionDenied;
  }
  return status < 500 ? StatusCode::kInvalidArgument : StatusCode::kOutcomeUnknown;
}

bool SaysNothingHappened(StatusCode code) {
  return code == StatusCode::kUnavailable || code == StatusCode::kResourceExhausted;
}

int64_t RetryAfterMicros(const HttpResponse& http) {
  std::string_view const text = http.Header("retry-after");
  int64_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::clamp<int64_t>(seconds, 0, kRetryAfterSecondsMax) * 1'000'000;
}

Status Unknown(const CallRequest& request, const std::string& node, std::string_view why) {
  return Status::OutcomeUnknown(StrCat(request.method, " ", request.target, " at ", node, ": ", why,
                                       "; it may or may not have happened"))
      .WithHint(
          "do not simply repeat it; look what is there, or ask for the transaction's outcome");
}

}  // namespace

struct Caller::Exchange {
  bool sent_all = false;
  Status status = {};  // not ok: there is no response
  HttpResponse http = {};
};

Result<std::unique_ptr<Caller>> Caller::Create(ClientOptions options, Clock& clock, uint64_t seed) {
  std::vector<NodeAddress> nodes;
  for (const std::string& text : options.nodes) {
    ASSIGN_OR_RETURN(NodeAddress node, ParseNodeAddress(text));
    nodes.push_back(std::move(node));
  }
  if (nodes.empty()) {
    return Status::InvalidArgument("no address of a node is given");
  }
  for (char const letter : options.token) {
    if (letter <= ' ' || letter > '~') {
      return Status::InvalidArgument("the token has a byte that cannot stand in a header");
    }
  }
  return std::unique_ptr<Caller>(new Caller(std::move(options), std::move(nodes), clock, seed));
}

Caller::Caller(ClientOptions options, std::vector<NodeAddress> nodes, Clock& clock, uint64_t seed)
    : options_(std::move(options)),
      clock_(clock),
      pool_(std::move(nodes), options_.idle_connection_count_max, clock),
      seed_(seed) {}

void Caller::Pause(int attempt, int64_t until_us) {
  SeededRandom random(seed_.fetch_add(0x9e3779b97f4a7c15, std::memory_order_relaxed));
  int64_t const most_us = std::min(kPauseUsMax, kPauseUsMin << std::min(attempt, 10));
  int64_t const drawn_us =
      most_us / 2 + static_cast<int64_t>(random.Below(static_cast<uint64_t>(most_us / 2 + 1)));
  int64_t const left_us = std::max<int64_t>(0, until_us - NowMicros());
  io::Poll({}, static_cast<int>((std::min(drawn_us, left_us) + 999) / 1000));
}

Caller::Exchange Caller::Send(size_t node, const CallRequest& request, int64_t until_us) {
  Exchange exchange;
  int64_t const left_us = until_us - NowMicros();
  auto pooled = pool_.Take(node, std::min(options_.connect_us, left_us));
  if (!pooled.ok()) {
    exchange.status = std::move(pooled).status();
    return exchange;
  }
  Headers headers = {{"Accept", std::string(kMessagePackType)}};
  if (!options_.token.empty()) {
    headers.emplace_back("Authorization", StrCat("Bearer ", options_.token));
  }
  if (!request.body.empty()) {
    headers.emplace_back("Content-Type", request.content_type);
  }
  const NodeAddress& address = pool_.address(node);
  std::string const bytes =
      FormatRequest(request.method, request.target,
                    address.socket_path.empty() ? address.Text() : std::string("localhost"),
                    headers, request.body);
  auto const sent = pooled->stream.Send(bytes, until_us - NowMicros());
  exchange.sent_all = sent.size_bytes == bytes.size();
  // A node may refuse before it has read everything, and close: then the answer is there to read.
  ResponseReader reader;
  std::array<char, 16384> buffer;
  while (!reader.done()) {
    auto const came = pooled->stream.Receive(buffer, std::max<int64_t>(0, until_us - NowMicros()));
    if (!came.ok()) {
      exchange.status = exchange.sent_all ? came.status() : sent.status;
      return exchange;
    }
    if (*came == 0) {
      exchange.status = reader.End();
    } else if (auto const used = reader.Take({buffer.data(), *came}); !used.ok()) {
      exchange.status = used.status();
    } else if (*used < *came) {
      exchange.status = Status::Corruption("bytes after the response");
    }
    if (!exchange.status.ok()) {
      return exchange;
    }
  }
  exchange.http = reader.TakeResponse();
  if (reader.keeps_alive() && exchange.sent_all) {
    pool_.Put(node, *std::move(pooled));
  }
  return exchange;
}

CallReply Caller::Understand(const CallRequest& request, size_t node, HttpResponse http) const {
  CallReply reply{.http = std::move(http), .node = node};
  bool const is_document = reply.http.Header("content-type").starts_with(kMessagePackType);
  if (is_document) {
    auto document = ReadMessagePack(reply.http.body);
    if (document.ok()) {
      reply.document = *std::move(document);
    } else if (reply.http.status < 400) {
      // What was asked for was done; what came of it cannot be read.
      reply.status = std::move(document).status();
      return reply;
    }
  }
  if (reply.http.status < 400 || reply.http.status == 412) {
    return reply;
  }
  std::string const code = reply.document.TextOf("code");
  auto const row = std::find_if(kCodes.begin(), kCodes.end(),
                                [&](const CodeRow& one) { return one.code == code; });
  StatusCode status = row != kCodes.end() ? row->status : CodeOfHttpStatus(reply.http.status);
  std::string message = reply.document.TextOf("message");
  if (message.empty()) {
    message = StrCat("answered HTTP ", reply.http.status);
  }
  std::string const where = pool_.address(node).Text();
  if (status == StatusCode::kOutcomeUnknown) {
    reply.status = Unknown(request, where, message);
  } else {
    reply.status = Status(status, std::move(message));
    if (std::string hint = reply.document.TextOf("hint"); !hint.empty()) {
      reply.status = std::move(reply.status).WithHint(std::move(hint));
    }
  }
  return reply;
}

CallReply Caller::CallNode(const CallRequest& request, size_t node, int64_t until_us,
                           bool& is_certain) {
  Exchange exchange = Send(node, request, until_us);
  if (exchange.status.ok()) {
    CallReply reply = Understand(request, node, std::move(exchange.http));
    is_certain = reply.status.code() != StatusCode::kOutcomeUnknown;
    if (!is_certain || SaysNothingHappened(reply.status.code())) {
      pool_.MarkDown(node);
    } else {
      pool_.MarkUp(node);
    }
    return reply;
  }
  pool_.MarkDown(node);
  std::string const where = pool_.address(node).Text();
  is_certain = !exchange.sent_all;
  CallReply reply{.node = node};
  reply.status = is_certain ? Status::Unavailable(exchange.status.message())
                            : Unknown(request, where, exchange.status.message());
  return reply;
}

CallReply Caller::Call(const CallRequest& request) {
  int64_t const until_us =
      NowMicros() + (request.deadline_us > 0 ? request.deadline_us : options_.deadline_us);
  size_t node = request.only_node.value_or(pool_.Preferred());
  std::vector<int64_t> not_before_us(pool_.size(), 0);  // what a node asked for by Retry-After
  for (int attempt = 0;; ++attempt) {
    bool is_certain = false;
    int64_t const attempt_until_us =
        request.only_reads && pool_.size() > 1
            ? std::min(until_us, NowMicros() + options_.read_attempt_us)
            : until_us;
    CallReply reply = CallNode(request, node, attempt_until_us, is_certain);
    StatusCode const code = reply.status.code();
    bool const may_repeat = is_certain ? SaysNothingHappened(code) : request.only_reads;
    bool const conflicts = code == StatusCode::kAborted && request.is_whole;
    if (request.only_node || (!may_repeat && !conflicts)) {
      return reply;
    }
    not_before_us[node] = NowMicros() + RetryAfterMicros(reply.http);
    if (!conflicts) {
      node = (node + 1) % pool_.size();
    }
    if (conflicts || (attempt + 1) % static_cast<int>(pool_.size()) == 0) {
      Pause(attempt / static_cast<int>(pool_.size()), until_us);
    }
    if (int64_t const wait_us = std::min(not_before_us[node], until_us) - NowMicros();
        wait_us > 0) {
      io::Poll({}, static_cast<int>((wait_us + 999) / 1000));
    }
    if (NowMicros() >= until_us) {
      if (!is_certain) {
        reply.status = Status::Timeout(reply.status.message());
      }
      return reply;
    }
  }
}

}  // namespace orochi::kv::client
