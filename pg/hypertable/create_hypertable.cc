// create_hypertable: registers a partitioned table as it is, or makes a partitioned table in the
// place of a plain one.
//
//   1. Check who calls, on what, with which column and interval.
//   2. A table partitioned by RANGE on the time column only gets its row in orochi.hypertable.
//   3. A plain table is read as a definition, put aside under another name, and made anew as a
//      partitioned table; its rows are copied into chunks.
//   4. Everything the old table had is given to the new one, and what used the old is redirected.
//   5. The old table is dropped without CASCADE: had anything been forgotten, this fails.

#include "base/str_cat.h"
#include "pg/hypertable/catalog.h"
#include "pg/hypertable/interval_argument.h"
#include "pg/hypertable/lock_conflict.h"
#include "pg/hypertable/privileges.h"
#include "pg/hypertable/row_migration.h"
#include "pg/hypertable/table_definition.h"
#include "pg/hypertable/time_column.h"
#include "pg/spi/sql.h"

extern "C" {
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "commands/tablecmds.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

PG_FUNCTION_INFO_V1(create_hypertable_interval);
PG_FUNCTION_INFO_V1(create_hypertable_integer);
PG_FUNCTION_INFO_V1(create_hypertable_text);
}

namespace orochi::pg {
namespace {

using timeseries::ChunkInterval;
using timeseries::TimeKind;

struct Request {
  Oid relid;
  const char* time_column;  // null: find it
  IntervalArgument interval;
  bool if_not_exists;
  bool migrate_data;
};

struct TableTraits {
  bool exists;
  char kind;
  char persistence;
  bool is_partition;
  bool is_system;
};

TableTraits ReadTraits(Oid relid) {
  return TryPg([&]() noexcept {
    TableTraits traits = {};
    HeapTuple const row = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
    if (HeapTupleIsValid(row)) {
      Form_pg_class const form = reinterpret_cast<Form_pg_class>(GETSTRUCT(row));
      traits = {.exists = true,
                .kind = form->relkind,
                .persistence = form->relpersistence,
                .is_partition = form->relispartition,
                .is_system = relid < FirstNormalObjectId};
      ReleaseSysCache(row);
    }
    return traits;
  });
}

Status RequireTable(Oid relid, const TableTraits& traits) {
  if (!traits.exists) {
    return Status::NotFound(StrCat("relation with OID ", relid, " does not exist"));
  }
  std::string const name = QualifiedName(relid);
  if (traits.kind == RELKIND_FOREIGN_TABLE) {
    return Status::Unsupported(
        StrCat("cannot make ", name, " a hypertable: it is a foreign table"));
  }
  if (traits.kind != RELKIND_RELATION && traits.kind != RELKIND_PARTITIONED_TABLE) {
    return Status::InvalidArgument(
        StrCat("cannot make ", name, " a hypertable: it is not a table"));
  }
  if (traits.is_system) {
    return Status::Unsupported(StrCat("cannot make ", name, " a hypertable: it is a system table"));
  }
  if (traits.persistence == RELPERSISTENCE_TEMP) {
    return Status::Unsupported(StrCat("cannot make ", name, " a hypertable: it is temporary"));
  }
  if (traits.is_partition) {
    return Status::Unsupported(
               StrCat("cannot make ", name, " a hypertable: it is a partition of another table"))
        .WithHint("Make the parent table a hypertable.");
  }
  return Status::Ok();
}

void RequireOwner(Oid relid) {
  TryPg([&]() noexcept {
    if (!pg_class_ownercheck(relid, GetUserId())) {
      aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, get_rel_name(relid));
    }
  });
}

// Step 2.
Status AdoptPartitionedTable(const Request& request) {
  ASSIGN_OR_RETURN(Hypertable const hypertable, DescribePartitionKey(request.relid));
  std::string const key_column = ColumnName(request.relid, hypertable.time_attno);
  if (request.time_column != nullptr && key_column != request.time_column) {
    return Status::InvalidArgument(StrCat("table ", QualifiedName(request.relid),
                                          " is partitioned by column \"", key_column,
                                          "\", expected \"", request.time_column, "\""));
  }
  Oid const default_partition =
      TryPg([&]() noexcept { return get_default_partition_oid(request.relid); });
  if (OidIsValid(default_partition)) {
    return Status::Unsupported(StrCat("cannot make ", QualifiedName(request.relid),
                                      " a hypertable: ", QualifiedName(default_partition),
                                      " is its DEFAULT partition"))
        .WithHint("Move its rows into partitions with bounds and detach it.");
  }
  ASSIGN_OR_RETURN(ChunkInterval const interval,
                   ResolveInterval(request.interval, hypertable.kind, key_column));
  return InsertHypertable(request.relid, hypertable.kind, interval);
}

void RunAll(SettingsScope& settings, const std::vector<DefinitionCommand>& commands) {
  for (const DefinitionCommand& command : commands) {
    settings.Set("default_tablespace", command.tablespace);
    RunSql(command.text);
  }
}

// Settings under which a definition's commands mean what they say, whatever the session has set.
// Without parallel workers, the parts of a UNION ALL come in the order they are written.
void SetForDefinitions(SettingsScope& settings) {
  settings.Set("search_path", "pg_catalog");
  settings.Set("max_parallel_workers_per_gather", "0");
  settings.Set("default_tablespace", "");
  settings.Set("check_function_bodies", "off");
}

// Identity columns keep the names, values and grants of their sequences.
void RestoreIdentities(const TableDefinition& table, Oid new_relid) {
  for (const IdentitySequence& identity : table.identities) {
    SqlRow const found = QuerySql(R"(
      SELECT s.oid, s.relname, format('%I.%I', n.nspname, s.relname), format('%I.%I', n.nspname, 'orochi_old_' || $2)
      FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
      JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = d.refobjsubid
      WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1
        AND d.deptype = 'i'
        AND a.attname = (SELECT o.attname FROM pg_depend x JOIN pg_attribute o ON o.attrelid = x.refobjid AND o.attnum = x.refobjsubid
                         WHERE x.classid = 'pg_class'::regclass AND x.objid = $2 AND x.deptype = 'i'))",
                                  new_relid, identity.relid)
                             .at(0);
    std::string const sequence = found[2].value_or("");
    RunSql(StrCat("SELECT pg_catalog.setval(", found[0].value_or(""),
                  "::oid::regclass, last_value, is_called) FROM ", found[3].value_or("")));
    CopyPrivileges(identity.relid, static_cast<Oid>(std::stoul(found[0].value_or("0"))));
    if (found[1] != identity.name) {
      const char* const name = identity.name.c_str();
      std::string const quoted = TryPg([&]() noexcept { return quote_identifier(name); });
      RunSql(StrCat("ALTER SEQUENCE ", sequence, " RENAME TO ", quoted));
    }
  }
}

void WarnOfPublications(Oid relid, const std::string& table) {
  for (const SqlRow& row : QuerySql(R"(
         SELECT p.pubname FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
         WHERE r.prrelid = $1 AND NOT p.pubviaroot ORDER BY 1)",
                                    relid)) {
    std::string const publication = row[0].value_or("");
    const char* const publication_text = publication.c_str();
    const char* const table_text = table.c_str();
    TryPg([&]() noexcept {
      ereport(WARNING, (errmsg("publication \"%s\" sends rows of %s under the names of its chunks",
                               publication_text, table_text),
                        errhint("ALTER PUBLICATION ... SET (publish_via_partition_root = true) "
                                "sends them under the table's name.")));
    });
  }
}

// Steps 3 to 5. Answers the new table.
Result<Oid> RebuildAsHypertable(const Request& request, const TimeColumn& time,
                                const ChunkInterval& interval) {
  Oid const old_relid = request.relid;
  std::string const column = ColumnName(old_relid, time.attno);
  TableDefinition table;
  Hypertable hypertable;
  {
    SettingsScope settings;
    SetForDefinitions(settings);
    RETURN_IF_ERROR(RequireCarriesOver(old_relid, time.attno));
    table = ReadTableDefinition(old_relid, time.attno);
    RunAll(settings, table.put_aside);
    RunSql(StrCat("ALTER TABLE ", table.aside_name, " DISABLE ROW LEVEL SECURITY, ",
                  "NO FORCE ROW LEVEL SECURITY"));
    RunAll(settings, table.create);
    const char* const schema = table.schema.c_str();
    const char* const name = table.name.c_str();
    Oid const new_relid =
        TryPg([&]() noexcept { return get_relname_relid(name, get_namespace_oid(schema, false)); });
    ASSIGN_OR_RETURN(hypertable, DescribePartitionKey(new_relid));
    hypertable.interval = interval;
    settings.Restore();
  }
  // The rows are copied under the session's own settings: CHECK constraints and generated columns
  // may call functions that need them.
  ASSIGN_OR_RETURN(MigrationCounts const moved,
                   MigrateRows(old_relid, time.attno, hypertable, table));
  {
    SettingsScope settings;
    SetForDefinitions(settings);
    RestoreIdentities(table, hypertable.relid);
    RunAll(settings, table.complete);
    CopyPrivileges(old_relid, hypertable.relid);
    RunAll(settings, table.redirect);
    RunSql(StrCat("DROP TABLE ", table.aside_name));
    settings.Restore();
  }
  RETURN_IF_ERROR(InsertHypertable(hypertable.relid, hypertable.kind, interval));
  WarnOfPublications(hypertable.relid, table.qualified_name);
  if (moved.rows > 0) {
    const char* const name = table.qualified_name.c_str();
    TryPg([&]() noexcept {
      ereport(NOTICE, (errmsg("moved " UINT64_FORMAT " rows of %s into " UINT64_FORMAT " chunks",
                              moved.rows, name, moved.chunks)));
    });
  }
  return hypertable.relid;
}

// Locks the table as its kind needs. Another session may have put a hypertable in its place while
// we waited: then that one is taken, by name, as a statement that waited for ALTER TABLE would.
Result<TableTraits> LockTable(Oid* relid) {
  for (;;) {
    TableTraits const before = ReadTraits(*relid);
    RETURN_IF_ERROR(RequireTable(*relid, before));
    RequireOwner(*relid);
    struct Name {
      const char* schema;
      const char* table;
    };
    Oid const candidate = *relid;
    NoteStrongLock();
    Oid const now = TryPg([&]() noexcept {
      Name const name = {.schema = get_namespace_name(get_rel_namespace(candidate)),
                         .table = get_rel_name(candidate)};
      LockRelationOid(candidate, before.kind == RELKIND_PARTITIONED_TABLE ? ShareUpdateExclusiveLock
                                                                          : AccessExclusiveLock);
      if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(candidate)) || name.table == nullptr ||
          name.schema == nullptr) {
        return candidate;
      }
      UnlockRelationOid(candidate, AccessExclusiveLock);
      Oid const schema = get_namespace_oid(name.schema, true);
      return OidIsValid(schema) ? get_relname_relid(name.table, schema) : InvalidOid;
    });
    if (now == candidate || !OidIsValid(now)) {
      TableTraits const after = ReadTraits(candidate);
      RETURN_IF_ERROR(RequireTable(candidate, after));
      return after;
    }
    *relid = now;
  }
}

Result<Oid> CreateHypertable(Request request) {
  ASSIGN_OR_RETURN(TableTraits const traits, LockTable(&request.relid));
  Oid const relid = request.relid;
  bool const is_partitioned = traits.kind == RELKIND_PARTITIONED_TABLE;
  ASSIGN_OR_RETURN(std::optional<Hypertable> const existing, LookupHypertable(relid));
  if (existing.has_value()) {
    std::string const name = QualifiedName(relid);
    if (!request.if_not_exists) {
      return Status::AlreadyExists(StrCat("table ", name, " is already a hypertable"))
          .WithHint("if_not_exists => true accepts that.");
    }
    const char* const name_text = name.c_str();
    TryPg([&]() noexcept {
      ereport(NOTICE, (errmsg("table %s is already a hypertable, skipping", name_text)));
    });
    return relid;
  }
  if (is_partitioned) {
    RETURN_IF_ERROR(AdoptPartitionedTable(request));
    return relid;
  }
  TryPg([&]() noexcept {
    Relation const relation = table_open(relid, NoLock);
    CheckTableNotInUse(relation, "make a hypertable of");
    table_close(relation, NoLock);
  });
  ASSIGN_OR_RETURN(TimeColumn const time, FindTimeColumn(relid, request.time_column));
  ASSIGN_OR_RETURN(ChunkInterval const interval,
                   ResolveInterval(request.interval, time.kind, ColumnName(relid, time.attno)));
  if (!request.migrate_data && !IsEmptyTable(relid)) {
    return Status::FailedPrecondition(StrCat("table ", QualifiedName(relid), " is not empty"))
        .WithHint("migrate_data => true moves its rows into chunks.");
  }
  return RebuildAsHypertable(request, time, interval);
}

// (relation, time_column_name, chunk_time_interval, if_not_exists, migrate_data)
Datum EnterCreateHypertable(FunctionCallInfo fcinfo, IntervalArgument interval) {
  return Boundary([&]() -> Result<Datum> {
    if (PG_ARGISNULL(0)) {
      return Status::InvalidArgument("relation must not be null");
    }
    ASSIGN_OR_RETURN(
        Oid const relid,
        CreateHypertable({.relid = PG_GETARG_OID(0),
                          .time_column = PG_ARGISNULL(1) ? nullptr : NameStr(*PG_GETARG_NAME(1)),
                          .interval = interval,
                          .if_not_exists = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3),
                          .migrate_data = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4)}));
    return ObjectIdGetDatum(relid);
  });
}

}  // namespace
}  // namespace orochi::pg

Datum create_hypertable_interval(PG_FUNCTION_ARGS) {
  return orochi::pg::EnterCreateHypertable(
      fcinfo, {.span = PG_ARGISNULL(2) ? nullptr : PG_GETARG_INTERVAL_P(2)});
}

Datum create_hypertable_integer(PG_FUNCTION_ARGS) {
  return orochi::pg::EnterCreateHypertable(
      fcinfo,
      {.has_integer = !PG_ARGISNULL(2), .integer = PG_ARGISNULL(2) ? 0 : PG_GETARG_INT64(2)});
}

Datum create_hypertable_text(PG_FUNCTION_ARGS) {
  return orochi::pg::EnterCreateHypertable(
      fcinfo, {.text_form = PG_ARGISNULL(2) ? nullptr : PG_GETARG_TEXT_PP(2)});
}
