// Goal: the simulated disk keeps what it must and loses what it may.
// Method: calls and crashes by hand, with many seeds where the outcome is drawn.
#include "sim/disk.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace orochi::sim {
namespace {

using Bytes = std::vector<std::byte>;

constexpr uint64_t kSizeBytes = 4 * Disk::kSectorBytes;

Bytes Filled(uint64_t sectors, uint8_t value) {
  return Bytes(sectors * Disk::kSectorBytes, static_cast<std::byte>(value));
}

std::string Sectors(Disk& disk, const std::string& name) {
  Bytes bytes(kSizeBytes);
  EXPECT_TRUE(disk.Read(name, 0, bytes).ok());
  std::string text;
  for (uint64_t at = 0; at < kSizeBytes; at += Disk::kSectorBytes) {
    text += static_cast<char>('0' + std::to_integer<int>(bytes[at]));
  }
  return text;
}

TEST(Disk, KeepsWhatWasWrittenAndNamed) {
  SeededRandom random(1);
  Disk disk(random);
  ASSERT_TRUE(disk.Create("a", kSizeBytes).ok());
  ASSERT_TRUE(disk.SyncDirectory().ok());
  ASSERT_TRUE(disk.Write("a", Disk::kSectorBytes, Filled(2, 1)).ok());
  disk.Restart(Disk::Crash::kPowerCut);
  EXPECT_EQ(Sectors(disk, "a"), "0110");
}

TEST(Disk, MayLoseNamesThatWereNotSynced) {
  std::set<size_t> counts;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SeededRandom random(seed);
    Disk disk(random);
    ASSERT_TRUE(disk.Create("a", kSizeBytes).ok());
    ASSERT_TRUE(disk.Rename("a", "b").ok());
    disk.Restart(Disk::Crash::kPowerCut);
    auto const names = disk.List();
    ASSERT_TRUE(names.ok());
    counts.insert(names->empty() ? 0 : names->front() == "a" ? 1 : 2);
  }
  EXPECT_EQ(counts, (std::set<size_t>{0, 1, 2}));
}

TEST(Disk, AnInterruptedWriteIsSeenAfterAKillAndMayGoWithThePower) {
  std::set<std::string> after_kill;
  bool lost = false;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    Disk disk(random);
    ASSERT_TRUE(disk.Create("a", kSizeBytes).ok());
    ASSERT_TRUE(disk.SyncDirectory().ok());
    disk.CrashAfter(0);
    EXPECT_EQ(disk.Write("a", 0, Filled(4, 1)).code(), StatusCode::kCancelled);
    EXPECT_TRUE(disk.is_down());
    EXPECT_EQ(disk.Sync("a").code(), StatusCode::kCancelled);
    disk.Restart(Disk::Crash::kKill);
    std::string const seen = Sectors(disk, "a");
    after_kill.insert(seen);
    if (random.OneIn(2)) {
      ASSERT_TRUE(disk.Sync("a").ok());
      disk.Restart(Disk::Crash::kPowerCut);
      EXPECT_EQ(Sectors(disk, "a"), seen);
    } else {
      disk.Restart(Disk::Crash::kPowerCut);
      lost = lost || Sectors(disk, "a") != seen;
    }
  }
  EXPECT_TRUE(after_kill.contains("0000"));
  EXPECT_TRUE(after_kill.contains("1111"));
  EXPECT_TRUE(after_kill.contains("0111"));  // the first sector last
  EXPECT_TRUE(lost);
}

TEST(Disk, FaultsHappenOnce) {
  SeededRandom random(3);
  Disk disk(random);
  ASSERT_TRUE(disk.Create("a", kSizeBytes).ok());
  disk.FailNextWrite();
  EXPECT_EQ(disk.Write("a", 0, Filled(1, 1)).code(), StatusCode::kIoError);
  EXPECT_TRUE(disk.Write("a", 0, Filled(1, 2)).ok());
  EXPECT_EQ(Sectors(disk, "a"), "2000");
  disk.set_capacity_bytes(kSizeBytes);
  EXPECT_EQ(disk.Create("b", kSizeBytes).code(), StatusCode::kResourceExhausted);
  std::set<std::string> misdirected;
  for (int round = 0; round < 50; ++round) {
    disk.MisdirectNextWrite();
    EXPECT_TRUE(disk.Write("a", 0, Filled(1, 3)).ok());
    misdirected.insert(Sectors(disk, "a"));
  }
  EXPECT_TRUE(misdirected.contains("2333")) << "never where it belongs, elsewhere in the end";
  EXPECT_FALSE(misdirected.contains("3333"));
}

}  // namespace
}  // namespace orochi::sim
