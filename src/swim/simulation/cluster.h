#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "sim/event_queue.h"
#include "sim/network.h"
#include "swim/simulation/ledger.h"
#include "swim/simulation/process.h"

namespace orochi::swim::simulation {

/// Processes on simulated machines, with the network between them: datagrams that a faulty network
/// carries, and streams, which lose nothing but end where a link is cut or nobody answers in time.
///
/// Threads: none.    Borrows: random, ledger, trace.
class Cluster {
 public:
  using TraceFunction = std::function<void(const std::string&)>;
  /// A process says something; `from_stream` when an exchange made it say it.
  using EventHook = std::function<void(Process&, const Event&)>;

  Cluster(Random& random, Ledger& ledger, const TraceFunction& trace, EventHook hook);

  sim::EventQueue& queue() { return queue_; }
  sim::NetworkFaults& faults() { return network_.faults(); }
  int64_t now_us() const { return queue_.now_us(); }

  /// Starts a process; what ran at the place is gone.
  Process& Start(const Options& options, const Identity& identity, uint64_t place,
                 int64_t drift_permyriad, const std::vector<uint64_t>& seed_places);
  void Stop(Process& process);
  void Pause(Process& process);
  void Resume(Process& process);
  void Leave(Process& process);
  void SetHints(Process& process, uint64_t meta_version, uint64_t load, std::string payload);
  void SetSeeds(Process& process, const std::vector<uint64_t>& places);

  void Cut(uint64_t from, uint64_t to) { network_.Cut(from, to); }
  void HealAll() { network_.HealAll(); }

  /// All processes that run, by place.
  std::map<uint64_t, std::unique_ptr<Process>>& processes() { return processes_; }
  Process* Find(uint64_t place);
  void RunUntil(int64_t time_us);
  void Note(const char* what, uint64_t value);

  uint64_t trace_hash() const { return trace_hash_; }
  uint64_t datagram_count() const { return datagram_count_; }
  uint64_t stream_count() const { return stream_count_; }

 private:
  struct Carried {
    uint64_t from;
    Bytes bytes;
  };

  Process* Reach(uint64_t from, uint64_t to);
  void Deliver(uint64_t to, const Carried& carried);
  void OpenStream(Process& caller, StreamRequest request);
  void AnswerStream(Process& callee, const Process::WaitingStream& stream);
  void EndStream(uint64_t caller, uint64_t token, Bytes reply);
  void Tick(Process& process);
  void ScheduleTick(Process& process);
  void Pump(Process& process, bool from_stream);
  Process* FindByNumber(uint64_t number);
  int64_t StreamDelay();

  Random& random_;
  Ledger& ledger_;
  const TraceFunction& trace_;
  EventHook hook_;
  sim::EventQueue queue_;
  sim::Network<Carried> network_;
  std::map<uint64_t, std::unique_ptr<Process>> processes_;
  std::map<uint64_t, uint64_t> place_of_;  // by number, of those that run
  uint64_t process_count_ = 0;
  uint64_t trace_hash_ = 0;
  uint64_t datagram_count_ = 0;
  uint64_t stream_count_ = 0;
};

}  // namespace orochi::swim::simulation
