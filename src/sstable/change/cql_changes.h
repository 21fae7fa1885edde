#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "sstable/change/json_value.h"
#include "sstable/change/row_change.h"
#include "sstable/cql/syntax.h"
#include "sstable/schema/table_schema.h"

namespace orochi::sstable {

/// A column's value for a new row, serialised; nullopt is null, a tombstone.
struct NamedValue {
  std::string column;
  std::optional<std::string> value;
  cql::Position position;  // for messages
};

/// USING TIMESTAMP and TTL of rows that do not come as CQL.
struct RowTimes {
  std::optional<int64_t> timestamp_us = {};  // none: now
  std::optional<int64_t> ttl_s = {};         // none: the table's
};

/// How an object becomes a row.
struct JsonRowOptions {
  bool absent_is_unset = true;      // columns that it does not name: as they are, or null
  RowTimes times = {};              // of rows that do not bring their own
  std::string timestamp_name = {};  // a member that is no column but the row's timestamp
  std::string ttl_name = {};        // the same for its TTL
};

/// Turns INSERT, UPDATE, DELETE and BATCH, and rows by the values of their columns, into changes of
/// one table's rows.
///
/// Refused, as they need what is in the table: conditions (IF), counters, and list operations by
/// index or value. Values must be written out: no bind markers, no now().
///
/// Life:    as long as its schema, which is borrowed.    Threads: none.
class CqlChanges {
 public:
  /// `now_us` is the time of statements without USING TIMESTAMP, of tombstones, and from which TTLs
  /// count, in microseconds since 1970.
  CqlChanges(const TableSchema& schema, int64_t now_us);

  /// The changes that one statement makes: none of those that define tables and types, which belong
  /// to the schema. kInvalidArgument is worded as Cassandra's, with the
  /// position of what is wrong where it has one.
  Result<std::vector<RowChange>> Bind(const cql::Statement& statement);

  /// What an INSERT of these columns makes.
  Result<std::vector<RowChange>> BindRow(const std::vector<NamedValue>& values,
                                         const RowTimes& times);
  /// What INSERT JSON makes of an object.
  Result<std::vector<RowChange>> BindJson(std::string_view json, const JsonRowOptions& options);

 private:
  /// When, and for how long.
  struct Moment {
    int64_t timestamp = 0;
    int32_t ttl = 0;
    uint32_t local_deletion_time = 0;  // of tombstones
    uint32_t expires_at = 0;           // with a TTL
  };
  using Values = std::vector<std::string>;
  /// WHERE: what it says of each key column, in their order.
  struct Places {
    std::vector<std::string> keys;
    std::vector<Values> clusterings;  // each the first few columns, all of one length
    size_t clustering_count = 0;
    std::optional<cql::Relation> lower;  // on the columns after those
    std::optional<cql::Relation> upper;
  };

  Result<std::vector<RowChange>> BindOne(const cql::Insert& insert,
                                         const cql::UsingClause* batch_using);
  Result<std::vector<RowChange>> BindOne(const cql::Update& update,
                                         const cql::UsingClause* batch_using);
  Result<std::vector<RowChange>> BindOne(const cql::Delete& deletion,
                                         const cql::UsingClause* batch_using);
  Result<std::vector<RowChange>> BindBatch(const cql::Batch& batch);
  Status CheckTable(const cql::TableName& name) const;
  Result<Moment> MomentOf(const cql::UsingClause& clause,
                          const cql::UsingClause* batch_using) const;
  Result<Moment> MomentOf(const RowTimes& times) const;
  Result<std::vector<NamedValue>> ValuesOfJson(const JsonValue& object, bool absent_is_unset,
                                               const cql::Position& position) const;
  Result<std::vector<RowChange>> MakeRow(const std::vector<NamedValue>& values,
                                         const Moment& moment, const cql::Position& position);

  Result<Places> BindWhere(const std::vector<cql::Relation>& where) const;
  Result<std::vector<Values>> BindRelation(const cql::Relation& relation) const;
  Result<Values> BindTuple(const std::vector<const SchemaColumn*>& columns,
                           const cql::Term& term) const;
  Result<std::string> BindKeyValue(const SchemaColumn& column, const cql::Term& term) const;
  Result<std::vector<std::string>> KeysOf(std::map<std::string, std::vector<Values>>& equal) const;
  Result<DeleteRange> RangeOf(const Values& prefix, const Places& places,
                              const Moment& moment) const;
  Result<Values> BoundValues(const Values& prefix, const cql::Relation& relation) const;

  Status AddAssignment(const cql::Assignment& assignment, const Moment& moment,
                       const TableSchema::Found& found, ChangeRow& row);
  Status AddTarget(const cql::Delete::Target& target, const Moment& moment,
                   const TableSchema::Found& found, ChangeRow& row);
  Status SetColumn(const TableSchema::Found& found, const cql::Term& term, const Moment& moment,
                   ChangeRow& row);
  Status SetValue(const TableSchema::Found& found, const std::optional<std::string>& value,
                  const Moment& moment, ChangeRow& row);
  Status AddElements(const TableSchema::Found& found, const std::string& value,
                     const Moment& moment, bool prepend, ChangeRow::ComplexColumn& column);
  Status RemoveElements(const TableSchema::Found& found, const cql::Term& term,
                        const Moment& moment, ChangeRow& row);
  Status SetElement(const TableSchema::Found& found, const cql::Term& element,
                    const std::optional<cql::Term>& value, const Moment& moment, ChangeRow& row);
  Status SetField(const TableSchema::Found& found, const std::string& field,
                  const std::optional<cql::Term>& value, const Moment& moment, ChangeRow& row);
  std::string NextListId(bool prepend);

  const TableSchema& schema_;
  ClusteringFormat clustering_;
  int64_t now_us_;
  uint64_t list_ids_ = 0;  // given so far
};

}  // namespace orochi::sstable
