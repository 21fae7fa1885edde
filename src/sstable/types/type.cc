#include "sstable/types/type.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/types/java_type.h"

namespace orochi::sstable {

namespace {

TypeRef Make(Type type) {
  return std::make_shared<const Type>(std::move(type));
}

std::vector<TypeRef> AllFrozen(std::vector<TypeRef> types) {
  for (TypeRef& type : types) {
    type = Frozen(Unreversed(type));
  }
  return types;
}

TypeRef WithParameters(TypeKind kind, std::vector<TypeRef> parameters, bool frozen) {
  Type type;
  type.kind = kind;
  type.frozen = frozen;
  type.parameters = AllFrozen(std::move(parameters));
  return Make(std::move(type));
}

std::string_view SimpleCqlName(TypeKind kind) {
  switch (kind) {
    case TypeKind::kAscii:
      return "ascii";
    case TypeKind::kBigint:
      return "bigint";
    case TypeKind::kBlob:
      return "blob";
    case TypeKind::kBoolean:
      return "boolean";
    case TypeKind::kCounter:
      return "counter";
    case TypeKind::kDate:
      return "date";
    case TypeKind::kDecimal:
      return "decimal";
    case TypeKind::kDouble:
      return "double";
    case TypeKind::kDuration:
      return "duration";
    case TypeKind::kFloat:
      return "float";
    case TypeKind::kInet:
      return "inet";
    case TypeKind::kInt:
      return "int";
    case TypeKind::kSmallint:
      return "smallint";
    case TypeKind::kText:
      return "text";
    case TypeKind::kTime:
      return "time";
    case TypeKind::kTimestamp:
    case TypeKind::kLegacyDate:
      return "timestamp";
    case TypeKind::kTimeuuid:
      return "timeuuid";
    case TypeKind::kTinyint:
      return "tinyint";
    case TypeKind::kUuid:
      return "uuid";
    case TypeKind::kVarint:
      return "varint";
    case TypeKind::kEmpty:
      return "empty";
    case TypeKind::kLexicalUuid:
      return "lexicaluuid";
    default:
      return "";
  }
}

std::string JoinCqlNames(const std::vector<TypeRef>& types) {
  std::string out;
  for (const TypeRef& type : types) {
    out += StrCat(out.empty() ? "" : ", ", CqlName(*type));
  }
  return out;
}

// The words that CQL never takes as an unquoted name, sorted.
constexpr std::array<std::string_view, 57> kReservedWords = {
    "add",      "allow",    "alter",        "and",          "apply",  "asc",         "authorize",
    "batch",    "begin",    "by",           "columnfamily", "create", "delete",      "desc",
    "describe", "drop",     "entries",      "execute",      "from",   "full",        "grant",
    "if",       "in",       "index",        "infinity",     "insert", "into",        "is",
    "keyspace", "limit",    "materialized", "modify",       "nan",    "norecursive", "not",
    "null",     "of",       "on",           "or",           "order",  "primary",     "rename",
    "revoke",   "schema",   "select",       "set",          "table",  "to",          "token",
    "truncate", "unlogged", "update",       "use",          "using",  "view",        "where",
    "with"};

bool IsUuidKind(TypeKind kind) {
  return kind == TypeKind::kUuid || kind == TypeKind::kTimeuuid;
}

}  // namespace

TypeRef SimpleType(TypeKind kind) {
  ASSERT(!SimpleCqlName(kind).empty());
  Type type;
  type.kind = kind;
  return Make(std::move(type));
}

TypeRef ListOf(TypeRef element) {
  return WithParameters(TypeKind::kList, {std::move(element)}, /*frozen=*/false);
}

TypeRef SetOf(TypeRef element) {
  return WithParameters(TypeKind::kSet, {std::move(element)}, /*frozen=*/false);
}

TypeRef MapOf(TypeRef key, TypeRef value) {
  return WithParameters(TypeKind::kMap, {std::move(key), std::move(value)}, /*frozen=*/false);
}

TypeRef TupleOf(std::vector<TypeRef> fields) {
  return WithParameters(TypeKind::kTuple, std::move(fields), /*frozen=*/true);
}

TypeRef CompositeOf(std::vector<TypeRef> parts) {
  // The parts of a key keep their order flag: compact tables have reversed ones.
  Type type;
  type.kind = TypeKind::kComposite;
  type.parameters = std::move(parts);
  return Make(std::move(type));
}

TypeRef VectorOf(TypeRef element, uint32_t dimension) {
  Type type;
  type.kind = TypeKind::kVector;
  type.dimension = dimension;
  type.parameters = {Frozen(Unreversed(element))};
  return Make(std::move(type));
}

TypeRef UserTypeOf(std::string keyspace, std::string name, std::vector<std::string> field_names,
                   std::vector<TypeRef> fields) {
  ASSERT(field_names.size() == fields.size());
  Type type;
  type.kind = TypeKind::kUdt;
  type.frozen = false;
  type.keyspace = std::move(keyspace);
  type.name = std::move(name);
  type.field_names = std::move(field_names);
  type.parameters = AllFrozen(std::move(fields));
  return Make(std::move(type));
}

TypeRef CustomType(std::string class_string) {
  Type type;
  type.kind = TypeKind::kCustom;
  type.name = std::move(class_string);
  return Make(std::move(type));
}

TypeRef Frozen(const TypeRef& type) {
  if (type->frozen) {
    return type;
  }
  Type frozen = *type;
  frozen.frozen = true;
  return Make(std::move(frozen));
}

TypeRef Reversed(const TypeRef& type) {
  if (type->reversed) {
    return type;
  }
  Type reversed = *type;
  reversed.reversed = true;
  return Make(std::move(reversed));
}

TypeRef Unreversed(const TypeRef& type) {
  if (!type->reversed) {
    return type;
  }
  Type plain = *type;
  plain.reversed = false;
  return Make(std::move(plain));
}

std::optional<uint32_t> FixedLengthBytes(const Type& type) {
  switch (type.kind) {
    case TypeKind::kEmpty:
      return 0;
    case TypeKind::kBoolean:
      return 1;
    case TypeKind::kInt:
    case TypeKind::kFloat:
      return 4;
    case TypeKind::kBigint:
    case TypeKind::kDouble:
    case TypeKind::kTimestamp:
    case TypeKind::kLegacyDate:
      return 8;
    case TypeKind::kUuid:
    case TypeKind::kTimeuuid:
    case TypeKind::kLexicalUuid:
      return 16;
    case TypeKind::kCustom:
      return type.name.ends_with("LegacyTimeUUIDType") ? std::optional<uint32_t>(16) : std::nullopt;
    case TypeKind::kVector: {
      std::optional<uint32_t> const element = FixedLengthBytes(type.element());
      uint64_t const size_bytes = uint64_t{element.value_or(0)} * type.dimension;
      // Cassandra multiplies in 32 bits and would not get this far.
      return element.has_value() && size_bytes <= INT32_MAX
                 ? std::optional<uint32_t>(static_cast<uint32_t>(size_bytes))
                 : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

bool SameType(const Type& left, const Type& right) {
  return left.kind == right.kind && left.frozen == right.frozen &&
         left.reversed == right.reversed && left.dimension == right.dimension &&
         left.name == right.name && left.field_names == right.field_names &&
         std::equal(left.parameters.begin(), left.parameters.end(), right.parameters.begin(),
                    right.parameters.end(),
                    [](const TypeRef& a, const TypeRef& b) { return SameType(*a, *b); });
}

bool CanReadAs(const Type& from, const Type& to) {
  if (from.reversed != to.reversed || from.frozen != to.frozen) {
    return false;
  }
  if (SameType(from, to)) {
    return true;
  }
  if (from.kind == to.kind) {  // the same shape: a user type or tuple may have gained fields
    bool const may_grow = to.kind == TypeKind::kUdt || to.kind == TypeKind::kTuple;
    if (from.dimension != to.dimension || from.name != to.name || from.parameters.empty() ||
        from.parameters.size() > to.parameters.size() ||
        (!may_grow && from.parameters.size() != to.parameters.size())) {
      return false;
    }
    return std::equal(from.parameters.begin(), from.parameters.end(), to.parameters.begin(),
                      [](const TypeRef& a, const TypeRef& b) { return CanReadAs(*a, *b); });
  }
  switch (to.kind) {
    case TypeKind::kBlob:
      return from.kind != TypeKind::kCounter && from.frozen;
    case TypeKind::kText:
      return from.kind == TypeKind::kAscii;
    case TypeKind::kVarint:
      return from.kind == TypeKind::kInt || from.kind == TypeKind::kBigint ||
             from.kind == TypeKind::kTimestamp;
    case TypeKind::kBigint:
    case TypeKind::kTimestamp:
      return from.kind == TypeKind::kTimestamp || from.kind == TypeKind::kBigint ||
             from.kind == TypeKind::kLegacyDate;
    case TypeKind::kUuid:
      return IsUuidKind(from.kind);
    case TypeKind::kCustom:
      return true;
    default:
      return from.kind == TypeKind::kCustom;
  }
}

std::string CqlName(const Type& type) {
  auto const maybe_frozen = [&](const std::string& inner) {
    return type.frozen ? StrCat("frozen<", inner, ">") : inner;
  };
  switch (type.kind) {
    case TypeKind::kList:
      return maybe_frozen(StrCat("list<", JoinCqlNames(type.parameters), ">"));
    case TypeKind::kSet:
      return maybe_frozen(StrCat("set<", JoinCqlNames(type.parameters), ">"));
    case TypeKind::kMap:
      return maybe_frozen(StrCat("map<", JoinCqlNames(type.parameters), ">"));
    case TypeKind::kUdt:
      return maybe_frozen(QuoteIdentifier(type.name));
    case TypeKind::kTuple:
      return StrCat("frozen<tuple<", JoinCqlNames(type.parameters), ">>");
    case TypeKind::kVector:
      return StrCat("vector<", CqlName(type.element()), ", ", type.dimension, ">");
    case TypeKind::kComposite:
    case TypeKind::kLexicalUuid:
    case TypeKind::kEmpty:
    case TypeKind::kCustom:
      return StrCat("'", JavaTypeName(type), "'");
    default:
      return std::string(SimpleCqlName(type.kind));
  }
}

bool IsReservedWord(std::string_view word) {
  return std::binary_search(kReservedWords.begin(), kReservedWords.end(), word);
}

std::string QuoteIdentifier(std::string_view name) {
  bool const plain =
      !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
      std::all_of(
          name.begin(), name.end(),
          [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }) &&
      !IsReservedWord(name);
  if (plain) {
    return std::string(name);
  }
  std::string out = "\"";
  for (char const c : name) {
    out += c;
    if (c == '"') {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace orochi::sstable
