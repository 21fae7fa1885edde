#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sstable/format/clustering.h"
#include "sstable/format/statistics.h"
#include "sstable/types/decorated_key.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// A column as rows carry it.
struct Column {
  std::string name;
  TypeRef type;
  bool is_complex = false;        // one cell per element
  int32_t fixed_size_bytes = -1;  // of a simple column's values; -1: a vint length precedes them

  static Column Of(std::string name, TypeRef type);
};

/// Cassandra's order of columns: the simple ones by name, then the complex ones by name. Names
/// compare as unsigned bytes, but those that start with a byte above 0x7F come before the others.
bool ColumnComesBefore(const Column& a, const Column& b);
/// That of columns of one kind.
bool ColumnNameComesBefore(std::string_view a, std::string_view b);

/// What a stream of rows is made of. CellView::column_index points into `statics` for static rows
/// and into `regulars` for others; both are in Cassandra's order.
struct Layout {
  Partitioner partitioner = Partitioner::kMurmur3;
  TypeRef key_type;
  ClusteringFormat clustering;
  std::vector<Column> statics;
  std::vector<Column> regulars;

  /// That of an SSTable. kCorruption names the type that cannot be read, or a column twice.
  static Result<Layout> FromStatistics(const Statistics& statistics);

  const std::vector<Column>& columns(bool is_static) const {
    return is_static ? statics : regulars;
  }
  int CompareKeys(Bytes a, Bytes b) const {
    return sstable::CompareKeys(partitioner, *key_type, TokenOf(partitioner, a), a,
                                TokenOf(partitioner, b), b);
  }
};

}  // namespace orochi::sstable
