#include "columnar/internal/value_decoder.h"

#include <algorithm>
#include <cstring>
#include <span>
#include <type_traits>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/byte_strings.h"
#include "codec/decimal.h"
#include "codec/delta.h"
#include "codec/frame_of_reference.h"
#include "codec/gorilla.h"
#include "codec/run_length.h"

namespace orochi::columnar::internal {
namespace {

bool IsFloat(PhysicalType type) {
  return type == PhysicalType::kFloat32 || type == PhysicalType::kFloat64;
}

Status Misplaced(Encoding encoding, PhysicalType type) {
  return Status::Corruption(StrCat("encoding ", EncodingName(encoding),
                                   " does not apply to type number ", static_cast<int>(type)));
}

Status CheckConsumed(Encoding encoding, const codec::ByteReader& reader) {
  if (reader.remaining_bytes() != 0) {
    return Status::Corruption(StrCat(EncodingName(encoding), " values are followed by ",
                                     reader.remaining_bytes(), " bytes more"));
  }
  return Status::Ok();
}

template <class Unsigned>
Status DecodePlainOf(std::span<Unsigned> out, codec::ByteReader& reader) {
  std::span<const std::byte> bytes;
  if (!reader.ReadSpan(out.size_bytes(), bytes)) {
    return Status::Corruption(StrCat("plain values have ", reader.remaining_bytes(),
                                     " bytes, expected ", out.size_bytes()));
  }
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return Status::Ok();
}

template <class Unsigned>
Status DecodeConstantOf(std::span<Unsigned> out, codec::ByteReader& reader) {
  Unsigned value = 0;
  if (!reader.ReadFixed(value)) {
    return Status::Corruption(
        StrCat("a constant of ", sizeof(value), " bytes has only ", reader.remaining_bytes()));
  }
  std::fill(out.begin(), out.end(), value);
  return Status::Ok();
}

}  // namespace

Status ValueDecoder::DecodeFixed(Encoding encoding, uint32_t value_count, codec::ByteReader reader,
                                 ColumnVector& out) {
  ASSERT(value_count > 0);
  ASSERT(out.fixed_words.size() * 8 >= size_t{value_count} * WidthBytes(out.type));
  auto const decode = [&]<class Unsigned>(Unsigned* values) -> Status {
    RETURN_IF_ERROR(DecodeFixedOf(encoding, out.type, std::span(values, value_count), reader));
    return CheckConsumed(encoding, reader);
  };
  void* const values = out.fixed_words.data();
  switch (WidthBytes(out.type)) {
    case 1:
      return decode(static_cast<uint8_t*>(values));
    case 2:
      return decode(static_cast<uint16_t*>(values));
    case 4:
      return decode(static_cast<uint32_t*>(values));
    default:
      return decode(static_cast<uint64_t*>(values));
  }
}

template <class Unsigned>
Status ValueDecoder::DecodeFixedOf(Encoding encoding, PhysicalType type, std::span<Unsigned> out,
                                   codec::ByteReader& reader) {
  switch (encoding) {
    case Encoding::kPlain:
      return DecodePlainOf(out, reader);
    case Encoding::kConstant:
      return DecodeConstantOf(out, reader);
    case Encoding::kRunLength:
      return DecodeRunsOf(type, out, reader);
    case Encoding::kFrameOfReference:
      return IsFloat(type) ? Misplaced(encoding, type) : codec::DecodeFrameOfReference(reader, out);
    case Encoding::kDelta:
      return IsFloat(type) ? Misplaced(encoding, type) : codec::DecodeDelta(reader, out);
    case Encoding::kDictionary:
      return codec::DecodeDictionary(reader, lengths_, words_, out);
    case Encoding::kGorilla:
    case Encoding::kDecimal:
      if constexpr (sizeof(Unsigned) >= 4) {
        if (IsFloat(type)) {
          return encoding == Encoding::kGorilla ? codec::DecodeGorilla(reader, out)
                                                : codec::DecodeDecimal(reader, out, words_);
        }
      }
      return Misplaced(encoding, type);
  }
  return Status::Unsupported(StrCat("unknown encoding number ", encoding));
}

template <class Unsigned>
Status ValueDecoder::DecodeRunsOf(PhysicalType type, std::span<Unsigned> out,
                                  codec::ByteReader& reader) {
  RETURN_IF_ERROR(codec::DecodeRunLengths(reader, out.size(), lengths_));
  words_.resize(lengths_.size());
  // There is room: uint64_t is the widest.
  std::span<Unsigned> const values(reinterpret_cast<Unsigned*>(words_.data()), lengths_.size());
  RETURN_IF_ERROR(IsFloat(type) ? DecodePlainOf(values, reader)
                                : codec::DecodeFrameOfReference(reader, values));
  codec::ExpandRuns<Unsigned>(values, lengths_, out);
  return Status::Ok();
}

Status ValueDecoder::DecodeBytes(Encoding encoding, uint32_t value_count, uint64_t value_size_bytes,
                                 codec::ByteReader reader, ColumnVector& out) {
  ASSERT(value_count > 0);
  switch (encoding) {
    case Encoding::kPlain:
      RETURN_IF_ERROR(DecodePlainBytes(value_count, value_size_bytes, reader, out));
      break;
    case Encoding::kConstant:
      RETURN_IF_ERROR(DecodeConstantBytes(value_count, value_size_bytes, reader, out));
      break;
    case Encoding::kRunLength:
      RETURN_IF_ERROR(DecodeRunsOfBytes(value_count, value_size_bytes, reader, out));
      break;
    case Encoding::kDictionary:
      RETURN_IF_ERROR(codec::DecodeDictionary(reader, value_count, value_size_bytes, dictionary_,
                                              out.offsets, out.bytes));
      break;
    case Encoding::kFrameOfReference:
    case Encoding::kDelta:
    case Encoding::kGorilla:
    case Encoding::kDecimal:
      return Misplaced(encoding, PhysicalType::kBytes);
  }
  return CheckConsumed(encoding, reader);
}

Status ValueDecoder::DecodePlainBytes(uint32_t value_count, uint64_t value_size_bytes,
                                      codec::ByteReader& reader, ColumnVector& out) {
  std::span<const std::byte> bytes;
  RETURN_IF_ERROR(codec::DecodeByteStrings(reader, value_count, out.offsets, bytes));
  if (bytes.size() != value_size_bytes) {
    return Status::Corruption(
        StrCat("byte strings have ", bytes.size(), " bytes, expected ", value_size_bytes));
  }
  out.bytes.assign(bytes.begin(), bytes.end());
  return Status::Ok();
}

Status ValueDecoder::DecodeConstantBytes(uint32_t value_count, uint64_t value_size_bytes,
                                         codec::ByteReader& reader, ColumnVector& out) {
  std::span<const std::byte> const value = reader.rest();
  if (uint64_t{value.size()} * value_count != value_size_bytes) {
    return Status::Corruption(StrCat("a constant of ", value.size(), " bytes ", value_count,
                                     " times, expected ", value_size_bytes, " bytes"));
  }
  std::span<const std::byte> consumed;
  bool const has_value = reader.ReadSpan(value.size(), consumed);
  ASSERT(has_value);
  out.offsets.resize(size_t{value_count} + 1);
  out.bytes.resize(value_size_bytes);
  for (uint32_t index = 0; index <= value_count; ++index) {
    out.offsets[index] = static_cast<uint32_t>(index * value.size());
  }
  if (!value.empty()) {
    for (uint32_t index = 0; index < value_count; ++index) {
      std::memcpy(out.bytes.data() + out.offsets[index], value.data(), value.size());
    }
  }
  return Status::Ok();
}

Status ValueDecoder::DecodeRunsOfBytes(uint32_t value_count, uint64_t value_size_bytes,
                                       codec::ByteReader& reader, ColumnVector& out) {
  RETURN_IF_ERROR(codec::DecodeRunLengths(reader, value_count, lengths_));
  std::span<const std::byte> bytes;
  RETURN_IF_ERROR(codec::DecodeByteStrings(reader, lengths_.size(), run_offsets_, bytes));
  uint64_t total = 0;
  for (size_t run = 0; run < lengths_.size(); ++run) {
    total += uint64_t{lengths_[run]} * (run_offsets_[run + 1] - run_offsets_[run]);
  }
  if (total != value_size_bytes) {
    return Status::Corruption(
        StrCat("runs of byte strings have ", total, " bytes, expected ", value_size_bytes));
  }
  out.offsets.resize(size_t{value_count} + 1);
  out.bytes.resize(value_size_bytes);
  out.offsets[0] = 0;
  uint32_t value = 0;
  uint32_t at = 0;
  for (size_t run = 0; run < lengths_.size(); ++run) {
    uint32_t const size_bytes = run_offsets_[run + 1] - run_offsets_[run];
    for (uint32_t repeat = 0; repeat < lengths_[run]; ++repeat) {
      if (size_bytes > 0) {
        std::memcpy(out.bytes.data() + at, bytes.data() + run_offsets_[run], size_bytes);
      }
      at += size_bytes;
      out.offsets[++value] = at;
    }
  }
  return Status::Ok();
}

}  // namespace orochi::columnar::internal
