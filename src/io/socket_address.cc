#include "io/socket_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/str_cat.h"

namespace orochi::io {
namespace {

constexpr std::array<uint8_t, 12> kV4Prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

}  // namespace

SocketAddress SocketAddress::V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port) {
  SocketAddress address;
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), address.ip.begin());
  address.ip[12] = a;
  address.ip[13] = b;
  address.ip[14] = c;
  address.ip[15] = d;
  address.port = port;
  return address;
}

bool SocketAddress::IsV4() const {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), ip.begin());
}

Result<SocketAddress> ParseSocketAddress(std::string_view text) {
  auto const refuse = [text] {
    return Status::InvalidArgument(
        StrCat("address \"", text, "\": expected IPv4:port or [IPv6]:port, in numbers"));
  };
  size_t const colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) {
    return refuse();
  }
  SocketAddress address;
  std::string_view const port = text.substr(colon + 1);
  auto const [end, error] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (error != std::errc() || end != port.data() + port.size()) {
    return refuse();
  }
  std::string_view const host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    std::string const inner(host.substr(1, host.size() - 2));
    if (::inet_pton(AF_INET6, inner.c_str(), address.ip.data()) != 1) {
      return refuse();
    }
    return address;
  }
  std::array<uint8_t, 4> v4{};
  if (::inet_pton(AF_INET, std::string(host).c_str(), v4.data()) != 1) {
    return refuse();
  }
  return SocketAddress::V4(v4[0], v4[1], v4[2], v4[3], address.port);
}

std::string ToString(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.IsV4()) {
    ::inet_ntop(AF_INET, address.ip.data() + 12, text, sizeof(text));
    return StrCat(std::string_view(text), ":", address.port);
  }
  ::inet_ntop(AF_INET6, address.ip.data(), text, sizeof(text));
  return StrCat("[", std::string_view(text), "]:", address.port);
}

}  // namespace orochi::io
