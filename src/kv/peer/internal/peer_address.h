#pragma once

#include <string>

#include "base/result.h"

namespace orochi::kv::peer {

/// Where a node listens or is dialled.
struct PeerAddress {
  std::string target;  // as gRPC wants it: never a scheme that the user chose
  std::string host;    // without brackets
  bool is_loopback = false;
};

/// "HOST:PORT" with a name, an IPv4 or a bracketed IPv6 address. kInvalidArgument otherwise.
Result<PeerAddress> ParsePeerAddress(const std::string& text);

}  // namespace orochi::kv::peer
