#pragma once

#include "io/file.h"
#include "pg/fdw/options.h"

/// Finds the SSTables of a table below a data directory.
///
///   data_dir/KEYSPACE/TABLE-<32 hexadecimal digits>/[snapshots/NAME/]   a node's
///   data_dir/KEYSPACE/TABLE/                                            without the id
///   data_dir/TABLE-<...>/ or data_dir/TABLE/                            a keyspace's directory
///   data_dir/                                                           one table's files
namespace orochi::pg {

struct TableDirectory {
  std::string table;
  std::string path;
};

/// The directory that `options` name. kNotFound lists what is there instead; kInvalidArgument when
/// several fit: a table that was dropped and made again leaves two.
Result<std::string> FindTableDirectory(io::FileSystem& files, const TableOptions& options);

/// The tables of a keyspace that have SSTables, by name; of several directories of one table all.
Result<std::vector<TableDirectory>> ListTableDirectories(io::FileSystem& files,
                                                         const TableOptions& options);

}  // namespace orochi::pg
