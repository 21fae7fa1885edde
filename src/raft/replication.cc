// What a leader sends and how it counts: Raft paper, 5.3 and 5.4; pipelining as in the
// thesis, 10.2.

#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"
#include "raft/planted_bug.h"
#include "raft/raft_core.h"

namespace orochi::raft {

void RaftCore::TickLeader() {
  if (++heartbeat_elapsed_ >= options_.heartbeat_ticks) {
    heartbeat_elapsed_ = 0;
    heartbeat_due_ = true;
  }
  if (++election_elapsed_ < options_.election_ticks) {
    return;
  }
  election_elapsed_ = 0;
  transfer_to_ = kNobody;  // it took too long: serve again
  bool const led = configuration().HasQuorum(
      [this](ReplicaId id) { return id == options_.id || progress_.at(id).recently_active; });
  if (!led) {
    BecomeFollower(term_, kNobody);  // a leader that nobody hears must not look like one
    return;
  }
  for (auto& [id, progress] : progress_) {
    progress.recently_active = false;
  }
}

Result<LogIndex> RaftCore::Propose(Payload payload) {
  if (role_ != Role::kLeader) {
    return Status::Unavailable(StrCat("replica ", options_.id.value(), " does not lead term ",
                                      term_.value(), "; the leader is ", leader_.value()));
  }
  if (transfer_to_ != kNobody) {
    return Status::Unavailable(StrCat("leadership is moving to replica ", transfer_to_.value()));
  }
  uint64_t const size_bytes = Entry::kOverheadBytes + (payload ? payload->size() : 0);
  if (uncommitted_size_bytes_ > 0 &&
      uncommitted_size_bytes_ + size_bytes > options_.uncommitted_size_bytes_max) {
    return Status::ResourceExhausted(StrCat("entries of ", uncommitted_size_bytes_,
                                            " bytes wait to be committed, the bound is ",
                                            options_.uncommitted_size_bytes_max));
  }
  return AppendOwn(EntryKind::kCommand, std::move(payload));
}

LogIndex RaftCore::AppendOwn(EntryKind kind, Payload payload) {
  LogIndex const index = log_.last_index() + 1;
  Entry entry{.index = index, .term = term_, .kind = kind, .payload = std::move(payload)};
  uncommitted_size_bytes_ += entry.size_bytes();
  Status const status = log_.Append(std::move(entry));
  ASSERT(status.ok());  // our own configurations are well formed
  if (kind == EntryKind::kConfiguration) {
    SyncProgress();
  }
  return index;
}

void RaftCore::BroadcastHeartbeat() {
  heartbeat_due_ = false;
  for (const auto& [id, progress] : progress_) {
    if (id != options_.id) {
      Send({.kind = MessageKind::kHeartbeat,
            .to = id,
            .term = term_,
            .commit = std::min(progress.match, log_.committed()),
            .read_round = read_round_});
    }
  }
}

void RaftCore::SendAppends(Output& output) {
  for (auto& [id, progress] : progress_) {
    if (id != options_.id) {
      SendAppendsTo(id, progress, output);
    }
  }
}

void RaftCore::SendAppendsTo(ReplicaId to, Progress& progress, Output& output) {
  if (progress.state != Progress::State::kSnapshot && progress.next <= log_.base_index()) {
    progress.AwaitSnapshot(log_.base_index());
    output.snapshots_wanted.push_back(to);
  }
  if (progress.state == Progress::State::kProbe && !progress.probe_sent) {
    SendAppend(to, progress);
    progress.probe_sent = true;
  }
  while (progress.state == Progress::State::kReplicate && progress.next <= log_.last_index() &&
         progress.in_flight.size() < options_.in_flight_count_max &&
         progress.in_flight_bytes < options_.in_flight_size_bytes_max) {
    SendAppend(to, progress);
  }
}

void RaftCore::SendAppend(ReplicaId to, Progress& progress) {
  LogIndex const before = progress.next - 1;
  Message message{
      .kind = MessageKind::kAppend,
      .to = to,
      .term = term_,
      .index = before,
      .log_term = *log_.TermAt(before),
      .commit = log_.committed(),
      .entries = log_.Slice(progress.next, log_.last_index(), options_.append_size_bytes_max),
      .read_round = read_round_};
  if (progress.state == Progress::State::kReplicate && !message.entries.empty()) {
    uint64_t size_bytes = 0;
    for (const Entry& entry : message.entries) {
      size_bytes += entry.size_bytes();
    }
    LogIndex const last = message.entries.back().index;
    progress.in_flight.push_back({last, size_bytes});
    progress.in_flight_bytes += size_bytes;
    progress.next = last + 1;
  }
  Send(std::move(message));
}

void RaftCore::HandleAppendReply(const Message& message) {
  auto const found = progress_.find(message.from);
  if (role_ != Role::kLeader || found == progress_.end()) {
    return;
  }
  Progress& progress = found->second;
  progress.recently_active = true;
  NoteReadRound(progress, message.read_round);
  if (message.reject) {
    bool const stale = progress.state == Progress::State::kReplicate
                           ? message.index <= progress.match
                           : message.index != progress.next - 1;
    if (stale || progress.state == Progress::State::kSnapshot) {
      return;
    }
    // Their log ends at the hint, or disagrees after it; ours has nothing of that term after this.
    LogIndex const agree = log_.LastAtMost(message.hint_index, message.hint_term);
    LogIndex const next = std::max(std::min(agree, message.index - 1), progress.match) + 1;
    bool const no_nearer = progress.state == Progress::State::kProbe && next == progress.next;
    progress.Probe(next);
    // A follower that refuses what it once had would be asked again as fast as it answers.
    progress.probe_sent = no_nearer;
    return;
  }
  if (message.index > log_.last_index()) {
    return;  // no replica of this term can have more than its leader
  }
  progress.match = std::max(progress.match, message.index);
  progress.Answered(message.index);
  if (progress.state == Progress::State::kSnapshot && progress.match >= progress.snapshot_index) {
    progress.Probe(progress.match + 1);
  }
  if (progress.state == Progress::State::kProbe && progress.match >= log_.base_index()) {
    progress.Replicate();
  }
  progress.next = std::max(progress.next, progress.match + 1);
  AdvanceCommit();
  HandOverIfReady();
}

void RaftCore::HandleHeartbeatReply(const Message& message) {
  auto const found = progress_.find(message.from);
  if (role_ != Role::kLeader || found == progress_.end()) {
    return;
  }
  Progress& progress = found->second;
  progress.recently_active = true;
  progress.probe_sent = false;
  NoteReadRound(progress, message.read_round);
  if (progress.state == Progress::State::kReplicate && progress.match < log_.last_index()) {
    // A lost append shows when the next one is refused: send one even if there is nothing new.
    if (progress.next > log_.last_index()) {
      SendAppend(message.from, progress);
    } else if (!progress.in_flight.empty()) {
      progress.in_flight_bytes -= progress.in_flight.front().size_bytes;
      progress.in_flight.pop_front();  // and let one more go where the window is full
    }
  }
}

// Counts who has what. Only an entry of the present term is committed by counting, and with it all
// before (paper, 5.4.2). The leader's own log counts as far as it is durable, not as written.
void RaftCore::AdvanceCommit() {
  auto const reached = [this](ReplicaId id) {
    if (id == options_.id) {
      return log_.durable().value();
    }
    auto const found = progress_.find(id);
    return found == progress_.end() ? 0 : found->second.match.value();
  };
  LogIndex index(configuration().QuorumValue(reached));
  if (IsPlanted(PlantedBug::kCommitAlone)) {
    index = log_.durable();
  }
  if (index <= log_.committed() ||
      (log_.TermAt(index) != term_ && !IsPlanted(PlantedBug::kCommitOldTerm))) {
    return;
  }
  for (LogIndex at = log_.committed() + 1; at <= index; at = at + 1) {
    uncommitted_size_bytes_ -= std::min(uncommitted_size_bytes_, log_.At(at).size_bytes());
  }
  log_.CommitTo(index);
  ContinueConfigurationChange();
}

void RaftCore::OnSnapshotFailed(ReplicaId to) {
  auto const found = progress_.find(to);
  if (found != progress_.end() && found->second.state == Progress::State::kSnapshot) {
    found->second.Probe(found->second.match + 1);
    found->second.probe_sent = true;  // wait for a heartbeat's answer before the next attempt
  }
}

}  // namespace orochi::raft
