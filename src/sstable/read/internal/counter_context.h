#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "sstable/format/unfiltered.h"

namespace orochi::sstable::internal {

/// The value of a counter cell: what each node, or each writer on it, has counted.
///
///   i16 header count n
///   n x i16: the index of a shard that is not remote; + 0x8000: global, else local
///   shards, ascending by id: 16-byte id, i64 clock, i64 count

/// kCorruption when the bytes are no context.
Status CheckCounterContext(Bytes context);

/// Appends the merge of two contexts: of the shards of one id global ones win over local over
/// remote; of equal rank the higher clock, but local ones add up. Nothing is checked: bytes that
/// are no context give some other bytes.
void MergeCounterContexts(Bytes left, Bytes right, std::vector<std::byte>& out);

/// The counter's value. REQUIRES: CheckCounterContext of it was ok.
int64_t CounterTotal(Bytes context);

}  // namespace orochi::sstable::internal
