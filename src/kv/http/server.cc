#include "kv/http/server.h"

#include <httplib.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/str_cat.h"
#include "kv/gateway/gateway.h"
#include "kv/http/access.h"
#include "kv/http/body.h"
#include "kv/http/client_shares.h"
#include "kv/http/internal/connection_server.h"
#include "kv/http/request_names.h"
#include "kv/http/route_names.h"
#include "kv/http/status_table.h"

namespace orochi::kv::http {
namespace {

// Where the loop leaves a reply for the thread that waits for it; both may let go of it first.
class Mailbox {
 public:
  void Put(Reply reply) {
    std::lock_guard const lock(mutex_);
    reply_ = std::move(reply);
    arrived_.notify_one();
  }
  std::optional<Reply> Await(int64_t deadline_us) {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, std::chrono::microseconds(deadline_us),
                      [this] { return reply_.has_value(); });
    return std::move(reply_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::optional<Reply> reply_;  // guarded by mutex_
};

Request RequestOf(const httplib::Request& from, std::string body) {
  Request request{.method = from.method,
                  .path = from.path,
                  .content_type = from.get_header_value("Content-Type"),
                  .accept = from.get_header_value("Accept"),
                  .has_origin = from.has_header("Origin"),
                  .body = std::move(body)};
  for (const auto& [name, value] : from.params) {
    request.parameters[name] = value;
  }
  return request;
}

// Who waited too long may ask about the transaction that the path names.
Reply LateReply(const std::string& path) {
  Reply reply = ErrorReply(Status::Timeout("there was no answer in time"));
  constexpr std::string_view kTransactions = "/v1/txn/";
  if (path.starts_with(kTransactions)) {
    std::string const id = path.substr(kTransactions.size(),
                                       path.find('/', kTransactions.size()) - kTransactions.size());
    if (ParseTransactionText(id).ok()) {
      reply.document.Add("transaction", Document::String(id));
    }
  }
  return reply;
}

// For those who are answered before anything of theirs was understood.
std::string WholeAnswer(int status, std::string_view reason, const Reply& reply) {
  Response const response = WriteReply(reply, WireForm::kJson);
  std::string text =
      StrCat("HTTP/1.1 ", status, " ", reason, "\r\nContent-Type: ", response.content_type,
             "\r\nContent-Length: ", response.body.size(), "\r\nConnection: close\r\n");
  for (const auto& [name, value] : response.headers) {
    text += StrCat(name, ": ", value, "\r\n");
  }
  return StrCat(text, "\r\n", response.body);
}

ConnectionServer::Options ConnectionOptions(const ServerOptions& options) {
  return {.connection_count_max = options.thread_count,
          .waiting_count_max = options.waiting_count_max,
          .keep_alive_us = int64_t{options.keep_alive_s} * 1'000'000,
          .limits = {.read_us_max = options.read_us_max,
                     .request_us_max = options.request_us_max,
                     .head_size_bytes_max = options.head_size_bytes_max},
          .busy_reply = WholeAnswer(503, "Service Unavailable",
                                    ErrorReply(Status::Unavailable("too many connections wait"))),
          .too_large_reply = WholeAnswer(431, "Request Header Fields Too Large",
                                         ErrorReply(431, "bad_request",
                                                    StrCat("the head of the request has more than ",
                                                           options.head_size_bytes_max, " bytes"),
                                                    ""))};
}

Result<std::unique_ptr<Access>> LoadAccess(const ServerOptions& options, Clock& clock) {
  return options.tokens_path.empty() ? Result<std::unique_ptr<Access>>(std::unique_ptr<Access>())
                                     : Access::Load(options.tokens_path, options.tokens_reload_us,
                                                    clock, options.on_bad_file);
}

Result<std::unique_ptr<TlsIdentity>> LoadTls(const ServerOptions& options, Clock& clock) {
  return options.tls ? TlsIdentity::Load(*options.tls, clock, options.on_bad_file)
                     : Result<std::unique_ptr<TlsIdentity>>(std::unique_ptr<TlsIdentity>());
}

}  // namespace

struct Server::State {
  State(ServerOptions its_options, Executor& its_executor, Clock& its_clock, Handler its_handler,
        std::unique_ptr<Access> its_access, std::unique_ptr<TlsIdentity> tls)
      : options(std::move(its_options)),
        executor(its_executor),
        clock(its_clock),
        handler(std::move(its_handler)),
        access(std::move(its_access)),
        shares(options.client_request_count_max),
        ids(options.instance),
        http(ConnectionOptions(options), its_clock, std::move(tls)) {}

  // One request on its connection's thread.
  struct Turn {
    Served served{};
    int64_t begin_ns = 0;
    std::shared_ptr<const Token> token{};
    std::optional<ClientShares::Share> share{};
    std::optional<Reply> refusal{};  // before anything of the body counts
  };

  Turn Begin(const httplib::Request& from) {
    Turn turn{.begin_ns = clock.MonotonicNanos()};
    Served& served = turn.served;
    served.method = from.method;
    served.path = from.path;
    served.route = RouteOf(from.method, from.path);
    served.client = from.remote_addr;
    served.request_id = from.get_header_value("X-Request-Id");
    if (!IsRequestId(served.request_id)) {
      served.request_id = ids.Next();
    }
    served.trace_id = TraceIdOf(from.get_header_value("traceparent"));
    if (IsOpenToAll(from.method, from.path)) {
      return turn;
    }
    if (access != nullptr) {
      Reply refusal;
      turn.token = access->Identify(from.get_header_value("Authorization"), refusal);
      if (turn.token == nullptr) {
        turn.refusal = std::move(refusal);
        return turn;
      }
      served.user = turn.token->name;
    }
    turn.share.emplace(shares.Take(served.user.empty() ? served.client : served.user));
    if (!turn.share->is_granted()) {
      turn.refusal = ErrorReply(Status::ResourceExhausted(
          StrCat("this client has ", options.client_request_count_max, " requests under way")));
    }
    return turn;
  }

  Reply Ask(Call call) {
    std::string const path = call.path;
    auto const mailbox = std::make_shared<Mailbox>();
    Status const offered = executor.Offer([this, mailbox, call = std::move(call)]() mutable {
      handler(std::move(call), [mailbox](Reply reply) { mailbox->Put(std::move(reply)); });
    });
    if (!offered.ok()) {
      return ErrorReply(offered);
    }
    auto reply = mailbox->Await(options.deadline_us);
    return reply ? *std::move(reply) : LateReply(path);
  }

  Reply AnswerTo(Turn& turn, Request request) {
    if (turn.refusal) {
      return *std::move(turn.refusal);
    }
    auto call = ReadCall(std::move(request));
    if (!call.ok()) {
      return ErrorReply(call.status());
    }
    if (turn.token != nullptr) {
      if (auto refusal = Access::Refuse(*turn.token, *call)) {
        return *std::move(refusal);
      }
      call->user = turn.token->name;
    }
    Reply reply = Ask(*std::move(call));
    if (reply.make_raw) {
      reply.raw = reply.make_raw();
    }
    return reply;
  }

  void Serve(const httplib::Request& from, Turn turn, std::string body, httplib::Response& to) {
    Request request = RequestOf(from, std::move(body));
    turn.served.request_size_bytes = request.body.size();
    WireForm const form = ReplyForm(request);
    Reply const reply = AnswerTo(turn, std::move(request));
    Response const response = WriteReply(reply, form);
    to.status = response.status;
    to.set_content(response.body, response.content_type);
    for (const auto& [name, value] : response.headers) {
      to.set_header(name, value);
    }
    to.set_header("X-Request-Id", turn.served.request_id);
    TakeOutcome(reply, turn.served);
    turn.served.reply_size_bytes = response.body.size();
    Finish(turn);
  }

  void Finish(Turn& turn) {
    turn.served.duration_ns = clock.MonotonicNanos() - turn.begin_ns;
    if (options.on_served) {
      options.on_served(turn.served);
    }
  }

  // The library would wait for the end of the connection when there is no length, where there is
  // no body; and its own bound does not count what comes in chunks, or compressed. Of those who are
  // refused the body is read, so that the connection can go on, and not kept.
  void ServeWithBody(const httplib::Request& from, httplib::Response& to,
                     const httplib::ContentReader& read) {
    Turn turn = Begin(from);
    std::string body;
    size_t size_bytes = 0;
    bool const has_body = from.has_header("Content-Length") || from.has_header("Transfer-Encoding");
    bool fits = true;
    if (has_body && !read([&](const char* bytes, size_t more_bytes) {
          size_bytes += more_bytes;
          fits = size_bytes <= options.body_size_bytes_max;
          if (fits && !turn.refusal) {
            body.append(bytes, more_bytes);
          }
          return fits;
        })) {
      to.status = fits ? std::max(to.status, 400) : 413;
      to.set_header("X-Request-Id", turn.served.request_id);
      to.set_header("Connection", "close");
      ConnectionServer::CloseAfterAnswer();
      turn.served.status = to.status;
      turn.served.code = "bad_request";
      Finish(turn);
      return;
    }
    Serve(from, std::move(turn), std::move(body), to);
  }

  void SetRoutes() {
    // A pattern of one class of characters: the library matches paths by regular expression.
    constexpr const char* kAnyPath = "/[^]*";
    http.Get(kAnyPath, [this](const httplib::Request& from, httplib::Response& to) {
      Serve(from, Begin(from), "", to);
    });
    auto const with_body = [this](const httplib::Request& from, httplib::Response& to,
                                  const httplib::ContentReader& read) {
      ServeWithBody(from, to, read);
    };
    http.Post(kAnyPath, with_body).Put(kAnyPath, with_body).Patch(kAnyPath, with_body);
    http.Delete(kAnyPath, with_body);
    http.set_error_handler([](const httplib::Request&, httplib::Response& to) {
      if (to.body.empty()) {  // the library's own: a request that it could not read
        Response const response = WriteReply(ErrorReply(to.status, "bad_request",
                                                        "the request is no good HTTP/1.1, or "
                                                        "larger than this server takes",
                                                        ""),
                                             WireForm::kJson);
        to.set_content(response.body, response.content_type);
      }
    });
  }

  Status Listen() {
    bool listens = false;
    if (!options.socket_path.empty()) {
      http.set_address_family(AF_UNIX);
      listens = http.bind_to_port(options.socket_path, 80);
    } else if (options.port == 0) {
      port = http.bind_to_any_port(options.host);
      listens = port > 0;
    } else {
      port = options.port;
      listens = http.bind_to_port(options.host, options.port);
    }
    if (!listens) {
      return Status::Unavailable(options.socket_path.empty()
                                     ? StrCat("cannot listen on ", options.host, ":", options.port)
                                     : StrCat("cannot listen on ", options.socket_path));
    }
    http.WidenBacklog();
    listener = std::thread([this] { http.listen_after_bind(); });
    return Status();
  }

  const ServerOptions options;
  Executor& executor;
  Clock& clock;
  const Handler handler;
  const std::unique_ptr<Access> access;  // null: everybody may do everything
  ClientShares shares;
  RequestIds ids;
  ConnectionServer http;
  int port = 0;
  std::thread listener;
};

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, Executor& executor,
                                              Clock& clock, Handler handler) {
  ASSIGN_OR_RETURN(std::unique_ptr<Access> access, LoadAccess(options, clock));
  ASSIGN_OR_RETURN(std::unique_ptr<TlsIdentity> tls, LoadTls(options, clock));
  auto state = std::make_unique<State>(std::move(options), executor, clock, std::move(handler),
                                       std::move(access), std::move(tls));
  state->SetRoutes();
  state->http.set_payload_max_length(state->options.body_size_bytes_max);
  state->http.set_keep_alive_timeout(state->options.keep_alive_s);  // what answers say about it
  state->http.set_keep_alive_max_count(SIZE_MAX);
  state->http.set_tcp_nodelay(true);
  RETURN_IF_ERROR(state->Listen());
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  Stop();
}

int Server::port() const {
  return state_->port;
}

ServerStatistics Server::statistics() const {
  return state_->http.statistics();
}

void Server::Stop() {
  if (state_->listener.joinable()) {
    while (!state_->http.is_running()) {
      std::this_thread::yield();  // it may not have begun yet, and would not hear it then
    }
    state_->http.StopAll();
    state_->listener.join();
  }
}

Status CheckServerFiles(const ServerOptions& options, Clock& clock) {
  RETURN_IF_ERROR(LoadAccess(options, clock).status());
  return LoadTls(options, clock).status();
}

}  // namespace orochi::kv::http
