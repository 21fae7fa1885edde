/* Writes a small table, asks it with CQL, and reads one partition with its timestamps.
 *
 *   cc -o orders orders.c $(pkg-config --cflags --libs orochi_sstable)
 *   ./orders /tmp/orders
 */
#include <inttypes.h>
#include <orochi_sstable.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char kSchema[] =
    "CREATE TABLE shop.orders (customer text, id int, total decimal, tags set<text>, "
    "PRIMARY KEY (customer, id));";

/* Ends the program where a call failed; what is allocated goes with it. */
static int32_t must(int32_t result, orochi_sst_error* error) {
  if (result < 0) {
    fprintf(stderr, "%s: %s\n", orochi_sst_code_name(result), orochi_sst_error_text(error, NULL));
    if (orochi_sst_error_offset(error) >= 0) {
      fprintf(stderr, "in %s at offset %" PRId64 "\n", orochi_sst_error_file(error, NULL),
              orochi_sst_error_offset(error));
    }
    exit(1);
  }
  return result;
}

static void write_orders(const char* directory) {
  orochi_sst_error* error = NULL;
  orochi_sst_writer* writer = NULL;
  must(orochi_sst_writer_open(directory, strlen(directory), kSchema, strlen(kSchema), NULL, &writer,
                              &error),
       error);
  size_t const customer = (size_t)orochi_sst_writer_find_column(writer, "customer", 8);
  size_t const id = (size_t)orochi_sst_writer_find_column(writer, "id", 2);
  size_t const total = (size_t)orochi_sst_writer_find_column(writer, "total", 5);
  size_t const tags = (size_t)orochi_sst_writer_find_column(writer, "tags", 4);
  for (int64_t order = 1; order <= 3; ++order) {
    must(orochi_sst_writer_bind_text(writer, customer, "ada", 3, &error), error);
    must(orochi_sst_writer_bind_int64(writer, id, order, &error), error);
    must(orochi_sst_writer_bind_text(writer, total, "9.95", 4, &error), error);
    must(orochi_sst_writer_bind_cql(writer, tags, "{'new', 'gift'}", 15, &error), error);
    must(orochi_sst_writer_bind_timestamp(writer, 1000 + order, &error), error);
    must(orochi_sst_writer_insert(writer, &error), error);
  }
  static const char kMore[] =
      "INSERT INTO shop.orders (customer, id, total) VALUES ('bob', 1, 5.00);"
      "DELETE FROM shop.orders WHERE customer = 'ada' AND id = 2;";
  must(orochi_sst_writer_cql(writer, kMore, strlen(kMore), &error), error);
  must(orochi_sst_writer_finish(writer, &error), error);
  printf("wrote %" PRIu64 " partitions\n", orochi_sst_writer_partition_count(writer));
  orochi_sst_writer_free(writer);
}

static void print_totals(const orochi_sst_table* table) {
  static const char kSelect[] =
      "SELECT customer, count(*) AS orders, sum(total) AS total FROM orders GROUP BY customer";
  orochi_sst_error* error = NULL;
  orochi_sst_cursor* cursor = NULL;
  must(orochi_sst_select(table, kSelect, strlen(kSelect), NULL, &cursor, &error), error);
  while (must(orochi_sst_cursor_next(cursor, &error), error) == 1) {
    const char* customer = NULL;
    const char* total = NULL;
    size_t customer_size = 0;
    size_t total_size = 0;
    int64_t orders = 0;
    must(orochi_sst_cursor_text(cursor, 0, &customer, &customer_size, &error), error);
    must(orochi_sst_cursor_int64(cursor, 1, &orders, &error), error);
    must(orochi_sst_cursor_format(cursor, 2, OROCHI_SST_FORMAT_TEXT, &total, &total_size, &error),
         error);
    printf("%.*s: %" PRId64 " orders, %s\n", (int)customer_size, customer, orders, total);
  }
  orochi_sst_cursor_free(cursor);
}

static void print_partition(const orochi_sst_table* table, const char* customer) {
  orochi_sst_text const key = {customer, strlen(customer)};
  orochi_sst_error* error = NULL;
  orochi_sst_cursor* cursor = NULL;
  must(orochi_sst_lookup_text(table, &key, 1, NULL, &cursor, &error), error);
  while (must(orochi_sst_cursor_next(cursor, &error), error) == 1) {
    for (size_t column = 0; column < orochi_sst_cursor_column_count(cursor); ++column) {
      const char* json = NULL;
      size_t size = 0;
      int32_t const set = must(
          orochi_sst_cursor_format(cursor, column, OROCHI_SST_FORMAT_JSON, &json, &size, &error),
          error);
      printf("%s%s=%s", column == 0 ? "" : " ", orochi_sst_cursor_column_name(cursor, column, NULL),
             set == 1 ? json : "null");
    }
    orochi_sst_row row = {.struct_size = sizeof(row)};
    must(orochi_sst_cursor_row(cursor, &row, &error), error);
    printf(" written at %" PRId64 "\n", row.timestamp_us);
  }
  orochi_sst_cursor_free(cursor);
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
    return 2;
  }
  write_orders(argv[1]);
  orochi_sst_text const path = {argv[1], strlen(argv[1])};
  orochi_sst_open_options options = {.struct_size = sizeof(options)};
  options.schema.data = kSchema;
  options.schema.size = strlen(kSchema);
  orochi_sst_error* error = NULL;
  orochi_sst_table* table = NULL;
  must(orochi_sst_table_open(&path, 1, &options, &table, &error), error);
  print_totals(table);
  print_partition(table, "ada");
  orochi_sst_table_free(table);
  return 0;
}
