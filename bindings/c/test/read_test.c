/* Reading: tables, scans, lookups, SELECT. */
#include "testing.h"

orochi_sst_table* open_table(const char* directory) {
  orochi_sst_error* error = NULL;
  orochi_sst_table* table = NULL;
  orochi_sst_text const path = text_of(directory);
  orochi_sst_open_options options = {0};
  options.struct_size = sizeof(options);
  options.schema = text_of(schema_text);
  options.now_s = INT64_C(1700000001);
  CHECK_OK(orochi_sst_table_open(&path, 1, &options, &table, &error));
  return table;
}

const char* shown(orochi_sst_cursor* cursor, const char* column, int32_t format) {
  for (size_t index = 0; index < orochi_sst_cursor_column_count(cursor); ++index) {
    if (strcmp(orochi_sst_cursor_column_name(cursor, index, NULL), column) == 0) {
      orochi_sst_error* error = NULL;
      const char* data = NULL;
      size_t size = 0;
      int32_t const set =
          CHECK_OK(orochi_sst_cursor_format(cursor, index, format, &data, &size, &error));
      return set == 1 ? data : "null";
    }
  }
  return "no such column";
}

#define CHECK_SHOWN(column, format, expected)                      \
  do {                                                             \
    const char* const found = shown((cursor), (column), (format)); \
    CHECK_TEXT(found, strlen(found), (expected));                  \
  } while (0)

static void test_schema(const orochi_sst_table* table) {
  size_t size = 0;
  CHECK_TEXT(orochi_sst_table_keyspace(table, &size), size, "shop");
  CHECK_TEXT(orochi_sst_table_name(table, &size), size, "orders");
  CHECK(strstr(orochi_sst_table_cql(table, NULL), "CREATE TABLE shop.orders") != NULL);
  CHECK_INT(orochi_sst_table_names_are_generated(table), 0);
  CHECK_INT(orochi_sst_table_sstable_count(table), 1);
  CHECK_INT(orochi_sst_table_column_count(table), 24);
  CHECK_TEXT(orochi_sst_table_column_name(table, 0, &size), size, "customer");
  CHECK_INT(orochi_sst_table_column_role(table, 0), OROCHI_SST_ROLE_PARTITION_KEY);
  CHECK_TEXT(orochi_sst_table_column_name(table, 1, &size), size, "placed");
  CHECK_INT(orochi_sst_table_column_role(table, 1), OROCHI_SST_ROLE_CLUSTERING);
  CHECK_INT(orochi_sst_table_column_descending(table, 1), 1);
  CHECK_INT(orochi_sst_table_column_descending(table, 2), 0);
  CHECK_TEXT(orochi_sst_table_column_name(table, 3, &size), size, "region");
  CHECK_INT(orochi_sst_table_column_role(table, 3), OROCHI_SST_ROLE_STATIC);
  CHECK_INT(orochi_sst_table_column_role(table, 4), OROCHI_SST_ROLE_REGULAR);
  CHECK_INT(orochi_sst_table_find_column(table, TEXT("Customer")), -1);

  const orochi_sst_type* const home = orochi_sst_table_column_type(
      table, (size_t)orochi_sst_table_find_column(table, TEXT("home")));
  CHECK_INT(orochi_sst_type_kind(home), OROCHI_SST_TYPE_UDT);
  CHECK_INT(orochi_sst_type_frozen(home), 1);
  CHECK_INT(orochi_sst_type_parameter_count(home), 2);
  CHECK_TEXT(orochi_sst_type_field_name(home, 1, &size), size, "zip");
  CHECK_INT(orochi_sst_type_kind(orochi_sst_type_parameter(home, 1)), OROCHI_SST_TYPE_INT);
  CHECK(orochi_sst_type_parameter(home, 2) == NULL);
  const orochi_sst_type* const counts = orochi_sst_table_column_type(
      table, (size_t)orochi_sst_table_find_column(table, TEXT("counts")));
  CHECK_TEXT(orochi_sst_type_name(counts, &size), size, "map<text, int>");
  CHECK_INT(orochi_sst_type_frozen(counts), 0);
  const orochi_sst_type* const vector =
      orochi_sst_table_column_type(table, (size_t)orochi_sst_table_find_column(table, TEXT("v")));
  CHECK_INT(orochi_sst_type_kind(vector), OROCHI_SST_TYPE_VECTOR);
  CHECK_INT(orochi_sst_type_dimension(vector), 2);
}

static void check_first_row(orochi_sst_cursor* cursor) {
  CHECK_SHOWN("customer", OROCHI_SST_FORMAT_TEXT, "ada");
  CHECK_SHOWN("placed", OROCHI_SST_FORMAT_JSON, "\"2024-03-01 00:00:00.123Z\"");
  CHECK_SHOWN("region", OROCHI_SST_FORMAT_TEXT, "south");
  CHECK_SHOWN("id", OROCHI_SST_FORMAT_TEXT, "7");
  CHECK_SHOWN("code", OROCHI_SST_FORMAT_JSON, "-128");
  CHECK_SHOWN("small", OROCHI_SST_FORMAT_JSON, "-32768");
  CHECK_SHOWN("long", OROCHI_SST_FORMAT_JSON, "-9223372036854775808");
  CHECK_SHOWN("big", OROCHI_SST_FORMAT_JSON, "-129");
  CHECK_SHOWN("total", OROCHI_SST_FORMAT_JSON, "19.90");
  CHECK_SHOWN("weight", OROCHI_SST_FORMAT_JSON, "1.5");
  CHECK_SHOWN("ratio", OROCHI_SST_FORMAT_JSON, "0.25");
  CHECK_SHOWN("paid", OROCHI_SST_FORMAT_JSON, "true");
  CHECK_SHOWN("day", OROCHI_SST_FORMAT_JSON, "\"1969-12-31\"");
  CHECK_SHOWN("at", OROCHI_SST_FORMAT_JSON, "\"00:00:00.000000001\"");
  CHECK_SHOWN("note", OROCHI_SST_FORMAT_CQL, "'it''s'");
  CHECK_SHOWN("note", OROCHI_SST_FORMAT_TEXT, "it's");
  CHECK_SHOWN("raw", OROCHI_SST_FORMAT_CQL, "0x00ff");
  CHECK_SHOWN("key", OROCHI_SST_FORMAT_TEXT, "123e4567-e89b-12d3-a456-426614174000");
  CHECK_SHOWN("tags", OROCHI_SST_FORMAT_JSON, "[\"a\", \"b\"]");
  CHECK_SHOWN("steps", OROCHI_SST_FORMAT_JSON, "[3, 1]");
  CHECK_SHOWN("counts", OROCHI_SST_FORMAT_JSON, "{\"x\": 1, \"y\": 2}");
  CHECK_SHOWN("home", OROCHI_SST_FORMAT_JSON, "{\"street\": \"Main 1\", \"zip\": 4000}");
  CHECK_SHOWN("away", OROCHI_SST_FORMAT_JSON, "{\"street\": \"Far\", \"zip\": null}");
  CHECK_SHOWN("pair", OROCHI_SST_FORMAT_CQL, "(1, 'one')");
  CHECK_SHOWN("v", OROCHI_SST_FORMAT_TEXT, "[1.0, -1.0]");
}

/* Partitions come by token: eve, bob, ada or any other order, so each is looked for. */
static void test_scan(const orochi_sst_table* table) {
  orochi_sst_error* error = NULL;
  orochi_sst_cursor* cursor = NULL;
  CHECK_OK(orochi_sst_scan(table, NULL, &cursor, &error));
  CHECK_INT(orochi_sst_cursor_column_count(cursor), 24);
  int rows = 0;
  int statics = 0;
  while (CHECK_OK(orochi_sst_cursor_next(cursor, &error)) == 1) {
    ++rows;
    orochi_sst_value values[24];
    CHECK_OK(orochi_sst_cursor_values(cursor, values, 24, &error));
    CHECK_INT(values[0].is_set, 1);
    if (values[0].size == 3 && memcmp(values[0].data, "eve", 3) == 0) {
      ++statics;
      CHECK_INT(values[1].is_set, 0);
      CHECK_INT(orochi_sst_cursor_is_set(cursor, 1, &error), 0);
      CHECK_SHOWN("region", OROCHI_SST_FORMAT_TEXT, "north");
    }
  }
  CHECK_INT(rows, 4);
  CHECK_INT(statics, 1);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 0); /* stays at the end */
  orochi_sst_cursor_free(cursor);
}

static void test_lookup(const orochi_sst_table* table) {
  orochi_sst_error* error = NULL;
  orochi_sst_cursor* cursor = NULL;
  orochi_sst_text const ada = text_of("ada");
  CHECK_OK(orochi_sst_lookup_text(table, &ada, 1, NULL, &cursor, &error));
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  check_first_row(cursor);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  CHECK_SHOWN("note", OROCHI_SST_FORMAT_TEXT, "old");
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 0);
  orochi_sst_cursor_free(cursor);

  /* An hour later the row with a TTL is gone. */
  orochi_sst_cursor_options later = {0};
  later.struct_size = sizeof(later);
  later.now_s = INT64_C(1700003600);
  orochi_sst_value const key = {"ada", 3, 1, 0};
  CHECK_OK(orochi_sst_lookup(table, &key, 1, &later, &cursor, &error));
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 0);
  const char* text = NULL;
  size_t size = 0;
  CHECK_OK(orochi_sst_cursor_explain(cursor, &text, &size, &error));
  CHECK(strstr(text, "partitions read: 1") != NULL);
  orochi_sst_cursor_free(cursor);

  /* An empty value is not null. */
  orochi_sst_text const bob = text_of("bob");
  CHECK_OK(orochi_sst_lookup_text(table, &bob, 1, NULL, &cursor, &error));
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  size_t const note = (size_t)orochi_sst_table_find_column(table, TEXT("note"));
  size_t const raw = (size_t)orochi_sst_table_find_column(table, TEXT("raw"));
  const void* data = NULL;
  CHECK_INT(CHECK_OK(orochi_sst_cursor_text(cursor, note, &text, &size, &error)), 1);
  CHECK(text != NULL && size == 0);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_bytes(cursor, raw, &data, &size, &error)), 1);
  CHECK(data != NULL && size == 0);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_bytes(cursor, raw + 1, &data, &size, &error)), 0);
  CHECK(data == NULL && size == 0);
  orochi_sst_cursor_free(cursor);
}

/* A cursor needs its table's handle no more once it is open. */
static void test_select(orochi_sst_table* table) {
  orochi_sst_error* error = NULL;
  orochi_sst_cursor* cursor = NULL;
  CHECK_OK(orochi_sst_select(table,
                             TEXT("SELECT note, count(*) AS n, writetime(note) FROM orders "
                                  "WHERE customer = 'ada' GROUP BY customer, placed LIMIT 1"),
                             NULL, &cursor, &error));
  orochi_sst_table_free(table);
  size_t size = 0;
  CHECK_INT(orochi_sst_cursor_column_count(cursor), 3);
  CHECK_TEXT(orochi_sst_cursor_column_name(cursor, 1, &size), size, "n");
  CHECK_INT(orochi_sst_type_kind(orochi_sst_cursor_column_type(cursor, 1)), OROCHI_SST_TYPE_BIGINT);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  int64_t number = 0;
  CHECK_INT(CHECK_OK(orochi_sst_cursor_int64(cursor, 1, &number, &error)), 1);
  CHECK_INT(number, 1);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_int64(cursor, 2, &number, &error)), 1);
  CHECK_INT(number, 1000);
  CHECK_SHOWN("note", OROCHI_SST_FORMAT_JSON, "\"it's\"");
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 0);
  orochi_sst_row row = {0};
  row.struct_size = sizeof(row);
  CHECK_FAILS(orochi_sst_cursor_row(cursor, &row, &error), OROCHI_SST_FAILED_PRECONDITION,
              "past its last row");
  orochi_sst_cursor_free(cursor);
}

/* Ranges of tokens that follow each other have every row once. */
static void test_token_ranges(const orochi_sst_table* table) {
  orochi_sst_error* error = NULL;
  int rows = 0;
  int64_t const bounds[] = {INT64_MIN, -INT64_C(4000000000000000000), 0,
                            INT64_C(4000000000000000000), INT64_MAX};
  for (int index = 0; index < 4; ++index) {
    orochi_sst_cursor_options options = {0};
    options.struct_size = sizeof(options);
    options.flags = OROCHI_SST_CURSOR_TOKENS;
    options.token_after = bounds[index];
    options.token_upto = bounds[index + 1];
    orochi_sst_cursor* cursor = NULL;
    CHECK_OK(orochi_sst_scan(table, &options, &cursor, &error));
    while (CHECK_OK(orochi_sst_cursor_next(cursor, &error)) == 1) {
      ++rows;
    }
    orochi_sst_cursor_free(cursor);
  }
  CHECK_INT(rows, 4);
}

/* Without a schema the names of key columns are made up. */
static void test_own_schema(const char* directory) {
  orochi_sst_error* error = NULL;
  orochi_sst_table* table = NULL;
  orochi_sst_text const path = text_of(directory);
  orochi_sst_open_options options = {0};
  options.struct_size = sizeof(options);
  options.keyspace = text_of("ks");
  options.flags = OROCHI_SST_OPEN_NO_CHECKSUMS;
  CHECK_OK(orochi_sst_table_open(&path, 1, &options, &table, &error));
  size_t size = 0;
  CHECK_INT(orochi_sst_table_names_are_generated(table), 1);
  CHECK_TEXT(orochi_sst_table_column_name(table, 0, &size), size, "key_");
  CHECK_TEXT(orochi_sst_table_keyspace(table, &size), size, "ks");
  orochi_sst_cursor* cursor = NULL;
  CHECK_OK(orochi_sst_select(table, TEXT("SELECT count(*) FROM anything"), NULL, &cursor, &error));
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  orochi_sst_cursor_free(cursor);
  orochi_sst_table_free(table);
}

void test_reading(void) {
  static const int32_t versions[] = {OROCHI_SST_VERSION_OA, OROCHI_SST_VERSION_NB,
                                     OROCHI_SST_VERSION_DA};
  for (int32_t index = 0; index < 3; ++index) {
    const char* const directory = new_directory();
    write_table(directory, versions[index], index * 2);
    orochi_sst_table* const table = open_table(directory);
    test_schema(table);
    test_scan(table);
    test_lookup(table);
    test_token_ranges(table);
    test_select(table);
    test_own_schema(directory);
    orochi_sst_report* report = NULL;
    orochi_sst_error* error = NULL;
    orochi_sst_text const path = text_of(directory);
    CHECK_INT(CHECK_OK(orochi_sst_verify(&path, 1, &report, &error)), 1);
    CHECK_INT(orochi_sst_report_finding_count(report), 0);
    CHECK_INT(orochi_sst_report_sstable_count(report), 1);
    CHECK_INT(orochi_sst_report_partition_count(report), 4);
    CHECK(orochi_sst_report_row_count(report) > 4);
    CHECK(orochi_sst_report_cell_count(report) > 20);
    orochi_sst_report_free(report);
  }
}
