#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kv/http/server_tls.h"

namespace orochi::kv::http {

using TlsContext = std::shared_ptr<SSL_CTX>;  // of the connections made with it

/// What a server shows of itself, and whom it believes. The files are read again when a connection
/// comes and `reload_us` have passed; if they are no good then, what was good before stays, and
/// `on_error` is told once for each change.
///
/// Threads: any.    Borrows: clock.
class TlsIdentity {
 public:
  static Result<std::unique_ptr<TlsIdentity>> Load(TlsOptions options, Clock& clock,
                                                   std::function<void(const Status&)> on_error);
  TlsContext Current();

 private:
  TlsIdentity(TlsOptions options, Clock& clock, std::function<void(const Status&)> on_error)
      : options_(std::move(options)), clock_(clock), on_error_(std::move(on_error)) {}
  void Reload(int64_t now_ns);

  const TlsOptions options_;
  Clock& clock_;
  const std::function<void(const Status&)> on_error_;
  std::mutex mutex_;
  TlsContext current_;   // guarded by mutex_, as the rest
  std::string content_;  // of the files that were looked at last
  int64_t looked_ns_ = 0;
};

}  // namespace orochi::kv::http
