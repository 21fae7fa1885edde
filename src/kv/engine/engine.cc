#include "kv/engine/engine.h"

#include "base/str_cat.h"
#include "kv/engine/text_bytes.h"

namespace orochi::kv {

std::string AppliedKey(log::GroupId group) {
  std::string key(kAppliedPrefix);
  AppendBigEndian(key, group.value());
  return key;
}

std::string EncodeApplied(raft::LogIndex index) {
  std::string value;
  AppendBigEndian(value, index.value());
  return value;
}

Result<raft::LogIndex> DecodeApplied(std::string_view value) {
  if (value.size() != 8) {
    return Status::Corruption(StrCat("an applied index of ", value.size(), " bytes, expected 8"));
  }
  return raft::LogIndex(BigEndianAt(value));
}

std::optional<log::GroupId> GroupOfAppliedKey(std::string_view key) {
  if (key.size() != kAppliedPrefix.size() + 8 || !key.starts_with(kAppliedPrefix)) {
    return std::nullopt;
  }
  return log::GroupId(BigEndianAt(key.substr(kAppliedPrefix.size())));
}

void SetApplied(WriteBatch& batch, log::GroupId group, raft::LogIndex index) {
  batch.Put(Family::kMeta, AppliedKey(group), EncodeApplied(index));
}

Result<raft::LogIndex> Engine::Applied(log::GroupId group) const {
  ASSIGN_OR_RETURN(std::optional<std::string> const value, Get(Family::kMeta, AppliedKey(group)));
  return value ? DecodeApplied(*value) : Result(raft::LogIndex());
}

}  // namespace orochi::kv
