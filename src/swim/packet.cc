#include "swim/packet.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "codec/byte_writer.h"
#include "codec/crc32c.h"
#include "codec/varint.h"

namespace orochi::swim {
namespace {

using codec::AppendFixed;
using codec::AppendVarint;
using codec::ByteReader;

constexpr uint16_t kMagic = 0x5753;  // "SW"
constexpr uint8_t kFormat = 1;
constexpr size_t kChecksumSizeBytes = 4;
constexpr size_t kRecordSizeBytesMin = 25;  // flags, id, two small varints, IPv4 and port
constexpr uint8_t kHealthMask = 0x07;
constexpr uint8_t kHasHints = 0x08;
constexpr uint8_t kIsV6 = 0x10;

bool HasSubject(PacketKind kind) {
  return kind <= PacketKind::kNack || kind >= PacketKind::kStreamPing;
}

void AppendId(std::vector<std::byte>& out, NodeId id) {
  AppendFixed(out, id.high);
  AppendFixed(out, id.low);
}

void AppendAddress(std::vector<std::byte>& out, const io::SocketAddress& address) {
  auto const ip = std::as_bytes(std::span(address.ip));
  codec::AppendSpan(out, address.IsV4() ? ip.subspan(12) : ip);
  AppendFixed(out, address.port);
}

void AppendRecord(std::vector<std::byte>& out, const Record& record) {
  auto flags = static_cast<uint8_t>(record.health);
  flags |= record.hints.has_value() ? kHasHints : 0;
  flags |= record.address.IsV4() ? 0 : kIsV6;
  AppendFixed(out, flags);
  AppendId(out, record.id);
  AppendVarint(out, record.generation.value());
  AppendVarint(out, record.incarnation.value());
  AppendAddress(out, record.address);
  if (record.health == Health::kSuspect) {
    AppendId(out, record.accuser);
  } else if (record.health != Health::kAlive) {
    AppendVarint(out, record.gone_for_s);
  }
  if (record.hints.has_value()) {
    const Hints& hints = *record.hints;
    ASSERT(hints.payload.size() <= kHintPayloadSizeBytesMax);
    AppendVarint(out, hints.revision);
    AppendVarint(out, hints.meta_version);
    AppendVarint(out, hints.load);
    AppendVarint(out, hints.payload.size());
    codec::AppendSpan(out, std::as_bytes(std::span(hints.payload)));
  }
}

bool ReadId(ByteReader& reader, NodeId& id) {
  return reader.ReadFixed(id.high) && reader.ReadFixed(id.low);
}

bool ReadAddress(ByteReader& reader, bool is_v6, io::SocketAddress& address) {
  std::span<const std::byte> ip;
  if (!reader.ReadSpan(is_v6 ? 16 : 4, ip) || !reader.ReadFixed(address.port)) {
    return false;
  }
  uint16_t const port = address.port;
  if (!is_v6) {
    address = io::SocketAddress::V4(0, 0, 0, 0, port);
  }
  std::memcpy(address.ip.data() + 16 - ip.size(), ip.data(), ip.size());
  return !is_v6 || !address.IsV4();  // one address has one form
}

bool ReadHints(ByteReader& reader, Hints& hints) {
  size_t size_bytes = 0;
  std::span<const std::byte> payload;
  if (!reader.ReadVarintUpTo(kVersionMax, hints.revision) ||
      !reader.ReadVarintUpTo(kVersionMax, hints.meta_version) || !reader.ReadVarint(hints.load) ||
      !reader.ReadVarintUpTo(kHintPayloadSizeBytesMax, size_bytes) ||
      !reader.ReadSpan(size_bytes, payload)) {
    return false;
  }
  hints.payload.assign(reinterpret_cast<const char*>(payload.data()), payload.size());
  return true;
}

bool ReadRecord(ByteReader& reader, Record& record) {
  uint8_t flags = 0;
  uint64_t generation = 0;
  uint64_t incarnation = 0;
  if (!reader.ReadFixed(flags) || (flags & ~(kHealthMask | kHasHints | kIsV6)) != 0 ||
      (flags & kHealthMask) > static_cast<uint8_t>(Health::kConflict) ||
      !ReadId(reader, record.id) || record.id == NodeId{} ||
      !reader.ReadVarintUpTo(kVersionMax, generation) || generation == 0 ||
      !reader.ReadVarintUpTo(kVersionMax, incarnation) ||
      !ReadAddress(reader, (flags & kIsV6) != 0, record.address)) {
    return false;
  }
  record.generation = Generation(generation);
  record.incarnation = Incarnation(incarnation);
  record.health = static_cast<Health>(flags & kHealthMask);
  if (record.health == Health::kSuspect && !ReadId(reader, record.accuser)) {
    return false;
  }
  if (!IsPresent(record.health) && !reader.ReadVarintUpTo(kVersionMax, record.gone_for_s)) {
    return false;
  }
  return (flags & kHasHints) == 0 || ReadHints(reader, record.hints.emplace());
}

bool ReadHead(ByteReader& reader, PacketHead& head) {
  if (!reader.ReadFixed(head.cluster.high) || !reader.ReadFixed(head.cluster.low) ||
      !ReadRecord(reader, head.sender) || head.sender.hints.has_value()) {
    return false;
  }
  if (!HasSubject(head.kind)) {
    return true;
  }
  if (!IsStreamKind(head.kind) && !reader.ReadVarint(head.sequence)) {
    return false;
  }
  if (!ReadId(reader, head.subject)) {
    return false;
  }
  uint8_t is_v6 = 0;
  return head.kind != PacketKind::kPingRequest ||
         (reader.ReadFixed(is_v6) && is_v6 <= 1 &&
          ReadAddress(reader, is_v6 == 1, head.subject_address));
}

}  // namespace

PacketBuilder::PacketBuilder(const PacketHead& head, size_t size_bytes_max)
    : size_bytes_max_(size_bytes_max) {
  ASSERT(size_bytes_max >= kPacketSizeBytesMin);
  ASSERT(!head.sender.hints.has_value());
  AppendFixed(bytes_, kMagic);
  AppendFixed(bytes_, kFormat);
  AppendFixed(bytes_, static_cast<uint8_t>(head.kind));
  AppendFixed(bytes_, head.cluster.high);
  AppendFixed(bytes_, head.cluster.low);
  AppendRecord(bytes_, head.sender);
  if (HasSubject(head.kind)) {
    if (!IsStreamKind(head.kind)) {
      AppendVarint(bytes_, head.sequence);
    }
    AppendId(bytes_, head.subject);
  }
  if (head.kind == PacketKind::kPingRequest) {
    AppendFixed(bytes_, static_cast<uint8_t>(head.subject_address.IsV4() ? 0 : 1));
    AppendAddress(bytes_, head.subject_address);
  }
}

bool PacketBuilder::Add(const Record& record) {
  size_t const before = bytes_.size();
  AppendRecord(bytes_, record);
  if (bytes_.size() + kChecksumSizeBytes > size_bytes_max_) {
    bytes_.resize(before);
    return false;
  }
  return true;
}

bool PacketBuilder::HasRoom() const {
  return bytes_.size() + kRecordSizeBytesMin + kChecksumSizeBytes <= size_bytes_max_;
}

std::vector<std::byte> PacketBuilder::Finish() && {
  AppendFixed(bytes_, codec::Crc32c(bytes_));
  ASSERT(bytes_.size() <= size_bytes_max_);
  return std::move(bytes_);
}

Result<Packet> DecodePacket(std::span<const std::byte> bytes) {
  if (bytes.size() < 4 + kChecksumSizeBytes) {
    return Status::Corruption(StrCat("SWIM packet of ", bytes.size(), " bytes: too short"));
  }
  auto const body = bytes.first(bytes.size() - kChecksumSizeBytes);
  uint32_t found = 0;
  std::memcpy(&found, bytes.data() + body.size(), sizeof(found));
  if (uint32_t const expected = codec::Crc32c(body); found != expected) {
    return Status::Corruption(
        StrCat("SWIM packet: checksum ", found, ", its bytes give ", expected));
  }
  ByteReader reader(body);
  uint16_t magic = 0;
  uint8_t format = 0;
  uint8_t kind = 0;
  if (!reader.ReadFixed(magic) || !reader.ReadFixed(format) || !reader.ReadFixed(kind) ||
      magic != kMagic) {
    return Status::Corruption(StrCat("SWIM packet: begins with ", magic, ", expected ", kMagic));
  }
  if (format != kFormat) {
    return Status::Unsupported(StrCat("SWIM packet: format ", format, ", expected ", kFormat));
  }
  if (kind < static_cast<uint8_t>(PacketKind::kPing) ||
      kind > static_cast<uint8_t>(PacketKind::kStreamAck)) {
    return Status::Corruption(StrCat("SWIM packet: unknown kind ", kind));
  }
  Packet packet;
  packet.head.kind = static_cast<PacketKind>(kind);
  if (!ReadHead(reader, packet.head)) {
    return Status::Corruption(StrCat("SWIM packet of kind ", kind, ": its head is malformed"));
  }
  while (reader.remaining_bytes() > 0) {
    if (!ReadRecord(reader, packet.records.emplace_back())) {
      return Status::Corruption(StrCat("SWIM packet of kind ", kind, ": record ",
                                       packet.records.size(), " is malformed"));
    }
  }
  return packet;
}

}  // namespace orochi::swim
