/* What is stored beside the values: timestamps, TTLs, tombstones. */
#include "testing.h"

static size_t column(const orochi_sst_table* table, const char* name) {
  int64_t const found = orochi_sst_table_find_column(table, name, strlen(name));
  CHECK(found >= 0);
  return (size_t)found;
}

static orochi_sst_row row_of(orochi_sst_cursor* cursor) {
  orochi_sst_error* error = NULL;
  orochi_sst_row row = {0};
  row.struct_size = sizeof(row);
  CHECK_OK(orochi_sst_cursor_row(cursor, &row, &error));
  return row;
}

static orochi_sst_cell cell_of(orochi_sst_cursor* cursor, size_t which, size_t index) {
  orochi_sst_error* error = NULL;
  orochi_sst_cell cell = {0};
  cell.struct_size = sizeof(cell);
  CHECK_OK(orochi_sst_cursor_cell(cursor, which, index, &cell, &error));
  return cell;
}

static void test_live(const orochi_sst_table* table) {
  orochi_sst_error* error = NULL;
  orochi_sst_cursor* cursor = NULL;
  orochi_sst_text const ada = text_of("ada");
  CHECK_OK(orochi_sst_lookup_text(table, &ada, 1, NULL, &cursor, &error));
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  orochi_sst_row row = row_of(cursor);
  CHECK_INT(row.step, OROCHI_SST_STEP_ROW);
  CHECK_INT(row.timestamp_us, 1000);
  CHECK_INT(row.ttl_s, 0);
  CHECK_INT(row.expires_s, OROCHI_SST_NO_TIME);
  CHECK_INT(row.deleted_timestamp_us, OROCHI_SST_NO_TIMESTAMP);
  CHECK_INT(row.clustering_count, 2);
  size_t count = 0;
  CHECK_OK(orochi_sst_cursor_cell_count(cursor, column(table, "counts"), &count, &error));
  CHECK_INT(count, 2);
  orochi_sst_cell cell = cell_of(cursor, column(table, "counts"), 1);
  CHECK_TEXT(cell.path, cell.path_size, "y");
  CHECK_INT(cell.value_size, 4);
  CHECK_INT(((const unsigned char*)cell.value)[3], 2);
  CHECK_INT(cell.timestamp_us, 1000);
  CHECK_INT(cell.flags, 0);
  CHECK_OK(orochi_sst_cursor_cell_count(cursor, column(table, "id"), &count, &error));
  CHECK_INT(count, 0);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  row = row_of(cursor);
  CHECK_INT(row.timestamp_us, 2000);
  CHECK_INT(row.ttl_s, 3600);
  CHECK_INT(row.expires_s, 1700003600);
  cell = cell_of(cursor, column(table, "note"), 0);
  CHECK_INT(cell.flags, OROCHI_SST_CELL_EXPIRING);
  CHECK_INT(cell.time_s, 1700003600);
  CHECK_INT(cell.ttl_s, 3600);
  CHECK_INT(cell.path_size, 0);
  orochi_sst_cursor_free(cursor);
}

/* bob: a row, a row of a deleted cell, and a range of rows deleted, which in descending order comes
 * first. */
static void test_all_of_bob(const orochi_sst_table* table) {
  orochi_sst_error* error = NULL;
  orochi_sst_cursor* cursor = NULL;
  orochi_sst_text const bob = text_of("bob");
  orochi_sst_cursor_options options = {0};
  options.struct_size = sizeof(options);
  options.flags = OROCHI_SST_CURSOR_ALL;
  CHECK_OK(orochi_sst_lookup_text(table, &bob, 1, &options, &cursor, &error));
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  orochi_sst_row row = row_of(cursor);
  CHECK_INT(row.step, OROCHI_SST_STEP_PARTITION);
  CHECK_INT(row.deleted_timestamp_us, OROCHI_SST_NO_TIMESTAMP);
  CHECK_INT(orochi_sst_cursor_is_set(cursor, 0, &error), 1);
  CHECK_INT(orochi_sst_cursor_is_set(cursor, 1, &error), 0);

  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  row = row_of(cursor);
  CHECK_INT(row.step, OROCHI_SST_STEP_RANGE);
  CHECK_INT(row.bound, OROCHI_SST_BOUND_OPENS);
  CHECK_INT(row.deleted_timestamp_us, 4000);
  CHECK_INT(row.deleted_s, 1700000000);
  CHECK_INT(row.clustering_count, 0);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  row = row_of(cursor);
  CHECK_INT(row.bound, OROCHI_SST_BOUND_CLOSES);
  CHECK_INT(row.closed_timestamp_us, 4000);
  CHECK_INT(row.deleted_timestamp_us, OROCHI_SST_NO_TIMESTAMP);
  CHECK_INT(row.clustering_count, 1);
  int64_t placed = 0;
  CHECK_INT(CHECK_OK(orochi_sst_cursor_int64(cursor, 1, &placed, &error)), 1);
  CHECK_INT(placed, 100);

  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  row = row_of(cursor);
  CHECK_INT(row.step, OROCHI_SST_STEP_ROW);
  CHECK_INT(row.timestamp_us, OROCHI_SST_NO_TIMESTAMP);
  orochi_sst_cell const cell = cell_of(cursor, column(table, "note"), 0);
  CHECK_INT(cell.flags, OROCHI_SST_CELL_DELETED);
  CHECK_INT(cell.timestamp_us, 3000);
  CHECK_INT(cell.time_s, 1700000000);
  CHECK_INT(orochi_sst_cursor_is_set(cursor, column(table, "note"), &error), 0);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 0);
  orochi_sst_cursor_free(cursor);
}

static void test_all_of_the_others(const orochi_sst_table* table) {
  orochi_sst_error* error = NULL;
  orochi_sst_cursor* cursor = NULL;
  orochi_sst_cursor_options options = {0};
  options.struct_size = sizeof(options);
  options.flags = OROCHI_SST_CURSOR_ALL;
  orochi_sst_text const gone = text_of("gone");
  CHECK_OK(orochi_sst_lookup_text(table, &gone, 1, &options, &cursor, &error));
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  CHECK_INT(row_of(cursor).deleted_timestamp_us, 5000);
  CHECK_INT(row_of(cursor).deleted_s, 1700000000);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 0);
  orochi_sst_cursor_free(cursor);

  orochi_sst_text const ada = text_of("ada");
  CHECK_OK(orochi_sst_lookup_text(table, &ada, 1, &options, &cursor, &error));
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  CHECK_INT(row_of(cursor).step, OROCHI_SST_STEP_STATIC);
  CHECK_INT(orochi_sst_cursor_is_set(cursor, column(table, "region"), &error), 1);
  CHECK_INT(orochi_sst_cursor_is_set(cursor, column(table, "note"), &error), 0);
  CHECK_INT(cell_of(cursor, column(table, "region"), 0).timestamp_us, 1000);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  CHECK_INT(orochi_sst_cursor_is_set(cursor, column(table, "region"), &error), 0);
  int64_t timestamp_us = 0;
  int64_t deleted_s = 0;
  CHECK_INT(CHECK_OK(orochi_sst_cursor_column_deletion(cursor, column(table, "tags"), &timestamp_us,
                                                       &deleted_s, &error)),
            1);
  CHECK_INT(timestamp_us, 999); /* what an INSERT of a collection puts before its elements */
  CHECK_INT(deleted_s, 1700000000);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_column_deletion(cursor, column(table, "note"), &timestamp_us,
                                                       &deleted_s, &error)),
            0);
  CHECK_INT(timestamp_us, OROCHI_SST_NO_TIMESTAMP);
  orochi_sst_cursor_free(cursor);
}

void test_metadata(void) {
  const char* const directory = new_directory();
  write_table(directory, OROCHI_SST_VERSION_DA, OROCHI_SST_COMPRESSION_NONE);
  orochi_sst_table* const table = open_table(directory);
  test_live(table);
  test_all_of_bob(table);
  test_all_of_the_others(table);
  orochi_sst_table_free(table);
}
