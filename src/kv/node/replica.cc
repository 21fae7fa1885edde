#include "kv/node/replica.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/meta/planted_bug.h"

namespace orochi::kv {
namespace {

// A group begins behind its first entry: who comes later begins before it, and so gets the state
// that the group was born with, as a snapshot.
constexpr raft::LogIndex kBirthIndex{1};
constexpr raft::Term kBirthTerm{1};

raft::Configuration BirthConfiguration(std::vector<raft::ReplicaId> voters) {
  std::sort(voters.begin(), voters.end());
  return {.voters = std::move(voters), .outgoing = {}, .learners = {}};
}

}  // namespace

Replica::Replica(log::GroupId group, GroupNote note, const ReplicaOptions& options, NodeHost& host,
                 Owner owner)
    : group_(group),
      note_(std::move(note)),
      options_(options),
      host_(host),
      owner_(std::move(owner)) {}

Status Replica::Start(raft::RecoveredState state) {
  ASSIGN_OR_RETURN(raft_, raft::RaftCore::Create({.id = note_.replica,
                                                  .election_ticks = options_.election_ticks,
                                                  .heartbeat_ticks = options_.heartbeat_ticks},
                                                 std::move(state), host_.random()));
  return Status();
}

Result<std::unique_ptr<Replica>> Replica::Open(log::GroupId group, GroupNote note,
                                               raft::RecoveredState logged,
                                               const ReplicaOptions& options, NodeHost& host,
                                               Owner owner) {
  ASSIGN_OR_RETURN(raft::LogIndex const applied, host.engine().Applied(group));
  ASSIGN_OR_RETURN(RecoveredReplica recovered, JoinLogAndState(std::move(logged), applied, note));
  if (recovered.must_install) {
    RETURN_IF_ERROR(host.Append(group, {.sequence = 0,
                                        .hard_state = recovered.state.hard_state,
                                        .install = recovered.state.base,
                                        .entries = {}}));
  }
  std::unique_ptr<Replica> replica(
      new Replica(group, std::move(note), options, host, std::move(owner)));
  RETURN_IF_ERROR(replica->Start(std::move(recovered.state)));
  return replica;
}

// The note is durable before the log has the group: whoever is in the log has a note.
Result<std::unique_ptr<Replica>> Replica::Create(log::GroupId group, raft::ReplicaId id,
                                                 KeySpan span, std::vector<raft::ReplicaId> birth,
                                                 const ReplicaOptions& options, NodeHost& host,
                                                 Owner owner) {
  GroupNote note{.replica = id, .span = std::move(span)};
  if (!birth.empty()) {
    bool const at_zero = IsPlanted(cluster::PlantedBug::kBornAtZero);
    note.installed = {.index = at_zero ? raft::LogIndex() : kBirthIndex,
                      .term = at_zero ? raft::Term() : kBirthTerm,
                      .configuration = BirthConfiguration(std::move(birth))};
  }
  raft::RecoveredState state;
  state.base = note.installed;
  state.applied = state.base.index;
  state.hard_state.term = state.base.term;
  state.hard_state.commit = state.base.index;
  WriteBatch batch;
  batch.Put(Family::kMeta, GroupNoteKey(group), EncodeGroupNote(note));
  SetApplied(batch, group, state.applied);
  RETURN_IF_ERROR(host.engine().Write(batch));
  RETURN_IF_ERROR(host.engine().Flush());
  RETURN_IF_ERROR(host.Append(
      group,
      {.sequence = 0, .hard_state = state.hard_state, .install = state.base, .entries = {}}));
  std::unique_ptr<Replica> replica(
      new Replica(group, std::move(note), options, host, std::move(owner)));
  RETURN_IF_ERROR(replica->Start(std::move(state)));
  return replica;
}

Status Replica::Woken(Status status) {
  Wake();
  return status;
}

void Replica::Tick() {
  raft_->Tick();
  if (raft_->HasOutput()) {
    Wake();
  }
}

void Replica::Campaign() {
  raft_->Campaign();
  Wake();
}

// A message that no peer would send changes nothing; the network lost its right to be believed.
void Replica::Step(raft::Message message) {
  raft_->Step(std::move(message)).IgnoreError("a peer's nonsense is its own fault");
  Wake();
}

void Replica::OnPersisted(uint64_t sequence) {
  if (sequence > 0) {
    raft_->OnPersisted(sequence);
    Wake();
  }
}

void Replica::Propose(WriteBatch batch, std::function<void()> applied) {
  ASSERT(leads());
  auto payload = std::make_shared<const std::string>(batch.Encode());
  queued_size_bytes_ += payload->size();
  queued_.push_back({std::move(payload), std::move(applied)});
  Wake();
}

void Replica::Confirm(std::function<void()> confirmed) {
  ASSERT(leads());
  to_confirm_.push_back(std::move(confirmed));
  Wake();
}

// Raft takes no more while it hands over or too much waits: what is left stays in the queue.
void Replica::ProposeQueued() {
  while (leads() && !queued_.empty()) {
    Result<raft::LogIndex> const index = raft_->Propose(queued_.front().payload);
    if (!index.ok()) {
      return;
    }
    proposed_.insert_or_assign(*index, Waiting{lead_term_, std::move(queued_.front().applied)});
    queued_size_bytes_ -= queued_.front().payload->size();
    queued_.pop_front();
  }
}

// One question for all who asked since the last.
void Replica::AskForReads() {
  if (!leads() || to_confirm_.empty()) {
    return;
  }
  if (IsPlanted(cluster::PlantedBug::kConfirmAtOnce)) {
    for (const auto& confirmed : std::exchange(to_confirm_, {})) {
      confirmed();
    }
    return;
  }
  Result<uint64_t> const token = raft_->RequestRead();
  if (token.ok()) {
    confirming_.emplace(*token, std::exchange(to_confirm_, {}));
  }
}

void Replica::Pump() {
  if (pumping_) {
    return;
  }
  pumping_ = true;
  while (true) {
    FollowLeadership();
    ProposeQueued();
    AskForReads();
    if (!raft_->HasOutput()) {
      break;
    }
    raft::Output output = raft_->TakeOutput();
    FollowLeadership();
    for (raft::Message& message : output.messages) {
      owner_.send(group_, std::move(message));
    }
    if (output.persist) {
      Persist(*std::move(output.persist));
    }
    Apply(output.committed);
    for (const raft::ReadReady& ready : output.reads) {
      // What was committed before is applied: the leader began with all of it, and has been told
      // of what it proposed itself as far as anyone else has.
      if (auto waiting = confirming_.extract(ready.token); !waiting.empty()) {
        for (const auto& confirmed : waiting.mapped()) {
          confirmed();
        }
      }
    }
    for (uint64_t const token : output.reads_refused) {
      confirming_.erase(token);
    }
    for (raft::ReplicaId const to : output.snapshots_wanted) {
      SendSnapshot(to);
    }
  }
  pumping_ = false;
}

// Before anything of another leader is applied, whoever evaluated as the leader here is gone.
void Replica::FollowLeadership() {
  bool const is_leader = raft_->role() == raft::Role::kLeader;
  if (leads() && (!is_leader || raft_->term() != lead_term_)) {
    lead_term_ = raft::Term();
    queued_.clear();
    queued_size_bytes_ = 0;
    proposed_.clear();
    to_confirm_.clear();
    confirming_.clear();
    owner_.leads(*this, false);
  }
  if (!leads() && raft_->IsLeaderReady() &&
      raft_->log().TermAt(raft_->log().applied()) == raft_->term()) {
    lead_term_ = raft_->term();
    owner_.leads(*this, true);
  }
}

void Replica::Persist(raft::PersistRequest request) {
  if (request.install && !Install(*request.install)) {
    return;
  }
  if (Status status = host_.Append(group_, std::move(request)); !status.ok()) {
    host_.Fail(std::move(status).WithContext(StrCat("log of group ", group_.value())));
  }
}

// The state first, durably, with a note of what it is; then the log.
bool Replica::Install(const raft::SnapshotPoint& point) {
  ASSERT(receiving_ != nullptr && receiving_->complete() && receiving_->point() == point);
  note_.installed = point;
  WriteBatch batch;
  batch.Put(Family::kMeta, GroupNoteKey(group_), EncodeGroupNote(note_));
  SetApplied(batch, group_, point.index);
  Status status = std::exchange(receiving_, nullptr)->Install(host_.engine(), batch);
  if (status.ok() && !IsPlanted(cluster::PlantedBug::kLogBeforeState)) {
    status = host_.engine().Flush();
  }
  if (!status.ok()) {
    host_.Fail(std::move(status).WithContext(StrCat("state of group ", group_.value())));
    return false;
  }
  owner_.applied(*this);
  return true;
}

// All entries as one batch of the engine, with the index of the last.
void Replica::Apply(const std::vector<raft::Entry>& entries) {
  if (entries.empty()) {
    return;
  }
  WriteBatch all;
  for (const raft::Entry& entry : entries) {
    if (entry.kind != raft::EntryKind::kCommand || entry.payload == nullptr) {
      continue;
    }
    Result<WriteBatch> batch = WriteBatch::Decode(*entry.payload);
    if (!batch.ok()) {
      host_.Fail(std::move(batch).status().WithContext(
          StrCat("entry ", entry.index.value(), " of group ", group_.value())));
      return;
    }
    all.Append(*std::move(batch));
  }
  if (IsPlanted(cluster::PlantedBug::kAppliedApart)) {
    WriteBatch index;
    SetApplied(index, group_, entries.back().index);
    host_.engine().Write(index).IgnoreError("a planted bug");
  }
  SetApplied(all, group_, entries.back().index);
  if (Status status = host_.engine().Write(all); !status.ok()) {
    host_.Fail(std::move(status).WithContext(StrCat("state of group ", group_.value())));
    return;
  }
  raft_->OnApplied(entries.back().index);
  owner_.applied(*this);
  for (const raft::Entry& entry : entries) {
    auto waiting = proposed_.extract(entry.index);
    if (!waiting.empty() && waiting.mapped().term == entry.term) {
      waiting.mapped().applied();
    }
  }
}

std::string Replica::Describe() const {
  const raft::Log& log = raft_->log();
  return StrCat(NodeOf(id()).value(), "/", LifeOf(id()), leads() ? " leads" : " follows", " term ",
                raft_->term().value(), " of ", NodeOf(raft_->leader()).value(), ", entries ",
                log.base_index().value(), " to ", log.last_index().value(), ", committed ",
                log.committed().value(), ", applied ", log.applied().value(), ", ",
                raft::ToString(raft_->configuration()));
}

bool Replica::MoveTowards(const std::vector<raft::ReplicaId>& voters) {
  const raft::Configuration& now = raft_->configuration();
  if (!leads() || now.IsJoint()) {
    return false;
  }
  if (now.voters == voters && now.learners.empty()) {
    // In force from when it was appended; nobody may go before it is committed.
    return raft_->log().committed() >= raft_->log().configuration_index();
  }
  std::vector<raft::ReplicaId> learners;
  for (raft::ReplicaId const voter : voters) {
    if (!now.IsVoter(voter)) {
      learners.push_back(voter);
    }
  }
  // New ones learn first. A learner that lags is refused as a voter, and asked about again later.
  bool const all_learn = learners == now.learners;
  auto const proposed = all_learn ? raft_->ProposeConfiguration(voters, {})
                                  : raft_->ProposeConfiguration(now.voters, learners);
  if (proposed.ok()) {
    Wake();
  }
  return false;
}

void Replica::Compact() {
  raft::LogIndex const flushed =
      std::min(host_.engine().FlushedApplied(group_), raft_->log().applied());
  const raft::Log& log = raft_->log();
  if (flushed.value() <= log.base_index().value() + options_.kept_entry_count) {
    return;
  }
  raft::LogIndex const index = flushed - options_.kept_entry_count;
  raft::SnapshotPoint point{
      .index = index, .term = *log.TermAt(index), .configuration = log.ConfigurationAt(index)};
  raft_->Compact(index);
  if (Status status = host_.Compact(group_, std::move(point)); !status.ok()) {
    host_.Fail(std::move(status).WithContext(StrCat("log of group ", group_.value())));
  }
}

void Replica::SendSnapshot(raft::ReplicaId to) {
  const raft::Log& log = raft_->log();
  raft::LogIndex const index = log.applied();
  SnapshotChunk first{.group = group_,
                      .from = id(),
                      .to = to,
                      .term = raft_->term(),
                      .point = {.index = index,
                                .term = *log.TermAt(index),
                                .configuration = log.ConfigurationAt(index)},
                      .stream = ++stream_,
                      .number = 0,
                      .bytes = {}};
  sending_.insert_or_assign(
      to, std::make_unique<SnapshotSender>(std::move(first), host_.engine().TakeSnapshot(),
                                           RangesOf(group_, note_.span),
                                           options_.snapshot_chunk_size_bytes));
  SendNextChunk(to);
}

void Replica::SendNextChunk(raft::ReplicaId to) {
  SnapshotSender& sender = *sending_.at(to);
  Result<SnapshotChunk> chunk = sender.Next();
  if (!chunk.ok()) {
    host_.Fail(std::move(chunk).status().WithContext(StrCat("state of group ", group_.value())));
    return;
  }
  WatchTransfer(to, sender.stream(), chunk->number);
  owner_.send_peer(NodeOf(to), *std::move(chunk));
}

void Replica::WatchTransfer(raft::ReplicaId to, uint64_t stream, uint32_t number) {
  AfterAnswerTime([this, to, stream, number] {
    auto const sender = sending_.find(to);
    if (sender != sending_.end() && sender->second->stream() == stream &&
        sender->second->number() == number + 1) {
      sending_.erase(sender);
      raft_->OnSnapshotFailed(to);
      Wake();
    }
  });
}

void Replica::AfterAnswerTime(std::function<void()> event) {
  host_.After(options_.snapshot_answer_us,
              [here = std::weak_ptr<int>(here_), event = std::move(event)] {
                if (!here.expired()) {
                  event();
                }
              });
}

void Replica::OnChunkAnswer(const SnapshotReceived& answer) {
  for (auto const& [to, sender] : sending_) {
    if (sender->stream() != answer.stream || sender->number() != answer.number + 1) {
      continue;
    }
    if (answer.accepted && !sender->done()) {
      SendNextChunk(to);
      return;
    }
    if (answer.accepted) {
      // The follower's acknowledgement says that it was of use, but may be lost.
      AfterAnswerTime([this, to = to] {
        if (!sending_.contains(to)) {
          raft_->OnSnapshotFailed(to);
          Wake();
        }
      });
    } else {
      raft_->OnSnapshotFailed(to);
      Wake();
    }
    sending_.erase(to);
    return;
  }
}

void Replica::OnChunk(NodeNumber from, SnapshotChunk chunk) {
  SnapshotReceived answer{.group = group_,
                          .to = chunk.from,
                          .stream = chunk.stream,
                          .number = chunk.number,
                          .accepted = false};
  if (chunk.number == 0) {
    receiving_ = std::make_unique<SnapshotReceiver>(chunk, RangesOf(group_, note_.span));
  }
  if (receiving_ != nullptr && receiving_->IsOf(chunk)) {
    if (receiving_->Take(chunk).ok()) {
      answer.accepted = true;
    } else {
      receiving_.reset();
    }
  }
  if (answer.accepted && receiving_->complete()) {
    raft::Message message{.kind = raft::MessageKind::kSnapshot,
                          .from = chunk.from,
                          .to = chunk.to,
                          .term = chunk.term};
    message.snapshot = receiving_->point();
    Step(std::move(message));
    Pump();
    receiving_.reset();  // if it was of no use
  }
  owner_.send_peer(from, std::move(answer));
}

}  // namespace orochi::kv
