#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/str_cat.h"
#include "sstable/cql/lexer.h"
#include "sstable/format/clustering.h"

namespace orochi::sstable::internal {

/// What messages about statements begin with; nothing for values that come from no statement, whose
/// place the caller knows.
inline std::string At(const cql::Position& position) {
  bool const is_nowhere = position.line == 1 && position.column == 0 && position.offset_bytes == 0;
  return is_nowhere ? std::string() : StrCat("line ", position.line, ":", position.column, " ");
}

inline Status Undefined(const cql::Position& position, std::string_view column) {
  return Status::InvalidArgument(StrCat(At(position), "Undefined column name ", column));
}

/// The values of the first few clustering columns.
inline ClusteringPrefix Prefix(ClusteringKind kind, const std::vector<std::string>& values) {
  std::vector<ClusteringValue> views;
  for (const std::string& value : values) {
    views.push_back({.bytes = AsBytes(value), .is_null = false});
  }
  return ClusteringPrefix(ClusteringView{.kind = kind, .values = views});
}

}  // namespace orochi::sstable::internal
