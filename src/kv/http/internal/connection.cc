#include "kv/http/internal/connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace orochi::kv::http {
namespace {

constexpr int64_t kNanosInMicro = 1'000;
constexpr int64_t kNanosInMilli = 1'000'000;
constexpr int kMillisMax = 60'000;

int MillisUntil(int64_t until_ns, int64_t now_ns) {
  int64_t const left_ns = std::max<int64_t>(0, until_ns - now_ns);
  return static_cast<int>(
      std::min<int64_t>(kMillisMax, (left_ns + kNanosInMilli - 1) / kNanosInMilli));
}

using NameOf = int(int, sockaddr*, socklen_t*);

void Describe(int descriptor, NameOf* name_of, std::string& ip, int& port) {
  sockaddr_storage address{};
  socklen_t size_bytes = sizeof address;
  ip.clear();
  port = 0;
  if (name_of(descriptor, reinterpret_cast<sockaddr*>(&address), &size_bytes) != 0) {
    return;
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    auto const* const v4 = reinterpret_cast<const sockaddr_in*>(&address);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    port = ntohs(v4->sin_port);
  } else if (address.ss_family == AF_INET6) {
    auto const* const v6 = reinterpret_cast<const sockaddr_in6*>(&address);
    inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    port = ntohs(v6->sin6_port);
  }
  ip = text.data();
}

}  // namespace

Connection::Connection(io::Descriptor descriptor, Clock& clock, const ConnectionLimits& limits)
    : descriptor_(std::move(descriptor)), clock_(clock), limits_(limits) {
  int const flags = fcntl(descriptor_.number(), F_GETFL, 0);
  fcntl(descriptor_.number(), F_SETFL, flags | O_NONBLOCK);
}

Connection::~Connection() = default;

bool Connection::WaitFor(short events, int64_t until_ns) const {
  pollfd entry{.fd = descriptor_.number(), .events = events, .revents = 0};
  while (true) {
    int64_t const now_ns = NowNanos();
    int const ready = ::poll(&entry, 1, MillisUntil(until_ns, now_ns));
    if (ready > 0) {
      return true;
    }
    if ((ready < 0 && errno != EINTR) || now_ns >= until_ns) {
      return false;
    }
  }
}

bool Connection::Handshake(TlsContext context) {
  context_ = std::move(context);
  tls_.reset(SSL_new(context_.get()));
  if (tls_ == nullptr || SSL_set_fd(tls_.get(), descriptor_.number()) != 1) {
    return false;
  }
  int64_t const until_ns = NowNanos() + limits_.read_us_max * kNanosInMicro;
  while (true) {
    ERR_clear_error();
    int const accepted = SSL_accept(tls_.get());
    if (accepted == 1) {
      return true;
    }
    int const why = SSL_get_error(tls_.get(), accepted);
    short const wait_for = why == SSL_ERROR_WANT_READ    ? POLLIN
                           : why == SSL_ERROR_WANT_WRITE ? POLLOUT
                                                         : 0;
    if (wait_for == 0 || !WaitFor(wait_for, until_ns)) {
      broken_ = true;
      return false;
    }
  }
}

Connection::Wait Connection::AwaitBytes(int64_t until_ns, int stirred, int stopping) {
  if (begin_ < end_ || (tls_ != nullptr && SSL_pending(tls_.get()) > 0)) {
    return Wait::kReadable;
  }
  std::array<pollfd, 3> entries = {
      {{descriptor_.number(), POLLIN, 0}, {stopping, POLLIN, 0}, {stirred, POLLIN, 0}}};
  while (true) {
    int64_t const now_ns = NowNanos();
    int const ready = ::poll(entries.data(), entries.size(), MillisUntil(until_ns, now_ns));
    if (ready < 0 && errno != EINTR) {
      return Wait::kEnd;
    }
    if (ready > 0) {
      return entries[0].revents != 0   ? Wait::kReadable
             : entries[1].revents != 0 ? Wait::kEnd
                                       : Wait::kStirred;
    }
    if (now_ns >= until_ns) {
      return Wait::kTimeOver;
    }
  }
}

void Connection::BeginRequest() {
  request_until_ns_ = NowNanos() + limits_.request_us_max * kNanosInMicro;
  head_size_bytes_ = 0;
  in_head_ = true;
}

void Connection::Finish() {
  if (tls_ != nullptr && !broken_) {
    ERR_clear_error();
    SSL_shutdown(tls_.get());
  }
  ::shutdown(descriptor_.number(), SHUT_WR);
  // Closing with bytes unread would reset the connection, and the client might not see the answer.
  std::array<char, 4096> rest;
  for (int reads = 0; reads < 256; ++reads) {
    if (::recv(descriptor_.number(), rest.data(), rest.size(), MSG_DONTWAIT) <= 0) {
      break;
    }
  }
}

Connection::Step Connection::ReadStep(char* bytes, size_t size_bytes) {
  if (tls_ == nullptr) {
    ssize_t const got = ::recv(descriptor_.number(), bytes, size_bytes, 0);
    bool const waits = got < 0 && (errno == EAGAIN || errno == EINTR);
    return {.size_bytes = got, .wait_for = waits ? short{POLLIN} : short{0}};
  }
  ERR_clear_error();
  int const got = SSL_read(tls_.get(), bytes, static_cast<int>(size_bytes));
  if (got > 0) {
    return {.size_bytes = got};
  }
  switch (SSL_get_error(tls_.get(), got)) {
    case SSL_ERROR_WANT_READ:
      return {.wait_for = POLLIN};
    case SSL_ERROR_WANT_WRITE:
      return {.wait_for = POLLOUT};
    case SSL_ERROR_ZERO_RETURN:
      return {};
    default:
      return {.size_bytes = -1};
  }
}

Connection::Step Connection::WriteStep(const char* bytes, size_t size_bytes) {
  if (tls_ == nullptr) {
    ssize_t const sent = ::send(descriptor_.number(), bytes, size_bytes, MSG_NOSIGNAL);
    bool const waits = sent < 0 && (errno == EAGAIN || errno == EINTR);
    return {.size_bytes = sent, .wait_for = waits ? short{POLLOUT} : short{0}};
  }
  ERR_clear_error();
  int const sent =
      SSL_write(tls_.get(), bytes, static_cast<int>(std::min<size_t>(size_bytes, 1 << 20)));
  if (sent > 0) {
    return {.size_bytes = sent};
  }
  switch (SSL_get_error(tls_.get(), sent)) {
    case SSL_ERROR_WANT_READ:
      return {.wait_for = POLLIN};
    case SSL_ERROR_WANT_WRITE:
      return {.wait_for = POLLOUT};
    default:
      return {.size_bytes = -1};
  }
}

ssize_t Connection::Fill() {
  int64_t const until_ns =
      std::min(request_until_ns_, NowNanos() + limits_.read_us_max * kNanosInMicro);
  while (true) {
    Step const step = ReadStep(buffer_.data(), buffer_.size());
    if (step.wait_for == 0) {
      broken_ = broken_ || step.size_bytes < 0;
      begin_ = 0;
      end_ = static_cast<size_t>(std::max<ssize_t>(0, step.size_bytes));
      return step.size_bytes;
    }
    if (!WaitFor(step.wait_for, until_ns)) {
      return -1;
    }
  }
}

ssize_t Connection::read(char* bytes, size_t size_bytes) {
  if (broken_ || size_bytes == 0) {
    return broken_ ? -1 : 0;
  }
  if (begin_ == end_) {
    // One who sends a byte now and then is not waited for longer than for a request.
    if (NowNanos() >= request_until_ns_) {
      return -1;
    }
    ssize_t const got = Fill();
    if (got <= 0) {
      return got;
    }
  }
  size_t const taken = std::min(size_bytes, end_ - begin_);
  if (in_head_ && (head_size_bytes_ += taken) > limits_.head_size_bytes_max) {
    head_too_large_ = true;
    return -1;
  }
  std::memcpy(bytes, buffer_.data() + begin_, taken);
  begin_ += taken;
  return static_cast<ssize_t>(taken);
}

void Connection::TellInstead(const std::string& answer) {
  head_too_large_ = false;
  write(answer.data(), answer.size());
}

// All of it: the library does not ask again everywhere.
ssize_t Connection::write(const char* bytes, size_t size_bytes) {
  if (head_too_large_) {
    return -1;
  }
  size_t sent = 0;
  int64_t until_ns = NowNanos() + limits_.write_us_max * kNanosInMicro;
  while (!broken_ && sent < size_bytes) {
    Step const step = WriteStep(bytes + sent, size_bytes - sent);
    if (step.wait_for != 0) {
      broken_ = !WaitFor(step.wait_for, until_ns);
    } else if (step.size_bytes > 0) {
      sent += static_cast<size_t>(step.size_bytes);
      until_ns = NowNanos() + limits_.write_us_max * kNanosInMicro;
    } else {
      broken_ = true;
    }
  }
  return broken_ ? -1 : static_cast<ssize_t>(sent);
}

// The library asks before it reads or writes; both wait by themselves.
bool Connection::is_readable() const {
  return !broken_;
}

bool Connection::is_writable() const {
  return !broken_;
}

void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  Describe(descriptor_.number(), ::getpeername, ip, port);
}

void Connection::get_local_ip_and_port(std::string& ip, int& port) const {
  Describe(descriptor_.number(), ::getsockname, ip, port);
}

}  // namespace orochi::kv::http
