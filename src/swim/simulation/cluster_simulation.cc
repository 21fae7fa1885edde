#include "swim/simulation/cluster_simulation.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "base/assert.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "swim/simulation/cluster.h"
#include "swim/simulation/ledger.h"

namespace orochi::swim::simulation {
namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr ClusterId kOurs{1, 1};
constexpr ClusterId kForeign{2, 2};

// What the seed decides before anything happens.
struct Plan {
  uint64_t node_count;
  Options options;
  int64_t safety_us;
  int64_t fault_every_us;
  bool with_crashes, with_partitions, with_pauses, with_moves, with_copies, with_leaves, with_wipes;
  bool with_foreigners, with_drift, names_follow, forgets_soon;
  bool places_stay;  // addresses never change, so nobody needs to be told of new ones
};

// One data directory and what became of it.
struct Node {
  enum class State : uint8_t { kRunning, kDown, kGone };
  Identity identity{};
  State state = State::kRunning;
  uint64_t place = 0;
  uint64_t process = 0;  // of the run that counts, or the last one
  bool copied = false;   // in this generation
  uint64_t meta_version = 0;
};

class ClusterSimulation {
 public:
  ClusterSimulation(uint64_t seed, const Cluster::TraceFunction& trace)
      : random_(seed),
        cluster_(random_, ledger_, trace,
                 [this](Process& process, const Event& event) { CheckPeace(process, event); }) {
    report_.seed = seed;
    DrawPlan();
  }

  SimulationReport Run() {
    for (uint64_t count = 0; count < plan_.node_count; ++count) {
      nodes_.push_back({.identity = NewIdentity()});
      StartNode(nodes_.back(), ++places_);
      if (Chance(30)) {
        cluster_.RunUntil(cluster_.now_us() + Between(0, kSecondUs));
      }
    }
    ScheduleFault();
    cluster_.RunUntil(cluster_.now_us() + plan_.safety_us);
    Heal();
    AwaitEqualViews();
    cluster_.RunUntil(cluster_.now_us() +
                      10 * kSecondUs);  // questions under way when all was healed
    AwaitEqualViews();
    RestInPeace();
    report_.node_count = nodes_.size();
    report_.event_count = cluster_.queue().run_count();
    report_.datagram_count = cluster_.datagram_count();
    report_.stream_count = cluster_.stream_count();
    report_.dead_count = ledger_.dead_event_count();
    report_.trace_hash = cluster_.trace_hash();
    return report_;
  }

 private:
  bool Chance(uint64_t percent) { return random_.Below(100) < percent; }
  int64_t Between(int64_t least, int64_t greatest) {
    return least + static_cast<int64_t>(random_.Below(static_cast<uint64_t>(greatest - least + 1)));
  }
  // Short ones mostly, long ones now and then.
  int64_t Duration(int64_t longest_us) {
    return Chance(70) ? Between(1, longest_us / 20) : Between(1, longest_us);
  }

  void DrawPlan() {
    uint64_t const size = random_.Below(200);
    plan_.node_count = size < 120   ? 1 + random_.Below(5)
                       : size < 188 ? 4 + random_.Below(6)
                       : size < 199 ? 10 + random_.Below(10)
                                    : 20 + random_.Below(45);
    plan_.options = Chance(85) ? LocalProfile() : LanProfile();
    plan_.options.packet_size_bytes_max = Chance(50) ? 1'400 : 512 + random_.Below(889);
    plan_.forgets_soon = Chance(12);
    if (plan_.forgets_soon) {
      plan_.options.dead_keep_us = Between(30, 45) * kSecondUs;
    }
    plan_.safety_us = Chance(85) ? Between(5, 35) * kSecondUs : Between(35, 150) * kSecondUs;
    plan_.fault_every_us = Chance(50) ? Between(200, 2'000) * 1000 : Between(2, 15) * kSecondUs;
    plan_.with_crashes = Chance(70);
    plan_.with_partitions = Chance(60);
    plan_.with_pauses = Chance(50);
    plan_.with_moves = Chance(40);
    plan_.with_copies = Chance(25);
    plan_.with_leaves = Chance(40);
    plan_.with_wipes = Chance(40);
    plan_.with_foreigners = Chance(10);
    plan_.with_drift = Chance(50);
    plan_.places_stay = Chance(40);
    plan_.names_follow = plan_.forgets_soon || !plan_.places_stay || plan_.with_leaves;
    DrawNetwork();
  }

  void DrawNetwork() {
    sim::NetworkFaults& faults = cluster_.faults();
    faults.delay_us_max = Chance(60) ? 1'000 : Between(1, 300) * 1000;
    faults.drop_permille = Chance(50) ? 0 : static_cast<uint32_t>(random_.Below(301));
    faults.duplicate_permille = Chance(60) ? 0 : static_cast<uint32_t>(random_.Below(300));
    faults.straggler_permille = Chance(70) ? 0 : static_cast<uint32_t>(random_.Below(50));
  }

  Identity NewIdentity() {
    return {.cluster = kOurs, .id = {random_.Next(), ++ids_}, .generation = 0};
  }

  // Names in the cluster's configuration stand for the first nodes that run; or it has addresses,
  // which are somebody's as long as nobody leaves.
  std::vector<uint64_t> SeedPlaces() {
    std::vector<uint64_t> places;
    for (uint64_t place = 1;
         !plan_.names_follow && place <= std::min<uint64_t>(3, plan_.node_count); ++place) {
      places.push_back(place);
    }
    for (const Node& node : nodes_) {
      if (node.state == Node::State::kRunning && places.size() < 3) {
        places.push_back(node.place);
      }
    }
    return places;
  }

  void StartNode(Node& node, uint64_t place) {
    ++node.identity.generation;
    node.copied = false;
    node.place = place;
    node.state = Node::State::kRunning;
    Process& process = cluster_.Start(plan_.options, node.identity, place,
                                      plan_.with_drift ? Between(-300, 300) : 0, SeedPlaces());
    node.process = process.number;
  }

  // The run of `node` that counts, or null.
  Process* Running(const Node& node) {
    Process* const process =
        node.state == Node::State::kRunning ? cluster_.Find(node.place) : nullptr;
    return process != nullptr && process->number == node.process ? process : nullptr;
  }

  Node* PickRunning() {
    std::vector<size_t> candidates;
    for (size_t index = 0; index < nodes_.size(); ++index) {
      Process* const process = Running(nodes_[index]);
      if (process != nullptr && process->IsMember() && !process->paused) {
        candidates.push_back(index);
      }
    }
    return candidates.empty() ? nullptr : &nodes_[candidates[random_.Below(candidates.size())]];
  }

  // Faults. ---------------------------------------------------------------------------------------

  void ScheduleFault() {
    cluster_.queue().After(Between(1, 2 * plan_.fault_every_us), [this] {
      if (!healed_) {
        MakeFault();
        ScheduleFault();
      }
    });
  }

  void MakeFault() {
    ++report_.fault_count;
    switch (random_.Below(14)) {
      case 0:
      case 1:
        return plan_.with_crashes ? CrashOne() : void();
      case 2:
      case 3:
        return plan_.with_partitions ? CutLinks() : void();
      case 4:
        return cluster_.HealAll();
      case 5:
        return plan_.with_pauses ? PauseOne() : void();
      case 6:
        return plan_.with_moves && !plan_.places_stay ? MoveOne() : void();
      case 7:
        return plan_.with_copies && !plan_.places_stay ? CopyOne() : void();
      case 8:
        return plan_.with_leaves ? LeaveOne() : void();
      case 9:
        return plan_.with_wipes ? WipeOne() : void();
      case 10:
        return plan_.with_foreigners ? StartForeigner() : void();
      case 11:
        return Chance(30) ? DrawNetwork() : void();
      case 12:
        return Chance(30) ? JoinOne() : void();
      default:
        return ChangeHints();
    }
  }

  void CrashOne() {
    Node* const node = PickRunning();
    if (node == nullptr) {
      return;
    }
    cluster_.Stop(*Running(*node));
    node->state = Node::State::kDown;
    auto const index = static_cast<size_t>(node - nodes_.data());
    cluster_.queue().After(Duration(60 * kSecondUs),
                           [this, index, last = node->process] { Restart(nodes_[index], last); });
  }

  // Unless it has started since its run `last`.
  void Restart(Node& node, uint64_t last) {
    if (node.state == Node::State::kDown && node.process == last) {
      bool const stays = (plan_.places_stay || Chance(50)) && cluster_.Find(node.place) == nullptr;
      StartNode(node, stays ? node.place : ++places_);
    }
  }

  void PauseOne() {
    if (Node* const node = PickRunning(); node != nullptr) {
      PauseProcess(*Running(*node));
    }
  }

  void PauseProcess(Process& process) {
    cluster_.Pause(process);
    cluster_.queue().After(Duration(60 * kSecondUs),
                           [this, place = process.place, number = process.number] {
                             Process* const paused = cluster_.Find(place);
                             if (paused != nullptr && paused->number == number && paused->paused) {
                               cluster_.Resume(*paused);
                             }
                           });
  }

  // Given up by who runs it, and started elsewhere, while its process is not gone at all.
  void MoveOne() {
    Node* const node = PickRunning();
    if (node == nullptr) {
      return;
    }
    Process& before = *Running(*node);
    if (Chance(70)) {
      PauseProcess(before);
    }
    strays_.push_back(before.number);
    StartNode(*node, ++places_);
  }

  // Two data directories are one and the same, and both start.
  void CopyOne() {
    Node* const node = PickRunning();
    if (node == nullptr) {
      return;
    }
    ++report_.conflict_count;
    node->copied = true;
    StartCopy(*node);
  }

  Process& StartCopy(const Node& node) {
    Process& copy = cluster_.Start(plan_.options, node.identity, ++places_, 0, SeedPlaces());
    strays_.push_back(copy.number);
    return copy;
  }

  void LeaveOne() {
    Node* const node = PickRunning();
    if (node == nullptr) {
      return;
    }
    Process& process = *Running(*node);
    cluster_.Leave(process);
    auto const index = static_cast<size_t>(node - nodes_.data());
    cluster_.queue().After(Between(1, 10 * kSecondUs), [this, index, number = process.number] {
      Node& leaver = nodes_[index];
      Process* const left = Running(leaver);
      if (left == nullptr || left->number != number) {
        return;
      }
      cluster_.Stop(*left);
      leaver.state = Chance(50) && !healed_ ? Node::State::kDown : Node::State::kGone;
      if (leaver.state == Node::State::kDown) {
        cluster_.queue().After(Duration(30 * kSecondUs),
                               [this, index, number] { Restart(nodes_[index], number); });
      }
    });
  }

  // The machine comes back without its data, as somebody else.
  void WipeOne() {
    Node* const node = PickRunning();
    if (node == nullptr || nodes_.size() > 2 * plan_.node_count + 8) {
      return;
    }
    cluster_.Stop(*Running(*node));
    node->state = Node::State::kGone;
    uint64_t const place = plan_.places_stay || Chance(60) ? node->place : ++places_;
    nodes_.push_back({.identity = NewIdentity()});
    StartNode(nodes_.back(), place);
  }

  void JoinOne() {
    if (nodes_.size() <= 2 * plan_.node_count + 8) {
      nodes_.push_back({.identity = NewIdentity()});
      StartNode(nodes_.back(), ++places_);
    }
  }

  void StartForeigner() {
    Identity identity = NewIdentity();
    identity.cluster = kForeign;
    identity.generation = 1;
    cluster_.Start(plan_.options, identity, ++places_, 0, SeedPlaces());
  }

  void ChangeHints() {
    if (Node* const node = PickRunning(); node != nullptr) {
      node->meta_version += random_.Below(3);
      cluster_.SetHints(*Running(*node), node->meta_version, random_.Below(1'000),
                        std::string(random_.Below(kHintPayloadSizeBytesMax + 1), 'h'));
    }
  }

  void CutLinks() {
    std::vector<uint64_t> side;
    std::vector<uint64_t> other;
    for (const auto& [place, process] : cluster_.processes()) {
      (Chance(50) ? side : other).push_back(place);
    }
    uint64_t const kind = random_.Below(3);  // both ways, one way, single links
    for (uint64_t const a : side) {
      for (uint64_t const b : other) {
        if (kind == 2 && !Chance(20)) {
          continue;
        }
        cluster_.Cut(a, b);
        if (kind == 0) {
          cluster_.Cut(b, a);
        }
      }
    }
    cluster_.Note("cut", kind);
  }

  // The end. --------------------------------------------------------------------------------------

  void Heal() {
    cluster_.Note("heal", 0);
    healed_ = true;
    healed_at_us_ = cluster_.now_us();
    cluster_.HealAll();
    cluster_.faults() = {};
    std::vector<Process*> paused;
    for (auto& [place, process] : cluster_.processes()) {
      if (process->paused) {
        paused.push_back(process.get());
      }
    }
    for (Process* const process : paused) {
      cluster_.Resume(*process);
    }
    for (Node& node : nodes_) {
      Process* const process = Running(node);
      if (process != nullptr && (process->core->standing() == Standing::kLeaving ||
                                 process->core->standing() == Standing::kLeft)) {
        cluster_.Stop(*process);
        node.state = Node::State::kGone;
      } else if (node.state == Node::State::kDown) {
        Restart(node, node.process);
      } else if (process != nullptr && node.copied) {
        strays_.push_back(process->number);  // the operator starts one of them anew
        StartNode(node, ++places_);
      }
    }
    StopForgottenStrays();
    // Names stand for new addresses now. Who was believed gone is called where it is; but nobody
    // calls a process that was given up, so it has to find the others.
    for (auto& [place, process] : cluster_.processes()) {
      bool const stray =
          std::find(strays_.begin(), strays_.end(), process->number) != strays_.end();
      if (plan_.names_follow || stray) {
        cluster_.SetSeeds(*process, SeedPlaces());
      }
    }
  }

  // Where nobody may remember the later life, the earlier one is as good as any.
  void StopForgottenStrays() {
    std::vector<Process*> forgotten;
    for (auto& [place, process] : cluster_.processes()) {
      bool const gone = std::any_of(nodes_.begin(), nodes_.end(), [&process](const Node& node) {
        return node.state == Node::State::kGone && node.identity.id == process->identity.id;
      });
      if (gone) {
        forgotten.push_back(process.get());
      }
    }
    for (Process* const process : forgotten) {
      cluster_.Stop(*process);
    }
  }

  size_t GoneCount() const {
    return static_cast<size_t>(std::count_if(nodes_.begin(), nodes_.end(), [](const Node& node) {
      return node.state == Node::State::kGone;
    }));
  }

  void AwaitEqualViews() {
    int64_t const deadline_us =
        cluster_.now_us() + (180 + 45 * static_cast<int64_t>(GoneCount())) * kSecondUs;
    for (std::string why = WhyUnequal(); !why.empty(); why = WhyUnequal()) {
      if (cluster_.now_us() > deadline_us) {
        throw Violation(StrCat((deadline_us - healed_at_us_) / kSecondUs,
                               " s after all faults were healed: ", why));
      }
      cluster_.RunUntil(cluster_.now_us() + kSecondUs / 2);
    }
    if (report_.settle_us == 0) {
      report_.settle_us = static_cast<uint64_t>(cluster_.now_us() - healed_at_us_);
    }
  }

  // Why the views are not equal and right, or nothing.
  std::string WhyUnequal() {
    for (uint64_t const number : strays_) {
      for (const auto& [place, process] : cluster_.processes()) {
        if (process->number == number && process->core->standing() != Standing::kQuarantined) {
          return StrCat("a process of node ", process->identity.id.low, "/",
                        process->identity.generation, " at ", place,
                        " does not know that it is not the only one");
        }
      }
    }
    const Process* first = nullptr;
    for (const Node& node : nodes_) {
      const Process* const process = Running(node);
      if (process == nullptr) {
        continue;
      }
      if (std::string why = WhyWrong(*process); !why.empty()) {
        return why;
      }
      if (first != nullptr && !plan_.forgets_soon) {
        std::string why = WhyGoneDiffer(*first, *process);
        why = why.empty() ? WhyGoneDiffer(*process, *first) : why;
        if (!why.empty()) {
          return why;
        }
      }
      first = first == nullptr ? process : first;
    }
    return {};
  }

  std::string WhyWrong(const Process& process) {
    const SwimCore& core = *process.core;
    if (!process.IsMember() || core.awareness() != 0) {
      return StrCat("node ", process.identity.id.low, " is no member, or doubts itself (",
                    core.awareness(), ")");
    }
    size_t present = 0;
    for (const auto& [id, member] : core.members()) {
      present += IsPresent(member.record.health) ? 1 : 0;
    }
    size_t others = 0;
    for (const Node& node : nodes_) {
      const Process* const other = Running(node);
      if (other == nullptr || other == &process) {
        continue;
      }
      ++others;
      auto const known = core.members().find(node.identity.id);
      if (known == core.members().end()) {
        return StrCat("node ", process.identity.id.low, " does not know node ",
                      node.identity.id.low);
      }
      const Record& believed = known->second.record;
      const Record& real = other->core->self();
      if (believed.health != Health::kAlive || CompareClaims(believed, real) != 0 ||
          believed.address != real.address || believed.hints != real.hints ||
          !process.announced.contains(real.id)) {
        return StrCat("node ", process.identity.id.low, " believes node ", real.id.low, "/",
                      believed.generation.value(), ".", believed.incarnation.value(), " ",
                      HealthName(believed.health), " at ", believed.address.port, ", it is /",
                      real.generation.value(), ".", real.incarnation.value(), " at ",
                      real.address.port, believed.hints != real.hints ? ", hints differ" : "");
      }
    }
    if (present != others || process.announced.size() != others) {
      return StrCat("node ", process.identity.id.low, " believes ", present,
                    " others to be there and has announced ", process.announced.size(),
                    ", there are ", others);
    }
    return {};
  }

  static std::string WhyGoneDiffer(const Process& a, const Process& b) {
    for (const auto& [id, member] : a.core->members()) {
      if (IsPresent(member.record.health)) {
        continue;
      }
      auto const other = b.core->members().find(id);
      if (other == b.core->members().end() || other->second.record.health != member.record.health ||
          other->second.record.generation != member.record.generation) {
        return StrCat("nodes ", a.identity.id.low, " and ", b.identity.id.low,
                      " do not agree how node ", id.low, " went");
      }
    }
    return {};
  }

  // Peace. ----------------------------------------------------------------------------------------

  // Once all views are right, nobody says anything of whom nothing happened to (S2).
  void CheckPeace(const Process& process, const Event& event) const {
    bool const expected = !peace_ || process.identity.cluster != kOurs ||
                          event.record.id == disturbed_ || process.identity.id == disturbed_;
    if (!expected) {
      throw Violation(StrCat("node ", process.identity.id.low, " says ", EventKindName(event.kind),
                             " of node ", event.record.id.low, "/", event.record.generation.value(),
                             ", to which nothing happened"));
    }
  }

  size_t RunningCount() {
    return static_cast<size_t>(std::count_if(
        nodes_.begin(), nodes_.end(), [this](const Node& n) { return Running(n) != nullptr; }));
  }

  void RestInPeace() {
    peace_ = true;
    cluster_.RunUntil(cluster_.now_us() + 6 * kSecondUs);
    CheckQuietLoad();
    if (RunningCount() >= 2) {
      Node& node = *PickRunning();
      disturbed_ = node.identity.id;
      CheckDetection(node);
      CheckRestartElsewhere(node);
      if (Chance(30)) {
        CheckCopyIsNoticed(node);
      }
      if (Chance(30)) {
        CheckLeave(node);
      }
    }
    if (plan_.forgets_soon) {
      CheckForgetting();
    }
  }

  // With nothing to tell, a node sends its ping and answers others'.
  void CheckQuietLoad() {
    constexpr int64_t kSeconds = 6;
    uint64_t const before = cluster_.datagram_count();
    cluster_.RunUntil(cluster_.now_us() + kSeconds * kSecondUs);
    uint64_t const sent = cluster_.datagram_count() - before;
    auto const probes =
        static_cast<uint64_t>(static_cast<double>(kSeconds * kSecondUs) /
                                  static_cast<double>(plan_.options.probe_interval_us) * 1.04 +
                              1);
    // And one may answer what was asked a moment before.
    uint64_t const allowed = (2 * probes + 1) * cluster_.processes().size();
    if (sent > allowed && !plan_.forgets_soon) {
      throw Violation(StrCat(sent, " datagrams in ", kSeconds, " s in which nothing happened, ",
                             allowed, " are allowed"));
    }
  }

  // Everybody's view of `node` becomes as it should within `bound_us`, or the promise is broken.
  // But gossip reaches a node with a probability only: `late_count_max` nodes may have to wait for
  // their next exchange.
  template <class IsRight>
  int64_t Await(const Node& node, int64_t bound_us, const char* what, IsRight is_right,
                uint64_t late_count_max = UINT64_MAX) {
    int64_t const begun_us = cluster_.now_us();
    bool late = false;
    while (true) {
      const Process* wrong = nullptr;
      uint64_t wrong_count = 0;
      for (const Node& other : nodes_) {
        const Process* const process = Running(other);
        if (process == nullptr || &other == &node) {
          continue;
        }
        auto const known = process->core->members().find(node.identity.id);
        if (known == process->core->members().end() || !is_right(known->second.record)) {
          wrong = process;
          ++wrong_count;
        }
      }
      if (wrong == nullptr) {
        return cluster_.now_us() - begun_us;
      }
      int64_t const waited_us = cluster_.now_us() - begun_us;
      if (waited_us > bound_us && !late) {
        late = true;
        ++report_.heard_late_count;
      }
      if (waited_us > bound_us + (wrong_count > late_count_max ? 0 : ExchangeBound())) {
        throw Violation(StrCat(waited_us / 1000, " ms after node ", node.identity.id.low, " ", what,
                               ", node ", wrong->identity.id.low, " does not know"));
      }
      cluster_.RunUntil(cluster_.now_us() + 20'000);
    }
  }

  // Everybody exchanges what it knows with somebody; clocks drift.
  int64_t ExchangeBound() {
    const Options& options = plan_.options;
    return (RunningCount() <= options.exchange_small_count ? options.exchange_small_us
                                                           : options.exchange_us) *
           21 / 20;
  }

  // How long news takes to reach everybody where nothing is lost.
  int64_t SpreadBound() {
    double const rounds = 4 + 4 * std::log2(static_cast<double>(RunningCount()) + 1);
    return static_cast<int64_t>(rounds * static_cast<double>(plan_.options.gossip_interval_us));
  }

  // S1. Some node asks the crashed one soon, and every node within two rounds of its list. When all
  // have, the suspicion has its accusers and lasts its least; and never more than its most.
  int64_t DetectionBound() {
    const Options& options = plan_.options;
    size_t const count = RunningCount() + 1;
    int64_t const all_asked_us = (2 * static_cast<int64_t>(count) + 1) * options.probe_interval_us;
    int64_t const bound_us = std::min(all_asked_us + SuspicionTimeoutMin(options, count),
                                      std::min(all_asked_us, 20 * options.probe_interval_us) +
                                          SuspicionTimeoutMax(options, count));
    return (bound_us + SpreadBound()) * 105 / 100;  // clocks drift
  }

  void CheckDetection(Node& node) {
    cluster_.Stop(*Running(node));
    node.state = Node::State::kDown;
    report_.detection_us = static_cast<uint64_t>(Await(
        node, DetectionBound(), "crashed",
        [](const Record& record) { return record.health == Health::kDead; },
        std::max<uint64_t>(1, RunningCount() / 4)));
  }

  void CheckRestartElsewhere(Node& node) {
    cluster_.RunUntil(cluster_.now_us() + Between(0, 5) * kSecondUs);
    StartNode(node, ++places_);
    CheckBackAtOnce(node);
  }

  void CheckBackAtOnce(Node& node) {
    Await(node, SpreadBound() + kSecondUs, "came back elsewhere", [&node](const Record& record) {
      return record.health == Health::kAlive && record.address == AddressOf(node.place) &&
             record.generation.value() == node.identity.generation;
    });
  }

  void CheckCopyIsNoticed(Node& node) {
    ++report_.conflict_count;
    Process& original = *Running(node);
    Process& copy = StartCopy(node);
    uint64_t const copy_place = copy.place;
    auto const in_conflict = [](const Record& record) {
      return record.health == Health::kConflict;
    };
    // The two must meet in somebody's mind: at the latest when that one is asked.
    Await(node, SpreadBound() + 2 * kSecondUs, "was copied", in_conflict);
    cluster_.RunUntil(cluster_.now_us() + SpreadBound() + kSecondUs);
    for (const Process* const process : {static_cast<const Process*>(&original),
                                         static_cast<const Process*>(cluster_.Find(copy_place))}) {
      if (process->core->standing() != Standing::kQuarantined) {
        throw Violation(StrCat("one of two processes of node ", node.identity.id.low,
                               " does not know that there are two"));
      }
    }
    StartNode(node, ++places_);
    CheckBackAtOnce(node);
  }

  void CheckLeave(Node& node) {
    cluster_.RunUntil(cluster_.now_us() + 2 * kSecondUs);
    cluster_.Leave(*Running(node));
    Await(node, SpreadBound() + kSecondUs, "left",
          [](const Record& record) { return record.health == Health::kLeft; });
    cluster_.RunUntil(cluster_.now_us() + 3 * kSecondUs);
    if (Running(node)->core->standing() != Standing::kLeft) {
      throw Violation(StrCat("node ", node.identity.id.low, " left and does not fall silent"));
    }
    cluster_.Stop(*Running(node));
    node.state = Node::State::kGone;
  }

  void CheckForgetting() {
    cluster_.RunUntil(cluster_.now_us() + plan_.options.dead_keep_us * 5 / 2 + 30 * kSecondUs);
    for (const Node& node : nodes_) {
      const Process* const process = Running(node);
      if (process == nullptr) {
        continue;
      }
      for (const auto& [id, member] : process->core->members()) {
        if (!IsPresent(member.record.health)) {
          throw Violation(StrCat("node ", process->identity.id.low, " remembers that node ", id.low,
                                 " is ", HealthName(member.record.health),
                                 ", which should be forgotten"));
        }
      }
    }
  }

  SeededRandom random_;
  Ledger ledger_;
  Cluster cluster_;
  Plan plan_{};
  std::vector<Node> nodes_;
  std::vector<uint64_t> strays_;  // processes whose node runs elsewhere, too
  uint64_t ids_ = 0;
  uint64_t places_ = 0;
  bool healed_ = false;
  int64_t healed_at_us_ = 0;
  bool peace_ = false;
  NodeId disturbed_{};
  SimulationReport report_;
};

[[noreturn]] void ThrowViolation(const AssertFailure& failure) {
  throw Violation(StrCat(failure.file, ":", failure.line, ": ASSERT(", failure.condition, ")"));
}

}  // namespace

SimulationReport SimulateCluster(uint64_t seed,
                                 const std::function<void(const std::string&)>& trace) {
  AssertHandler const before =
      SetAssertHandler([](const AssertFailure& failure) { ThrowViolation(failure); });
  try {
    SimulationReport const report = ClusterSimulation(seed, trace).Run();
    SetAssertHandler(before);
    return report;
  } catch (...) {
    SetAssertHandler(before);
    throw;
  }
}

}  // namespace orochi::swim::simulation
