#include "kv/txn/safepoint.h"

#include "base/str_cat.h"
#include "kv/engine/text_bytes.h"

namespace orochi::kv {

std::string SafepointKey(const KeySpan& partition) {
  return "safepoint " + partition.begin;
}

Result<Timestamp> SafepointOf(const Reader& state, const KeySpan& partition) {
  ASSIGN_OR_RETURN(auto const bytes, state.Get(Family::kMeta, SafepointKey(partition)));
  if (!bytes) {
    return kNever;
  }
  if (bytes->size() != 8) {
    return Status::Corruption(
        StrCat("safepoint of a partition: expected 8 bytes, found ", bytes->size()));
  }
  return Timestamp(BigEndianAt(*bytes));
}

void PutSafepoint(WriteBatch& batch, const KeySpan& partition, Timestamp safepoint) {
  std::string value;
  AppendBigEndian(value, safepoint.value());
  batch.Put(Family::kMeta, SafepointKey(partition), std::move(value));
}

}  // namespace orochi::kv
