#include "kv/node/simulation/process.h"

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::kv::simulation {
namespace {

constexpr uint32_t kBlockSizeBytes = 512;

}  // namespace

Status WatchedEngine::Write(const WriteBatch& batch) {
  WriteBatch puts;
  for (const WriteBatch::Change& change : batch.changes()) {
    if (change.value) {
      puts.Put(change.family, change.key, *change.value);
    }
  }
  ever_.Apply(puts);
  return state_.Write(batch);
}

Process::Process(const NodeOptions& options, const log::LogOptions& log_options, Pace pace,
                 sim::EventQueue& queue, Random& random, MapState& ever, Outside outside)
    : options_(options),
      log_options_(log_options),
      pace_(pace),
      queue_(queue),
      random_(random),
      outside_(std::move(outside)),
      disk_(random),
      device_(disk_, kBlockSizeBytes),
      engine_(ever) {}

void Process::Open(log::SegmentLog::Expect expect) {
  ASSERT(node_ == nullptr);
  ++life_;
  paused_ = false;
  auto log = log::SegmentLog::Open(log_options_, device_, random_, expect);
  if (!log.ok()) {
    throw Violation(StrCat("node ", number().value(), ": ", log.status().message()));
  }
  if (!(*log)->damages().empty()) {
    throw Violation(StrCat("node ", number().value(), ": its log is damaged"));
  }
  log_ = *std::move(log);
  node_ = std::make_unique<Node>(*this, rules_, options_);
}

void Process::Start(const std::vector<NodeRecord>& nodes) {
  Open(log::SegmentLog::Expect::kNew);
  if (Status const status = node_->Bootstrap(nodes); !status.ok()) {
    throw Violation(StrCat("node ", number().value(), ": ", status.message()));
  }
  node_->Flush();
  ScheduleTick();
}

void Process::Restart() {
  Open(log::SegmentLog::Expect::kExisting);
  std::vector<std::pair<log::GroupId, raft::RecoveredState>> logged;
  for (log::GroupId const group : log_->Groups()) {
    auto state = log_->LoadGroup(group);
    if (!state.ok()) {
      throw Violation(StrCat("node ", number().value(), ": ", state.status().message()));
    }
    logged.emplace_back(group, *std::move(state));
  }
  if (Status const status = node_->Recover(std::move(logged)); !status.ok()) {
    throw Violation(StrCat("node ", number().value(), " cannot come back: ", status.message()));
  }
  node_->Flush();
  ScheduleTick();
}

// A write that is under way may be done, in part or not at all.
void Process::Crash() {
  ASSERT(node_ != nullptr);
  if (order_ != nullptr && random_.OneIn(2)) {
    disk_.CrashAfter(random_.Below(3));
    log_->files().Write(*order_).IgnoreError("the crash comes in the middle of it");
    disk_.CancelCrash();
  }
  disk_.Restart(random_.OneIn(2) ? sim::Disk::Crash::kKill : sim::Disk::Crash::kPowerCut);
  node_.reset();
  log_.reset();
  order_.reset();
  write_wanted_ = false;
  engine_.Crash(random_);
  postponed_.clear();
}

void Process::Resume() {
  paused_ = false;
  for (const auto& event : std::exchange(postponed_, {})) {
    event();
  }
}

// Whatever happens here happens to this life of the process, later when it is paused.
void Process::After(int64_t delay_us, std::function<void()> event) {
  queue_.After(delay_us, [this, life = life_, event = std::move(event)] {
    auto run = [this, life, event] {
      if (life == life_ && node_ != nullptr) {
        event();
        node_->Flush();
      }
    };
    if (paused_ && life == life_) {
      postponed_.push_back(run);
    } else {
      run();
    }
  });
}

void Process::Do(const std::function<void(Node&)>& what) {
  if (node_ != nullptr) {
    what(*node_);
    After(0, [] {});
  }
}

void Process::Receive(NodeNumber from, const std::vector<PeerMessage>& messages) {
  if (node_ == nullptr) {
    return;
  }
  After(0, [this, from, messages] {
    for (const PeerMessage& message : messages) {
      node_->Receive(from, message);
    }
  });
}

void Process::ScheduleTick() {
  After(pace_.tick_us, [this] {
    node_->Tick();
    ScheduleTick();
  });
}

void Process::Send(NodeNumber to, std::vector<PeerMessage> messages) {
  outside_.send(number(), to, std::move(messages));
}

Status Process::Append(log::GroupId group, raft::PersistRequest request) {
  RETURN_IF_ERROR(log_->Append(group, std::move(request), now_us()));
  WantWrite();
  return Status();
}

Status Process::Compact(log::GroupId group, raft::SnapshotPoint point) {
  RETURN_IF_ERROR(log_->Compact(group, std::move(point)));
  WantWrite();
  return Status();
}

Status Process::Remove(log::GroupId group, raft::ReplicaId removed_below, uint64_t sequence) {
  RETURN_IF_ERROR(log_->Remove(group, removed_below, sequence, now_us()));
  WantWrite();
  return Status();
}

void Process::WantWrite() {
  if (!write_wanted_ && order_ == nullptr) {
    write_wanted_ = true;
    After(0, [this] { BeginWrite(); });
  }
}

void Process::BeginWrite() {
  write_wanted_ = false;
  if (order_ != nullptr) {
    return;
  }
  log::Decision const decision = log_->Next(now_us());
  if (decision.kind == log::Decision::Kind::kWait) {
    write_wanted_ = true;
    After(std::max<int64_t>(1, decision.until_us - now_us()), [this] { BeginWrite(); });
  } else if (decision.kind == log::Decision::Kind::kWrite) {
    order_ = std::make_unique<log::WriteOrder>(log_->BuildWrite());
    After(DrawDiskTime(), [this] { EndWrite(); });
  }
}

void Process::EndWrite() {
  if (Status status = Written(); !status.ok()) {
    Fail(std::move(status));
  }
  order_.reset();
  WantWrite();
}

Status Process::Written() {
  RETURN_IF_ERROR(log_->files().Write(*order_));
  log_->OnWritten(now_us());
  node_->OnDurable(log_->TakeCompletions());
  return log_->files().Recycle(*order_);
}

void Process::Fail(Status status) {
  throw Violation(StrCat("node ", number().value(), " fails: ", status.message()));
}

}  // namespace orochi::kv::simulation
