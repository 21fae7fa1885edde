// Query::Plan: what SELECT asks for, checked against the table.
#include <algorithm>

#include "base/str_cat.h"
#include "sstable/query/conversion.h"
#include "sstable/cql/bind.h"
#include "sstable/query/conversion.h"
#include "sstable/query/query.h"

namespace orochi::sstable {

namespace {

constexpr std::string_view kAllowFiltering =
    "Cannot execute this query as it might involve data filtering and thus may have unpredictable "
    "performance. If you want to execute this query despite the performance unpredictability, use "
    "ALLOW FILTERING";

Status At(cql::Position position, std::string_view message) {
  return Status::InvalidArgument(StrCat(cql::PositionText(position), " ", message));
}

std::vector<ColumnRef> AllColumns(const TableSchema& schema) {
  std::vector<ColumnRef> columns;
  for (const auto* group :
       {&schema.partition_key, &schema.clustering, &schema.statics, &schema.regulars}) {
    for (const SchemaColumn& column : *group) {
      columns.push_back(*FindColumn(schema, column.name));
    }
  }
  // SELECT * gives the key, then all others by name.
  auto const others = columns.begin() + static_cast<ptrdiff_t>(schema.partition_key.size() +
                                                               schema.clustering.size());
  std::sort(others, columns.end(), [](const ColumnRef& a, const ColumnRef& b) {
    return std::pair(a.role == ColumnRole::kRegular, a.name) <
           std::pair(b.role == ColumnRole::kRegular, b.name);
  });
  return columns;
}

bool IsKey(ColumnRole role) {
  return role == ColumnRole::kPartitionKey || role == ColumnRole::kClustering;
}

}  // namespace

Result<std::unique_ptr<Query>> Query::Plan(const cql::Select& select, const TableSchema& schema,
                                           TableSource& source, const QueryOptions& options) {
  std::unique_ptr<Query> query(new Query(schema, source, options));
  RETURN_IF_ERROR(query->PlanSelectors(select));
  ASSIGN_OR_RETURN(query->restrictions_, PlanRestrictions(select.where, schema, source.layout()));
  RETURN_IF_ERROR(query->PlanDistinct(select));
  RETURN_IF_ERROR(query->PlanGroups(select));
  RETURN_IF_ERROR(query->PlanOrder(select));
  RETURN_IF_ERROR(query->PlanLimits(select));
  if (query->restrictions_.needs_filtering && !select.allow_filtering) {
    return Status::InvalidArgument(std::string(kAllowFiltering));
  }
  return query;
}

Status Query::PlanSelectors(const cql::Select& select) {
  if (select.wildcard) {
    for (const ColumnRef& column : AllColumns(schema_)) {
      selectors_.push_back(SelectColumn(column));
    }
  }
  for (const cql::Selector& selector : select.selectors) {
    ASSIGN_OR_RETURN(
        CompiledSelector compiled,
        CompileSelector(selector, schema_, source_.layout().partitioner, aggregate_calls_));
    selectors_.push_back(std::move(compiled));
  }
  json_ = select.json;
  if (json_) {
    columns_.push_back({.name = "[json]", .type = SimpleType(TypeKind::kText)});
    return Status::Ok();
  }
  for (const CompiledSelector& selector : selectors_) {
    columns_.push_back({.name = selector.heading, .type = selector.expression->type()});
  }
  return Status::Ok();
}

Status Query::PlanDistinct(const cql::Select& select) {
  distinct_ = select.distinct;
  if (!distinct_) {
    return Status::Ok();
  }
  for (const CompiledSelector& selector : selectors_) {
    for (const ColumnRef& column : selector.columns) {
      if (column.role != ColumnRole::kPartitionKey && column.role != ColumnRole::kStatic) {
        return Status::InvalidArgument(
            StrCat("SELECT DISTINCT queries must only request partition key columns and/or static "
                   "columns (not ",
                   column.name, ")"));
      }
    }
  }
  if (restrictions_.has_clustering || restrictions_.has_others) {
    return Status::InvalidArgument(
        "SELECT DISTINCT with WHERE clause only supports restriction by partition key and/or "
        "static "
        "columns.");
  }
  return Status::Ok();
}

Status Query::PlanGroups(const cql::Select& select) {
  size_t next = 0;  // among partition key and clustering columns
  size_t const key_count = schema_.partition_key.size();
  auto const is_equal = [&](size_t place) {
    const std::string& name = place < key_count ? schema_.partition_key[place].name
                                                : schema_.clustering[place - key_count].name;
    const auto& equal = restrictions_.equal_columns;
    return std::find(equal.begin(), equal.end(), name) != equal.end();
  };
  for (const cql::Selector& selector : select.group_by) {
    if (!group_by_.empty() && group_by_.back().function != nullptr) {
      return At(selector.position,
                "Functions are only supported on the last element of the GROUP BY clause");
    }
    GroupKey key;
    const cql::Selector* named = &selector;
    if (selector.kind == cql::Selector::Kind::kFunction) {
      bool const is_monotonic =
          selector.name == "floor" || ConversionFunction(selector.name).has_value();
      if (!is_monotonic || selector.arguments.empty()) {
        return At(
            selector.position,
            StrCat("Only monotonic functions are supported in the GROUP BY clause. Got: system.",
                   selector.name));
      }
      std::vector<AggregateCall> none;
      ASSIGN_OR_RETURN(CompiledSelector compiled,
                       CompileSelector(selector, schema_, source_.layout().partitioner, none));
      key.function = std::move(compiled.expression);
      named = &selector.arguments[0];
    }
    if (named->kind != cql::Selector::Kind::kColumn) {
      return At(selector.position, "Group by supports only columns of the primary key here");
    }
    Result<ColumnRef> column = FindColumn(schema_, named->name);
    if (!column.ok()) {
      return At(selector.position, column.status().message());
    }
    if (!IsKey(column->role)) {
      return At(selector.position,
                StrCat("Group by is currently only supported on the columns of the PRIMARY KEY, "
                       "got ",
                       named->name));
    }
    if (key.function != nullptr && column->role != ColumnRole::kClustering) {
      return At(
          selector.position,
          StrCat("Group by functions are only supported on clustering columns, got ", named->name));
    }
    size_t const place =
        column->role == ColumnRole::kPartitionKey ? column->index : key_count + column->index;
    while (next < place && is_equal(next)) {
      ++next;
    }
    if (next != place) {
      return At(selector.position,
                StrCat("Group by currently only support groups of columns following their declared "
                       "order in the PRIMARY KEY"));
    }
    ++next;
    key.column = *std::move(column);
    group_by_.push_back(std::move(key));
  }
  while (next < key_count && is_equal(next)) {
    ++next;
  }
  if (!group_by_.empty() && next < key_count) {
    return Status::InvalidArgument("Group by is not supported on only a part of the partition key");
  }
  return Status::Ok();
}

Status Query::PlanOrder(const cql::Select& select) {
  if (select.order_by.empty()) {
    return Status::Ok();
  }
  if (restrictions_.access != Restrictions::Access::kKeys &&
      restrictions_.access != Restrictions::Access::kNothing) {
    return At(select.order_by[0].position,
              "ORDER BY is only supported when the partition key is restricted by an EQ or an IN.");
  }
  size_t next = 0;
  std::optional<bool> reversed;
  for (const cql::OrderBy& order : select.order_by) {
    Result<ColumnRef> column = FindColumn(schema_, order.column);
    if (!column.ok()) {
      return At(order.position, column.status().message());
    }
    if (column->role != ColumnRole::kClustering) {
      return At(order.position,
                StrCat("Order by is currently only supported on the clustered columns of the "
                       "PRIMARY KEY, got ",
                       order.column));
    }
    const auto& equal = restrictions_.equal_columns;
    while (next < column->index &&
           std::find(equal.begin(), equal.end(), schema_.clustering[next].name) != equal.end()) {
      ++next;
    }
    if (next != column->index) {
      return At(order.position,
                "Order by currently only supports the ordering of columns following their declared "
                "order in the PRIMARY KEY");
    }
    ++next;
    bool const against = order.descending != schema_.clustering[column->index].type->reversed;
    if (reversed.has_value() && *reversed != against) {
      return At(order.position, "Unsupported order by relation");
    }
    reversed = against;
    order_descending_.push_back(order.descending);
    order_by_.push_back(*std::move(column));
  }
  restrictions_.selection.reversed = *reversed;
  sort_ = restrictions_.keys.size() > 1;
  if (sort_ && (!aggregate_calls_.empty() || !group_by_.empty())) {
    return Status::Unsupported(
        "ORDER BY together with IN on the partition key and aggregates or GROUP BY");
  }
  return Status::Ok();
}

Status Query::PlanLimits(const cql::Select& select) {
  auto const plan = [](const std::optional<cql::Term>& term, std::string_view what,
                       uint64_t& limit) -> Status {
    if (!term.has_value()) {
      return Status::Ok();
    }
    ASSIGN_OR_RETURN(int64_t const count, cql::BindInteger(*term, what));
    if (count <= 0) {
      return At(term->position, StrCat(what, " must be strictly positive"));
    }
    limit = static_cast<uint64_t>(count);
    return Status::Ok();
  };
  RETURN_IF_ERROR(plan(select.limit, "LIMIT", limit_));
  RETURN_IF_ERROR(plan(select.per_partition_limit, "PER PARTITION LIMIT", partition_limit_));
  if (select.per_partition_limit.has_value()) {
    if (distinct_) {
      return Status::InvalidArgument(
          "PER PARTITION LIMIT is not allowed with SELECT DISTINCT queries");
    }
    if (!aggregate_calls_.empty() && group_by_.empty()) {
      return Status::InvalidArgument("PER PARTITION LIMIT is not allowed with aggregate queries.");
    }
  }
  return Status::Ok();
}

std::string Query::Explain() const {
  using Access = Restrictions::Access;
  std::string out;
  auto const line = [&](std::string_view name, std::string_view text) {
    out += StrCat(name, std::string(name.size() < 14 ? 14 - name.size() : 1, ' '), text, "\n");
  };
  switch (restrictions_.access) {
    case Access::kNothing:
      line("read", "nothing: the conditions exclude each other");
      break;
    case Access::kKeys:
      line("read", StrCat(restrictions_.keys.size(),
                          " partition(s) by key, through bloom filter and index"));
      break;
    case Access::kTokenRange:
      line("read", "a range of tokens, found through the index");
      break;
    case Access::kEverything:
      line("read", "every partition, from Data.db alone");
      break;
  }
  size_t const slices = restrictions_.selection.slices.size();
  line("rows", StrCat(slices == 0 ? "all" : StrCat(slices, " slice(s) of clustering values"),
                      restrictions_.selection.reversed ? ", last first" : ""));
  line("conditions", restrictions_.filters.empty()
                         ? "none on rows"
                         : StrCat(restrictions_.filters.size(), " checked on each row"));
  if (!aggregate_calls_.empty() || !group_by_.empty()) {
    line("aggregates", StrCat(aggregate_calls_.size(), group_by_.empty() ? "" : ", in groups"));
  }
  if (sort_) {
    line("sort", "rows of all partitions, in memory");
  }
  const SourceStatistics& source = source_.statistics();
  if (source.lookups > 0) {
    line("lookups", StrCat(source.lookups, " of a key in an SSTable, ", source.lookups_ruled_out,
                           " ruled out by bloom filter or key range"));
  }
  if (source.scans > 0) {
    line("scans", StrCat(source.scans, " of an SSTable"));
  }
  line("partitions", StrCat(statistics_.partitions_read, " read"));
  line("rows read", StrCat(statistics_.rows_read, ", ", statistics_.rows_returned, " returned"));
  return out;
}

}  // namespace orochi::sstable
