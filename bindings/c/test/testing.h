#pragma once

/* What the tests of the C interface share. */

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "orochi_sstable.h"

extern int failures;

/* Counts and prints what is not so, and goes on. */
#define CHECK(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                             \
    }                                                                         \
  } while (0)
#define CHECK_INT(found, expected) \
  check_int(__FILE__, __LINE__, #found, (long long)(found), (long long)(expected))
/* `data` first: it may be the call that sets `size`. */
#define CHECK_TEXT(data, size, expected)                              \
  do {                                                                \
    const char* const data_ = (const char*)(data);                    \
    check_text(__FILE__, __LINE__, #data, data_, (size), (expected)); \
  } while (0)
/* That a call succeeds; prints the error that it left in `error` where not. */
#define CHECK_OK(call) check_ok(__FILE__, __LINE__, #call, (call), &error)
/* That a call fails with `code` and an error whose text has `part`. */
#define CHECK_FAILS(call, code, part) \
  check_fails(__FILE__, __LINE__, #call, (call), &error, (code), (part))

void check_int(const char* file, int line, const char* what, long long found, long long expected);
void check_text(const char* file, int line, const char* what, const char* data, size_t size,
                const char* expected);
int32_t check_ok(const char* file, int line, const char* what, int32_t result,
                 orochi_sst_error** error);
void check_fails(const char* file, int line, const char* what, int32_t result,
                 orochi_sst_error** error, int32_t code, const char* part);

/* A text literal as the interface takes it. */
#define TEXT(literal) (literal), (sizeof(literal) - 1)
orochi_sst_text text_of(const char* text);

/* A new empty directory; valid until the next call but three. Removed at the end. */
const char* new_directory(void);
void remove_directories(void);

/* The table that most tests have, written with `version` and `compression`: see write_test.c. */
extern const char* const schema_text;
void write_table(const char* directory, int32_t version, int32_t compression);
orochi_sst_table* open_table(const char* directory);

/* The value of a column of the row, formatted; "null"; good until the next row. */
const char* shown(orochi_sst_cursor* cursor, const char* column, int32_t format);

void test_writing(void);
void test_reading(void);
void test_metadata(void);
void test_values(void);
void test_null(void);
void test_misuse(void);
void test_damage(void);
