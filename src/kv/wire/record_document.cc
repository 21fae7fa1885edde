#include "kv/wire/record_document.h"

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::kv {

Document RecordToDocument(const Schema& schema, std::span<const Value> values, WireForm form) {
  ASSERT(values.size() == schema.field_count());
  Document document = Document::Object();
  for (size_t index = 0; index < values.size(); ++index) {
    const Field& field = schema.field(index);
    document.Add(field.name, ValueToDocument(field.type(), values[index], form));
  }
  return document;
}

Result<std::vector<FieldUpdate>> FieldsFromDocument(const Schema& schema, const Place& place,
                                                    WireForm form) {
  if (place.kind() != Document::Kind::kObject) {
    return place.FailKind("an object");
  }
  std::vector<FieldUpdate> fields;
  for (size_t index = 0; index < place.item_count(); ++index) {
    Place const item = place.Item(index);
    auto const field = schema.FindField(place.document().names[index]);
    if (!field) {
      return item.Fail(StrCat(schema.Describe(), " has no such field"));
    }
    ASSIGN_OR_RETURN(Value value, ValueFromDocument(schema.field(*field).type(), item, form));
    fields.push_back({*field, std::move(value)});
  }
  return fields;
}

Result<std::vector<Value>> RecordFromDocument(const Schema& schema, const Place& place,
                                              WireForm form) {
  ASSIGN_OR_RETURN(std::vector<FieldUpdate> fields, FieldsFromDocument(schema, place, form));
  std::vector<Value> values(schema.field_count());
  std::vector<bool> given(schema.field_count(), false);
  for (FieldUpdate& field : fields) {
    given[field.field] = true;
    values[field.field] = std::move(field.value);
  }
  for (size_t index = 0; index < given.size(); ++index) {
    if (!given[index]) {
      return place.Fail(StrCat("has no field '", schema.field(index).name,
                               "'; every field is given, NULL as null"));
    }
  }
  return values;
}

}  // namespace orochi::kv
