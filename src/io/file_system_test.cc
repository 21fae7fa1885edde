// Goal: every FileSystem keeps the contract of io/file.h, so that what is tested over memory holds
// over the operating system's files.
// Method: one suite, run over each implementation.
#include <gtest/gtest.h>

#include <memory>
#include <numeric>

#include "base/testing/temp_dir.h"
#include "io/file.h"
#include "io/posix/posix_file_system.h"
#include "io/testing/memory_file_system.h"

namespace orochi::io {
namespace {

std::span<const std::byte> Bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

struct OverPosix {
  orochi::testing::TempDir directory;
  PosixFileSystem files;
  std::string root() const { return directory.path(); }
};

struct OverMemory {
  OverMemory() { EXPECT_TRUE(files.CreateDirectories("/data").ok()); }
  testing::MemoryFileSystem files;
  std::string root() const { return "/data"; }
};

template <class Over>
class FileSystemTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) { return over_.root() + "/" + name; }

  void Write(const std::string& path, std::string_view text) {
    auto file = files().Create(path);
    ASSERT_TRUE(file.ok()) << file.status().ToString();
    ASSERT_TRUE((*file)->Append(Bytes(text)).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }

  std::string Read(const std::string& path) {
    auto file = files().OpenForRead(path);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    if (!file.ok()) {
      return "unreadable";
    }
    auto const size_bytes = (*file)->SizeBytes();
    EXPECT_TRUE(size_bytes.ok());
    std::string text(*size_bytes, '\0');
    EXPECT_TRUE((*file)->ReadExact(0, std::as_writable_bytes(std::span(text))).ok());
    return text;
  }

  FileSystem& files() { return over_.files; }
  Over over_;
};

using Implementations = ::testing::Types<OverPosix, OverMemory>;
TYPED_TEST_SUITE(FileSystemTest, Implementations);

TYPED_TEST(FileSystemTest, WhatWasWrittenIsRead) {
  this->Write(this->Path("a"), "hello");
  EXPECT_EQ(this->Read(this->Path("a")), "hello");
  this->Write(this->Path("a"), "bye");  // truncates
  EXPECT_EQ(this->Read(this->Path("a")), "bye");
  this->Write(this->Path("empty"), "");
  EXPECT_EQ(this->Read(this->Path("empty")), "");
}

TYPED_TEST(FileSystemTest, ManyAppendsOfManySizesKeepTheirOrder) {
  auto file = this->files().Create(this->Path("big"));
  ASSERT_TRUE(file.ok());
  std::string expected;
  for (size_t const size : {1, 100, 65535, 65536, 65537, 3, 200'000, 7}) {
    std::string piece(size, '\0');
    std::iota(piece.begin(), piece.end(), static_cast<char>(size));
    ASSERT_TRUE((*file)->Append(Bytes(piece)).ok());
    expected += piece;
  }
  ASSERT_TRUE((*file)->Sync().ok());
  EXPECT_TRUE(this->Read(this->Path("big")) == expected);
  ASSERT_TRUE((*file)->Close().ok());
}

TYPED_TEST(FileSystemTest, AppendContinuesAtTheEnd) {
  for (std::string_view const piece : {"one ", "two ", "three"}) {
    auto file = this->files().OpenForAppend(this->Path("log"));
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(Bytes(piece)).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  EXPECT_EQ(this->Read(this->Path("log")), "one two three");
}

TYPED_TEST(FileSystemTest, ReadingPastTheEndIsOutOfRange) {
  this->Write(this->Path("a"), "12345");
  auto file = this->files().OpenForRead(this->Path("a"));
  ASSERT_TRUE(file.ok());
  std::byte out[3];
  EXPECT_TRUE((*file)->ReadExact(2, out).ok());
  EXPECT_EQ(out[2], std::byte{'5'});
  EXPECT_EQ((*file)->ReadExact(3, out).code(), StatusCode::kOutOfRange);
  EXPECT_EQ((*file)->ReadExact(5, out).code(), StatusCode::kOutOfRange);
  EXPECT_EQ((*file)->ReadExact(uint64_t{1} << 40, out).code(), StatusCode::kOutOfRange);
  EXPECT_TRUE((*file)->ReadExact(5, {}).ok());
}

TYPED_TEST(FileSystemTest, RenameReplacesAndRemoveRemoves) {
  this->Write(this->Path("new"), "new");
  this->Write(this->Path("old"), "old");
  ASSERT_TRUE(this->files().Rename(this->Path("new"), this->Path("old")).ok());
  EXPECT_EQ(this->Read(this->Path("old")), "new");
  EXPECT_EQ(this->files().OpenForRead(this->Path("new")).status().code(), StatusCode::kNotFound);
  ASSERT_TRUE(this->files().Remove(this->Path("old")).ok());
  Result<bool> const exists = this->files().Exists(this->Path("old"));
  ASSERT_TRUE(exists.ok());
  EXPECT_FALSE(*exists);
}

TYPED_TEST(FileSystemTest, AnOpenFileOutlivesItsName) {
  this->Write(this->Path("a"), "still here");
  auto file = this->files().OpenForRead(this->Path("a"));
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(this->files().Remove(this->Path("a")).ok());
  std::string text(10, '\0');
  ASSERT_TRUE((*file)->ReadExact(0, std::as_writable_bytes(std::span(text))).ok());
  EXPECT_EQ(text, "still here");
}

TYPED_TEST(FileSystemTest, MissingThingsAreNotFoundByName) {
  std::string const missing = this->Path("missing");
  Status const status = this->files().OpenForRead(missing).status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_NE(status.message().find(missing), std::string::npos) << status.message();
  EXPECT_EQ(this->files().Remove(missing).code(), StatusCode::kNotFound);
  EXPECT_EQ(this->files().Rename(missing, this->Path("b")).code(), StatusCode::kNotFound);
  EXPECT_EQ(this->files().List(missing).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(this->files().SyncDirectory(missing).code(), StatusCode::kNotFound);
  EXPECT_EQ(this->files().Create(missing + "/a").status().code(), StatusCode::kNotFound);
}

TYPED_TEST(FileSystemTest, DirectoriesAreListedSorted) {
  ASSERT_TRUE(this->files().CreateDirectories(this->Path("x/y/z")).ok());
  ASSERT_TRUE(this->files().CreateDirectories(this->Path("x/y/z")).ok());  // there already
  this->Write(this->Path("x/b"), "");
  this->Write(this->Path("x/a"), "");
  this->Write(this->Path("x/y/c"), "");
  auto const names = this->files().List(this->Path("x"));
  ASSERT_TRUE(names.ok());
  EXPECT_EQ(*names, (std::vector<std::string>{"a", "b", "y"}));
  EXPECT_TRUE(this->files().SyncDirectory(this->Path("x")).ok());
  EXPECT_EQ(this->files().OpenForRead(this->Path("x")).status().code(), StatusCode::kIoError);
}

TYPED_TEST(FileSystemTest, AFileInTheWayOfADirectoryIsAnError) {
  this->Write(this->Path("a"), "");
  EXPECT_FALSE(this->files().CreateDirectories(this->Path("a")).ok());
}

}  // namespace
}  // namespace orochi::io
