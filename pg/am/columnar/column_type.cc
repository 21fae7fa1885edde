#include "pg/am/columnar/column_type.h"

#include "base/str_cat.h"

extern "C" {
#include "catalog/pg_type.h"
}

namespace orochi::pg {
namespace {

using columnar::PhysicalType;

PhysicalType PhysicalOfByValue(Oid type_id, int16_t length) {
  switch (length) {
    case 1:
      return type_id == BOOLOID ? PhysicalType::kBool : PhysicalType::kInt16;
    case 2:
      return PhysicalType::kInt16;
    case 4:
      return type_id == FLOAT4OID ? PhysicalType::kFloat32 : PhysicalType::kInt32;
    default:
      return type_id == FLOAT8OID ? PhysicalType::kFloat64 : PhysicalType::kInt64;
  }
}

bool OrderedAsStored(Oid type_id) {
  switch (type_id) {
    case BOOLOID:
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case FLOAT4OID:
    case FLOAT8OID:
    case CASHOID:
    case DATEOID:
    case TIMEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
      return true;
    default:
      return false;
  }
}

size_t RoundUp8(size_t size_bytes) {
  return (size_bytes + 7) & ~size_t{7};
}

}  // namespace

ColumnType ColumnTypeOf(const FormData_pg_attribute& attribute) {
  ColumnType type;
  type.dropped = attribute.attisdropped;
  type.length = attribute.attlen;
  type.type_id = attribute.atttypid;
  type.ordered_as_stored = OrderedAsStored(attribute.atttypid);
  if (attribute.attbyval) {
    type.shape = ColumnType::Shape::kByValue;
    type.physical = PhysicalOfByValue(attribute.atttypid, attribute.attlen);
    return type;
  }
  type.physical = PhysicalType::kBytes;
  type.shape = attribute.attlen == -1   ? ColumnType::Shape::kVarlena
               : attribute.attlen == -2 ? ColumnType::Shape::kCString
                                        : ColumnType::Shape::kFixedBytes;
  return type;
}

columnar::Schema StripeSchemaOf(TupleDesc descriptor) {
  columnar::Schema schema;
  schema.columns.reserve(static_cast<size_t>(descriptor->natts));
  for (int i = 0; i < descriptor->natts; ++i) {
    schema.columns.push_back(ColumnTypeOf(*TupleDescAttr(descriptor, i)).physical);
  }
  return schema;
}

columnar::Cell CellOf(const ColumnType& type, Datum value) {
  auto const bytes = [](const void* data, size_t size_bytes) {
    return columnar::Cell::Bytes({static_cast<const std::byte*>(data), size_bytes});
  };
  switch (type.shape) {
    case ColumnType::Shape::kVarlena: {
      auto* const varlena = DatumGetPointer(value);
      return bytes(VARDATA_ANY(varlena), VARSIZE_ANY_EXHDR(varlena));
    }
    case ColumnType::Shape::kCString:
      return bytes(DatumGetCString(value), std::strlen(DatumGetCString(value)));
    case ColumnType::Shape::kFixedBytes:
      return bytes(DatumGetPointer(value), static_cast<size_t>(type.length));
    case ColumnType::Shape::kByValue:
      break;
  }
  switch (type.physical) {
    case PhysicalType::kBool:
      return columnar::Cell::Word(DatumGetBool(value) ? 1 : 0);
    case PhysicalType::kInt16: {
      int16_t const number =
          type.length == 1 ? static_cast<int16_t>(DatumGetChar(value)) : DatumGetInt16(value);
      return columnar::Cell::Word(static_cast<uint64_t>(int64_t{number}));
    }
    case PhysicalType::kInt32:
      return columnar::Cell::Word(static_cast<uint64_t>(int64_t{DatumGetInt32(value)}));
    case PhysicalType::kFloat32:
      return columnar::Cell::Word(DatumGetUInt32(value));
    default:
      return columnar::Cell::Word(DatumGetUInt64(value));
  }
}

Datum DatumOfWord(const ColumnType& type, uint64_t word) {
  switch (type.physical) {
    case PhysicalType::kBool:
      return BoolGetDatum(word != 0);
    case PhysicalType::kInt16:
      return type.length == 1 ? CharGetDatum(static_cast<char>(word))
                              : Int16GetDatum(static_cast<int16_t>(word));
    case PhysicalType::kInt32:
    case PhysicalType::kFloat32:
      return Int32GetDatum(static_cast<int32_t>(word));
    default:
      return UInt64GetDatum(word);
  }
}

Result<size_t> RebuiltSizeBytes(const ColumnType& type, size_t stored_size_bytes) {
  switch (type.shape) {
    case ColumnType::Shape::kVarlena:
      if (stored_size_bytes > MaxAllocSize - VARHDRSZ) {
        return Status::Corruption(StrCat("value of ", stored_size_bytes, " bytes, at most ",
                                         MaxAllocSize - VARHDRSZ, " expected"));
      }
      return stored_size_bytes + VARHDRSZ;
    case ColumnType::Shape::kCString:
      return stored_size_bytes + 1;
    default:
      if (stored_size_bytes != static_cast<size_t>(type.length)) {
        return Status::Corruption(
            StrCat("value of ", stored_size_bytes, " bytes, exactly ", type.length, " expected"));
      }
      return stored_size_bytes;
  }
}

Datum RebuildBytes(const ColumnType& type, std::span<const std::byte> stored, std::byte* out) {
  switch (type.shape) {
    case ColumnType::Shape::kVarlena:
      SET_VARSIZE(out, stored.size() + VARHDRSZ);
      std::memcpy(out + VARHDRSZ, stored.data(), stored.size());
      break;
    case ColumnType::Shape::kCString:
      std::memcpy(out, stored.data(), stored.size());
      out[stored.size()] = std::byte{0};
      break;
    default:
      std::memcpy(out, stored.data(), stored.size());
      break;
  }
  return PointerGetDatum(out);
}

namespace {

struct AllRows {
  uint32_t count;
  uint32_t size() const { return count; }
  uint32_t operator[](uint32_t index) const { return index; }
};

// Widens one fixed-width type to Datums; the compiler vectorises it when all rows are wanted.
template <class T, class Rows, class ToDatum>
void Widen(const columnar::ColumnVector& vector, const Rows& rows, Datum* out, ToDatum to_datum) {
  auto const values = vector.Values<T>();
  auto const count = static_cast<uint32_t>(rows.size());
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t const row = rows[i];
    out[row] = to_datum(values[row]);
  }
}

}  // namespace

template <class Rows>
Status DatumColumn::ConvertRows(const ColumnType& type, const columnar::ColumnVector& vector,
                                const Rows& rows) {
  Reserve(vector.row_count);
  auto const count = static_cast<uint32_t>(rows.size());
  if (vector.null_count == 0) {
    std::fill_n(nulls_.begin(), vector.row_count, uint8_t{0});
  } else {
    for (uint32_t i = 0; i < count; ++i) {
      nulls_[rows[i]] = vector.IsNull(rows[i]) ? 1 : 0;
    }
  }
  switch (vector.type) {
    case PhysicalType::kBool:
      Widen<uint8_t>(vector, rows, values_.data(), [](uint8_t v) { return BoolGetDatum(v != 0); });
      return Status::Ok();
    case PhysicalType::kInt16:
      if (type.length == 1) {
        Widen<int16_t>(vector, rows, values_.data(),
                       [](int16_t v) { return CharGetDatum(static_cast<char>(v)); });
      } else {
        Widen<int16_t>(vector, rows, values_.data(), [](int16_t v) { return Int16GetDatum(v); });
      }
      return Status::Ok();
    case PhysicalType::kInt32:
    case PhysicalType::kFloat32:
      Widen<int32_t>(vector, rows, values_.data(), [](int32_t v) { return Int32GetDatum(v); });
      return Status::Ok();
    case PhysicalType::kInt64:
    case PhysicalType::kFloat64:
      Widen<uint64_t>(vector, rows, values_.data(), [](uint64_t v) { return UInt64GetDatum(v); });
      return Status::Ok();
    case PhysicalType::kBytes:
      break;
  }
  size_t heap_size_bytes = 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t const row = rows[i];
    if (!vector.IsNull(row)) {
      ASSIGN_OR_RETURN(size_t const size_bytes,
                       RebuiltSizeBytes(type, vector.offsets[row + 1] - vector.offsets[row]));
      heap_size_bytes += RoundUp8(size_bytes);
    }
  }
  if (heap_.size() * 8 < heap_size_bytes) {
    heap_.resize(heap_size_bytes / 8);
  }
  auto* out = reinterpret_cast<std::byte*>(heap_.data());
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t const row = rows[i];
    if (vector.IsNull(row)) {
      values_[row] = 0;
      continue;
    }
    auto const stored = vector.BytesAt(row);
    ASSIGN_OR_RETURN(size_t const size_bytes, RebuiltSizeBytes(type, stored.size()));
    values_[row] = RebuildBytes(type, stored, out);
    out += RoundUp8(size_bytes);
  }
  return Status::Ok();
}

void DatumColumn::SetNull(uint32_t row_count) {
  values_.assign(row_count, 0);
  nulls_.assign(row_count, 1);
}

Status DatumColumn::Convert(const ColumnType& type, const columnar::ColumnVector& vector) {
  return ConvertRows(type, vector, AllRows{vector.row_count});
}

Status DatumColumn::Convert(const ColumnType& type, const columnar::ColumnVector& vector,
                            std::span<const uint32_t> rows) {
  return ConvertRows(type, vector, rows);
}

}  // namespace orochi::pg
