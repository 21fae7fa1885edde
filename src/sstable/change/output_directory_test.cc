// Goal: one writer at a time is in a directory; what killed writers left is removed by the next,
// and nothing else ever is. Method: directories with such files beside others that only look alike,
// opened once and twice. Real kills of whole commands are in cli/test/sstable_kill.t and
// bindings/c/test/write_test.c.
#include "sstable/change/output_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/str_cat.h"
#include "base/testing/temp_dir.h"

namespace orochi::sstable {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

void Touch(const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "x";
}

std::vector<std::string> NamesIn(const fs::path& directory) {
  std::vector<std::string> names;
  for (auto const& entry : fs::recursive_directory_iterator(directory)) {
    if (!entry.is_directory()) {
      names.push_back(fs::relative(entry.path(), directory).string());
    }
  }
  return names;
}

TEST(OutputDirectoryTest, WhatKilledWritersLeftIsRemoved) {
  testing::TempDir const temp;
  fs::path const path = fs::path(temp.path()) / "out";
  Touch(path / "orochi-unfinished.sort/nb-1-big-Data.db");
  Touch(path / "orochi-unfinished.sort/orochi-unfinished.nb-2-big-Data.db");
  Touch(path / "orochi-unfinished.nb-3-big-Filter.db");
  Touch(path / "nb-1-big-Data.db");
  Touch(path / "nb-2-big-Index.db");  // of a writer that was killed while it gave names
  Touch(path / "schema.cql");
  Touch(path / "my-orochi-unfinished.txt");
  Touch(path / "backups/orochi-unfinished.nb-1-big-Data.db");
  Touch(fs::path(temp.path()) / "elsewhere/data");
  fs::create_directory_symlink(fs::path(temp.path()) / "elsewhere",
                               path / "orochi-unfinished.link");

  Result<OutputDirectory> const opened = OutputDirectory::Open(path.string());
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  EXPECT_THAT(NamesIn(path), UnorderedElementsAre("nb-1-big-Data.db", "nb-2-big-Index.db",
                                                  "schema.cql", "my-orochi-unfinished.txt",
                                                  "backups/orochi-unfinished.nb-1-big-Data.db"));
  EXPECT_THAT(NamesIn(fs::path(temp.path()) / "elsewhere"), UnorderedElementsAre("data"));
}

TEST(OutputDirectoryTest, WhatALivingWriterHasIsLeftAlone) {
  testing::TempDir const temp;
  std::string const path = StrCat(temp.path(), "/made/out");
  {
    Result<OutputDirectory> const held = OutputDirectory::Open(path);
    ASSERT_TRUE(held.ok()) << held.status().ToString();
    EXPECT_FALSE(fs::exists(held->scratch()));
    Touch(fs::path(held->scratch()) / "nb-1-big-Data.db");
    Result<OutputDirectory> const second = OutputDirectory::Open(path);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition);
    EXPECT_THAT(second.status().message(), HasSubstr(StrCat(path, ": somebody else is writing")));
    EXPECT_TRUE(fs::exists(fs::path(held->scratch()) / "nb-1-big-Data.db"));
  }
  EXPECT_TRUE(fs::is_empty(path));
  EXPECT_TRUE(OutputDirectory::Open(path).ok());
}

TEST(OutputDirectoryTest, OneThatWasMovedFromRemovesNothing) {
  testing::TempDir const temp;
  Result<OutputDirectory> opened = OutputDirectory::Open(temp.path());
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  auto from = std::make_unique<OutputDirectory>(*std::move(opened));
  OutputDirectory const to = std::move(*from);
  Touch(fs::path(to.scratch()) / "nb-1-big-Data.db");
  from.reset();
  EXPECT_TRUE(fs::exists(fs::path(to.scratch()) / "nb-1-big-Data.db"));
  EXPECT_EQ(OutputDirectory::Open(temp.path()).status().code(), StatusCode::kFailedPrecondition);
}

TEST(OutputDirectoryTest, WhatIsNoDirectoryIsRefused) {
  testing::TempDir const temp;
  Touch(fs::path(temp.path()) / "file");
  EXPECT_FALSE(OutputDirectory::Open(StrCat(temp.path(), "/file")).ok());
  EXPECT_FALSE(OutputDirectory::Open("").ok());
}

}  // namespace
}  // namespace orochi::sstable
