#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings/c/include/orochi_sstable.h"
#include "io/posix/posix_file_system.h"
#include "sstable/table/open_table.h"
#include "sstable/types/type.h"

// What is behind the handles that several files know.

struct orochi_sst_string {
  std::string text;
};

/// A type with all that is in it; made whole, so that threads may share it.
struct orochi_sst_type {
  orochi::sstable::TypeRef type;
  std::string name;
  std::vector<std::unique_ptr<orochi_sst_type>> parameters;
};

namespace orochi::cabi {

std::unique_ptr<orochi_sst_type> MakeType(const sstable::TypeRef& type);
int32_t KindOf(const sstable::Type& type);

/// A column of a table, as callers see it.
struct TableColumn {
  std::string name;
  int32_t role = 0;
  bool descending = false;
  std::unique_ptr<orochi_sst_type> type;
};

/// All columns of a schema in the order in which callers count them.
std::vector<TableColumn> ColumnsOf(const sstable::TableSchema& schema);
int64_t FindColumnIndex(const std::vector<TableColumn>& columns, const char* name, size_t size);

/// What a table and its cursors share: a cursor outlives its table's handle.
struct OpenFiles {
  io::PosixFileSystem files;
  sstable::OpenTable table;
  sstable::Layout layout;
  int64_t now_s = 0;  // 0: the clock's
};

/// Seconds since 1970.
int64_t ClockSeconds();

Result<int64_t> Int64Of(const sstable::Type& type, sstable::Bytes value);
Result<double> DoubleOf(const sstable::Type& type, sstable::Bytes value);
/// In one of OROCHI_SST_FORMAT_.
Result<std::string> FormatValue(const sstable::Type& type, sstable::Bytes value, int32_t format);

/// The serialised form of a number; kOutOfRange where the type cannot hold it.
Result<std::string> BytesOfInt64(const sstable::Type& type, int64_t number);
Result<std::string> BytesOfDouble(const sstable::Type& type, double number);

}  // namespace orochi::cabi

struct orochi_sst_table {
  std::shared_ptr<const orochi::cabi::OpenFiles> open;  // shared with its cursors
  std::vector<orochi::cabi::TableColumn> columns;
  std::vector<std::string> sstable_names;
  std::string cql;
};
