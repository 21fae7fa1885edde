#include "swim/swim_core.h"

#include <algorithm>
#include <cmath>

#include "base/assert.h"
#include "base/str_cat.h"
#include "swim/planted_bug.h"

namespace orochi::swim {
namespace {

constexpr int64_t kSweepIntervalUs = 1'000'000;

Status CheckOptions(const Options& options) {
  if (options.probe_interval_us <= 0 || options.probe_timeout_us <= 0 ||
      options.probe_timeout_us >= options.probe_interval_us) {
    return Status::InvalidArgument(
        StrCat("SWIM: a probe timeout of ", options.probe_timeout_us,
               " us, expected more than 0 and less than the probe interval, ",
               options.probe_interval_us, " us"));
  }
  if (options.gossip_interval_us <= 0 || options.exchange_us <= 0 ||
      options.exchange_small_us <= 0 || options.dead_call_us <= 0 || options.lonely_call_us <= 0 ||
      options.suspicion_mult < 1 || options.suspicion_max_mult < 1 ||
      options.gossip_transmit_mult < 1 || options.awareness_max < 0) {
    return Status::InvalidArgument("SWIM: an interval or multiple that is not above 0");
  }
  if (options.packet_size_bytes_max < kPacketSizeBytesMin) {
    return Status::InvalidArgument(StrCat("SWIM: packets of at most ",
                                          options.packet_size_bytes_max,
                                          " bytes, expected at least ", kPacketSizeBytesMin));
  }
  return Status::Ok();
}

}  // namespace

std::string_view EventKindName(EventKind kind) {
  switch (kind) {
    case EventKind::kJoined:
      return "joined";
    case EventKind::kSuspected:
      return "suspected";
    case EventKind::kRefuted:
      return "refuted";
    case EventKind::kDead:
      return "dead";
    case EventKind::kLeft:
      return "left";
    case EventKind::kUpdated:
      return "updated";
    case EventKind::kConflict:
      return "conflict";
    case EventKind::kSuperseded:
      return "superseded";
  }
  return "?";
}

Result<std::unique_ptr<SwimCore>> SwimCore::Create(const Options& options, const Self& self,
                                                   int64_t now_us, Random& random) {
  RETURN_IF_ERROR(CheckOptions(options));
  if (self.id == NodeId{} || self.generation.value() == 0 ||
      self.generation.value() > kVersionMax) {
    return Status::InvalidArgument(StrCat("SWIM: node ", ToString(self.id), " of generation ",
                                          self.generation.value(),
                                          ", expected an id and a generation that are not 0"));
  }
  if (self.address.port == 0) {
    return Status::InvalidArgument(
        StrCat("SWIM: ", io::ToString(self.address), " is no address that others can send to"));
  }
  return std::unique_ptr<SwimCore>(new SwimCore(options, self, now_us, random));
}

SwimCore::SwimCore(const Options& options, const Self& self, int64_t now_us, Random& random)
    : options_(options), cluster_(self.cluster), random_(random), last_tick_us_(now_us) {
  self_.id = self.id;
  self_.generation = self.generation;
  self_.address = self.address;
  self_.hints = Hints{};
  // Answers to this node's last life must not count in this one.
  sequence_ = random_.Next() >> 16;
  stream_tokens_ = 0;
  exchange_at_us_ = Jitter(options_.exchange_small_us);
  probe_at_us_ = Jitter(options_.probe_interval_us) / 2;
  queue_.Put(self_.id);
}

int64_t SwimCore::Jitter(int64_t interval_us) {
  return interval_us / 2 + static_cast<int64_t>(random_.Below(static_cast<uint64_t>(interval_us)));
}

void SwimCore::SetSeeds(std::vector<io::SocketAddress> seeds) {
  seeds_ = std::move(seeds);
  seeds_.resize(std::min(seeds_.size(), kSeedsMax));
  if (standing_ == Standing::kMember) {
    CallSeeds(seeds_.size());
  }
}

Status SwimCore::SetHints(uint64_t meta_version, uint64_t load, std::string payload) {
  if (payload.size() > kHintPayloadSizeBytesMax || meta_version > kVersionMax) {
    return Status::InvalidArgument(StrCat("SWIM: hints of ", payload.size(),
                                          " bytes and meta version ", meta_version,
                                          ", expected at most ", kHintPayloadSizeBytesMax));
  }
  Hints& hints = *self_.hints;
  if (hints.meta_version != meta_version || hints.load != load || hints.payload != payload) {
    hints = {.revision = hints.revision + 1,
             .meta_version = meta_version,
             .load = load,
             .payload = std::move(payload)};
    queue_.Put(self_.id);
  }
  return Status::Ok();
}

void SwimCore::Leave() {
  if (standing_ == Standing::kMember) {
    SayGoodbye(Standing::kLeaving, Health::kLeft);
  }
}

// The last word goes through the queue, before all others; who has sent it falls silent.
void SwimCore::SayGoodbye(Standing standing, Health health) {
  standing_ = standing;
  self_.health = health;
  probe_.reset();
  queue_.Put(self_.id);
}

// A process that was stopped has heard nobody, so its deadlines wait with it: who was silent
// meanwhile may have answered.
void SwimCore::AdvanceClock(int64_t now_us) {
  int64_t elapsed_us = std::max<int64_t>(0, now_us - last_tick_us_);
  last_tick_us_ = std::max(last_tick_us_, now_us);
  if (elapsed_us > options_.probe_interval_us) {
    elapsed_us = options_.probe_interval_us;
    ++counters_.pauses;
    ChangeAwareness(1);
  }
  clock_us_ += elapsed_us;
}

void SwimCore::Tick(int64_t now_us) {
  AdvanceClock(now_us);
  if (IsSilent() && !queue_.Contains(self_.id)) {
    return;
  }
  if (standing_ == Standing::kMember) {
    TickProbe();
    TickRelays();
    TickSuspicions();
    TickCalls();
  }
  if (clock_us_ >= sweep_at_us_) {
    sweep_at_us_ = clock_us_ + kSweepIntervalUs;
    ForgetGone();
  }
  TickGossip();
}

int64_t SwimCore::next_tick_us() const {
  if (IsSilent() && !queue_.Contains(self_.id)) {
    return last_tick_us_ + options_.probe_interval_us / 2;
  }
  int64_t due_us = std::min(sweep_at_us_, clock_us_ + options_.probe_interval_us / 2);
  if (!queue_.empty()) {
    due_us = std::min(due_us, gossip_at_us_);
  }
  if (standing_ == Standing::kMember) {
    due_us = std::min(due_us, probe_at_us_);
    if (probe_.has_value()) {
      due_us = std::min(due_us, probe_->indirect ? probe_->end_at_us : probe_->timeout_at_us);
    }
    for (const auto& [sequence, relay] : relays_) {
      due_us = std::min(due_us, relay.nacked ? relay.end_at_us : relay.nack_at_us);
    }
  }
  return last_tick_us_ + std::max<int64_t>(0, due_us - clock_us_);
}

// Each node sends a rumour c times to others drawn at random, so e^-c of the nodes hear nothing of
// it until the next exchange. The natural logarithm: with the decimal one, which suffices for large
// clusters, one node of seventy misses what happens in a cluster of nine.
int SwimCore::TransmitCountMax() const {
  double const scale = std::ceil(std::log(static_cast<double>(present_count() + 1)));
  return options_.gossip_transmit_mult * static_cast<int>(std::max(1.0, scale));
}

void SwimCore::TickGossip() {
  bool alone = false;
  if (!queue_.empty() && clock_us_ >= gossip_at_us_) {
    gossip_at_us_ = clock_us_ + options_.gossip_interval_us;
    // The last word is sent so often and no more: not to those who are dead.
    std::vector<NodeId> const targets =
        PickMembers(options_.gossip_fanout, {}, standing_ == Standing::kMember);
    alone = targets.empty();
    for (NodeId const id : targets) {
      if (queue_.empty()) {
        break;
      }
      SendDatagram(members_.at(id).record.address, Head(PacketKind::kGossip), RumourOf(id));
    }
  }
  if (standing_ != Standing::kMember && (alone || !queue_.Contains(self_.id))) {
    standing_ = standing_ == Standing::kLeaving ? Standing::kLeft : standing_;
    queue_.Remove(self_.id);
  }
}

// Up to `count` members that may be there, in random order; for news also those that died a moment
// ago, who may be able to deny it.
std::vector<NodeId> SwimCore::PickMembers(size_t count, NodeId except, bool recently_dead) {
  std::vector<NodeId> candidates;
  for (const auto& [id, member] : members_) {
    bool const wanted = IsPresent(member.record.health) ||
                        (recently_dead && member.record.health == Health::kDead &&
                         clock_us_ - *member.gone_since_us < options_.gossip_to_dead_us);
    if (wanted && id != except) {
      candidates.push_back(id);
    }
  }
  count = std::min(count, candidates.size());
  for (size_t index = 0; index < count; ++index) {
    std::swap(candidates[index], candidates[index + random_.Below(candidates.size() - index)]);
  }
  candidates.resize(count);
  return candidates;
}

PacketHead SwimCore::Head(PacketKind kind) const {
  PacketHead head{.kind = kind, .cluster = cluster_, .sender = self_};
  head.sender.hints.reset();
  return head;
}

const Record* SwimCore::FindRecord(NodeId id) const {
  if (id == self_.id) {
    return &self_;
  }
  auto const known = members_.find(id);
  return known == members_.end() ? nullptr : &known->second.record;
}

// What is believed of a member that is not well, or null.
const Record* SwimCore::RumourOf(NodeId id) const {
  const Record* const record = FindRecord(id);
  return record != nullptr && record->health != Health::kAlive ? record : nullptr;
}

// Fills the packet up with news. A rumour about the receiver goes first: who is suspect must be the
// first to know ("buddy system" of Lifeguard).
void SwimCore::SendDatagram(const io::SocketAddress& to, const PacketHead& head,
                            const Record* first) {
  size_t const size_bytes_max = IsPlanted(PlantedBug::kPacketNotBounded)
                                    ? kStreamFrameSizeBytesMax
                                    : options_.packet_size_bytes_max;
  PacketBuilder builder(head, size_bytes_max);
  if (first != nullptr) {
    bool const added = builder.Add(*first);
    ASSERT(added);
  }
  // The last word does not wait behind what a newcomer was taught and passes on.
  queue_.Fill(
      builder, TransmitCountMax(), [this](NodeId id) { return FindRecord(id); },
      standing_ == Standing::kMember ? std::nullopt : std::optional(self_.id));
  output_.datagrams.push_back({to, std::move(builder).Finish()});
}

// One record and nothing else: the queue is for those who are there.
void SwimCore::SendRecord(const io::SocketAddress& to, const Record& record) {
  PacketBuilder builder(Head(PacketKind::kGossip), options_.packet_size_bytes_max);
  bool const added = builder.Add(record);
  ASSERT(added);
  output_.datagrams.push_back({to, std::move(builder).Finish()});
}

Result<Packet> SwimCore::Open(std::span<const std::byte> bytes, bool stream) {
  auto packet = DecodePacket(bytes);
  if (!packet.ok()) {
    ++counters_.malformed;
    return packet;
  }
  const PacketHead& head = packet->head;
  if (head.cluster != cluster_ && !IsPlanted(PlantedBug::kClusterUnchecked)) {
    ++counters_.other_cluster;
    return Status::PermissionDenied(StrCat("SWIM packet of node ", ToString(head.sender.id),
                                           " of cluster ", ToString(head.cluster), ", this one is ",
                                           ToString(cluster_)));
  }
  bool const speaks = head.sender.health == Health::kAlive || head.sender.health == Health::kLeft ||
                      head.sender.health == Health::kConflict;
  if (IsStreamKind(head.kind) != stream || !speaks) {
    ++counters_.refused;
    return Status::InvalidArgument(StrCat(
        "SWIM packet of kind ", head.kind, " of node ", ToString(head.sender.id), ", which is ",
        HealthName(head.sender.health), stream ? ", on a stream" : ", as a datagram"));
  }
  return packet;
}

Status SwimCore::OnDatagram(std::span<const std::byte> bytes) {
  auto opened = Open(bytes, false);
  if (!opened.ok()) {
    return opened.status();
  }
  const Packet& packet = *opened;
  if (IsSilent()) {
    return Status::Ok();
  }
  const Record& sender = packet.head.sender;
  HearFromSender(sender);
  if (sender.id == self_.id || IsSilent()) {
    return Status::Ok();
  }
  for (const Record& record : packet.records) {
    Hear(record, Source::kGossip, sender.id);
  }
  bool told = false;  // a ping's answer tells the sender what is believed of it
  switch (packet.head.kind) {
    case PacketKind::kPing:
      told = true;
      OnPing(packet);
      break;
    case PacketKind::kAck:
      OnAck(packet);
      break;
    case PacketKind::kPingRequest:
      OnPingRequest(packet);
      break;
    case PacketKind::kNack:
      OnNack(packet);
      break;
    default:
      break;
  }
  if (!told) {
    Tell(sender);
  }
  return Status::Ok();
}

bool SwimCore::HasOutput() const {
  return !output_.datagrams.empty() || !output_.streams.empty() || !output_.events.empty();
}

Output SwimCore::TakeOutput() {
  return std::exchange(output_, {});
}

}  // namespace orochi::swim
