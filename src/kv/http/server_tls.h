#pragma once

#include <cstdint>
#include <string>

#include "base/status.h"

namespace orochi::kv::http {

/// PEM files of a server. They are read again when they change; connections that exist stay as they
/// are.
struct TlsOptions {
  std::string certificate;  // the server's, then its intermediates
  std::string key;
  std::string client_authority = {};  // not empty: clients have to show a certificate of it
  int64_t reload_us = 10'000'000;     // how often they are looked at
};

/// kInvalidArgument when a file cannot be read, is not what it should be, or the key is not the
/// certificate's; the message names the file.
Status CheckTls(const TlsOptions& options);

}  // namespace orochi::kv::http
