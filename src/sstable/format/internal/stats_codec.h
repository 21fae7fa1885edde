#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sstable/format/big_endian.h"
#include "sstable/format/statistics.h"

namespace orochi::sstable::internal {

/// Reads the fields of a component one after the other; the first that fails is remembered for the
/// message. Threads: none. Borrows: the bytes.
class FieldReader {
 public:
  /// `file_offset` is where `bytes` start in the file.
  FieldReader(std::span<const std::byte> bytes, uint64_t file_offset)
      : reader_(bytes), file_offset_(file_offset) {}

  template <std::integral Integer>
  bool Number(std::string_view name, Integer& value) {
    return Note(name, reader_.Read(value));
  }
  bool Double(std::string_view name, double& value) {
    return Note(name, reader_.ReadDouble(value));
  }
  bool Flag(std::string_view name, bool& value) { return Note(name, reader_.ReadBool(value)); }
  bool Vint(std::string_view name, uint64_t& value) { return Note(name, reader_.ReadVint(value)); }
  bool ShortText(std::string_view name, std::string& value) {
    return Note(name, reader_.ReadShortText(value));
  }
  bool VintText(std::string_view name, std::string& value) {
    return Note(name, reader_.ReadVintText(value));
  }
  bool ShortBytes(std::string_view name, std::vector<std::byte>& value);
  bool VintBytes(std::string_view name, std::vector<std::byte>& value);
  /// A vint count of things of at least one byte each.
  bool VintCount(std::string_view name, size_t& count) {
    return Note(name, reader_.ReadCount(1, count));
  }
  /// An i32 count of things of at least `size_bytes_min` bytes each.
  bool Count(std::string_view name, size_t size_bytes_min, size_t& count);
  bool OptionalUuid(std::string_view name, std::optional<Uuid>& value);
  bool Position(std::string_view name, CommitLogPosition& value) {
    return Number(name, value.segment) && Number(name, value.position);
  }

  std::span<const std::byte> rest() const { return reader_.rest(); }
  bool Skip(size_t size_bytes) { return reader_.Skip(size_bytes); }
  /// Names the field that failed.
  bool Note(std::string_view name, bool good) {
    if (!good) {
      failed_ = name;
    }
    return good;
  }
  Status Error() const;

 private:
  BigEndianReader reader_;
  uint64_t file_offset_;
  std::string_view failed_;
};

Status DecodeStats(FieldReader& reader, Version version, StatsMetadata& stats);
void AppendStats(std::vector<std::byte>& out, Version version, const StatsMetadata& stats);
Status DecodeHeader(FieldReader& reader, SerializationHeader& header);
void AppendHeader(std::vector<std::byte>& out, const SerializationHeader& header);

}  // namespace orochi::sstable::internal
