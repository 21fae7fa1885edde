// Goal: a node keeps its id, and no start has the generation of another one.
// Method: starts over a file system in memory, also one whose power fails, and damaged files.
#include "swim/transport/node_identity.h"

#include <gtest/gtest.h>

#include "io/testing/memory_file_system.h"

namespace orochi::swim {
namespace {

constexpr ClusterId kCluster{1, 2};

class NodeIdentityTest : public testing::Test {
 protected:
  NodeIdentityTest() { EXPECT_TRUE(files_.CreateDirectories("data").ok()); }
  Result<NodeIdentity> Open(ClusterId cluster = kCluster) {
    return OpenNodeIdentity(files_, "data", cluster, random_);
  }

  io::testing::MemoryFileSystem files_;
  SeededRandom random_{9};
};

TEST_F(NodeIdentityTest, TheIdStaysAndTheGenerationGrows) {
  auto const first = Open();
  ASSERT_TRUE(first.ok()) << first.status().message();
  EXPECT_EQ(first->generation.value(), 1U);
  for (uint64_t generation = 2; generation < 6; ++generation) {
    auto const again = Open();
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->id, first->id);
    EXPECT_EQ(again->generation.value(), generation);
  }
}

TEST_F(NodeIdentityTest, AnotherClustersDirectoryIsRefused) {
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Open(ClusterId{3, 3}).status().code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(Open()->generation.value(), 2U);
}

TEST_F(NodeIdentityTest, ADamagedFileIsRefusedAndKept) {
  ASSERT_TRUE(Open().ok());
  std::vector<std::byte> bytes(52);
  ASSERT_TRUE((*files_.OpenForRead("data/node"))->ReadExact(0, bytes).ok());
  for (size_t at = 0; at < bytes.size(); ++at) {
    auto damaged = bytes;
    damaged[at] ^= std::byte{4};
    auto file = *files_.Create("data/node");
    ASSERT_TRUE(file->Append(damaged).ok());
    ASSERT_TRUE(file->Close().ok());
    EXPECT_EQ(Open().status().code(), StatusCode::kCorruption) << at;
  }
  auto file = *files_.Create("data/node");
  ASSERT_TRUE(file->Append(std::span(bytes).first(20)).ok());
  ASSERT_TRUE(file->Close().ok());
  EXPECT_EQ(Open().status().code(), StatusCode::kCorruption);
}

}  // namespace
}  // namespace orochi::swim
