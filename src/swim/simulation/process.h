#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "swim/swim_core.h"

namespace orochi::swim::simulation {

using Bytes = std::shared_ptr<const std::vector<std::byte>>;

/// What a data directory holds.
struct Identity {
  ClusterId cluster;
  NodeId id;
  uint64_t generation = 0;
};

/// Places are ports of one host: what is sent to one reaches whoever runs there.
inline io::SocketAddress AddressOf(uint64_t place) {
  return io::SocketAddress::V4(127, 0, 0, 1, static_cast<uint16_t>(place));
}

/// One run of a node, from its start to its end.
struct Process {
  uint64_t number;  // no two have the same
  uint64_t place;
  Identity identity;
  std::unique_ptr<SwimCore> core;
  int64_t drift_permyriad = 0;  // how much faster its clock runs
  bool up = true;
  bool paused = false;

  // While paused: what its sockets hold.
  std::deque<Bytes> waiting_datagrams{};
  struct WaitingStream {
    uint64_t caller;
    uint64_t token;
    Bytes bytes;
  };
  std::deque<WaitingStream> waiting_streams{};

  std::set<uint64_t> open_streams{};  // tokens without an answer
  int64_t tick_at_us = INT64_MAX;
  uint64_t tick_epoch = 0;

  // What its events have said: who is there.
  std::set<NodeId> announced{};

  int64_t LocalTime(int64_t now_us) const { return now_us + now_us * drift_permyriad / 10'000; }
  bool IsMember() const { return up && core->standing() == Standing::kMember; }
};

}  // namespace orochi::swim::simulation
