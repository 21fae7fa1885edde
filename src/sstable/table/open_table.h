#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "sstable/read/reader.h"
#include "sstable/schema/table_schema.h"

namespace orochi::sstable {

/// An SSTable on disk.
struct SstableInput {
  std::string directory;
  Descriptor descriptor;

  /// "DIRECTORY/nb-1-big"
  std::string Name() const;
};

/// The SSTables that `paths` name: a component file stands for its SSTable, a directory for all in
/// it. kNotFound where a path has none, so that nothing is silently left out.
Result<std::vector<SstableInput>> FindSstables(io::FileSystem& files,
                                               const std::vector<std::string>& paths);

/// "ks" and "table" from .../ks/table-<32 hex digits>/..., as Cassandra names its directories; the
/// directory's name, and no keyspace, for others.
struct TableDirectory {
  std::string keyspace;
  std::string table;
};
TableDirectory TableOfDirectory(const std::string& directory);

/// The SSTables of one table, opened, and what is known of the table.
struct OpenTable {
  std::vector<std::unique_ptr<SstableReader>> readers;
  TableSchema schema;
};

struct TableRequest {
  std::vector<std::string> paths;
  std::vector<std::string> schema_files =
      {};                        // CQL; neither these nor text: the files' own headers
  std::string table = {};        // of those in the schema; empty: by directory
  std::string schema_text = {};  // CQL, after that of the files
  std::string keyspace = {};     // of names without one; empty: by directory
  ReaderOptions reader = {};
};

/// Opens the SSTables and finds their schema: from CQL where there is any, checked against every
/// SSTable, otherwise from the SSTables. The file system outlives what is opened.
Result<OpenTable> OpenTableOf(io::FileSystem& files, const TableRequest& request);

/// The tables of the request's CQL, one of them where there are several.
Result<TableSchema> SchemaOf(io::FileSystem& files, const TableRequest& request);

}  // namespace orochi::sstable
