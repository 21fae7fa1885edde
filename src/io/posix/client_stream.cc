#include "io/posix/client_stream.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "base/str_cat.h"
#include "io/posix/system_clock.h"

namespace orochi::io {
namespace {

Status Failed(const std::string& peer, const char* call, int error) {
  return Status::Unavailable(StrCat(peer, ": ", call, ": ", std::strerror(error)));
}

// Rounded up, so that a wait of some microseconds is not a busy loop.
int PollMillis(int64_t timeout_us) {
  return static_cast<int>(std::clamp<int64_t>((timeout_us + 999) / 1000, 0, INT32_MAX));
}

// A socket that begins to connect; its descriptor says how that went.
Result<Descriptor> Begin(const std::string& peer, const sockaddr* address, socklen_t size_bytes) {
  Descriptor descriptor(
      ::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!descriptor.is_open()) {
    return Failed(peer, "socket", errno);
  }
  if (address->sa_family != AF_UNIX) {
    int const on = 1;
    setsockopt(descriptor.number(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  if (::connect(descriptor.number(), address, size_bytes) != 0 && errno != EINPROGRESS) {
    // EAGAIN is a Unix socket whose queue is full, which does not become writable.
    return Failed(peer, "connect", errno);
  }
  return descriptor;
}

Status Outcome(const std::string& peer, int descriptor) {
  int error = 0;
  socklen_t size_bytes = sizeof(error);
  if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size_bytes) != 0) {
    error = errno;
  }
  return error == 0 ? Status::Ok() : Failed(peer, "connect", error);
}

}  // namespace

Status ClientStream::Await(short events, int64_t timeout_us) const {
  SystemClock clock;
  int64_t const until_us = clock.MonotonicNanos() / 1000 + timeout_us;
  while (true) {
    pollfd entry{.fd = descriptor_.number(), .events = events, .revents = 0};
    int64_t const left_us = until_us - clock.MonotonicNanos() / 1000;
    int const ready = ::poll(&entry, 1, PollMillis(left_us));
    if (ready > 0) {
      return Status::Ok();
    }
    if (ready == 0 && left_us <= 0) {
      return Status::Timeout(StrCat(peer_, ": no answer within ", timeout_us / 1000, " ms"));
    }
    if (ready < 0 && errno != EINTR) {
      return Failed(peer_, "poll", errno);
    }
  }
}

Result<ClientStream> ClientStream::ConnectTcp(const std::string& host, uint16_t port,
                                              int64_t timeout_us) {
  std::string const peer = StrCat(host, ":", port);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  int const error = getaddrinfo(host.c_str(), StrCat(port).c_str(), &hints, &found);
  if (error != 0) {
    return Status::Unavailable(StrCat(peer, ": ", gai_strerror(error)));
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> const owner(found, freeaddrinfo);
  Result<ClientStream> last = Status::Unavailable(StrCat(peer, ": has no address"));
  for (const addrinfo* one = found; one != nullptr && !last.ok(); one = one->ai_next) {
    last = Finish(peer, Begin(peer, one->ai_addr, one->ai_addrlen), timeout_us);
  }
  return last;
}

Result<ClientStream> ClientStream::Finish(const std::string& peer, Result<Descriptor> begun,
                                          int64_t timeout_us) {
  if (!begun.ok()) {
    return std::move(begun).status();
  }
  ClientStream stream(*std::move(begun), peer);
  RETURN_IF_ERROR(stream.Await(POLLOUT, timeout_us));
  RETURN_IF_ERROR(Outcome(peer, stream.descriptor_.number()));
  return stream;
}

Result<ClientStream> ClientStream::ConnectUnix(const std::string& path, int64_t timeout_us) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    return Status::InvalidArgument(StrCat("a socket's path has 1 to ", sizeof(address.sun_path) - 1,
                                          " bytes, found ", path.size()));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return Finish(path, Begin(path, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
                timeout_us);
}

ClientStream::Sent ClientStream::Send(std::span<const char> bytes, int64_t timeout_us) {
  SystemClock clock;
  int64_t const until_us = clock.MonotonicNanos() / 1000 + timeout_us;
  Sent sent;
  while (sent.size_bytes < bytes.size()) {
    ssize_t const took = ::send(descriptor_.number(), bytes.data() + sent.size_bytes,
                                bytes.size() - sent.size_bytes, MSG_NOSIGNAL);
    if (took > 0) {
      sent.size_bytes += static_cast<size_t>(took);
    } else if (took < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      // Whoever takes a byte now and then does not get more time by it.
      sent.status = Await(POLLOUT, until_us - clock.MonotonicNanos() / 1000);
      if (!sent.status.ok()) {
        return sent;
      }
    } else if (took < 0 && errno != EINTR) {
      sent.status = Failed(peer_, "send", errno);
      return sent;
    }
  }
  return sent;
}

Result<size_t> ClientStream::Receive(std::span<char> buffer, int64_t timeout_us) {
  while (true) {
    // First, since an answer is never there at once: asking for it would be a call in vain.
    RETURN_IF_ERROR(Await(POLLIN, timeout_us));
    ssize_t const came = ::recv(descriptor_.number(), buffer.data(), buffer.size(), 0);
    if (came >= 0) {
      return static_cast<size_t>(came);
    }
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
      return Failed(peer_, "recv", errno);
    }
  }
}

bool ClientStream::IsQuiet() const {
  pollfd entry{.fd = descriptor_.number(), .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, 0) == 0;
}

}  // namespace orochi::io
