#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "raft/raft_core.h"
#include "sim/violation.h"

namespace orochi::raft::simulation {

using sim::Violation;

/// What the whole group has done so far, seen from outside: nobody may contradict it.
class Ledger {
 public:
  /// One leader a term (election safety), and it has every entry that was applied before leaders of
  /// its term were known (leader completeness). True when it is seen for the first time.
  bool NoteLeader(const RaftCore& core);
  /// An index and a term name one entry, in whichever log (log matching).
  void NoteWritten(ReplicaId replica, const Entry& entry);
  /// Every replica applies the same entry at an index (state machine safety).
  void NoteApplied(ReplicaId replica, const Entry& entry);
  /// The snapshot stands for the entries applied up to it.
  void CheckSnapshot(ReplicaId replica, const SnapshotPoint& point) const;

  /// The configuration in the last applied configuration entry.
  const Configuration& configuration() const { return configuration_; }
  void SetBirthConfiguration(Configuration configuration) {
    configuration_ = std::move(configuration);
  }
  LogIndex last() const { return applied_.empty() ? LogIndex() : applied_.rbegin()->first; }
  uint64_t election_count() const { return leaders_.size(); }

 private:
  struct Applied {
    Term term;
    EntryKind kind;
    std::string payload;
    Term known_term;  // no leader of a later term existed when it was applied
  };
  std::map<LogIndex, Applied> applied_;
  std::map<std::pair<LogIndex, Term>, Payload> written_;
  std::map<Term, ReplicaId> leaders_;
  Configuration configuration_;
};

}  // namespace orochi::raft::simulation
