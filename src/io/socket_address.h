#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace orochi::io {

/// Where a socket listens: an IP address and a port. IPv4 addresses are kept in their IPv6-mapped
/// form (::ffff:a.b.c.d), so equal means the same place. All zero is no address.
struct SocketAddress {
  std::array<uint8_t, 16> ip{};  // network byte order
  uint16_t port = 0;

  static SocketAddress V4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint16_t port);

  bool IsV4() const;
  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

/// "127.0.0.1:7946" or "[::1]:7946": numbers, no names. kInvalidArgument otherwise.
Result<SocketAddress> ParseSocketAddress(std::string_view text);
/// The same form.
std::string ToString(const SocketAddress& address);

}  // namespace orochi::io
