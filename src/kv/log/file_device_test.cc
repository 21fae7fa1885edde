// Goal: the log's device on real files keeps what Device promises, in both ways to write.
// Method: a directory of the test's own; what is written is read through another device.
#include "kv/log/file_device.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/testing/temp_dir.h"
#include "kv/log/aligned_buffer.h"

namespace orochi::kv::log {
namespace {

constexpr uint64_t kSizeBytes = 64 << 10;

class FileDeviceTest : public ::testing::TestWithParam<FileDevice::Mode> {
 protected:
  void Open() {
    device_.reset();
    auto device = FileDevice::Open(directory_.path() + "/log", GetParam());
    ASSERT_TRUE(device.ok()) << device.status().ToString();
    device_ = *std::move(device);
  }

  orochi::testing::TempDir directory_;
  std::unique_ptr<FileDevice> device_;
};

TEST_P(FileDeviceTest, KeepsWhatIsWritten) {
  Open();
  ASSERT_TRUE(device_->Create("a", kSizeBytes).ok());
  AlignedBuffer block(device_->block_size_bytes());
  std::fill(block.span().begin(), block.span().end(), std::byte{7});
  ASSERT_TRUE(device_->Write("a", 8192, block.span()).ok());
  ASSERT_TRUE(device_->Rename("a", "b").ok());
  ASSERT_TRUE(device_->SyncDirectory().ok());
  Open();
  auto const size_bytes = device_->SizeBytes("b");
  ASSERT_TRUE(size_bytes.ok());
  EXPECT_EQ(*size_bytes, kSizeBytes);
  AlignedBuffer all(kSizeBytes);
  ASSERT_TRUE(device_->Read("b", 0, all.span()).ok());
  for (uint64_t at = 0; at < kSizeBytes; ++at) {
    ASSERT_EQ(all.span()[at], at / 4096 == 2 ? std::byte{7} : std::byte{0}) << at;
  }
  EXPECT_TRUE(device_->Sync("b").ok());
  EXPECT_EQ(device_->Read("b", kSizeBytes, block.span()).code(), StatusCode::kOutOfRange);
  ASSERT_TRUE(device_->Remove("b").ok());
  EXPECT_EQ(device_->SizeBytes("b").status().code(), StatusCode::kNotFound);
}

TEST_P(FileDeviceTest, HasItsDirectoryToItself) {
  Open();
  auto const other = FileDevice::Open(directory_.path() + "/log", GetParam());
  EXPECT_EQ(other.status().code(), StatusCode::kFailedPrecondition);
}

TEST_P(FileDeviceTest, ANewFileOfANameHasNothingOfTheOld) {
  Open();
  AlignedBuffer block(device_->block_size_bytes());
  std::fill(block.span().begin(), block.span().end(), std::byte{7});
  ASSERT_TRUE(device_->Create("a", kSizeBytes).ok());
  ASSERT_TRUE(device_->Write("a", 0, block.span()).ok());
  ASSERT_TRUE(device_->Create("a", kSizeBytes).ok());
  ASSERT_TRUE(device_->Read("a", 0, block.span()).ok());
  EXPECT_EQ(block.span()[0], std::byte{0});
}

INSTANTIATE_TEST_SUITE_P(Modes, FileDeviceTest,
                         ::testing::Values(FileDevice::Mode::kDirect, FileDevice::Mode::kDataSync),
                         [](const auto& info) {
                           return info.param == FileDevice::Mode::kDirect ? "direct" : "data_sync";
                         });

}  // namespace
}  // namespace orochi::kv::log
