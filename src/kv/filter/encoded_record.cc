#include "kv/filter/encoded_record.h"

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/record/key_codec.h"

namespace orochi::kv {

Status EncodedRecord::Open(const KeySpace& space, const Schema& schema, std::string_view key,
                           std::string_view row) {
  auto const header = ReadStorageKeyHeader(space.distribution, key);
  if (!header.ok()) {
    return header.status();
  }
  if (header->collection != space.collection || header->schema != schema.id()) {
    return Status::Corruption(StrCat("key is of collection ", header->collection.value(),
                                     " and schema ", header->schema.value(), ", expected ",
                                     space.collection.value(), " and ", schema.id().value()));
  }
  schema_ = &schema;
  key_rest_ = header->fields;
  key_values_.clear();
  key_position_.resize(schema.key_fields().size());
  for (uint32_t position = 0; position < schema.key_fields().size(); ++position) {
    key_position_[schema.key_fields()[position]] = position;
  }
  return row_.Open(schema, row);
}

Status EncodedRecord::Read(uint32_t field, Value& value) {
  ASSERT(schema_ != nullptr && field < schema_->field_count());
  if (!schema_->IsKeyField(field)) {
    return row_.Read(field, value);
  }
  uint32_t const position = key_position_[field];
  while (key_values_.size() <= position) {
    const Field& next = schema_->field(schema_->key_fields()[key_values_.size()]);
    Value decoded;
    if (Status status = ReadKeyField(key_rest_, next.order, decoded); !status.ok()) {
      return std::move(status).WithContext(
          StrCat(schema_->Describe(), ": key field '", next.name, "'"));
    }
    key_values_.push_back(std::move(decoded));
  }
  value = key_values_[position];
  return Status::Ok();
}

}  // namespace orochi::kv
