// Linearizable reads without a log entry: Ongaro's thesis, 6.4. A read waits until a quorum has
// answered a heartbeat sent after it came. The question has a number that only grows within a term,
// and is never reused; so an answer confirms the questions up to its own number and no later one.

#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"
#include "raft/planted_bug.h"
#include "raft/raft_core.h"

namespace orochi::raft {

Result<uint64_t> RaftCore::RequestRead() {
  if (role_ != Role::kLeader) {
    return Status::Unavailable(StrCat("replica ", options_.id.value(), " does not lead term ",
                                      term_.value(), "; the leader is ", leader_.value()));
  }
  new_reads_.push_back(++read_token_);
  return read_token_;
}

// All reads since the last output share one question. They wait for the leader's first entry to be
// committed: before, the commit index may lack what an earlier leader acknowledged.
void RaftCore::OpenReadRound() {
  if (new_reads_.empty() || (!IsLeaderReady() && !IsPlanted(PlantedBug::kReadBeforeLeaderStart))) {
    return;
  }
  if (!IsPlanted(PlantedBug::kReuseReadRound) || read_round_ == 0) {
    ++read_round_;
  }
  for (uint64_t const token : new_reads_) {
    pending_reads_.push_back({token, read_round_, log_.committed()});
  }
  new_reads_.clear();
  heartbeat_due_ = true;
}

void RaftCore::NoteReadRound(Progress& progress, uint64_t round) {
  progress.read_round_seen = std::max(progress.read_round_seen, std::min(round, read_round_));
  ReleaseReads();
}

void RaftCore::ReleaseReads() {
  if (pending_reads_.empty()) {
    return;
  }
  uint64_t const confirmed = configuration().QuorumValue([this](ReplicaId id) {
    if (id == options_.id) {
      return read_round_;
    }
    auto const found = progress_.find(id);
    return found == progress_.end() ? 0 : found->second.read_round_seen;
  });
  while (!pending_reads_.empty() &&
         (pending_reads_.front().round <= confirmed || IsPlanted(PlantedBug::kReadWithoutAsking))) {
    reads_.push_back({pending_reads_.front().token, pending_reads_.front().index});
    pending_reads_.pop_front();
  }
}

void RaftCore::RefuseReads() {
  reads_refused_.insert(reads_refused_.end(), new_reads_.begin(), new_reads_.end());
  for (const PendingRead& read : pending_reads_) {
    reads_refused_.push_back(read.token);
  }
  new_reads_.clear();
  pending_reads_.clear();
}

}  // namespace orochi::raft
