#include "raft/simulation/ledger.h"

#include "base/str_cat.h"

namespace orochi::raft::simulation {

bool Ledger::NoteLeader(const RaftCore& core) {
  auto const [known, fresh] = leaders_.emplace(core.term(), core.id());
  if (known->second != core.id()) {
    throw Violation(StrCat("term ", core.term().value(), " has the leaders ", known->second.value(),
                           " and ", core.id().value()));
  }
  if (!fresh) {
    return false;
  }
  for (const auto& [index, applied] : applied_) {
    if (applied.known_term < core.term() && index >= core.log().base_index() &&
        core.log().TermAt(index) != applied.term) {
      throw Violation(StrCat("the leader ", core.id().value(), " of term ", core.term().value(),
                             " lacks the applied entry ", index.value(), " of term ",
                             applied.term.value()));
    }
  }
  return true;
}

void Ledger::NoteWritten(ReplicaId replica, const Entry& entry) {
  auto const [known, fresh] = written_.emplace(std::pair(entry.index, entry.term), entry.payload);
  const Payload& other = known->second;
  if (!fresh && other != entry.payload &&
      (other == nullptr || entry.payload == nullptr || *other != *entry.payload)) {
    throw Violation(StrCat("replica ", replica.value(), " has another entry ", entry.index.value(),
                           " of term ", entry.term.value(), " than others"));
  }
}

void Ledger::NoteApplied(ReplicaId replica, const Entry& entry) {
  Term const known_term = leaders_.empty() ? Term() : leaders_.rbegin()->first;
  Applied const now{entry.term, entry.kind, entry.payload ? *entry.payload : std::string(),
                    known_term};
  auto const [known, fresh] = applied_.emplace(entry.index, now);
  if (!fresh && (known->second.term != now.term || known->second.kind != now.kind ||
                 known->second.payload != now.payload)) {
    throw Violation(StrCat("replica ", replica.value(), " applies entry ", entry.index.value(),
                           " of term ", now.term.value(), ", another applied one of term ",
                           known->second.term.value(), " there"));
  }
  if (fresh && entry.kind == EntryKind::kConfiguration) {
    configuration_ = *DecodeConfiguration(*entry.payload);
  }
}

void Ledger::CheckSnapshot(ReplicaId replica, const SnapshotPoint& point) const {
  auto const known = applied_.find(point.index);
  if (known == applied_.end() || known->second.term != point.term) {
    throw Violation(StrCat("replica ", replica.value(), " installs a snapshot of entry ",
                           point.index.value(), ", term ", point.term.value(),
                           ", that nobody applied"));
  }
}

}  // namespace orochi::raft::simulation
