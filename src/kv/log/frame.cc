#include "kv/log/frame.h"

#include <cstring>
#include <utility>

#include "base/assert.h"
#include "codec/byte_reader.h"
#include "codec/crc32c.h"

namespace orochi::kv::log {
namespace {

constexpr uint32_t kClosesSegment = 1;
constexpr size_t kCrcCoversFrom = 8;  // magic and the CRC itself come before

template <class Unsigned>
void Put(std::byte*& at, Unsigned value) {
  std::memcpy(at, &value, sizeof(value));
  at += sizeof(value);
}

void PutRecordHead(std::byte*& at, const RecordHead& record) {
  Put(at, record.group.value());
  Put(at, record.index);
  Put(at, record.term.value());
  Put(at, record.size_bytes);
  Put(at, record.crc);
  Put(at, static_cast<uint8_t>(record.kind));
  Put(at, static_cast<uint8_t>(record.entry_kind));
  Put(at, uint16_t{0});
  Put(at, uint32_t{0});
}

bool ReadRecordHead(codec::ByteReader& reader, RecordHead& record) {
  uint64_t group = 0;
  uint64_t term = 0;
  uint8_t kind = 0;
  uint8_t entry_kind = 0;
  uint16_t zero16 = 0;
  uint32_t zero32 = 0;
  bool const read = reader.ReadFixed(group) && reader.ReadFixed(record.index) &&
                    reader.ReadFixed(term) && reader.ReadFixed(record.size_bytes) &&
                    reader.ReadFixed(record.crc) && reader.ReadFixed(kind) &&
                    reader.ReadFixed(entry_kind) && reader.ReadFixed(zero16) &&
                    reader.ReadFixed(zero32);
  record.group = GroupId(group);
  record.term = raft::Term(term);
  record.kind = static_cast<RecordKind>(kind);
  record.entry_kind = static_cast<raft::EntryKind>(entry_kind);
  return read && kind >= static_cast<uint8_t>(RecordKind::kReset) &&
         kind <= static_cast<uint8_t>(RecordKind::kTombstone) &&
         entry_kind <= static_cast<uint8_t>(raft::EntryKind::kConfiguration) && zero16 == 0 &&
         zero32 == 0;
}

}  // namespace

std::vector<uint64_t> PayloadOffsets(const std::vector<RecordHead>& records) {
  std::vector<uint64_t> offsets;
  offsets.reserve(records.size());
  uint64_t at = kFrameHeadBytes + records.size() * kRecordHeadBytes;
  for (const RecordHead& record : records) {
    offsets.push_back(at);
    at += record.size_bytes;
  }
  return offsets;
}

std::optional<FrameHead> DecodeFrameHead(std::span<const std::byte> bytes) {
  codec::ByteReader reader(bytes);
  FrameHead head;
  uint32_t magic = 0;
  uint64_t segment = 0;
  uint64_t number = 0;
  uint64_t first_segment = 0;
  uint32_t record_count = 0;
  uint32_t flags = 0;
  if (!reader.ReadFixed(magic) || magic != kFrameMagic || !reader.ReadFixed(head.crc) ||
      !reader.ReadFixed(head.log_id) || !reader.ReadFixed(segment) ||
      !reader.ReadFixed(head.offset_bytes) || !reader.ReadFixed(number) ||
      !reader.ReadFixed(first_segment) || !reader.ReadFixed(head.size_bytes) ||
      !reader.ReadFixed(record_count) || !reader.ReadFixed(flags) ||
      !reader.ReadFixed(head.previous_crc)) {
    return std::nullopt;
  }
  uint64_t const heads_size_bytes = kFrameHeadBytes + record_count * kRecordHeadBytes;
  if (record_count > kFrameRecordsMax || heads_size_bytes > head.size_bytes ||
      head.size_bytes > bytes.size() ||
      codec::Crc32c(bytes.subspan(kCrcCoversFrom, heads_size_bytes - kCrcCoversFrom)) != head.crc ||
      flags > kClosesSegment) {
    return std::nullopt;
  }
  head.segment = SegmentNumber(segment);
  head.number = FrameNumber(number);
  head.first_segment = SegmentNumber(first_segment);
  head.closes_segment = (flags & kClosesSegment) != 0;
  head.records.resize(record_count);
  uint64_t size_bytes = heads_size_bytes;
  for (RecordHead& record : head.records) {
    if (!ReadRecordHead(reader, record)) {
      return std::nullopt;
    }
    size_bytes += record.size_bytes;
  }
  if (size_bytes != head.size_bytes) {
    return std::nullopt;
  }
  return head;
}

bool PayloadMatches(const RecordHead& record, std::span<const std::byte> payload) {
  return payload.size() == record.size_bytes && codec::Crc32c(payload) == record.crc;
}

void FrameBuilder::Add(RecordHead record, std::string_view payload) {
  record.size_bytes = static_cast<uint32_t>(payload.size());
  record.crc = codec::Crc32c(std::as_bytes(std::span(payload)));
  size_bytes_ = SizeWith(payload.size());
  head_.records.push_back(record);
  payloads_.push_back(payload);
  ASSERT(head_.records.size() <= kFrameRecordsMax);
}

void FrameBuilder::AddOwned(RecordHead record, std::string payload) {
  owned_.push_back(std::move(payload));
  Add(record, owned_.back());
}

AlignedBuffer FrameBuilder::Finish(FrameHead& head, uint32_t block_size_bytes) {
  ASSERT(size_bytes_ <= UINT32_MAX);
  uint64_t const blocks = (size_bytes_ + block_size_bytes - 1) / block_size_bytes;
  AlignedBuffer buffer(blocks * block_size_bytes);
  std::byte* at = buffer.span().data();
  Put(at, kFrameMagic);
  std::byte* crc_at = at;
  Put(at, uint32_t{0});
  Put(at, head.log_id);
  Put(at, head.segment.value());
  Put(at, head.offset_bytes);
  Put(at, head.number.value());
  Put(at, head.first_segment.value());
  Put(at, static_cast<uint32_t>(size_bytes_));
  Put(at, static_cast<uint32_t>(head_.records.size()));
  Put(at, head.closes_segment ? kClosesSegment : uint32_t{0});
  Put(at, head.previous_crc);
  for (const RecordHead& record : head_.records) {
    PutRecordHead(at, record);
  }
  auto const heads = std::span<const std::byte>(buffer.span().data(), at);
  head.crc = codec::Crc32c(heads.subspan(kCrcCoversFrom));
  Put(crc_at, head.crc);
  for (std::string_view const payload : payloads_) {
    if (!payload.empty()) {
      std::memcpy(at, payload.data(), payload.size());
      at += payload.size();
    }
  }
  return buffer;
}

}  // namespace orochi::kv::log
