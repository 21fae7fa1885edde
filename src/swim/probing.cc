// Who is asked whether it is there, by whom, and what follows from silence.
#include <algorithm>

#include "base/assert.h"
#include "swim/planted_bug.h"
#include "swim/swim_core.h"

namespace orochi::swim {
namespace {

constexpr size_t kRelaysMax = 256;

}  // namespace

void SwimCore::ChangeAwareness(int change) {
  awareness_ = std::clamp(awareness_ + change, 0, options_.awareness_max);
}

void SwimCore::TickProbe() {
  if (probe_.has_value() && !probe_->indirect && clock_us_ >= probe_->timeout_at_us) {
    AskOthers(*probe_);
  }
  if (probe_.has_value() && clock_us_ >= probe_->end_at_us) {
    FailProbe();
  }
  if (!probe_.has_value() && clock_us_ >= probe_at_us_) {
    StartProbe();
  }
}

// Every member once, in random order, then all again: silence is noticed within bounded time by
// each, and by chance alone much sooner by somebody (SWIM, 4.3).
NodeId SwimCore::NextTarget() {
  for (size_t tries = probe_order_.size() + 1; tries > 0; --tries) {
    if (probe_position_ >= probe_order_.size()) {
      probe_position_ = 0;
      std::erase_if(probe_order_, [this](NodeId id) {
        const Record* const record = FindRecord(id);
        return record == nullptr || !IsPresent(record->health);
      });
      std::sort(probe_order_.begin(), probe_order_.end());
      probe_order_.erase(std::unique(probe_order_.begin(), probe_order_.end()), probe_order_.end());
      for (size_t index = probe_order_.size(); index > 1; --index) {
        std::swap(probe_order_[index - 1], probe_order_[random_.Below(index)]);
      }
      if (probe_order_.empty()) {
        return {};
      }
    }
    NodeId const id = probe_order_[probe_position_++];
    const Record* const record = FindRecord(id);
    if (record != nullptr && IsPresent(record->health)) {
      return id;
    }
  }
  return {};
}

void SwimCore::StartProbe() {
  int64_t const slowness = awareness_ + 1;
  probe_at_us_ = clock_us_ + options_.probe_interval_us * slowness;
  NodeId const target = NextTarget();
  if (target == NodeId{}) {
    ChangeAwareness(-1);  // nobody's answers are missed
    return;
  }
  probe_ = Probe{.target = target,
                 .sequence = ++sequence_,
                 .timeout_at_us = clock_us_ + options_.probe_timeout_us * slowness,
                 .end_at_us = probe_at_us_};
  PacketHead head = Head(PacketKind::kPing);
  head.sequence = probe_->sequence;
  head.subject = target;
  SendDatagram(members_.at(target).record.address, head, RumourOf(target));
}

void SwimCore::AskOthers(Probe& probe) {
  probe.indirect = true;
  auto const known = members_.find(probe.target);
  if (known == members_.end()) {
    return;
  }
  io::SocketAddress const address = known->second.record.address;
  PacketHead head = Head(PacketKind::kPingRequest);
  head.sequence = probe.sequence;
  head.subject = probe.target;
  head.subject_address = address;
  for (NodeId const id : PickMembers(options_.indirect_count, probe.target, false)) {
    const Member& helper = members_.at(id);
    probe.nacks_expected += helper.record.health == Health::kAlive ? 1 : 0;
    SendDatagram(helper.record.address, head, RumourOf(id));
  }
  OpenStream(address, PacketKind::kStreamPing, probe.target);
}

void SwimCore::EndProbe(int awareness_change) {
  probe_.reset();
  ChangeAwareness(awareness_change);
}

// Helpers that say nothing at all, not even that they wait, make this node doubt itself.
void SwimCore::FailProbe() {
  NodeId const target = probe_->target;
  size_t const silent =
      probe_->nacks_expected - std::min(probe_->nacks_expected, probe_->nacks.size());
  EndProbe(probe_->nacks_expected > 0 ? static_cast<int>(silent) : 1);
  ++counters_.probes_failed;
  auto const known = members_.find(target);
  if (known != members_.end()) {
    Suspect(known->second, self_.id);
  }
}

void SwimCore::OnPing(const Packet& packet) {
  const PacketHead& asked = packet.head;
  if (asked.subject != self_.id && !IsPlanted(PlantedBug::kAnswersForOthers)) {
    ++counters_.refused;  // meant for who had this address before
    Tell(asked.sender);
    return;
  }
  PacketHead head = Head(PacketKind::kAck);
  head.sequence = asked.sequence;
  head.subject = asked.subject;
  SendDatagram(asked.sender.address, head,
               ShouldKnow(asked.sender) ? FindRecord(asked.sender.id) : nullptr);
}

void SwimCore::OnAck(const Packet& packet) {
  const PacketHead& head = packet.head;
  if (probe_.has_value() && probe_->sequence == head.sequence && probe_->target == head.subject) {
    EndProbe(-1);
    return;
  }
  auto const relay = relays_.find(head.sequence);
  if (relay == relays_.end() || relay->second.subject != head.subject ||
      (head.sender.id != head.subject && !IsPlanted(PlantedBug::kAnswersForOthers))) {
    return;  // too late, or twice
  }
  PacketHead answer = Head(PacketKind::kAck);
  answer.sequence = relay->second.asker_sequence;
  answer.subject = head.subject;
  SendDatagram(relay->second.asker, answer, nullptr);
  relays_.erase(relay);
}

void SwimCore::OnPingRequest(const Packet& packet) {
  const PacketHead& asked = packet.head;
  if (relays_.size() >= kRelaysMax || asked.subject == self_.id ||
      asked.subject_address.port == 0) {
    ++counters_.refused;
    return;
  }
  PacketHead head = Head(PacketKind::kPing);
  head.sequence = ++sequence_;
  head.subject = asked.subject;
  relays_.emplace(head.sequence, Relay{.subject = asked.subject,
                                       .asker = asked.sender.address,
                                       .asker_sequence = asked.sequence,
                                       .nack_at_us = clock_us_ + options_.probe_timeout_us * 4 / 5,
                                       .end_at_us = clock_us_ + options_.probe_interval_us});
  SendDatagram(asked.subject_address, head, RumourOf(asked.subject));
}

void SwimCore::OnNack(const Packet& packet) {
  if (probe_.has_value() && probe_->sequence == packet.head.sequence &&
      probe_->target == packet.head.subject) {
    probe_->nacks.insert(packet.head.sender.id);
  }
}

void SwimCore::TickRelays() {
  for (auto at = relays_.begin(); at != relays_.end();) {
    Relay& relay = at->second;
    if (!relay.nacked && clock_us_ >= relay.nack_at_us) {
      relay.nacked = true;
      PacketHead head = Head(PacketKind::kNack);
      head.sequence = relay.asker_sequence;
      head.subject = relay.subject;
      SendDatagram(relay.asker, head, nullptr);
    }
    at = clock_us_ >= relay.end_at_us ? relays_.erase(at) : std::next(at);
  }
}

}  // namespace orochi::swim
