#pragma once

#include <cstdint>
#include <deque>

#include "raft/types.h"

namespace orochi::raft {

/// What a leader knows of one replica's log, and how it sends to it.
struct Progress {
  enum class State : uint8_t {
    kProbe,      // where the logs agree is unknown: one message at a time
    kReplicate,  // they agree: messages follow each other without waiting for answers
    kSnapshot,   // the entries it needs are gone: a snapshot is on its way
  };

  LogIndex match;  // the greatest index known to be equal and durable there
  LogIndex next;   // the first to send; match < next
  State state = State::kProbe;
  bool probe_sent = false;       // kProbe: no other message before an answer
  bool recently_active = false;  // has answered since the quorum was last checked
  uint64_t read_round_seen = 0;  // the latest question whether we lead that it has answered
  LogIndex snapshot_index;       // kSnapshot: what the snapshot brings it to
  struct Sent {
    LogIndex last;
    uint64_t size_bytes;
  };
  std::deque<Sent> in_flight;  // kReplicate: messages without an answer
  uint64_t in_flight_bytes = 0;

  void Probe(LogIndex next_index) {
    state = State::kProbe;
    next = next_index;
    probe_sent = false;
    in_flight.clear();
    in_flight_bytes = 0;
  }
  void Replicate() {
    state = State::kReplicate;
    next = match + 1;
    probe_sent = false;
  }
  void AwaitSnapshot(LogIndex index) {
    Probe(match + 1);
    state = State::kSnapshot;
    snapshot_index = index;
  }
  /// Forgets messages answered by an acknowledgement of `index`.
  void Answered(LogIndex index) {
    while (!in_flight.empty() && in_flight.front().last <= index) {
      in_flight_bytes -= in_flight.front().size_bytes;
      in_flight.pop_front();
    }
  }
};

}  // namespace orochi::raft
