#pragma once

#include "base/result.h"
#include "sstable/schema/table_schema.h"
#include "sstable/write/sstable_writer.h"

namespace orochi::sstable {

/// What the schema's WITH asks for: compression, bloom filter, index interval; in format oa.
/// kInvalidArgument and kUnsupported name the option.
Result<WriterOptions> WriterOptionsOf(const TableSchema& schema);

}  // namespace orochi::sstable
