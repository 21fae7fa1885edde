#include "kv/query/page.h"

#include <algorithm>

#include "base/assert.h"

namespace orochi::kv {

Result<QueryPage> ReadPage(const CompiledQuery& query, OrderedRecords& records,
                           const Continuation& from, const PageBounds& bounds) {
  ASSERT(bounds.record_count_max > 0 && bounds.scanned_count_max > 0 && bounds.size_bytes_max > 0);
  QueryPage page;
  Continuation position = from;
  if (position.remaining == uint64_t{0}) {
    return page;
  }
  CompiledQuery::RecordReader reader;
  size_t size_bytes = 0;
  bool full = false;
  auto const visit = [&](std::string_view key, std::string_view row) -> Result<bool> {
    ASSIGN_OR_RETURN(auto record, query.Evaluate(key, row, reader));
    position.last_key = key;
    ++page.scanned_count;
    if (record) {
      page.records.push_back(*std::move(record));
      size_bytes += key.size() + row.size();
      if (position.remaining && --*position.remaining == 0) {
        return false;
      }
    }
    full = page.records.size() >= bounds.record_count_max ||
           page.scanned_count >= bounds.scanned_count_max || size_bytes >= bounds.size_bytes_max;
    return !full;
  };
  std::vector<ByteRange> spans = query.SpansAfter(from.last_key);
  if (query.query().reverse) {
    std::reverse(spans.begin(), spans.end());
  }
  for (const ByteRange& span : spans) {
    RETURN_IF_ERROR(records.Scan(span, query.query().reverse, from.read_timestamp, visit));
    if (position.remaining == uint64_t{0}) {
      return page;
    }
    if (full) {
      page.next = std::move(position);
      return page;
    }
  }
  return page;
}

}  // namespace orochi::kv
