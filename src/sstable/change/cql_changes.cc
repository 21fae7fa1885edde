// What whole statements do; their columns are in cql_columns.cc, their WHERE in cql_places.cc.
#include "sstable/change/cql_changes.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "base/str_cat.h"
#include "sstable/change/internal/statement_text.h"
#include "sstable/cql/bind.h"

namespace orochi::sstable {

using internal::At;
using internal::Prefix;
using internal::Undefined;

namespace {

constexpr int64_t kTtlMax = 20LL * 365 * 24 * 3600;
constexpr int64_t kMicrosPerSecond = 1'000'000;

Result<JsonValue> ObjectOf(std::string_view json, const cql::Position& position) {
  Result<JsonValue> object = ParseJson(json);
  if (!object.ok() || object->kind != JsonValue::Kind::kObject) {
    return Status::InvalidArgument(
        StrCat(At(position), "Could not decode JSON string as a map: ",
               object.ok() ? std::string("it is none") : object.status().message()));
  }
  return object;
}

// Takes the member `name` out, when there is one, into `number`.
Status TakeNumber(JsonValue& object, const std::string& name, std::optional<int64_t>& number) {
  auto const found = std::find(object.names.begin(), object.names.end(), name);
  if (name.empty() || found == object.names.end()) {
    return Status::Ok();
  }
  auto const item = object.items.begin() + (found - object.names.begin());
  if (item->kind != JsonValue::Kind::kNull) {
    int64_t value = 0;
    const std::string& text = item->text;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
      return Status::InvalidArgument(StrCat(name, ": '", text, "' is no whole number"));
    }
    number = value;
  }
  object.items.erase(item);
  object.names.erase(found);
  return Status::Ok();
}

}  // namespace

CqlChanges::CqlChanges(const TableSchema& schema, int64_t now_us)
    : schema_(schema), clustering_(schema.ClusteringTypes()), now_us_(now_us) {}

Status CqlChanges::CheckTable(const cql::TableName& name) const {
  bool const same =
      name.table == schema_.table &&
      (name.keyspace.empty() || schema_.keyspace.empty() || name.keyspace == schema_.keyspace);
  if (!same) {
    return Status::InvalidArgument(StrCat(At(name.position), "statement is for table ", name.table,
                                          ", the files are of ", schema_.QualifiedName()));
  }
  return schema_.is_counter()
             ? Status::Unsupported(StrCat(At(name.position), "counters cannot be written: ",
                                          "their state belongs to the nodes of a cluster"))
             : Status::Ok();
}

Result<CqlChanges::Moment> CqlChanges::MomentOf(const cql::UsingClause& clause,
                                                const cql::UsingClause* batch_using) const {
  RowTimes times;
  if (clause.timestamp.has_value()) {
    ASSIGN_OR_RETURN(times.timestamp_us, cql::BindInteger(*clause.timestamp, "timestamp"));
  } else if (batch_using != nullptr && batch_using->timestamp.has_value()) {
    ASSIGN_OR_RETURN(times.timestamp_us, cql::BindInteger(*batch_using->timestamp, "timestamp"));
  }
  if (clause.ttl.has_value()) {
    ASSIGN_OR_RETURN(times.ttl_s, cql::BindInteger(*clause.ttl, "TTL"));
  }
  return MomentOf(times);
}

Result<CqlChanges::Moment> CqlChanges::MomentOf(const RowTimes& times) const {
  Moment moment;
  moment.timestamp = times.timestamp_us.value_or(now_us_);
  if (moment.timestamp == kNoTimestamp) {
    return Status::InvalidArgument("Out of bound timestamp");
  }
  int64_t const ttl = times.ttl_s.value_or(schema_.options.default_ttl_s);
  if (ttl < 0 || ttl > kTtlMax) {
    return Status::InvalidArgument(
        StrCat("ttl is ", ttl, ": it must be 0 to ", kTtlMax, " seconds"));
  }
  int64_t const now_s = now_us_ / kMicrosPerSecond;
  moment.ttl = static_cast<int32_t>(ttl);
  moment.local_deletion_time = static_cast<uint32_t>(now_s);
  moment.expires_at = ttl == 0 ? kNoDeletionTime : static_cast<uint32_t>(now_s + ttl);
  return moment;
}

Result<std::vector<RowChange>> CqlChanges::BindOne(const cql::Insert& insert,
                                                   const cql::UsingClause* batch_using) {
  RETURN_IF_ERROR(CheckTable(insert.into));
  const cql::Position& position = insert.into.position;
  if (insert.if_not_exists) {
    return Status::Unsupported(StrCat(At(position), "IF NOT EXISTS cannot be written to files"));
  }
  ASSIGN_OR_RETURN(Moment const moment, MomentOf(insert.using_clause, batch_using));
  if (insert.json.has_value()) {
    if (insert.json->kind != cql::Term::Kind::kString) {
      return Status::InvalidArgument(StrCat(At(insert.json->position), "a string is expected"));
    }
    ASSIGN_OR_RETURN(JsonValue const object, ObjectOf(insert.json->text, insert.json->position));
    ASSIGN_OR_RETURN(std::vector<NamedValue> const values,
                     ValuesOfJson(object, insert.json_default_unset, insert.json->position));
    return MakeRow(values, moment, position);
  }
  if (insert.columns.size() != insert.values.size()) {
    return Status::InvalidArgument(StrCat(At(position), "Unmatched column names/values"));
  }
  std::vector<NamedValue> values;
  for (size_t index = 0; index < insert.columns.size(); ++index) {
    const cql::Term& term = insert.values[index];
    auto const found = schema_.Find(insert.columns[index]);
    if (!found.has_value()) {
      return Undefined(term.position, insert.columns[index]);
    }
    ASSIGN_OR_RETURN(auto value,
                     cql::BindTerm(term, *Frozen(found->column->type), found->column->name));
    values.push_back(
        {.column = insert.columns[index], .value = std::move(value), .position = term.position});
  }
  return MakeRow(values, moment, position);
}

Result<std::vector<NamedValue>> CqlChanges::ValuesOfJson(const JsonValue& object,
                                                         bool absent_is_unset,
                                                         const cql::Position& position) const {
  std::vector<NamedValue> values;
  std::set<std::string> named;
  for (size_t index = 0; index < object.names.size(); ++index) {
    std::string const name = ColumnFromJsonName(object.names[index]);
    auto const found = schema_.Find(name);
    if (!found.has_value()) {
      return Status::InvalidArgument(
          StrCat(At(position), "JSON values map contains unrecognized column: ", name));
    }
    auto value = ValueFromJson(*Frozen(found->column->type), object.items[index]);
    if (!value.ok()) {
      return Status::InvalidArgument(StrCat(At(position), "Error decoding JSON value for ", name,
                                            ": ", value.status().message()));
    }
    // Of a name that is there twice the last counts, as for most readers of JSON.
    std::erase_if(values, [&](const NamedValue& other) { return other.column == name; });
    named.insert(name);
    values.push_back({.column = name, .value = *std::move(value), .position = position});
  }
  for (auto const* columns : {&schema_.statics, &schema_.regulars}) {
    for (const SchemaColumn& column : *columns) {
      if (!absent_is_unset && !named.contains(column.name)) {
        values.push_back({.column = column.name, .value = std::nullopt, .position = position});
      }
    }
  }
  return values;
}

Result<std::vector<RowChange>> CqlChanges::BindRow(const std::vector<NamedValue>& values,
                                                   const RowTimes& times) {
  ASSIGN_OR_RETURN(Moment const moment, MomentOf(times));
  return MakeRow(values, moment, {});
}

Result<std::vector<RowChange>> CqlChanges::BindJson(std::string_view json,
                                                    const JsonRowOptions& options) {
  ASSIGN_OR_RETURN(JsonValue object, ObjectOf(json, {}));
  RowTimes times = options.times;
  RETURN_IF_ERROR(TakeNumber(object, options.timestamp_name, times.timestamp_us));
  RETURN_IF_ERROR(TakeNumber(object, options.ttl_name, times.ttl_s));
  ASSIGN_OR_RETURN(Moment const moment, MomentOf(times));
  ASSIGN_OR_RETURN(std::vector<NamedValue> const values,
                   ValuesOfJson(object, options.absent_is_unset, {}));
  return MakeRow(values, moment, {});
}

Result<std::vector<RowChange>> CqlChanges::MakeRow(const std::vector<NamedValue>& values,
                                                   const Moment& moment,
                                                   const cql::Position& position) {
  std::map<std::string, std::vector<Values>> key_values;
  Values clustering(schema_.clustering.size());
  size_t clustering_count = 0;
  ChangeRow row;
  ChangeRow static_row;
  static_row.is_static = true;
  bool has_regulars = false;
  bool has_statics = false;
  for (const NamedValue& named : values) {
    auto const found = schema_.Find(named.column);
    if (!found.has_value()) {
      return Undefined(named.position, named.column);
    }
    bool const is_key =
        found->role == ColumnRole::kPartitionKey || found->role == ColumnRole::kClustering;
    if (is_key && !named.value.has_value()) {
      return Status::InvalidArgument(
          StrCat(At(named.position), "Invalid null value for column ", named.column));
    }
    if (found->role == ColumnRole::kPartitionKey) {
      key_values[named.column] = {{*named.value}};
    } else if (found->role == ColumnRole::kClustering) {
      clustering[found->index] = *named.value;
      ++clustering_count;
    } else {
      bool const is_static = found->role == ColumnRole::kStatic;
      (is_static ? has_statics : has_regulars) = true;
      RETURN_IF_ERROR(SetValue(*found, named.value, moment, is_static ? static_row : row));
    }
  }
  ASSIGN_OR_RETURN(std::vector<std::string> const keys, KeysOf(key_values));
  bool const only_statics = clustering_count == 0 && has_statics && !has_regulars;
  if (clustering_count != clustering.size() && !only_statics) {
    return Status::InvalidArgument(StrCat(At(position), "Some clustering keys are missing"));
  }
  std::vector<RowChange> changes;
  if (has_statics) {
    changes.push_back({.key = keys.front(), .what = std::move(static_row)});
  }
  if (!only_statics || clustering.empty()) {
    row.clustering = Prefix(ClusteringKind::kClustering, clustering);
    row.liveness = {.timestamp = moment.timestamp,
                    .ttl = moment.ttl,
                    .local_expiration_time = moment.expires_at};
    changes.push_back({.key = keys.front(), .what = std::move(row)});
  }
  return changes;
}

Result<std::vector<RowChange>> CqlChanges::BindOne(const cql::Update& update,
                                                   const cql::UsingClause* batch_using) {
  RETURN_IF_ERROR(CheckTable(update.table));
  if (update.conditional) {
    return Status::Unsupported(StrCat(At(update.table.position), "IF needs what is in the table"));
  }
  ASSIGN_OR_RETURN(Moment const moment, MomentOf(update.using_clause, batch_using));
  ASSIGN_OR_RETURN(Places const places, BindWhere(update.where));
  std::vector<RowChange> changes;
  for (const std::string& key : places.keys) {
    for (const Values& clustering : places.clusterings) {
      ChangeRow row;
      ChangeRow static_row;
      static_row.is_static = true;
      bool has_regulars = false;
      bool has_statics = false;
      for (const cql::Assignment& assignment : update.assignments) {
        auto const found = schema_.Find(assignment.column);
        if (!found.has_value()) {
          return Undefined(assignment.position, assignment.column);
        }
        if (found->role == ColumnRole::kPartitionKey || found->role == ColumnRole::kClustering) {
          return Status::InvalidArgument(StrCat(At(assignment.position), "PRIMARY KEY part ",
                                                assignment.column, " found in SET part"));
        }
        bool const is_static = found->role == ColumnRole::kStatic;
        (is_static ? has_statics : has_regulars) = true;
        RETURN_IF_ERROR(AddAssignment(assignment, moment, *found, is_static ? static_row : row));
      }
      if (has_regulars && (clustering.size() != schema_.clustering.size() ||
                           places.lower.has_value() || places.upper.has_value())) {
        return Status::InvalidArgument(
            StrCat(At(update.table.position), "Some clustering keys are missing"));
      }
      if (has_statics) {
        changes.push_back({.key = key, .what = std::move(static_row)});
      }
      if (has_regulars) {
        row.clustering = Prefix(ClusteringKind::kClustering, clustering);
        changes.push_back({.key = key, .what = std::move(row)});
      }
    }
  }
  return changes;
}

Result<std::vector<RowChange>> CqlChanges::BindOne(const cql::Delete& deletion,
                                                   const cql::UsingClause* batch_using) {
  RETURN_IF_ERROR(CheckTable(deletion.from));
  if (deletion.conditional) {
    return Status::Unsupported(StrCat(At(deletion.from.position), "IF needs what is in the table"));
  }
  ASSIGN_OR_RETURN(Moment const moment, MomentOf(deletion.using_clause, batch_using));
  ASSIGN_OR_RETURN(Places const places, BindWhere(deletion.where));
  DeletionTime const deleted = {.marked_for_delete_at = moment.timestamp,
                                .local_deletion_time = moment.local_deletion_time};
  bool const is_slice = places.lower.has_value() || places.upper.has_value();
  bool const whole_row = places.clustering_count == schema_.clustering.size() && !is_slice;
  std::vector<RowChange> changes;
  for (const std::string& key : places.keys) {
    for (const Values& clustering : places.clusterings) {
      if (deletion.targets.empty()) {
        if (clustering.empty() && !is_slice && !schema_.clustering.empty()) {
          changes.push_back({.key = key, .what = DeletePartition{deleted}});
        } else if (whole_row && !schema_.clustering.empty()) {
          ChangeRow row;
          row.clustering = Prefix(ClusteringKind::kClustering, clustering);
          row.deletion = deleted;
          changes.push_back({.key = key, .what = std::move(row)});
        } else if (schema_.clustering.empty()) {
          changes.push_back({.key = key, .what = DeletePartition{deleted}});
        } else {
          ASSIGN_OR_RETURN(DeleteRange range, RangeOf(clustering, places, moment));
          // a > 5 AND a < 3 deletes nothing.
          if (clustering_.Compare(range.start.view(), range.end.view()) < 0) {
            changes.push_back({.key = key, .what = std::move(range)});
          }
        }
        continue;
      }
      for (const cql::Delete::Target& target : deletion.targets) {
        auto const found = schema_.Find(target.column);
        if (!found.has_value()) {
          return Undefined(target.position, target.column);
        }
        bool const is_static = found->role == ColumnRole::kStatic;
        if (!is_static && (found->role != ColumnRole::kRegular || !whole_row)) {
          return Status::InvalidArgument(
              StrCat(At(target.position), found->role == ColumnRole::kRegular
                                              ? "Range deletions are not supported for specific "
                                                "columns"
                                              : "Invalid identifier for deletion (should not be a "
                                                "PRIMARY KEY part)"));
        }
        ChangeRow row;
        row.is_static = is_static;
        if (!is_static) {
          row.clustering = Prefix(ClusteringKind::kClustering, clustering);
        }
        RETURN_IF_ERROR(AddTarget(target, moment, *found, row));
        changes.push_back({.key = key, .what = std::move(row)});
      }
    }
  }
  return changes;
}

Result<std::vector<RowChange>> CqlChanges::BindBatch(const cql::Batch& batch) {
  std::vector<RowChange> all;
  for (const cql::Change& change : batch.changes) {
    ASSIGN_OR_RETURN(
        std::vector<RowChange> changes,
        std::visit([&](auto const& one) { return BindOne(one, &batch.using_clause); }, change));
    std::move(changes.begin(), changes.end(), std::back_inserter(all));
  }
  return all;
}

Result<std::vector<RowChange>> CqlChanges::Bind(const cql::Statement& statement) {
  if (auto const* const insert = std::get_if<cql::Insert>(&statement)) {
    return BindOne(*insert, nullptr);
  }
  if (auto const* const update = std::get_if<cql::Update>(&statement)) {
    return BindOne(*update, nullptr);
  }
  if (auto const* const deletion = std::get_if<cql::Delete>(&statement)) {
    return BindOne(*deletion, nullptr);
  }
  if (auto const* const batch = std::get_if<cql::Batch>(&statement)) {
    return BindBatch(*batch);
  }
  if (auto const* const select = std::get_if<cql::Select>(&statement)) {
    return Status::InvalidArgument(StrCat(At(select->from.position),
                                          "SELECT changes nothing: expected INSERT, UPDATE, ",
                                          "DELETE or BATCH"));
  }
  return std::vector<RowChange>();
}

}  // namespace orochi::sstable
