#include "kv/server/gossip.h"

#include <xxhash.h>

#include <optional>
#include <utility>

#include "base/str_cat.h"
#include "codec/byte_reader.h"
#include "kv/engine/text_bytes.h"

namespace orochi::kv {
namespace {

constexpr int64_t kGoodbyeMs = 500;

swim::ClusterId ClusterIdOf(const std::string& name) {
  XXH128_hash_t const hash = XXH3_128bits(name.data(), name.size());
  return {.high = hash.high64, .low = hash.low64};
}

struct Payload {
  NodeNumber number;
  std::string address;
};

std::string Encode(const Payload& payload) {
  std::string bytes;
  AppendVarint(bytes, payload.number.value());
  AppendText(bytes, payload.address);
  return bytes;
}

// Nothing when it is another program's, or a newer one's.
std::optional<Payload> Decode(std::string_view bytes) {
  codec::ByteReader reader(std::as_bytes(std::span(bytes)));
  uint32_t number = 0;
  Payload payload;
  if (!reader.ReadVarintUpTo(UINT32_MAX, number) || !ReadText(reader, payload.address)) {
    return std::nullopt;
  }
  payload.number = NodeNumber(number);
  return payload;
}

}  // namespace

Result<std::unique_ptr<Gossip>> Gossip::Start(GossipOptions options, runtime::EventLoop& loop,
                                              Callbacks callbacks) {
  std::unique_ptr<Gossip> gossip(new Gossip(std::move(options)));
  gossip->callbacks_ = std::move(callbacks);
  swim::NodeOptions node{.data_directory = gossip->options_.directory,
                         .cluster = ClusterIdOf(gossip->options_.cluster),
                         .listen = gossip->options_.listen,
                         .seeds = gossip->options_.seeds,
                         .keys = gossip->options_.keys,
                         .swim = swim::LanProfile()};
  // Posted behind Start, as the loop's own tasks are; dropped when the loop has stopped.
  node.on_event = [raw = gossip.get(), &loop](const swim::Event& event) {
    loop.Post([raw, event] { raw->OnEvent(event); });
  };
  ASSIGN_OR_RETURN(gossip->node_, swim::SwimNode::Start(std::move(node)));
  RETURN_IF_ERROR(gossip->node_->SetHints(
      0, 0, Encode({.number = gossip->options_.number, .address = gossip->options_.address})));
  return gossip;
}

void Gossip::SetSeeds(const ClusterMap& map) {
  std::vector<io::SocketAddress> seeds = options_.seeds;
  for (const auto& [number, node] : map.nodes()) {
    Result<io::SocketAddress> address = io::ParseSocketAddress(node.gossip_address);
    if (address.ok() && number != options_.number && node.state != NodeState::kGone) {
      seeds.push_back(*address);
    }
  }
  node_->SetSeeds(std::move(seeds));
}

void Gossip::OnEvent(const swim::Event& event) {
  const swim::Record& record = event.record;
  bool const is_own = record.id == node_->id();
  if (is_own &&
      (event.kind == swim::EventKind::kConflict || event.kind == swim::EventKind::kSuperseded)) {
    callbacks_.conflict(StrCat("another process runs with a copy of this node's directory, at ",
                               io::ToString(record.address)));
    return;
  }
  auto const payload = record.hints ? Decode(record.hints->payload) : std::nullopt;
  if (is_own || !payload || payload->number == options_.number) {
    return;
  }
  // What an earlier start of the node was does not matter once there is a later one.
  auto& from = from_[payload->number];
  if (from.first == record.id && record.generation < from.second) {
    return;
  }
  bool const is_there = swim::IsPresent(record.health);
  auto const known = heard_.find(payload->number);
  if (known != heard_.end() && from.first != record.id && !is_there) {
    return;
  }
  from = {record.id, record.generation};
  heard_[payload->number] = {.address = payload->address, .is_there = is_there};
  callbacks_.changed();
}

void Gossip::Stop() {
  if (node_ != nullptr) {
    node_->Leave(kGoodbyeMs).IgnoreError("then others find out");
    node_->Stop();
  }
}

}  // namespace orochi::kv
