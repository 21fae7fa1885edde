#include "kv/node/group_store.h"

#include <algorithm>
#include <utility>

#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "kv/engine/text_bytes.h"
#include "kv/meta/cluster_map.h"
#include "kv/txn/safepoint.h"

namespace orochi::kv {
namespace {

constexpr std::string_view kNotePrefix =
    "\x01"
    "group";
constexpr std::string_view kMapKey =
    "\x01"
    "map";

}  // namespace

std::string GroupNoteKey(log::GroupId group) {
  std::string key(kNotePrefix);
  AppendBigEndian(key, group.value());
  return key;
}

std::string EncodeGroupNote(const GroupNote& note) {
  std::string out;
  AppendVarint(out, note.replica.value());
  AppendText(out, note.span.begin);
  AppendText(out, note.span.end);
  AppendVarint(out, note.installed.index.value());
  AppendVarint(out, note.installed.term.value());
  bool const empty = note.installed.configuration.voters.empty();
  AppendText(out, empty ? "" : raft::EncodeConfiguration(note.installed.configuration));
  return out;
}

Result<GroupNote> DecodeGroupNote(std::string_view bytes) {
  codec::ByteReader reader(std::as_bytes(std::span(bytes)));
  GroupNote note;
  uint64_t replica = 0;
  uint64_t index = 0;
  uint64_t term = 0;
  std::string configuration;
  if (!reader.ReadVarint(replica) || !ReadText(reader, note.span.begin) ||
      !ReadText(reader, note.span.end) || !reader.ReadVarint(index) || !reader.ReadVarint(term) ||
      !ReadText(reader, configuration) || reader.remaining_bytes() != 0) {
    return Status::Corruption("a node's note about a group cannot be read");
  }
  note.replica = raft::ReplicaId(replica);
  note.installed.index = raft::LogIndex(index);
  note.installed.term = raft::Term(term);
  if (!configuration.empty()) {
    ASSIGN_OR_RETURN(note.installed.configuration, raft::DecodeConfiguration(configuration));
  }
  return note;
}

Result<std::optional<GroupNote>> GroupNoteOf(const Reader& state, log::GroupId group) {
  ASSIGN_OR_RETURN(auto const bytes, state.Get(Family::kMeta, GroupNoteKey(group)));
  if (!bytes) {
    return std::optional<GroupNote>();
  }
  ASSIGN_OR_RETURN(GroupNote note, DecodeGroupNote(*bytes));
  return std::optional(std::move(note));
}

std::vector<FamilyRange> RangesOf(log::GroupId group, const KeySpan& span) {
  if (group == kMetaGroup) {
    std::string end(meta::kPrefix);
    ++end.back();
    return {{Family::kMeta, {.begin = std::string(meta::kPrefix), .end = std::move(end)}}};
  }
  KeyRange const records{.begin = span.begin, .end = span.end};
  std::string const safepoint = SafepointKey(span);
  return {{Family::kData, records},
          {Family::kIntent, records},
          {Family::kTransaction, records},
          {Family::kMeta, {.begin = safepoint, .end = safepoint + '\0'}}};
}

Status DropState(Engine& engine, log::GroupId group, const KeySpan& span) {
  constexpr size_t kBatchSizeBytesMax = 4 << 20;
  WriteBatch batch;
  for (const FamilyRange& range : RangesOf(group, span)) {
    auto const cursor = engine.NewCursor(range.family);
    for (cursor->Seek(range.range.begin); cursor->Valid() && range.range.Contains(cursor->key());
         cursor->Next()) {
      batch.Delete(range.family, std::string(cursor->key()));
      if (batch.size_bytes() > kBatchSizeBytesMax) {
        RETURN_IF_ERROR(engine.Write(std::exchange(batch, {})));
      }
    }
    RETURN_IF_ERROR(cursor->status());
  }
  batch.Delete(Family::kMeta, GroupNoteKey(group));
  batch.Delete(Family::kMeta, AppliedKey(group));
  return engine.Write(batch);
}

void RememberMap(WriteBatch& batch, const ClusterMap& map) {
  batch.Put(Family::kMeta, std::string(kMapKey), map.Encode());
}

Result<ClusterMap> RememberedMap(const Reader& state) {
  ASSIGN_OR_RETURN(auto const bytes, state.Get(Family::kMeta, kMapKey));
  return bytes ? ClusterMap::Decode(*bytes) : Result(ClusterMap());
}

Result<RecoveredReplica> JoinLogAndState(raft::RecoveredState logged, raft::LogIndex applied,
                                         const GroupNote& note) {
  RecoveredReplica replica;
  const raft::SnapshotPoint& installed = note.installed;
  bool log_has_it = false;
  if (installed.index == logged.base.index) {
    log_has_it = installed.term == logged.base.term;
  } else if (installed.index > logged.base.index) {
    uint64_t const at = raft::Distance(logged.base.index, installed.index) - 1;
    log_has_it = at < logged.entries.size() && logged.entries[at].term == installed.term;
  } else {
    log_has_it = true;  // compacted since
  }
  if (!log_has_it) {
    // The state came, and the log was not told: what it has is from before.
    replica.must_install = true;
    logged.base = installed;
    logged.entries.clear();
    if (logged.hard_state.term < installed.term) {
      logged.hard_state.term = installed.term;  // whoever sent it was of that term
      logged.hard_state.vote = raft::kNobody;
    }
    logged.hard_state.commit = std::max(logged.hard_state.commit, installed.index);
  }
  raft::LogIndex const last = logged.base.index + logged.entries.size();
  if (applied < logged.base.index || applied > last) {
    return Status::Corruption(StrCat("replica ", note.replica.value(), ": its state is at entry ",
                                     applied.value(), ", its log has ", logged.base.index.value(),
                                     " to ", last.value()));
  }
  logged.applied = applied;
  replica.state = std::move(logged);
  return replica;
}

}  // namespace orochi::kv
