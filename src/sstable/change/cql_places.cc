// Which partitions, rows and ranges statements name.
#include <utility>

#include "sstable/change/cql_changes.h"
#include "base/str_cat.h"
#include "sstable/change/internal/statement_text.h"
#include "sstable/cql/bind.h"
#include "sstable/types/decorated_key.h"

namespace orochi::sstable {

using internal::At;
using internal::Prefix;
using internal::Undefined;

namespace {

bool IsLower(cql::Operator op) {
  return op == cql::Operator::kGreater || op == cql::Operator::kGreaterEqual;
}
bool IsUpper(cql::Operator op) {
  return op == cql::Operator::kLess || op == cql::Operator::kLessEqual;
}

}  // namespace

Result<std::string> CqlChanges::BindKeyValue(const SchemaColumn& column,
                                             const cql::Term& term) const {
  ASSIGN_OR_RETURN(auto value, cql::BindTerm(term, *column.type, column.name));
  if (!value.has_value()) {
    return Status::InvalidArgument(
        StrCat(At(term.position), "Invalid null value for column ", column.name));
  }
  return *std::move(value);
}

Result<CqlChanges::Values> CqlChanges::BindTuple(const std::vector<const SchemaColumn*>& columns,
                                                 const cql::Term& term) const {
  if (columns.size() == 1 && term.kind != cql::Term::Kind::kTuple) {
    ASSIGN_OR_RETURN(std::string value, BindKeyValue(*columns[0], term));
    return Values{std::move(value)};
  }
  if (term.kind != cql::Term::Kind::kTuple || term.items.size() != columns.size()) {
    return Status::InvalidArgument(
        StrCat(At(term.position), "expected a tuple of ", columns.size(), " values"));
  }
  Values values;
  for (size_t index = 0; index < columns.size(); ++index) {
    ASSIGN_OR_RETURN(std::string value, BindKeyValue(*columns[index], term.items[index]));
    values.push_back(std::move(value));
  }
  return values;
}

// The values of = and IN: each one for every column of the relation.
Result<std::vector<CqlChanges::Values>> CqlChanges::BindRelation(
    const cql::Relation& relation) const {
  std::vector<const SchemaColumn*> columns;
  for (const std::string& name : relation.columns) {
    columns.push_back(schema_.Find(name)->column);
  }
  std::vector<Values> bound;
  for (const cql::Term& term : relation.values) {
    if (relation.is_tuple) {
      ASSIGN_OR_RETURN(Values values, BindTuple(columns, term));
      bound.push_back(std::move(values));
    } else {
      ASSIGN_OR_RETURN(std::string value, BindKeyValue(*columns[0], term));
      bound.push_back({std::move(value)});
    }
  }
  return bound;
}

Result<std::vector<std::string>> CqlChanges::KeysOf(
    std::map<std::string, std::vector<Values>>& equal) const {
  std::vector<Values> keys = {{}};
  for (const SchemaColumn& column : schema_.partition_key) {
    auto const found = equal.find(column.name);
    if (found == equal.end()) {
      return Status::InvalidArgument(StrCat("Some partition key parts are missing: ", column.name));
    }
    std::vector<Values> longer;
    for (const Values& key : keys) {
      for (const Values& value : found->second) {
        longer.push_back(key);
        longer.back().push_back(value.front());
      }
    }
    keys = std::move(longer);
  }
  std::vector<std::string> made;
  for (const Values& key : keys) {
    if (key.size() == 1 && key.front().empty()) {
      return Status::InvalidArgument("Key may not be empty");
    }
    ASSIGN_OR_RETURN(std::string bytes, MakePartitionKey(key));
    made.push_back(std::move(bytes));
  }
  return made;
}

Result<CqlChanges::Places> CqlChanges::BindWhere(const std::vector<cql::Relation>& where) const {
  std::map<std::string, std::vector<Values>> equal;  // of tuples by their first column
  Places places;
  for (const cql::Relation& relation : where) {
    for (const std::string& name : relation.columns) {
      auto const found = schema_.Find(name);
      if (!found.has_value()) {
        return Undefined(relation.position, name);
      }
      if (found->role != ColumnRole::kPartitionKey && found->role != ColumnRole::kClustering) {
        return Status::InvalidArgument(StrCat(At(relation.position), "Non PRIMARY KEY columns ",
                                              "found in where clause: ", name));
      }
    }
    if (relation.is_token || relation.element.has_value()) {
      return Status::InvalidArgument(
          StrCat(At(relation.position), "WHERE of a change names key columns and their values"));
    }
    bool const is_equal = relation.op == cql::Operator::kEqual || relation.op == cql::Operator::kIn;
    if (!is_equal && !IsLower(relation.op) && !IsUpper(relation.op)) {
      return Status::InvalidArgument(
          StrCat(At(relation.position), "this operator cannot stand in WHERE of a change"));
    }
    if (is_equal) {
      ASSIGN_OR_RETURN(std::vector<Values> values, BindRelation(relation));
      if (!equal.emplace(relation.columns.front(), std::move(values)).second) {
        return Status::InvalidArgument(StrCat(At(relation.position), relation.columns.front(),
                                              " cannot be restricted by more than one relation"));
      }
      continue;
    }
    std::optional<cql::Relation>& side = IsLower(relation.op) ? places.lower : places.upper;
    if (side.has_value()) {
      return Status::InvalidArgument(
          StrCat(At(relation.position), "more than one restriction of one kind"));
    }
    side = relation;
  }
  ASSIGN_OR_RETURN(places.keys, KeysOf(equal));
  places.clusterings = {{}};
  while (places.clustering_count < schema_.clustering.size()) {
    auto const found = equal.find(schema_.clustering[places.clustering_count].name);
    if (found == equal.end()) {
      break;
    }
    std::vector<Values> longer;
    for (const Values& prefix : places.clusterings) {
      for (const Values& values : found->second) {
        longer.push_back(prefix);
        longer.back().insert(longer.back().end(), values.begin(), values.end());
      }
    }
    places.clustering_count += found->second.empty() ? 1 : found->second.front().size();
    places.clusterings = std::move(longer);
  }
  for (size_t index = places.clustering_count; index < schema_.clustering.size(); ++index) {
    if (equal.contains(schema_.clustering[index].name)) {
      return Status::InvalidArgument(StrCat("PRIMARY KEY column \"", schema_.clustering[index].name,
                                            "\" cannot be restricted as preceding column \"",
                                            schema_.clustering[places.clustering_count].name,
                                            "\" is not restricted"));
    }
  }
  return places;
}

Result<CqlChanges::Values> CqlChanges::BoundValues(const Values& prefix,
                                                   const cql::Relation& relation) const {
  std::vector<const SchemaColumn*> columns;
  for (const std::string& name : relation.columns) {
    auto const found = schema_.Find(name);
    size_t const expected = prefix.size() + columns.size();
    if (found->role != ColumnRole::kClustering || found->index != expected) {
      return Status::InvalidArgument(StrCat(At(relation.position), "Clustering column \"", name,
                                            "\" cannot be restricted: the columns before it are ",
                                            "not, or it is restricted twice"));
    }
    if (found->column->type->reversed != schema_.clustering[prefix.size()].type->reversed) {
      return Status::Unsupported(
          StrCat(At(relation.position), "a range over columns of different ", "clustering orders"));
    }
    columns.push_back(found->column);
  }
  Values values = prefix;
  ASSIGN_OR_RETURN(Values const bound, BindTuple(columns, relation.values.front()));
  values.insert(values.end(), bound.begin(), bound.end());
  return values;
}

// In descending columns greater values come first, so the sides change places.
Result<DeleteRange> CqlChanges::RangeOf(const Values& prefix, const Places& places,
                                        const Moment& moment) const {
  DeleteRange range;
  range.start = Prefix(ClusteringKind::kInclStartBound, prefix);
  range.end = Prefix(ClusteringKind::kInclEndBound, prefix);
  range.deletion = {.marked_for_delete_at = moment.timestamp,
                    .local_deletion_time = moment.local_deletion_time};
  for (auto const* const side : {&places.lower, &places.upper}) {
    if (!side->has_value()) {
      continue;
    }
    const cql::Relation& relation = **side;
    ASSIGN_OR_RETURN(Values const values, BoundValues(prefix, relation));
    bool const inclusive =
        relation.op == cql::Operator::kGreaterEqual || relation.op == cql::Operator::kLessEqual;
    bool const is_start = IsLower(relation.op) != schema_.clustering[prefix.size()].type->reversed;
    if (is_start) {
      range.start = Prefix(
          inclusive ? ClusteringKind::kInclStartBound : ClusteringKind::kExclStartBound, values);
    } else {
      range.end =
          Prefix(inclusive ? ClusteringKind::kInclEndBound : ClusteringKind::kExclEndBound, values);
    }
  }
  return range;
}

}  // namespace orochi::sstable
