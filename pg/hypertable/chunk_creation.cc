#include "pg/hypertable/chunk_creation.h"

#include "base/str_cat.h"
#include "pg/hypertable/lock_conflict.h"
#include "pg/hypertable/privileges.h"
#include "pg/lock_timeout_scope.h"
#include "pg/settings.h"
#include "pg/spi/sql.h"

extern "C" {
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/tablespace.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/partcache.h"
#include "utils/rel.h"
}

namespace orochi::pg {
namespace {

using timeseries::ChunkRange;
using timeseries::TickLimits;

// One side of the place between two neighbouring bounds where a value falls.
struct BoundSide {
  bool is_value;  // false: MINVALUE, MAXVALUE, or no bound on this side at all
  Datum value;
};

struct Placement {
  Oid relid;
  bool has_default;
  BoundSide lower;
  BoundSide upper;
};

// Plain PostgreSQL calls: runs inside TryPg. The bounds are by-value types, so copies outlive the
// relation cache's entry.
Placement Locate(Oid relid, Datum value) noexcept {
  Placement place = {};
  Relation const relation = table_open(relid, NoLock);
  PartitionDesc const partitions = RelationGetPartitionDesc(relation, false);
  PartitionKey const key = RelationGetPartitionKey(relation);
  PartitionBoundInfo const bounds = partitions->boundinfo;
  if (partitions->nparts > 0) {
    auto const side = [&](int index) noexcept {
      BoundSide out = {};
      if (index >= 0 && index < bounds->ndatums &&
          bounds->kind[index][0] == PARTITION_RANGE_DATUM_VALUE) {
        out = {.is_value = true, .value = bounds->datums[index][0]};
      }
      return out;
    };
    bool is_equal = false;
    int const offset = partition_range_datum_bsearch(key->partsupfunc, key->partcollation, bounds,
                                                     1, &value, &is_equal);
    int const index = bounds->indexes[offset + 1];
    place.relid = index >= 0 ? partitions->oids[index] : InvalidOid;
    place.has_default = bounds->default_index >= 0;
    place.lower = side(offset);
    place.upper = side(offset + 1);
  }
  table_close(relation, NoLock);
  return place;
}

ChunkRange RangeOf(const Hypertable& hypertable, const Placement& place) {
  TickLimits const limits = timeseries::LimitsOf(hypertable.kind);
  ChunkRange range = {.first = limits.first, .last = limits.last};
  // Infinite bounds count as the end of what is finite.
  if (place.lower.is_value) {
    range.first = TicksFromDatum(hypertable.kind, place.lower.value).value_or(limits.first);
  }
  if (place.upper.is_value) {
    if (auto const end = TicksFromDatum(hypertable.kind, place.upper.value); end.has_value()) {
      range.last = *end - 1;
    }
  }
  return range;
}

struct ParentTraits {
  Oid owner;
  bool is_unlogged;
  char replica_identity;
  const char* schema;
  const char* table;
  const char* tablespace;  // null: the database's
  int references;
};

ParentTraits ReadTraits(Oid relid) {
  return TryPg([&]() noexcept {
    Relation const relation = table_open(relid, NoLock);
    Form_pg_class const row = relation->rd_rel;
    ParentTraits const traits = {
        .owner = row->relowner,
        .is_unlogged = row->relpersistence == RELPERSISTENCE_UNLOGGED,
        .replica_identity = row->relreplident,
        .schema = get_namespace_name(row->relnamespace),
        .table = pstrdup(NameStr(row->relname)),
        .tablespace =
            OidIsValid(row->reltablespace) ? get_tablespace_name(row->reltablespace) : nullptr,
        .references = relation->rd_refcnt - 1,
    };
    table_close(relation, NoLock);
    return traits;
  });
}

std::string Quoted(const char* name) {
  return TryPg([&]() noexcept { return quote_identifier(name); });
}

// `table` + "_" + `suffix`, the table's part cut so that the whole fits a name, and numbered when
// something else already has that name.
Result<std::string> ChooseName(Oid relid, const char* table, const std::string& suffix) {
  Oid const schema = TryPg([&]() noexcept { return get_rel_namespace(relid); });
  constexpr int kAttemptsMax = 1000;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    std::string const tail = attempt == 0 ? StrCat("_", suffix) : StrCat("_", suffix, "_", attempt);
    int const room = NAMEDATALEN - 1 - static_cast<int>(tail.size());
    int const kept = TryPg(
        [&]() noexcept { return pg_mbcliplen(table, static_cast<int>(strlen(table)), room); });
    std::string name = std::string(table, static_cast<size_t>(kept)) + tail;
    const char* const c_name = name.c_str();
    if (!OidIsValid(TryPg([&]() noexcept { return get_relname_relid(c_name, schema); }))) {
      return name;
    }
  }
  return Status::AlreadyExists(StrCat("no free name for a chunk of ", QualifiedName(relid),
                                      " like \"", table, "_", suffix, "\""))
      .WithHint("Rename or drop the relations with such names.");
}

std::string Literal(const Hypertable& hypertable, int64_t ticks) {
  return StrCat("'", TimeText(hypertable.time_type, DatumFromTicks(hypertable.kind, ticks)), "'");
}

// FOR VALUES FROM ... TO ...: the upper bound is exclusive, so the last value of a type needs a
// bound above it.
std::string BoundsClause(const Hypertable& hypertable, const ChunkRange& range) {
  std::string upper;
  if (range.last < timeseries::LimitsOf(hypertable.kind).last) {
    upper = Literal(hypertable, range.last + 1);
  } else {
    bool const is_time = hypertable.kind == timeseries::TimeKind::kMicros ||
                         hypertable.kind == timeseries::TimeKind::kDays;
    upper = is_time ? "'infinity'" : "MAXVALUE";
  }
  return StrCat("FOR VALUES FROM (", Literal(hypertable, range.first), ") TO (", upper, ")");
}

// Runs statements with the owner's rights and with settings under which they mean the same in every
// session. After an error the transaction's abort restores user and settings.
class OwnerScope {
 public:
  explicit OwnerScope(Oid owner) {
    TryPg([&]() noexcept {
      GetUserIdAndSecContext(&user_, &security_);
      SetUserIdAndSecContext(
          owner, security_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
      nest_level_ = NewGUCNestLevel();
      static constexpr const char* kSettings[][2] = {{"search_path", "pg_catalog, pg_temp"},
                                                     {"default_tablespace", ""},
                                                     {"default_table_access_method", "heap"},
                                                     {"DateStyle", "ISO, YMD"},
                                                     {"TimeZone", "UTC"}};
      for (const auto& [name, value] : kSettings) {
        set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
      }
    });
  }
  OwnerScope(const OwnerScope&) = delete;
  OwnerScope& operator=(const OwnerScope&) = delete;

  /// Back to the caller's user and settings.
  void Leave() {
    TryPg([&]() noexcept {
      AtEOXact_GUC(false, nest_level_);
      SetUserIdAndSecContext(user_, security_);
    });
  }

 private:
  Oid user_ = InvalidOid;
  int security_ = 0;
  int nest_level_ = 0;
};

void RunStatements(const std::vector<std::string>& statements) {
  TryPg([]() noexcept { SPI_connect(); });
  for (const std::string& statement : statements) {
    const char* const text = statement.c_str();
    TryPg([&]() noexcept {
      int const code = SPI_execute(text, false, 0);
      if (code < 0) {
        elog(ERROR, "SPI_execute answered %s for: %s", SPI_result_code_string(code), text);
      }
    });
  }
  TryPg([]() noexcept { SPI_finish(); });
}

// What ANALYZE is to do with columns; LIKE leaves it out. pg_attver is not an option: late minor
// releases keep a column's own version there.
void AppendColumnSettings(Oid parent, const std::string& chunk,
                          std::vector<std::string>& statements) {
  for (const SqlRow& row : QuerySql(R"(
         SELECT format('SET STATISTICS %s', attstattarget), quote_ident(attname)
         FROM pg_catalog.pg_attribute
         WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attstattarget >= 0
         UNION ALL
         SELECT format('SET (%s)', o), quote_ident(attname)
         FROM pg_catalog.pg_attribute CROSS JOIN unnest(attoptions) o
         WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND o NOT LIKE 'pg_attver=%')",
                                    parent)) {
    statements.push_back(StrCat("ALTER TABLE ", chunk, " ALTER COLUMN ", row[1].value_or(""), " ",
                                row[0].value_or("")));
  }
}

Result<std::vector<std::string>> StatementsFor(const Hypertable& hypertable,
                                               const ParentTraits& traits,
                                               const ChunkRange& range) {
  std::string const suffix = timeseries::NameSuffix(hypertable.kind, range);
  ASSIGN_OR_RETURN(std::string const name, ChooseName(hypertable.relid, traits.table, suffix));
  std::string const schema = Quoted(traits.schema) + ".";
  std::string const chunk = schema + Quoted(name.c_str());
  std::string const parent = schema + Quoted(traits.table);
  std::vector<std::string> statements;
  // ATTACH makes the indexes. An identity copied to the chunk would be a second sequence.
  statements.push_back(StrCat("CREATE ", traits.is_unlogged ? "UNLOGGED " : "", "TABLE ", chunk,
                              " (LIKE ", parent,
                              " INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES) USING heap",
                              traits.tablespace == nullptr ? "" : " TABLESPACE ",
                              traits.tablespace == nullptr ? "" : Quoted(traits.tablespace)));
  AppendColumnSettings(hypertable.relid, chunk, statements);
  if (traits.replica_identity == REPLICA_IDENTITY_FULL ||
      traits.replica_identity == REPLICA_IDENTITY_NOTHING) {
    statements.push_back(
        StrCat("ALTER TABLE ", chunk, " REPLICA IDENTITY ",
               traits.replica_identity == REPLICA_IDENTITY_FULL ? "FULL" : "NOTHING"));
  }
  statements.push_back(StrCat("ALTER TABLE ", parent, " ATTACH PARTITION ", chunk, " ",
                              BoundsClause(hypertable, range)));
  return statements;
}

}  // namespace

Result<Chunk> FindChunk(const Hypertable& hypertable, int64_t ticks) {
  Datum const value = DatumFromTicks(hypertable.kind, ticks);
  Placement const place = TryPg([&]() noexcept { return Locate(hypertable.relid, value); });
  if (!OidIsValid(place.relid) && place.has_default) {
    return Status::Unsupported(StrCat("hypertable ", QualifiedName(hypertable.relid),
                                      " has a DEFAULT partition, which would swallow the rows of "
                                      "chunks that do not exist yet"))
        .WithHint("Detach the DEFAULT partition and insert its rows into the hypertable.");
  }
  return Chunk{.relid = place.relid, .range = RangeOf(hypertable, place)};
}

bool IsInUseHere(Oid relid, int own_references) {
  return TryPg([&]() noexcept {
    Relation const relation = table_open(relid, NoLock);
    bool const in_use = relation->rd_refcnt - 1 > own_references;
    table_close(relation, NoLock);
    return in_use;
  });
}

Result<Chunk> CreateChunk(const Hypertable& hypertable, int64_t ticks) {
  ASSIGN_OR_RETURN(ChunkRange const wanted,
                   timeseries::RangeFor(hypertable.kind, hypertable.interval, ticks));
  LockTimeoutScope const bounded(settings.chunk_create_timeout_ms);
  NoteStrongLock();
  // The lock comes first: who waited for it sees what its former holder attached.
  TryPg([&]() noexcept { LockRelationOid(hypertable.relid, ShareUpdateExclusiveLock); });
  ASSIGN_OR_RETURN(Chunk const found, FindChunk(hypertable, ticks));
  if (OidIsValid(found.relid)) {
    return found;
  }
  ParentTraits const traits = ReadTraits(hypertable.relid);
  if (traits.references > 0) {
    return Status::FailedPrecondition(
               StrCat("cannot create a chunk of ", QualifiedName(hypertable.relid),
                      " in this transaction while a statement or cursor of this session uses it"))
        .WithHint("Close the cursor, or commit before rows need the new chunk.");
  }
  ChunkRange const range = timeseries::ClipTo(wanted, found.range, ticks);
  OwnerScope owner(traits.owner);
  ASSIGN_OR_RETURN(std::vector<std::string> const statements,
                   StatementsFor(hypertable, traits, range));
  RunStatements(statements);
  owner.Leave();
  ASSIGN_OR_RETURN(Chunk const created, FindChunk(hypertable, ticks));
  ASSERT(OidIsValid(created.relid));
  ASSERT(created.range == range);
  // Rows are reached through the hypertable, by its grants and its policies.
  ClearPrivileges(created.relid);
  return created;
}

}  // namespace orochi::pg
