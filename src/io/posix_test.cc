// Goal: errors of the operating system keep their meaning and name the file; clock and random of
// the system answer plausibly.
#include <gtest/gtest.h>

#include <set>

#include "base/testing/temp_dir.h"
#include "io/posix/posix_file_system.h"
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
