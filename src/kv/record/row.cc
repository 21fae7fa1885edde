#include "kv/record/row.h"

#include <bit>
#include <cstring>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "kv/record/key_codec.h"

namespace orochi::kv {

namespace {

constexpr uint8_t kRowFormat = 1;

void AppendLittleEndian(std::string& out, uint64_t value, size_t width_bytes) {
  for (size_t index = 0; index < width_bytes; ++index) {
    out.push_back(static_cast<char>(value >> (8 * index)));
  }
}

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value;
}

void AppendCount(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    out.push_back(static_cast<char>(value | 0x80));
  }
  out.push_back(static_cast<char>(value));
}

void AppendRowField(std::string& out, FieldType type, const Value& value) {
  const FieldTypeTraits& traits = TraitsOf(type);
  switch (traits.kind) {
    case ValueKind::kBool:
      out.push_back(std::get<bool>(value) ? 1 : 0);
      return;
    case ValueKind::kSigned:
      return AppendLittleEndian(out, static_cast<uint64_t>(std::get<int64_t>(value)),
                                traits.width_bytes);
    case ValueKind::kUnsigned:
      return AppendLittleEndian(out, std::get<uint64_t>(value), traits.width_bytes);
    case ValueKind::kFloat:
      return AppendLittleEndian(out, std::bit_cast<uint32_t>(std::get<float>(value)), 4);
    case ValueKind::kDouble:
      return AppendLittleEndian(out, std::bit_cast<uint64_t>(std::get<double>(value)), 8);
    case ValueKind::kDecimal: {
      std::string bytes;
      AppendDecimal(bytes, std::get<Decimal>(value));
      AppendCount(out, bytes.size());
      out += bytes;
      return;
    }
    case ValueKind::kString:
      AppendCount(out, std::get<std::string>(value).size());
      out += std::get<std::string>(value);
      return;
    case ValueKind::kUuid:
      for (uint8_t const byte : std::get<Uuid>(value)) {
        out.push_back(static_cast<char>(byte));
      }
      return;
  }
}

struct RowHeader {
  SchemaVersion version;
  size_t size_bytes = 0;
};

Result<RowHeader> ReadHeader(std::string_view row) {
  codec::ByteReader reader(std::as_bytes(std::span(row)));
  uint8_t format = 0;
  if (!reader.ReadFixed(format)) {
    return Status::Corruption("row is empty");
  }
  if (format != kRowFormat) {
    return Status::Corruption(
        StrCat("row has format ", int{format}, ", expected ", int{kRowFormat}));
  }
  uint32_t version = 0;
  if (!reader.ReadVarintUpTo(UINT32_MAX, version)) {
    return Status::Corruption("row ends within its schema version, or that is past 32 bits");
  }
  return RowHeader{SchemaVersion(version), row.size() - reader.remaining_bytes()};
}

}  // namespace

Result<std::string> EncodeRow(const Schema& schema, std::span<const Value> values) {
  RETURN_IF_ERROR(schema.CheckRecord(values));
  std::string row(1, static_cast<char>(kRowFormat));
  AppendCount(row, schema.version().value());
  size_t const bitmap_at = row.size();
  row.append((schema.value_fields().size() + 7) / 8, 0);
  for (size_t position = 0; position < schema.value_fields().size(); ++position) {
    uint32_t const index = schema.value_fields()[position];
    if (!IsNull(values[index])) {
      row[bitmap_at + position / 8] |= static_cast<char>(1 << (position % 8));
      AppendRowField(row, schema.field(index).type(), values[index]);
    }
    if (row.size() > kRowSizeBytesMax) {
      return Status::OutOfRange(StrCat(schema.Describe(), ": row has ", row.size(),
                                       " bytes or more at field '", schema.field(index).name,
                                       "', at most ", kRowSizeBytesMax));
    }
  }
  return row;
}

Result<SchemaVersion> ReadRowVersion(std::string_view row) {
  ASSIGN_OR_RETURN(RowHeader const header, ReadHeader(row));
  return header.version;
}

Status RowReader::Open(const Schema& schema, std::string_view row) {
  schema_ = &schema;
  row_ = row;
  extents_.assign(schema.value_fields().size(), Extent());
  if (row.size() > kRowSizeBytesMax) {
    return Status::Corruption(
        StrCat(schema.Describe(), ": row has ", row.size(), " bytes, at most ", kRowSizeBytesMax));
  }
  auto const header = ReadHeader(row);
  if (!header.ok()) {
    return Status(header.status()).WithContext(schema.Describe());
  }
  if (header->version != schema.version()) {
    return Status::Corruption(
        StrCat(schema.Describe(), ": row is of version ", header->version.value()));
  }
  size_t const bitmap_size_bytes = (extents_.size() + 7) / 8;
  if (row.size() - header->size_bytes < bitmap_size_bytes) {
    return Status::Corruption(StrCat(schema.Describe(), ": row ends within its field bitmap"));
  }
  std::string_view const bitmap = row.substr(header->size_bytes, bitmap_size_bytes);
  if (size_t const used = extents_.size() % 8;
      used != 0 && static_cast<uint8_t>(bitmap.back()) >> used != 0) {
    return Status::Corruption(
        StrCat(schema.Describe(), ": row has bits past its ", extents_.size(), " value fields"));
  }
  return FindExtents(bitmap, header->size_bytes + bitmap_size_bytes);
}

Status RowReader::FindExtents(std::string_view bitmap, size_t offset_bytes) {
  codec::ByteReader reader(std::as_bytes(std::span(row_)).subspan(offset_bytes));
  for (size_t position = 0; position < extents_.size(); ++position) {
    if ((static_cast<uint8_t>(bitmap[position / 8]) >> (position % 8) & 1) == 0) {
      continue;
    }
    const Field& field = schema_->field(schema_->value_fields()[position]);
    uint64_t size_bytes = TraitsOf(field.type()).width_bytes;
    std::span<const std::byte> bytes;
    bool ok = size_bytes != 0 || reader.ReadVarintUpTo(kRowSizeBytesMax, size_bytes);
    Extent& extent = extents_[position];
    extent.offset_bytes = static_cast<uint32_t>(row_.size() - reader.remaining_bytes());
    extent.size_bytes = static_cast<uint32_t>(size_bytes);
    extent.null = false;
    ok = ok && reader.ReadSpan(size_bytes, bytes);
    if (!ok) {
      return Status::Corruption(
          StrCat(schema_->Describe(), ": row ends within field '", field.name, "'"));
    }
  }
  if (reader.remaining_bytes() != 0) {
    return Status::Corruption(StrCat(schema_->Describe(), ": row has ", reader.remaining_bytes(),
                                     " bytes after its last field"));
  }
  return Status::Ok();
}

bool RowReader::IsNull(uint32_t field) const {
  ASSERT(schema_ != nullptr && !schema_->IsKeyField(field) && field < schema_->field_count());
  return extents_[field - schema_->key_fields().size()].null;
}

Status RowReader::Read(uint32_t field, Value& value) const {
  if (IsNull(field)) {
    value = Null();
    return Status::Ok();
  }
  const Extent& extent = extents_[field - schema_->key_fields().size()];
  std::string_view bytes = row_.substr(extent.offset_bytes, extent.size_bytes);
  FieldType const type = schema_->field(field).type();
  auto const corruption = [&](std::string_view what) {
    return Status::Corruption(
        StrCat(schema_->Describe(), ": row field '", schema_->field(field).name, "' ", what));
  };
  switch (TraitsOf(type).kind) {
    case ValueKind::kBool: {
      auto const byte = static_cast<uint8_t>(bytes[0]);
      if (byte > 1) {
        return corruption(StrCat("has byte ", int{byte}, ", expected 0 or 1"));
      }
      value = byte == 1;
      return Status::Ok();
    }
    case ValueKind::kSigned: {
      auto const unused_bits = static_cast<int>(64 - bytes.size() * 8);
      value = static_cast<int64_t>(LittleEndian(bytes) << unused_bits) >> unused_bits;
      return Status::Ok();
    }
    case ValueKind::kUnsigned:
      value = LittleEndian(bytes);
      return Status::Ok();
    case ValueKind::kFloat:
      value = std::bit_cast<float>(static_cast<uint32_t>(LittleEndian(bytes)));
      return Status::Ok();
    case ValueKind::kDouble:
      value = std::bit_cast<double>(LittleEndian(bytes));
      return Status::Ok();
    case ValueKind::kDecimal: {
      Decimal decimal;
      if (Status status = ReadDecimal(bytes, decimal); !status.ok()) {
        return corruption(status.message());
      }
      value = std::move(decimal);
      if (Status status = CheckValue(type, value); !status.ok() || !bytes.empty()) {
        return corruption(status.ok() ? "has bytes after its decimal" : status.message());
      }
      return Status::Ok();
    }
    case ValueKind::kString:
      value = std::string(bytes);
      return Status::Ok();
    case ValueKind::kUuid: {
      Uuid uuid{};
      std::memcpy(uuid.data(), bytes.data(), uuid.size());
      value = uuid;
      return Status::Ok();
    }
  }
  ASSERT(false);
  return Status::Ok();
}

Result<std::vector<Value>> DecodeRecord(const KeySpace& space, const Schema& schema,
                                        std::string_view key, std::string_view row) {
  ASSIGN_OR_RETURN(std::vector<Value> key_values, DecodeStorageKey(space, schema, key));
  RowReader reader;
  RETURN_IF_ERROR(reader.Open(schema, row));
  std::vector<Value> values(schema.field_count());
  for (size_t position = 0; position < key_values.size(); ++position) {
    values[schema.key_fields()[position]] = std::move(key_values[position]);
  }
  for (uint32_t const index : schema.value_fields()) {
    RETURN_IF_ERROR(reader.Read(index, values[index]));
  }
  return values;
}

std::vector<Value> ConvertRecord(const Schema& from, const Schema& to,
                                 std::span<const Value> values) {
  ASSERT(from.id() == to.id() && values.size() == from.field_count());
  std::vector<Value> converted(to.field_count());
  for (uint32_t const index : to.key_fields()) {  // the same in every version
    converted[index] = values[index];
  }
  for (uint32_t const index : to.value_fields()) {
    if (auto const old = from.FindField(to.field(index).id)) {
      converted[index] = values[*old];
    }
  }
  return converted;
}

Result<std::vector<Value>> ApplyUpdate(const Schema& stored, std::span<const Value> values,
                                       const Schema& to, std::span<const FieldUpdate> updates) {
  std::vector<Value> record = ConvertRecord(stored, to, values);
  std::vector<bool> given(to.field_count(), false);
  for (const FieldUpdate& update : updates) {
    if (update.field >= to.field_count() || to.IsKeyField(update.field)) {
      return Status::InvalidArgument(
          StrCat(to.Describe(), ": update of field ", update.field, ", expected a value field"));
    }
    auto const context = [&] {
      return StrCat(to.Describe(), ": update of field '", to.field(update.field).name, "'");
    };
    if (given[update.field]) {
      return Status::InvalidArgument(StrCat(context(), ": it is given twice"));
    }
    if (Status status = CheckValue(to.field(update.field).type(), update.value); !status.ok()) {
      return std::move(status).WithContext(context());
    }
    given[update.field] = true;
    record[update.field] = update.value;
  }
  return record;
}

}  // namespace orochi::kv
