#pragma once

#include <string>

#include "kv/engine/reader.h"
#include "kv/engine/write_batch.h"
#include "kv/mvcc/versions.h"

namespace orochi::kv {

/// Before which a partition keeps no versions but the newest, and answers nothing. In the meta
/// family under "safepoint " || the partition's first key, big-endian.
std::string SafepointKey(const KeySpan& partition);
Result<Timestamp> SafepointOf(const Reader& state, const KeySpan& partition);
void PutSafepoint(WriteBatch& batch, const KeySpan& partition, Timestamp safepoint);

}  // namespace orochi::kv
