#include "sstable/types/java_type.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::sstable {

namespace {

constexpr std::string_view kPackage = "org.apache.cassandra.db.marshal.";

struct SimpleClass {
  std::string_view name;
  TypeKind kind;
};
constexpr std::array<SimpleClass, 23> kSimpleClasses = {{
    {"AsciiType", TypeKind::kAscii},
    {"BooleanType", TypeKind::kBoolean},
    {"BytesType", TypeKind::kBlob},
    {"ByteType", TypeKind::kTinyint},
    {"CounterColumnType", TypeKind::kCounter},
    {"DateType", TypeKind::kLegacyDate},
    {"DecimalType", TypeKind::kDecimal},
    {"DoubleType", TypeKind::kDouble},
    {"DurationType", TypeKind::kDuration},
    {"EmptyType", TypeKind::kEmpty},
    {"FloatType", TypeKind::kFloat},
    {"InetAddressType", TypeKind::kInet},
    {"Int32Type", TypeKind::kInt},
    {"IntegerType", TypeKind::kVarint},
    {"LexicalUUIDType", TypeKind::kLexicalUuid},
    {"LongType", TypeKind::kBigint},
    {"ShortType", TypeKind::kSmallint},
    {"SimpleDateType", TypeKind::kDate},
    {"TimestampType", TypeKind::kTimestamp},
    {"TimeType", TypeKind::kTime},
    {"TimeUUIDType", TypeKind::kTimeuuid},
    {"UTF8Type", TypeKind::kText},
    {"UUIDType", TypeKind::kUuid},
}};

bool IsNameChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '+' || c == '.' || c == '&';
}

std::optional<std::string> FromHex(std::string_view hex) {
  if (hex.size() % 2 != 0) {
    return std::nullopt;
  }
  std::string out;
  for (size_t index = 0; index < hex.size(); index += 2) {
    uint8_t byte = 0;
    auto const [end, error] = std::from_chars(hex.data() + index, hex.data() + index + 2, byte, 16);
    if (error != std::errc() || end != hex.data() + index + 2) {
      return std::nullopt;
    }
    out.push_back(static_cast<char>(byte));
  }
  return out;
}

std::string ToHex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (char const c : bytes) {
    auto const byte = static_cast<uint8_t>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<TypeRef> ParseAll() {
    ASSIGN_OR_RETURN(TypeRef type, ParseType(0));
    SkipBlank();
    if (at_ != text_.size()) {
      return Malformed("the end");
    }
    return type;
  }

 private:
  Status Malformed(std::string_view expected) const {
    constexpr size_t kShownMax = 200;
    return Status::Corruption(StrCat(
        "type string \"", text_.substr(0, kShownMax), text_.size() > kShownMax ? "..." : "",
        "\" at character ", at_, ": found ",
        at_ < text_.size() ? StrCat("'", text_[at_], "'") : "the end", ", expected ", expected));
  }

  void SkipBlank() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) {
      ++at_;
    }
  }

  /// Skips blanks, then takes `c` if it comes next.
  bool Take(char c) {
    SkipBlank();
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }

  Result<std::string_view> TakeName(std::string_view expected) {
    SkipBlank();
    size_t const begin = at_;
    while (at_ < text_.size() && IsNameChar(text_[at_])) {
      ++at_;
    }
    if (at_ == begin) {
      return Malformed(expected);
    }
    return text_.substr(begin, at_ - begin);
  }

  Status Expect(char c) {
    if (!Take(c)) {
      return Malformed(StrCat("'", c, "'"));
    }
    return Status::Ok();
  }

  Result<TypeRef> ParseType(int depth) {
    if (depth > kTypeDepthMax) {
      return Malformed(StrCat("at most ", kTypeDepthMax, " nested types"));
    }
    SkipBlank();
    size_t const begin = at_;
    ASSIGN_OR_RETURN(std::string_view name, TakeName("the name of a type"));
    if (name.starts_with(kPackage)) {
      name.remove_prefix(kPackage.size());
    }
    auto const simple = std::find_if(kSimpleClasses.begin(), kSimpleClasses.end(),
                                     [&](const SimpleClass& c) { return c.name == name; });
    if (simple != kSimpleClasses.end()) {
      return SimpleType(simple->kind);
    }
    if (name == "UserType") {
      return ParseUserType(depth);
    }
    if (name == "VectorType") {
      return ParseVector(depth);
    }
    return ParseParameterised(name, begin, depth);
  }

  Result<TypeRef> ParseParameterised(std::string_view name, size_t begin, int depth) {
    size_t count_min = 1;
    size_t count_max = 1;
    if (name == "MapType") {
      count_min = count_max = 2;
    } else if (name == "TupleType" || name == "CompositeType") {
      count_max = SIZE_MAX;
    } else if (name != "ListType" && name != "SetType" && name != "FrozenType" &&
               name != "ReversedType") {
      return ParseCustom(begin);
    }
    ASSIGN_OR_RETURN(std::vector<TypeRef> parameters, ParseParameters(depth));
    if (parameters.size() < count_min || parameters.size() > count_max) {
      return Malformed(
          StrCat(count_min, " type(s) inside ", name, ", which has ", parameters.size()));
    }
    if (name == "ListType") {
      return ListOf(parameters[0]);
    }
    if (name == "SetType") {
      return SetOf(parameters[0]);
    }
    if (name == "MapType") {
      return MapOf(parameters[0], parameters[1]);
    }
    if (name == "TupleType") {
      return TupleOf(std::move(parameters));
    }
    if (name == "CompositeType") {
      return CompositeOf(std::move(parameters));
    }
    return name == "FrozenType" ? Frozen(parameters[0]) : Reversed(parameters[0]);
  }

  Result<std::vector<TypeRef>> ParseParameters(int depth) {
    std::vector<TypeRef> types;
    RETURN_IF_ERROR(Expect('('));
    do {
      ASSIGN_OR_RETURN(TypeRef type, ParseType(depth + 1));
      types.push_back(std::move(type));
    } while (Take(','));
    RETURN_IF_ERROR(Expect(')'));
    return types;
  }

  Result<TypeRef> ParseVector(int depth) {
    RETURN_IF_ERROR(Expect('('));
    ASSIGN_OR_RETURN(TypeRef const element, ParseType(depth + 1));
    RETURN_IF_ERROR(Expect(','));
    ASSIGN_OR_RETURN(std::string_view const digits, TakeName("the dimension of the vector"));
    int32_t dimension = 0;
    auto const [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), dimension);
    if (error != std::errc() || end != digits.data() + digits.size() || dimension <= 0) {
      return Malformed("a dimension from 1 to 2147483647");
    }
    RETURN_IF_ERROR(Expect(')'));
    return VectorOf(element, static_cast<uint32_t>(dimension));
  }

  /// UserType(keyspace,<hex of name>,<hex of field>:<type>,...)
  Result<TypeRef> ParseUserType(int depth) {
    RETURN_IF_ERROR(Expect('('));
    ASSIGN_OR_RETURN(std::string_view const keyspace, TakeName("a keyspace"));
    RETURN_IF_ERROR(Expect(','));
    ASSIGN_OR_RETURN(std::string name, TakeHex("the type's name in hexadecimal"));
    std::vector<std::string> field_names;
    std::vector<TypeRef> fields;
    while (Take(',')) {
      ASSIGN_OR_RETURN(std::string field, TakeHex("a field's name in hexadecimal"));
      RETURN_IF_ERROR(Expect(':'));
      ASSIGN_OR_RETURN(TypeRef type, ParseType(depth + 1));
      field_names.push_back(std::move(field));
      fields.push_back(std::move(type));
    }
    RETURN_IF_ERROR(Expect(')'));
    return UserTypeOf(std::string(keyspace), std::move(name), std::move(field_names),
                      std::move(fields));
  }

  Result<std::string> TakeHex(std::string_view expected) {
    ASSIGN_OR_RETURN(std::string_view const hex, TakeName(expected));
    std::optional<std::string> bytes = FromHex(hex);
    if (!bytes.has_value()) {
      return Malformed(expected);
    }
    return *std::move(bytes);
  }

  /// A class we do not know: its name and, unread, what stands in its parentheses.
  Result<TypeRef> ParseCustom(size_t begin) {
    if (at_ < text_.size() && text_[at_] == '(') {
      int open = 0;
      do {
        open += text_[at_] == '(' ? 1 : text_[at_] == ')' ? -1 : 0;
        ++at_;
      } while (open > 0 && at_ < text_.size());
      if (open > 0) {
        return Malformed("')'");
      }
    }
    return CustomType(std::string(text_.substr(begin, at_ - begin)));
  }

  std::string_view text_;
  size_t at_ = 0;
};

std::string ClassName(const Type& type, bool ignore_frozen);

std::string Join(const std::vector<TypeRef>& types, bool ignore_frozen) {
  std::string out;
  for (const TypeRef& type : types) {
    out += StrCat(out.empty() ? "" : ",", ClassName(*type, ignore_frozen));
  }
  return out;
}

/// Only the outermost of frozen types says FrozenType: `ignore_frozen` is true inside one.
std::string ClassName(const Type& type, bool ignore_frozen) {
  if (type.reversed) {
    Type plain = type;
    plain.reversed = false;
    return StrCat(kPackage, "ReversedType(", ClassName(plain, ignore_frozen), ")");
  }
  auto const maybe_frozen = [&](std::string_view name, const std::string& parameters) {
    std::string const plain = StrCat(kPackage, name, "(", parameters, ")");
    return type.frozen && !ignore_frozen ? StrCat(kPackage, "FrozenType(", plain, ")") : plain;
  };
  bool const ignore_inside = ignore_frozen || type.frozen;
  switch (type.kind) {
    case TypeKind::kList:
      return maybe_frozen("ListType", Join(type.parameters, ignore_inside));
    case TypeKind::kSet:
      return maybe_frozen("SetType", Join(type.parameters, ignore_inside));
    case TypeKind::kMap:
      return maybe_frozen("MapType", Join(type.parameters, ignore_inside));
    case TypeKind::kTuple:
      return StrCat(kPackage, "TupleType(", Join(type.parameters, true), ")");
    case TypeKind::kComposite:
      return StrCat(kPackage, "CompositeType(", Join(type.parameters, false), ")");
    case TypeKind::kVector:
      return StrCat(kPackage, "VectorType(", ClassName(type.element(), ignore_frozen), " , ",
                    type.dimension, ")");
    case TypeKind::kUdt: {
      std::string inside = StrCat(type.keyspace, ",", ToHex(type.name));
      for (size_t index = 0; index < type.parameters.size(); ++index) {
        inside += StrCat(",", ToHex(type.field_names[index]), ":",
                         ClassName(*type.parameters[index], ignore_inside));
      }
      return maybe_frozen("UserType", inside);
    }
    case TypeKind::kCustom:
      return type.name;
    default: {
      auto const found = std::find_if(kSimpleClasses.begin(), kSimpleClasses.end(),
                                      [&](const SimpleClass& c) { return c.kind == type.kind; });
      ASSERT(found != kSimpleClasses.end());
      return StrCat(kPackage, found->name);
    }
  }
}

}  // namespace

Result<TypeRef> ParseJavaType(std::string_view text) {
  return Parser(text).ParseAll();
}

std::string JavaTypeName(const Type& type) {
  return ClassName(type, /*ignore_frozen=*/false);
}

}  // namespace orochi::sstable
