#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "sim/violation.h"
#include "swim/simulation/process.h"
#include "swim/swim_core.h"

namespace orochi::swim::simulation {

using sim::Violation;

/// What really happened, against which every view is held.
class Ledger {
 public:
  void NoteStart(const Process& process);
  void NoteLeave(const Process& process);
  /// After each input of a process, before anything that it sent arrives: its word about itself is
  /// taken down, and its view must not contradict what happened, nor what it was before (S3).
  void NoteInput(const Process& process);
  /// An event in the order in which the process gives them out. `from_stream`: of an exchange,
  /// which kills nobody.
  void NoteEvent(Process& process, const Event& event, bool from_stream);
  /// A datagram is sent: its size, and how many this process sends a second.
  void NoteSent(const Process& process, const Datagram& datagram, int64_t now_us);
  void NoteReceived(const Process& process, int64_t now_us);

  uint64_t dead_event_count() const { return dead_event_count_; }

 private:
  struct Life {  // of one generation of an id
    ClusterId cluster;
    std::set<uint64_t> places;
    Incarnation incarnation_max{};
    bool left = false;
    uint64_t process_count = 0;
  };
  struct Seen {
    Generation generation;
    Incarnation incarnation;
    Health health;
    uint64_t revision;
  };
  struct Traffic {
    int64_t second = -1;
    uint64_t sent = 0;
    uint64_t received = 0;
    uint64_t received_before = 0;  // in the second before
  };

  void CheckView(const Process& process, const Record& record) const;
  static void CheckOrder(const Process& process, const Seen& before, const Record& now);
  Traffic& TrafficAt(const Process& process, int64_t now_us);

  std::map<std::pair<NodeId, Generation>, Life> lives_;
  std::map<uint64_t, std::map<NodeId, Seen>> views_;  // by process
  std::map<uint64_t, Traffic> traffic_;
  uint64_t dead_event_count_ = 0;
};

}  // namespace orochi::swim::simulation
