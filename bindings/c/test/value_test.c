/* Values taken apart and made. */
#include <math.h>
#include <stdlib.h>

#include "testing.h"

static const orochi_sst_type* type_of(const orochi_sst_table* table, const char* name) {
  int64_t const found = orochi_sst_table_find_column(table, name, strlen(name));
  CHECK(found >= 0);
  return orochi_sst_table_column_type(table, (size_t)found);
}

/* A value read from text or CQL and shown again. */
static void check_round_trip(const orochi_sst_type* type, const char* text, int32_t format,
                             const char* json) {
  orochi_sst_error* error = NULL;
  orochi_sst_string* value = NULL;
  orochi_sst_string* again = NULL;
  CHECK_OK(orochi_sst_value_parse(type, text, strlen(text), format, &value, &error));
  size_t size = 0;
  const char* const data = orochi_sst_string_data(value, &size);
  CHECK_OK(orochi_sst_value_format(type, data, size, OROCHI_SST_FORMAT_JSON, &again, &error));
  size_t json_size = 0;
  const char* const found = orochi_sst_string_data(again, &json_size);
  CHECK_TEXT(found, json_size, json);
  orochi_sst_string_free(value);
  orochi_sst_string_free(again);
}

/* A number read from CQL, as int64 and double. */
static void check_number(const orochi_sst_type* type, const char* literal, int has_int64,
                         int64_t expected, double expected_double) {
  orochi_sst_error* error = NULL;
  orochi_sst_string* value = NULL;
  CHECK_OK(orochi_sst_value_parse(type, literal, strlen(literal), OROCHI_SST_FORMAT_CQL, &value,
                                  &error));
  size_t size = 0;
  const char* const data = orochi_sst_string_data(value, &size);
  int64_t number = 0;
  if (has_int64 != 0) {
    CHECK_OK(orochi_sst_value_int64(type, data, size, &number, &error));
    CHECK_INT(number, expected);
  } else {
    CHECK_FAILS(orochi_sst_value_int64(type, data, size, &number, &error),
                OROCHI_SST_INVALID_ARGUMENT, "has no numbers of that kind");
  }
  double real = 0;
  CHECK_OK(orochi_sst_value_double(type, data, size, &real, &error));
  CHECK(real == expected_double || (isnan(real) && isnan(expected_double)));
  orochi_sst_string_free(value);
}

static void test_numbers(const orochi_sst_table* table) {
  check_number(type_of(table, "code"), "-128", 1, -128, -128);
  check_number(type_of(table, "small"), "32767", 1, 32767, 32767);
  check_number(type_of(table, "id"), "-2147483648", 1, INT32_MIN, INT32_MIN);
  check_number(type_of(table, "long"), "9223372036854775807", 1, INT64_MAX, 9223372036854775807.0);
  check_number(type_of(table, "paid"), "true", 1, 1, 1);
  check_number(type_of(table, "day"), "'1970-01-03'", 1, 2, 2);
  check_number(type_of(table, "at"), "'00:00:01'", 1, 1000000000, 1e9);
  check_number(type_of(table, "placed"), "-5", 1, -5, -5);
  check_number(type_of(table, "big"), "-9223372036854775808", 1, INT64_MIN, -9223372036854775808.0);
  check_number(type_of(table, "weight"), "-0.5", 0, 0, -0.5);
  check_number(type_of(table, "ratio"), "NaN", 0, 0, NAN);
  check_number(type_of(table, "total"), "12.75", 0, 0, 12.75);
  check_number(type_of(table, "total"), "-1e400", 0, 0, -HUGE_VAL);
  check_number(type_of(table, "total"), "1e-400", 0, 0, 0);
}

static void test_wrong_numbers(const orochi_sst_table* table) {
  orochi_sst_error* error = NULL;
  int64_t number = 5;
  double real = 5;
  static const unsigned char nine[9] = {1};
  static const unsigned char sign[9] = {0, 0xFF, 0, 0, 0, 0, 0, 0, 0};
  static const unsigned char small[10] = {0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0};
  const orochi_sst_type* const big = type_of(table, "big");
  CHECK_FAILS(orochi_sst_value_int64(big, nine, 9, &number, &error), OROCHI_SST_OUT_OF_RANGE,
              "does not fit into 64 bits");
  CHECK_FAILS(orochi_sst_value_int64(big, sign, 9, &number, &error), OROCHI_SST_OUT_OF_RANGE,
              "does not fit into 64 bits");
  CHECK_OK(orochi_sst_value_int64(big, small, 10, &number, &error)); /* the sign twice more */
  CHECK_INT(number, -INT64_C(0x100000000000000));
  CHECK_FAILS(orochi_sst_value_int64(type_of(table, "id"), "", 0, &number, &error),
              OROCHI_SST_OUT_OF_RANGE, "the empty value");
  CHECK_INT(number, 0);
  CHECK_FAILS(orochi_sst_value_int64(type_of(table, "id"), "abc", 3, &number, &error),
              OROCHI_SST_CORRUPTION, "has 3 bytes, expected 4");
  CHECK_FAILS(orochi_sst_value_double(type_of(table, "weight"), "abc", 3, &real, &error),
              OROCHI_SST_CORRUPTION, "has 3 bytes, expected 8");
  CHECK_FAILS(orochi_sst_value_double(type_of(table, "ratio"), NULL, 0, &real, &error),
              OROCHI_SST_OUT_OF_RANGE, "the empty value");
  CHECK_FAILS(orochi_sst_value_double(type_of(table, "total"), "abc", 3, &real, &error),
              OROCHI_SST_CORRUPTION, "");
  CHECK_FAILS(orochi_sst_value_double(type_of(table, "note"), "1", 1, &real, &error),
              OROCHI_SST_INVALID_ARGUMENT, "type text has no numbers");
  CHECK_FAILS(orochi_sst_value_int64(type_of(table, "id"), NULL, 4, &number, &error),
              OROCHI_SST_INVALID_ARGUMENT, "data is NULL");
}

static void test_texts(const orochi_sst_table* table) {
  check_round_trip(type_of(table, "id"), "12", OROCHI_SST_FORMAT_TEXT, "12");
  check_round_trip(type_of(table, "note"), "it's", OROCHI_SST_FORMAT_TEXT, "\"it's\"");
  check_round_trip(type_of(table, "note"), "", OROCHI_SST_FORMAT_TEXT, "\"\"");
  check_round_trip(type_of(table, "counts"), "{'b': 2, 'a': 1}", OROCHI_SST_FORMAT_CQL,
                   "{\"a\": 1, \"b\": 2}");
  check_round_trip(type_of(table, "away"), "{zip: 1}", OROCHI_SST_FORMAT_CQL,
                   "{\"street\": null, \"zip\": 1}");
  orochi_sst_error* error = NULL;
  orochi_sst_string* string = NULL;
  CHECK_FAILS(orochi_sst_value_parse(type_of(table, "tags"), TEXT("{'a'}"), OROCHI_SST_FORMAT_TEXT,
                                     &string, &error),
              OROCHI_SST_INVALID_ARGUMENT, "read from CQL literals");
  CHECK_FAILS(orochi_sst_value_parse(type_of(table, "id"), TEXT("1"), OROCHI_SST_FORMAT_JSON,
                                     &string, &error),
              OROCHI_SST_INVALID_ARGUMENT, "format is 1");
  CHECK_FAILS(orochi_sst_value_parse(type_of(table, "id"), TEXT("null"), OROCHI_SST_FORMAT_CQL,
                                     &string, &error),
              OROCHI_SST_INVALID_ARGUMENT, "null has no bytes");
  CHECK_FAILS(orochi_sst_value_parse(type_of(table, "id"), TEXT("'x'"), OROCHI_SST_FORMAT_CQL,
                                     &string, &error),
              OROCHI_SST_INVALID_ARGUMENT, "line 1:0");
  CHECK_FAILS(orochi_sst_value_format(type_of(table, "id"), "abcd", 4, 9, &string, &error),
              OROCHI_SST_INVALID_ARGUMENT, "format is 9");
  CHECK_FAILS(orochi_sst_value_format(type_of(table, "id"), "abc", 3, OROCHI_SST_FORMAT_JSON,
                                      &string, &error),
              OROCHI_SST_CORRUPTION, "");
  CHECK(string == NULL);
}

/* The parts of a value in JSON, joined by blanks. */
static void check_parts(const orochi_sst_type* type, const char* literal, const char* expected) {
  orochi_sst_error* error = NULL;
  orochi_sst_string* value = NULL;
  orochi_sst_parts* parts = NULL;
  char found[256] = "";
  CHECK_OK(orochi_sst_value_parse(type, literal, strlen(literal), OROCHI_SST_FORMAT_CQL, &value,
                                  &error));
  size_t size = 0;
  const char* const data = orochi_sst_string_data(value, &size);
  CHECK_OK(orochi_sst_parts_open(type, data, size, &parts, &error));
  orochi_sst_value part = {0};
  const orochi_sst_type* part_type = NULL;
  while (CHECK_OK(orochi_sst_parts_next(parts, &part, &part_type, &error)) == 1) {
    orochi_sst_string* text = NULL;
    if (part.is_set != 0) {
      CHECK_OK(orochi_sst_value_format(part_type, part.data, part.size, OROCHI_SST_FORMAT_JSON,
                                       &text, &error));
    }
    strncat(found, part.is_set != 0 ? orochi_sst_string_data(text, NULL) : "-",
            sizeof(found) - strlen(found) - 1);
    strncat(found, " ", sizeof(found) - strlen(found) - 1);
    orochi_sst_string_free(text);
  }
  CHECK_TEXT(found, strlen(found), expected);
  CHECK_INT(CHECK_OK(orochi_sst_parts_next(parts, &part, NULL, &error)), 0);
  orochi_sst_parts_free(parts);
  orochi_sst_string_free(value);
}

static void test_parts(const orochi_sst_table* table) {
  check_parts(type_of(table, "steps"), "[3, 1]", "3 1 ");
  check_parts(type_of(table, "steps"), "[]", "");
  check_parts(type_of(table, "counts"), "{'a': 1, 'b': 2}", "\"a\" 1 \"b\" 2 ");
  check_parts(type_of(table, "pair"), "(1, null)", "1 - ");
  check_parts(type_of(table, "home"), "{zip: 5}", "- 5 ");
  check_parts(type_of(table, "v"), "[1, 2]", "1.0 2.0 ");
  orochi_sst_error* error = NULL;
  orochi_sst_parts* parts = NULL;
  orochi_sst_value part = {0};
  /* A user type of fewer fields, from before ALTER TYPE, ends with nulls. */
  static const char one_field[] = "\0\0\0\1x";
  CHECK_OK(orochi_sst_parts_open(type_of(table, "home"), one_field, 5, &parts, &error));
  CHECK_INT(CHECK_OK(orochi_sst_parts_next(parts, &part, NULL, &error)), 1);
  CHECK_INT(part.is_set, 1);
  CHECK_INT(CHECK_OK(orochi_sst_parts_next(parts, &part, NULL, &error)), 1);
  CHECK_INT(part.is_set, 0);
  CHECK_INT(CHECK_OK(orochi_sst_parts_next(parts, &part, NULL, &error)), 0);
  orochi_sst_parts_free(parts);
  CHECK_OK(orochi_sst_parts_open(type_of(table, "steps"), "\0\0\0\2\0\0\0\4", 8, &parts, &error));
  CHECK_FAILS(orochi_sst_parts_next(parts, &part, NULL, &error), OROCHI_SST_CORRUPTION,
              "no value of type");
  orochi_sst_parts_free(parts);
  CHECK_FAILS(orochi_sst_parts_open(type_of(table, "id"), "abcd", 4, &parts, &error),
              OROCHI_SST_INVALID_ARGUMENT, "type int has no parts");
}

void test_values(void) {
  const char* const directory = new_directory();
  write_table(directory, OROCHI_SST_VERSION_OA, OROCHI_SST_COMPRESSION_LZ4);
  orochi_sst_table* const table = open_table(directory);
  test_numbers(table);
  test_wrong_numbers(table);
  test_texts(table);
  test_parts(table);
  orochi_sst_table_free(table);
}
