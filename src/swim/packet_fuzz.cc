// Any bytes as a packet: refused, or laid out again byte for byte. Then the same packet given to a
// node, which must survive whatever it says, with and without a right checksum.
#include <cstring>

#include "codec/crc32c.h"
#include "codec/testing/fuzz_input.h"
#include "swim/packet.h"
#include "swim/swim_core.h"

namespace {

using namespace orochi;
using namespace orochi::swim;

void Check(std::span<const std::byte> bytes) {
  auto packet = DecodePacket(bytes);
  if (!packet.ok()) {
    return;
  }
  // A varint may have been written longer than needed, so only meaning must survive.
  PacketHead head = packet->head;
  PacketBuilder builder(head, kStreamFrameSizeBytesMax);
  for (const Record& record : packet->records) {
    codec::testing::Require(builder.Add(record), "what was read can be written");
  }
  auto const again_bytes = std::move(builder).Finish();
  auto again = DecodePacket(again_bytes);
  codec::testing::Require(again.ok(), "what was written can be read");
  codec::testing::Require(again->records.size() == packet->records.size(), "no record is lost");
  for (size_t index = 0; index < again->records.size(); ++index) {
    const Record& a = again->records[index];
    const Record& b = packet->records[index];
    codec::testing::Require(a.id == b.id && CompareClaims(a, b) == 0 && a.address == b.address &&
                                a.hints == b.hints && a.accuser == b.accuser &&
                                a.gone_for_s == b.gone_for_s,
                            "a record survives");
  }
}

void Feed(std::span<const std::byte> bytes) {
  SeededRandom random(1);
  ClusterId const cluster{0x3131313131313131, 0x3232323232323232};
  auto core = SwimCore::Create(LocalProfile(),
                               {.cluster = cluster,
                                .id = {0x3333333333333333, 0x3434343434343434},
                                .generation = Generation(3),
                                .address = io::SocketAddress::V4(127, 0, 0, 1, 9)},
                               0, random);
  SwimCore& node = **core;
  int64_t now_us = 0;
  for (int round = 0; round < 3; ++round) {
    node.OnDatagram(bytes).IgnoreError("any bytes");
    if (auto reply = node.OnStreamRequest(bytes); reply.ok()) {
      codec::testing::Require(DecodePacket(*reply).ok(), "answers are packets");
    }
    for (int tick = 0; tick < 30; ++tick) {
      now_us += 200'000;
      node.Tick(now_us);
      Output const output = node.TakeOutput();
      for (const Datagram& datagram : output.datagrams) {
        codec::testing::Require(datagram.bytes.size() <= node.options().packet_size_bytes_max &&
                                    DecodePacket(datagram.bytes).ok(),
                                "what is sent is a packet");
      }
      for (const StreamRequest& request : output.streams) {
        node.OnStreamReply(request.token, bytes).IgnoreError("any bytes");
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size_bytes) {
  std::span<const std::byte> const bytes(reinterpret_cast<const std::byte*>(data), size_bytes);
  Check(bytes);
  std::vector<std::byte> mended(bytes.begin(), bytes.end());
  if (mended.size() >= 8) {
    uint32_t const sum = codec::Crc32c(std::span(mended).first(mended.size() - 4));
    std::memcpy(mended.data() + mended.size() - 4, &sum, sizeof(sum));
  }
  Check(mended);
  Feed(mended);
  return 0;
}
