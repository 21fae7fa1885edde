// Goal: the faults of the in-memory file system are the ones a test asked for, and a power cut
// loses exactly what was not synced.
#include "io/testing/memory_file_system.h"

#include <gtest/gtest.h>

#include "base/testing/test_seed.h"

namespace orochi::io::testing {
namespace {

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string Read(MemoryFileSystem& files, const std::string& path) {
  auto file = files.OpenForRead(path);
  if (!file.ok()) {
    return std::string(StatusCodeName(file.status().code()));
  }
  auto const size_bytes = (*file)->SizeBytes();
  EXPECT_TRUE(size_bytes.ok());
  std::string text(*size_bytes, '\0');
  EXPECT_TRUE((*file)->ReadExact(0, std::as_writable_bytes(std::span(text))).ok());
  return text;
}

// Writes "ab" and "cd" to /f, durably.
Status WriteDurably(MemoryFileSystem& files) {
  ASSIGN_OR_RETURN(std::unique_ptr<WritableFile> file, files.Create("/f"));
  RETURN_IF_ERROR(file->Append(Bytes("ab")));
  RETURN_IF_ERROR(file->Append(Bytes("cd")));
  RETURN_IF_ERROR(file->Sync());
  RETURN_IF_ERROR(file->Close());
  return files.SyncDirectory("/");
}

TEST(MemoryFileSystemTest, EachCallFailsOnceWhenTold) {
  MemoryFileSystem plain;
  ASSERT_TRUE(WriteDurably(plain).ok());
  ASSERT_EQ(plain.call_count(), 6u);
  for (uint64_t nth = 1; nth <= plain.call_count(); ++nth) {
    MemoryFileSystem files;
    files.FailCall(nth);
    EXPECT_EQ(WriteDurably(files).code(), StatusCode::kIoError) << nth;
    EXPECT_EQ(files.call_count(), nth);
    EXPECT_TRUE(WriteDurably(files).ok()) << "works again";
    EXPECT_EQ(Read(files, "/f"), "abcd");
  }
}

TEST(MemoryFileSystemTest, AFailedAppendWroteHalf) {
  MemoryFileSystem files;
  auto file = files.Create("/f");
  ASSERT_TRUE(file.ok());
  files.FailCall(1);
  EXPECT_EQ((*file)->Append(Bytes("12345678")).code(), StatusCode::kIoError);
  EXPECT_EQ(Read(files, "/f"), "1234");
  // The file does not recover, as no file does after a failed fsync.
  EXPECT_EQ((*file)->Sync().code(), StatusCode::kIoError);
}

TEST(MemoryFileSystemTest, AFullDiskTakesWhatFits) {
  MemoryFileSystem files;
  files.SetCapacityBytes(5);
  auto file = files.Create("/f");
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE((*file)->Append(Bytes("123")).ok());
  Status const status = (*file)->Append(Bytes("4567"));
  EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
  EXPECT_FALSE(status.hint().empty());
  EXPECT_EQ(Read(files, "/f"), "12345");
}

TEST(MemoryFileSystemTest, APowerCutKeepsWhatWasSyncedAndNamed) {
  MemoryFileSystem files;
  ASSERT_TRUE(WriteDurably(files).ok());
  auto more = files.OpenForAppend("/f");
  ASSERT_TRUE(more.ok());
  ASSERT_TRUE((*more)->Append(Bytes("lost")).ok());
  auto unnamed = files.Create("/g");  // synced, but its name is not
  ASSERT_TRUE(unnamed.ok());
  ASSERT_TRUE((*unnamed)->Append(Bytes("x")).ok());
  ASSERT_TRUE((*unnamed)->Sync().ok());
  files.CutPower();
  EXPECT_EQ(Read(files, "/f"), "abcd");
  EXPECT_EQ(Read(files, "/g"), StatusCodeName(StatusCode::kNotFound));
  EXPECT_EQ((*more)->Append(Bytes("x")).code(), StatusCode::kIoError);
  EXPECT_EQ((*unnamed)->Close().code(), StatusCode::kIoError);
}

TEST(MemoryFileSystemTest, RenamesAndRemovalsAreUndoneUntilTheDirectoryIsSynced) {
  MemoryFileSystem files;
  ASSERT_TRUE(WriteDurably(files).ok());
  ASSERT_TRUE(files.Rename("/f", "/g").ok());
  files.CutPower();
  EXPECT_EQ(Read(files, "/f"), "abcd");
  ASSERT_TRUE(files.Rename("/f", "/g").ok());
  ASSERT_TRUE(files.SyncDirectory("/").ok());
  files.CutPower();
  EXPECT_EQ(Read(files, "/f"), StatusCodeName(StatusCode::kNotFound));
  EXPECT_EQ(Read(files, "/g"), "abcd");
  ASSERT_TRUE(files.Remove("/g").ok());
  files.CutPower();
  EXPECT_EQ(Read(files, "/g"), "abcd");
}

TEST(MemoryFileSystemTest, ATornTailKeepsAnyPartOfTheUnsyncedBytes) {
  SeededRandom random(orochi::testing::TestSeed(81));
  bool kept_none = false;
  bool kept_some = false;
  for (int round = 0; round < 100; ++round) {
    MemoryFileSystem files;
    ASSERT_TRUE(WriteDurably(files).ok());
    auto more = files.OpenForAppend("/f");
    ASSERT_TRUE(more.ok());
    ASSERT_TRUE((*more)->Append(Bytes("0123")).ok());
    files.CutPower(&random);
    std::string const text = Read(files, "/f");
    ASSERT_TRUE(std::string("abcd0123").starts_with(text)) << text;
    ASSERT_GE(text.size(), 4u);
    kept_none = kept_none || text.size() == 4;
    kept_some = kept_some || (text.size() > 4 && text.size() < 8);
  }
  EXPECT_TRUE(kept_none);
  EXPECT_TRUE(kept_some);
}

}  // namespace
}  // namespace orochi::io::testing
