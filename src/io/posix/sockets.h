#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "io/socket_address.h"

namespace orochi::io {

/// An open descriptor, closed when destroyed.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

/// Sockets that never block. Errors carry the address, the call and the system's reason.
/// Threads: one at a time.
class DatagramSocket {
 public:
  /// Port 0: any that is free.
  static Result<DatagramSocket> Bind(const SocketAddress& address);
  /// Datagrams may be lost, so one that cannot be sent now is.
  void Send(const SocketAddress& to, std::span<const std::byte> bytes);
  /// The size of the next datagram, cut to `buffer`; nothing when none waits.
  std::optional<size_t> Receive(std::span<std::byte> buffer);
  int descriptor() const { return descriptor_.number(); }

 private:
  Descriptor descriptor_;
  bool is_v6_ = false;
};

class StreamSocket {
 public:
  explicit StreamSocket(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}
  /// Begins to connect; writable when done.
  static Result<StreamSocket> Connect(const SocketAddress& to);
  /// How many bytes were read: 0 when none wait. kUnavailable when the other side has closed.
  Result<size_t> Read(std::span<std::byte> buffer);
  Result<size_t> Write(std::span<const std::byte> bytes);
  int descriptor() const { return descriptor_.number(); }

 private:
  Descriptor descriptor_;
};

class StreamListener {
 public:
  static Result<StreamListener> Bind(const SocketAddress& address);
  std::optional<StreamSocket> Accept();
  /// With the port that was free.
  const SocketAddress& address() const { return address_; }
  int descriptor() const { return descriptor_.number(); }

 private:
  Descriptor descriptor_;
  SocketAddress address_;
};

/// Ends a wait from another thread.
class Waker {
 public:
  static Result<Waker> Create();
  void Wake();
  void Clear();
  /// Returns once woken, which it clears, or after `timeout_us`; negative waits for ever.
  void Wait(int64_t timeout_us);
  int descriptor() const { return descriptor_.number(); }

 private:
  Descriptor descriptor_;
};

struct PollEntry {
  int descriptor;
  bool wants_write = false;
  bool readable = false;  // or broken: reading tells
  bool writable = false;
};
/// Returns when one of `entries` is ready, or after `timeout_ms`.
void Poll(std::span<PollEntry> entries, int timeout_ms);

}  // namespace orochi::io
