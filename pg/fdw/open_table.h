#pragma once

#include "pg/fdw/options.h"
#include "pg/fdw/server_files.h"
#include "sstable/query/table_source.h"
#include "sstable/read/reader.h"
#include "sstable/schema/table_schema.h"

namespace orochi::pg {

/// What tells that a file or directory has changed.
struct FileState {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t changed_ns = 0;

  static FileState Of(const std::string& path);
  friend bool operator==(const FileState&, const FileState&) = default;
};

/// The SSTables of a table, open, with what is known of it. Files are only ever read.
///
/// Life: Open; outlives queries over source().    Threads: the backend's own.
class OpenTable {
 public:
  /// kNotFound, kCorruption, kFailedPrecondition (files that do not fit the schema) name the file.
  static Result<std::unique_ptr<OpenTable>> Open(const TableOptions& options);

  /// False when a file came to the directory or went, or the schema file changed.
  bool FilesAreAsOpened() const;

  const sstable::TableSchema& schema() const { return schema_; }
  sstable::MergedSource& source() { return *source_; }
  const std::string& directory() const { return directory_; }
  std::span<const std::unique_ptr<sstable::SstableReader>> readers() const { return readers_; }

  /// From the metadata, before merging.
  uint64_t row_count() const;
  uint64_t partition_count() const;
  uint64_t data_size_bytes() const;
  uint64_t stored_size_bytes() const;
  /// "nb, oa": the versions there are.
  std::string Versions() const;
  bool has_bti() const;
  bool has_big() const;

 private:
  Status Load(const TableOptions& options);
  Status CheckPartitioners() const;

  ServerFiles files_;
  std::string directory_;
  std::string schema_file_;
  FileState directory_state_;
  FileState schema_file_state_;
  std::vector<std::unique_ptr<sstable::SstableReader>> readers_;
  sstable::TableSchema schema_;
  std::unique_ptr<sstable::MergedSource> source_;
};

/// All tables of a CQL file; names without a keyspace belong to `keyspace`.
Result<std::vector<sstable::TableSchema>> ReadSchemaFile(io::FileSystem& files,
                                                         const std::string& path,
                                                         const std::string& keyspace);

}  // namespace orochi::pg
