#include "kv/node/simulation/cluster_simulation.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/str_cat.h"
#include "kv/node/simulation/process.h"
#include "kv/txn/simulation/workload.h"

namespace orochi::kv::simulation {
namespace {

constexpr int64_t kSecondUs = 1'000'000;

// What the seed decides before anything happens.
struct Plan {
  uint64_t node_count;
  uint64_t partition_count;
  WorkloadPlan clients;
  NodeOptions node;
  log::LogOptions log;
  int64_t safety_us;
  int64_t fault_every_us;
  int64_t delay_us_max;
  uint32_t lost_permille;
  uint32_t late_permille;
  bool with_crashes;
  bool with_pauses;
  bool with_cuts;
  bool with_moves;
  bool with_transfers;
  bool with_rumours;
  bool with_clocks;
};

class ClusterSimulation {
 public:
  ClusterSimulation(uint64_t seed, const std::function<void(const std::string&)>& trace)
      : random_(seed), trace_(trace) {
    DrawPlan();
  }

  NodesReport Run() {
    Begin();
    RunUntil(plan_.safety_us);
    Heal();
    int64_t const deadline_us = queue_.now_us() + 120 * kSecondUs;
    while (!HasSettled()) {
      if (queue_.now_us() > deadline_us) {
        TraceGroups();
        throw Violation(StrCat("two minutes after all faults were healed: ", why_));
      }
      RunUntil(queue_.now_us() + 100'000);
    }
    workload_->Judge([this](const std::string& /*key*/) -> const Reader& { return ever_; });
    report_.event_count = queue_.run_count();
    report_.transaction_count = workload_->counts().begun;
    report_.commit_count = workload_->counts().committed;
    report_.abort_count = workload_->counts().aborted;
    report_.unknown_count = workload_->counts().unknown;
    report_.trace_hash = workload_->hash();
    return report_;
  }

 private:
  // A client's way into the cluster: a node, as long as it is there.
  struct Way final : CoordinatorHost {
    explicit Way(Process& its_process) : process(its_process) {}
    void Stamp(std::function<void(Timestamp)> stamped) override {
      process.Do([&](Node& node) { node.Stamp(std::move(stamped)); });
    }
    void Send(const std::string& key, Request request,
              std::function<void(std::optional<Result<Answer>>)> answered) override {
      process.Do([&](Node& node) { node.Send(key, std::move(request), std::move(answered)); });
    }
    std::vector<KeySpan> Cut(const KeySpan& span) override { return process.node().Cut(span); }
    void After(int64_t delay_us, std::function<void()> event) override {
      process.Do([&](Node& node) { node.After(delay_us, std::move(event)); });
    }
    Process& process;
  };

  bool Chance(uint64_t percent) { return random_.Below(100) < percent; }
  int64_t Between(int64_t least, int64_t greatest) {
    return least + static_cast<int64_t>(random_.Below(static_cast<uint64_t>(greatest - least + 1)));
  }
  void Trace(const std::string& line) {
    if (trace_) {
      trace_(StrCat(queue_.now_us() / 1000, " ms ", line));
    }
  }
  void RunUntil(int64_t time_us) {
    bool reached = false;
    queue_.After(std::max<int64_t>(0, time_us - queue_.now_us()), [&reached] { reached = true; });
    while (!reached) {
      queue_.RunNext();
    }
  }

  void DrawPlan() {
    plan_.node_count = Chance(10) ? 1 : Chance(15) ? 2 : Chance(60) ? 3 : 4 + random_.Below(3);
    plan_.partition_count = 1 + random_.Below(4);
    plan_.clients = {.client_count = 2 + random_.Below(5),
                     .key_count = Chance(50) ? 2 + random_.Below(4) : 4 + random_.Below(20),
                     .client_death_percent = Chance(70) ? 0 : random_.Below(10),
                     .one_shot_percent = random_.Below(60),
                     .scan_percent = random_.Below(30),
                     .step_count_max = 1 + random_.Below(5),
                     .appends_only = Chance(40)};
    plan_.node.replica.kept_entry_count = Chance(70) ? random_.Below(10) : 1'000;
    plan_.node.replica.snapshot_chunk_size_bytes = Chance(60) ? 50 + random_.Below(500) : 1 << 20;
    plan_.node.replica.snapshot_answer_us = Between(200, 2'000) * 1000;
    plan_.node.partition.abandoned_after_us = 1 * kSecondUs;
    plan_.node.partition.read_cache_entries_max = Chance(30) ? 4 : 1'000;
    plan_.node.meta.oracle.window_ms = Between(200, 3'000);
    plan_.node.meta.placement.replica_count = Chance(85) ? 3 : 1 + 2 * random_.Below(3);
    plan_.node.meta.placement.meta_replica_count = Chance(50) ? 5 : 4;
    plan_.node.meta.down_after_us = Between(200, 10'000) * 1000;
    plan_.node.answer_within_us = Between(300, 2'000) * 1000;
    plan_.node.maintain_every_ticks = static_cast<int>(1 + random_.Below(20));
    plan_.node.arrange_every_ticks = static_cast<int>(1 + random_.Below(20));
    plan_.log.segment_size_bytes = Chance(50) ? 64 << 10 : 1 << 20;
    plan_.log.batch_size_bytes_max = 16 << 10;
    plan_.log.batch_wait_us_max = Chance(50) ? 0 : 30;
    plan_.log.cache_size_bytes_max = Chance(50) ? 0 : 1 << 20;
    plan_.safety_us = Between(3, 15) * kSecondUs;
    plan_.fault_every_us = Between(100, 2'000) * 1000;
    plan_.delay_us_max = Chance(60) ? 1'000 : Between(1, 30) * 1000;
    plan_.lost_permille = Chance(60) ? 0 : static_cast<uint32_t>(random_.Below(50));
    plan_.late_permille = Chance(60) ? 0 : static_cast<uint32_t>(random_.Below(50));
    plan_.with_crashes = Chance(70);
    plan_.with_pauses = Chance(40);
    plan_.with_cuts = Chance(60);
    plan_.with_moves = Chance(60);
    plan_.with_transfers = Chance(40);
    plan_.with_rumours = Chance(40);
    plan_.with_clocks = Chance(40);
  }

  void Begin() {
    std::vector<NodeRecord> nodes;
    for (uint32_t number = 1; number <= plan_.node_count; ++number) {
      nodes.push_back({.number = NodeNumber(number),
                       .identity = StrCat("a node's identi", number),
                       .address = StrCat("node", number)});
    }
    for (const NodeRecord& node : nodes) {
      NodeOptions options = plan_.node;
      options.number = node.number;
      Pace pace;
      pace.disk_us_max = Chance(80) ? 1'000 : Between(1, 30) * 1000;
      processes_.push_back(std::make_unique<Process>(
          options, plan_.log, pace, queue_, random_, ever_,
          Process::Outside{
              .send = [this](NodeNumber from, NodeNumber to, std::vector<PeerMessage> messages) {
                Carry(from, to, std::move(messages));
              }}));
      ways_.push_back(std::make_unique<Way>(*processes_.back()));
      processes_.back()->Start(nodes);
    }
    CreatePartitions();
    at_node_.assign(plan_.clients.client_count, nullptr);
    workload_ = std::make_unique<Workload>(
        plan_.clients,
        Workload::Cluster{.host = [this](size_t client) { return WayOf(client); },
                          .together =
                              [this](std::string_view one, std::string_view other) {
                                return PartitionOf(one) == PartitionOf(other);
                              }},
        queue_, random_);
    workload_->Begin();
    queue_.After(plan_.fault_every_us, [this] { Fault(); });
  }

  uint64_t PartitionOf(std::string_view key) const {
    return static_cast<uint64_t>(std::upper_bound(bounds_.begin(), bounds_.end(), key) -
                                 bounds_.begin());
  }

  // Until it has been heard of.
  void CreatePartitions() {
    for (uint64_t index = 0; index < plan_.partition_count; ++index) {
      bounds_.push_back(
          index == 0 ? ""
                     : Workload::KeyOf(index * plan_.clients.key_count / plan_.partition_count));
    }
    bounds_.erase(std::unique(bounds_.begin(), bounds_.end()), bounds_.end());
    AskForPartitions();
  }
  void AskForPartitions() {
    meta::CreatePartitions create;
    for (size_t index = 0; index < bounds_.size(); ++index) {
      create.spans.push_back(
          {.begin = bounds_[index], .end = index + 1 < bounds_.size() ? bounds_[index + 1] : ""});
    }
    Process& process = *processes_[random_.Below(processes_.size())];
    process.Do([&](Node& node) {
      node.AskMeta(create, [this](const Result<std::string>& answer) {
        created_ = created_ || answer.ok();
        Trace(answer.ok() ? "partitions created" : answer.status().message());
      });
    });
    queue_.After(3 * kSecondUs, [this] {
      if (!created_) {
        AskForPartitions();
      }
    });
  }

  // A node that is there and knows of the partitions.
  CoordinatorHost* WayOf(size_t client) {
    std::vector<size_t> usable;
    for (size_t index = 0; index < processes_.size(); ++index) {
      Process& process = *processes_[index];
      if (process.is_up() && process.node().map().FindByKey("k") != nullptr) {
        usable.push_back(index);
      }
    }
    if (usable.empty()) {
      return nullptr;
    }
    size_t const index = usable[random_.Below(usable.size())];
    at_node_[client] = processes_[index].get();
    return ways_[index].get();
  }

  // Streams: in order, and nothing twice.
  void Carry(NodeNumber from, NodeNumber to, std::vector<PeerMessage> messages) {
    if (IsCut(from, to) || (!healed_ && random_.Below(1000) < plan_.lost_permille)) {
      return;
    }
    for (const PeerMessage& message : messages) {
      report_.snapshot_count += std::holds_alternative<SnapshotChunk>(message) ? 1 : 0;
    }
    int64_t delay_us = Between(50, plan_.delay_us_max);
    if (!healed_ && random_.Below(1000) < plan_.late_permille) {
      delay_us *= Between(10, 100);
    }
    int64_t& last_us = last_arrival_us_[{from, to}];
    last_us = std::max(last_us, queue_.now_us() + delay_us);
    queue_.After(last_us - queue_.now_us(), [this, from, to, messages = std::move(messages)] {
      if (!IsCut(from, to)) {
        processes_[to.value() - 1]->Receive(from, messages);
      }
    });
  }
  bool IsCut(NodeNumber from, NodeNumber to) const { return cut_.contains({from, to}); }

  void Fault() {
    if (healed_) {
      return;
    }
    queue_.After(Between(1, 2 * plan_.fault_every_us), [this] { Fault(); });
    Process& process = *processes_[random_.Below(processes_.size())];
    switch (random_.Below(7)) {
      case 0:
        if (plan_.with_crashes) {
          Crash(process);
        }
        break;
      case 1:
        if (plan_.with_pauses && process.is_up() && !process.is_paused()) {
          Trace(StrCat("node ", process.number().value(), " pauses"));
          ++report_.pause_count;
          process.Pause();
          queue_.After(Between(10, 5'000) * 1000, [&process] { process.Resume(); });
        }
        break;
      case 2:
        if (plan_.with_cuts) {
          Cut(process.number());
        }
        break;
      case 3:
        if (plan_.with_moves) {
          Move(process);
        }
        break;
      case 4:
        if (plan_.with_transfers) {
          Transfer(process);
        }
        break;
      case 5:
        if (plan_.with_rumours) {
          Rumour(process);
        }
        break;
      default:
        if (plan_.with_clocks) {
          process.set_clock_error_ms(Between(-20'000, 20'000));
        }
        break;
    }
  }

  void Crash(Process& process) {
    if (!process.is_up()) {
      return;
    }
    Trace(StrCat("node ", process.number().value(), " crashes"));
    ++report_.crash_count;
    for (size_t client = 0; client < at_node_.size(); ++client) {
      if (at_node_[client] == &process) {
        workload_->CutOff(client);
        at_node_[client] = nullptr;
      }
    }
    process.Crash();
    queue_.After(Between(1, Chance(70) ? 500 : 5'000) * 1000, [this, &process] {
      if (!process.is_up()) {
        Trace(StrCat("node ", process.number().value(), " comes back"));
        process.Restart();
      }
    });
  }

  // To one side, or to both.
  void Cut(NodeNumber node) {
    ++report_.cut_count;
    bool const out = Chance(80);
    bool const in = !out || Chance(70);
    std::vector<std::pair<NodeNumber, NodeNumber>> links;
    for (auto const& other : processes_) {
      if (other->number() != node && Chance(80)) {
        if (out) {
          links.emplace_back(node, other->number());
        }
        if (in) {
          links.emplace_back(other->number(), node);
        }
      }
    }
    Trace(StrCat("node ", node.value(), " is cut off, ", links.size(), " ways"));
    cut_.insert(links.begin(), links.end());
    queue_.After(Between(50, 5'000) * 1000, [this, links] {
      for (const auto& link : links) {
        cut_.erase(link);
      }
    });
  }

  void Move(Process& process) {
    process.Do([this](Node& node) {
      const auto& partitions = node.map().partitions();
      if (partitions.empty()) {
        return;
      }
      auto chosen = partitions.begin();
      std::advance(chosen, random_.Below(partitions.size()));
      meta::SetReplicas move{.group = chosen->first};
      std::vector<NodeNumber> all;
      for (const auto& [number, record] : node.map().nodes()) {
        all.push_back(number);
      }
      for (uint64_t left = 1 + random_.Below(std::min<uint64_t>(3, all.size())); left > 0; --left) {
        size_t const at = random_.Below(all.size());
        move.nodes.push_back(all[at]);
        all.erase(all.begin() + static_cast<ptrdiff_t>(at));
      }
      Trace(StrCat("group ", move.group.value(), " shall have ", move.nodes.size(), " replicas"));
      node.AskMeta(move, [this](const Result<std::string>& answer) {
        report_.move_count += answer.ok() ? 1 : 0;
        answer.status().IgnoreError("another move may be under way");
      });
    });
  }

  // Who is said to be gone, rightly or not.
  void Rumour(Process& process) {
    std::set<NodeNumber> absent;
    for (auto const& other : processes_) {
      if (other->number() != process.number() && Chance(other->is_up() ? 20 : 80)) {
        absent.insert(other->number());
      }
    }
    process.Do([&](Node& node) { node.SetAbsent(absent); });
  }

  // In peace, as before a stop, or without waiting for anything.
  void Transfer(Process& process) {
    process.Do([this](Node& node) {
      if (Chance(50)) {
        node.HandOverAll();
        return;
      }
      for (const auto& [group, replica] : node.replicas()) {
        const std::vector<raft::ReplicaId>& voters = replica->raft().configuration().voters;
        if (replica->leads() && !voters.empty()) {
          replica->TransferLeadership(voters[random_.Below(voters.size())])
              .IgnoreError("it may lag");
        }
      }
    });
  }

  void Heal() {
    Trace("all is healed");
    healed_ = true;
    cut_.clear();
    for (auto const& process : processes_) {
      if (!process->is_up()) {
        process->Restart();
      } else if (process->is_paused()) {
        process->Resume();
      }
      process->pace().disk_us_max = 1'000;
      process->Do([](Node& node) { node.SetAbsent({}); });
    }
    workload_->Heal();
  }

  bool HasSettled() {
    why_ = !created_ ? "the partitions are not created" : workload_->WhyNotDone();
    if (why_.empty()) {
      why_ = WhyApart();
    }
    return why_.empty();
  }

  // Every node knows the same map and has the replicas that it names, all with the same state, and
  // no intents.
  std::string WhyApart() {
    const ClusterMap& map = processes_.front()->node().map();
    for (auto const& process : processes_) {
      if (process->node().map().version() != map.version()) {
        return StrCat("node ", process->number().value(), " does not know the newest map");
      }
    }
    for (const auto& [group, partition] : map.partitions()) {
      if (!partition.settled) {
        return StrCat("group ", group.value(), " has not settled");
      }
      if (std::string why = WhyUnequal(partition); !why.empty()) {
        return why;
      }
    }
    return {};
  }

  std::string WhyUnequal(const Partition& partition) {
    std::optional<std::string> first;
    for (auto const& process : processes_) {
      Replica* const replica = process->node().FindReplica(partition.group);
      bool const wanted =
          replica != nullptr && std::find(partition.replicas.begin(), partition.replicas.end(),
                                          replica->id()) != partition.replicas.end();
      if (wanted != partition.HasReplicaOn(process->number()) || (replica != nullptr && !wanted)) {
        return StrCat("node ", process->number().value(), " should ", wanted ? "not " : "",
                      "have a replica of group ", partition.group.value());
      }
      if (!wanted) {
        continue;
      }
      std::string const state = StateOf(process->state(), partition);
      if (!first) {
        first = state;
        Sweep(*process, partition);
      } else if (state != *first) {
        return StrCat("replicas of group ", partition.group.value(),
                      " differ, one of them on node ", process->number().value());
      }
      if (HasIntents(process->state(), partition)) {
        return StrCat("intents are left in group ", partition.group.value());
      }
    }
    return {};
  }

  static std::string StateOf(const Reader& state, const Partition& partition) {
    std::string all;
    for (const FamilyRange& range : RangesOf(partition.group, partition.span)) {
      auto const cursor = state.NewCursor(range.family);
      for (cursor->Seek(range.range.begin); cursor->Valid() && range.range.Contains(cursor->key());
           cursor->Next()) {
        all.append(cursor->key()).append("=").append(cursor->value()).append(";");
      }
    }
    return all;
  }
  static bool HasIntents(const Reader& state, const Partition& partition) {
    if (partition.group == kMetaGroup) {
      return false;
    }
    auto const cursor = state.NewCursor(Family::kIntent);
    cursor->Seek(partition.span.begin);
    return cursor->Valid() && partition.span.Holds(cursor->key());
  }

  void TraceGroups() {
    for (auto const& process : processes_) {
      Node& node = process->node();
      Trace(StrCat("node ", process->number().value(), ": map ", node.map().version()));
      for (const auto& [group, partition] : node.map().partitions()) {
        Replica* const replica = node.FindReplica(group);
        std::string wanted;
        for (raft::ReplicaId const one : partition.replicas) {
          wanted += StrCat(" ", NodeOf(one).value(), "/", LifeOf(one));
        }
        Trace(StrCat(
            "  group ", group.value(), partition.settled ? " settled" : " moves", wanted,
            replica == nullptr ? "" : "; here: ", replica == nullptr ? "" : replica->Describe()));
      }
    }
  }

  // Nobody meets the intents of the dead unless somebody reads.
  void Sweep(Process& process, const Partition& partition) {
    if (partition.group == kMetaGroup || queue_.now_us() < next_sweep_us_[partition.group] ||
        !HasIntents(process.state(), partition)) {
      return;
    }
    next_sweep_us_[partition.group] = queue_.now_us() + kSecondUs;
    process.Do([&](Node& node) {
      node.Stamp([this, &process, span = partition.span](Timestamp stamp) {
        process.Do([&](Node& again) {
          again.Send(span.begin, ReadRequest{.transaction = {}, .timestamp = stamp, .span = span},
                     [](const std::optional<Result<Answer>>& answer) {
                       if (answer) {
                         answer->status().IgnoreError("it is done again");
                       }
                     });
        });
      });
    });
  }

  SeededRandom random_;
  const std::function<void(const std::string&)>& trace_;
  sim::EventQueue queue_;
  Plan plan_{};
  MapState ever_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::vector<std::unique_ptr<Way>> ways_;
  std::vector<Process*> at_node_;       // by client
  std::vector<std::string> bounds_;     // where partitions begin
  std::unique_ptr<Workload> workload_;  // before the nodes, which its transactions borrow
  std::set<std::pair<NodeNumber, NodeNumber>> cut_;
  std::map<std::pair<NodeNumber, NodeNumber>, int64_t> last_arrival_us_;
  std::map<log::GroupId, int64_t> next_sweep_us_;
  bool created_ = false;
  bool healed_ = false;
  std::string why_;
  NodesReport report_;
};

}  // namespace

NodesReport SimulateNodes(uint64_t seed, const std::function<void(const std::string&)>& trace) {
  return ClusterSimulation(seed, trace).Run();
}

}  // namespace orochi::kv::simulation
