#include "pg/fdw/type_names.h"

#include <set>

#include "base/str_cat.h"
#include "pg/spi/sql.h"

extern "C" {
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
#include "utils/syscache.h"
}

namespace orochi::pg {
namespace {

using sstable::Type;
using sstable::TypeKind;

constexpr std::string_view kArray = "[]";

const char* ScalarName(TypeKind kind) {
  switch (kind) {
    case TypeKind::kAscii:
    case TypeKind::kText:
      return "pg_catalog.text";
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
      return "smallint";
    case TypeKind::kInt:
      return "integer";
    case TypeKind::kBigint:
    case TypeKind::kCounter:
      return "bigint";
    case TypeKind::kBoolean:
      return "boolean";
    case TypeKind::kFloat:
      return "real";
    case TypeKind::kDouble:
      return "double precision";
    case TypeKind::kDate:
      return "pg_catalog.date";
    case TypeKind::kTime:
      return "time";
    case TypeKind::kTimestamp:
    case TypeKind::kLegacyDate:
      return "timestamp with time zone";
    case TypeKind::kDuration:
      return "interval";
    case TypeKind::kUuid:
    case TypeKind::kTimeuuid:
    case TypeKind::kLexicalUuid:
      return "pg_catalog.uuid";
    case TypeKind::kInet:
      return "pg_catalog.inet";
    case TypeKind::kVarint:
    case TypeKind::kDecimal:
      return "numeric";
    default:
      return "pg_catalog.bytea";
  }
}

std::string CompositeName(const Type& type, const ImportTypes& types) {
  return StrCat(QuotedName(types.schema), ".", QuotedName(type.name));
}

// Fields as "name" type, in order.
std::vector<std::pair<std::string, std::string>> FieldsOf(const Type& type,
                                                          const ImportTypes& types) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (size_t index = 0; index < type.parameters.size(); ++index) {
    fields.emplace_back(type.field_names[index], TypeNameFor(*type.parameters[index], types));
  }
  return fields;
}

bool Exists(const Type& type, Oid schema) {
  return TryPg([&]() noexcept {
    return OidIsValid(get_relname_relid(type.name.c_str(), schema)) ||
           OidIsValid(GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid,
                                      CStringGetDatum(type.name.c_str()),
                                      ObjectIdGetDatum(schema)));
  });
}

bool HasFields(const Type& type, Oid schema, const ImportTypes& types) {
  std::string expected;
  for (const auto& [name, type_name] : FieldsOf(type, types)) {
    expected +=
        StrCat(expected.empty() ? "" : ", ", "ROW(", QuotedText(name), "::pg_catalog.text, ",
               QuotedText(type_name), "::pg_catalog.regtype::pg_catalog.oid)");
  }
  std::vector<SqlRow> const rows = QuerySql(
      StrCat(
          "SELECT (SELECT pg_catalog.array_agg(ROW(a.attname::pg_catalog.text, a.atttypid) ORDER "
          "BY a.attnum) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid "
          "OPERATOR(pg_catalog.=) c.oid WHERE c.relnamespace OPERATOR(pg_catalog.=) $1 AND "
          "c.relkind OPERATOR(pg_catalog.=) 'c' AND c.relname OPERATOR(pg_catalog.=) ",
          QuotedText(type.name),
          " AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped) OPERATOR(pg_catalog.=) "
          "ARRAY[",
          expected, "]"),
      schema);
  return rows.size() == 1 && rows[0][0] == "t";
}

Status MakeCompositeType(const Type& type, const ImportTypes& types, std::set<std::string>& done) {
  for (const sstable::TypeRef& parameter : type.parameters) {
    RETURN_IF_ERROR(MakeCompositeType(*parameter, types, done));
  }
  if (type.kind != TypeKind::kUdt || !done.insert(type.name).second) {
    return Status::Ok();
  }
  Oid const schema =
      TryPg([&]() noexcept { return get_namespace_oid(types.schema.c_str(), false); });
  if (Exists(type, schema)) {
    if (HasFields(type, schema, types)) {
      return Status::Ok();
    }
    return Status::AlreadyExists(StrCat("type ", CompositeName(type, types),
                                        " exists with other fields than Cassandra's user type"))
        .WithHint("Import into another schema, or with OPTIONS (import_user_types 'jsonb').");
  }
  std::string fields;
  for (const auto& [name, type_name] : FieldsOf(type, types)) {
    fields += StrCat(fields.empty() ? "" : ", ", QuotedName(name), " ", type_name);
  }
  RunSql(StrCat("CREATE TYPE ", CompositeName(type, types), " AS (", fields, ")"));
  return Status::Ok();
}

}  // namespace

std::string QuotedName(const std::string& name) {
  return TryPg([&]() noexcept { return quote_identifier(name.c_str()); });
}

std::string QuotedText(const std::string& text) {
  return TryPg([&]() noexcept { return quote_literal_cstr(text.c_str()); });
}

std::string TypeNameFor(const Type& type, const ImportTypes& types) {
  switch (type.kind) {
    case TypeKind::kList:
    case TypeKind::kSet:
    case TypeKind::kVector: {
      if (type.kind == TypeKind::kVector && type.element().kind == TypeKind::kFloat &&
          !types.vector_type.empty()) {
        return types.vector_type;
      }
      // Arrays inside an array would have to be of one length.
      std::string const element = TypeNameFor(type.element(), types);
      return element.ends_with(kArray) ? "pg_catalog.jsonb" : StrCat(element, kArray);
    }
    case TypeKind::kMap:
    case TypeKind::kTuple:
      return "pg_catalog.jsonb";
    case TypeKind::kUdt:
      return types.composite_types ? CompositeName(type, types) : "pg_catalog.jsonb";
    default:
      return ScalarName(type.kind);
  }
}

Status MakeCompositeTypes(const sstable::TableSchema& table, const ImportTypes& types) {
  if (!types.composite_types) {
    return Status::Ok();
  }
  std::set<std::string> done;
  for (const auto* group :
       {&table.partition_key, &table.clustering, &table.statics, &table.regulars}) {
    for (const sstable::SchemaColumn& column : *group) {
      // Inside maps and tuples, which are jsonb, user types are jsonb, too.
      const Type* type = column.type.get();
      while (type->kind == TypeKind::kList || type->kind == TypeKind::kSet ||
             type->kind == TypeKind::kVector) {
        type = &type->element();
      }
      if (type->kind == TypeKind::kUdt) {
        RETURN_IF_ERROR(MakeCompositeType(*type, types, done));
      }
    }
  }
  return Status::Ok();
}

std::string VisibleVectorType() {
  return TryPg([]() noexcept -> const char* {
    Oid const type = TypenameGetTypid("vector");
    return OidIsValid(type) && get_typtype(type) == TYPTYPE_BASE ? format_type_be_qualified(type)
                                                                 : "";
  });
}

}  // namespace orochi::pg
