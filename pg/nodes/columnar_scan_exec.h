#pragma once

#include "pg/compat.h"

extern "C" {
#include "nodes/extensible.h"
}

/// What the planner's and the executor's side of ColumnarScan know of each other.
namespace orochi::pg {

inline constexpr char kColumnarScanName[] = "ColumnarScan";

extern const CustomPathMethods columnar_scan_path_methods;
extern const CustomScanMethods columnar_scan_methods;

}  // namespace orochi::pg
