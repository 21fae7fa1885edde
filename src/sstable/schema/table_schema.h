#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sstable/cql/bind.h"
#include "sstable/format/layout.h"
#include "sstable/types/type.h"

namespace orochi::sstable {

/// A column of a table by name.
struct SchemaColumn {
  std::string name;
  TypeRef type;  // of clustering columns reversed when descending
};

/// A column that is gone. Its cells up to the moment it was dropped are not there any more.
struct SchemaDroppedColumn {
  std::string name;
  TypeRef type;
  bool is_static = false;
  int64_t dropped_at_micros = 0;
};

enum class ColumnRole : uint8_t { kPartitionKey, kClustering, kStatic, kRegular };

/// What reading and writing need of WITH.
struct TableOptions {
  int64_t gc_grace_s = 864'000;
  int64_t default_ttl_s = 0;
  double bloom_fp_chance = 0.01;
  int64_t min_index_interval = 128;
  /// Of compression; no class: not compressed. The default is Cassandra's.
  std::map<std::string, std::string> compression = {{"class", "LZ4Compressor"},
                                                    {"chunk_length_in_kb", "16"}};
  std::map<std::string, std::string> compaction;
  std::string comment;
};

/// A table: its columns and what they are for.
struct TableSchema {
  std::string keyspace;
  std::string table;
  std::vector<SchemaColumn> partition_key;
  std::vector<SchemaColumn> clustering;
  std::vector<SchemaColumn> statics;   // in Cassandra's order
  std::vector<SchemaColumn> regulars;  // in Cassandra's order
  std::vector<SchemaDroppedColumn> dropped;
  cql::UserTypes user_types;  // not frozen
  TableOptions options;
  /// Made from files, which do not hold the names of key columns: key, ck0, ck1, ...
  bool key_names_are_generated = false;

  /// The type of a whole key: its column's, or a composite of several.
  TypeRef PartitionKeyType() const;
  std::vector<TypeRef> ClusteringTypes() const;
  bool is_counter() const;
  /// "ks.table"
  std::string QualifiedName() const;

  struct Found {
    ColumnRole role = ColumnRole::kRegular;
    size_t index = 0;  // within the columns of that role
    const SchemaColumn* column = nullptr;
  };
  std::optional<Found> Find(std::string_view name) const;
};

/// Brings columns into Cassandra's order: one-cell columns by name, then the others by name.
void SortColumns(std::vector<SchemaColumn>& columns);

/// The shape in which files of the table hold their rows.
Layout LayoutOf(const TableSchema& schema, Partitioner partitioner);

/// Tables as the statements of a script leave them, in the order of their creation.
///
/// CREATE TABLE and TYPE, ALTER TABLE and TYPE, and USE count; others are passed over. Tables and
/// types named without a keyspace belong to `default_keyspace` or that of USE.
/// kInvalidArgument names the position or the table and column.
Result<std::vector<TableSchema>> TablesFromCql(std::string_view script,
                                               std::string_view default_keyspace);

/// The one table of `tables` called `name`, or the only one when `name` is empty. `name` may have a
/// keyspace in front. kNotFound lists what there is.
Result<const TableSchema*> PickTable(std::span<const TableSchema> tables, std::string_view name);

/// A schema from what files say of themselves. Names of key columns are made up.
TableSchema SchemaFromLayout(std::string keyspace, std::string table, const Layout& layout);

/// What files have against the schema: other key or clustering types, a column of a type that
/// cannot be read as the schema's. kFailedPrecondition names the column and both types. Columns
/// that the schema lacks are no error (dropped), nor are columns that the files lack (added).
Status CheckLayout(const TableSchema& schema, const Layout& layout, std::string_view files);

/// CREATE TYPE and CREATE TABLE statements that make the table, dropped columns included, as
/// DESCRIBE TABLE would print them.
std::string DescribeTable(const TableSchema& schema);

}  // namespace orochi::sstable
