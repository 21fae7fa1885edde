// Any bytes read as CSV: no crash, every record has the header's shape, and blocks of any size give
// the records that one block gives. What is read is classified and escaped for COPY as well.

#include "cli/csv_reader.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/copy_text.h"
#include "cli/type_inference.h"

namespace {

using orochi::Result;
using orochi::cli::CsvField;
using orochi::cli::CsvReader;

void Require(bool condition, const char* what) {
  if (!condition) {
    fprintf(stderr, "broken: %s\n", what);
    abort();
  }
}

class BytesInBlocks : public orochi::cli::CsvSource {
 public:
  BytesInBlocks(std::string_view bytes, size_t block_size_bytes)
      : rest_(bytes), block_size_bytes_(block_size_bytes) {}

  Result<size_t> Read(std::span<char> out) override {
    size_t const size = std::min({block_size_bytes_, out.size(), rest_.size()});
    memcpy(out.data(), rest_.data(), size);
    rest_.remove_prefix(size);
    return size;
  }

 private:
  std::string_view rest_;
  size_t block_size_bytes_;
};

/// All records in COPY's text format, then the error, if there is one.
std::string ReadAll(std::string_view bytes, size_t block_size_bytes) {
  Result<CsvReader> reader =
      CsvReader::Open("f", std::make_unique<BytesInBlocks>(bytes, block_size_bytes));
  if (!reader.ok()) {
    return reader.status().message();
  }
  orochi::cli::CopyTextWriter writer;
  while (true) {
    Result<bool> const found = reader->Next();
    if (!found.ok()) {
      return std::string(writer.text()) + found.status().message();
    }
    if (!*found) {
      return std::string(writer.text());
    }
    Require(reader->fields().size() == reader->columns().size(), "a record has the header's shape");
    for (const CsvField& field : reader->fields()) {
      if (!field.text.empty()) {
        (void)orochi::cli::ClassifyValue(field.text);
      }
      writer.AddValue(field.text);
    }
    writer.EndRow();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  if (size_bytes == 0) {
    return 0;
  }
  std::string_view const bytes(reinterpret_cast<const char*>(data) + 1, size_bytes - 1);
  size_t const block_size_bytes = 1 + data[0] % 32;
  Require(ReadAll(bytes, block_size_bytes) == ReadAll(bytes, bytes.size() + 1),
          "block sizes do not matter");
  return 0;
}
