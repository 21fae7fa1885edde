#include <algorithm>

#include "base/str_cat.h"
#include "sstable/format/internal/stats_codec.h"

namespace orochi::sstable::internal {

bool FieldReader::ShortBytes(std::string_view name, std::vector<std::byte>& value) {
  std::span<const std::byte> bytes;
  if (!Note(name, reader_.ReadShortBytes(bytes))) {
    return false;
  }
  value.assign(bytes.begin(), bytes.end());
  return true;
}

bool FieldReader::VintBytes(std::string_view name, std::vector<std::byte>& value) {
  std::span<const std::byte> bytes;
  if (!Note(name, reader_.ReadVintBytes(bytes))) {
    return false;
  }
  value.assign(bytes.begin(), bytes.end());
  return true;
}

bool FieldReader::Count(std::string_view name, size_t size_bytes_min, size_t& count) {
  uint32_t wide = 0;
  if (!Note(name, reader_.Read(wide))) {
    return false;
  }
  count = wide;
  return Note(name, wide <= reader_.remaining_bytes() / size_bytes_min);
}

bool FieldReader::OptionalUuid(std::string_view name, std::optional<Uuid>& value) {
  bool present = false;
  if (!Flag(name, present)) {
    return false;
  }
  if (!present) {
    value.reset();
    return true;
  }
  std::span<const std::byte> bytes;
  if (!Note(name, reader_.ReadSpan(sizeof(Uuid), bytes))) {
    return false;
  }
  std::copy(bytes.begin(), bytes.end(), value.emplace().begin());
  return true;
}

Status FieldReader::Error() const {
  return Status::Corruption(StrCat("at offset ", file_offset_ + reader_.position_bytes(), ": ",
                                   failed_, " cannot be read from the ", reader_.remaining_bytes(),
                                   " bytes left"));
}

}  // namespace orochi::sstable::internal
