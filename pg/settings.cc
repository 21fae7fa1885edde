#include "pg/settings.h"

#include "pg/compat.h"
#include "pg/injection.h"

extern "C" {
#include "utils/guc.h"
}

namespace orochi::pg {

Settings settings;

namespace {

// codec::Compression's numbers.
const config_enum_entry kCompressionNames[] = {
    {"none", 0, false}, {"lz4", 1, false}, {"zstd", 2, false}, {nullptr, 0, false}};

void DefineInt(const char* name, const char* what, int* value, int min, int max, int flags = 0) {
  DefineCustomIntVariable(name, what, nullptr, value, *value, min, max, PGC_USERSET, flags, nullptr,
                          nullptr, nullptr);
}

void DefineBool(const char* name, const char* what, bool* value) {
  DefineCustomBoolVariable(name, what, nullptr, value, *value, PGC_USERSET, 0, nullptr, nullptr,
                           nullptr);
}

}  // namespace

void DefineSettings() {
  DefineCustomEnumVariable("orochi.columnar_compression",
                           "General compression tried on encoded column chunks.", nullptr,
                           &settings.columnar_compression, settings.columnar_compression,
                           kCompressionNames, PGC_USERSET, 0, nullptr, nullptr, nullptr);
  DefineInt("orochi.columnar_compression_level", "Level of zstd compression for column chunks.",
            &settings.columnar_compression_level, 1, 19);
  DefineInt("orochi.columnar_stripe_rows", "Most rows of one columnar stripe.",
            &settings.columnar_stripe_rows, 1000, 1 << 20);
  DefineInt("orochi.columnar_row_group_rows",
            "Most rows of one row group, the unit of skipping inside a stripe.",
            &settings.columnar_row_group_rows, 64, 1 << 16);
  DefineInt("orochi.columnar_row_page_rows",
            "How many rows of one command go to row pages before the rest goes to stripes.",
            &settings.columnar_row_page_rows, 0, 1 << 20);
  DefineInt("orochi.columnar_cache_size",
            "Most memory for row groups that single rows are read from, while a transaction runs.",
            &settings.columnar_cache_kb, 1 << 10, MAX_KILOBYTES, GUC_UNIT_KB);
  DefineBool("orochi.enable_columnar_scan",
             "Lets the planner read columnar tables with projection and skipping.",
             &settings.enable_columnar_scan);
  DefineBool("orochi.enable_vectorized_execution",
             "Lets aggregates over columnar tables run on column batches.",
             &settings.enable_vectorized_execution);
  DefineInt("orochi.chunk_create_timeout",
            "How long a statement waits for a missing chunk to be created.",
            &settings.chunk_create_timeout_ms, 1, 3600 * 1000, GUC_UNIT_MS);
  DefineInt("orochi.move_timeout",
            "How long a move waits for older snapshots and for its final lock.",
            &settings.move_timeout_ms, 1, 24 * 3600 * 1000, GUC_UNIT_MS);
  DefineInjectionSetting();
  MarkGUCPrefixReserved("orochi");
}

}  // namespace orochi::pg
