#pragma once

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "sstable/format/unfiltered_stream.h"

namespace orochi::sstable::testing {

/// What a stream holds in the form of the expected.json files next to the real SSTables: text, int
/// and counter values in clear, others in hexadecimal. At most `partitions_max` partitions.
Result<nlohmann::json> ExpectedJson(UnfilteredStream& stream, size_t partitions_max = SIZE_MAX);

}  // namespace orochi::sstable::testing
