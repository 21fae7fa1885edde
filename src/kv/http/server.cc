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
#include "kv/http/body.h"
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

}  // namespace

struct Server::State {
  State(ServerOptions its_options, Executor& its_executor, Clock& its_clock, Handler its_handler)
      : options(std::move(its_options)),
        executor(its_executor),
        clock(its_clock),
        handler(std::move(its_handler)) {}

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

  void Serve(const httplib::Request& from, std::string body, httplib::Response& to) {
    int64_t const begin_ns = clock.MonotonicNanos();
    Request request = RequestOf(from, std::move(body));
    Served served{.method = request.method,
                  .path = request.path,
                  .route = RouteOf(request.method, request.path),
                  .request_size_bytes = request.body.size()};
    WireForm const form = ReplyForm(request);
    auto call = ReadCall(std::move(request));
    Reply reply = call.ok() ? Ask(*std::move(call)) : ErrorReply(call.status());
    if (reply.make_raw) {
      reply.raw = reply.make_raw();
    }
    Response const response = WriteReply(reply, form);
    to.status = response.status;
    to.set_content(response.body, response.content_type);
    for (const auto& [name, value] : response.headers) {
      to.set_header(name, value);
    }
    if (options.on_served) {
      TakeOutcome(reply, served);
      served.duration_ns = clock.MonotonicNanos() - begin_ns;
      served.reply_size_bytes = response.body.size();
      options.on_served(served);
    }
  }

  // The library would wait for the end of the connection when there is no length, where there is
  // no body; and its own bound does not count what comes in chunks, or compressed.
  void ServeWithBody(const httplib::Request& from, httplib::Response& to,
                     const httplib::ContentReader& read) {
    std::string body;
    bool const has_body = from.has_header("Content-Length") || from.has_header("Transfer-Encoding");
    bool fits = true;
    if (has_body && !read([&](const char* bytes, size_t size_bytes) {
          fits = body.size() + size_bytes <= options.body_size_bytes_max;
          if (fits) {
            body.append(bytes, size_bytes);
          }
          return fits;
        })) {
      to.status = fits ? std::max(to.status, 400) : 413;
      return;
    }
    Serve(from, std::move(body), to);
  }

  ServerOptions options;
  Executor& executor;
  Clock& clock;
  Handler handler;
  httplib::Server http;
  int port = 0;
  std::thread listener;
};

Result<std::unique_ptr<Server>> Server::Start(ServerOptions options, Executor& executor,
                                              Clock& clock, Handler handler) {
  auto state = std::make_unique<State>(std::move(options), executor, clock, std::move(handler));
  httplib::Server& http = state->http;
  State* const raw = state.get();
  // A pattern of one class of characters: the library matches paths by regular expression.
  constexpr const char* kAnyPath = "/[^]*";
  http.Get(kAnyPath, [raw](const httplib::Request& from, httplib::Response& to) {
    raw->Serve(from, "", to);
  });
  auto const with_body = [raw](const httplib::Request& from, httplib::Response& to,
                               const httplib::ContentReader& read) {
    raw->ServeWithBody(from, to, read);
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
  http.set_payload_max_length(state->options.body_size_bytes_max);
  http.set_keep_alive_timeout(state->options.keep_alive_s);
  http.set_keep_alive_max_count(SIZE_MAX);
  http.set_tcp_nodelay(true);
  http.new_task_queue = [count = state->options.thread_count] {
    return new httplib::ThreadPool(count);  // the library deletes it
  };
  const ServerOptions& with = state->options;
  bool listens = false;
  if (!with.socket_path.empty()) {
    http.set_address_family(AF_UNIX);
    listens = http.bind_to_port(with.socket_path, 80);
  } else if (with.port == 0) {
    state->port = http.bind_to_any_port(with.host);
    listens = state->port > 0;
  } else {
    state->port = with.port;
    listens = http.bind_to_port(with.host, with.port);
  }
  if (!listens) {
    return Status::Unavailable(with.socket_path.empty()
                                   ? StrCat("cannot listen on ", with.host, ":", with.port)
                                   : StrCat("cannot listen on ", with.socket_path));
  }
  state->listener = std::thread([&http] { http.listen_after_bind(); });
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  Stop();
}

int Server::port() const {
  return state_->port;
}

void Server::Stop() {
  if (state_->listener.joinable()) {
    while (!state_->http.is_running()) {
      std::this_thread::yield();  // it may not have begun yet, and would not hear it then
    }
    state_->http.stop();
    state_->listener.join();
  }
}

}  // namespace orochi::kv::http
