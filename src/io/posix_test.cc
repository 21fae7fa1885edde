// Goal: errors of the operating system keep their meaning and name the file; clock and random of
// the system answer plausibly.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <set>

#include "base/testing/temp_dir.h"
#include "io/posix/directory_lock.h"
#include "io/posix/posix_file_system.h"
#include "io/posix/process_statistics.h"
#include "io/posix/system_clock.h"
#include "io/posix/system_random.h"

namespace orochi::io {
namespace {

TEST(PosixFileSystemTest, AFullDiskIsResourceExhaustedAndStaysSo) {
  PosixFileSystem files;
  auto file = files.OpenForAppend("/dev/full");  // every write answers ENOSPC
  if (!file.ok()) {
    GTEST_SKIP() << "no /dev/full here: " << file.status().ToString();
  }
  std::vector<std::byte> const bytes(100);
  ASSERT_TRUE((*file)->Append(bytes).ok());  // still in the buffer
  Status const status = (*file)->Sync();
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(status.message().starts_with("/dev/full: write: ")) << status.message();
  EXPECT_FALSE(status.hint().empty());
  EXPECT_EQ((*file)->Append(bytes).code(), StatusCode::kResourceExhausted);
  EXPECT_EQ((*file)->Close().code(), StatusCode::kResourceExhausted);
}

TEST(PosixFileSystemTest, ADirectoryIsNotAFile) {
  orochi::testing::TempDir const directory;
  PosixFileSystem files;
  EXPECT_EQ(files.Create(directory.path()).status().code(), StatusCode::kIoError);
}

TEST(ProcessStatisticsTest, SeesMemoryTimeAndDescriptorsOfThisProcess) {
  ProcessStatistics const before = ReadProcessStatistics();
  EXPECT_GT(before.resident_size_bytes, uint64_t{1} << 20);
  EXPECT_GE(before.virtual_size_bytes, before.resident_size_bytes);
  EXPECT_GE(before.thread_count, 1U);
  EXPECT_GE(before.open_descriptor_count_max, before.open_descriptor_count);
  EXPECT_GT(before.start_seconds, 1.5e9);
  int const more = ::dup(0);
  volatile uint64_t work = 0;
  while (ReadProcessStatistics().cpu_seconds <= before.cpu_seconds) {
    for (int step = 0; step < 100'000; ++step) {
      work = work + 1;
    }
  }
  EXPECT_EQ(ReadProcessStatistics().open_descriptor_count, before.open_descriptor_count + 1);
  ::close(more);
}

TEST(DirectoryLockTest, OneHolderAtATime) {
  orochi::testing::TempDir const directory;
  std::string const path = directory.path() + "/made/for/it";
  Result<DirectoryLock> first = DirectoryLock::Acquire(path);
  ASSERT_TRUE(first.ok()) << first.status().ToString();
  std::optional<DirectoryLock> held(*std::move(first));
  Status const refused = DirectoryLock::Acquire(path).status();
  EXPECT_EQ(refused.code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(refused.message().starts_with(path)) << refused.message();
  EXPECT_TRUE(DirectoryLock::Acquire(directory.path() + "/another").ok());
  held.reset();
  EXPECT_TRUE(DirectoryLock::Acquire(path).ok());
}

TEST(DirectoryLockTest, AProcessThatEndsLetsGo) {
  orochi::testing::TempDir const directory;
  pid_t const child = ::fork();
  if (child == 0) {
    Result<DirectoryLock> const lock = DirectoryLock::Acquire(directory.path());
    ::_exit(lock.ok() ? 0 : 1);  // no destructor runs
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(DirectoryLock::Acquire(directory.path()).ok());
}

TEST(DirectoryLockTest, WhatIsNoDirectoryIsRefused) {
  orochi::testing::TempDir const directory;
  std::string const path = directory.path() + "/file";
  PosixFileSystem files;
  ASSERT_TRUE((*files.Create(path))->Close().ok());
  EXPECT_FALSE(DirectoryLock::Acquire(path).ok());
}

TEST(SystemClockTest, MonotonicTimeDoesNotGoBackAndWallTimeIsThisCentury) {
  SystemClock clock;
  int64_t before = clock.MonotonicNanos();
  for (int round = 0; round < 1000; ++round) {
    int64_t const now = clock.MonotonicNanos();
    ASSERT_GE(now, before);
    before = now;
  }
  EXPECT_GT(clock.NowMicros(), 1'600'000'000'000'000);
  EXPECT_LT(clock.NowMicros(), 4'102'444'800'000'000);
}

TEST(SystemRandomTest, ValuesDiffer) {
  SystemRandom random;
  std::set<uint64_t> seen;
  for (int round = 0; round < 100; ++round) {
    seen.insert(random.Next());
  }
  EXPECT_EQ(seen.size(), 100u);
}

}  // namespace
}  // namespace orochi::io
