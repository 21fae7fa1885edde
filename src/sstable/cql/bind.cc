#include "sstable/cql/bind.h"

#include <array>
#include <charconv>

#include "base/str_cat.h"
#include "sstable/cql/parser.h"
#include "sstable/types/java_type.h"
#include "sstable/types/scalar_text.h"
#include "sstable/types/time_uuid.h"
#include "sstable/types/value_build.h"

namespace orochi::sstable::cql {

namespace {

using Value = std::optional<std::string>;

struct NativeType {
  std::string_view name;
  TypeKind kind;
};
constexpr std::array<NativeType, 22> kNativeTypes = {
    {{"ascii", TypeKind::kAscii},       {"bigint", TypeKind::kBigint},
     {"blob", TypeKind::kBlob},         {"boolean", TypeKind::kBoolean},
     {"counter", TypeKind::kCounter},   {"date", TypeKind::kDate},
     {"decimal", TypeKind::kDecimal},   {"double", TypeKind::kDouble},
     {"duration", TypeKind::kDuration}, {"empty", TypeKind::kEmpty},
     {"float", TypeKind::kFloat},       {"inet", TypeKind::kInet},
     {"int", TypeKind::kInt},           {"smallint", TypeKind::kSmallint},
     {"text", TypeKind::kText},         {"varchar", TypeKind::kText},
     {"time", TypeKind::kTime},         {"timestamp", TypeKind::kTimestamp},
     {"timeuuid", TypeKind::kTimeuuid}, {"tinyint", TypeKind::kTinyint},
     {"uuid", TypeKind::kUuid},         {"varint", TypeKind::kVarint}}};

Status At(Position position, std::string_view message) {
  return Status::InvalidArgument(StrCat(PositionText(position), " ", message));
}

Result<TypeRef> ResolveWithParameters(const TypeSyntax& syntax, std::vector<TypeRef> parameters) {
  auto const expect = [&](size_t count) {
    return parameters.size() == count
               ? Status::Ok()
               : At(syntax.position, StrCat("type ", syntax.name, " with ", parameters.size(),
                                            " parameters, expected ", count));
  };
  if (syntax.name == "tuple") {
    return TupleOf(std::move(parameters));
  }
  RETURN_IF_ERROR(expect(syntax.name == "map" ? 2 : 1));
  if (syntax.name == "list") {
    return ListOf(parameters[0]);
  }
  if (syntax.name == "set") {
    return SetOf(parameters[0]);
  }
  if (syntax.name == "map") {
    return MapOf(parameters[0], parameters[1]);
  }
  if (syntax.name == "frozen") {
    return Frozen(parameters[0]);
  }
  if (syntax.name == "vector" && syntax.dimension > 0) {
    return VectorOf(parameters[0], syntax.dimension);
  }
  return At(syntax.position, StrCat("Unknown type ", syntax.name));
}

std::string_view KindName(Term::Kind kind) {
  switch (kind) {
    case Term::Kind::kNull:
      return "NULL";
    case Term::Kind::kBoolean:
      return "BOOLEAN";
    case Term::Kind::kInteger:
      return "INTEGER";
    case Term::Kind::kFloat:
      return "FLOAT";
    case Term::Kind::kString:
      return "STRING";
    case Term::Kind::kUuid:
      return "UUID";
    case Term::Kind::kHex:
      return "HEX";
    case Term::Kind::kDuration:
      return "DURATION";
    default:
      return "";
  }
}

Status WrongConstant(const Term& term, const Type& type, std::string_view receiver) {
  std::string_view const kind = KindName(term.kind);
  if (kind.empty()) {
    return At(term.position, StrCat("Invalid literal for ", receiver, " of type ", CqlName(type)));
  }
  return At(term.position, StrCat("Invalid ", kind, " constant (", term.text.substr(0, 100),
                                  ") for \"", receiver, "\" of type ", CqlName(type)));
}

/// Which constants a type takes, as Cassandra decides before it looks at the text.
bool Takes(TypeKind type, Term::Kind kind) {
  using Kind = Term::Kind;
  switch (type) {
    case TypeKind::kAscii:
    case TypeKind::kText:
    case TypeKind::kInet:
      return kind == Kind::kString;
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInt:
    case TypeKind::kBigint:
    case TypeKind::kVarint:
    case TypeKind::kCounter:
      return kind == Kind::kInteger;
    case TypeKind::kFloat:
    case TypeKind::kDouble:
    case TypeKind::kDecimal:
      return kind == Kind::kInteger || kind == Kind::kFloat;
    case TypeKind::kDate:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kLegacyDate:
      return kind == Kind::kString || kind == Kind::kInteger;
    case TypeKind::kUuid:
    case TypeKind::kTimeuuid:
    case TypeKind::kLexicalUuid:
      return kind == Kind::kUuid;
    case TypeKind::kBoolean:
      return kind == Kind::kBoolean;
    case TypeKind::kDuration:
      return kind == Kind::kDuration;
    case TypeKind::kBlob:
    case TypeKind::kCustom:
    case TypeKind::kComposite:
      return kind == Kind::kHex;
    default:
      return false;
  }
}

Result<std::string> BindElement(const Term& term, const Type& type, std::string_view receiver) {
  ASSIGN_OR_RETURN(Value value, BindTerm(term, type, receiver));
  if (!value.has_value()) {
    return At(term.position, StrCat("null is not supported inside collections (", receiver, ")"));
  }
  return *std::move(value);
}

Result<std::vector<std::string>> BindElements(const Term& term, const Type& type,
                                              std::string_view receiver) {
  std::vector<std::string> elements;
  for (const Term& item : term.items) {
    ASSIGN_OR_RETURN(std::string element, BindElement(item, type, receiver));
    elements.push_back(std::move(element));
  }
  return elements;
}

Result<Value> BindMap(const Term& term, const Type& type, std::string_view receiver) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (size_t index = 0; index + 1 < term.items.size(); index += 2) {
    ASSIGN_OR_RETURN(std::string key, BindElement(term.items[index], type.element(), receiver));
    ASSIGN_OR_RETURN(std::string value,
                     BindElement(term.items[index + 1], type.map_value(), receiver));
    entries.emplace_back(std::move(key), std::move(value));
  }
  return Value(BuildMap(type, std::move(entries)));
}

Result<Value> BindTuple(const Term& term, const Type& type, std::string_view receiver) {
  if (term.items.size() > type.parameters.size()) {
    return At(term.position, StrCat("Invalid tuple literal for ", receiver,
                                    ": too many elements. Type ", CqlName(type), " expects ",
                                    type.parameters.size(), " but got ", term.items.size()));
  }
  std::vector<Value> fields;
  for (size_t index = 0; index < term.items.size(); ++index) {
    ASSIGN_OR_RETURN(Value field, BindTerm(term.items[index], *type.parameters[index], receiver));
    fields.push_back(std::move(field));
  }
  return Value(BuildTuple(fields));
}

Result<Value> BindUserType(const Term& term, const Type& type, std::string_view receiver) {
  std::vector<Value> fields(type.parameters.size());
  for (size_t index = 0; index < term.items.size(); ++index) {
    size_t field = 0;
    while (field < fields.size() && type.field_names[field] != term.names[index]) {
      ++field;
    }
    if (field == fields.size()) {
      return At(term.items[index].position, StrCat("Unknown field '", term.names[index],
                                                   "' in value of user defined type ", type.name));
    }
    ASSIGN_OR_RETURN(fields[field], BindTerm(term.items[index], *type.parameters[field], receiver));
  }
  return Value(BuildTuple(fields));
}

Result<Value> BindComposite(const Term& term, const Type& type, std::string_view receiver) {
  using Kind = Term::Kind;
  switch (type.kind) {
    case TypeKind::kList:
      if (term.kind == Kind::kList) {
        ASSIGN_OR_RETURN(auto const elements, BindElements(term, type.element(), receiver));
        return Value(BuildList(elements));
      }
      break;
    case TypeKind::kVector:
      if (term.kind == Kind::kList) {
        ASSIGN_OR_RETURN(auto const elements, BindElements(term, type.element(), receiver));
        ASSIGN_OR_RETURN(std::string value, BuildVector(type, elements));
        return Value(std::move(value));
      }
      break;
    case TypeKind::kSet:
      if (term.kind == Kind::kSet) {
        ASSIGN_OR_RETURN(auto elements, BindElements(term, type.element(), receiver));
        return Value(BuildSet(type, std::move(elements)));
      }
      break;
    case TypeKind::kMap:
      if (term.kind == Kind::kMap || (term.kind == Kind::kSet && term.items.empty())) {
        return BindMap(term, type, receiver);
      }
      break;
    case TypeKind::kTuple:
      if (term.kind == Kind::kTuple) {
        return BindTuple(term, type, receiver);
      }
      break;
    case TypeKind::kUdt:
      if (term.kind == Kind::kUserType || (term.kind == Kind::kSet && term.items.empty())) {
        return BindUserType(term, type, receiver);
      }
      break;
    default:
      break;
  }
  return WrongConstant(term, type, receiver);
}

/// The conversions to and from blob, which say nothing that values could not: textAsBlob('x'),
/// blob_as_int(0x).
Result<Value> BindFunction(const Term& term, const Type& type, std::string_view receiver) {
  std::string_view const name = term.text;
  auto const between = [&](std::string_view prefix, std::string_view suffix) {
    return name.starts_with(prefix) && name.ends_with(suffix) &&
                   name.size() > prefix.size() + suffix.size()
               ? std::optional<std::string>(
                     name.substr(prefix.size(), name.size() - prefix.size() - suffix.size()))
               : std::nullopt;
  };
  bool const is_min = name == "mintimeuuid" || name == "min_timeuuid";
  bool const is_max = name == "maxtimeuuid" || name == "max_timeuuid";
  if ((is_min || is_max) && term.items.size() == 1 && type.kind == TypeKind::kTimeuuid) {
    ASSIGN_OR_RETURN(Value const moment,
                     BindTerm(term.items[0], *SimpleType(TypeKind::kTimestamp), receiver));
    return moment.has_value() && !moment->empty()
               ? Value(TimeUuidBound(LoadBigEndian<int64_t>(AsBytes(*moment)), is_max))
               : Value();
  }
  std::optional<std::string> source = between("", "_as_blob");
  source = source.has_value() ? source : between("", "asblob");
  if (source.has_value() && term.items.size() == 1 && type.kind == TypeKind::kBlob) {
    TypeSyntax syntax;
    syntax.name = *source;
    syntax.position = term.position;
    ASSIGN_OR_RETURN(TypeRef const from, ResolveType(syntax, {}));
    return BindTerm(term.items[0], *from, receiver);
  }
  // The other way round: the bytes are the value. It is how empty numbers are written.
  bool const from_blob = between("blob_as_", "").has_value() || between("blobas", "").has_value();
  if (from_blob && term.items.size() == 1) {
    ASSIGN_OR_RETURN(Value bytes, BindTerm(term.items[0], *SimpleType(TypeKind::kBlob), receiver));
    if (bytes.has_value() && !ValidateValue(type, AsBytes(*bytes)).ok()) {
      return At(term.position, StrCat("the bytes of ", name, " are no value of type ",
                                      CqlName(type), ", which ", receiver, " has"));
    }
    return bytes;
  }
  return At(term.position,
            StrCat("function ", name, " is not supported in values: write the value itself"));
}

}  // namespace

Result<TypeRef> ResolveType(const TypeSyntax& syntax, const UserTypes& user_types) {
  if (syntax.custom) {
    Result<TypeRef> type = ParseJavaType(syntax.name);
    if (!type.ok()) {
      return At(syntax.position, type.status().message());
    }
    return (*type)->reversed
               ? At(syntax.position, "descending order is written CLUSTERING ORDER BY")
               : type;
  }
  if (!syntax.parameters.empty()) {
    std::vector<TypeRef> parameters;
    for (const TypeSyntax& parameter : syntax.parameters) {
      ASSIGN_OR_RETURN(TypeRef type, ResolveType(parameter, user_types));
      parameters.push_back(std::move(type));
    }
    return ResolveWithParameters(syntax, std::move(parameters));
  }
  if (syntax.keyspace.empty()) {
    for (const NativeType& native : kNativeTypes) {
      if (native.name == syntax.name) {
        return SimpleType(native.kind);
      }
    }
  }
  auto const found = user_types.find(syntax.name);
  if (found == user_types.end()) {
    return At(syntax.position,
              StrCat("Unknown type ", syntax.keyspace.empty() ? "" : StrCat(syntax.keyspace, "."),
                     syntax.name));
  }
  return found->second;
}

Result<Value> BindTerm(const Term& term, const Type& type, std::string_view receiver) {
  switch (term.kind) {
    case Term::Kind::kNull:
      return Value();
    case Term::Kind::kBytes:
      if (Status const valid = ValidateValue(type, AsBytes(term.text)); !valid.ok()) {
        return Status::InvalidArgument(StrCat("the bytes given for ", receiver,
                                              " are no value of type ", CqlName(type), ": ",
                                              valid.message()));
      }
      return Value(term.text);
    case Term::Kind::kMarker:
      return At(term.position, "bind markers (? and :name) need a value written in their place");
    case Term::Kind::kFunction:
      return BindFunction(term, type, receiver);
    case Term::Kind::kCast: {
      ASSIGN_OR_RETURN(TypeRef const cast, ResolveType(term.cast_type[0], {}));
      if (!CanReadAs(*Frozen(cast), *Frozen(Unreversed(std::make_shared<const Type>(type))))) {
        return At(term.position, StrCat("Cannot cast value to ", CqlName(*cast), " for \"",
                                        receiver, "\" of type ", CqlName(type)));
      }
      return BindTerm(term.items[0], *cast, receiver);
    }
    case Term::Kind::kList:
    case Term::Kind::kSet:
    case Term::Kind::kMap:
    case Term::Kind::kTuple:
    case Term::Kind::kUserType:
      return BindComposite(term, type, receiver);
    default:
      break;
  }
  if (!Takes(type.kind, term.kind)) {
    return WrongConstant(term, type, receiver);
  }
  Result<std::string> value = ParseScalar(type, term.text);
  if (!value.ok()) {
    return At(term.position, value.status().message());
  }
  return Value(*std::move(value));
}

Result<int64_t> BindInteger(const Term& term, std::string_view what) {
  int64_t value = 0;
  const char* const end = term.text.data() + term.text.size();
  if (term.kind != Term::Kind::kInteger) {
    return At(term.position, StrCat(what, " must be a whole number"));
  }
  auto const [stop, problem] = std::from_chars(term.text.data(), end, value);
  if (problem != std::errc() || stop != end) {
    return At(term.position,
              StrCat(what, " is ", term.text.substr(0, 100), ", which does not fit into 64 bits"));
  }
  return value;
}

}  // namespace orochi::sstable::cql
