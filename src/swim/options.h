#pragma once

#include <cstddef>
#include <cstdint>

namespace orochi::swim {

/// How fast failures are noticed, and what that costs. See LocalProfile and LanProfile.
struct Options {
  int64_t probe_interval_us = 1'000'000;
  int64_t probe_timeout_us = 500'000;  // of the direct question; then others are asked to ask
  size_t indirect_count = 3;
  /// A suspicion lasts mult x max(1, log10 n) probe intervals when enough others confirm it, and
  /// up to max_mult times as long when nobody does.
  int suspicion_mult = 4;
  int suspicion_max_mult = 6;
  int awareness_max = 7;  // a node that misses answers slows down to this + 1 times
  int64_t gossip_interval_us = 200'000;
  size_t gossip_fanout = 3;
  int gossip_transmit_mult = 4;  // a rumour is sent mult x ceil(ln(n + 1)) times by each
  int64_t gossip_to_dead_us = 30'000'000;
  int64_t exchange_small_us = 15'000'000;  // up to exchange_small_count members
  int64_t exchange_us = 30'000'000;
  size_t exchange_small_count = 5;
  /// One dead member and one seed that is nobody's address are called this often, so that halves
  /// of a cluster that were apart for long find each other; sooner when nobody else is there.
  int64_t dead_call_us = 30'000'000;
  int64_t lonely_call_us = 2'000'000;
  int64_t dead_keep_us = int64_t{24} * 3600 * 1'000'000;
  size_t packet_size_bytes_max = 1'400;  // of a datagram; sealing takes its share of it
  size_t member_count_max = 4'096;
};

/// For nodes on one machine or in one rack.
inline Options LocalProfile() {
  return {.probe_interval_us = 500'000,
          .probe_timeout_us = 200'000,
          .gossip_interval_us = 100'000,
          .gossip_to_dead_us = 15'000'000};
}
/// For nodes of one site.
inline Options LanProfile() {
  return {};
}

}  // namespace orochi::swim
