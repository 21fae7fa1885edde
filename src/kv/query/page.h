#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/mvcc/timestamp.h"
#include "kv/query/continuation.h"
#include "kv/query/query.h"

namespace orochi::kv {

/// Records by storage key, as one read timestamp sees them: a partition, or a whole collection.
class OrderedRecords {
 public:
  /// false: stop, all that is wanted was seen.
  using Visit = std::function<Result<bool>(std::string_view key, std::string_view row)>;

  virtual ~OrderedRecords() = default;
  /// Calls `visit` for every record in `range` that `timestamp` sees, in key order or its reverse,
  /// until it says stop or fails.
  virtual Status Scan(const ByteRange& range, bool reverse, Timestamp timestamp,
                      const Visit& visit) = 0;
};

/// What one page may cost. A page ends at the first bound it meets, so it may be empty and not the
/// last. Each at least 1.
struct PageBounds {
  size_t record_count_max = 1000;
  size_t scanned_count_max = 100'000;
  size_t size_bytes_max = 1024 * 1024;  // of keys and rows returned; one record may pass it
};

struct QueryPage {
  std::vector<QueryRecord> records;
  std::optional<Continuation> next;  // absent: this was the last page
  size_t scanned_count = 0;
};

/// Reads on from `from`. Errors are those of the records.
Result<QueryPage> ReadPage(const CompiledQuery& query, OrderedRecords& records,
                           const Continuation& from, const PageBounds& bounds);

}  // namespace orochi::kv
