#include "pg/fdw/open_table.h"

#include <sys/stat.h>

#include <set>

#include "base/str_cat.h"
#include "pg/fdw/table_directory.h"
#include "sstable/table/open_table.h"

namespace orochi::pg {
namespace {

constexpr uint64_t kSchemaSizeBytesMax = uint64_t{64} << 20;
// What all scans of one table read at a time, together, and each of them at least.
constexpr size_t kScanSizeBytesAll = size_t{16} << 20;
constexpr size_t kScanSizeBytesMin = size_t{32} << 10;

}  // namespace

Result<std::vector<sstable::TableSchema>> ReadSchemaFile(io::FileSystem& files,
                                                         const std::string& path,
                                                         const std::string& keyspace) {
  ASSIGN_OR_RETURN(auto const file, files.OpenForRead(path));
  ASSIGN_OR_RETURN(uint64_t const size_bytes, file->SizeBytes());
  if (size_bytes > kSchemaSizeBytesMax) {
    return Status::ResourceExhausted(StrCat("schema file ", path, " has ", size_bytes,
                                            " bytes, at most ", kSchemaSizeBytesMax, " are read"));
  }
  std::string text(size_bytes, '\0');
  RETURN_IF_ERROR(file->ReadExact(0, std::as_writable_bytes(std::span(text))));
  auto tables = sstable::TablesFromCql(text, keyspace);
  if (!tables.ok()) {
    return Status(tables.status()).WithContext(path);
  }
  return tables;
}

Status OpenTable::Load(const TableOptions& options) {
  ASSIGN_OR_RETURN(directory_, FindTableDirectory(files_, options));
  schema_file_ = options.schema_file;
  directory_state_ = FileState::Of(directory_);  // before it is listed
  schema_file_state_ = FileState::Of(schema_file_);
  ASSIGN_OR_RETURN(auto const descriptors, sstable::ListSstables(files_, directory_));
  sstable::TableRequest request;
  request.table =
      options.keyspace.empty() ? options.table : StrCat(options.keyspace, ".", options.table);
  request.keyspace = options.keyspace;
  if (!options.schema_file.empty()) {
    request.schema_files.push_back(options.schema_file);
  }
  if (descriptors.empty() && options.schema_file.empty()) {
    return Status::NotFound(StrCat(directory_, " has no SSTables"))
        .WithHint("Of a table without SSTables the columns are only known from a schema_file.");
  }
  if (descriptors.empty()) {
    ASSIGN_OR_RETURN(schema_, sstable::SchemaOf(files_, request));
  } else {
    request.paths.push_back(directory_);
    request.reader.scan_size_bytes = std::clamp(kScanSizeBytesAll / descriptors.size(),
                                                kScanSizeBytesMin, request.reader.scan_size_bytes);
    ASSIGN_OR_RETURN(sstable::OpenTable table, sstable::OpenTableOf(files_, request));
    readers_ = std::move(table.readers);
    schema_ = std::move(table.schema);
    schema_.table = options.table;  // without a schema it was called as its directory
  }
  RETURN_IF_ERROR(CheckPartitioners());
  source_ = std::make_unique<sstable::MergedSource>(readers_, schema_, options.NowSeconds());
  return Status::Ok();
}

FileState FileState::Of(const std::string& path) {
  struct stat found;
  if (path.empty() || stat(path.c_str(), &found) != 0) {
    return {};
  }
  return {.device = found.st_dev,
          .inode = found.st_ino,
          .changed_ns = found.st_ctim.tv_sec * int64_t{1'000'000'000} + found.st_ctim.tv_nsec};
}

bool OpenTable::FilesAreAsOpened() const {
  return directory_state_ == FileState::Of(directory_) &&
         schema_file_state_ == FileState::Of(schema_file_);
}

Status OpenTable::CheckPartitioners() const {
  for (const auto& reader : readers_) {
    sstable::Partitioner const first = readers_[0]->layout().partitioner;
    sstable::Partitioner const other = reader->layout().partitioner;
    if (first != other) {
      return Status::InvalidArgument(
          StrCat(directory_, ": ", readers_[0]->descriptor().Stem(), " has the partitioner ",
                 sstable::PartitionerClass(first), ", ", reader->descriptor().Stem(), " has ",
                 sstable::PartitionerClass(other)));
    }
  }
  return Status::Ok();
}

Result<std::unique_ptr<OpenTable>> OpenTable::Open(const TableOptions& options) {
  auto table = std::make_unique<OpenTable>();
  RETURN_IF_ERROR(table->Load(options));
  return table;
}

uint64_t OpenTable::row_count() const {
  uint64_t count = 0;
  for (const auto& reader : readers_) {
    count += static_cast<uint64_t>(std::max<int64_t>(0, reader->statistics().stats.row_count));
  }
  return count;
}

uint64_t OpenTable::partition_count() const {
  uint64_t count = 0;
  for (const auto& reader : readers_) {
    for (int64_t const in_bucket : reader->statistics().stats.partition_sizes_bytes.counts) {
      count += static_cast<uint64_t>(std::max<int64_t>(0, in_bucket));
    }
  }
  return count;
}

uint64_t OpenTable::data_size_bytes() const {
  uint64_t size_bytes = 0;
  for (const auto& reader : readers_) {
    size_bytes += reader->data().size_bytes();
  }
  return size_bytes;
}

uint64_t OpenTable::stored_size_bytes() const {
  uint64_t size_bytes = 0;
  for (const auto& reader : readers_) {
    size_bytes += reader->data().stored_size_bytes();
  }
  return size_bytes;
}

std::string OpenTable::Versions() const {
  std::set<std::string> versions;
  for (const auto& reader : readers_) {
    versions.insert(std::string(reader->descriptor().version.letters()));
  }
  std::string text;
  for (const std::string& version : versions) {
    text += StrCat(text.empty() ? "" : ", ", version);
  }
  return text;
}

bool OpenTable::has_bti() const {
  return std::any_of(readers_.begin(), readers_.end(),
                     [](const auto& reader) { return reader->descriptor().version.is_bti(); });
}

bool OpenTable::has_big() const {
  return std::any_of(readers_.begin(), readers_.end(),
                     [](const auto& reader) { return !reader->descriptor().version.is_bti(); });
}

}  // namespace orochi::pg
