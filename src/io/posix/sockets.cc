#include "io/posix/sockets.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/str_cat.h"

namespace orochi::io {
namespace {

struct Native {
  sockaddr_storage storage{};
  socklen_t size_bytes = 0;
  sockaddr* address() { return reinterpret_cast<sockaddr*>(&storage); }
};

Native ToNative(const SocketAddress& address, bool as_v6) {
  Native native;
  if (!as_v6) {
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&native.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    std::memcpy(&v4->sin_addr, address.ip.data() + 12, 4);
    native.size_bytes = sizeof(sockaddr_in);
    return native;
  }
  auto* const v6 = reinterpret_cast<sockaddr_in6*>(&native.storage);
  v6->sin6_family = AF_INET6;
  v6->sin6_port = htons(address.port);
  std::memcpy(&v6->sin6_addr, address.ip.data(), 16);
  native.size_bytes = sizeof(sockaddr_in6);
  return native;
}

Status Failed(const SocketAddress& address, const char* call, int error) {
  std::string const text = StrCat(ToString(address), ": ", call, ": ", std::strerror(error));
  switch (error) {
    case EADDRINUSE:
      return Status::AlreadyExists(text);
    case EACCES:
    case EPERM:
      return Status::PermissionDenied(text);
    default:
      return Status::Unavailable(text);
  }
}

Result<Descriptor> Open(const SocketAddress& address, int type) {
  Descriptor descriptor(
      ::socket(address.IsV4() ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!descriptor.is_open()) {
    return Failed(address, "socket", errno);
  }
  return descriptor;
}

bool MustWait(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == EINPROGRESS ||
         error == ENOTCONN;
}

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(number_, other.number_);
  return *this;
}

Descriptor::~Descriptor() {
  if (is_open()) {
    ::close(number_);
  }
}

Result<DatagramSocket> DatagramSocket::Bind(const SocketAddress& address) {
  DatagramSocket socket;
  ASSIGN_OR_RETURN(socket.descriptor_, Open(address, SOCK_DGRAM));
  socket.is_v6_ = !address.IsV4();
  Native native = ToNative(address, socket.is_v6_);
  if (::bind(socket.descriptor(), native.address(), native.size_bytes) != 0) {
    return Failed(address, "bind", errno);
  }
  return socket;
}

void DatagramSocket::Send(const SocketAddress& to, std::span<const std::byte> bytes) {
  if (!is_v6_ && !to.IsV4()) {
    return;  // there is no way from here
  }
  Native native = ToNative(to, is_v6_);
  ssize_t const sent = ::sendto(descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL,
                                native.address(), native.size_bytes);
  (void)sent;
}

std::optional<size_t> DatagramSocket::Receive(std::span<std::byte> buffer) {
  ssize_t size_bytes = 0;
  do {  // ECONNREFUSED and the like tell of an earlier datagram
    size_bytes = ::recv(descriptor(), buffer.data(), buffer.size(), 0);
  } while (size_bytes < 0 && !MustWait(errno));
  return size_bytes < 0 ? std::nullopt : std::optional(static_cast<size_t>(size_bytes));
}

Result<StreamSocket> StreamSocket::Connect(const SocketAddress& to) {
  ASSIGN_OR_RETURN(Descriptor descriptor, Open(to, SOCK_STREAM));
  Native native = ToNative(to, !to.IsV4());
  if (::connect(descriptor.number(), native.address(), native.size_bytes) != 0 &&
      errno != EINPROGRESS) {
    return Failed(to, "connect", errno);
  }
  return StreamSocket(std::move(descriptor));
}

Result<size_t> StreamSocket::Read(std::span<std::byte> buffer) {
  ssize_t const size_bytes = ::recv(descriptor(), buffer.data(), buffer.size(), 0);
  if (size_bytes > 0) {
    return static_cast<size_t>(size_bytes);
  }
  if (size_bytes < 0 && MustWait(errno)) {
    return size_t{0};
  }
  return Status::Unavailable(StrCat("stream: ", size_bytes == 0 ? "closed" : std::strerror(errno)));
}

Result<size_t> StreamSocket::Write(std::span<const std::byte> bytes) {
  ssize_t const size_bytes = ::send(descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (size_bytes >= 0) {
    return static_cast<size_t>(size_bytes);
  }
  if (MustWait(errno)) {
    return size_t{0};
  }
  return Status::Unavailable(StrCat("stream: ", std::strerror(errno)));
}

Result<StreamListener> StreamListener::Bind(const SocketAddress& address) {
  StreamListener listener;
  ASSIGN_OR_RETURN(listener.descriptor_, Open(address, SOCK_STREAM));
  int const yes = 1;
  ::setsockopt(listener.descriptor(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  Native native = ToNative(address, !address.IsV4());
  if (::bind(listener.descriptor(), native.address(), native.size_bytes) != 0) {
    return Failed(address, "bind", errno);
  }
  if (::listen(listener.descriptor(), 64) != 0) {
    return Failed(address, "listen", errno);
  }
  Native bound;
  bound.size_bytes = sizeof(bound.storage);
  if (::getsockname(listener.descriptor(), bound.address(), &bound.size_bytes) != 0) {
    return Failed(address, "getsockname", errno);
  }
  listener.address_ = address;
  listener.address_.port =
      ntohs(address.IsV4() ? reinterpret_cast<sockaddr_in*>(&bound.storage)->sin_port
                           : reinterpret_cast<sockaddr_in6*>(&bound.storage)->sin6_port);
  return listener;
}

std::optional<StreamSocket> StreamListener::Accept() {
  Descriptor accepted(::accept4(descriptor(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  return accepted.is_open() ? std::optional(StreamSocket(std::move(accepted))) : std::nullopt;
}

Result<Waker> Waker::Create() {
  Waker waker;
  waker.descriptor_ = Descriptor(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!waker.descriptor_.is_open()) {
    return Status::IoError(StrCat("eventfd: ", std::strerror(errno)));
  }
  return waker;
}

void Waker::Wake() {
  uint64_t const one = 1;
  ssize_t const written = ::write(descriptor(), &one, sizeof(one));
  (void)written;  // full means it is awake already
}

void Waker::Clear() {
  uint64_t count = 0;
  ssize_t const size_bytes = ::read(descriptor(), &count, sizeof(count));
  (void)size_bytes;
}

void Waker::Wait(int64_t timeout_us) {
  constexpr int64_t kMicrosInSecond = 1'000'000;
  pollfd entry{.fd = descriptor(), .events = POLLIN, .revents = 0};
  timespec const timeout{.tv_sec = timeout_us / kMicrosInSecond,
                         .tv_nsec = timeout_us % kMicrosInSecond * 1000};
  if (::ppoll(&entry, 1, timeout_us < 0 ? nullptr : &timeout, nullptr) > 0) {
    Clear();
  }
}

void Poll(std::span<PollEntry> entries, int timeout_ms) {
  std::vector<pollfd> native;
  native.reserve(entries.size());
  for (const PollEntry& entry : entries) {
    native.push_back({.fd = entry.descriptor,
                      .events = static_cast<short>(POLLIN | (entry.wants_write ? POLLOUT : 0)),
                      .revents = 0});
  }
  int const ready = ::poll(native.data(), native.size(), timeout_ms);
  for (size_t index = 0; index < entries.size(); ++index) {
    auto const found = ready > 0 ? native[index].revents : 0;
    entries[index].readable = (found & (POLLIN | POLLERR | POLLHUP)) != 0;
    entries[index].writable = (found & (POLLOUT | POLLERR | POLLHUP)) != 0;
  }
}

}  // namespace orochi::io
