#include "raft/simulation/group_simulation.h"

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "base/assert.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "raft/simulation/ledger.h"
#include "raft/simulation/replica.h"
#include "sim/event_queue.h"
#include "sim/network.h"

namespace orochi::raft::simulation {
namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr uint64_t kReplicasMax = 9;  // over the life of a group, removed ones included
constexpr uint64_t kAnswersAfterHealing = 5;

// What the seed decides before anything happens.
struct Plan {
  uint64_t voter_count;
  uint64_t client_count;
  int64_t safety_us;
  int64_t fault_every_us;
  bool with_crashes, with_partitions, with_pauses, with_transfers, with_configurations;
  bool with_compaction, with_slow_disks;
  int64_t client_patience_us;            // then the outcome is unknown, and the client goes on
  uint32_t crash_on_delivery_permyriad;  // a crash just after a message came, in ten-thousandths
  uint64_t new_leader_crash_percent;
  uint64_t configuration_weight;
};

class GroupSimulation {
 public:
  GroupSimulation(uint64_t seed, const std::function<void(const std::string&)>& trace)
      : random_(seed),
        trace_(trace),
        network_(queue_, random_, [this](uint64_t to, const Packet& packet) {
          Replica* const replica = Find(ReplicaId(to));
          if (replica != nullptr && replica->is_up()) {
            Trace(packet.message);
            replica->Receive(packet);
            CrashAfterDelivery(*replica);
          }
        }) {
    report_.seed = seed;
    DrawPlan();
  }

  SimulationReport Run() {
    Begin();
    while (queue_.now_us() < plan_.safety_us) {
      queue_.RunNext();
    }
    Heal();
    int64_t const deadline_us = queue_.now_us() + 60 * kSecondUs;
    while (!HasSettled()) {
      if (queue_.now_us() > deadline_us) {
        throw Violation(StrCat("a minute after all faults were healed: ", WhyUnsettled()));
      }
      queue_.RunNext();
    }
    report_.event_count = queue_.run_count();
    report_.election_count = ledger_.election_count();
    report_.trace_hash = trace_hash_;
    for (const auto& [id, replica] : replicas_) {
      report_.snapshot_count += replica->snapshot_count();
    }
    return report_;
  }

 private:
  struct Client {
    uint64_t operation = 0;  // 0: idle
    bool writes = false;
    uint64_t floor = 0;  // the greatest length that anyone had been told when this began
    uint64_t answers_after_healing = 0;
  };

  bool Chance(uint64_t percent) { return random_.Below(100) < percent; }
  int64_t Between(int64_t least, int64_t greatest) {
    return least + static_cast<int64_t>(random_.Below(static_cast<uint64_t>(greatest - least + 1)));
  }

  void DrawPlan() {
    plan_.voter_count = 1 + random_.Below(5);
    plan_.client_count = 1 + random_.Below(Chance(70) ? 4 : 16);
    plan_.client_patience_us = Chance(50) ? 3 * kSecondUs : Between(20, 500) * 1000;
    plan_.crash_on_delivery_permyriad =
        Chance(60) ? 0 : static_cast<uint32_t>(1 + random_.Below(100));
    plan_.new_leader_crash_percent = Chance(70) ? 0 : 10 + random_.Below(60);
    plan_.configuration_weight = Chance(70) ? 1 : 20;
    plan_.safety_us = Between(4, 12) * kSecondUs;
    plan_.fault_every_us = Between(20, 600) * 1000;
    plan_.with_crashes = Chance(80);
    plan_.with_partitions = Chance(70);
    plan_.with_pauses = Chance(40);
    plan_.with_transfers = Chance(50);
    plan_.with_configurations = Chance(60);
    plan_.with_compaction = Chance(70);
    plan_.with_slow_disks = Chance(40);
    sim::NetworkFaults& faults = network_.faults();
    faults.delay_us_max = Chance(50) ? 1'000 : Between(1, 60) * 1000;
    faults.drop_permille = Chance(50) ? 0 : static_cast<uint32_t>(random_.Below(200));
    faults.duplicate_permille = Chance(50) ? 0 : static_cast<uint32_t>(random_.Below(500));
    faults.straggler_permille = Chance(60) ? 0 : static_cast<uint32_t>(random_.Below(50));
  }

  Options DrawOptions(ReplicaId id) {
    Options options{.id = id};
    options.election_ticks = Chance(80) ? 10 : 3;
    options.promotion_lag_max = Chance(50) ? 1024 : 5;
    if (Chance(40)) {
      options.append_size_bytes_max = 1 + random_.Below(200);
      options.in_flight_count_max = 1 + random_.Below(4);
      options.apply_size_bytes_max = 1 + random_.Below(100);
    }
    if (Chance(20)) {
      options.uncommitted_size_bytes_max = 200;
    }
    return options;
  }

  void Begin() {
    Configuration birth;
    for (uint64_t id = 1; id <= plan_.voter_count; ++id) {
      birth.voters.emplace_back(id);
    }
    ledger_.SetBirthConfiguration(birth);
    for (ReplicaId const id : birth.voters) {
      Add(id, {.index = {}, .term = {}, .configuration = birth});
    }
    clients_.resize(plan_.client_count);
    for (size_t index = 0; index < clients_.size(); ++index) {
      queue_.After(Between(0, 100'000), [this, index] { BeginOperation(index); });
    }
    ScheduleFault();
  }

  void Add(ReplicaId id, SnapshotPoint birth) {
    ReplicaPace pace;
    pace.tick_us = Between(40, 60) * 1000;  // clocks do not run alike
    pace.disk_us_max = Chance(60) ? 2'000 : Chance(50) ? 40'000 : 300'000;
    pace.apply_us_max = Chance(70) ? 0 : 30'000;
    auto const send = [this, id](ReplicaId to, Packet packet) {
      network_.Send(id.value(), to.value(), packet);
    };
    auto replica = std::make_unique<Replica>(
        DrawOptions(id), pace, std::move(birth), queue_, random_, ledger_,
        Replica::Answers{
            .done = [this](uint64_t operation, uint64_t length) { Done(operation, length); },
            .unknown = [this](uint64_t operation) { Unknown(operation); },
            .send = send,
            .leads = [this, id] { CrashNewLeader(id); }});
    Replica& added = *replica;
    replicas_.emplace(id, std::move(replica));
    added.Start();
  }

  Replica* Find(ReplicaId id) {
    auto const found = replicas_.find(id);
    return found == replicas_.end() ? nullptr : found->second.get();
  }

  // One of those for which `accepts` answers true, or null.
  template <class Accepts>
  Replica* Pick(Accepts accepts) {
    std::vector<Replica*> candidates;
    for (auto& [id, replica] : replicas_) {
      if (accepts(*replica)) {
        candidates.push_back(replica.get());
      }
    }
    return candidates.empty() ? nullptr : candidates[random_.Below(candidates.size())];
  }
  static bool IsUp(Replica& replica) { return replica.is_up() && !replica.is_paused(); }
  static bool Leads(Replica& replica) {
    return IsUp(replica) && replica.core().role() == Role::kLeader;
  }

  // Clients. --------------------------------------------------------------------------------------

  void BeginOperation(size_t index) {
    Client& client = clients_[index];
    if (client.answers_after_healing >= kAnswersAfterHealing) {
      return;  // it is served: now the replicas become equal
    }
    Replica* const replica = Pick(Leads);
    if (client.operation == 0 && replica != nullptr) {
      uint64_t const operation = ++operation_count_;
      client = {.operation = operation,
                .writes = Chance(60),
                .floor = told_length_,
                .answers_after_healing = client.answers_after_healing};
      client_of_[operation] = index;
      queue_.After(plan_.client_patience_us, [this, operation] { Unknown(operation); });
      bool const taken =
          client.writes ? replica->Write(operation, operation) : replica->Read(operation);
      if (taken) {
        return;
      }
      client_of_.erase(operation);
      client.operation = 0;
    }
    queue_.After(Between(1'000, 50'000), [this, index] { BeginOperation(index); });
  }

  // Linearizability of a list that only grows: an operation that began after another was answered
  // must see at least what that one saw, and a write adds to it.
  void Done(uint64_t operation, uint64_t length) {
    auto const known = client_of_.find(operation);
    if (known == client_of_.end()) {
      return;  // the client gave up
    }
    Client& client = clients_[known->second];
    if (length < client.floor || (client.writes && length == client.floor)) {
      throw Violation(StrCat(client.writes ? "a write" : "a read", " saw a list of ", length,
                             " when ", client.floor, " had been answered before it began"));
    }
    told_length_ = std::max(told_length_, length);
    ++(client.writes ? report_.write_count : report_.read_count);
    client.answers_after_healing += healed_ ? 1 : 0;
    EndOperation(operation);
  }

  void Unknown(uint64_t operation) {
    if (client_of_.contains(operation)) {
      ++report_.unknown_count;
      EndOperation(operation);
    }
  }

  void EndOperation(uint64_t operation) {
    size_t const index = client_of_.extract(operation).mapped();
    clients_[index].operation = 0;
    queue_.After(Between(0, 30'000), [this, index] { BeginOperation(index); });
  }

  // Faults. ---------------------------------------------------------------------------------------

  void ScheduleFault() {
    queue_.After(Between(1, 2 * plan_.fault_every_us), [this] {
      if (!healed_) {
        MakeFault();
        ScheduleFault();
      }
    });
  }

  void MakeFault() {
    switch (random_.Below(9 + plan_.configuration_weight)) {
      case 0:
      case 1:
        return plan_.with_crashes ? CrashOne() : void();
      case 2:
        return plan_.with_partitions ? CutLinks() : void();
      case 3:
        return network_.HealAll();
      case 4:
        return plan_.with_pauses ? PauseOne() : void();
      case 5:
        return plan_.with_transfers ? TransferOrCampaign() : void();
      case 6:
      case 7:
        return plan_.with_compaction ? CompactOne() : void();
      case 8:
        return plan_.with_slow_disks ? ChangeDisk() : void();
      default:
        return plan_.with_configurations ? ChangeConfiguration() : void();
    }
  }

  void CrashOne() {
    uint64_t const choice = random_.Below(3);
    Replica* const replica = choice == 0   ? Pick(Leads)
                             : choice == 1 ? Pick([](Replica& r) { return r.is_writing(); })
                                           : Pick([](Replica& r) { return r.is_up(); });
    if (replica != nullptr) {
      Crash(*replica);
    }
  }

  void CrashNewLeader(ReplicaId id) {
    if (healed_ || !Chance(plan_.new_leader_crash_percent)) {
      return;
    }
    queue_.After(Between(0, 4 * network_.faults().delay_us_max), [this, id] {
      Replica* const leader = Find(id);
      if (!healed_ && leader != nullptr && leader->is_up()) {
        Crash(*leader);
      }
    });
  }

  // The moments between a message and what follows from it are where promises are made.
  void CrashAfterDelivery(Replica& replica) {
    if (healed_ || random_.Below(10'000) >= plan_.crash_on_delivery_permyriad) {
      return;
    }
    queue_.After(Chance(50) ? 0 : Between(0, 2'000), [this, id = replica.id()] {
      Replica* const hit = Find(id);
      if (!healed_ && hit != nullptr && hit->is_up()) {
        Crash(*hit);
      }
    });
  }

  void Crash(Replica& replica) {
    Note("crash", replica.id().value());
    ++report_.crash_count;
    replica.Crash();
    queue_.After(Chance(50) ? Between(1'000, 100'000) : Between(1'000, 3 * kSecondUs),
                 [this, id = replica.id()] {
                   Replica* const again = Find(id);
                   if (again != nullptr && !again->is_up()) {
                     Note("start", id.value());
                     again->Start();
                   }
                 });
  }

  void CutLinks() {
    std::vector<uint64_t> side;
    Replica* const leader = Chance(40) ? Pick(Leads) : nullptr;
    for (const auto& [id, replica] : replicas_) {
      if (leader != nullptr ? replica.get() == leader : Chance(50)) {
        side.push_back(id.value());
      }
    }
    bool const one_way = Chance(30);
    for (const auto& [id, replica] : replicas_) {
      if (std::find(side.begin(), side.end(), id.value()) != side.end()) {
        continue;
      }
      for (uint64_t const other : side) {
        network_.Cut(other, id.value());
        if (!one_way) {
          network_.Cut(id.value(), other);
        }
      }
    }
    Note("cut", side.size());
  }

  void PauseOne() {
    Replica* const replica = Chance(60) ? Pick(Leads) : Pick(IsUp);
    if (replica == nullptr) {
      return;
    }
    Note("pause", replica->id().value());
    replica->Pause();
    if (Chance(50)) {  // it comes back and does not hear what happened meanwhile
      for (const auto& [id, other] : replicas_) {
        network_.Cut(id.value(), replica->id().value());
        network_.Cut(replica->id().value(), id.value());
      }
    }
    queue_.After(Between(10'000, 3 * kSecondUs), [this, id = replica->id()] {
      Replica* const again = Find(id);
      if (again != nullptr && again->is_up() && again->is_paused()) {
        Note("resume", id.value());
        again->Resume();
      }
    });
  }

  void TransferOrCampaign() {
    if (Chance(40)) {
      if (Replica* const replica = Pick(IsUp); replica != nullptr) {
        Note("campaign", replica->id().value());
        replica->core().Campaign();
        replica->Pump();
      }
      return;
    }
    Replica* const leader = Pick(Leads);
    Replica* const to = Pick([](Replica& /*any*/) { return true; });
    if (leader != nullptr) {
      Note("transfer", to->id().value());
      leader->core().TransferLeadership(to->id()).IgnoreError("some cannot lead");
      leader->Pump();
    }
  }

  // Towards a random set of voters and learners, new ones among them.
  void ChangeConfiguration() {
    Replica* const leader = Pick(Leads);
    if (leader == nullptr) {
      return;
    }
    const Configuration now = leader->core().configuration();
    Configuration next{.voters = now.voters, .outgoing = {}, .learners = now.learners};
    if (replica_ids_ + replicas_.size() < kReplicasMax && Chance(40)) {
      ReplicaId const id(100 + ++replica_ids_);
      Add(id, {});
      next.learners.push_back(id);
    } else if (!next.learners.empty() && Chance(60)) {
      next.voters.insert(next.voters.end(), next.learners.begin(), next.learners.end());
      next.learners.clear();
    }
    if (next.voters.size() > 1 && Chance(40)) {
      size_t const gone = random_.Below(next.voters.size());
      if (Chance(30)) {
        next.learners.push_back(next.voters[gone]);
      }
      next.voters.erase(next.voters.begin() + static_cast<ptrdiff_t>(gone));
    }
    auto const index = leader->core().ProposeConfiguration(next.voters, next.learners);
    if (index.ok()) {
      ++report_.configuration_count;
      Note("configuration", index->value());
    }
    leader->Pump();
  }

  void CompactOne() {
    if (Replica* const replica = Pick(IsUp); replica != nullptr) {
      replica->Flush();
      replica->Compact(random_.Below(4));
    }
  }

  void ChangeDisk() {
    if (Replica* const replica = Pick([](Replica& /*any*/) { return true; }); replica != nullptr) {
      replica->pace().disk_us_max = Chance(50) ? 1'000 : Between(1, 1'000) * 1000;
    }
  }

  // The end. --------------------------------------------------------------------------------------

  void Heal() {
    Note("heal", 0);
    healed_ = true;
    network_.HealAll();
    network_.faults() = {};
    plan_.client_patience_us = 3 * kSecondUs;
    for (auto& [id, replica] : replicas_) {
      replica->pace().disk_us_max = 1'000;
      replica->pace().apply_us_max = 0;
      if (!replica->is_up()) {
        replica->Start();
      } else if (replica->is_paused()) {
        replica->Resume();
      }
    }
  }

  bool HasSettled() { return WhyUnsettled().empty(); }

  std::string WhyUnsettled() {
    for (const Client& client : clients_) {
      if (client.answers_after_healing < kAnswersAfterHealing) {
        return "a client waits for answers";
      }
    }
    const Configuration& configuration = ledger_.configuration();
    if (configuration.IsJoint()) {
      return "the configuration is still joint";
    }
    for (ReplicaId const id : configuration.Members()) {
      const Replica& replica = *Find(id);
      if (replica.state().applied != ledger_.last()) {
        return StrCat("replica ", id.value(), " has applied ", replica.state().applied.value(),
                      " of ", ledger_.last().value());
      }
    }
    return {};
  }

  void Note(const char* what, uint64_t value) {
    trace_hash_ =
        (trace_hash_ ^ static_cast<uint64_t>(queue_.now_us()) ^ value) * 0x9E3779B97F4A7C15;
    if (trace_) {
      trace_(StrCat(queue_.now_us(), " ", what, " ", value));
    }
  }

  void Trace(const Message& message) {
    trace_hash_ = (trace_hash_ ^ message.index.value() ^ (message.term.value() << 20) ^
                   (message.to.value() << 40) ^ static_cast<uint64_t>(queue_.now_us())) *
                  0x9E3779B97F4A7C15;
    if (trace_) {
      trace_(StrCat(queue_.now_us(), " ", message.from.value(), "->", message.to.value(), " ",
                    MessageKindName(message.kind), " term=", message.term.value(),
                    " index=", message.index.value(), " entries=", message.entries.size(),
                    " commit=", message.commit.value(), message.reject ? " reject" : ""));
    }
  }

  SeededRandom random_;
  const std::function<void(const std::string&)>& trace_;
  sim::EventQueue queue_;
  sim::Network<Packet> network_;
  Ledger ledger_;
  Plan plan_ = {};
  std::map<ReplicaId, std::unique_ptr<Replica>> replicas_;
  uint64_t replica_ids_ = 0;
  std::vector<Client> clients_;
  std::map<uint64_t, size_t> client_of_;  // operation: client, while it waits
  uint64_t operation_count_ = 0;
  uint64_t told_length_ = 0;
  bool healed_ = false;
  uint64_t trace_hash_ = 0;
  SimulationReport report_;
};

[[noreturn]] void ThrowViolation(const AssertFailure& failure) {
  throw Violation(StrCat(failure.file, ":", failure.line, ": ASSERT(", failure.condition, ")"));
}

}  // namespace

SimulationReport SimulateGroup(uint64_t seed,
                               const std::function<void(const std::string&)>& trace) {
  AssertHandler const before =
      SetAssertHandler([](const AssertFailure& failure) { ThrowViolation(failure); });
  try {
    SimulationReport const report = GroupSimulation(seed, trace).Run();
    SetAssertHandler(before);
    return report;
  } catch (...) {
    SetAssertHandler(before);
    throw;
  }
}

}  // namespace orochi::raft::simulation
