// Goal: a data directory is one node's, and says so after any interruption.
// Method: directories in memory, with files taken away and overwritten.
#include "kv/server/data_directory.h"

#include <gtest/gtest.h>

#include <span>
#include <string>

#include "base/random.h"
#include "io/testing/memory_file_system.h"

namespace orochi::kv {
namespace {

class DataDirectoryTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    auto file = files_.Create(directory() + "/" + name);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(std::as_bytes(std::span(text))).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  std::string directory() const { return "/data"; }

  io::testing::MemoryFileSystem files_;
  SeededRandom random_{1};
};

TEST_F(DataDirectoryTest, IsNobodysUntilItIsClaimed) {
  auto const before = EnterDataDirectory(files_, directory());
  ASSERT_TRUE(before.ok());
  EXPECT_FALSE(before->has_value());
  DirectoryClaim const whole{.cluster = "one two",
                             .number = NodeNumber(7),
                             .identity = std::string("\x00\xFF sixteen bytes", 16)};
  ASSERT_TRUE(ClaimDataDirectory(files_, directory(), whole).ok());
  auto const after = EnterDataDirectory(files_, directory());
  ASSERT_TRUE(after.ok() && after->has_value());
  EXPECT_EQ((*after)->cluster, "one two");
  EXPECT_EQ((*after)->number, NodeNumber(7));
  EXPECT_EQ((*after)->identity, whole.identity);
}

TEST_F(DataDirectoryTest, WithoutItsClaimNothingInItIsTrusted) {
  ASSERT_TRUE(EnterDataDirectory(files_, directory()).ok());
  ASSERT_TRUE(files_.CreateDirectories(directory() + "/log").ok());
  Write("log/1", "votes");
  EXPECT_EQ(EnterDataDirectory(files_, directory()).status().code(),
            StatusCode::kFailedPrecondition);
}

TEST_F(DataDirectoryTest, AFirstStartThatWasInterruptedBeginsAnew) {
  ASSERT_TRUE(EnterDataDirectory(files_, directory()).ok());
  auto const identity = JoiningIdentity(files_, directory(), random_);
  ASSERT_TRUE(identity.ok());
  ASSERT_TRUE(files_.CreateDirectories(directory() + "/log").ok());
  Write("log/1", "half a segment");
  auto const again = EnterDataDirectory(files_, directory());
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->has_value());
  EXPECT_FALSE(*files_.Exists(directory() + "/log/1"));
  EXPECT_EQ(*JoiningIdentity(files_, directory(), random_), *identity);

  // Once it is claimed there is no way back.
  ASSERT_TRUE(ClaimDataDirectory(files_, directory(),
                                 {.cluster = "c", .number = NodeNumber(4), .identity = *identity})
                  .ok());
  Write("log/1", "votes");
  ASSERT_TRUE(files_.Remove(directory() + "/node").ok());
  EXPECT_EQ(EnterDataDirectory(files_, directory()).status().code(),
            StatusCode::kFailedPrecondition);
}

TEST_F(DataDirectoryTest, AClaimThatCannotBeReadIsCorruption) {
  ASSERT_TRUE(EnterDataDirectory(files_, directory()).ok());
  std::string const right =
      "orochi-kvd 1\ncluster c\nnode 3\nidentity 000102030405060708090a0b0c0d0e0f\n";
  for (size_t size = 0; size < right.size(); ++size) {
    Write("node", right.substr(0, size));
    EXPECT_EQ(EnterDataDirectory(files_, directory()).status().code(), StatusCode::kCorruption)
        << size;
  }
  Write("node", right);
  EXPECT_TRUE(EnterDataDirectory(files_, directory()).ok());
}

TEST_F(DataDirectoryTest, AnIdentityIsDrawnOnce) {
  ASSERT_TRUE(EnterDataDirectory(files_, directory()).ok());
  auto const first = JoiningIdentity(files_, directory(), random_);
  auto const again = JoiningIdentity(files_, directory(), random_);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(first->size(), 16U);
  EXPECT_EQ(*first, *again);
  Write("joining", "0g");
  EXPECT_EQ(JoiningIdentity(files_, directory(), random_).status().code(), StatusCode::kCorruption);
}

}  // namespace
}  // namespace orochi::kv
