// Goal: the bytes of keys and rows are those that docs/formats says, for ever: stored keys must be
// found again.
// Method: every row of the tables in kv-keys.md and kv-rows.md that ends in bytes is read, encoded,
// compared and decoded. The pages are the test's data.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/str_cat.h"
#include "kv/record/key_codec.h"
#include "kv/record/row.h"
#include "kv/record/storage_key.h"
#include "kv/record/testing/random_record.h"

namespace orochi::kv {
namespace {

using testing::SameValue;
using Cells = std::vector<std::string>;

// Rows of the table whose header begins with `first_header`, without that and the rule below it;
// cells without the backquotes around them.
std::vector<Cells> ReadTable(const std::string& page, const std::string& first_header) {
  std::ifstream file(std::string(OROCHI_DOCS_DIR) + "/formats/" + page);
  EXPECT_TRUE(file.is_open()) << page;
  std::vector<Cells> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| ")) {
      inside = inside && line.starts_with("|-");
      continue;
    }
    if (line.starts_with("| " + first_header + " |")) {
      inside = true;
      continue;
    }
    if (!inside) {
      continue;
    }
    Cells cells;
    for (size_t from = 2; from < line.size();) {
      size_t const end = line.find(" |", from);
      std::string cell = line.substr(from, end - from);
      if (cell.starts_with('`')) {
        cell = cell.substr(1, cell.size() - 2);
      }
      cells.push_back(cell);
      from = end + 3;
    }
    rows.push_back(cells);
  }
  return rows;
}

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (char const byte : bytes) {
    text += text.empty() ? "" : " ";
    text += kDigits[static_cast<uint8_t>(byte) >> 4];
    text += kDigits[static_cast<uint8_t>(byte) & 15];
  }
  return text;
}

// 'a\0b': only \0 is special.
std::string Unquote(const std::string& text) {
  std::string out;
  for (size_t index = 1; index + 1 < text.size(); ++index) {
    bool const zero = text[index] == '\\' && text[index + 1] == '0';
    out.push_back(zero ? '\0' : text[index]);
    index += zero ? 1 : 0;
  }
  return out;
}

Value ParseValue(FieldType type, const std::string& text) {
  if (text == "NULL") {
    return Null();
  }
  switch (TraitsOf(type).kind) {
    case ValueKind::kBool:
      return text == "true";
    case ValueKind::kSigned:
      return static_cast<int64_t>(std::stoll(text));
    case ValueKind::kUnsigned:
      return static_cast<uint64_t>(std::stoull(text));
    case ValueKind::kFloat:
      return std::strtof(text.c_str(), nullptr);
    case ValueKind::kDouble:
      return std::strtod(text.c_str(), nullptr);
    case ValueKind::kDecimal:
      return *Decimal::Parse(text);
    case ValueKind::kString:
      return Unquote(text);
    case ValueKind::kUuid: {
      Uuid uuid{};
      std::string digits;
      for (char const character : text) {
        digits += character == '-' ? "" : std::string(1, character);
      }
      for (size_t index = 0; index < uuid.size(); ++index) {
        uuid[index] = static_cast<uint8_t>(std::stoul(digits.substr(index * 2, 2), nullptr, 16));
      }
      return uuid;
    }
  }
  return Null();
}

TEST(GoldenTest, KeyFields) {
  auto const rows = ReadTable("kv-keys.md", "type");
  ASSERT_GE(rows.size(), 40u);
  for (const Cells& cells : rows) {
    ASSERT_EQ(cells.size(), 4u);
    SCOPED_TRACE(cells[0] + " " + cells[1] + " " + cells[2]);
    auto const type = FieldTypeFromName(cells[0]);
    ASSERT_TRUE(type.has_value());
    FieldOrder const order{*type, cells[1].starts_with("desc"),
                           cells[1].find("nulls last") != std::string::npos};
    Value const value = ParseValue(*type, cells[2]);
    std::string bytes;
    AppendKeyField(bytes, order, value);
    EXPECT_EQ(Hex(bytes), cells[3]);
    std::string_view rest = bytes;
    Value decoded;
    ASSERT_TRUE(ReadKeyField(rest, order, decoded).ok());
    EXPECT_TRUE(SameValue(decoded, value) && rest.empty());
  }
}

// The schema that both pages use for their whole keys and rows.
Schema Readings() {
  return *Schema::Make(SchemaId(3),
                       {.name = "readings",
                        .version = SchemaVersion(300),
                        .fields = {{.name = "device", .order = {FieldType::kText}},
                                   {.name = "at", .order = {FieldType::kTimestamp, true}},
                                   {.name = "ok", .order = {FieldType::kBool}},
                                   {.name = "count", .order = {FieldType::kInt32}},
                                   {.name = "level", .order = {FieldType::kDouble}},
                                   {.name = "price", .order = {FieldType::kDecimal25}},
                                   {.name = "note", .order = {FieldType::kText}}},
                        .partition_key = {0},
                        .range_key = {1}});
}

TEST(GoldenTest, StorageKeys) {
  Schema const schema = Readings();
  auto const rows = ReadTable("kv-keys.md", "distribution");
  ASSERT_GE(rows.size(), 2u);
  for (const Cells& cells : rows) {
    ASSERT_EQ(cells.size(), 4u);
    KeySpace const space{CollectionId(5),
                         cells[0] == "hash" ? Distribution::kHash : Distribution::kRange};
    std::vector<Value> record(schema.field_count());
    record[0] = ParseValue(FieldType::kText, cells[1]);
    record[1] = ParseValue(FieldType::kTimestamp, cells[2]);
    auto const key = EncodeStorageKey(space, schema, record);
    ASSERT_TRUE(key.ok());
    EXPECT_EQ(Hex(*key), cells[3]);
    auto const decoded = DecodeStorageKey(space, schema, *key);
    ASSERT_TRUE(decoded.ok());
    EXPECT_TRUE(SameValue((*decoded)[0], record[0]) && SameValue((*decoded)[1], record[1]));
  }
}

TEST(GoldenTest, Tokens) {
  auto const rows = ReadTable("kv-keys.md", "hashed");
  ASSERT_GE(rows.size(), 3u);
  for (const Cells& cells : rows) {
    ASSERT_EQ(cells.size(), 2u);
    EXPECT_EQ(TokenOf(Unquote(cells[0])), std::stoull(cells[1], nullptr, 16)) << cells[0];
  }
}

TEST(GoldenTest, Rows) {
  Schema const schema = Readings();
  auto const rows = ReadTable("kv-rows.md", "ok");
  ASSERT_GE(rows.size(), 3u);
  for (const Cells& cells : rows) {
    ASSERT_EQ(cells.size(), 6u);
    std::vector<Value> record(schema.field_count());
    record[0] = std::string("d");
    record[1] = int64_t{0};
    for (uint32_t const index : schema.value_fields()) {
      record[index] = ParseValue(schema.field(index).type(), cells[index - 2]);
    }
    auto const row = EncodeRow(schema, record);
    ASSERT_TRUE(row.ok());
    EXPECT_EQ(Hex(*row), cells[5]);
    RowReader reader;
    ASSERT_TRUE(reader.Open(schema, *row).ok());
    for (uint32_t const index : schema.value_fields()) {
      Value value;
      ASSERT_TRUE(reader.Read(index, value).ok());
      EXPECT_TRUE(SameValue(value, record[index]));
    }
  }
}

}  // namespace
}  // namespace orochi::kv
