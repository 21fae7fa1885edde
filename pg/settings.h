#pragma once

namespace orochi::pg {

/// The GUCs `orochi.*`. PostgreSQL writes these; everyone else reads.
struct Settings {
  // Columnar storage (docs/guide/columnar.md).
  int columnar_compression = 2;  // codec::Compression
  int columnar_compression_level = 3;
  int columnar_stripe_rows = 131072;
  int columnar_row_group_rows = 8192;
  int columnar_row_page_rows = 1000;  // first rows of a command that go to row pages
  int columnar_cache_kb = 64 << 10;   // row groups that single rows are read from, per session
  bool enable_columnar_scan = true;   // CustomScan with projection and skipping
  bool enable_vectorized_execution = true;  // aggregates on column batches

  // Hypertables (docs/guide/hypertables.md).
  int chunk_create_timeout_ms = 30000;  // how long an INSERT waits for a missing chunk

  // Moving partitions between places.
  int move_timeout_ms = 60000;  // how long a move waits for older snapshots and for its last lock
};

extern Settings settings;

/// Defines every GUC. Called once from _PG_init.
void DefineSettings();

}  // namespace orochi::pg
