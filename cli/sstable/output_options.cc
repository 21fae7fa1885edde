#include "cli/sstable/output_options.h"

#include <filesystem>
#include <map>

#include "base/str_cat.h"
#include "cli/number_format.h"
#include "cli/sstable/output.h"

namespace orochi::cli {

namespace {

namespace fs = std::filesystem;
using sstable::CompressorKind;
using sstable::Version;

const std::map<std::string, CompressorKind> kCompressors = {{"lz4", CompressorKind::kLz4},
                                                            {"snappy", CompressorKind::kSnappy},
                                                            {"deflate", CompressorKind::kDeflate},
                                                            {"zstd", CompressorKind::kZstd}};

}  // namespace

void OutputOptions::AddTo(CLI::App& command, const std::string& format_default,
                          const std::string& compression_default, bool may_split) {
  command.add_option("-o,--out", directory, "Directory for the new SSTables; made if missing")
      ->required()
      ->type_name("DIR");
  command
      .add_option("--format", format,
                  StrCat("nb (read by Cassandra 4.0 and later), oa or da (5.0).\nDefault: ",
                         format_default))
      ->check(CLI::IsMember({"nb", "oa", "da"}))
      ->type_name("FORMAT");
  command
      .add_option("--compression", compression,
                  StrCat("lz4, snappy, deflate, zstd or none.\nDefault: ", compression_default))
      ->check(CLI::IsMember({"lz4", "snappy", "deflate", "zstd", "none"}))
      ->type_name("NAME");
  command.add_option("--chunk-kb", chunk_kb, "Size of compressed chunks, a power of two")
      ->check(CLI::Range(1, 16384))
      ->type_name("KIB");
  command
      .add_option("--threads", threads, "2: compress and write data in a second thread. Default: 1")
      ->check(CLI::Range(1, 2))
      ->type_name("COUNT");
  if (!may_split) {
    return;
  }
  command
      .add_option("--max-size-mb", size_mb_max,
                  "Begin a new SSTable after this much data, uncompressed;\n"
                  "partitions are never cut. Default: no limit")
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("MIB");
}

Status OutputOptions::Apply(sstable::WriterOptions& options) const {
  options.compresses_in_thread = threads > 1;
  if (!format.empty()) {
    options.version = format == "nb"   ? Version::Nb()
                      : format == "oa" ? Version::Oa()
                                       : Version::Da();
  }
  if (compression == "none") {
    options.compression.reset();
  } else if (!compression.empty()) {
    options.compression = sstable::CompressionOptions{.kind = kCompressors.at(compression)};
  }
  if (chunk_kb != 0) {
    if (!options.compression.has_value()) {
      return Status::InvalidArgument("--chunk-kb is for compressed SSTables, these are not");
    }
    options.compression->chunk_size_bytes = chunk_kb << 10;
  }
  return Status::Ok();
}

Status ReportWritten(const std::string& directory,
                     const std::vector<sstable::WrittenSstable>& written) {
  if (written.empty()) {
    return WriteToStdout("nothing to write: no SSTable was made\n");
  }
  std::string text;
  for (const sstable::WrittenSstable& sstable : written) {
    text += StrCat(directory, "/", sstable.descriptor.FileName(sstable::Component::kData), ": ",
                   FormatCount(static_cast<int64_t>(sstable.partition_count)), " partitions, ",
                   FormatCount(static_cast<int64_t>(sstable.row_count)), " rows, ",
                   FormatBytes(sstable.data_size_bytes), " in ",
                   FormatBytes(sstable.stored_size_bytes), "\n");
  }
  return WriteToStdout(text);
}

Status CheckApart(const std::string& directory, const std::vector<std::string>& paths) {
  std::error_code ignored;
  fs::path const out = fs::weakly_canonical(directory, ignored);
  for (const std::string& path : paths) {
    fs::path const input = fs::weakly_canonical(path, ignored);
    if (input == out || (!fs::is_directory(input, ignored) && input.parent_path() == out)) {
      return Status::AlreadyExists(StrCat(directory, " holds SSTables that are to be read"))
          .WithHint("name another directory: what is read is never changed");
    }
  }
  return Status::Ok();
}

}  // namespace orochi::cli
