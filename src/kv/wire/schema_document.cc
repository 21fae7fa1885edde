#include "kv/wire/schema_document.h"

#include <algorithm>

#include "base/str_cat.h"

namespace orochi::kv {

namespace {

Document NamesDocument(const SchemaDefinition& schema, const std::vector<uint32_t>& key) {
  Document names = Document::Array();
  for (uint32_t const index : key) {
    names.items.push_back(Document::String(schema.fields[index].name));
  }
  return names;
}

Result<bool> Flag(const Place& place, std::string_view name) {
  if (!place.Has(name)) {
    return false;
  }
  ASSIGN_OR_RETURN(Place const flag, place.Member(name));
  return flag.Bool();
}

Result<Field> FieldFromDocument(const Place& place) {
  RETURN_IF_ERROR(place.CheckObject({"name", "type", "descending", "nulls_last", "id"}));
  Field field;
  ASSIGN_OR_RETURN(Place const name, place.Member("name"));
  ASSIGN_OR_RETURN(field.name, name.Text());
  ASSIGN_OR_RETURN(Place const type, place.Member("type"));
  ASSIGN_OR_RETURN(std::string const type_name, type.Text());
  auto const known = FieldTypeFromName(type_name);
  if (!known) {
    return type.Fail(StrCat("found '", type_name.substr(0, 40), "', expected the name of a type"));
  }
  field.order.type = *known;
  ASSIGN_OR_RETURN(field.order.descending, Flag(place, "descending"));
  ASSIGN_OR_RETURN(field.order.nulls_last, Flag(place, "nulls_last"));
  if (place.Has("id")) {
    ASSIGN_OR_RETURN(Place const id, place.Member("id"));
    ASSIGN_OR_RETURN(uint64_t const number, id.Unsigned(UINT32_MAX));
    field.id = FieldId(static_cast<uint32_t>(number));
  }
  return field;
}

Result<std::vector<uint32_t>> KeyFromDocument(const Place& place, const SchemaDefinition& schema) {
  RETURN_IF_ERROR(place.CheckArray());
  std::vector<uint32_t> key;
  for (size_t index = 0; index < place.item_count(); ++index) {
    Place const item = place.Item(index);
    ASSIGN_OR_RETURN(std::string const name, item.Text());
    auto const field = std::find_if(schema.fields.begin(), schema.fields.end(),
                                    [&](const Field& one) { return one.name == name; });
    if (field == schema.fields.end()) {
      return item.Fail(
          StrCat("found '", name.substr(0, kNameSizeBytesMax), "', which is no field"));
    }
    key.push_back(static_cast<uint32_t>(field - schema.fields.begin()));
  }
  return key;
}

}  // namespace

Document SchemaToDocument(const SchemaDefinition& schema) {
  Document document = Document::Object();
  document.Add("name", Document::String(schema.name));
  document.Add("version", Document::Unsigned(schema.version.value()));
  Document fields = Document::Array();
  for (const Field& field : schema.fields) {
    Document one = Document::Object();
    one.Add("name", Document::String(field.name));
    one.Add("type", Document::String(std::string(FieldTypeName(field.type()))));
    if (field.order.descending) {
      one.Add("descending", Document::Bool(true));
    }
    if (field.order.nulls_last) {
      one.Add("nulls_last", Document::Bool(true));
    }
    if (field.id != FieldId()) {
      one.Add("id", Document::Unsigned(field.id.value()));
    }
    fields.items.push_back(std::move(one));
  }
  document.Add("fields", std::move(fields));
  document.Add("partition_key", NamesDocument(schema, schema.partition_key));
  document.Add("range_key", NamesDocument(schema, schema.range_key));
  return document;
}

Result<SchemaDefinition> SchemaFromDocument(const Place& place) {
  RETURN_IF_ERROR(place.CheckObject({"name", "version", "fields", "partition_key", "range_key"}));
  SchemaDefinition schema;
  ASSIGN_OR_RETURN(Place const name, place.Member("name"));
  ASSIGN_OR_RETURN(schema.name, name.Text());
  ASSIGN_OR_RETURN(Place const version, place.Member("version"));
  ASSIGN_OR_RETURN(uint64_t const number, version.Unsigned(UINT32_MAX));
  schema.version = SchemaVersion(static_cast<uint32_t>(number));
  ASSIGN_OR_RETURN(Place const fields, place.Member("fields"));
  RETURN_IF_ERROR(fields.CheckArray());
  if (fields.item_count() > kFieldCountMax) {
    return fields.Fail(StrCat("has ", fields.item_count(), " items, at most ", kFieldCountMax));
  }
  for (size_t index = 0; index < fields.item_count(); ++index) {
    ASSIGN_OR_RETURN(Field field, FieldFromDocument(fields.Item(index)));
    schema.fields.push_back(std::move(field));
  }
  ASSIGN_OR_RETURN(Place const partition_key, place.Member("partition_key"));
  ASSIGN_OR_RETURN(schema.partition_key, KeyFromDocument(partition_key, schema));
  if (place.Has("range_key")) {
    ASSIGN_OR_RETURN(Place const range_key, place.Member("range_key"));
    ASSIGN_OR_RETURN(schema.range_key, KeyFromDocument(range_key, schema));
  }
  return schema;
}

}  // namespace orochi::kv
