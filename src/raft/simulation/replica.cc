#include "raft/simulation/replica.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::raft::simulation {
namespace {

Payload PayloadOf(uint64_t number) {
  return std::make_shared<const std::string>(reinterpret_cast<const char*>(&number),
                                             sizeof(number));
}

uint64_t NumberOf(const Entry& entry) {
  uint64_t number = 0;
  ASSERT(entry.payload != nullptr && entry.payload->size() == sizeof(number));
  std::memcpy(&number, entry.payload->data(), sizeof(number));
  return number;
}

}  // namespace

Replica::Replica(Options options, ReplicaPace pace, SnapshotPoint birth, sim::EventQueue& queue,
                 Random& random, Ledger& ledger, Answers answers)
    : options_(options),
      pace_(pace),
      queue_(queue),
      random_(random),
      ledger_(ledger),
      answers_(std::move(answers)),
      base_(std::move(birth)) {}

void Replica::Later(int64_t delay_us, std::function<void()> event) {
  queue_.After(delay_us, [this, incarnation = incarnation_, event = std::move(event)] {
    if (incarnation != incarnation_ || core_ == nullptr) {
      return;
    }
    if (paused_) {
      postponed_.push_back(event);
    } else {
      event();
    }
  });
}

void Replica::Start() {
  ASSERT(core_ == nullptr);
  ++incarnation_;
  paused_ = false;
  auto core = RaftCore::Create(
      options_,
      {.hard_state = hard_state_, .base = base_, .entries = log_, .applied = flushed_.applied},
      random_);
  if (!core.ok()) {
    throw Violation(StrCat("replica ", id().value(), " cannot start: ", core.status().message()));
  }
  core_ = *std::move(core);
  state_ = flushed_;
  ScheduleTick();
  Pump();
}

void Replica::ScheduleTick() {
  Later(pace_.tick_us, [this] {
    core_->Tick();
    ScheduleTick();
    Pump();
  });
}

void Replica::Crash() {
  // The disk was writing: some of it may have arrived, in order.
  while (!writing_.empty() && random_.OneIn(2)) {
    MakeDurable(writing_.front().first);
    writing_.pop_front();
  }
  core_.reset();
  led_term_ = Term();
  writing_.clear();
  disk_busy_ = false;
  received_.clear();
  postponed_.clear();
  ForgetClients();
}

void Replica::Resume() {
  paused_ = false;
  auto events = std::exchange(postponed_, {});
  for (const auto& event : events) {
    if (core_ != nullptr) {
      event();
    }
  }
}

void Replica::ForgetClients() {
  for (const auto& [index, waiting] : std::exchange(writes_, {})) {
    answers_.unknown(waiting.operation);
  }
  for (const auto& [token, operation] : std::exchange(read_operations_, {})) {
    answers_.unknown(operation);
  }
  for (const WaitingRead& read : std::exchange(reads_, {})) {
    answers_.unknown(read.operation);
  }
}

void Replica::Receive(const Packet& packet) {
  Later(0, [this, packet] {
    if (packet.state != nullptr) {
      received_[packet.message.snapshot->index] = packet.state;
    }
    Status const status = core_->Step(packet.message);
    if (!status.ok()) {
      throw Violation(StrCat("replica ", id().value(),
                             " refuses a message of its own kind: ", status.message()));
    }
    Pump();
  });
}

bool Replica::Write(uint64_t operation, uint64_t number) {
  auto index = core_->Propose(PayloadOf(number));
  if (!index.ok()) {
    return false;
  }
  auto const [known, fresh] = writes_.emplace(*index, Waiting{operation, core_->term()});
  if (!fresh) {  // an entry of an earlier term of ours was overwritten
    answers_.unknown(known->second.operation);
    known->second = {operation, core_->term()};
  }
  Pump();
  return true;
}

bool Replica::Read(uint64_t operation) {
  auto token = core_->RequestRead();
  if (!token.ok()) {
    return false;
  }
  read_operations_.emplace(*token, operation);
  Pump();
  return true;
}

void Replica::Pump() {
  if (core_ == nullptr || pumping_) {
    return;
  }
  pumping_ = true;
  CheckCommit();
  while (core_->HasOutput()) {
    Output output = core_->TakeOutput();
    if (core_->role() == Role::kLeader && ledger_.NoteLeader(*core_)) {
      bool const knows_its_term = hard_state_.term == core_->term() && hard_state_.vote == id();
      if (!knows_its_term) {
        throw Violation(StrCat("replica ", id().value(), " leads term ", core_->term().value(),
                               ", and its disk does not know that it voted for itself"));
      }
      answers_.leads();
    }
    for (Message& message : output.messages) {
      ReplicaId const to = message.to;
      answers_.send(to, {std::move(message), nullptr});
    }
    if (output.persist.has_value()) {
      for (const Entry& entry : output.persist->entries) {
        ledger_.NoteWritten(id(), entry);
      }
      ListState installed;
      if (output.persist->install.has_value()) {
        ledger_.CheckSnapshot(id(), *output.persist->install);
        installed = *received_.at(output.persist->install->index);
        received_.clear();
        state_ = installed;
        ++snapshot_count_;
      }
      writing_.emplace_back(*std::move(output.persist), std::move(installed));
      WriteNext();
    }
    Apply(std::move(output.committed));
    for (const ReadReady& ready : output.reads) {
      auto const waiting = read_operations_.extract(ready.token);
      ASSERT(!waiting.empty());
      reads_.push_back({waiting.mapped(), ready.index});
    }
    for (uint64_t const token : output.reads_refused) {
      answers_.unknown(read_operations_.extract(token).mapped());
    }
    for (ReplicaId const to : output.snapshots_wanted) {
      SendSnapshot(to);
    }
    ServeReads();
  }
  pumping_ = false;
}

// A leader commits by counting entries of its own term alone (paper, 5.4.2).
void Replica::CheckCommit() {
  const Log& log = core_->log();
  if (core_->role() != Role::kLeader) {
    led_term_ = Term();
    return;
  }
  if (led_term_ == core_->term() && log.committed() > led_commit_ &&
      log.TermAt(log.committed()) != led_term_) {
    throw Violation(StrCat("the leader ", id().value(), " of term ", led_term_.value(),
                           " commits entry ", log.committed().value(), " of an earlier term"));
  }
  led_term_ = core_->term();
  led_commit_ = log.committed();
}

void Replica::WriteNext() {
  if (disk_busy_ || writing_.empty()) {
    return;
  }
  disk_busy_ = true;
  auto const duration_us =
      static_cast<int64_t>(1 + random_.Below(static_cast<uint64_t>(pace_.disk_us_max)));
  Later(duration_us, [this] {
    MakeDurable(writing_.front().first);
    uint64_t const sequence = writing_.front().first.sequence;
    writing_.pop_front();
    disk_busy_ = false;
    core_->OnPersisted(sequence);
    WriteNext();
    Pump();
  });
}

void Replica::MakeDurable(const PersistRequest& request) {
  if (request.hard_state.has_value()) {
    if (request.hard_state->term < hard_state_.term) {
      throw Violation(StrCat("replica ", id().value(), " goes back to term ",
                             request.hard_state->term.value()));
    }
    hard_state_ = *request.hard_state;
  }
  if (request.install.has_value()) {
    base_ = *request.install;
    log_.clear();
    flushed_ = writing_.front().second;
  }
  for (const Entry& entry : request.entries) {
    ASSERT(entry.index > base_.index);
    uint64_t const at = Distance(base_.index, entry.index) - 1;
    ASSERT(at <= log_.size());
    log_.resize(at);
    log_.push_back(entry);
  }
}

void Replica::Apply(std::vector<Entry> entries) {
  if (entries.empty()) {
    return;
  }
  if (pace_.apply_us_max == 0) {
    ApplyNow(entries);
    return;
  }
  auto const delay_us =
      static_cast<int64_t>(random_.Below(static_cast<uint64_t>(pace_.apply_us_max)));
  Later(delay_us, [this, entries = std::move(entries)] {
    ApplyNow(entries);
    ServeReads();
    Pump();
  });
}

void Replica::ApplyNow(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    if (entry.index <= state_.applied) {
      continue;  // a snapshot was installed meanwhile
    }
    ASSERT(entry.index == state_.applied + 1);
    uint64_t const at = Distance(base_.index, entry.index) - 1;
    if (base_.index >= entry.index || at >= log_.size() || log_[at].term != entry.term) {
      throw Violation(StrCat("replica ", id().value(), " applies entry ", entry.index.value(),
                             ", which its disk does not have"));
    }
    ledger_.NoteApplied(id(), entry);
    state_.applied = entry.index;
    state_.applied_term = entry.term;
    if (entry.kind == EntryKind::kCommand) {
      state_.numbers.push_back(NumberOf(entry));
    }
    auto const waiting = writes_.extract(entry.index);
    if (!waiting.empty() && waiting.mapped().term == entry.term) {
      answers_.done(waiting.mapped().operation, state_.numbers.size());
    } else if (!waiting.empty()) {
      answers_.unknown(waiting.mapped().operation);
    }
  }
  core_->OnApplied(state_.applied);
}

void Replica::ServeReads() {
  std::erase_if(reads_, [this](const WaitingRead& read) {
    if (read.index > state_.applied) {
      return false;
    }
    answers_.done(read.operation, state_.numbers.size());
    return true;
  });
}

void Replica::Flush() {
  bool const installing = std::any_of(writing_.begin(), writing_.end(), [](const auto& item) {
    return item.first.install.has_value();
  });
  if (core_ != nullptr && !installing) {
    flushed_ = state_;
  }
}

void Replica::Compact(uint64_t keep_count) {
  if (core_ == nullptr || flushed_.applied.value() <= base_.index.value() + keep_count ||
      flushed_.applied > state_.applied) {
    return;
  }
  LogIndex const index = flushed_.applied - keep_count;
  if (index < core_->log().base_index()) {
    return;  // a snapshot is being installed
  }
  core_->Compact(index);
  if (index > base_.index) {
    uint64_t const gone = Distance(base_.index, index);
    ASSERT(gone <= log_.size());
    base_ = {.index = index,
             .term = log_[gone - 1].term,
             .configuration = core_->log().ConfigurationAt(index)};
    log_.erase(log_.begin(), log_.begin() + static_cast<ptrdiff_t>(gone));
  }
}

void Replica::SendSnapshot(ReplicaId to) {
  const Log& log = core_->log();
  Message message{.kind = MessageKind::kSnapshot, .from = id(), .to = to, .term = core_->term()};
  message.snapshot = SnapshotPoint{.index = state_.applied,
                                   .term = *log.TermAt(state_.applied),
                                   .configuration = log.ConfigurationAt(state_.applied)};
  answers_.send(to, {std::move(message), std::make_shared<const ListState>(state_)});
  // Nobody says whether it arrived: try again unless an acknowledgement comes first.
  Later(1'000'000, [this, to] {
    core_->OnSnapshotFailed(to);
    Pump();
  });
}

}  // namespace orochi::raft::simulation
