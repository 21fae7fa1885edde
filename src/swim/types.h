#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/tagged.h"
#include "io/socket_address.h"

namespace orochi::swim {

/// Who a node is, whatever its address: drawn once, kept in its data directory. Zero is nobody.
struct NodeId {
  uint64_t high = 0;
  uint64_t low = 0;
  friend auto operator<=>(const NodeId&, const NodeId&) = default;
};

/// Which cluster a node belongs to. Packets of another one are refused.
struct ClusterId {
  uint64_t high = 0;
  uint64_t low = 0;
  friend auto operator<=>(const ClusterId&, const ClusterId&) = default;
};

/// 32 hexadecimal digits.
std::string ToString(NodeId id);
std::string ToString(ClusterId id);

/// How often a node has started, counted durably before its first packet. From 1.
using Generation = Tagged<uint64_t, struct GenerationTag>;
/// How often it has refuted since it started. From 0.
using Incarnation = Tagged<uint64_t, struct IncarnationTag>;

enum class Health : uint8_t {
  kAlive = 0,
  kSuspect = 1,   // somebody got no answer; unless refuted, it will be dead
  kDead = 2,      //
  kLeft = 3,      // said so itself; nothing of the same generation changes that
  kConflict = 4,  // two nodes have this identity and generation: neither is to be trusted
};
std::string_view HealthName(Health health);

inline constexpr uint64_t kVersionMax = uint64_t{1} << 62;
inline constexpr size_t kHintPayloadSizeBytesMax = 192;

/// What a member tells about itself beside being there. Never the truth about anything: that is
/// kept by the cluster's own log.
struct Hints {
  uint64_t revision = 0;  // grows within a generation
  uint64_t meta_version = 0;
  uint64_t load = 0;    // in whatever unit the daemon compares
  std::string payload;  // at most kHintPayloadSizeBytesMax: service address, zone, ...

  friend bool operator==(const Hints&, const Hints&) = default;
};

/// One claim about one member.
struct Record {
  NodeId id;
  Generation generation{};
  Incarnation incarnation{};
  Health health = Health::kAlive;
  io::SocketAddress address{};  // does not change within a generation
  NodeId accuser{};             // kSuspect: who got no answer
  uint64_t gone_for_s = 0;      // kDead, kLeft, kConflict: for how long the teller has known
  std::optional<Hints> hints{};
};

/// Which claim about one member is believed: the greater one. A total order of what a claim says
/// about life and death, so views that have heard the same agree, in whatever order they heard it.
std::strong_ordering CompareClaims(const Record& a, const Record& b);

/// Whether a member of this health may be there: it is asked, told and counted.
constexpr bool IsPresent(Health health) {
  return health == Health::kAlive || health == Health::kSuspect;
}

}  // namespace orochi::swim
