#include "kv/wire/filter_document.h"

#include "base/str_cat.h"

namespace orochi::kv {

namespace {

using Kind = Document::Kind;

Result<FieldType> TypeOfDocument(const Place& place) {
  switch (place.kind()) {
    case Kind::kBool:
      return FieldType::kBool;
    case Kind::kSigned:
      return FieldType::kInt64;
    case Kind::kUnsigned:
      return FieldType::kUint64;
    case Kind::kFloat:
    case Kind::kDouble:
      return FieldType::kDouble;
    case Kind::kString:
      return FieldType::kText;
    case Kind::kBytes:
      return FieldType::kBytes;
    default:
      return place.FailKind("a bool, number, string or bytes");
  }
}

// The type of the field beside a literal.
std::optional<FieldType> TypeBeside(const Place& args, const Schema* schema) {
  if (schema == nullptr) {
    return std::nullopt;
  }
  for (const Document& item : args.document().items) {
    const Document* const name = item.kind == Kind::kObject ? item.Find("field") : nullptr;
    auto const field = name == nullptr ? std::nullopt : schema->FindField(name->text);
    if (field) {
      return schema->field(*field).type();
    }
  }
  return std::nullopt;
}

Result<Operand> LiteralFromDocument(const Place& place, std::optional<FieldType> beside,
                                    WireForm form) {
  RETURN_IF_ERROR(place.CheckObject({"literal", "type"}));
  ASSIGN_OR_RETURN(Place const literal, place.Member("literal"));
  Literal made;
  if (place.Has("type")) {
    ASSIGN_OR_RETURN(Place const type, place.Member("type"));
    ASSIGN_OR_RETURN(std::string const name, type.Text());
    auto const known = FieldTypeFromName(name);
    if (!known) {
      return type.Fail(StrCat("found '", name.substr(0, 40), "', expected the name of a type"));
    }
    made.type = *known;
  } else if (beside) {
    made.type = *beside;
  } else {
    ASSIGN_OR_RETURN(made.type, TypeOfDocument(literal));
  }
  ASSIGN_OR_RETURN(made.value, ValueFromDocument(made.type, literal, form));
  if (IsNull(made.value)) {
    return literal.Fail("found null, expected a value (IS_NULL asks for NULL)");
  }
  return Operand(std::move(made));
}

Result<Expression> NodeFromDocument(const Place& place, const Schema* schema, size_t depth,
                                    WireForm form) {
  if (depth > kFilterDepthMax) {
    return place.Fail(StrCat("is nested deeper than ", kFilterDepthMax));
  }
  RETURN_IF_ERROR(place.CheckObject({"op", "args"}));
  ASSIGN_OR_RETURN(Place const op, place.Member("op"));
  ASSIGN_OR_RETURN(std::string const op_name, op.Text());
  auto const operation = OperationFromName(op_name);
  if (!operation) {
    return op.Fail(StrCat("found '", op_name.substr(0, 40), "', expected EQ, GT, ... or NOT"));
  }
  Expression node{.operation = *operation};
  ASSIGN_OR_RETURN(Place const args, place.Member("args"));
  RETURN_IF_ERROR(args.CheckArray());
  auto beside = TypeBeside(args, schema);
  if (*operation == Operation::kIsExactType) {
    beside = FieldType::kFieldType;
  }
  for (size_t index = 0; index < args.item_count(); ++index) {
    Place const item = args.Item(index);
    if (item.kind() != Kind::kObject) {
      return item.FailKind("an object with op, field or literal");
    }
    if (item.Has("op")) {
      ASSIGN_OR_RETURN(Expression child, NodeFromDocument(item, schema, depth + 1, form));
      node.children.push_back(std::move(child));
    } else if (item.Has("field")) {
      RETURN_IF_ERROR(item.CheckObject({"field"}));
      ASSIGN_OR_RETURN(Place const field, item.Member("field"));
      ASSIGN_OR_RETURN(std::string name, field.Text());
      node.operands.push_back(FieldReference{std::move(name)});
    } else {
      ASSIGN_OR_RETURN(Operand literal, LiteralFromDocument(item, beside, form));
      node.operands.push_back(std::move(literal));
    }
  }
  return node;
}

}  // namespace

Document FilterToDocument(const Expression& filter, WireForm form) {
  Document args = Document::Array();
  for (const Operand& operand : filter.operands) {
    Document one = Document::Object();
    if (const auto* field = std::get_if<FieldReference>(&operand)) {
      one.Add("field", Document::String(field->name));
    } else {
      const auto& literal = std::get<Literal>(operand);
      one.Add("literal", ValueToDocument(literal.type, literal.value, form));
      one.Add("type", Document::String(std::string(FieldTypeName(literal.type))));
    }
    args.items.push_back(std::move(one));
  }
  for (const Expression& child : filter.children) {
    args.items.push_back(FilterToDocument(child, form));
  }
  Document document = Document::Object();
  document.Add("op", Document::String(std::string(OperationName(filter.operation))));
  document.Add("args", std::move(args));
  return document;
}

Result<Expression> FilterFromDocument(const Place& place, const Schema* schema, WireForm form) {
  ASSIGN_OR_RETURN(Expression filter, NodeFromDocument(place, schema, 1, form));
  if (Status status = CheckShape(filter); !status.ok()) {
    return place.Fail(status.message());
  }
  return filter;
}

}  // namespace orochi::kv
