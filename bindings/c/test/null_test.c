/* NULL where a handle or a place for a result belongs. */
#include "testing.h"

#define NULL_FAILS(call) CHECK_FAILS(call, OROCHI_SST_INVALID_ARGUMENT, "is NULL")

/* Every getter of a NULL handle answers nothing, every `_free` takes it. */
static void test_null_getters(void) {
  size_t size = 5;
  CHECK_INT(orochi_sst_error_code(NULL), OROCHI_SST_OK);
  CHECK_TEXT(orochi_sst_error_text(NULL, &size), size, "");
  CHECK_TEXT(orochi_sst_error_hint(NULL, &size), size, "");
  CHECK_TEXT(orochi_sst_error_file(NULL, &size), size, "");
  CHECK_INT(orochi_sst_error_offset(NULL), -1);
  CHECK_INT(orochi_sst_error_line(NULL), 0);
  CHECK_INT(orochi_sst_error_column(NULL), -1);
  CHECK_TEXT(orochi_sst_string_data(NULL, &size), size, "");
  CHECK_INT(orochi_sst_type_kind(NULL), 0);
  CHECK_TEXT(orochi_sst_type_name(NULL, &size), size, "");
  CHECK_INT(orochi_sst_type_parameter_count(NULL), 0);
  CHECK(orochi_sst_type_parameter(NULL, 0) == NULL);
  CHECK_TEXT(orochi_sst_type_field_name(NULL, 0, &size), size, "");
  CHECK_INT(orochi_sst_type_dimension(NULL), 0);
  CHECK_INT(orochi_sst_type_frozen(NULL), 0);
  CHECK_TEXT(orochi_sst_table_keyspace(NULL, &size), size, "");
  CHECK_TEXT(orochi_sst_table_name(NULL, &size), size, "");
  CHECK_TEXT(orochi_sst_table_cql(NULL, &size), size, "");
  CHECK_INT(orochi_sst_table_names_are_generated(NULL), 0);
  CHECK_INT(orochi_sst_table_sstable_count(NULL), 0);
  CHECK_TEXT(orochi_sst_table_sstable_name(NULL, 0, &size), size, "");
  CHECK_INT(orochi_sst_table_column_count(NULL), 0);
  CHECK_TEXT(orochi_sst_table_column_name(NULL, 0, &size), size, "");
  CHECK_INT(orochi_sst_table_column_role(NULL, 0), 0);
  CHECK(orochi_sst_table_column_type(NULL, 0) == NULL);
  CHECK_INT(orochi_sst_table_column_descending(NULL, 0), 0);
  CHECK_INT(orochi_sst_table_find_column(NULL, "k", 1), -1);
  CHECK_INT(orochi_sst_cursor_column_count(NULL), 0);
  CHECK_TEXT(orochi_sst_cursor_column_name(NULL, 0, &size), size, "");
  CHECK(orochi_sst_cursor_column_type(NULL, 0) == NULL);
  CHECK_INT(orochi_sst_writer_column_count(NULL), 0);
  CHECK_TEXT(orochi_sst_writer_column_name(NULL, 0, &size), size, "");
  CHECK(orochi_sst_writer_column_type(NULL, 0) == NULL);
  CHECK_INT(orochi_sst_writer_find_column(NULL, "k", 1), -1);
  CHECK_INT(orochi_sst_writer_sstable_count(NULL), 0);
  CHECK_TEXT(orochi_sst_writer_sstable_name(NULL, 0, &size), size, "");
  CHECK_INT(orochi_sst_writer_partition_count(NULL), 0);
  CHECK_INT(orochi_sst_writer_row_count(NULL), 0);
  CHECK_INT(orochi_sst_report_sstable_count(NULL), 0);
  CHECK_INT(orochi_sst_report_partition_count(NULL), 0);
  CHECK_INT(orochi_sst_report_row_count(NULL), 0);
  CHECK_INT(orochi_sst_report_cell_count(NULL), 0);
  CHECK_INT(orochi_sst_report_finding_count(NULL), 0);
  CHECK_TEXT(orochi_sst_report_finding(NULL, 0, &size), size, "");
  orochi_sst_error_free(NULL);
  orochi_sst_string_free(NULL);
  orochi_sst_table_free(NULL);
  orochi_sst_cursor_free(NULL);
  orochi_sst_parts_free(NULL);
  orochi_sst_writer_free(NULL);
  orochi_sst_report_free(NULL);
}

static void test_null_tables(orochi_sst_table* table) {
  orochi_sst_error* error = NULL;
  orochi_sst_table* opened = NULL;
  orochi_sst_cursor* cursor = NULL;
  orochi_sst_report* report = NULL;
  orochi_sst_value const key = {"x", 1, 1, 0};
  orochi_sst_value const null_key = {NULL, 0, 0, 0};
  orochi_sst_text const path = {NULL, 3};
  orochi_sst_text const text_key = text_of("ada");
  NULL_FAILS(orochi_sst_table_open(NULL, 1, NULL, &opened, &error));
  NULL_FAILS(orochi_sst_table_open(&path, 1, NULL, &opened, &error));
  NULL_FAILS(orochi_sst_table_open(&path, 1, NULL, NULL, &error));
  NULL_FAILS(orochi_sst_scan(NULL, NULL, &cursor, &error));
  NULL_FAILS(orochi_sst_scan(table, NULL, NULL, &error));
  NULL_FAILS(orochi_sst_lookup(NULL, &key, 1, NULL, &cursor, &error));
  NULL_FAILS(orochi_sst_lookup(table, NULL, 1, NULL, &cursor, &error));
  NULL_FAILS(orochi_sst_lookup(table, &key, 1, NULL, NULL, &error));
  NULL_FAILS(orochi_sst_lookup_text(NULL, &text_key, 1, NULL, &cursor, &error));
  NULL_FAILS(orochi_sst_lookup_text(table, NULL, 1, NULL, &cursor, &error));
  NULL_FAILS(orochi_sst_lookup_text(table, &path, 1, NULL, &cursor, &error));
  NULL_FAILS(orochi_sst_select(table, NULL, 0, NULL, &cursor, &error));
  NULL_FAILS(orochi_sst_select(NULL, TEXT("SELECT"), NULL, &cursor, &error));
  NULL_FAILS(orochi_sst_verify(NULL, 0, &report, &error));
  NULL_FAILS(orochi_sst_verify(&path, 1, NULL, &error));
  CHECK_FAILS(orochi_sst_lookup(table, &null_key, 1, NULL, &cursor, &error),
              OROCHI_SST_INVALID_ARGUMENT, "null is no value of a key");
  CHECK_FAILS(orochi_sst_lookup(table, &key, 2, NULL, &cursor, &error), OROCHI_SST_INVALID_ARGUMENT,
              "has 1 columns, 2 values were given");
  CHECK_FAILS(orochi_sst_table_open(NULL, 0, NULL, &opened, &error), OROCHI_SST_INVALID_ARGUMENT,
              "no SSTables are named");
  CHECK(opened == NULL && cursor == NULL && report == NULL);
  CHECK_INT(orochi_sst_table_find_column(table, NULL, 0), -1);
}

static void test_null_cursors(void) {
  orochi_sst_error* error = NULL;
  const void* data = NULL;
  const char* text = NULL;
  size_t size = 0;
  int64_t number = 0;
  int64_t seconds = 0;
  double real = 0;
  orochi_sst_value value = {0};
  orochi_sst_row row = {0};
  orochi_sst_cell cell = {0};
  NULL_FAILS(orochi_sst_cursor_next(NULL, &error));
  NULL_FAILS(orochi_sst_cursor_values(NULL, &value, 1, &error));
  NULL_FAILS(orochi_sst_cursor_is_set(NULL, 0, &error));
  NULL_FAILS(orochi_sst_cursor_bytes(NULL, 0, &data, &size, &error));
  NULL_FAILS(orochi_sst_cursor_int64(NULL, 0, &number, &error));
  NULL_FAILS(orochi_sst_cursor_double(NULL, 0, &real, &error));
  NULL_FAILS(orochi_sst_cursor_text(NULL, 0, &text, &size, &error));
  NULL_FAILS(orochi_sst_cursor_format(NULL, 0, 0, &text, &size, &error));
  NULL_FAILS(orochi_sst_cursor_explain(NULL, &text, &size, &error));
  NULL_FAILS(orochi_sst_cursor_row(NULL, &row, &error));
  NULL_FAILS(orochi_sst_cursor_cell_count(NULL, 0, &size, &error));
  NULL_FAILS(orochi_sst_cursor_cell(NULL, 0, 0, &cell, &error));
  NULL_FAILS(orochi_sst_cursor_column_deletion(NULL, 0, &number, &seconds, &error));
  NULL_FAILS(orochi_sst_parts_next(NULL, &value, NULL, &error));
  NULL_FAILS(orochi_sst_value_format(NULL, "", 0, 0, NULL, &error));
  NULL_FAILS(orochi_sst_value_int64(NULL, "", 0, &number, &error));
  NULL_FAILS(orochi_sst_value_double(NULL, "", 0, &real, &error));
  NULL_FAILS(orochi_sst_value_parse(NULL, "", 0, 0, NULL, &error));
  NULL_FAILS(orochi_sst_parts_open(NULL, "", 0, NULL, &error));
}

static void test_null_writers(void) {
  orochi_sst_error* error = NULL;
  orochi_sst_writer* writer = NULL;
  NULL_FAILS(orochi_sst_writer_open(NULL, 0, "", 0, NULL, &writer, &error));
  NULL_FAILS(orochi_sst_writer_open("d", 1, NULL, 0, NULL, &writer, &error));
  NULL_FAILS(orochi_sst_writer_open("d", 1, "", 0, NULL, NULL, &error));
  NULL_FAILS(orochi_sst_writer_cql(NULL, "", 0, &error));
  NULL_FAILS(orochi_sst_writer_bind_bytes(NULL, 0, "", 0, &error));
  NULL_FAILS(orochi_sst_writer_bind_text(NULL, 0, "", 0, &error));
  NULL_FAILS(orochi_sst_writer_bind_cql(NULL, 0, "", 0, &error));
  NULL_FAILS(orochi_sst_writer_bind_int64(NULL, 0, 0, &error));
  NULL_FAILS(orochi_sst_writer_bind_double(NULL, 0, 0, &error));
  NULL_FAILS(orochi_sst_writer_bind_null(NULL, 0, &error));
  NULL_FAILS(orochi_sst_writer_bind_timestamp(NULL, 0, &error));
  NULL_FAILS(orochi_sst_writer_bind_ttl(NULL, 0, &error));
  NULL_FAILS(orochi_sst_writer_clear(NULL, &error));
  NULL_FAILS(orochi_sst_writer_insert(NULL, &error));
  NULL_FAILS(orochi_sst_writer_finish(NULL, &error));
  CHECK_INT(orochi_sst_writer_finish(NULL, NULL), OROCHI_SST_INVALID_ARGUMENT); /* no error asked */
}

void test_null(void) {
  const char* const directory = new_directory();
  write_table(directory, OROCHI_SST_VERSION_OA, OROCHI_SST_COMPRESSION_SCHEMA);
  orochi_sst_table* const table = open_table(directory);
  test_null_getters();
  test_null_tables(table);
  test_null_cursors();
  test_null_writers();
  orochi_sst_table_free(table);
}
