#include "sstable/read/internal/unfiltered_decoder.h"

#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"
#include "sstable/format/big_endian.h"
#include "sstable/format/row_flags.h"

namespace orochi::sstable::internal {

namespace {

constexpr uint64_t kHeadGuessSizeBytes = 32;
constexpr uint32_t kSignedNone = 0x7FFF'FFFF;

}  // namespace

UnfilteredDecoder::UnfilteredDecoder(const Layout& layout, const SerializationHeader& header,
                                     Version version)
    : layout_(layout),
      version_(version),
      unsigned_times_(version.has_unsigned_deletion_times()),
      timestamp_min_(static_cast<uint64_t>(header.timestamp_min)),
      deletion_time_min_(header.local_deletion_time_min),
      ttl_min_(static_cast<uint32_t>(header.ttl_min)) {
  for (const Column& column : layout.statics) {
    static_forms_.push_back({column.fixed_size_bytes, column.is_complex});
  }
  for (const Column& column : layout.regulars) {
    regular_forms_.push_back({column.fixed_size_bytes, column.is_complex});
  }
  clustering_.resize(layout.clustering.column_count());
  cells_.resize(layout.statics.size() + layout.regulars.size() + 8);
}

UnfilteredDecoder::Outcome UnfilteredDecoder::NeedMore(uint64_t needed_bytes) {
  needed_bytes_ = needed_bytes;
  return Outcome::kNeedMore;
}

UnfilteredDecoder::Outcome UnfilteredDecoder::Corrupt(const std::byte* at, std::string error) {
  error_offset_ = static_cast<uint64_t>(at - start_);
  error_ = std::move(error);
  return Outcome::kCorrupt;
}

const std::byte* UnfilteredDecoder::Fail(const std::byte* at, const char* error) {
  Corrupt(at, error);
  return nullptr;
}

UnfilteredDecoder::Outcome UnfilteredDecoder::DecodeHead(const std::byte* at,
                                                         const std::byte* end) {
  start_ = at;
  auto const available = static_cast<uint64_t>(end - at);
  if (available == 0) {
    return NeedMore(1);
  }
  flags_ = std::to_integer<uint8_t>(*at);
  if ((flags_ & kEndOfPartition) != 0) {
    if (flags_ != kEndOfPartition) {
      return Corrupt(at, StrCat("flags ", flags_, " end the partition and say more"));
    }
    return Outcome::kEndOfPartition;
  }
  ++at;
  extended_flags_ = 0;
  if ((flags_ & kHasExtendedFlags) != 0) {
    if (at == end) {
      return NeedMore(2);
    }
    extended_flags_ = std::to_integer<uint8_t>(*at);
    if ((extended_flags_ & ~kKnownExtendedFlags) != 0) {
      return Corrupt(at, StrCat("unknown extended flags ", extended_flags_));
    }
    ++at;
  }
  uint64_t needed_bytes = 0;
  auto const before = static_cast<uint64_t>(at - start_);
  const std::byte* next = nullptr;
  if ((flags_ & kIsMarker) != 0) {
    if (flags_ != kIsMarker) {
      return Corrupt(start_, StrCat("a marker with the flags of a row, ", flags_));
    }
    value_.kind = Unfiltered::Kind::kMarker;
    next = layout_.clustering.ReadBound(at, end, value_.clustering.kind, clustering_, needed_bytes);
    if (next == nullptr && needed_bytes == 0) {
      return Corrupt(at, "a marker's bound is of no known kind or has too many values");
    }
  } else {
    value_.kind = Unfiltered::Kind::kRow;
    bool const is_static = (extended_flags_ & kIsStatic) != 0;
    value_.clustering.kind = is_static ? ClusteringKind::kStatic : ClusteringKind::kClustering;
    clustering_.resize(is_static ? 0 : layout_.clustering.column_count());
    next = layout_.clustering.ReadValues(at, end, clustering_.size(), clustering_.data(),
                                         needed_bytes);
  }
  if (next == nullptr) {
    return NeedMore(needed_bytes > UINT64_MAX - before ? UINT64_MAX : before + needed_bytes);
  }
  value_.clustering.values = clustering_;
  uint64_t body_size_bytes = 0;
  const std::byte* const body = ReadVint(next, end, body_size_bytes);
  next = body == nullptr ? nullptr : ReadVint(body, end, previous_size_bytes_);
  if (next == nullptr) {
    return NeedMore(available + kHeadGuessSizeBytes);
  }
  auto const sizes_size_bytes = static_cast<uint64_t>(next - body);
  if (body_size_bytes < sizes_size_bytes || body_size_bytes > INT64_MAX) {
    return Corrupt(body, StrCat("a body of ", body_size_bytes, " bytes"));
  }
  head_size_bytes_ = static_cast<size_t>(next - start_);
  total_size_bytes_ = static_cast<uint64_t>(body - start_) + body_size_bytes;
  return Outcome::kDone;
}

UnfilteredDecoder::Outcome UnfilteredDecoder::DecodeBody(const std::byte* at,
                                                         const std::byte* end) {
  ASSERT(at == start_);
  if (static_cast<uint64_t>(end - at) < total_size_bytes_) {
    return NeedMore(total_size_bytes_);
  }
  const std::byte* const body = at + head_size_bytes_;
  const std::byte* const body_end = at + total_size_bytes_;
  return value_.is_row() ? DecodeRowBody(body, body_end) : DecodeMarkerBody(body, body_end);
}

UnfilteredDecoder::Outcome UnfilteredDecoder::DecodeMarkerBody(const std::byte* at,
                                                               const std::byte* end) {
  value_.close = DeletionTime();
  value_.open = DeletionTime();
  ClusteringKind const kind = value_.clustering.kind;
  if (ClosesDeletion(kind)) {
    at = ReadDeletion(at, end, value_.close);
  }
  if (at != nullptr && OpensDeletion(kind)) {
    at = ReadDeletion(at, end, value_.open);
  }
  if (at == nullptr) {
    return Outcome::kCorrupt;
  }
  if ((ClosesDeletion(kind) && value_.close.live()) ||
      (OpensDeletion(kind) && value_.open.live())) {
    return Corrupt(at, "a marker without a deletion");
  }
  if (at != end) {
    return Corrupt(at, StrCat(end - at, " bytes follow a marker's deletions"));
  }
  return Outcome::kDone;
}

UnfilteredDecoder::Outcome UnfilteredDecoder::DecodeRowBody(const std::byte* at,
                                                            const std::byte* end) {
  value_.liveness = LivenessInfo();
  value_.deletion = DeletionTime();
  value_.deletion_is_shadowable = (extended_flags_ & kHasShadowableDeletion) != 0;
  if ((flags_ & kHasTimestamp) != 0) {
    at = ReadLiveness(at, end);
  } else if ((flags_ & kHasTtl) != 0) {
    return Corrupt(start_, "a row with a TTL and no timestamp");
  }
  if (at != nullptr && (flags_ & kHasDeletion) != 0) {
    at = ReadDeletion(at, end, value_.deletion);
  }
  all_present_ = (flags_ & kHasAllColumns) != 0;
  if (at != nullptr && !all_present_) {
    at = ReadPresentColumns(at, end);
  }
  if (at != nullptr) {
    at = ReadCells(at, end);
  }
  if (at == nullptr) {
    return Outcome::kCorrupt;
  }
  if (at != end) {
    return Corrupt(at, StrCat(end - at, " bytes follow a row's last cell"));
  }
  value_.cells = {cells_.data(), cell_count_};
  value_.complex_columns = complex_;
  return Outcome::kDone;
}

uint32_t UnfilteredDecoder::DeletionTimeOf(uint64_t delta) const {
  uint32_t const time = static_cast<uint32_t>(delta) + deletion_time_min_;
  if (unsigned_times_ || time < kSignedNone) {
    return time;
  }
  return time == kSignedNone ? kNoDeletionTime : kInvalidDeletionTime;
}

const std::byte* UnfilteredDecoder::ReadLiveness(const std::byte* at, const std::byte* end) {
  uint64_t delta = 0;
  at = ReadVint(at, end, delta);
  if (at == nullptr) {
    return Fail(end, "the row ends in its timestamp");
  }
  value_.liveness.timestamp = static_cast<int64_t>(delta + timestamp_min_);
  if ((flags_ & kHasTtl) == 0) {
    return at;
  }
  uint64_t ttl = 0;
  uint64_t expiration = 0;
  const std::byte* next = ReadVint(at, end, ttl);
  next = next == nullptr ? nullptr : ReadVint(next, end, expiration);
  if (next == nullptr) {
    return Fail(at, "the row ends in its TTL");
  }
  uint32_t const ttl_s = static_cast<uint32_t>(ttl) + ttl_min_;
  uint32_t const expires = DeletionTimeOf(expiration);
  value_.liveness.ttl = static_cast<int32_t>(ttl_s);
  if (value_.liveness.ttl <= 0) {
    return Fail(at, "the row's TTL is not positive");
  }
  // Nothing expires before it could have been written.
  bool const possible = expires >= ttl_s || value_.liveness.expired_marker();
  value_.liveness.local_expiration_time = possible ? expires : kInvalidDeletionTime;
  return next;
}

const std::byte* UnfilteredDecoder::ReadDeletion(const std::byte* at, const std::byte* end,
                                                 DeletionTime& deletion) {
  uint64_t timestamp = 0;
  uint64_t time = 0;
  const std::byte* next = ReadVint(at, end, timestamp);
  next = next == nullptr ? nullptr : ReadVint(next, end, time);
  if (next == nullptr) {
    return Fail(at, "the body ends in a deletion time");
  }
  deletion.marked_for_delete_at = static_cast<int64_t>(timestamp + timestamp_min_);
  deletion.local_deletion_time = deletion.live() ? kNoDeletionTime : DeletionTimeOf(time);
  return next;
}

const std::byte* UnfilteredDecoder::ReadPresentColumns(const std::byte* at, const std::byte* end) {
  constexpr size_t kBitmapColumnsMax = 63;
  size_t const column_count = layout_.columns(value_.is_static()).size();
  if (column_count > kBitmapColumnsMax) {
    return ReadLargeSubset(at, end, column_count);
  }
  uint64_t missing = 0;
  const std::byte* const next = ReadVint(at, end, missing);
  if (next == nullptr) {
    return Fail(at, "the body ends in its set of columns");
  }
  if (column_count == 0 ? missing != 0 : (missing >> column_count) != 0) {
    return Fail(at, "a column is missing that the table does not have");
  }
  present_.clear();
  for (uint32_t index = 0; index < column_count; ++index) {
    if (((missing >> index) & 1) == 0) {
      present_.push_back(index);
    }
  }
  return next;
}

const std::byte* UnfilteredDecoder::ReadLargeSubset(const std::byte* at, const std::byte* end,
                                                    size_t column_count) {
  uint64_t missing_count = 0;
  const std::byte* next = ReadVint(at, end, missing_count);
  if (next == nullptr || missing_count > column_count) {
    return Fail(at, "the number of missing columns cannot be right");
  }
  // Whichever of the present and the missing are fewer is listed, ascending.
  bool const lists_present = column_count - missing_count < column_count / 2;
  uint64_t const listed = lists_present ? column_count - missing_count : missing_count;
  present_.clear();
  uint32_t unlisted = 0;
  for (uint64_t entry = 0; entry < listed; ++entry) {
    uint64_t index = 0;
    const std::byte* const entry_at = next;
    next = ReadVint(next, end, index);
    if (next == nullptr || index < unlisted || index >= column_count) {
      return Fail(entry_at, "the set of columns is not ascending or names one too many");
    }
    if (lists_present) {
      present_.push_back(static_cast<uint32_t>(index));
    } else {
      for (; unlisted < index; ++unlisted) {
        present_.push_back(unlisted);
      }
    }
    unlisted = static_cast<uint32_t>(index) + 1;
  }
  if (!lists_present) {
    for (; unlisted < column_count; ++unlisted) {
      present_.push_back(unlisted);
    }
  }
  return next;
}

CellView& UnfilteredDecoder::NextCell() {
  if (cell_count_ == cells_.size()) {
    cells_.resize(2 * cells_.size());
  }
  return cells_[cell_count_++];
}

const std::byte* UnfilteredDecoder::ReadCells(const std::byte* at, const std::byte* end) {
  const std::vector<ColumnForm>& forms = value_.is_static() ? static_forms_ : regular_forms_;
  size_t const count = all_present_ ? forms.size() : present_.size();
  cell_count_ = 0;
  complex_.clear();
  for (size_t entry = 0; entry < count; ++entry) {
    uint32_t const index = all_present_ ? static_cast<uint32_t>(entry) : present_[entry];
    ColumnForm const form = forms[index];
    at = form.is_complex ? ReadComplex(at, end, index) : ReadCell(at, end, index, form, NextCell());
    if (at == nullptr) {
      return nullptr;
    }
  }
  return at;
}

const std::byte* UnfilteredDecoder::ReadComplex(const std::byte* at, const std::byte* end,
                                                uint32_t column_index) {
  ComplexColumnView complex;
  complex.column_index = column_index;
  if ((flags_ & kHasComplexDeletion) != 0) {
    at = ReadDeletion(at, end, complex.deletion);
    if (at == nullptr) {
      return nullptr;
    }
  }
  uint64_t count = 0;
  const std::byte* const cells = ReadVint(at, end, count);
  // Flags and the path's length are the least a cell takes.
  constexpr uint64_t kCellSizeBytesMin = 2;
  if (cells == nullptr || count > static_cast<uint64_t>(end - cells) / kCellSizeBytesMin) {
    return Fail(at, "a collection has more cells than its row has bytes");
  }
  at = cells;
  complex.cell_begin = static_cast<uint32_t>(cell_count_);
  for (uint64_t cell = 0; cell < count; ++cell) {
    at = ReadCell(at, end, column_index, {-1, true}, NextCell());
    if (at == nullptr) {
      return nullptr;
    }
  }
  complex.cell_end = static_cast<uint32_t>(cell_count_);
  complex_.push_back(complex);
  return at;
}

const std::byte* UnfilteredDecoder::ReadCell(const std::byte* at, const std::byte* end,
                                             uint32_t column_index, ColumnForm form,
                                             CellView& cell) {
  if (at == end) {
    return Fail(at, "the row ends before its last cell");
  }
  const std::byte* const start = at;
  auto const flags = std::to_integer<uint8_t>(*at++);
  cell.column_index = column_index;
  cell.timestamp = value_.liveness.timestamp;
  cell.ttl = kNoTtl;
  cell.local_deletion_time = kNoDeletionTime;
  cell.path = Bytes();
  cell.value = Bytes();
  if ((flags & kCellUsesRowTimestamp) == 0) {
    uint64_t delta = 0;
    at = ReadVint(at, end, delta);
    if (at == nullptr) {
      return Fail(start, "the row ends in a cell's timestamp");
    }
    cell.timestamp = static_cast<int64_t>(delta + timestamp_min_);
  } else if (value_.liveness.empty()) {
    return Fail(start, "a cell uses the timestamp of a row that has none");
  }
  if ((flags & (kCellIsDeleted | kCellIsExpiring | kCellUsesRowTtl | ~kKnownCellFlags)) != 0)
      [[unlikely]] {
    at = ReadCellTimes(at, end, flags, cell);
    if (at == nullptr) {
      return nullptr;
    }
  }
  uint64_t size_bytes = 0;
  if (form.is_complex) {
    const std::byte* const path = ReadVint(at, end, size_bytes);
    if (path == nullptr || size_bytes > static_cast<uint64_t>(end - path)) {
      return Fail(at, "the row ends in a cell's path");
    }
    cell.path = Bytes(path, static_cast<size_t>(size_bytes));
    at = path + size_bytes;
  }
  if ((flags & kCellHasEmptyValue) != 0) {
    return at;
  }
  if (form.fixed_size_bytes >= 0) {
    size_bytes = static_cast<uint64_t>(form.fixed_size_bytes);
  } else {
    const std::byte* const value = ReadVint(at, end, size_bytes);
    if (value == nullptr) {
      return Fail(at, "the row ends in the size of a cell's value");
    }
    at = value;
  }
  if (size_bytes > static_cast<uint64_t>(end - at)) {
    return Fail(start, "the row ends in a cell's value");
  }
  cell.value = Bytes(at, static_cast<size_t>(size_bytes));
  return at + size_bytes;
}

// Deletion time before TTL, unlike in the row's liveness.
const std::byte* UnfilteredDecoder::ReadCellTimes(const std::byte* at, const std::byte* end,
                                                  uint8_t flags, CellView& cell) {
  bool const is_deleted = (flags & kCellIsDeleted) != 0;
  bool const is_expiring = (flags & kCellIsExpiring) != 0;
  if ((flags & ~kKnownCellFlags) != 0 || (is_deleted && is_expiring)) {
    return Fail(at, "a cell's flags are not known, or both deleted and expiring");
  }
  if ((flags & kCellUsesRowTtl) != 0) {
    if (!value_.liveness.expiring() || !is_expiring) {
      return Fail(at, "a cell uses the TTL of a row that has none");
    }
    cell.ttl = value_.liveness.ttl;
    cell.local_deletion_time = value_.liveness.local_expiration_time;
    return at;
  }
  uint64_t time = 0;
  const std::byte* next = ReadVint(at, end, time);
  if (next == nullptr) {
    return Fail(at, "the row ends in a cell's deletion time");
  }
  cell.local_deletion_time = DeletionTimeOf(time);
  if (is_expiring) {
    uint64_t ttl = 0;
    next = ReadVint(next, end, ttl);
    uint32_t const ttl_s = static_cast<uint32_t>(ttl) + ttl_min_;
    cell.ttl = static_cast<int32_t>(ttl_s);
    if (next == nullptr || cell.ttl <= 0) {
      return Fail(at, "a cell's TTL is missing or not positive");
    }
    if (cell.local_deletion_time < ttl_s && cell.ttl != kExpiredTtl) {
      cell.local_deletion_time = kInvalidDeletionTime;
    }
  }
  if (cell.local_deletion_time == kNoDeletionTime) {
    return Fail(at, "a deleted or expiring cell has no deletion time");
  }
  return next;
}

const std::byte* UnfilteredDecoder::DecodeDeletionTime(const std::byte* at, const std::byte* end,
                                                       Version version, DeletionTime& deletion) {
  constexpr size_t kLongFormSizeBytes = 12;
  constexpr auto kLiveForm = static_cast<std::byte>(0x80);
  auto const available = static_cast<size_t>(end - at);
  deletion = DeletionTime();
  if (!version.has_unsigned_deletion_times()) {
    if (available < kLongFormSizeBytes) {
      return nullptr;
    }
    auto const time = LoadBigEndian<uint32_t>(at);
    deletion.marked_for_delete_at = static_cast<int64_t>(LoadBigEndian<uint64_t>(at + 4));
    if (!deletion.live()) {
      deletion.local_deletion_time = time < kSignedNone    ? time
                                     : time == kSignedNone ? kNoDeletionTime
                                                           : kInvalidDeletionTime;
    }
    return at + kLongFormSizeBytes;
  }
  if (available == 0) {
    return nullptr;
  }
  if ((*at & kLiveForm) != std::byte{0}) {
    return *at == kLiveForm ? at + 1 : nullptr;
  }
  if (available < kLongFormSizeBytes) {
    return nullptr;
  }
  deletion.marked_for_delete_at = static_cast<int64_t>(LoadBigEndian<uint64_t>(at));
  deletion.local_deletion_time = LoadBigEndian<uint32_t>(at + 8);
  return at + kLongFormSizeBytes;
}

}  // namespace orochi::sstable::internal
