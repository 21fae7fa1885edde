// Goal: paths stand for the SSTables that a user means, and tables open with the schema that is
// given, or the files' own.
// Method: small tables in a temporary directory (an empty SSTable of gold-like names is enough to
// be found, a written one to be opened), named in every way; every wrong way is refused by name.
#include "sstable/table/open_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/str_cat.h"
#include "base/testing/temp_dir.h"
#include "io/posix/posix_file_system.h"
#include "sstable/write/sstable_writer.h"

namespace orochi::sstable {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kTable = "CREATE TABLE ks.t (k int PRIMARY KEY, v text);";

class OpenTableTest : public ::testing::Test {
 protected:
  void Write(const std::string& directory, const std::string& id, const char* cql = kTable) {
    auto const tables = TablesFromCql(cql, "");
    ASSERT_TRUE(tables.ok()) << tables.status().ToString();
    WriterOptions options;
    options.id = id;
    auto writer = SstableWriter::Create(files_, directory,
                                        LayoutOf(tables->front(), Partitioner::kMurmur3), options);
    ASSERT_TRUE(writer.ok()) << writer.status().ToString();
    ASSERT_TRUE((*writer)->StartPartition(AsBytes(std::string_view("\0\0\0\1", 4)), {}).ok());
    Unfiltered row;
    row.liveness.timestamp = 1;
    ASSERT_TRUE((*writer)->Add(row).ok());
    ASSERT_TRUE((*writer)->Finish().ok());
  }

  std::vector<std::string> Names(const std::vector<std::string>& paths) {
    auto const found = FindSstables(files_, paths);
    if (!found.ok()) {
      return {found.status().ToString()};
    }
    std::vector<std::string> names;
    for (const SstableInput& input : *found) {
      names.push_back(input.Name().substr(temp_.path().size()));
    }
    return names;
  }

  Status Open(TableRequest request) { return OpenTableOf(files_, request).status(); }

  orochi::testing::TempDir temp_;
  io::PosixFileSystem files_;
  std::string dir_ = temp_.path() + "/ks/t-0123456789abcdef0123456789abcdef";
};

TEST_F(OpenTableTest, PathsStandForSstables) {
  Write(dir_, "1");
  Write(dir_, "2");
  EXPECT_THAT(Names({dir_}), ElementsAre(HasSubstr("/oa-1-big"), HasSubstr("/oa-2-big")));
  EXPECT_THAT(Names({dir_ + "/"}), ::testing::SizeIs(2));
  EXPECT_THAT(Names({dir_ + "/oa-2-big-Filter.db", dir_ + "/oa-2-big-Data.db"}),
              ElementsAre(HasSubstr("/oa-2-big")));
  EXPECT_THAT(Names({temp_.path() + "/gone"}), ElementsAre(HasSubstr("gone does not exist")));
  EXPECT_THAT(Names({temp_.path()}), ElementsAre(HasSubstr("has no SSTables")));
  ASSERT_TRUE(files_.Create(dir_ + "/notes.txt").ok());
  EXPECT_THAT(Names({dir_ + "/notes.txt"}), ElementsAre(HasSubstr("invalid argument: ")));
  ASSERT_TRUE(files_.Create(dir_ + "/zz-1-big-Data.db").ok());
  EXPECT_THAT(Names({dir_ + "/zz-1-big-Data.db"}), ElementsAre(HasSubstr("unsupported: ")));
}

TEST_F(OpenTableTest, DirectoriesSayWhoseTheyAre) {
  EXPECT_EQ(TableOfDirectory(dir_).table, "t");
  EXPECT_EQ(TableOfDirectory(dir_).keyspace, "ks");
  EXPECT_EQ(TableOfDirectory(dir_ + "/snapshots/now/").table, "t");
  EXPECT_EQ(TableOfDirectory("/somewhere/orders").table, "orders");
  EXPECT_EQ(TableOfDirectory("/somewhere/orders-12").table, "orders-12");
  EXPECT_EQ(TableOfDirectory("/somewhere/orders").keyspace, "");
}

TEST_F(OpenTableTest, SchemasComeFromTextFilesOrTheSstables) {
  Write(dir_, "1");
  auto own = OpenTableOf(files_, {.paths = {dir_}});
  ASSERT_TRUE(own.ok()) << own.status().ToString();
  EXPECT_TRUE(own->schema.key_names_are_generated);
  EXPECT_EQ(own->schema.QualifiedName(), "ks.t");

  auto text = OpenTableOf(files_, {.paths = {dir_}, .schema_text = kTable});
  ASSERT_TRUE(text.ok()) << text.status().ToString();
  EXPECT_EQ(text->schema.partition_key.front().name, "k");

  std::string const script = temp_.path() + "/schema.cql";
  auto file = files_.Create(script);
  ASSERT_TRUE(file.ok());
  std::string const two = StrCat("CREATE TABLE other (x int PRIMARY KEY); ", "USE ks; ", kTable);
  ASSERT_TRUE((*file)->Append(AsBytes(two)).ok());
  ASSERT_TRUE((*file)->Close().ok());
  auto from_file = OpenTableOf(files_, {.paths = {dir_}, .schema_files = {script}});
  ASSERT_TRUE(from_file.ok()) << from_file.status().ToString();
  EXPECT_EQ(from_file->schema.QualifiedName(), "ks.t");  // the directory's, of two
}

TEST_F(OpenTableTest, WhatDoesNotFitIsRefused) {
  Write(dir_, "1");
  EXPECT_EQ(Open({.paths = {}}).code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(Open({.paths = {dir_}, .schema_text = "CREATE TABLE"}).message(),
              HasSubstr("schema: line 1:12"));
  Status const other =
      Open({.paths = {dir_}, .schema_text = "CREATE TABLE ks.t (k text PRIMARY KEY, v text);"});
  EXPECT_EQ(other.code(), StatusCode::kFailedPrecondition) << other.ToString();
  EXPECT_EQ(Open({.paths = {dir_}, .schema_files = {temp_.path() + "/none"}}).code(),
            StatusCode::kNotFound);
  EXPECT_EQ(Open({.paths = {dir_}, .table = "nobody", .schema_text = kTable}).code(),
            StatusCode::kNotFound);
  Write(dir_, "2", "CREATE TABLE ks.t (k text PRIMARY KEY, v text);");
  EXPECT_EQ(Open({.paths = {dir_}}).code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace orochi::sstable
