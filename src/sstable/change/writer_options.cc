#include "sstable/change/writer_options.h"

#include <charconv>

#include "base/str_cat.h"

namespace orochi::sstable {

Result<WriterOptions> WriterOptionsOf(const TableSchema& schema) {
  WriterOptions options;
  options.bloom_fp_chance = schema.options.bloom_fp_chance;
  options.index_interval_min = static_cast<int32_t>(schema.options.min_index_interval);
  auto const name = schema.options.compression.find("class");
  if (name == schema.options.compression.end()) {
    options.compression.reset();
    return options;
  }
  ASSIGN_OR_RETURN(options.compression->kind, CompressorFromClassName(name->second));
  auto const chunk = schema.options.compression.find("chunk_length_in_kb");
  if (chunk != schema.options.compression.end()) {
    uint32_t chunk_kb = 0;
    const std::string& text = chunk->second;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), chunk_kb);
    if (error != std::errc() || end != text.data() + text.size() || chunk_kb > 16384) {
      return Status::InvalidArgument(
          StrCat("chunk_length_in_kb is '", text, "', expected a number up to 16384"));
    }
    options.compression->chunk_size_bytes = chunk_kb << 10;
  }
  return options;
}

}  // namespace orochi::sstable
