#pragma once

#include <httplib.h>
#include <openssl/ssl.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "io/posix/sockets.h"
#include "kv/http/internal/tls_identity.h"

namespace orochi::kv::http {

struct ConnectionLimits {
  int64_t read_us_max = 5'000'000;      // without a byte
  int64_t request_us_max = 60'000'000;  // from a request's first byte to its last
  int64_t write_us_max = 10'000'000;    // without a byte taken
  size_t head_size_bytes_max = 64 * 1024;
};

/// One client's connection, with TLS or without, as the library reads and writes it. What a client
/// may take of time and memory before its request is understood is bounded here.
///
/// Threads: one.    Borrows: clock, limits.
class Connection final : public httplib::Stream {
 public:
  Connection(io::Descriptor descriptor, Clock& clock, const ConnectionLimits& limits);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Agrees on TLS. False when it did not come to that.
  bool Handshake(TlsContext context);
  /// Whether bytes wait, or come before `until_ns`. Ends early when `stirred` or `stopping` becomes
  /// readable; -1 never does.
  enum class Wait : uint8_t { kReadable, kTimeOver, kStirred, kEnd };
  Wait AwaitBytes(int64_t until_ns, int stirred, int stopping);

  void BeginRequest();
  /// What follows is the body, which the reader bounds.
  void EndHead() { in_head_ = false; }
  bool is_in_head() const { return in_head_; }
  /// The request's head was longer than it may be. Then nothing else is written than what is told
  /// instead of the library's answer.
  bool head_too_large() const { return head_too_large_; }
  void TellInstead(const std::string& answer);
  /// Says that there will be no more, so that the client reads the last answer.
  void Finish();

  // httplib::Stream
  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* bytes, size_t size_bytes) override;
  ssize_t write(const char* bytes, size_t size_bytes) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return descriptor_.number(); }

 private:
  bool WaitFor(short events, int64_t until_ns) const;
  /// What one call gives: bytes, 0 at the end, -1 when broken, or what has to be waited for.
  struct Step {
    ssize_t size_bytes = 0;
    short wait_for = 0;  // POLLIN or POLLOUT; 0: done
  };
  Step ReadStep(char* bytes, size_t size_bytes);
  Step WriteStep(const char* bytes, size_t size_bytes);
  ssize_t Fill();
  int64_t NowNanos() const { return clock_.MonotonicNanos(); }

  io::Descriptor descriptor_;
  Clock& clock_;
  const ConnectionLimits& limits_;
  TlsContext context_;
  std::unique_ptr<SSL, void (*)(SSL*)> tls_{nullptr, SSL_free};
  bool broken_ = false;

  std::array<char, 4096> buffer_;  // [begin, end) was read and not taken
  size_t begin_ = 0;
  size_t end_ = 0;
  int64_t request_until_ns_ = 0;
  size_t head_size_bytes_ = 0;
  bool in_head_ = false;
  bool head_too_large_ = false;
};

}  // namespace orochi::kv::http
