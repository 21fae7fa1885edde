#include "sstable/format/summary.h"

#include <bit>
#include <cstring>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/format/big_endian.h"

namespace orochi::sstable {

namespace {

constexpr size_t kPositionSizeBytes = 8;
static_assert(std::endian::native == std::endian::little);

template <class Unsigned>
Unsigned LoadLittleEndian(const std::byte* at) {
  Unsigned value = 0;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

template <class Unsigned>
void AppendLittleEndian(std::vector<std::byte>& out, Unsigned value) {
  AppendBytes(out, std::as_bytes(std::span(&value, 1)));
}

}  // namespace

Result<IndexSummary> IndexSummary::Decode(std::span<const std::byte> bytes) {
  IndexSummary summary;
  BigEndianReader reader(bytes);
  uint32_t entry_count = 0;
  uint64_t size_bytes = 0;
  if (!reader.Read(summary.index_interval_min) || !reader.Read(entry_count) ||
      !reader.Read(size_bytes) || !reader.Read(summary.sampling_level) ||
      !reader.Read(summary.full_sampling_count)) {
    return Status::Corruption(StrCat("file of ", bytes.size(), " bytes ends in its head"));
  }
  size_t const entries_offset = reader.position_bytes();
  Bytes entries;
  if (!reader.ReadSpan(size_bytes, entries) || entry_count > size_bytes / sizeof(uint32_t)) {
    return Status::Corruption(StrCat("at offset ", entries_offset, ": ", entry_count,
                                     " entries in ", size_bytes, " bytes announced, ",
                                     reader.remaining_bytes(), " bytes follow"));
  }
  uint64_t end = uint64_t{entry_count} * sizeof(uint32_t);
  for (uint32_t index = 0; index < entry_count; ++index) {
    uint64_t const begin = LoadLittleEndian<uint32_t>(entries.data() + 4 * size_t{index});
    uint64_t const next = index + 1 < entry_count
                              ? LoadLittleEndian<uint32_t>(entries.data() + 4 * size_t{index} + 4)
                              : size_bytes;
    if (begin != end || next > size_bytes || next < begin + kPositionSizeBytes) {
      return Status::Corruption(StrCat("entry ", index, " spans [", begin, ", ", next,
                                       "), expected a start at ", end, " and at least ",
                                       kPositionSizeBytes, " bytes up to ", size_bytes));
    }
    auto const position = LoadLittleEndian<uint64_t>(entries.data() + next - kPositionSizeBytes);
    if (index > 0 && position <= summary.positions_.back()) {
      return Status::Corruption(StrCat("entry ", index, " points at ", position,
                                       " in the index, the one before at ",
                                       summary.positions_.back()));
    }
    summary.Append(entries.subspan(begin, next - kPositionSizeBytes - begin), position);
    end = next;
  }
  Bytes first;
  Bytes last;
  if (!reader.ReadIntBytes(first) || !reader.ReadIntBytes(last)) {
    return Status::Corruption(StrCat("at offset ", reader.position_bytes(),
                                     ": first and last key do not fit in the ",
                                     reader.remaining_bytes(), " bytes left"));
  }
  summary.first_key.assign(first.begin(), first.end());
  summary.last_key.assign(last.begin(), last.end());
  return summary;
}

std::vector<std::byte> IndexSummary::Encode() const {
  std::vector<std::byte> out;
  AppendBigEndian(out, index_interval_min);
  AppendBigEndian(out, static_cast<uint32_t>(entry_count()));
  size_t const offsets_size_bytes = 4 * entry_count();
  AppendBigEndian(out,
                  uint64_t{offsets_size_bytes} + keys_.size() + kPositionSizeBytes * entry_count());
  AppendBigEndian(out, sampling_level);
  AppendBigEndian(out, full_sampling_count);
  size_t offset = offsets_size_bytes;
  for (size_t index = 0; index < entry_count(); ++index) {
    AppendLittleEndian(out, static_cast<uint32_t>(offset));
    offset += key(index).size() + kPositionSizeBytes;
  }
  for (size_t index = 0; index < entry_count(); ++index) {
    AppendBytes(out, key(index));
    AppendLittleEndian(out, positions_[index]);
  }
  for (const std::vector<std::byte>* key : {&first_key, &last_key}) {
    AppendBigEndian(out, static_cast<uint32_t>(key->size()));
    AppendBytes(out, *key);
  }
  return out;
}

void IndexSummary::Append(Bytes key, uint64_t index_position) {
  AppendBytes(keys_, key);
  key_ends_.push_back(static_cast<uint32_t>(keys_.size()));
  positions_.push_back(index_position);
}

}  // namespace orochi::sstable
