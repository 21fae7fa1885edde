/* Files that are damaged or not there. */
#include "testing.h"

/* A flipped byte in the middle of Data.db. */
void test_damage(void) {
  const char* const directory = new_directory();
  write_table(directory, OROCHI_SST_VERSION_OA, OROCHI_SST_COMPRESSION_NONE);
  char path[256];
  snprintf(path, sizeof(path), "%s/oa-1-big-Data.db", directory);
  FILE* const file = fopen(path, "r+");
  CHECK(file != NULL);
  CHECK(fseek(file, 40, SEEK_SET) == 0);
  int const byte = fgetc(file);
  CHECK(fseek(file, 40, SEEK_SET) == 0 && fputc(byte ^ 1, file) != EOF && fclose(file) == 0);

  orochi_sst_table* const table = open_table(directory);
  orochi_sst_cursor* cursor = NULL;
  orochi_sst_error* error = NULL;
  int32_t result = orochi_sst_scan(table, NULL, &cursor, &error);
  while (result >= 0 && (result = orochi_sst_cursor_next(cursor, &error)) == 1) {
  }
  CHECK_INT(result, OROCHI_SST_CORRUPTION);
  CHECK_INT(orochi_sst_error_code(error), OROCHI_SST_CORRUPTION);
  size_t size = 0;
  CHECK_TEXT(orochi_sst_error_file(error, &size), size, path);
  CHECK_INT(orochi_sst_error_offset(error), 0); /* of the block with the wrong checksum */
  CHECK_INT(orochi_sst_error_line(error), 0);
  orochi_sst_error_free(error);
  error = NULL;
  CHECK_INT(CHECK_OK(orochi_sst_cursor_next(cursor, &error)), 0); /* an error ends it */
  orochi_sst_cursor_free(cursor);
  orochi_sst_table_free(table);

  orochi_sst_report* report = NULL;
  orochi_sst_text const where = text_of(path);
  CHECK_INT(CHECK_OK(orochi_sst_verify(&where, 1, &report, &error)), 0);
  CHECK(orochi_sst_report_finding_count(report) > 0);
  CHECK(strstr(orochi_sst_report_finding(report, 0, NULL), "oa-1-big") != NULL);
  CHECK_TEXT(orochi_sst_report_finding(report, 1000, &size), size, "");
  orochi_sst_report_free(report);

  orochi_sst_text const gone = text_of("/tmp/orochi-nobody");
  orochi_sst_table* none = NULL;
  CHECK_FAILS(orochi_sst_table_open(&gone, 1, NULL, &none, &error), OROCHI_SST_NOT_FOUND,
              "does not exist");
}
