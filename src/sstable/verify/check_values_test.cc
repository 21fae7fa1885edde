// Goal: values that are not of their types are named, and real ones are all of theirs.
// Method: real tables as they are; and tables read with a header that says other types than those
// they were written with.
#include "sstable/verify/check_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "base/str_cat.h"
#include "io/posix/posix_file_system.h"
#include "io/testing/memory_file_system.h"
#include "sstable/read/testing/shared_data.h"
#include "sstable/write/sstable_writer.h"
#include "sstable/write/testing/random_table.h"

namespace orochi::sstable {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<ValueReport> CheckOnly(io::FileSystem& files, const std::string& directory) {
  ASSIGN_OR_RETURN(std::vector<Descriptor> const found, ListSstables(files, directory));
  ASSIGN_OR_RETURN(auto const reader, SstableReader::Open(files, directory, found.at(0)));
  return CheckValues(*reader);
}

TEST(CheckValuesTest, RealTablesHoldValuesOfTheirTypes) {
  std::string const root = testing::SharedSstables();
  if (root.empty()) {
    GTEST_SKIP() << "SKIPPED: no real SSTables; set OROCHI_SHARED_DATA to their directory";
  }
  io::PosixFileSystem files;
  for (const char* const directory : {"apache-cassandra/legacy_tables/nb/legacy_nb_clust",
                                      "apache-cassandra/legacy_tables/da/legacy_da_simple_counter",
                                      "apache-cassandra/negative-local-expiration/table3",
                                      "sstable-transformer/oa-13_int_pk_only_10000"}) {
    Result<ValueReport> const report = CheckOnly(files, StrCat(root, "/", directory));
    ASSERT_TRUE(report.ok()) << report.status().ToString();
    EXPECT_THAT(report->findings, IsEmpty()) << directory;
  }
}

TEST(CheckValuesTest, AValueOfAnotherTypeIsNamed) {
  std::string const root = testing::SharedSstables();
  if (root.empty()) {
    GTEST_SKIP() << "SKIPPED: no real SSTables; set OROCHI_SHARED_DATA to their directory";
  }
  // The text column "foo bar baz" is declared a smallint, which has a length before it, too.
  io::PosixFileSystem disk;
  std::string const directory = StrCat(root, "/apache-cassandra/legacy_tables/nb/legacy_nb_simple");
  Result<std::vector<std::string>> const names = disk.List(directory);
  ASSERT_TRUE(names.ok());
  io::testing::MemoryFileSystem files;
  ASSERT_TRUE(files.CreateDirectories("t").ok());
  for (const std::string& name : *names) {
    Result<std::vector<std::byte>> bytes =
        ReadWholeFile(disk, StrCat(directory, "/", name), 1 << 20);
    ASSERT_TRUE(bytes.ok());
    if (name.ends_with("-Statistics.db")) {
      Version const version = Version::Nb();
      Result<Statistics> statistics = Statistics::Decode(*bytes, version);
      ASSERT_TRUE(statistics.ok());
      statistics->header.regulars.at(0).type = "org.apache.cassandra.db.marshal.ShortType";
      *bytes = statistics->Encode(version);
    }
    auto file = files.Create(StrCat("t/", name));
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Append(*bytes).ok());
    ASSERT_TRUE((*file)->Close().ok());
  }
  Result<ValueReport> const report = CheckOnly(files, "t");
  ASSERT_TRUE(report.ok()) << report.status().ToString();
  ASSERT_EQ(report->findings.size(), 5u);
  EXPECT_THAT(report->findings[0],
              HasSubstr("the partition 0x30 at 0, val: a value of type smallint has 11 bytes, "
                        "expected 2"));
}

constexpr const char* kInt = "org.apache.cassandra.db.marshal.Int32Type";
constexpr const char* kBigint = "org.apache.cassandra.db.marshal.LongType";

struct Element {
  std::string path;
  std::string value;
};

/// A table with a text key, a clustering value "c", a static text and a column v of the type
/// written, and what CheckValues finds when the header says other types.
class RetypedTable {
 public:
  explicit RetypedTable(TypeRef written) {
    layout_.key_type = SimpleType(TypeKind::kText);
    layout_.clustering = ClusteringFormat({SimpleType(TypeKind::kText)});
    layout_.statics = {Column::Of("s", SimpleType(TypeKind::kText))};
    layout_.regulars = {Column::Of("v", std::move(written))};
  }

  void AddPartition(const std::string& key, const std::vector<Element>& elements) {
    keys_.push_back(key);
    elements_ = elements;
  }

  std::vector<std::string> FindingsAs(const std::function<void(SerializationHeader&)>& retype) {
    return ReportAs(retype).findings;
  }

  ValueReport ReportAs(const std::function<void(SerializationHeader&)>& retype) {
    Write();
    Descriptor const descriptor{Version::Oa(), "1"};
    std::string const path = StrCat("t/", descriptor.FileName(Component::kStatistics));
    Result<std::vector<std::byte>> const bytes = ReadWholeFile(files_, path, 1 << 20);
    Result<Statistics> statistics = Statistics::Decode(*bytes, descriptor.version);
    EXPECT_TRUE(statistics.ok());
    retype(statistics->header);
    auto file = files_.Create(path);
    EXPECT_TRUE((*file)->Append(statistics->Encode(descriptor.version)).ok());
    EXPECT_TRUE((*file)->Close().ok());
    Result<ValueReport> report = CheckOnly(files_, "t");
    EXPECT_TRUE(report.ok()) << report.status().ToString();
    return report.ok() ? *std::move(report) : ValueReport();
  }

 private:
  void Write() {
    ASSERT_TRUE(files_.CreateDirectories("t").ok());
    std::vector<std::string> const old = *files_.List("t");
    for (const std::string& name : old) {
      ASSERT_TRUE(files_.Remove("t/" + name).ok());
    }
    WriterOptions options;
    options.version = Version::Oa();
    auto writer = SstableWriter::Create(files_, "t", layout_, options);
    ASSERT_TRUE(writer.ok()) << writer.status().ToString();
    for (const std::string& key : keys_) {
      ASSERT_TRUE((*writer)->StartPartition(AsBytes(key), {}).ok());
      Unfiltered row;
      CellView const s{.timestamp = 5, .path = {}, .value = AsBytes("x")};
      row.clustering.kind = ClusteringKind::kStatic;
      row.cells = {&s, 1};
      ASSERT_TRUE((*writer)->AddStatic(row).ok());
      ASSERT_TRUE(AppendRow(**writer).ok());
    }
    ASSERT_TRUE((*writer)->Finish().ok());
  }

  Status AppendRow(SstableWriter& writer) {
    std::vector<CellView> cells;
    for (const Element& element : elements_) {
      cells.push_back(
          {.timestamp = 5, .path = AsBytes(element.path), .value = AsBytes(element.value)});
    }
    ComplexColumnView const complex{.column_index = 0,
                                    .deletion = {},
                                    .cell_begin = 0,
                                    .cell_end = static_cast<uint32_t>(cells.size())};
    ClusteringValue const place{AsBytes("c"), false};
    Unfiltered row;
    row.clustering = {ClusteringKind::kClustering, {&place, 1}};
    row.cells = cells;
    if (layout_.regulars[0].is_complex) {
      row.complex_columns = {&complex, 1};
    }
    return writer.Add(row);
  }

  io::testing::MemoryFileSystem files_;
  Layout layout_;
  std::vector<std::string> keys_;
  std::vector<Element> elements_;
};

TEST(CheckValuesTest, KeysClusteringAndStaticsAreChecked) {
  RetypedTable table(SimpleType(TypeKind::kText));
  table.AddPartition("k", {{"", "v"}});
  EXPECT_THAT(table.FindingsAs([](SerializationHeader&) {}), IsEmpty());
  EXPECT_THAT(table.FindingsAs([](SerializationHeader& header) { header.key_type = kInt; }),
              ::testing::ElementsAre(HasSubstr("the partition 0x6b at 0, its key: ")));
  // Both have a length before them, so that rows can be read.
  constexpr const char* kSmallint = "org.apache.cassandra.db.marshal.ShortType";
  EXPECT_THAT(
      table.FindingsAs([](SerializationHeader& header) { header.clustering_types = {kSmallint}; }),
      ::testing::ElementsAre(HasSubstr("a clustering value: a value of type smallint has 1 byte")));
  EXPECT_THAT(
      table.FindingsAs([](SerializationHeader& header) { header.statics[0].type = kSmallint; }),
      ::testing::ElementsAre(HasSubstr("s: a value of type smallint has 1 byte")));
}

std::string CollectionOf(std::string_view kind, std::string_view parameters) {
  return StrCat("org.apache.cassandra.db.marshal.", kind, "Type(", parameters, ")");
}

TEST(CheckValuesTest, ElementsOfCollectionsAreChecked) {
  TypeRef const text = SimpleType(TypeKind::kText);
  RetypedTable map(MapOf(text, text));
  map.AddPartition("k", {{"abcdefgh", "12345678"}, {std::string(8, '\xFF'), "87654321"}});
  auto const as_map = [](const char* key, const char* value) {
    return [=](SerializationHeader& header) {
      header.regulars[0].type = CollectionOf("Map", StrCat(key, ",", value));
    };
  };
  EXPECT_THAT(map.FindingsAs(as_map(kBigint, kBigint)),
              ::testing::ElementsAre(HasSubstr("v: its elements are not in order")));
  EXPECT_THAT(map.FindingsAs(as_map(kInt, kBigint)),
              ::testing::Each(HasSubstr("v: a value of type int has 8 bytes, expected 4")));
  EXPECT_THAT(map.FindingsAs(as_map("org.apache.cassandra.db.marshal.BytesType", kInt)),
              ::testing::ElementsAre(HasSubstr("int has 8 bytes"), HasSubstr("int has 8 bytes")));

  EXPECT_THAT(map.FindingsAs([](SerializationHeader& header) {
    header.regulars[0].type = CollectionOf("List", kBigint);
  }),
              ::testing::Each(HasSubstr("v: a value of type timeuuid has 8 bytes")));
}

TEST(CheckValuesTest, FieldsOfUserTypesAreChecked) {
  TypeRef const text = SimpleType(TypeKind::kText);
  RetypedTable map(MapOf(text, text));
  map.AddPartition("k", {{std::string("\0\0", 2), "four"}, {std::string("\0\x07", 2), "v"}});
  auto const as_user_type = [](const char* field) {
    return [=](SerializationHeader& header) {
      header.regulars[0].type = CollectionOf("User", StrCat("ks,75,66:", field));
    };
  };
  EXPECT_THAT(map.FindingsAs(as_user_type(kInt)),
              ::testing::ElementsAre(HasSubstr("v: field 7 of a type with 1")));
  EXPECT_THAT(map.FindingsAs(as_user_type(kBigint)),
              ::testing::ElementsAre(HasSubstr("bigint has 4 bytes"), HasSubstr("field 7")));

  RetypedTable long_path(MapOf(text, text));
  long_path.AddPartition("k", {{"abc", "four"}});
  EXPECT_THAT(long_path.FindingsAs(as_user_type(kInt)),
              ::testing::ElementsAre(HasSubstr("v: a value of type smallint has 3 bytes")));
}

TEST(CheckValuesTest, FindingsBeyondTheLimitAreCounted) {
  Layout order;
  order.key_type = SimpleType(TypeKind::kText);
  std::vector<std::string> keys;
  for (size_t index = 0; index < ValueReport::kFindingsMax + 7; ++index) {
    keys.push_back(StrCat("key ", index));
  }
  std::sort(keys.begin(), keys.end(), [&](const std::string& a, const std::string& b) {
    return order.CompareKeys(AsBytes(a), AsBytes(b)) < 0;
  });
  RetypedTable table(SimpleType(TypeKind::kText));
  for (const std::string& key : keys) {
    table.AddPartition(key, {{"", "v"}});
  }
  ValueReport const report =
      table.ReportAs([](SerializationHeader& header) { header.key_type = kBigint; });
  EXPECT_EQ(report.findings.size(), ValueReport::kFindingsMax);
  EXPECT_EQ(report.findings_left_out, 7U);
}

}  // namespace
}  // namespace orochi::sstable
