// The C interface on a damaged directory: opened, scanned in both ways, looked up in, queried and
// verified. Every call answers a code that is known, and an error has a text.
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "codec/testing/fuzz_input.h"
#include "orochi_sstable.h"

namespace {

using orochi::codec::testing::FuzzInput;
using orochi::codec::testing::Require;

constexpr const char* kSchema =
    "CREATE TABLE ks.t (k text, c int, s text static, a int, l list<text>, m map<text, int>, "
    "PRIMARY KEY (k, c)) WITH compression = {'class': 'LZ4Compressor'};";
constexpr const char* kRows =
    "INSERT INTO ks.t (k, c, s, a, l, m) VALUES ('x', 1, 'st', 5, ['p', 'q'], {'u': 1});"
    "INSERT INTO ks.t (k, c, a) VALUES ('x', 2, 6) USING TTL 100000;"
    "INSERT INTO ks.t (k, c, a) VALUES ('y', 3, 7);"
    "DELETE FROM ks.t WHERE k = 'x' AND c > 5; DELETE a FROM ks.t WHERE k = 'y' AND c = 4;";

orochi_sst_text TextOf(const char* text) {
  return {text, std::char_traits<char>::length(text)};
}

/// Looks at the result of a call and frees its error.
int32_t Check(int32_t result, orochi_sst_error** place) {
  orochi_sst_error* const error = *place;
  *place = nullptr;
  Require((result < 0) == (error != nullptr), "an error where it failed, and only there");
  if (error != nullptr) {
    Require(result == orochi_sst_error_code(error), "the same code twice");
    Require(result >= OROCHI_SST_OUT_OF_MEMORY, "a code that is known");
    Require(result != OROCHI_SST_INTERNAL, "no bug of ours");
    Require(*orochi_sst_error_text(error, nullptr) != '\0', "an error says why");
    Require(orochi_sst_error_offset(error) >= -1, "an offset, or none");
    orochi_sst_error_free(error);
  }
  return result;
}

/// A table on disk, of which runs replace the bytes of files.
class Files {
 public:
  explicit Files(int32_t version) {
    std::string path = (std::filesystem::temp_directory_path() / "orochi-fuzz-XXXXXX").string();
    Require(mkdtemp(path.data()) != nullptr, "a temporary directory can be made");
    directory_ = path;
    orochi_sst_writer_options options = {};
    options.struct_size = sizeof(options);
    options.version = version;
    options.now_us = 1'700'000'000'000'000;
    orochi_sst_writer* writer = nullptr;
    Require(
        orochi_sst_writer_open(path.data(), path.size(), kSchema, TextOf(kSchema).size, &options,
                               &writer, nullptr) == OROCHI_SST_OK &&
            orochi_sst_writer_cql(writer, kRows, TextOf(kRows).size, nullptr) == OROCHI_SST_OK &&
            orochi_sst_writer_finish(writer, nullptr) == OROCHI_SST_OK,
        "a table can be written");
    orochi_sst_writer_free(writer);
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      std::ifstream file(entry.path(), std::ios::binary);
      files_[entry.path()] = std::string(std::istreambuf_iterator<char>(file), {});
    }
  }
  ~Files() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  const std::string& directory() const { return directory_; }

  /// Edits of four bytes: which file, a u16 position, what to flip there.
  void Damage(FuzzInput& input) {
    std::map<std::filesystem::path, std::string> damaged;
    while (!input.rest().empty()) {
      auto file = std::next(files_.begin(), input.TakeByte() % files_.size());
      std::string& bytes = damaged.emplace(file->first, file->second).first->second;
      size_t const high = input.TakeByte();
      size_t const position = high << 8 | input.TakeByte();
      auto const flip = static_cast<char>(input.TakeByte());
      if (!bytes.empty()) {
        bytes[position % bytes.size()] = static_cast<char>(bytes[position % bytes.size()] ^ flip);
      }
    }
    for (const auto& path : damaged_) {
      Store(path, files_.at(path));
    }
    damaged_.clear();
    for (const auto& [path, bytes] : damaged) {
      Store(path, bytes);
      damaged_.push_back(path);
    }
  }

 private:
  static void Store(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }

  std::string directory_;
  std::map<std::filesystem::path, std::string> files_;
  std::vector<std::filesystem::path> damaged_;
};

void ReadRow(orochi_sst_cursor* cursor) {
  orochi_sst_error* error = nullptr;
  for (size_t column = 0; column < orochi_sst_cursor_column_count(cursor); ++column) {
    const char* text = nullptr;
    size_t size = 0;
    for (int32_t format = OROCHI_SST_FORMAT_TEXT; format <= OROCHI_SST_FORMAT_CQL; ++format) {
      Check(orochi_sst_cursor_format(cursor, column, format, &text, &size, &error), &error);
    }
    int64_t number = 0;
    double real = 0;
    Check(orochi_sst_cursor_int64(cursor, column, &number, &error), &error);
    Check(orochi_sst_cursor_double(cursor, column, &real, &error), &error);
    Check(orochi_sst_cursor_text(cursor, column, &text, &size, &error), &error);
    size_t cells = 0;
    if (Check(orochi_sst_cursor_cell_count(cursor, column, &cells, &error), &error) < 0) {
      continue;  // of SELECT
    }
    for (size_t index = 0; index < cells; ++index) {
      orochi_sst_cell cell = {};
      cell.struct_size = sizeof(cell);
      Require(Check(orochi_sst_cursor_cell(cursor, column, index, &cell, &error), &error) == 0,
              "a cell that is counted is there");
    }
  }
}

/// What opening a cursor answered, and all its rows.
void Drain(int32_t opened, orochi_sst_cursor* cursor, orochi_sst_error* error) {
  if (Check(opened, &error) < 0) {
    Require(cursor == nullptr, "no cursor where opening failed");
    return;
  }
  while (Check(orochi_sst_cursor_next(cursor, &error), &error) == 1) {
    ReadRow(cursor);
  }
  orochi_sst_cursor_free(cursor);
}

void ReadTable(const orochi_sst_table* table) {
  orochi_sst_error* error = nullptr;
  orochi_sst_cursor* cursor = nullptr;
  int32_t opened = orochi_sst_scan(table, nullptr, &cursor, &error);
  Drain(opened, cursor, error);
  orochi_sst_cursor_options all = {};
  all.struct_size = sizeof(all);
  all.flags = OROCHI_SST_CURSOR_ALL;
  opened = orochi_sst_scan(table, &all, &cursor, &error);
  Drain(opened, cursor, error);
  orochi_sst_text const key = TextOf("x");
  opened = orochi_sst_lookup_text(table, &key, 1, nullptr, &cursor, &error);
  Drain(opened, cursor, error);
  orochi_sst_text const select =
      TextOf("SELECT k, count(*), max(a) FROM t WHERE c > 0 GROUP BY k ALLOW FILTERING");
  opened = orochi_sst_select(table, select.data, select.size, nullptr, &cursor, &error);
  Drain(opened, cursor, error);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  static Files oa(OROCHI_SST_VERSION_OA);
  static Files nb(OROCHI_SST_VERSION_NB);
  static Files da(OROCHI_SST_VERSION_DA);
  Files* const all[] = {&oa, &nb, &da};
  FuzzInput input(data, size_bytes);
  uint8_t const which = input.TakeByte();
  Files& files = *all[which % std::size(all)];
  files.Damage(input);
  orochi_sst_text const path = TextOf(files.directory().c_str());
  orochi_sst_open_options options = {};
  options.struct_size = sizeof(options);
  options.now_s = 1'700'000'001;
  options.flags = (which & 0x40) != 0 ? OROCHI_SST_OPEN_NO_CHECKSUMS : 0;
  if ((which & 0x80) == 0) {
    options.schema = TextOf(kSchema);
  }
  orochi_sst_error* error = nullptr;
  orochi_sst_table* table = nullptr;
  if (Check(orochi_sst_table_open(&path, 1, &options, &table, &error), &error) == OROCHI_SST_OK) {
    ReadTable(table);
    orochi_sst_table_free(table);
  }
  orochi_sst_report* report = nullptr;
  int32_t const good = orochi_sst_verify(&path, 1, &report, &error);
  Check(good, &error);
  Require(good != 0 || orochi_sst_report_finding_count(report) > 0, "a finding where it is bad");
  orochi_sst_report_free(report);
  return 0;
}
