#include "columnar/internal/value_lookup.h"

#include <cstring>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/byte_strings.h"
#include "codec/decimal.h"
#include "codec/delta.h"
#include "codec/frame_of_reference.h"
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

Status EndsEarly(Encoding encoding, size_t index) {
  return Status::Corruption(StrCat(EncodingName(encoding), " values end before number ", index));
}

template <class Unsigned>
Status ReadPlainAt(Encoding encoding, codec::ByteReader reader, size_t index, Unsigned& value) {
  std::span<const std::byte> before;
  if (!reader.ReadSpan(index * sizeof(Unsigned), before) || !reader.ReadFixed(value)) {
    return EndsEarly(encoding, index);
  }
  return Status::Ok();
}

}  // namespace

Status ValueLookup::FindFixed(Encoding encoding, PhysicalType type, uint32_t value_count,
                              uint32_t index, codec::ByteReader reader,
                              std::vector<codec::GorillaMark>* marks, uint64_t& word) {
  ASSERT(index < value_count);
  if (marks == nullptr) {
    marks_.clear();
    marks = &marks_;
  }
  auto const find = [&]<class Unsigned, class Stored>(Unsigned value, Stored) -> Status {
    RETURN_IF_ERROR(FindFixedOf(encoding, type, value_count, index, reader, *marks, value));
    // Sign-extended for signed types, which is what Stored says.
    word = static_cast<uint64_t>(static_cast<Stored>(value));
    return Status::Ok();
  };
  switch (type) {
    case PhysicalType::kBool:
      RETURN_IF_ERROR(find(uint8_t{0}, uint8_t{0}));
      return word <= 1 ? Status::Ok() : Status::Corruption("a bool is neither 0 nor 1");
    case PhysicalType::kInt16:
      return find(uint16_t{0}, int16_t{0});
    case PhysicalType::kInt32:
      return find(uint32_t{0}, int32_t{0});
    case PhysicalType::kFloat32:
      return find(uint32_t{0}, uint32_t{0});
    default:
      return find(uint64_t{0}, uint64_t{0});
  }
}

template <class Unsigned>
Status ValueLookup::FindFixedOf(Encoding encoding, PhysicalType type, uint32_t value_count,
                                uint32_t index, codec::ByteReader reader,
                                std::vector<codec::GorillaMark>& marks, Unsigned& value) {
  uint64_t wide = 0;
  switch (encoding) {
    case Encoding::kPlain:
      return ReadPlainAt(encoding, reader, index, value);
    case Encoding::kConstant:
      return ReadPlainAt(encoding, reader, 0, value);
    case Encoding::kRunLength: {
      size_t run = 0;
      RETURN_IF_ERROR(FindRun(reader, value_count, index, run));
      if (IsFloat(type)) {
        return ReadPlainAt(encoding, reader, run, value);
      }
      RETURN_IF_ERROR(codec::ReadFrameOfReferenceAt(reader, lengths_.size(), run, wide));
      break;
    }
    case Encoding::kFrameOfReference:
    case Encoding::kDelta:
      if (IsFloat(type)) {
        return Misplaced(encoding, type);
      }
      RETURN_IF_ERROR(encoding == Encoding::kDelta
                          ? codec::ReadDeltaAt(reader, value_count, index, wide)
                          : codec::ReadFrameOfReferenceAt(reader, value_count, index, wide));
      break;
    case Encoding::kDictionary:
      return codec::ReadDictionaryAt(reader, value_count, index, value);
    case Encoding::kGorilla:
    case Encoding::kDecimal:
      if constexpr (sizeof(Unsigned) >= 4) {
        if (IsFloat(type) && encoding == Encoding::kDecimal) {
          return codec::ReadDecimalAt(reader, value_count, index, words_, value);
        }
        if (IsFloat(type)) {
          return codec::ReadGorillaAt(reader, index, marks, value);
        }
      }
      return Misplaced(encoding, type);
    default:
      return Status::Unsupported(StrCat("unknown encoding number ", encoding));
  }
  value = static_cast<Unsigned>(wide);
  return Status::Ok();
}

// Which run the value is in; leaves the reader behind the lengths.
Status ValueLookup::FindRun(codec::ByteReader& reader, uint32_t value_count, uint32_t index,
                            size_t& run) {
  RETURN_IF_ERROR(codec::DecodeRunLengths(reader, value_count, lengths_));
  for (run = 0; index >= lengths_[run]; ++run) {  // together they are value_count
    index -= lengths_[run];
  }
  return Status::Ok();
}

Status ValueLookup::FindBytes(Encoding encoding, uint32_t value_count, uint32_t index,
                              codec::ByteReader reader, std::span<const std::byte>& bytes) {
  ASSERT(index < value_count);
  size_t place = index;
  size_t count = value_count;
  switch (encoding) {
    case Encoding::kConstant:
      bytes = reader.rest();
      return Status::Ok();
    case Encoding::kDictionary:
      return codec::ReadDictionaryAt(reader, value_count, index, dictionary_, bytes);
    case Encoding::kPlain:
      break;
    case Encoding::kRunLength:
      RETURN_IF_ERROR(FindRun(reader, value_count, index, place));
      count = lengths_.size();
      break;
    case Encoding::kFrameOfReference:
    case Encoding::kDelta:
    case Encoding::kGorilla:
    case Encoding::kDecimal:
      return Misplaced(encoding, PhysicalType::kBytes);
    default:
      return Status::Unsupported(StrCat("unknown encoding number ", encoding));
  }
  std::span<const std::byte> all;
  RETURN_IF_ERROR(codec::DecodeByteStrings(reader, count, offsets_, all));
  bytes = all.subspan(offsets_[place], offsets_[place + 1] - offsets_[place]);
  return Status::Ok();
}

}  // namespace orochi::columnar::internal
