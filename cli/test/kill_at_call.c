/* Loaded before libc (LD_PRELOAD): ends the process by SIGKILL at its n-th call that changes files,
 * n = $KILL_AT_CALL. Of a write half is done first. Without it the calls are counted, into the file
 * $COUNT_CALLS_INTO when the process ends. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static atomic_long calls;

/* Whether this is the call to die in. */
static int is_the_one(void) {
  const char* const kill_at = getenv("KILL_AT_CALL");
  long const call = atomic_fetch_add(&calls, 1) + 1;
  return kill_at != NULL && call == atol(kill_at);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) {
    pause();
  }
}

int open(const char* path, int flags, ...) {
  static int (*next)(const char*, int, ...);
  mode_t mode = 0;
  if (flags & O_CREAT) {
    va_list arguments;
    va_start(arguments, flags);
    mode = va_arg(arguments, mode_t);
    va_end(arguments);
    if (is_the_one()) {
      die();
    }
  }
  if (next == NULL) {
    *(void**)&next = dlsym(RTLD_NEXT, "open");
  }
  return next(path, flags, mode);
}

ssize_t write(int file, const void* bytes, size_t size) {
  static ssize_t (*next)(int, const void*, size_t);
  if (next == NULL) {
    *(void**)&next = dlsym(RTLD_NEXT, "write");
  }
  if (file > STDERR_FILENO && is_the_one()) {
    (void)!next(file, bytes, size / 2);
    die();
  }
  return next(file, bytes, size);
}

int rename(const char* from, const char* to) {
  static int (*next)(const char*, const char*);
  if (is_the_one()) {
    die();
  }
  if (next == NULL) {
    *(void**)&next = dlsym(RTLD_NEXT, "rename");
  }
  return next(from, to);
}

int unlink(const char* path) {
  static int (*next)(const char*);
  if (is_the_one()) {
    die();
  }
  if (next == NULL) {
    *(void**)&next = dlsym(RTLD_NEXT, "unlink");
  }
  return next(path);
}

int fsync(int file) {
  static int (*next)(int);
  if (is_the_one()) {
    die();
  }
  if (next == NULL) {
    *(void**)&next = dlsym(RTLD_NEXT, "fsync");
  }
  return next(file);
}

__attribute__((destructor)) static void report(void) {
  const char* const path = getenv("COUNT_CALLS_INTO");
  FILE* const file = path != NULL ? fopen(path, "w") : NULL;
  if (file != NULL) {
    fprintf(file, "%ld", (long)calls);
    fclose(file);
  }
}
