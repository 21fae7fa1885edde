#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "swim/types.h"

namespace orochi::swim {

/// What travels between nodes, in a datagram or as the one frame of a stream each way. The bytes
/// are described in docs/formats/swim-packet.md.
enum class PacketKind : uint8_t {
  kPing = 1,           // are you `subject`, and there?
  kAck = 2,            // `subject` is there, from itself or from who asked it for the receiver
  kPingRequest = 3,    // ask `subject` at `subject_address` for me
  kNack = 4,           // I am here, and `subject` has not answered me yet
  kGossip = 5,         // records alone
  kExchange = 6,       // stream: all records I have; send me yours
  kExchangeReply = 7,  // stream
  kStreamPing = 8,     // stream: kPing by the way that packets are not lost on
  kStreamAck = 9,      // stream
};

constexpr bool IsStreamKind(PacketKind kind) {
  return kind >= PacketKind::kExchange;
}

inline constexpr size_t kStreamFrameSizeBytesMax = 4 << 20;

struct PacketHead {
  PacketKind kind = PacketKind::kGossip;
  ClusterId cluster;
  Record sender;                        // what it claims of itself, without hints
  uint64_t sequence = 0;                // of the question; kPing to kNack
  NodeId subject{};                     // kPing to kNack, kStreamPing, kStreamAck
  io::SocketAddress subject_address{};  // kPingRequest
};

struct Packet {
  PacketHead head;
  std::vector<Record> records;
};

/// Lays out one packet of at most `size_bytes_max` bytes.
/// Life: Add* -> Finish.    REQUIRES: size_bytes_max >= kPacketSizeBytesMin.
class PacketBuilder {
 public:
  PacketBuilder(const PacketHead& head, size_t size_bytes_max);

  /// False, and nothing added, when the record does not fit.
  bool Add(const Record& record);
  /// Whether the smallest record would fit.
  bool HasRoom() const;
  std::vector<std::byte> Finish() &&;

 private:
  std::vector<std::byte> bytes_;
  size_t size_bytes_max_;
};
inline constexpr size_t kPacketSizeBytesMin = 512;  // any head and any one record fit

/// kCorruption, naming what is wrong, for bytes that no PacketBuilder makes. The cluster is not
/// compared here.
Result<Packet> DecodePacket(std::span<const std::byte> bytes);

}  // namespace orochi::swim
