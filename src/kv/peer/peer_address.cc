#include "kv/peer/internal/peer_address.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/str_cat.h"
#include "io/socket_address.h"

namespace orochi::kv::peer {
namespace {

constexpr size_t kHostSizeBytesMax = 253;

bool IsHostName(std::string_view host) {
  return !host.empty() && host.size() <= kHostSizeBytesMax &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '.' || c == '_';
         });
}

bool IsPort(std::string_view text) {
  uint16_t port = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

bool IsLoopback(const io::SocketAddress& address) {
  constexpr size_t kFirstOctetOfV4 = 12;
  io::SocketAddress v6;
  v6.ip.back() = 1;
  return address.IsV4() ? address.ip[kFirstOctetOfV4] == 127 : address.ip == v6.ip;
}

}  // namespace

Result<PeerAddress> ParsePeerAddress(const std::string& text) {
  auto const number = io::ParseSocketAddress(text);
  size_t const colon = text.rfind(':');
  PeerAddress address;
  if (number.ok()) {
    address.host = text.substr(0, colon);
    address.target = StrCat(number->IsV4() ? "ipv4:" : "ipv6:", text);
    address.is_loopback = IsLoopback(*number);
    if (address.host.starts_with('[')) {
      address.host = address.host.substr(1, address.host.size() - 2);
    }
    return address;
  }
  if (colon == std::string::npos || !IsHostName(std::string_view(text).substr(0, colon)) ||
      !IsPort(std::string_view(text).substr(colon + 1))) {
    return Status::InvalidArgument(
        StrCat("address \"", text.substr(0, kHostSizeBytesMax),
               "\": expected HOST:PORT, where an IPv6 address is in brackets"));
  }
  address.host = text.substr(0, colon);
  address.target = StrCat("dns:///", text);
  address.is_loopback = address.host == "localhost";
  return address;
}

}  // namespace orochi::kv::peer
