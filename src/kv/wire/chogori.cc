#include "kv/wire/chogori.h"

#include <cmath>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/wire/chogori_decimal.h"
#include "kv/wire/message_pack.h"

namespace orochi::kv::chogori {

namespace {

using Kind = Document::Kind;

constexpr uint64_t kTypeMax = 14;        // FIELD_TYPE
constexpr uint64_t kNoFilter = 14;       // UNKNOWN
constexpr uint64_t kTypeNotKnown = 254;  // of a reference to a field
constexpr DocumentBounds kLiteralBounds{.depth_max = 1, .node_count_max = 1};

Status Unsupported(FieldType type, std::string_view what) {
  return Status::Unsupported(
      StrCat(what, " is ", FieldTypeName(type), ", which has no form in this dialect"));
}

Result<uint64_t> TypeNumber(FieldType type, std::string_view what) {
  uint8_t const code = FieldTypeCode(type);
  if (code > kTypeMax) {
    return Unsupported(type, what);
  }
  return uint64_t{code};
}

Result<FieldType> TypeFromDocument(const Place& place) {
  ASSIGN_OR_RETURN(uint64_t const number, place.Unsigned(UINT8_MAX));
  auto const type = number <= kTypeMax ? FieldTypeFromCode(number) : std::nullopt;
  if (!type) {
    return place.Fail(StrCat("found type ", number, ", expected 1 to ", kTypeMax));
  }
  return *type;
}

Result<Document> ValueToDocument(FieldType type, const Value& value, std::string_view what) {
  switch (TraitsOf(type).kind) {
    case ValueKind::kBool:
      return Document::Bool(std::get<bool>(value));
    case ValueKind::kSigned:
      if (type != FieldType::kTimestamp) {
        return Document::Signed(std::get<int64_t>(value));
      }
      break;
    case ValueKind::kUnsigned:
      return Document::Unsigned(std::get<uint64_t>(value));
    case ValueKind::kFloat:
      return Document::Float(std::get<float>(value));
    case ValueKind::kDouble:
      return Document::Double(std::get<double>(value));
    case ValueKind::kDecimal: {
      auto bytes = EncodeDecimal(type, std::get<Decimal>(value));
      if (!bytes.ok()) {
        return std::move(bytes).status().WithContext(what);
      }
      return Document::Bytes(*std::move(bytes));
    }
    case ValueKind::kString:
      if (type == FieldType::kText) {
        return Document::Bytes(std::get<std::string>(value));
      }
      break;
    default:
      break;
  }
  return Unsupported(type, what);
}

Result<double> ReadNumber(const Place& place) {
  const Document& document = place.document();
  switch (document.kind) {
    case Kind::kSigned:
      return static_cast<double>(document.signed_number);
    case Kind::kUnsigned:
      return static_cast<double>(document.unsigned_number);
    case Kind::kFloat:
    case Kind::kDouble:
      if (std::isnan(document.number)) {
        return place.Fail("found NaN, which this dialect has not");
      }
      return document.number;
    default:
      return place.FailKind("a number");
  }
}

Result<Value> ReadValue(FieldType type, const Place& place, std::string_view what) {
  switch (TraitsOf(type).kind) {
    case ValueKind::kBool: {
      ASSIGN_OR_RETURN(bool const value, place.Bool());
      return Value(value);
    }
    case ValueKind::kSigned: {
      ASSIGN_OR_RETURN(int64_t const value, place.Signed(INT64_MIN, INT64_MAX));
      return Value(value);
    }
    case ValueKind::kUnsigned: {
      ASSIGN_OR_RETURN(uint64_t const value, place.Unsigned(UINT64_MAX));
      return Value(value);
    }
    case ValueKind::kFloat:
    case ValueKind::kDouble: {
      // Clients in languages with one number type send any of their forms; servers convert.
      ASSIGN_OR_RETURN(double const number, ReadNumber(place));
      return type == FieldType::kDouble ? Value(number) : Value(static_cast<float>(number));
    }
    case ValueKind::kDecimal: {
      if (place.kind() != Kind::kBytes) {
        return place.FailKind("bytes");
      }
      auto value = DecodeDecimal(type, place.document().text);
      if (!value.ok()) {
        return place.Fail(value.status().message());
      }
      return Value(*std::move(value));
    }
    case ValueKind::kString: {
      ASSIGN_OR_RETURN(std::string value, place.Text());
      return Value(std::move(value));
    }
    default:
      return Unsupported(type, what);
  }
}

// A value of the type from MessagePack within MessagePack, where errors name the outer place.
Result<Value> ValueFromBytes(FieldType type, std::string_view& rest, const Place& place,
                             std::string_view what) {
  auto const document = TakeMessagePack(rest, kLiteralBounds);
  if (!document.ok()) {
    return place.Fail(StrCat(what, ": ", document.status().message()));
  }
  auto value = ReadValue(type, Place(*document), what);
  if (!value.ok()) {
    return value.status().code() == StatusCode::kUnsupported
               ? value.status()
               : place.Fail(StrCat(what, ": ", value.status().message()));
  }
  if (Status status = CheckValue(type, *value); !status.ok()) {
    return place.Fail(StrCat(what, ": ", status.message()));
  }
  return *std::move(value);
}

Result<Field> FieldFromDocument(const Place& place) {
  RETURN_IF_ERROR(place.CheckArray(4));
  Field field;
  ASSIGN_OR_RETURN(field.order.type, TypeFromDocument(place.Item(0)));
  ASSIGN_OR_RETURN(field.name, place.Item(1).Text());
  ASSIGN_OR_RETURN(field.order.descending, place.Item(2).Bool());
  ASSIGN_OR_RETURN(field.order.nulls_last, place.Item(3).Bool());
  return field;
}

Result<std::vector<uint32_t>> KeyFromDocument(const Place& place) {
  RETURN_IF_ERROR(place.CheckArray());
  std::vector<uint32_t> key;
  for (size_t index = 0; index < place.item_count(); ++index) {
    ASSIGN_OR_RETURN(uint64_t const field, place.Item(index).Unsigned(kFieldCountMax));
    key.push_back(static_cast<uint32_t>(field));
  }
  return key;
}

Result<Document> NodeToDocument(const Expression& node) {
  Document values = Document::Array();
  for (const Operand& operand : node.operands) {
    if (const auto* field = std::get_if<FieldReference>(&operand)) {
      values.items.push_back(Document::Array(
          {Document::Bytes(field->name), Document::Unsigned(kTypeNotKnown), Document::Bytes("")}));
      continue;
    }
    const auto& literal = std::get<Literal>(operand);
    ASSIGN_OR_RETURN(uint64_t const type, TypeNumber(literal.type, "a literal of the filter"));
    ASSIGN_OR_RETURN(Document const value,
                     ValueToDocument(literal.type, literal.value, "a literal of the filter"));
    values.items.push_back(Document::Array(
        {Document::Bytes(""), Document::Unsigned(type), Document::Bytes(WriteMessagePack(value))}));
  }
  Document children = Document::Array();
  for (const Expression& child : node.children) {
    ASSIGN_OR_RETURN(Document document, NodeToDocument(child));
    children.items.push_back(std::move(document));
  }
  return Document::Array({Document::Unsigned(static_cast<uint64_t>(node.operation)),
                          std::move(values), std::move(children)});
}

Result<Operand> OperandFromDocument(const Place& place) {
  RETURN_IF_ERROR(place.CheckArray(3));
  ASSIGN_OR_RETURN(std::string name, place.Item(0).Text());
  if (!name.empty()) {
    return Operand(FieldReference{std::move(name)});
  }
  Literal literal;
  ASSIGN_OR_RETURN(literal.type, TypeFromDocument(place.Item(1)));
  Place const bytes = place.Item(2);
  if (bytes.kind() != Kind::kBytes) {
    return bytes.FailKind("bytes");
  }
  std::string_view rest = bytes.document().text;
  ASSIGN_OR_RETURN(literal.value,
                   ValueFromBytes(literal.type, rest, bytes, "the literal of a filter"));
  if (!rest.empty()) {
    return bytes.Fail(StrCat("has ", rest.size(), " bytes after the literal"));
  }
  return Operand(std::move(literal));
}

Result<Expression> NodeFromDocument(const Place& place, size_t depth) {
  if (depth > kFilterDepthMax) {
    return place.Fail(StrCat("is nested deeper than ", kFilterDepthMax));
  }
  RETURN_IF_ERROR(place.CheckArray(3));
  Expression node;
  ASSIGN_OR_RETURN(uint64_t const operation, place.Item(0).Unsigned(kOperationMax));
  node.operation = static_cast<Operation>(operation);
  Place const values = place.Item(1);
  Place const children = place.Item(2);
  RETURN_IF_ERROR(values.CheckArray());
  RETURN_IF_ERROR(children.CheckArray());
  for (size_t index = 0; index < values.item_count(); ++index) {
    ASSIGN_OR_RETURN(Operand operand, OperandFromDocument(values.Item(index)));
    node.operands.push_back(std::move(operand));
  }
  for (size_t index = 0; index < children.item_count(); ++index) {
    ASSIGN_OR_RETURN(Expression child, NodeFromDocument(children.Item(index), depth + 1));
    node.children.push_back(std::move(child));
  }
  return node;
}

}  // namespace

Result<Document> SchemaToDocument(const SchemaDefinition& schema) {
  Document fields = Document::Array();
  for (const Field& field : schema.fields) {
    ASSIGN_OR_RETURN(uint64_t const type, TypeNumber(field.type(), "field '" + field.name + "'"));
    fields.items.push_back(Document::Array({Document::Unsigned(type), Document::Bytes(field.name),
                                            Document::Bool(field.order.descending),
                                            Document::Bool(field.order.nulls_last)}));
  }
  auto const indexes = [](const std::vector<uint32_t>& key) {
    Document document = Document::Array();
    for (uint32_t const index : key) {
      document.items.push_back(Document::Unsigned(index));
    }
    return document;
  };
  return Document::Array({Document::Bytes(schema.name), Document::Unsigned(schema.version.value()),
                          std::move(fields), indexes(schema.partition_key),
                          indexes(schema.range_key)});
}

Result<SchemaDefinition> SchemaFromDocument(const Place& place) {
  RETURN_IF_ERROR(place.CheckArray(5));
  SchemaDefinition schema;
  ASSIGN_OR_RETURN(schema.name, place.Item(0).Text());
  ASSIGN_OR_RETURN(uint64_t const version, place.Item(1).Unsigned(UINT32_MAX));
  schema.version = SchemaVersion(static_cast<uint32_t>(version));
  Place const fields = place.Item(2);
  RETURN_IF_ERROR(fields.CheckArray());
  for (size_t index = 0; index < fields.item_count(); ++index) {
    ASSIGN_OR_RETURN(Field field, FieldFromDocument(fields.Item(index)));
    schema.fields.push_back(std::move(field));
  }
  ASSIGN_OR_RETURN(schema.partition_key, KeyFromDocument(place.Item(3)));
  ASSIGN_OR_RETURN(schema.range_key, KeyFromDocument(place.Item(4)));
  return schema;
}

Result<Document> StorageToDocument(const Schema& schema, std::span<const Value> values) {
  ASSERT(values.size() <= schema.field_count());
  Document excluded = Document::Array();
  std::string data;
  for (size_t index = 0; index < values.size(); ++index) {
    const Field& field = schema.field(index);
    if (IsNull(values[index])) {
      excluded.items.resize(schema.field_count(), Document::Bool(false));
      excluded.items[index] = Document::Bool(true);
      continue;
    }
    ASSIGN_OR_RETURN(Document const value,
                     ValueToDocument(field.type(), values[index], "field '" + field.name + "'"));
    data += WriteMessagePack(value);
  }
  return Document::Array({std::move(excluded), Document::Unsigned(values.size()),
                          Document::Bytes(std::move(data)),
                          Document::Unsigned(schema.version().value())});
}

Result<SchemaVersion> StorageVersion(const Place& place) {
  RETURN_IF_ERROR(place.CheckArray(4));
  ASSIGN_OR_RETURN(uint64_t const version, place.Item(3).Unsigned(UINT32_MAX));
  return SchemaVersion(static_cast<uint32_t>(version));
}

Result<Storage> StorageFromDocument(const Schema& schema, const Place& place) {
  Storage storage;
  ASSIGN_OR_RETURN(storage.version, StorageVersion(place));
  if (storage.version != schema.version()) {
    return place.Item(3).Fail(
        StrCat("found version ", storage.version.value(), ", expected ", schema.version().value()));
  }
  ASSIGN_OR_RETURN(uint64_t const count, place.Item(1).Unsigned(schema.field_count()));
  Place const excluded = place.Item(0);
  RETURN_IF_ERROR(excluded.CheckArray());
  if (excluded.item_count() != 0 &&
      (excluded.item_count() < count || excluded.item_count() > schema.field_count())) {
    return excluded.Fail(StrCat("has ", excluded.item_count(), " items, expected none or ", count,
                                " to ", schema.field_count()));
  }
  Place const data = place.Item(2);
  if (data.kind() != Kind::kBytes) {
    return data.FailKind("bytes");
  }
  std::string_view rest = data.document().text;
  for (size_t index = 0; index < count; ++index) {
    bool null = false;
    if (excluded.item_count() != 0) {
      ASSIGN_OR_RETURN(null, excluded.Item(index).Bool());
    }
    storage.values.emplace_back();
    if (!null) {
      const Field& field = schema.field(index);
      ASSIGN_OR_RETURN(storage.values.back(),
                       ValueFromBytes(field.type(), rest, data, "field '" + field.name + "'"));
    }
  }
  if (!rest.empty()) {
    return data.Fail(StrCat("has ", rest.size(), " bytes after its last field"));
  }
  return storage;
}

Result<Document> FilterToDocument(const std::optional<Expression>& filter) {
  if (filter) {
    return NodeToDocument(*filter);
  }
  return Document::Array({Document::Unsigned(kNoFilter), Document::Array(), Document::Array()});
}

Result<std::optional<Expression>> FilterFromDocument(const Place& place) {
  RETURN_IF_ERROR(place.CheckArray(3));
  ASSIGN_OR_RETURN(uint64_t const operation, place.Item(0).Unsigned(kNoFilter));
  if (operation == kNoFilter) {
    for (size_t index = 1; index < 3; ++index) {
      RETURN_IF_ERROR(place.Item(index).CheckArray(0));
    }
    return std::optional<Expression>();
  }
  ASSIGN_OR_RETURN(Expression filter, NodeFromDocument(place, 1));
  if (Status status = CheckShape(filter); !status.ok()) {
    return place.Fail(status.message());
  }
  return std::optional<Expression>(std::move(filter));
}

}  // namespace orochi::kv::chogori
