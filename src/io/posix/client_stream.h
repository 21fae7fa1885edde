#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "io/posix/sockets.h"

namespace orochi::io {

/// A connection to a server, for a caller who waits: TCP by host name or address, or a Unix
/// socket. Every wait has a bound of its own. Writing to a peer that is gone raises no signal.
///
/// Threads: one at a time.
class ClientStream {
 public:
  /// Tries each address that `host` has. kUnavailable: none took the connection; kTimeout. How long
  /// names take to resolve is the system's business, and not bounded by `timeout_us`.
  static Result<ClientStream> ConnectTcp(const std::string& host, uint16_t port,
                                         int64_t timeout_us);
  static Result<ClientStream> ConnectUnix(const std::string& path, int64_t timeout_us);

  struct Sent {
    size_t size_bytes = 0;  // that the system took; the peer may have got fewer
    Status status = {};     // kTimeout, kUnavailable when these are not all
  };
  Sent Send(std::span<const char> bytes, int64_t timeout_us);
  /// How many bytes came, at least one; 0: the peer has sent all it will. kTimeout, kUnavailable.
  Result<size_t> Receive(std::span<char> buffer, int64_t timeout_us);
  /// Nothing waits to be read, and the peer has not closed as far as is known here.
  bool IsQuiet() const;

 private:
  ClientStream(Descriptor descriptor, std::string peer)
      : descriptor_(std::move(descriptor)), peer_(std::move(peer)) {}
  static Result<ClientStream> Finish(const std::string& peer, Result<Descriptor> begun,
                                     int64_t timeout_us);
  Status Await(short events, int64_t timeout_us) const;

  Descriptor descriptor_;
  std::string peer_;
};

}  // namespace orochi::io
