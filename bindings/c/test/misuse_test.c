/* Calls that are out of order or out of range, and structs of other versions. */
#include <stdlib.h>
#include <unistd.h>

#include "testing.h"

static void test_cursor_order(const orochi_sst_table* table) {
  orochi_sst_error* error = NULL;
  orochi_sst_cursor* cursor = NULL;
  int64_t number = 0;
  const char* text = NULL;
  size_t size = 0;
  orochi_sst_value values[3];
  CHECK_OK(orochi_sst_select(table, TEXT("SELECT customer, id, tags FROM orders LIMIT 1"), NULL,
                             &cursor, &error));
  CHECK_FAILS(orochi_sst_cursor_int64(cursor, 1, &number, &error), OROCHI_SST_FAILED_PRECONDITION,
              "before its first row");
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  CHECK_FAILS(orochi_sst_cursor_int64(cursor, 3, &number, &error), OROCHI_SST_OUT_OF_RANGE,
              "column is 3, the cursor has 3 columns");
  CHECK_FAILS(orochi_sst_cursor_int64(cursor, 0, &number, &error), OROCHI_SST_INVALID_ARGUMENT,
              "column customer: type text has no numbers");
  CHECK_FAILS(orochi_sst_cursor_text(cursor, 2, &text, &size, &error), OROCHI_SST_INVALID_ARGUMENT,
              "not text");
  CHECK_FAILS(orochi_sst_cursor_values(cursor, values, 2, &error), OROCHI_SST_INVALID_ARGUMENT,
              "count is 2, the cursor has 3 columns");
  CHECK_FAILS(orochi_sst_cursor_cell_count(cursor, 0, &size, &error),
              OROCHI_SST_FAILED_PRECONDITION, "a cursor of SELECT");
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 0);
  CHECK_FAILS(orochi_sst_cursor_values(cursor, values, 3, &error), OROCHI_SST_FAILED_PRECONDITION,
              "past its last row");
  orochi_sst_cursor_free(cursor);
}

static void test_wrong_cql(const orochi_sst_table* table) {
  orochi_sst_error* error = NULL;
  orochi_sst_cursor* cursor = NULL;
  CHECK(orochi_sst_select(table, TEXT("SELECT *\nFROM orders WHERE"), NULL, &cursor, &error) ==
        OROCHI_SST_INVALID_ARGUMENT);
  CHECK_INT(orochi_sst_error_line(error), 2);
  CHECK_INT(orochi_sst_error_column(error), 17);
  size_t size = 0;
  CHECK_TEXT(orochi_sst_error_file(error, &size), size, "");
  orochi_sst_error_free(error);
  CHECK_FAILS(orochi_sst_select(table, TEXT("SELECT nobody FROM orders"), NULL, &cursor, &error),
              OROCHI_SST_INVALID_ARGUMENT, "Undefined column name nobody");
  CHECK_FAILS(orochi_sst_select(table, TEXT("USE ks"), NULL, &cursor, &error),
              OROCHI_SST_INVALID_ARGUMENT, "only SELECT");
  CHECK_FAILS(orochi_sst_select(table, TEXT("EXPLAIN SELECT * FROM orders"), NULL, &cursor, &error),
              OROCHI_SST_INVALID_ARGUMENT, "EXPLAIN");
  CHECK(cursor == NULL);
}

/* Structs of callers that were compiled with another header. */
static void test_struct_sizes(const orochi_sst_table* table) {
  orochi_sst_error* error = NULL;
  orochi_sst_cursor* cursor = NULL;
  struct {
    orochi_sst_cursor_options known;
    uint64_t added;
  } later = {{0}, 0};
  CHECK_FAILS(orochi_sst_scan(table, &later.known, &cursor, &error), OROCHI_SST_INVALID_ARGUMENT,
              "options.struct_size is 0, expected at least");
  later.known.struct_size = sizeof(later);
  CHECK_OK(orochi_sst_scan(table, &later.known, &cursor, &error)); /* added is 0: as it was */
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  struct {
    orochi_sst_row known;
    uint64_t added;
  } row = {{0}, 7};
  CHECK_FAILS(orochi_sst_cursor_row(cursor, &row.known, &error), OROCHI_SST_INVALID_ARGUMENT,
              "row.struct_size is 0");
  row.known.struct_size = sizeof(row);
  CHECK_OK(orochi_sst_cursor_row(cursor, &row.known, &error));
  CHECK_INT(row.known.struct_size, sizeof(row));
  CHECK_INT(row.known.step, OROCHI_SST_STEP_ROW);
  CHECK_INT(row.added, 7);
  orochi_sst_cursor_free(cursor);
  later.added = 1;
  CHECK_FAILS(orochi_sst_scan(table, &later.known, &cursor, &error), OROCHI_SST_UNSUPPORTED,
              "which this version of the library does not know");
  later.known.struct_size = sizeof(later.known);
  later.known.flags = 1u << 31;
  CHECK_FAILS(orochi_sst_scan(table, &later.known, &cursor, &error), OROCHI_SST_UNSUPPORTED,
              "unknown bits");
  later.known.flags = OROCHI_SST_CURSOR_ALL;
  CHECK_FAILS(orochi_sst_select(table, TEXT("SELECT * FROM orders"), &later.known, &cursor, &error),
              OROCHI_SST_UNSUPPORTED, "unknown bits");
  later.known.flags = OROCHI_SST_CURSOR_TOKENS;
  later.known.token_after = 1;
  CHECK_FAILS(orochi_sst_scan(table, &later.known, &cursor, &error), OROCHI_SST_INVALID_ARGUMENT,
              "token_after is 1");
}

static orochi_sst_writer* open_writer(const char* directory, const char* table) {
  orochi_sst_error* error = NULL;
  orochi_sst_writer* writer = NULL;
  CHECK_OK(orochi_sst_writer_open(directory, strlen(directory), table, strlen(table), NULL, &writer,
                                  &error));
  return writer;
}

static void test_writer_options(void) {
  orochi_sst_error* error = NULL;
  orochi_sst_writer* writer = NULL;
  orochi_sst_writer_options options = {0};
  const char* const table = "CREATE TABLE ks.t (k int PRIMARY KEY);";
#define OPEN_FAILS(cql, code, part)                                                               \
  CHECK_FAILS(orochi_sst_writer_open("/tmp/x", 6, (cql), strlen(cql), &options, &writer, &error), \
              (code), (part))
  OPEN_FAILS(table, OROCHI_SST_INVALID_ARGUMENT, "struct_size");
  options.struct_size = sizeof(options);
  OPEN_FAILS("CREATE TABLE", OROCHI_SST_INVALID_ARGUMENT, "schema: line 1:12");
  OPEN_FAILS("", OROCHI_SST_NOT_FOUND, "");
  OPEN_FAILS("CREATE TABLE ks.c (k int PRIMARY KEY, n counter);", OROCHI_SST_UNSUPPORTED,
             "counters");
  options.version = 3;
  OPEN_FAILS(table, OROCHI_SST_UNSUPPORTED, "options.version is 3");
  options.version = 0;
  options.compression = 6;
  OPEN_FAILS(table, OROCHI_SST_UNSUPPORTED, "options.compression is 6");
  options.compression = OROCHI_SST_COMPRESSION_NONE;
  options.chunk_size_bytes = 4096;
  OPEN_FAILS(table, OROCHI_SST_INVALID_ARGUMENT, "chunk_size_bytes");
#undef OPEN_FAILS
  CHECK_FAILS(orochi_sst_writer_open("", 0, table, strlen(table), NULL, &writer, &error),
              OROCHI_SST_INVALID_ARGUMENT, "directory is empty");
  CHECK(writer == NULL);
}

/* What is wrong changes nothing: the writer goes on. */
static void test_writer_order(void) {
  const char* const directory = new_directory();
  orochi_sst_error* error = NULL;
  orochi_sst_writer* const writer = open_writer(
      directory,
      "CREATE TABLE ks.t (k int, c int, b boolean, f float, s set<int>, t time, d date, "
      "PRIMARY KEY (k, c));");
  size_t const s = (size_t)orochi_sst_writer_find_column(writer, "s", 1);
  size_t const b = (size_t)orochi_sst_writer_find_column(writer, "b", 1);
  size_t const f = (size_t)orochi_sst_writer_find_column(writer, "f", 1);
  size_t const t = (size_t)orochi_sst_writer_find_column(writer, "t", 1);
  size_t const d = (size_t)orochi_sst_writer_find_column(writer, "d", 1);
  CHECK_FAILS(orochi_sst_writer_bind_int64(writer, 7, 1, &error), OROCHI_SST_OUT_OF_RANGE,
              "column is 7, the table has 7 columns");
  CHECK_FAILS(orochi_sst_writer_bind_int64(writer, 0, INT64_C(1) << 31, &error),
              OROCHI_SST_OUT_OF_RANGE, "column k: 2147483648 is no value of type int");
  CHECK_FAILS(orochi_sst_writer_bind_int64(writer, b, 2, &error), OROCHI_SST_OUT_OF_RANGE,
              "0 to 1");
  CHECK_FAILS(orochi_sst_writer_bind_int64(writer, t, -1, &error), OROCHI_SST_OUT_OF_RANGE, "time");
  CHECK_FAILS(orochi_sst_writer_bind_int64(writer, d, INT64_C(1) << 31, &error),
              OROCHI_SST_OUT_OF_RANGE, "date");
  CHECK_FAILS(orochi_sst_writer_bind_int64(writer, s, 1, &error), OROCHI_SST_INVALID_ARGUMENT,
              "has no numbers");
  CHECK_FAILS(orochi_sst_writer_bind_double(writer, f, 1e300, &error), OROCHI_SST_OUT_OF_RANGE,
              "float");
  CHECK_FAILS(orochi_sst_writer_bind_double(writer, 0, 1, &error), OROCHI_SST_INVALID_ARGUMENT,
              "has no numbers");
  CHECK_FAILS(orochi_sst_writer_bind_bytes(writer, 0, "abc", 3, &error),
              OROCHI_SST_INVALID_ARGUMENT, "no value of type int");
  CHECK_FAILS(orochi_sst_writer_bind_text(writer, 0, "abc", 3, &error), OROCHI_SST_INVALID_ARGUMENT,
              "column k");
  CHECK_FAILS(orochi_sst_writer_bind_text(writer, s, "1", 1, &error), OROCHI_SST_INVALID_ARGUMENT,
              "text does not stand for");
  CHECK_FAILS(orochi_sst_writer_bind_cql(writer, s, TEXT("{1, 'x'}"), &error),
              OROCHI_SST_INVALID_ARGUMENT, "line 1:");
  CHECK_FAILS(orochi_sst_writer_insert(writer, &error), OROCHI_SST_INVALID_ARGUMENT,
              "column k: a key column is not bound");
  CHECK_OK(orochi_sst_writer_bind_int64(writer, 0, 1, &error));
  CHECK_OK(orochi_sst_writer_bind_null(writer, 1, &error));
  CHECK_FAILS(orochi_sst_writer_insert(writer, &error), OROCHI_SST_INVALID_ARGUMENT,
              "column c: a key column cannot be null");
  CHECK_FAILS(orochi_sst_writer_finish(writer, &error), OROCHI_SST_FAILED_PRECONDITION,
              "were not inserted");
  CHECK_OK(orochi_sst_writer_bind_int64(writer, 1, 2, &error));
  CHECK_OK(orochi_sst_writer_bind_ttl(writer, -1, &error));
  CHECK_FAILS(orochi_sst_writer_insert(writer, &error), OROCHI_SST_INVALID_ARGUMENT, "ttl is -1");
  CHECK_OK(orochi_sst_writer_bind_ttl(writer, 0, &error));
  CHECK_OK(orochi_sst_writer_insert(writer, &error));
  CHECK_FAILS(orochi_sst_writer_cql(writer,
                                    TEXT("INSERT INTO ks.t (k, c) VALUES (9, 9);"
                                         "INSERT INTO ks.t (k, c) VALUES (9, 'x');"),
                                    &error),
              OROCHI_SST_INVALID_ARGUMENT, "line 1:");
  CHECK_FAILS(orochi_sst_writer_cql(writer, TEXT("USE ks"), &error), OROCHI_SST_INVALID_ARGUMENT,
              "only INSERT");
  CHECK_OK(orochi_sst_writer_finish(writer, &error));
  CHECK_INT(orochi_sst_writer_row_count(writer), 1); /* of a script with an error nothing */
  CHECK_FAILS(orochi_sst_writer_finish(writer, &error), OROCHI_SST_FAILED_PRECONDITION, "finished");
  CHECK_FAILS(orochi_sst_writer_insert(writer, &error), OROCHI_SST_FAILED_PRECONDITION, "finished");
  CHECK_FAILS(orochi_sst_writer_bind_int64(writer, 0, 1, &error), OROCHI_SST_FAILED_PRECONDITION,
              "finished");
  CHECK_FAILS(orochi_sst_writer_cql(writer, "", 0, &error), OROCHI_SST_FAILED_PRECONDITION,
              "finished");
  orochi_sst_writer_free(writer);
}

/* A disk that fails: here a directory that is gone, with a file of its name. */
static void test_failed_writer(void) {
  const char* const directory = new_directory();
  char path[256];
  snprintf(path, sizeof(path), "%s/gone", directory);
  orochi_sst_error* error = NULL;
  orochi_sst_writer* const writer = open_writer(path, "CREATE TABLE ks.t (k int PRIMARY KEY);");
  CHECK_OK(orochi_sst_writer_cql(writer, TEXT("INSERT INTO ks.t (k) VALUES (1)"), &error));
  CHECK(rmdir(path) == 0);
  FILE* const file = fopen(path, "w");
  CHECK(file != NULL && fclose(file) == 0);
  CHECK(orochi_sst_writer_finish(writer, &error) < 0);
  orochi_sst_error_free(error);
  CHECK_FAILS(orochi_sst_writer_finish(writer, &error), OROCHI_SST_FAILED_PRECONDITION,
              "failed before");
  CHECK_INT(orochi_sst_writer_sstable_count(writer), 0);
  orochi_sst_writer_free(writer);
}

static void test_second_writer(void) {
  const char* const directory = new_directory();
  const char* const table = "CREATE TABLE ks.t (k int PRIMARY KEY);";
  orochi_sst_error* error = NULL;
  orochi_sst_writer* const first = open_writer(directory, table);
  orochi_sst_writer* second = NULL;
  CHECK_FAILS(orochi_sst_writer_open(directory, strlen(directory), table, strlen(table), NULL,
                                     &second, &error),
              OROCHI_SST_FAILED_PRECONDITION, "somebody else is writing");
  CHECK(second == NULL);
  orochi_sst_writer_free(first);
  orochi_sst_writer_free(open_writer(directory, table));
}

void test_misuse(void) {
  const char* const directory = new_directory();
  write_table(directory, OROCHI_SST_VERSION_OA, OROCHI_SST_COMPRESSION_SCHEMA);
  orochi_sst_table* const table = open_table(directory);
  test_cursor_order(table);
  test_wrong_cql(table);
  test_struct_sizes(table);
  test_writer_options();
  test_writer_order();
  test_failed_writer();
  test_second_writer();
  orochi_sst_table_free(table);
  CHECK_INT(orochi_sst_abi_version(), OROCHI_SST_ABI_VERSION);
  CHECK(strlen(orochi_sst_version()) > 0);
  CHECK(strcmp(orochi_sst_code_name(OROCHI_SST_CORRUPTION), "corruption") == 0);
  CHECK(strcmp(orochi_sst_code_name(5), "unknown code") == 0);
}
