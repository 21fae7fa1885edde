#pragma once

#include <string>

#include "base/status.h"

namespace orochi::kv::peer {

/// PEM files of a node. They are read again when they change, within reload_interval_s; connections
/// that exist stay as they are.
struct TlsFiles {
  std::string certificate;  // the node's, then its intermediates
  std::string key;
  std::string authority;  // what certificates of peers are checked against
  /// Peers always show a certificate of `authority`. What else is checked of the one we dial: that
  /// it is made out to this name, or when empty to the host of its address.
  std::string peer_name;
  unsigned reload_interval_s = 10;
};

/// kInvalidArgument when a file cannot be read or is not what it should be, or the key is not the
/// certificate's; kFailedPrecondition when the certificate has expired. The message names the file.
Status CheckTlsFiles(const TlsFiles& files);

}  // namespace orochi::kv::peer
