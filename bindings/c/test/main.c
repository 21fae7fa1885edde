/* Goal: the C interface does what its header says, for a caller in C11 that has nothing else.
 * Method: a table of every kind of column is written through the interface in each version, read
 * back in each way and compared value by value; every function is called with NULL handles, out of
 * order and out of range; a damaged file gives an error that names file and offset. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "testing.h"

int failures = 0;

void check_int(const char* file, int line, const char* what, long long found, long long expected) {
  if (found != expected) {
    fprintf(stderr, "%s:%d: %s is %lld, expected %lld\n", file, line, what, found, expected);
    ++failures;
  }
}

void check_text(const char* file, int line, const char* what, const char* data, size_t size,
                const char* expected) {
  if (data == NULL || size != strlen(expected) || memcmp(data, expected, size) != 0) {
    fprintf(stderr, "%s:%d: %s is \"%.*s\", expected \"%s\"\n", file, line, what,
            data == NULL ? 0 : (int)size, data == NULL ? "" : data, expected);
    ++failures;
  }
}

int32_t check_ok(const char* file, int line, const char* what, int32_t result,
                 orochi_sst_error** error) {
  if (result < 0 || *error != NULL) {
    fprintf(stderr, "%s:%d: %s: %d %s\n", file, line, what, (int)result,
            orochi_sst_error_text(*error, NULL));
    ++failures;
    orochi_sst_error_free(*error);
    *error = NULL;
  }
  return result;
}

void check_fails(const char* file, int line, const char* what, int32_t result,
                 orochi_sst_error** error, int32_t code, const char* part) {
  size_t size = 0;
  const char* text = orochi_sst_error_text(*error, &size);
  if (result != code || *error == NULL || orochi_sst_error_code(*error) != code ||
      strstr(text, part) == NULL || strlen(text) != size) {
    fprintf(stderr, "%s:%d: %s: %d (%s) \"%s\", expected %d and \"%s\"\n", file, line, what,
            (int)result, orochi_sst_code_name(result), text, (int)code, part);
    ++failures;
  }
  orochi_sst_error_free(*error);
  *error = NULL;
}

orochi_sst_text text_of(const char* text) {
  orochi_sst_text made = {text, strlen(text)};
  return made;
}

/* ---- directories ---- */

#define DIRECTORIES_MAX 64
static char directories[DIRECTORIES_MAX][64];
static int directory_count = 0;

const char* new_directory(void) {
  char* const path = directories[directory_count];
  if (directory_count == DIRECTORIES_MAX - 1) {
    fprintf(stderr, "too many directories\n");
    exit(2);
  }
  snprintf(path, sizeof(directories[0]), "/tmp/orochi-c-test-XXXXXX");
  if (mkdtemp(path) == NULL) {
    perror(path);
    exit(2);
  }
  ++directory_count;
  return path;
}

void remove_directories(void) {
  for (int index = 0; index < directory_count; ++index) {
    DIR* const stream = opendir(directories[index]);
    for (struct dirent* entry = stream == NULL ? NULL : readdir(stream); entry != NULL;
         entry = readdir(stream)) {
      char path[512];
      snprintf(path, sizeof(path), "%s/%s", directories[index], entry->d_name);
      if (entry->d_name[0] != '.') {
        CHECK_INT(unlink(path), 0); /* no directory of ours has one in it */
      }
    }
    if (stream != NULL) {
      closedir(stream);
    }
    CHECK_INT(rmdir(directories[index]), 0);
  }
}

int main(void) {
  test_writing();
  test_reading();
  test_metadata();
  test_values();
  test_null();
  test_misuse();
  test_damage();
  remove_directories();
  printf("%s\n", failures == 0 ? "all is as it should be" : "FAILED");
  return failures == 0 ? 0 : 1;
}
