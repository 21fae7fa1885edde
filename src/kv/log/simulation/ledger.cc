#include "kv/log/simulation/ledger.h"

#include <algorithm>

#include "base/str_cat.h"

namespace orochi::kv::log::simulation {

std::string ToString(const raft::Entry& entry) {
  return StrCat(entry.index.value(), "/", entry.term.value(), ":",
                entry.payload ? *entry.payload : std::string());
}

std::string ModelLog::ToString() const {
  std::string text = hard_state
                         ? StrCat("term ", hard_state->term.value(), " vote ",
                                  hard_state->vote.value(), " commit ", hard_state->commit.value())
                         : std::string("no hard state");
  if (base) {
    text += StrCat(", base ", base->index.value(), " of term ", base->term.value(), " (",
                   raft::ToString(base->configuration), ")");
  }
  for (const raft::Entry& entry : entries) {
    text += StrCat(", ", simulation::ToString(entry));
  }
  return StrCat(text, ", removed below ", removed_below.value());
}

void Ledger::Wait(GroupId id, Group& group, uint64_t sequence) {
  group.waiting.emplace_back(sequence, group.first + group.states.size() - 1);
  ++waiting_[id];
}

void Ledger::NoteAppend(GroupId id, const raft::PersistRequest& request) {
  Group& group = groups_[id];
  ModelLog state = group.states.back();
  if (request.hard_state) {
    state.hard_state = request.hard_state;
  }
  if (request.install) {
    state.base = request.install;
    state.entries.clear();
  }
  if (!request.entries.empty()) {
    uint64_t const kept = request.entries.front().index.value() - state.base_index().value() - 1;
    state.entries.resize(std::min<uint64_t>(state.entries.size(), kept));
  }
  Push(group, state);
  for (const raft::Entry& entry : request.entries) {
    state.entries.push_back(entry);
    Push(group, state);
  }
  Wait(id, group, request.sequence);
}

void Ledger::NoteCompact(GroupId id, const raft::SnapshotPoint& point) {
  Group& group = groups_[id];
  ModelLog state = group.states.back();
  uint64_t const dropped = point.index.value() - state.base_index().value();
  state.entries.erase(state.entries.begin(),
                      state.entries.begin() + static_cast<ptrdiff_t>(std::min<uint64_t>(
                                                  dropped, state.entries.size())));
  state.base = point;
  Push(group, std::move(state));
}

void Ledger::NoteRemove(GroupId id, raft::ReplicaId removed_below, uint64_t sequence) {
  Group& group = groups_[id];
  ModelLog state;
  state.removed_below = std::max(removed_below, group.states.back().removed_below);
  Push(group, std::move(state));
  Wait(id, group, sequence);
}

void Ledger::NoteCompletion(GroupId id, uint64_t sequence) {
  Group& group = groups_[id];
  if (group.waiting.empty() || group.waiting.front().first != sequence) {
    throw Violation(StrCat("group ", id.value(), ": a completion of request ", sequence,
                           " that nobody waits for"));
  }
  uint64_t const reached = group.waiting.front().second;
  group.waiting.pop_front();
  if (--waiting_[id] == 0) {
    waiting_.erase(id);
  }
  while (group.first < reached) {
    group.states.pop_front();
    ++group.first;
  }
}

void Ledger::CheckRecovered(GroupId id, const ModelLog& recovered) {
  Group& group = groups_[id];
  std::string const found = recovered.ToString();
  for (const ModelLog& state : group.states) {
    if (state.ToString() == found) {
      waiting_.erase(id);
      group = {.states = {recovered}};
      return;
    }
  }
  throw Violation(StrCat("group ", id.value(), ": recovered {", found, "}, which is none of the ",
                         group.states.size(), " states from the acknowledged one on: {",
                         group.states.front().ToString(), "} to {", group.states.back().ToString(),
                         "}"));
}

void Ledger::Forget(GroupId id, raft::ReplicaId removed_below) {
  waiting_.erase(id);
  groups_[id] = {.states = {ModelLog{.removed_below = removed_below}}};
}

std::vector<GroupId> Ledger::Groups() const {
  std::vector<GroupId> ids;
  for (const auto& [id, group] : groups_) {
    ids.push_back(id);
  }
  return ids;
}

}  // namespace orochi::kv::log::simulation
