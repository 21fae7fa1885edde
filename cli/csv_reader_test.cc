// Goal: every well-formed file gives exactly its fields, every malformed one an error with file and
// line, wherever the blocks that the source delivers happen to end. Method: literal files; each is
// read in blocks of 1, 2, 3, ... bytes and at once; random files are written by a simple writer and
// read back.

#include "cli/csv_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "base/str_cat.h"

namespace orochi::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// A text, delivered in blocks of `block_size_bytes`.
class TextSource : public CsvSource {
 public:
  TextSource(std::string text, size_t block_size_bytes)
      : text_(std::move(text)), block_size_bytes_(block_size_bytes) {}

  Result<size_t> Read(std::span<char> out) override {
    size_t const size = std::min({block_size_bytes_, out.size(), text_.size() - at_});
    memcpy(out.data(), text_.data() + at_, size);
    at_ += size;
    return size;
  }

 private:
  std::string text_;
  size_t block_size_bytes_;
  size_t at_ = 0;
};

/// Records as "line:field|field"; quoted fields in brackets. An error ends with its message.
std::vector<std::string> ReadAll(const std::string& text, size_t block_size_bytes,
                                 char delimiter = ',') {
  Result<CsvReader> reader =
      CsvReader::Open("f.csv", std::make_unique<TextSource>(text, block_size_bytes), delimiter);
  if (!reader.ok()) {
    return {reader.status().message()};
  }
  std::vector<std::string> records;
  while (true) {
    Result<bool> const found = reader->Next();
    if (!found.ok()) {
      records.push_back(found.status().message());
      EXPECT_EQ(found.status().code(), StatusCode::kCorruption);
      return records;
    }
    if (!*found) {
      EXPECT_EQ(reader->bytes_read(), text.size());
      return records;
    }
    std::string record = StrCat(reader->line(), ":");
    for (const CsvField& field : reader->fields()) {
      record += field.quoted ? StrCat("[", field.text, "]") : std::string(field.text);
      record += "|";
    }
    record.pop_back();
    records.push_back(record);
  }
}

/// The records, after checking that no block size gives others.
std::vector<std::string> Read(const std::string& text, char delimiter = ',') {
  std::vector<std::string> const whole = ReadAll(text, text.size() + 1, delimiter);
  for (size_t block_size_bytes = 1; block_size_bytes <= text.size(); ++block_size_bytes) {
    EXPECT_EQ(ReadAll(text, block_size_bytes, delimiter), whole)
        << "in blocks of " << block_size_bytes;
  }
  return whole;
}

TEST(CsvReader, SplitsFields) {
  EXPECT_THAT(Read("a,b\n1,2\n3,4\n"), ElementsAre("2:1|2", "3:3|4"));
  EXPECT_THAT(Read("a,b\n1,2\n3,4"), ElementsAre("2:1|2", "3:3|4"));
  EXPECT_THAT(Read("a,b\n,\n"), ElementsAre("2:|"));
  EXPECT_THAT(Read("a;b\n1,5;2\n", ';'), ElementsAre("2:1,5|2"));
  EXPECT_THAT(Read("a,b\n"), ElementsAre());
}

TEST(CsvReader, ReadsQuotes) {
  EXPECT_THAT(Read("a,b\n\"1,5\",\"x\"\"y\"\n"), ElementsAre("2:[1,5]|[x\"y]"));
  EXPECT_THAT(Read("a,b\n\"\",\n"), ElementsAre("2:[]|"));
  EXPECT_THAT(Read("a,b\n\"\"\"\",\"\"\"\"\"\"\n"), ElementsAre("2:[\"]|[\"\"]"));
}

TEST(CsvReader, CountsLinesInsideQuotes) {
  EXPECT_THAT(Read("a,b\n\"one\ntwo\n\",2\n3,4\n"), ElementsAre("2:[one\ntwo\n]|2", "5:3|4"));
  EXPECT_THAT(Read("a\n\"x\r\ny\"\nz\n"), ElementsAre("2:[x\r\ny]", "4:z"));
}

TEST(CsvReader, AcceptsWindowsFiles) {
  EXPECT_THAT(Read("\xEF\xBB\xBF"
                   "a,b\r\n1,2\r\n\"3\",4\r\n"),
              ElementsAre("2:1|2", "3:[3]|4"));
}

TEST(CsvReader, AllowsEmptyLinesOnlyAtTheEnd) {
  EXPECT_THAT(Read("a,b\n1,2\n\n\r\n"), ElementsAre("2:1|2"));
  EXPECT_THAT(Read("a,b\n1,2\n\n3,4\n"),
              ElementsAre("2:1|2", "f.csv, line 3: expected 2 columns, found an empty line"));
  EXPECT_THAT(Read("a\n1\n\n2\n"), ElementsAre("2:1", "3:", "4:2"));
}

TEST(CsvReader, RefusesRecordsOfAnotherShape) {
  EXPECT_THAT(Read("a,b\n1,2\n3\n"),
              ElementsAre("2:1|2", "f.csv, line 3: expected 2 columns, found 1"));
  EXPECT_THAT(Read("a,b\n1,2,\n"), ElementsAre("f.csv, line 2: expected 2 columns, found 3"));
}

TEST(CsvReader, RefusesBrokenQuotes) {
  EXPECT_THAT(Read("a,b\n1,2\n\"3,4\n5,6\n"),
              ElementsAre("2:1|2", "f.csv, line 3: a quote in this record is never closed"));
  EXPECT_THAT(Read("a,b\n\"1\"x,2\n"),
              ElementsAre(HasSubstr("line 2: column 1: expected the delimiter after")));
  EXPECT_THAT(Read("a,b\n1,x\"y\"\n"),
              ElementsAre(HasSubstr("line 2: column 2: a quote inside a field")));
}

TEST(CsvReader, RefusesBadHeaders) {
  EXPECT_THAT(Read(""), ElementsAre(HasSubstr("line 1: expected a header")));
  EXPECT_THAT(Read("\n1\n"), ElementsAre(HasSubstr("line 1: expected a header")));
  EXPECT_THAT(Read("a,,c\n"), ElementsAre(HasSubstr("line 1: expected a name for column 2")));
  EXPECT_THAT(Read("a,b,a\n"), ElementsAre(HasSubstr("two columns are named \"a\"")));
  EXPECT_THAT(Read("a,b\r1,2\r"), ElementsAre(HasSubstr("lone carriage return")));
  EXPECT_THAT(Read(std::string(64, 'x')), ElementsAre(HasSubstr("64 bytes, at most 63")));
  EXPECT_THAT(Read("\xFF\xFE"
                   "a"),
              ElementsAre("f.csv: expected text in UTF-8, found UTF-16"));
}

TEST(CsvReader, ReadsRecordsLargerThanItsBuffer) {
  std::string const large(3 << 20, 'x');
  EXPECT_THAT(ReadAll("a,b\n\"" + large + "\",2\n3,4\n", 1 << 16),
              ElementsAre("2:[" + large + "]|2", "3:3|4"));
}

TEST(CsvReader, RefusesARecordWithoutBound) {
  std::string const endless = "a,b\n\"" + std::string(CsvReader::kRecordSizeBytesMax + 10, 'x');
  EXPECT_THAT(ReadAll(endless, 1 << 20),
              ElementsAre(HasSubstr("line 2: the record that begins here has more than")));
}

TEST(CsvReader, ReadsBackWhatAWriterWrote) {
  uint64_t const seed = std::random_device()();
  SCOPED_TRACE(StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  constexpr std::string_view kAlphabet = "ab,\"\n\r ";
  for (int round = 0; round < 200; ++round) {
    size_t const column_count = 2 + random() % 3;
    std::string text = "c0,c1,c2,c3";
    text.resize(column_count * 3 - 1);
    text += "\n";
    std::vector<std::string> expected;
    int64_t line = 2;
    for (size_t row = 0; row < random() % 5; ++row) {
      std::string record = StrCat(line, ":");
      for (size_t column = 0; column < column_count; ++column) {
        std::string value;
        for (size_t size = random() % 6; size > 0; --size) {
          value.push_back(kAlphabet[random() % kAlphabet.size()]);
        }
        text += "\"";
        for (char const c : value) {
          text += c == '"' ? "\"\"" : std::string(1, c);
          line += c == '\n' ? 1 : 0;
        }
        text += column + 1 < column_count ? "\"," : "\"\r\n";
        record += StrCat(column > 0 ? "|" : "", "[", value, "]");
      }
      ++line;
      expected.push_back(record);
    }
    ASSERT_EQ(Read(text), expected);
  }
}

}  // namespace
}  // namespace orochi::cli
