/* Writing: bound values, CQL, formats, writers that are killed. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing.h"

const char* const schema_text =
    "CREATE TYPE shop.address (street text, zip int);"
    "CREATE TABLE shop.orders (customer text, placed timestamp, id int, code tinyint, "
    "  total decimal, weight double, ratio float, paid boolean, day date, at time, big varint, "
    "  note text, raw blob, small smallint, long bigint, key uuid, tags set<text>, "
    "  steps list<int>, counts map<text, int>, home frozen<address>, away address, "
    "  pair tuple<int, text>, v vector<float, 2>, region text static, "
    "  PRIMARY KEY ((customer), placed, id)) WITH CLUSTERING ORDER BY (placed DESC, id ASC);";

#define NOW_US INT64_C(1700000000000000)

static size_t column(const orochi_sst_writer* writer, const char* name) {
  int64_t const found = orochi_sst_writer_find_column(writer, name, strlen(name));
  CHECK(found >= 0);
  return (size_t)found;
}

static void bind_numbers(orochi_sst_writer* writer) {
  orochi_sst_error* error = NULL;
  CHECK_OK(orochi_sst_writer_bind_int64(writer, column(writer, "placed"), INT64_C(1709251200123),
                                        &error));
  CHECK_OK(orochi_sst_writer_bind_int64(writer, column(writer, "id"), 7, &error));
  CHECK_OK(orochi_sst_writer_bind_int64(writer, column(writer, "code"), -128, &error));
  CHECK_OK(orochi_sst_writer_bind_int64(writer, column(writer, "small"), -32768, &error));
  CHECK_OK(orochi_sst_writer_bind_int64(writer, column(writer, "long"), INT64_MIN, &error));
  CHECK_OK(orochi_sst_writer_bind_int64(writer, column(writer, "paid"), 1, &error));
  CHECK_OK(orochi_sst_writer_bind_int64(writer, column(writer, "day"), -1, &error));
  CHECK_OK(orochi_sst_writer_bind_int64(writer, column(writer, "at"), 1, &error));
  CHECK_OK(orochi_sst_writer_bind_int64(writer, column(writer, "big"), -129, &error));
  CHECK_OK(orochi_sst_writer_bind_double(writer, column(writer, "weight"), 1.5, &error));
  CHECK_OK(orochi_sst_writer_bind_double(writer, column(writer, "ratio"), 0.25, &error));
  CHECK_OK(orochi_sst_writer_bind_text(writer, column(writer, "total"), TEXT("19.90"), &error));
}

static void bind_the_rest(orochi_sst_writer* writer) {
  orochi_sst_error* error = NULL;
  static const unsigned char raw[] = {0x00, 0xFF};
  CHECK_OK(orochi_sst_writer_bind_text(writer, column(writer, "customer"), TEXT("ada"), &error));
  CHECK_OK(orochi_sst_writer_bind_text(writer, column(writer, "note"), TEXT("it's"), &error));
  CHECK_OK(orochi_sst_writer_bind_bytes(writer, column(writer, "raw"), raw, sizeof(raw), &error));
  CHECK_OK(orochi_sst_writer_bind_text(writer, column(writer, "key"),
                                       TEXT("123e4567-e89b-12d3-a456-426614174000"), &error));
  CHECK_OK(orochi_sst_writer_bind_cql(writer, column(writer, "tags"), TEXT("{'b', 'a'}"), &error));
  CHECK_OK(orochi_sst_writer_bind_cql(writer, column(writer, "steps"), TEXT("[3, 1]"), &error));
  CHECK_OK(orochi_sst_writer_bind_cql(writer, column(writer, "counts"), TEXT("{'x': 1, 'y': 2}"),
                                      &error));
  CHECK_OK(orochi_sst_writer_bind_cql(writer, column(writer, "home"),
                                      TEXT("{street: 'Main 1', zip: 4000}"), &error));
  CHECK_OK(
      orochi_sst_writer_bind_cql(writer, column(writer, "away"), TEXT("{street: 'Far'}"), &error));
  CHECK_OK(orochi_sst_writer_bind_cql(writer, column(writer, "pair"), TEXT("(1, 'one')"), &error));
  CHECK_OK(orochi_sst_writer_bind_cql(writer, column(writer, "v"), TEXT("[1, -1]"), &error));
  CHECK_OK(orochi_sst_writer_bind_text(writer, column(writer, "region"), TEXT("south"), &error));
  CHECK_OK(orochi_sst_writer_bind_timestamp(writer, 1000, &error));
}

void write_table(const char* directory, int32_t version, int32_t compression) {
  orochi_sst_error* error = NULL;
  orochi_sst_writer* writer = NULL;
  orochi_sst_writer_options options = {0};
  options.struct_size = sizeof(options);
  options.version = version;
  options.compression = compression;
  options.now_us = NOW_US;
  CHECK_OK(orochi_sst_writer_open(directory, strlen(directory), schema_text, strlen(schema_text),
                                  &options, &writer, &error));
  bind_numbers(writer);
  bind_the_rest(writer);
  CHECK_OK(orochi_sst_writer_insert(writer, &error));
  CHECK_OK(orochi_sst_writer_cql(
      writer,
      TEXT("INSERT INTO shop.orders (customer, placed, id, note) VALUES ('ada', 0, 1, 'old') "
           "USING TIMESTAMP 2000 AND TTL 3600;"
           "INSERT INTO shop.orders (customer, placed, id, note, raw) "
           "  VALUES ('bob', 5, 2, '', 0x);"
           "INSERT INTO shop.orders (customer, region) VALUES ('eve', 'north');"
           "DELETE note FROM shop.orders USING TIMESTAMP 3000 "
           "  WHERE customer = 'bob' AND placed = 6 AND id = 1;"
           "DELETE FROM shop.orders USING TIMESTAMP 4000 WHERE customer = 'bob' AND placed > 100;"
           "DELETE FROM shop.orders USING TIMESTAMP 5000 WHERE customer = 'gone';"),
      &error));
  CHECK_OK(orochi_sst_writer_finish(writer, &error));
  CHECK_INT(orochi_sst_writer_sstable_count(writer), 1);
  CHECK_INT(orochi_sst_writer_partition_count(writer), 4);
  orochi_sst_writer_free(writer);
}

/* A row is unset where nothing is bound, and bound values are gone after an insert. */
static void test_unset_and_null(void) {
  const char* const directory = new_directory();
  orochi_sst_error* error = NULL;
  orochi_sst_writer* writer = NULL;
  const char* const table = "CREATE TABLE ks.t (k int PRIMARY KEY, a text, b text);";
  CHECK_OK(orochi_sst_writer_open(directory, strlen(directory), table, strlen(table), NULL, &writer,
                                  &error));
  CHECK_INT(orochi_sst_writer_column_count(writer), 3);
  size_t size = 0;
  CHECK_TEXT(orochi_sst_writer_column_name(writer, 1, &size), size, "a");
  CHECK_INT(orochi_sst_type_kind(orochi_sst_writer_column_type(writer, 0)), OROCHI_SST_TYPE_INT);
  CHECK_OK(orochi_sst_writer_bind_int64(writer, 0, 1, &error));
  CHECK_OK(orochi_sst_writer_bind_text(writer, 1, TEXT("x"), &error));
  CHECK_OK(orochi_sst_writer_bind_ttl(writer, 60, &error));
  CHECK_OK(orochi_sst_writer_clear(writer, &error));
  CHECK_OK(orochi_sst_writer_bind_int64(writer, 0, 2, &error));
  CHECK_OK(orochi_sst_writer_bind_null(writer, 1, &error));
  CHECK_OK(orochi_sst_writer_insert(writer, &error));
  CHECK_FAILS(orochi_sst_writer_insert(writer, &error), OROCHI_SST_INVALID_ARGUMENT,
              "column k: a key column is not bound");
  CHECK_OK(orochi_sst_writer_finish(writer, &error));
  CHECK_INT(orochi_sst_writer_row_count(writer), 1);
  CHECK(strstr(orochi_sst_writer_sstable_name(writer, 0, NULL), "/oa-1-big") != NULL);
  CHECK_TEXT(orochi_sst_writer_sstable_name(writer, 1, &size), size, "");
  orochi_sst_writer_free(writer);

  orochi_sst_text const path = text_of(directory);
  orochi_sst_open_options options = {0};
  options.struct_size = sizeof(options);
  options.schema = text_of(table);
  orochi_sst_table* read = NULL;
  orochi_sst_cursor* cursor = NULL;
  CHECK_OK(orochi_sst_table_open(&path, 1, &options, &read, &error));
  CHECK_OK(orochi_sst_scan(read, NULL, &cursor, &error));
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  int64_t key = 0;
  CHECK_INT(orochi_sst_cursor_int64(cursor, 0, &key, NULL), 1);
  CHECK_INT(key, 2);
  size_t null_cells = 0;
  size_t unset_cells = 0;
  CHECK_OK(orochi_sst_cursor_cell_count(cursor, 1, &null_cells, &error));
  CHECK_OK(orochi_sst_cursor_cell_count(cursor, 2, &unset_cells, &error));
  CHECK_INT(null_cells + unset_cells, 0); /* alive is neither */
  orochi_sst_cursor_free(cursor);
  orochi_sst_cursor_options all = {0};
  all.struct_size = sizeof(all);
  all.flags = OROCHI_SST_CURSOR_ALL;
  CHECK_OK(orochi_sst_scan(read, &all, &cursor, &error));
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
  CHECK_OK(orochi_sst_cursor_cell_count(cursor, 1, &null_cells, &error));
  CHECK_OK(orochi_sst_cursor_cell_count(cursor, 2, &unset_cells, &error));
  CHECK_INT(null_cells, 1); /* null is a tombstone */
  CHECK_INT(unset_cells, 0);
  orochi_sst_cursor_free(cursor);
  orochi_sst_table_free(read);
}

/* Nothing is left of what was not finished; more than the memory allows goes through files. */
static void test_bounds(void) {
  const char* const directory = new_directory();
  const char* const table = "CREATE TABLE ks.t (k int PRIMARY KEY, a text);";
  orochi_sst_error* error = NULL;
  for (int finish = 0; finish < 2; ++finish) {
    orochi_sst_writer_options options = {0};
    options.struct_size = sizeof(options);
    options.memory_bytes_max = 1;
    options.size_bytes_max = 100;
    options.compression = OROCHI_SST_COMPRESSION_ZSTD;
    options.chunk_size_bytes = 4096;
    orochi_sst_writer* writer = NULL;
    CHECK_OK(orochi_sst_writer_open(directory, strlen(directory), table, strlen(table), &options,
                                    &writer, &error));
    for (int64_t key = 0; key < 12; ++key) {
      CHECK_OK(orochi_sst_writer_bind_int64(writer, 0, key, &error));
      CHECK_OK(orochi_sst_writer_bind_text(writer, 1, TEXT("twelve bytes"), &error));
      CHECK_OK(orochi_sst_writer_insert(writer, &error));
    }
    if (finish != 0) {
      CHECK_OK(orochi_sst_writer_finish(writer, &error));
      CHECK(orochi_sst_writer_sstable_count(writer) > 1);
      CHECK_INT(orochi_sst_writer_partition_count(writer), 12);
    }
    orochi_sst_writer_free(writer);
    orochi_sst_text const path = text_of(directory);
    orochi_sst_table* read = NULL;
    if (finish == 0) {
      CHECK_FAILS(orochi_sst_table_open(&path, 1, NULL, &read, &error), OROCHI_SST_NOT_FOUND,
                  "has no SSTables");
      CHECK(read == NULL);
    }
  }
}

static size_t entries_in(const char* directory) {
  size_t count = 0;
  DIR* const stream = opendir(directory);
  for (struct dirent* entry = stream == NULL ? NULL : readdir(stream); entry != NULL;
       entry = readdir(stream)) {
    count += entry->d_name[0] != '.';
  }
  if (stream != NULL) {
    closedir(stream);
  }
  return count;
}

/* In a process that is killed when it has sorted runs on disk; `ready` tells that it has. */
static void write_until_killed(const char* directory, const char* table, int ready) {
  orochi_sst_error* error = NULL;
  orochi_sst_writer_options options = {0};
  options.struct_size = sizeof(options);
  options.memory_bytes_max = 1;
  orochi_sst_writer* writer = NULL;
  CHECK_OK(orochi_sst_writer_open(directory, strlen(directory), table, strlen(table), &options,
                                  &writer, &error));
  for (int64_t key = 0; key < 3; ++key) {
    CHECK_OK(orochi_sst_writer_bind_int64(writer, 0, key, &error));
    CHECK_OK(orochi_sst_writer_insert(writer, &error));
  }
  CHECK_INT(write(ready, failures == 0 ? "+" : "-", 1), 1);
  for (;;) {
    pause();
  }
}

/* The next writer removes what one left that was killed, and not before that one is dead. */
static void test_killed(void) {
  const char* const directory = new_directory();
  const char* const table = "CREATE TABLE ks.t (k int PRIMARY KEY);";
  orochi_sst_error* error = NULL;
  orochi_sst_writer* writer = NULL;
  int ends[2];
  CHECK_INT(pipe(ends), 0);
  pid_t const child = fork();
  if (child == 0) {
    close(ends[0]);
    write_until_killed(directory, table, ends[1]);
  }
  CHECK(child > 0);
  close(ends[1]);
  char said = 0;
  CHECK_INT(read(ends[0], &said, 1), 1);
  CHECK_INT(said, '+');
  close(ends[0]);
  CHECK_INT(entries_in(directory), 1); /* the sorted runs */
  CHECK_FAILS(orochi_sst_writer_open(directory, strlen(directory), table, strlen(table), NULL,
                                     &writer, &error),
              OROCHI_SST_FAILED_PRECONDITION, "somebody else is writing there");
  CHECK_INT(entries_in(directory), 1);
  if (child > 0) {
    CHECK_INT(kill(child, SIGKILL), 0);
    CHECK_INT(waitpid(child, NULL, 0), child);
  }
  CHECK_INT(entries_in(directory), 1);
  CHECK_OK(orochi_sst_writer_open(directory, strlen(directory), table, strlen(table), NULL, &writer,
                                  &error));
  CHECK_INT(entries_in(directory), 0);
  orochi_sst_writer_free(writer);
}

/* Each partitioner has its own order of partitions; the keys are found in it. */
static void test_partitioners(void) {
  const char* const table = "CREATE TABLE ks.t (k int PRIMARY KEY, a text);";
  orochi_sst_error* error = NULL;
  int64_t orders[3] = {0, 0, 0};
  for (int32_t partitioner = 0; partitioner <= OROCHI_SST_PARTITIONER_BYTE_ORDERED; ++partitioner) {
    const char* const directory = new_directory();
    orochi_sst_writer_options options = {0};
    options.struct_size = sizeof(options);
    options.partitioner = partitioner;
    orochi_sst_writer* writer = NULL;
    CHECK_OK(orochi_sst_writer_open(directory, strlen(directory), table, strlen(table), &options,
                                    &writer, &error));
    for (int64_t key = 9; key >= 0; --key) {
      CHECK_OK(orochi_sst_writer_bind_int64(writer, 0, key, &error));
      CHECK_OK(orochi_sst_writer_bind_text(writer, 1, TEXT("x"), &error));
      CHECK_OK(orochi_sst_writer_insert(writer, &error));
    }
    CHECK_OK(orochi_sst_writer_finish(writer, &error));
    orochi_sst_writer_free(writer);

    orochi_sst_text const path = text_of(directory);
    orochi_sst_report* report = NULL;
    CHECK_INT(CHECK_OK(orochi_sst_verify(&path, 1, &report, &error)), 1);
    orochi_sst_report_free(report);
    orochi_sst_table* read = NULL;
    CHECK_OK(orochi_sst_table_open(&path, 1, NULL, &read, &error));
    orochi_sst_cursor* cursor = NULL;
    CHECK_OK(orochi_sst_scan(read, NULL, &cursor, &error));
    while (CHECK_OK(orochi_sst_cursor_next(cursor, &error)) == 1) {
      int64_t key = 0;
      CHECK_INT(orochi_sst_cursor_int64(cursor, 0, &key, NULL), 1);
      orders[partitioner] = orders[partitioner] * 10 + key;
    }
    orochi_sst_cursor_free(cursor);
    static const unsigned char seven[] = {0, 0, 0, 7};
    orochi_sst_value const value = {.data = seven, .size = sizeof(seven), .is_set = 1};
    CHECK_OK(orochi_sst_lookup(read, &value, 1, NULL, &cursor, &error));
    CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 1);
    orochi_sst_cursor_free(cursor);
    orochi_sst_table_free(read);
  }
  CHECK_INT(orders[OROCHI_SST_PARTITIONER_BYTE_ORDERED], 123456789);
  CHECK(orders[OROCHI_SST_PARTITIONER_MURMUR3] != orders[OROCHI_SST_PARTITIONER_RANDOM]);

  orochi_sst_writer_options options = {0};
  options.struct_size = sizeof(options);
  options.partitioner = 3;
  orochi_sst_writer* writer = NULL;
  CHECK_FAILS(orochi_sst_writer_open("/tmp", 4, table, strlen(table), &options, &writer, &error),
              OROCHI_SST_UNSUPPORTED, "options.partitioner is 3, expected 0 to 2");
  options.partitioner = 0;
  options.reserved = 1;
  CHECK_FAILS(orochi_sst_writer_open("/tmp", 4, table, strlen(table), &options, &writer, &error),
              OROCHI_SST_UNSUPPORTED, "options.reserved is 1, expected 0");
  /* A caller compiled before there was the field. */
  options.struct_size = offsetof(orochi_sst_writer_options, partitioner);
  options.partitioner = 99;
  const char* const directory = new_directory();
  CHECK_OK(orochi_sst_writer_open(directory, strlen(directory), table, strlen(table), &options,
                                  &writer, &error));
  orochi_sst_writer_free(writer);
  options.struct_size -= 1;
  CHECK_FAILS(orochi_sst_writer_open("/tmp", 4, table, strlen(table), &options, &writer, &error),
              OROCHI_SST_INVALID_ARGUMENT, "options.struct_size is 55, expected at least 56");
}

void test_writing(void) {
  test_partitioners();
  test_unset_and_null();
  test_bounds();
  test_killed();
}
