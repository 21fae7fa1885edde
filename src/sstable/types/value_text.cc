#include "sstable/types/value_text.h"

#include "base/str_cat.h"
#include "sstable/types/civil_time.h"
#include "sstable/types/elements.h"
#include "sstable/types/scalar_text.h"

namespace orochi::sstable {

namespace {

using Element = ElementReader::Element;

Status Malformed(const Type& type, Bytes value) {
  return Status::Corruption(StrCat("a value of type ", CqlName(type), " of ", value.size(),
                                   " bytes does not hold the elements it announces"));
}

bool HasElements(const Type& type) {
  switch (type.kind) {
    case TypeKind::kList:
    case TypeKind::kSet:
    case TypeKind::kMap:
    case TypeKind::kTuple:
    case TypeKind::kUdt:
    case TypeKind::kVector:
      return true;
    default:
      return false;
  }
}

bool HasFields(const Type& type) {
  return type.kind == TypeKind::kTuple || type.kind == TypeKind::kUdt;
}

/// Calls `each(index, element)` for the elements; fields that a tuple lacks come as null.
template <class Each>
Status ForEachElement(const Type& type, Bytes value, Each each) {
  ElementReader reader(type, value);
  size_t index = 0;
  while (auto const element = reader.Next()) {
    RETURN_IF_ERROR(each(index, *element));
    ++index;
  }
  if (reader.malformed()) {
    return Malformed(type, value);
  }
  for (; HasFields(type) && index < type.parameters.size(); ++index) {
    RETURN_IF_ERROR(
        each(index, Element{.type = type.parameters[index].get(), .bytes = {}, .is_null = true}));
  }
  return Status::Ok();
}

/// Text before element `index`: a comma, or a colon between key and value of a map.
std::string_view Separator(const Type& type, size_t index) {
  if (index == 0) {
    return "";
  }
  return type.kind == TypeKind::kMap && index % 2 == 1 ? ": " : ", ";
}

// ---- JSON

Status AppendJsonElement(const Type& type, size_t index, const Element& element, std::string& out) {
  out += Separator(type, index);
  if (type.kind == TypeKind::kUdt) {
    const std::string& name = type.field_names[index];
    bool const lower = name.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos;
    RETURN_IF_ERROR(AppendJsonString(lower ? name : StrCat("\"", name, "\""), out));
    out += ": ";
  }
  if (element.is_null) {
    out += "null";
    return Status::Ok();
  }
  bool const is_key = type.kind == TypeKind::kMap && index % 2 == 0;
  if (!is_key) {
    return AppendJson(*element.type, element.bytes, out);
  }
  std::string key;
  RETURN_IF_ERROR(AppendJson(*element.type, element.bytes, key));
  if (key.starts_with('"')) {
    out += key;
    return Status::Ok();
  }
  return AppendJsonString(key, out);
}

Status AppendJsonScalar(const Type& type, Bytes value, std::string& out) {
  switch (type.kind) {
    case TypeKind::kAscii:
    case TypeKind::kText:
      return AppendJsonString(AsText(value), out);
    case TypeKind::kBlob:
    case TypeKind::kComposite:
    case TypeKind::kCustom:
      out += StrCat("\"0x", HexText(value), "\"");
      return Status::Ok();
    case TypeKind::kTimestamp:
    case TypeKind::kLegacyDate:
      if (value.size() == sizeof(int64_t)) {
        out += StrCat("\"", TimestampText(LoadBigEndian<int64_t>(value), {}), "\"");
        return Status::Ok();
      }
      break;
    default:
      break;
  }
  ASSIGN_OR_RETURN(std::string const text, ScalarText(type, value));
  switch (type.kind) {
    case TypeKind::kBoolean:
    case TypeKind::kTinyint:
    case TypeKind::kSmallint:
    case TypeKind::kInt:
    case TypeKind::kBigint:
    case TypeKind::kCounter:
    case TypeKind::kVarint:
    case TypeKind::kDecimal:
      out += text.empty() ? "\"\"" : text;
      return Status::Ok();
    case TypeKind::kFloat:
    case TypeKind::kDouble:
      // JSON has no name for what is not finite.
      out += text.empty() ? "\"\"" : text.ends_with('N') || text.ends_with('y') ? "null" : text;
      return Status::Ok();
    default:
      out += StrCat("\"", text, "\"");
      return Status::Ok();
  }
}

// ---- keys

Status AppendTupleKeyText(const Type& type, Bytes value, std::string& out) {
  ElementReader reader(type, value);
  bool first = true;
  while (auto const element = reader.Next()) {
    out += first ? "" : ":";
    first = false;
    if (element->is_null) {
      out += '@';
      continue;
    }
    std::string field;
    RETURN_IF_ERROR(AppendKeyText(*element->type, element->bytes, field));
    for (char const c : field) {
      if (c == ':' || c == '@') {
        out += '\\';
      }
      out += c;
    }
  }
  return reader.malformed() ? Malformed(type, value) : Status::Ok();
}

// ---- cqlsh and CQL

enum class Dialect { kCqlsh, kLiteral };

/// Control characters as cqlsh shows them, and backslashes doubled so that they can be told apart.
std::string EscapedForTable(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (char const c : text) {
    auto const byte = static_cast<uint8_t>(c);
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\x";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

std::string Quoted(std::string_view text) {
  std::string out = "'";
  for (char const c : text) {
    out += c;
    if (c == '\'') {
      out += c;
    }
  }
  return out + "'";
}

Status AppendCqlScalar(const Type& type, Bytes value, Dialect dialect, bool nested,
                       std::string& out) {
  bool const literal = dialect == Dialect::kLiteral;
  if (type.kind == TypeKind::kBlob || type.kind == TypeKind::kCustom ||
      type.kind == TypeKind::kComposite) {
    out += StrCat("0x", HexText(value));
    return Status::Ok();
  }
  ASSIGN_OR_RETURN(std::string text, ScalarText(type, value));
  bool quote = nested || literal;
  switch (type.kind) {
    case TypeKind::kAscii:
    case TypeKind::kText:
      if (!literal) {
        text = EscapedForTable(text);
      }
      break;
    case TypeKind::kDate:
    case TypeKind::kTime:
      break;
    case TypeKind::kTimestamp:
    case TypeKind::kLegacyDate:
      if (!value.empty()) {
        text = TimestampText(LoadBigEndian<int64_t>(value),
                             literal ? TimestampStyle{.zone = "+0000"}
                                     : TimestampStyle{.zone = "+0000", .fraction_digits = 6});
      }
      break;
    case TypeKind::kInet:
      text = value.empty() ? "" : InetText(value, /*compressed=*/true);
      break;
    case TypeKind::kBoolean:
      if (!literal && !value.empty()) {
        text = value[0] == std::byte{0} ? "False" : "True";
      }
      quote = false;
      break;
    default:
      quote = false;
  }
  quote = quote || (literal && value.empty());
  out += quote ? Quoted(text) : text;
  return Status::Ok();
}

Status AppendCql(const Type& type, Bytes value, Dialect dialect, bool nested, std::string& out) {
  if (!HasElements(type)) {
    return AppendCqlScalar(type, value, dialect, nested, out);
  }
  bool const square = type.kind == TypeKind::kList || type.kind == TypeKind::kVector;
  bool const round = type.kind == TypeKind::kTuple;
  out += square ? '[' : round ? '(' : '{';
  RETURN_IF_ERROR(ForEachElement(type, value, [&](size_t index, const Element& element) -> Status {
    out += Separator(type, index);
    if (type.kind == TypeKind::kUdt) {
      out += StrCat(QuoteIdentifier(type.field_names[index]), ": ");
    }
    if (element.is_null) {
      out += "null";
      return Status::Ok();
    }
    return AppendCql(*element.type, element.bytes, dialect, /*nested=*/true, out);
  }));
  out += square ? ']' : round ? ')' : '}';
  return Status::Ok();
}

}  // namespace

Status AppendJson(const Type& type, Bytes value, std::string& out) {
  if (!HasElements(type)) {
    return AppendJsonScalar(type, value, out);
  }
  bool const object = type.kind == TypeKind::kMap || type.kind == TypeKind::kUdt;
  out += object ? '{' : '[';
  RETURN_IF_ERROR(ForEachElement(type, value, [&](size_t index, const Element& element) {
    return AppendJsonElement(type, index, element, out);
  }));
  out += object ? '}' : ']';
  return Status::Ok();
}

Status AppendKeyText(const Type& type, Bytes value, std::string& out) {
  switch (type.kind) {
    case TypeKind::kTuple:
    case TypeKind::kUdt:
      return AppendTupleKeyText(type, value, out);
    case TypeKind::kList:
    case TypeKind::kSet:
    case TypeKind::kMap:
    case TypeKind::kVector:
    case TypeKind::kCounter:
      out += HexText(value);
      return Status::Ok();
    default: {
      ASSIGN_OR_RETURN(std::string const text, ScalarText(type, value));
      out += text;
      return Status::Ok();
    }
  }
}

Status AppendCqlshText(const Type& type, Bytes value, std::string& out) {
  return AppendCql(type, value, Dialect::kCqlsh, /*nested=*/false, out);
}

Status AppendCqlLiteral(const Type& type, Bytes value, std::string& out) {
  return AppendCql(type, value, Dialect::kLiteral, /*nested=*/true, out);
}

}  // namespace orochi::sstable
