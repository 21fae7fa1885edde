#include "sstable/format/selection.h"

namespace orochi::sstable {

namespace {

// Negative, 0 or positive; 0 also for every key of a bound that names only a token.
int ComparePlace(const Layout& layout, const Token& token, Bytes key, const PartitionBound& bound) {
  if (!bound.key.has_value()) {
    return token < bound.token ? -1 : static_cast<int>(bound.token < token);
  }
  return CompareKeys(layout.partitioner, *layout.key_type, token, key, bound.token, *bound.key);
}

}  // namespace

bool IsBefore(const Layout& layout, const Token& token, Bytes key, const PartitionBound& start) {
  int const order = ComparePlace(layout, token, key, start);
  return order < 0 || (order == 0 && !start.inclusive);
}

bool IsAfter(const Layout& layout, const Token& token, Bytes key, const PartitionBound& end) {
  int const order = ComparePlace(layout, token, key, end);
  return order > 0 || (order == 0 && !end.inclusive);
}

}  // namespace orochi::sstable
