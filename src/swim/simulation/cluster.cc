#include "swim/simulation/cluster.h"

#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::swim::simulation {
namespace {

constexpr int64_t kStreamPatienceUs = 2'000'000;
constexpr size_t kSocketDatagramsMax = 256;

std::vector<io::SocketAddress> AddressesOf(const std::vector<uint64_t>& places) {
  std::vector<io::SocketAddress> addresses;
  for (uint64_t const place : places) {
    addresses.push_back(AddressOf(place));
  }
  return addresses;
}

}  // namespace

Cluster::Cluster(Random& random, Ledger& ledger, const TraceFunction& trace, EventHook hook)
    : random_(random),
      ledger_(ledger),
      trace_(trace),
      hook_(std::move(hook)),
      network_(queue_, random,
               [this](uint64_t to, const Carried& carried) { Deliver(to, carried); }) {}

void Cluster::Note(const char* what, uint64_t value) {
  trace_hash_ =
      (trace_hash_ ^ static_cast<uint64_t>(now_us()) ^ (value << 17)) * 0x9E3779B97F4A7C15;
  if (trace_) {
    trace_(StrCat(now_us() / 1000, " ms ", what, " ", value));
  }
}

Process* Cluster::Find(uint64_t place) {
  auto const found = processes_.find(place);
  return found == processes_.end() ? nullptr : found->second.get();
}

Process* Cluster::FindByNumber(uint64_t number) {
  auto const place = place_of_.find(number);
  return place == place_of_.end() ? nullptr : Find(place->second);
}

Process& Cluster::Start(const Options& options, const Identity& identity, uint64_t place,
                        int64_t drift_permyriad, const std::vector<uint64_t>& seed_places) {
  if (Process* const before = Find(place); before != nullptr) {
    Stop(*before);
  }
  auto process = std::make_unique<Process>(Process{.number = ++process_count_,
                                                   .place = place,
                                                   .identity = identity,
                                                   .core = nullptr,
                                                   .drift_permyriad = drift_permyriad});
  auto core = SwimCore::Create(options,
                               {.cluster = identity.cluster,
                                .id = identity.id,
                                .generation = Generation(identity.generation),
                                .address = AddressOf(place)},
                               process->LocalTime(now_us()), random_);
  ASSERT(core.ok());
  process->core = *std::move(core);
  Process& started = *process;
  place_of_[started.number] = place;
  processes_[place] = std::move(process);
  Note("start", identity.id.low * 1'000'000 + identity.generation * 1'000 + place);
  ledger_.NoteStart(started);
  SetSeeds(started, seed_places);
  return started;
}

void Cluster::Stop(Process& process) {
  Note("stop", process.place);
  place_of_.erase(process.number);
  processes_.erase(process.place);
}

void Cluster::Pause(Process& process) {
  Note("pause", process.place);
  process.paused = true;
}

// A process that goes on finds its sockets full, and only then looks at the clock.
void Cluster::Resume(Process& process) {
  Note("resume", process.place);
  process.paused = false;
  for (const Bytes& bytes : std::exchange(process.waiting_datagrams, {})) {
    ledger_.NoteReceived(process, now_us());
    process.core->OnDatagram(*bytes).IgnoreError("other clusters are refused");
    Pump(process, false);
  }
  for (const auto& stream : std::exchange(process.waiting_streams, {})) {
    AnswerStream(process, stream);
  }
  Tick(process);
}

void Cluster::Leave(Process& process) {
  Note("leave", process.place);
  ledger_.NoteLeave(process);
  process.core->Leave();
  Pump(process, false);
}

void Cluster::SetHints(Process& process, uint64_t meta_version, uint64_t load,
                       std::string payload) {
  Status const status = process.core->SetHints(meta_version, load, std::move(payload));
  ASSERT(status.ok());
  Pump(process, false);
}

void Cluster::SetSeeds(Process& process, const std::vector<uint64_t>& places) {
  process.core->SetSeeds(AddressesOf(places));
  Pump(process, false);
}

void Cluster::RunUntil(int64_t time_us) {
  bool reached = false;
  queue_.After(std::max<int64_t>(0, time_us - now_us()), [&reached] { reached = true; });
  while (!reached) {
    queue_.RunNext();
  }
}

void Cluster::Tick(Process& process) {
  process.core->Tick(process.LocalTime(now_us()));
  Pump(process, false);
}

void Cluster::ScheduleTick(Process& process) {
  int64_t const local_us = process.core->next_tick_us() - process.LocalTime(now_us());
  int64_t const delay_us =
      std::max<int64_t>(0, local_us * 10'000 / (10'000 + process.drift_permyriad) + 1);
  int64_t const at_us = now_us() + delay_us;
  if (at_us >= process.tick_at_us) {
    return;
  }
  process.tick_at_us = at_us;
  uint64_t const epoch = ++process.tick_epoch;
  queue_.After(delay_us, [this, number = process.number, epoch] {
    Process* const due = FindByNumber(number);
    if (due == nullptr || due->tick_epoch != epoch) {
      return;
    }
    due->tick_at_us = INT64_MAX;
    if (!due->paused) {
      Tick(*due);
    }
  });
}

void Cluster::Deliver(uint64_t to, const Carried& carried) {
  Process* const process = Find(to);
  if (process == nullptr) {
    return;
  }
  if (process->paused) {
    if (process->waiting_datagrams.size() < kSocketDatagramsMax) {
      process->waiting_datagrams.push_back(carried.bytes);
    }
    return;
  }
  ++datagram_count_;
  ledger_.NoteReceived(*process, now_us());
  process->core->OnDatagram(*carried.bytes).IgnoreError("other clusters are refused");
  Pump(*process, false);
}

Process* Cluster::Reach(uint64_t from, uint64_t to) {
  return network_.IsCut(from, to) || network_.IsCut(to, from) ? nullptr : Find(to);
}

// Lost packets of a stream are sent again, which takes time.
int64_t Cluster::StreamDelay() {
  const sim::NetworkFaults& faults = network_.faults();
  auto const spread = static_cast<uint64_t>(faults.delay_us_max - faults.delay_us_min + 1);
  int64_t delay_us = 2 * (faults.delay_us_min + static_cast<int64_t>(random_.Below(spread)));
  while (random_.Below(1000) < faults.drop_permille) {
    delay_us += 200'000;
  }
  return delay_us;
}

void Cluster::OpenStream(Process& caller, StreamRequest request) {
  ++stream_count_;
  caller.open_streams.insert(request.token);
  auto const fail = [this, number = caller.number, token = request.token] {
    EndStream(number, token, nullptr);
  };
  uint64_t const to = request.to.port;
  if (Reach(caller.place, to) == nullptr) {
    // Nobody listens there, or nothing comes back from there.
    queue_.After(Find(to) == nullptr ? 1'000 : kStreamPatienceUs, fail);
    return;
  }
  queue_.After(kStreamPatienceUs, fail);
  auto bytes = std::make_shared<const std::vector<std::byte>>(std::move(request.bytes));
  queue_.After(StreamDelay(), [this, from = caller.place, to, number = caller.number,
                               token = request.token, bytes] {
    Process* const callee = Reach(from, to);
    if (callee == nullptr) {
      return;
    }
    if (callee->paused) {
      callee->waiting_streams.push_back({number, token, bytes});
    } else {
      AnswerStream(*callee, {number, token, bytes});
    }
  });
}

void Cluster::AnswerStream(Process& callee, const Process::WaitingStream& stream) {
  ledger_.NoteReceived(callee, now_us());
  auto reply = callee.core->OnStreamRequest(*stream.bytes);
  Bytes bytes =
      reply.ok() ? std::make_shared<const std::vector<std::byte>>(*std::move(reply)) : nullptr;
  queue_.After(StreamDelay(), [this, place = callee.place, stream, bytes] {
    Process* const caller = FindByNumber(stream.caller);
    if (caller != nullptr && !network_.IsCut(place, caller->place)) {
      EndStream(stream.caller, stream.token, bytes);
    }
  });
  Pump(callee, true);
}

// Null: it failed. Only the first end counts.
void Cluster::EndStream(uint64_t caller, uint64_t token, Bytes reply) {
  Process* const process = FindByNumber(caller);
  if (process == nullptr || !process->open_streams.contains(token)) {
    return;
  }
  if (process->paused) {
    queue_.After(100'000, [this, caller, token, reply] { EndStream(caller, token, reply); });
    return;
  }
  process->open_streams.erase(token);
  if (reply == nullptr) {
    process->core->OnStreamFailed(token);
    Pump(*process, false);
    return;
  }
  ledger_.NoteReceived(*process, now_us());
  process->core->OnStreamReply(token, *reply).IgnoreError("other clusters are refused");
  Pump(*process, true);
}

void Cluster::Pump(Process& process, bool from_stream) {
  ledger_.NoteInput(process);
  Output output = process.core->TakeOutput();
  for (const Event& event : output.events) {
    Note(EventKindName(event.kind).data(),
         process.place * 1'000'000 + event.record.id.low * 1'000 + event.record.generation.value());
    ledger_.NoteEvent(process, event, from_stream);
    if (hook_) {
      hook_(process, event);
    }
  }
  for (Datagram& datagram : output.datagrams) {
    ledger_.NoteSent(process, datagram, now_us());
    trace_hash_ =
        (trace_hash_ ^ datagram.bytes.size() ^ (datagram.to.port * 7)) * 0x9E3779B97F4A7C15;
    network_.Send(
        process.place, datagram.to.port,
        {process.place, std::make_shared<const std::vector<std::byte>>(std::move(datagram.bytes))});
  }
  for (StreamRequest& request : output.streams) {
    OpenStream(process, std::move(request));
  }
  ScheduleTick(process);
}

}  // namespace orochi::swim::simulation
