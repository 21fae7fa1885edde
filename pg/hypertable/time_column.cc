#include "pg/hypertable/time_column.h"

#include "base/str_cat.h"
#include "pg/hypertable/catalog.h"
#include "pg/spi/sql.h"

extern "C" {
#include "access/table.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace orochi::pg {
namespace {

using timeseries::TimeKind;

// Columns that can be the time, for messages: "a, b" or "none".
std::string CandidateList(const std::vector<SqlRow>& candidates) {
  std::string list;
  for (const SqlRow& row : candidates) {
    list += StrCat(list.empty() ? "" : ", ", "\"", row[1].value_or(""), "\"");
  }
  return list.empty() ? "none" : list;
}

// The columns of a type of time, integers left out: nothing tells that those are times.
std::vector<SqlRow> TimeColumnCandidates(Oid relid) {
  return QuerySql(R"(
    WITH RECURSIVE base(attnum, attname, type) AS (
      SELECT attnum, attname, atttypid FROM pg_catalog.pg_attribute
      WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped
      UNION ALL
      SELECT b.attnum, b.attname, t.typbasetype FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type
      WHERE t.typtype = 'd')
    SELECT attnum, attname FROM base
    WHERE type IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype) ORDER BY attnum)",
                  relid);
}

Result<TimeColumn> DescribeColumn(Oid relid, AttrNumber attno) {
  struct Description {
    Oid type;
    char generated;
    const char* type_name;
  };
  auto const description = TryPg([&]() noexcept {
    Relation const relation = table_open(relid, NoLock);
    Form_pg_attribute const column = TupleDescAttr(RelationGetDescr(relation), attno - 1);
    Description const out = {.type = column->atttypid,
                             .generated = column->attgenerated,
                             .type_name = format_type_be(column->atttypid)};
    table_close(relation, NoLock);
    return out;
  });
  std::string const column =
      StrCat("column \"", ColumnName(relid, attno), "\" of ", QualifiedName(relid));
  if (description.generated != '\0') {
    return Status::Unsupported(StrCat(column, " is generated, and a time column cannot be"));
  }
  std::optional<TimeKind> const kind = TimeKindOfType(description.type);
  if (!kind.has_value()) {
    return Status::InvalidArgument(
               StrCat(column, " has type ", description.type_name, ", which is no type of time"))
        .WithHint("Use timestamptz, timestamp, date, smallint, integer or bigint.");
  }
  return TimeColumn{.attno = attno, .kind = *kind};
}

}  // namespace

Result<TimeColumn> FindTimeColumn(Oid relid, const char* name) {
  std::string const table = QualifiedName(relid);
  if (name != nullptr) {
    AttrNumber const attno = TryPg([&]() noexcept { return get_attnum(relid, name); });
    if (attno <= 0) {
      return Status::NotFound(StrCat("table ", table, " has no column \"", name, "\""))
          .WithHint(StrCat(
              "Its columns of a type of time: ", CandidateList(TimeColumnCandidates(relid)), "."));
    }
    return DescribeColumn(relid, attno);
  }
  std::vector<SqlRow> const candidates = TimeColumnCandidates(relid);
  if (candidates.size() != 1) {
    return Status::InvalidArgument(
               StrCat("table ", table, " has ", candidates.size(),
                      " columns of type timestamptz, timestamp or date, expected 1 when "
                      "time_column_name is not given"))
        .WithDetail(StrCat("Candidates: ", CandidateList(candidates), "."))
        .WithHint("Name the time column.");
  }
  return DescribeColumn(relid, static_cast<AttrNumber>(std::stoi(candidates[0][0].value_or("0"))));
}

}  // namespace orochi::pg
