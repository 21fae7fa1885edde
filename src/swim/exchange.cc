// Streams: whole views exchanged, seeds and the dead called, and the ping that no packet loss
// stops.
#include <algorithm>
#include <map>

#include "base/assert.h"
#include "base/str_cat.h"
#include "swim/planted_bug.h"
#include "swim/swim_core.h"

namespace orochi::swim {
namespace {

constexpr int64_t kNewsIntervalUs = 1'000'000;

}  // namespace

int64_t SwimCore::ExchangeInterval() const {
  return present_count() <= options_.exchange_small_count ? options_.exchange_small_us
                                                          : options_.exchange_us;
}

void SwimCore::TickCalls() {
  if (clock_us_ >= exchange_at_us_) {
    exchange_at_us_ = clock_us_ + Jitter(ExchangeInterval());
    for (NodeId const id : PickMembers(1, {}, false)) {
      StartExchange(members_.at(id).record.address);
    }
  }
  if (clock_us_ >= call_at_us_) {
    bool const lonely = present_count() == 1;
    call_at_us_ = clock_us_ + Jitter(lonely ? options_.lonely_call_us : options_.dead_call_us);
    if (!IsPlanted(PlantedBug::kDeadNeverCalled)) {
      CallSeeds(1);
      CallDead();
    }
  }
}

// The next seeds in turn that are neither this node nor where a member is known to be.
void SwimCore::CallSeeds(size_t count) {
  std::set<io::SocketAddress> taken{self_.address};
  for (const auto& [id, member] : members_) {
    if (IsPresent(member.record.health)) {
      taken.insert(member.record.address);
    }
  }
  for (size_t tries = seeds_.size(); tries > 0 && count > 0; --tries) {
    const io::SocketAddress& seed = seeds_[seed_position_++ % seeds_.size()];
    if (!taken.contains(seed)) {
      StartExchange(seed);
      --count;
    }
  }
}

void SwimCore::CallDead() {
  auto const is_dead = [](const auto& entry) {
    return entry.second.record.health == Health::kDead;
  };
  auto found = std::find_if(members_.upper_bound(last_called_), members_.end(), is_dead);
  if (found == members_.end()) {
    found = std::find_if(members_.begin(), members_.end(), is_dead);
  }
  if (found != members_.end()) {
    last_called_ = found->first;
    StartExchange(found->second.record.address);
  }
}

// Somebody knows of a later version of the cluster's own truth: whoever told that has heard more
// than this node has.
void SwimCore::ExchangeOverNews(uint64_t meta_version, NodeId teller) {
  if (meta_version <= std::max(meta_version_heard_, self_.hints->meta_version)) {
    return;
  }
  meta_version_heard_ = meta_version;
  const Record* const record = FindRecord(teller);
  if (clock_us_ >= news_at_us_ && record != nullptr && teller != self_.id) {
    news_at_us_ = clock_us_ + kNewsIntervalUs;
    StartExchange(record->address);
  }
}

void SwimCore::StartExchange(const io::SocketAddress& to) {
  OpenStream(to, PacketKind::kExchange, {});
}

void SwimCore::OpenStream(const io::SocketAddress& to, PacketKind kind, NodeId subject) {
  if (streams_.size() >= kStreamsMax) {
    return;
  }
  uint64_t const token = ++stream_tokens_;
  streams_.emplace(token, Stream{kind, subject});
  if (kind == PacketKind::kExchange) {
    output_.streams.push_back({token, to, AllRecords(kind)});
    return;
  }
  PacketHead head = Head(kind);
  head.subject = subject;
  output_.streams.push_back({token, to, PacketBuilder(head, kStreamFrameSizeBytesMax).Finish()});
}

std::vector<std::byte> SwimCore::AllRecords(PacketKind kind) const {
  PacketBuilder builder(Head(kind), kStreamFrameSizeBytesMax);
  bool added = builder.Add(self_);
  for (const auto& [id, member] : members_) {
    added = added && builder.Add(Aged(member));
  }
  ASSERT(added);  // member_count_max of the largest records fit
  return std::move(builder).Finish();
}

Result<std::vector<std::byte>> SwimCore::OnStreamRequest(std::span<const std::byte> bytes) {
  ASSIGN_OR_RETURN(Packet const packet, Open(bytes, true));
  const PacketHead& head = packet.head;
  if (standing_ != Standing::kMember) {
    return Status::Unavailable(StrCat("node ", ToString(self_.id), " is no member any more"));
  }
  HearFromSender(head.sender);
  if (head.sender.id == self_.id || standing_ != Standing::kMember) {
    return Status::FailedPrecondition(
        StrCat("node ", ToString(self_.id), " was called by one of its own identity"));
  }
  if (head.kind == PacketKind::kStreamPing &&
      (head.subject == self_.id || IsPlanted(PlantedBug::kAnswersForOthers))) {
    PacketHead answer = Head(PacketKind::kStreamAck);
    answer.subject = head.subject;
    return PacketBuilder(answer, kStreamFrameSizeBytesMax).Finish();
  }
  if (head.kind != PacketKind::kExchange) {
    ++counters_.refused;
    return Status::NotFound(
        StrCat("node ", ToString(head.subject), " is asked for, this is ", ToString(self_.id)));
  }
  for (const Record& record : packet.records) {
    Hear(record, Source::kExchange, head.sender.id);
  }
  if (standing_ != Standing::kMember) {
    return Status::Unavailable(StrCat("node ", ToString(self_.id), " is no member any more"));
  }
  return AllRecords(PacketKind::kExchangeReply);
}

Status SwimCore::OnStreamReply(uint64_t token, std::span<const std::byte> bytes) {
  auto const stream = streams_.extract(token);
  if (stream.empty()) {
    return Status::NotFound(StrCat("SWIM: no stream ", token, " waits for an answer"));
  }
  ASSIGN_OR_RETURN(Packet const packet, Open(bytes, true));
  const PacketHead& head = packet.head;
  bool const is_ping = stream.mapped().kind == PacketKind::kStreamPing;
  PacketKind const expected = is_ping ? PacketKind::kStreamAck : PacketKind::kExchangeReply;
  if (head.kind != expected || (is_ping && head.subject != stream.mapped().subject)) {
    ++counters_.refused;
    return Status::InvalidArgument(
        StrCat("SWIM stream: an answer of kind ", head.kind, ", expected ", expected));
  }
  if (standing_ != Standing::kMember) {
    return Status::Ok();
  }
  HearFromSender(head.sender);
  if (head.sender.id == self_.id) {
    return Status::Ok();
  }
  if (is_ping) {
    if (probe_.has_value() && probe_->target == head.subject) {
      EndProbe(-1);
    }
    return Status::Ok();
  }
  for (const Record& record : packet.records) {
    Hear(record, Source::kExchange, head.sender.id);
  }
  return Status::Ok();
}

void SwimCore::OnStreamFailed(uint64_t token) {
  streams_.erase(token);
}

}  // namespace orochi::swim
