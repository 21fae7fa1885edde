// The options of the foreign data wrapper: which there are, who may set them, what they mean.

#include "pg/fdw/options.h"

#include <charconv>

#include "base/str_cat.h"

extern "C" {
#include "access/reloptions.h"
#include "catalog/pg_attribute.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_foreign_data_wrapper.h"
#include "catalog/pg_foreign_server.h"
#include "catalog/pg_foreign_table.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "foreign/foreign.h"
#include "lib/stringinfo.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(orochi_sstable_validator);
}

namespace orochi::pg {
namespace {

constexpr int64_t kPostgresEpochSeconds = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY;

enum class Kind : uint8_t { kPath, kName, kColumn, kBoolean, kNow, kOutOfRange, kEmptyValues };

struct Known {
  const char* name;
  Kind kind;
  bool of_server;
  bool of_table;
  bool of_column;
};

constexpr Known kKnown[] = {
    {"data_dir", Kind::kPath, true, false, false},
    {"schema_file", Kind::kPath, true, true, false},
    {"keyspace", Kind::kName, false, true, false},
    {"table", Kind::kName, false, true, false},
    {"directory", Kind::kPath, false, true, false},
    {"snapshot", Kind::kName, true, true, false},
    {"now", Kind::kNow, true, true, false},
    {"out_of_range", Kind::kOutOfRange, true, true, false},
    {"empty_values", Kind::kEmptyValues, true, true, false},
    {"column_name", Kind::kColumn, false, false, true},
    {"writetime", Kind::kColumn, false, false, true},
    {"ttl", Kind::kColumn, false, false, true},
    {"token", Kind::kBoolean, false, false, true},
};

bool BelongsTo(const Known& known, Oid catalog) {
  return (catalog == ForeignServerRelationId && known.of_server) ||
         (catalog == ForeignTableRelationId && known.of_table) ||
         (catalog == AttributeRelationId && known.of_column);
}

const Known* Find(const char* name, Oid catalog) {
  for (const Known& known : kKnown) {
    if (BelongsTo(known, catalog) && strcmp(known.name, name) == 0) {
      return &known;
    }
  }
  return nullptr;
}

// Plain. Reports an option that is not known here.
[[noreturn]] void ReportUnknown(const char* name, Oid catalog) {
  StringInfoData valid;
  initStringInfo(&valid);
  for (const Known& known : kKnown) {
    if (BelongsTo(known, catalog)) {
      appendStringInfo(&valid, "%s%s", valid.len > 0 ? ", " : "", known.name);
    }
  }
  ereport(ERROR, (errcode(ERRCODE_FDW_INVALID_OPTION_NAME), errmsg("invalid option \"%s\"", name),
                  valid.len > 0 ? errhint("Valid options in this context are: %s", valid.data)
                                : errhint("There are no valid options in this context.")));
  pg_unreachable();
}

[[noreturn]] void ReportValue(const char* name, const char* value, const char* expected) {
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                  errmsg("invalid value for option \"%s\": \"%s\"", name, value),
                  errhint("%s", expected)));
  pg_unreachable();
}

// Plain. Seconds since 1970 from such a number or from a timestamp.
int64_t ParseNow(const char* text) {
  int64_t seconds = 0;
  const char* const end = text + strlen(text);
  auto const parsed = std::from_chars(text, end, seconds);
  if (parsed.ec == std::errc() && parsed.ptr == end) {
    return seconds;
  }
  TimestampTz const time = DatumGetTimestampTz(DirectFunctionCall3(
      timestamptz_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
  if (TIMESTAMP_NOT_FINITE(time)) {
    ReportValue("now", text, "Give seconds since 1970 or a finite timestamp.");
  }
  int64_t const floor =
      time >= 0 ? time / USECS_PER_SEC : -((-time + USECS_PER_SEC - 1) / USECS_PER_SEC);
  return floor + kPostgresEpochSeconds;
}

bool IsOneOf(const char* value, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return strcmp(word, value) == 0; });
}

// Plain. A name becomes part of a path: it must not lead out of data_dir.
void CheckValue(const Known& known, const char* value) {
  switch (known.kind) {
    case Kind::kPath:
      if (!is_absolute_path(value)) {
        ReportValue(known.name, value, "Give an absolute path on the server.");
      }
      break;
    case Kind::kName:
      if (value[0] == '\0' || value[0] == '.' || strchr(value, '/') != nullptr) {
        ReportValue(known.name, value, "Give a name as Cassandra knows it, not a path.");
      }
      break;
    case Kind::kColumn:
      if (value[0] == '\0') {
        ReportValue(known.name, value, "Give the name of a column of the Cassandra table.");
      }
      break;
    case Kind::kBoolean:
      if (!IsOneOf(value, {"true", "false"})) {
        ReportValue(known.name, value, "Valid values are: true, false");
      }
      break;
    case Kind::kNow:
      ParseNow(value);
      break;
    case Kind::kOutOfRange:
      if (!IsOneOf(value, {"error", "null", "infinity"})) {
        ReportValue(known.name, value, "Valid values are: error, null, infinity");
      }
      break;
    case Kind::kEmptyValues:
      if (!IsOneOf(value, {"null", "error"})) {
        ReportValue(known.name, value, "Valid values are: null, error");
      }
      break;
  }
}

// Plain.
void Validate(List* options, Oid catalog) {
  int column_sources = 0;
  ListCell* cell = nullptr;
  foreach (cell, options) {
    auto* const option = lfirst_node(DefElem, cell);
    const Known* const known = Find(option->defname, catalog);
    if (known == nullptr) {
      ReportUnknown(option->defname, catalog);
    }
    if (known->kind == Kind::kPath && !has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES)) {
      ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                      errmsg("must be superuser or have privileges of the pg_read_server_files "
                             "role to name server files"),
                      errdetail("Option \"%s\" names a server file.", known->name)));
    }
    CheckValue(*known, defGetString(option));
    column_sources += catalog == AttributeRelationId ? 1 : 0;
  }
  if (column_sources > 1) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                    errmsg("a column has one of column_name, writetime, ttl and token")));
  }
}

// Takes options over; a later call overrides an earlier one.
void Apply(List* options, TableOptions& out) {
  for (int index = 0; index < list_length(options); ++index) {
    auto* const option = static_cast<DefElem*>(list_nth(options, index));
    const char* const name = option->defname;
    const char* const value = TryPg([&]() noexcept { return defGetString(option); });
    struct Text {
      const char* name;
      std::string* target;
    } const texts[] = {{"data_dir", &out.data_dir},   {"schema_file", &out.schema_file},
                       {"keyspace", &out.keyspace},   {"table", &out.table},
                       {"directory", &out.directory}, {"snapshot", &out.snapshot}};
    for (const Text& text : texts) {
      if (strcmp(name, text.name) == 0) {
        *text.target = value;
      }
    }
    if (strcmp(name, "now") == 0) {
      out.now_s = TryPg([&]() noexcept { return ParseNow(value); });
    } else if (strcmp(name, "out_of_range") == 0) {
      out.rules.out_of_range = strcmp(value, "null") == 0       ? OutOfRangeRule::kNull
                               : strcmp(value, "infinity") == 0 ? OutOfRangeRule::kInfinity
                                                                : OutOfRangeRule::kError;
    } else if (strcmp(name, "empty_values") == 0) {
      out.rules.empty = strcmp(value, "error") == 0 ? EmptyRule::kError : EmptyRule::kNull;
    }
  }
}

bool NamesFiles(List* options) {
  for (int index = 0; index < list_length(options); ++index) {
    const Known* known = nullptr;
    const char* const name = static_cast<DefElem*>(list_nth(options, index))->defname;
    for (const Known& candidate : kKnown) {
      known = strcmp(candidate.name, name) == 0 ? &candidate : known;
    }
    if (known != nullptr && known->kind == Kind::kPath) {
      return true;
    }
  }
  return false;
}

Status CheckOwner(Oid owner, std::string_view what) {
  bool const allowed =
      TryPg([&]() noexcept { return has_privs_of_role(owner, ROLE_PG_READ_SERVER_FILES); });
  if (allowed) {
    return Status::Ok();
  }
  const char* const name = TryPg([&]() noexcept { return GetUserNameFromId(owner, true); });
  return Status::PermissionDenied(StrCat("the owner of ", what, ", ",
                                         name == nullptr ? "a dropped role" : name,
                                         ", may not read server files"))
      .WithHint("Make the owner a member of pg_read_server_files, or change the owner.");
}

}  // namespace

int64_t TableOptions::NowSeconds() const {
  if (now_s.has_value()) {
    return *now_s;
  }
  return GetCurrentTransactionStartTimestamp() / USECS_PER_SEC + kPostgresEpochSeconds;
}

Result<TableOptions> ReadServerOptions(Oid server_id) {
  TableOptions options;
  ForeignServer* const server = TryPg([&]() noexcept { return GetForeignServer(server_id); });
  Apply(server->options, options);
  if (NamesFiles(server->options)) {
    RETURN_IF_ERROR(CheckOwner(server->owner, StrCat("server \"", server->servername, "\"")));
  }
  return options;
}

Result<TableOptions> ReadTableOptions(Oid relation_id) {
  ForeignTable* const table = TryPg([&]() noexcept { return GetForeignTable(relation_id); });
  ASSIGN_OR_RETURN(TableOptions options, ReadServerOptions(table->serverid));
  struct Named {
    const char* name;
    Oid owner;
  };
  Named const named = TryPg([&]() noexcept -> Named {
    HeapTuple const tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relation_id));
    if (!HeapTupleIsValid(tuple)) {
      elog(ERROR, "cache lookup failed for relation %u", relation_id);
    }
    Oid const owner = reinterpret_cast<Form_pg_class>(GETSTRUCT(tuple))->relowner;
    ReleaseSysCache(tuple);
    return {get_rel_name(relation_id), owner};
  });
  options.table = named.name;
  Apply(table->options, options);
  if (NamesFiles(table->options)) {
    RETURN_IF_ERROR(CheckOwner(named.owner, StrCat("foreign table \"", named.name, "\"")));
  }
  if (options.data_dir.empty() && options.directory.empty()) {
    return Status::InvalidArgument(
               StrCat("foreign table \"", named.name, "\" does not say where its SSTables are"))
        .WithHint("Set data_dir of its server, or directory of the table.");
  }
  return options;
}

ColumnSource ReadColumnSource(Oid relation_id, AttrNumber number, const char* column_name) {
  ColumnSource source{.kind = ColumnSource::Kind::kValue, .name = column_name};
  List* const options =
      TryPg([&]() noexcept { return GetForeignColumnOptions(relation_id, number); });
  for (int index = 0; index < list_length(options); ++index) {
    auto* const option = static_cast<DefElem*>(list_nth(options, index));
    const char* const value = TryPg([&]() noexcept { return defGetString(option); });
    if (strcmp(option->defname, "token") == 0) {
      if (strcmp(value, "true") == 0) {
        source = {.kind = ColumnSource::Kind::kToken, .name = ""};
      }
      continue;
    }
    source.name = value;
    source.kind = strcmp(option->defname, "writetime") == 0 ? ColumnSource::Kind::kWriteTime
                  : strcmp(option->defname, "ttl") == 0     ? ColumnSource::Kind::kTtl
                                                            : ColumnSource::Kind::kValue;
  }
  return source;
}

}  // namespace orochi::pg

Datum orochi_sstable_validator(PG_FUNCTION_ARGS) {
  return orochi::pg::Boundary([&]() -> orochi::Result<Datum> {
    orochi::pg::TryPg([&]() noexcept {
      orochi::pg::Validate(untransformRelOptions(PG_GETARG_DATUM(0)), PG_GETARG_OID(1));
    });
    return Datum{0};
  });
}
