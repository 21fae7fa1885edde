#pragma once

namespace orochi::pg {

/// Keeps bitmap heap scans of columnar tables from reading ahead by tuple id, in every process that
/// runs a plan. Called once from RegisterColumnar.
void RegisterBitmapPrefetch();

}  // namespace orochi::pg
