#pragma once

#include "sstable/types/compare.h"

namespace orochi::sstable {

/// The order of a collection's or user type's cells: lists by time-UUID, sets and maps by their
/// element or key, user types by field index.
inline int CompareCellPaths(const Type& type, Bytes a, Bytes b) {
  switch (type.kind) {
    case TypeKind::kSet:
    case TypeKind::kMap:
      return CompareValues(type.element(), a, b);
    case TypeKind::kList: {
      static const TypeRef time_uuid = SimpleType(TypeKind::kTimeuuid);
      return CompareValues(*time_uuid, a, b);
    }
    default:
      return CompareUnsigned(a, b);
  }
}

}  // namespace orochi::sstable
