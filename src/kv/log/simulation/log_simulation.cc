#include "kv/log/simulation/log_simulation.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "kv/log/segment_log.h"
#include "kv/log/simulation/ledger.h"
#include "kv/log/simulation/simulated_device.h"
#include "sim/disk.h"

namespace orochi::kv::log::simulation {
namespace {

// What the seed decides before anything happens.
struct Plan {
  uint64_t step_count;
  uint64_t group_count;
  uint64_t payload_size_bytes_max;
  uint32_t block_size_bytes;
  uint64_t crash_weight, clean_restart_weight, fault_weight, failure_weight;
  uint64_t compact_weight, remove_weight, read_weight;
  uint64_t appends_in_write_max;
  LogOptions options;
};

class LogSimulation {
 public:
  LogSimulation(uint64_t seed, const std::function<void(const std::string&)>& trace)
      : random_(seed), trace_(trace), disk_(random_) {
    report_.seed = seed;
    DrawPlan();
    device_ = std::make_unique<SimulatedDevice>(disk_, plan_.block_size_bytes);
  }

  SimulationReport Run() {
    Start();
    for (uint64_t step = 0; step < plan_.step_count; ++step) {
      now_us_ += static_cast<int64_t>(random_.Below(200));
      Step();
    }
    Settle();
    report_.trace_hash = trace_hash_;
    return report_;
  }

 private:
  bool Chance(uint64_t percent) { return random_.Below(100) < percent; }
  uint64_t Between(uint64_t least, uint64_t greatest) {
    return least + random_.Below(greatest - least + 1);
  }

  void DrawPlan() {
    plan_.step_count = Between(100, 500);
    plan_.group_count = Between(1, Chance(70) ? 4 : 12);
    plan_.payload_size_bytes_max = Chance(70) ? 60 : 3000;
    plan_.block_size_bytes = Chance(50) ? 512 : 4096;
    plan_.crash_weight = Chance(80) ? Between(1, 10) : 0;
    plan_.clean_restart_weight = Chance(50) ? 2 : 0;
    plan_.fault_weight = Chance(50) ? Between(1, 3) : 0;
    plan_.failure_weight = Chance(50) ? 1 : 0;
    plan_.compact_weight = Chance(80) ? Between(1, 20) : 0;
    plan_.remove_weight = Chance(50) ? Between(1, 4) : 0;
    plan_.read_weight = 10;
    plan_.appends_in_write_max = Chance(50) ? 0 : 3;
    LogOptions& options = plan_.options;
    options.segment_size_bytes = plan_.block_size_bytes * Between(16, 64);
    options.batch_size_bytes_max = Chance(50) ? options.segment_size_bytes / 4
                                              : Between(kBatchBlocksMin * plan_.block_size_bytes,
                                                        options.segment_size_bytes / 4);
    options.batch_wait_us_max = Chance(50) ? 0 : 50;
    options.confirm_after_us = Chance(50) ? 0 : 100;
    options.segment_count_min = Between(1, 4);
    options.spare_count_max = Between(0, 3);
    options.cache_size_bytes_max = Chance(50) ? 0 : Between(0, 20'000);
  }

  void Trace(const std::string& line) {
    for (char const c : line) {
      trace_hash_ = (trace_hash_ ^ static_cast<uint8_t>(c)) * 0x100000001B3;
    }
    if (trace_) {
      trace_(line);
    }
  }

  // Opens the log for the first time, with crashes before it is there.
  void Start() {
    while (log_ == nullptr) {
      if (Chance(30)) {
        disk_.CrashAfter(random_.Below(6));
      }
      Result<std::unique_ptr<SegmentLog>> log =
          SegmentLog::Open(plan_.options, *device_, random_, SegmentLog::Expect::kNew);
      if (log.ok()) {
        log_ = *std::move(log);
        disk_.CancelCrash();
      } else if (disk_.is_down()) {
        disk_.Restart(DrawCrash());
      } else {
        throw Violation(StrCat("a new log: ", log.status().ToString()));
      }
    }
  }

  sim::Disk::Crash DrawCrash() {
    return Chance(60) ? sim::Disk::Crash::kPowerCut : sim::Disk::Crash::kKill;
  }

  void Step() {
    uint64_t const total = 60 + plan_.crash_weight + plan_.clean_restart_weight +
                           plan_.fault_weight + plan_.failure_weight + plan_.compact_weight +
                           plan_.remove_weight + plan_.read_weight;
    uint64_t drawn = random_.Below(total);
    auto const is = [&drawn](uint64_t weight) {
      bool const chosen = drawn < weight;
      drawn -= chosen ? 0 : weight;
      return chosen;
    };
    if (is(plan_.crash_weight)) {
      if (!fault_unconfirmed_) {
        disk_.CrashAfter(random_.Below(6));
      }
    } else if (is(plan_.clean_restart_weight)) {
      if (!fault_unconfirmed_ && WriteAll()) {
        log_->RequestConfirmation();
        if (WriteAll()) {
          CrashAndRecover(sim::Disk::Crash::kPowerCut);
        }
      }
    } else if (is(plan_.fault_weight)) {
      InjectFault();
    } else if (is(plan_.failure_weight)) {
      if (!fault_unconfirmed_) {
        disk_.FailNextWrite();
      }
    } else if (is(plan_.compact_weight)) {
      Compact(DrawGroup());
    } else if (is(plan_.remove_weight)) {
      Remove(DrawGroup());
    } else if (is(plan_.read_weight)) {
      CheckRead(DrawGroup());
    } else if (Chance(50)) {
      Append(DrawGroup());
    } else {
      WriteIfWanted();
    }
  }

  GroupId DrawGroup() { return GroupId(1 + random_.Below(plan_.group_count)); }

  std::string DrawPayload() {
    std::string payload = StrCat("p", ++payload_number_, ".");
    uint64_t const size_bytes = random_.Below(plan_.payload_size_bytes_max + 1);
    if (payload.size() < size_bytes) {
      payload.resize(size_bytes, static_cast<char>('a' + payload_number_ % 26));
    }
    return Chance(5) ? std::string() : payload;
  }

  raft::Configuration DrawConfiguration() {
    raft::Configuration configuration;
    uint64_t const count = Between(1, 3);
    for (uint64_t id = 1; id <= count; ++id) {
      configuration.voters.emplace_back(id);
    }
    return configuration;
  }

  void Append(GroupId group) {
    if (damaged_.contains(group)) {
      return;
    }
    const ModelLog& model = ledger_.Latest(group);
    raft::PersistRequest request;
    request.sequence = ++sequence_;
    raft::HardState state = model.hard_state.value_or(raft::HardState{});
    if (!model.exists() || Chance(20)) {
      state.term = state.term.Next();
      state.vote = raft::ReplicaId(Between(1, 3));
      request.hard_state = state;
    }
    raft::LogIndex last = model.last_index();
    if ((!model.exists() && Chance(60)) || Chance(3)) {
      last = last + random_.Below(20);
      request.install = {last, state.term, DrawConfiguration()};
    } else if (!model.entries.empty() && Chance(15)) {
      last = last - Between(1, model.entries.size());
    }
    uint64_t const count = Chance(10) ? 0 : Chance(80) ? Between(1, 3) : Between(1, 20);
    for (uint64_t number = 0; number < count; ++number) {
      last = last + 1;
      std::string payload = DrawPayload();
      request.entries.push_back(
          {.index = last,
           .term = state.term,
           .payload = payload.empty() ? nullptr : std::make_shared<std::string>(payload)});
    }
    Trace(StrCat("append to ", group.value(), ": ", request.sequence, ", ", count, " up to ",
                 last.value(), request.install ? ", install" : "",
                 request.hard_state ? ", hard state" : ""));
    ledger_.NoteAppend(group, request);
    Status const appended = log_->Append(group, std::move(request), now_us_);
    if (!appended.ok()) {
      throw Violation(StrCat("append: ", appended.ToString()));
    }
  }

  void Compact(GroupId group) {
    const ModelLog& model = ledger_.Latest(group);
    if (model.entries.empty() || damaged_.contains(group)) {
      return;
    }
    uint64_t const count = Between(1, model.entries.size());
    const raft::Entry& entry = model.entries[count - 1];
    CompactTo(group, {entry.index, entry.term, DrawConfiguration()});
  }

  void CompactTo(GroupId group, const raft::SnapshotPoint& point) {
    Trace(StrCat("compact ", group.value(), " to ", point.index.value()));
    ledger_.NoteCompact(group, point);
    log_->Compact(group, point).IgnoreError("refused only after a failure, which is seen there");
  }

  void Remove(GroupId group) {
    Trace(StrCat("remove ", group.value()));
    raft::ReplicaId const below(Between(1, 9));
    ledger_.NoteRemove(group, below, ++sequence_);
    if (!log_->Remove(group, below, sequence_, now_us_).ok()) {
      throw Violation("remove is refused");
    }
    damaged_.erase(group);
  }

  void InjectFault() {
    // The last write before a crash cannot be told from one that was cut short: a fault counts
    // once another write has followed it.
    fault_unconfirmed_ = true;
    disk_.CancelCrash();
    uint64_t const kind = random_.Below(3);
    if (kind == 0) {
      auto const flipped = disk_.FlipBit();
      Trace(StrCat("flip a bit of ", flipped->first, " at ", flipped->second));
      write_confirms_at_ = std::max(write_confirms_at_, report_.write_count + 1);
    } else {
      Trace(kind == 1 ? "the next write goes elsewhere" : "the next write also goes elsewhere");
      kind == 1 ? disk_.MisdirectNextWrite() : disk_.DoubleNextWrite();
      write_confirms_at_ = std::max(write_confirms_at_, report_.write_count + 2);
    }
    ++fault_count_;
  }

  // Reads what is not waiting to be written.
  void CheckRead(GroupId group) {
    const ModelLog& model = ledger_.Latest(group);
    if (!ledger_.IsAllAcknowledged() || log_->statistics().pending_bytes != 0 ||
        model.entries.empty() || damaged_.contains(group)) {
      return;
    }
    uint64_t const first = random_.Below(model.entries.size());
    uint64_t const last = Between(first, model.entries.size() - 1);
    auto const found = log_->Read(group, model.entries[first].index, model.entries[last].index,
                                  Chance(50) ? UINT64_MAX : random_.Below(500));
    if (!found.ok()) {
      if (found.status().code() == StatusCode::kCorruption && fault_count_ > 0) {
        damaged_.insert(group);
        return;
      }
      throw Violation(StrCat("group ", group.value(), ": read: ", found.status().ToString()));
    }
    ++report_.read_count;
    for (size_t at = 0; at < found->size(); ++at) {
      if (ToString((*found)[at]) != ToString(model.entries[first + at])) {
        throw Violation(StrCat("group ", group.value(), ": entry ",
                               model.entries[first + at].index.value(), " is read as another"));
      }
    }
  }

  // One write, if the log wants one. False when that led to a restart.
  bool WriteIfWanted() {
    Decision const decision = log_->Next(now_us_);
    if (decision.kind == Decision::Kind::kWait) {
      now_us_ = std::max(now_us_, decision.until_us);
    }
    if (log_->Next(now_us_).kind != Decision::Kind::kWrite) {
      return true;
    }
    WriteOrder const order = log_->BuildWrite();
    Trace(StrCat("write to ", order.frame.segment.value(), " at ", order.frame.offset_bytes, ", ",
                 order.frame.bytes.size_bytes(), " bytes, frees ", order.freed.size()));
    TakeCompletions();
    NoteDamages();
    if (!draining_) {
      for (uint64_t count = random_.Below(plan_.appends_in_write_max + 1); count > 0; --count) {
        Append(DrawGroup());
      }
    }
    Status written = log_->files().Write(order);
    if (written.ok()) {
      ++report_.write_count;
      log_->OnWritten(now_us_);
      TakeCompletions();
      if (fault_unconfirmed_ && report_.write_count >= write_confirms_at_) {
        fault_unconfirmed_ = false;
      }
      written = log_->files().Recycle(order);
      report_.freed_count += order.freed.size();
    }
    NoteDamages();
    bool const failed = !written.ok();
    if (disk_.is_down()) {
      CrashAndRecover(DrawCrash());
      return false;
    }
    if (failed) {
      CheckFailure(std::move(written));
      return false;
    }
    return true;
  }

  // R13: after a failed write nothing is accepted, and the process stops.
  void CheckFailure(Status failure) {
    ++report_.failure_count;
    Trace(StrCat("failure: ", failure.ToString()));
    log_->OnFailed(std::move(failure));
    TakeCompletions();
    if (log_->failure().ok() || log_->Append(GroupId(1), {}, now_us_).ok() ||
        log_->Next(now_us_).kind == Decision::Kind::kWrite) {
      // What it promises now is held against it.
      for (int round = 0; round < 3 && log_->failure().ok(); ++round) {
        WriteIfWanted();
      }
    }
    CrashAndRecover(DrawCrash());
  }

  // Until nothing waits to be written. False when that led to a restart.
  bool WriteAll() {
    draining_ = true;
    bool const stayed_up = Drain();
    draining_ = false;
    return stayed_up;
  }

  bool Drain() {
    for (int round = 0; round < 10'000; ++round) {
      Decision::Kind const kind = log_->Next(now_us_).kind;
      if (kind == Decision::Kind::kIdle) {
        return true;
      }
      if (!WriteIfWanted()) {
        return false;
      }
    }
    Decision const decision = log_->Next(now_us_);
    throw Violation(StrCat("the log never comes to rest: decision ", decision.kind, " until ",
                           decision.until_us, " at ", now_us_));
  }

  void TakeCompletions() {
    for (const Completion& completion : log_->TakeCompletions()) {
      Trace(StrCat("done: ", completion.group.value(), " ", completion.sequence));
      ledger_.NoteCompletion(completion.group, completion.sequence);
      ++report_.completion_count;
    }
  }

  // Damage that was met while the log was open.
  void NoteDamages() {
    for (; damage_count_ < log_->damages().size(); ++damage_count_) {
      const Damage& damage = log_->damages()[damage_count_];
      Trace(damage.ToStatus().message());
      if (fault_count_ == 0) {
        throw Violation(StrCat("damage without a fault: ", damage.ToStatus().message()));
      }
      ++report_.damage_count;
      damaged_.insert(damage.groups.begin(), damage.groups.end());
    }
  }

  void CrashAndRecover(sim::Disk::Crash crash) {
    ++report_.crash_count;
    Trace(crash == sim::Disk::Crash::kKill ? "kill" : "power cut");
    report_.moved_count += log_->statistics().moved_count;
    log_.reset();
    damaged_.clear();
    disk_.Restart(crash);
    while (log_ == nullptr) {
      if (Chance(20)) {
        disk_.CrashAfter(random_.Below(4));
      }
      Result<std::unique_ptr<SegmentLog>> log =
          SegmentLog::Open(plan_.options, *device_, random_, SegmentLog::Expect::kExisting);
      if (log.ok()) {
        log_ = *std::move(log);
        disk_.CancelCrash();
      } else if (disk_.is_down()) {
        disk_.Restart(DrawCrash());
      } else {
        throw Violation(StrCat("recovery: ", log.status().ToString()));
      }
    }
    CheckRecovered();
  }

  void CheckRecovered() {
    bool any_group_damaged = false;
    damage_count_ = 0;
    for (const Damage& damage : log_->damages()) {
      any_group_damaged = any_group_damaged || damage.groups.empty();
    }
    NoteDamages();
    damaged_.clear();  // a group may have been born anew after its damage
    std::set<GroupId> const found = [this] {
      std::vector<GroupId> const list = log_->Groups();
      return std::set<GroupId>(list.begin(), list.end());
    }();
    for (GroupId const group : ledger_.Groups()) {
      ModelLog recovered;
      recovered.removed_below = log_->RemovedBelow(group);
      if (found.contains(group)) {
        Result<raft::RecoveredState> state = log_->LoadGroup(group);
        if (!state.ok()) {
          if (state.status().code() != StatusCode::kCorruption || log_->damages().empty()) {
            throw Violation(StrCat("load: ", state.status().ToString()));
          }
          damaged_.insert(group);
          continue;
        }
        // What is absent and what is empty is the same to a reader.
        if (state->hard_state != raft::HardState{}) {
          recovered.hard_state = state->hard_state;
        }
        if (state->base != raft::SnapshotPoint{}) {
          recovered.base = state->base;
        }
        recovered.entries = std::move(state->entries);
      } else if (any_group_damaged) {
        damaged_.insert(group);
        continue;
      }
      ledger_.CheckRecovered(group, recovered);
    }
    // A damaged group is refetched under another replica id.
    for (GroupId const group : std::set<GroupId>(damaged_)) {
      ledger_.Forget(group, log_->RemovedBelow(group));
      Remove(group);
    }
  }

  // Faults have stopped: all is written, nothing is lost, and little space is used.
  void Settle() {
    disk_.CancelCrash();
    while (!WriteAll() || fault_unconfirmed_) {
      Remove(DrawGroup());
    }
    CrashAndRecover(DrawCrash());
    for (GroupId const group : ledger_.Groups()) {
      const ModelLog& model = ledger_.Latest(group);
      if (!model.entries.empty()) {
        const raft::Entry& last = model.entries.back();
        CompactTo(group, {last.index, last.term, DrawConfiguration()});
      }
      Append(group);
    }
    while (!WriteAll()) {
    }
    // A kill may have left one more that is not needed.
    LogStatistics const statistics = log_->statistics();
    uint64_t const size_bytes = plan_.options.segment_size_bytes;
    uint64_t const needed = (statistics.live_bytes + size_bytes - 1) / size_bytes;
    uint64_t const bound = std::max(plan_.options.segment_count_min, 2 * needed + 2);
    if (statistics.segment_count > bound) {
      throw Violation(StrCat(statistics.segment_count, " segments for ", statistics.live_bytes,
                             " live bytes, expected at most ", bound));
    }
    if (statistics.cached_bytes > plan_.options.cache_size_bytes_max) {
      throw Violation(StrCat(statistics.cached_bytes, " bytes in memory, at most ",
                             plan_.options.cache_size_bytes_max));
    }
    if (!ledger_.IsAllAcknowledged()) {
      throw Violation("requests are never acknowledged");
    }
    for (GroupId const group : ledger_.Groups()) {
      CheckRead(group);
    }
    CrashAndRecover(sim::Disk::Crash::kPowerCut);
  }

  SeededRandom random_;
  const std::function<void(const std::string&)>& trace_;
  Plan plan_{};
  sim::Disk disk_;
  std::unique_ptr<SimulatedDevice> device_;
  std::unique_ptr<SegmentLog> log_;
  Ledger ledger_;
  SimulationReport report_;
  std::set<GroupId> damaged_;
  size_t damage_count_ = 0;
  uint64_t fault_count_ = 0;
  bool fault_unconfirmed_ = false;
  bool draining_ = false;
  uint64_t write_confirms_at_ = 0;
  uint64_t sequence_ = 0;
  uint64_t payload_number_ = 0;
  int64_t now_us_ = 0;
  uint64_t trace_hash_ = 0xCBF29CE484222325;
};

}  // namespace

SimulationReport SimulateLog(uint64_t seed, const std::function<void(const std::string&)>& trace) {
  return LogSimulation(seed, trace).Run();
}

}  // namespace orochi::kv::log::simulation
