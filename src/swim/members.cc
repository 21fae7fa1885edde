// What is believed of whom, and how that changes.
#include <algorithm>

#include "base/assert.h"
#include "swim/planted_bug.h"
#include "swim/swim_core.h"

namespace orochi::swim {
namespace {

int64_t AgeUs(const Record& record) {
  constexpr uint64_t kCentury = uint64_t{100} * 366 * 24 * 3600;
  return static_cast<int64_t>(std::min(record.gone_for_s, kCentury)) * 1'000'000;
}

}  // namespace

void SwimCore::HearFromSender(const Record& sender) {
  if (sender.id != self_.id) {
    Hear(sender, Source::kSender, sender.id);
    return;
  }
  if (sender.generation < self_.generation) {
    SendRecord(sender.address, self_);  // an earlier life of this node goes on: it has to know
    return;
  }
  HearOfSelf(sender);
}

// Whether more is believed of a sender than it says itself: it may want to deny it, or stop.
bool SwimCore::ShouldKnow(const Record& sender) const {
  const Record* const believed = FindRecord(sender.id);
  return believed != nullptr && sender.id != self_.id && CompareClaims(*believed, sender) > 0;
}

// Not with every packet: two that believe each other dead, and do not deny it, would never stop.
void SwimCore::Tell(const Record& sender) {
  if (standing_ != Standing::kMember || !ShouldKnow(sender)) {
    return;
  }
  Member& member = members_.at(sender.id);
  if (clock_us_ - member.told_at_us >= options_.gossip_interval_us) {
    member.told_at_us = clock_us_;
    SendRecord(sender.address, member.record);
  }
}

void SwimCore::Hear(Record record, Source source, NodeId teller) {
  if (record.id == self_.id) {
    HearOfSelf(record);
    return;
  }
  // A teller of an exchange may have been alone for long: its dead get the chance to deny.
  if (source == Source::kExchange && record.health == Health::kDead &&
      !IsPlanted(PlantedBug::kDeadImportedAsDead)) {
    record.health = Health::kSuspect;
    record.accuser = teller;
  }
  auto const known = members_.find(record.id);
  if (known == members_.end()) {
    HearOfStranger(record, source);
    return;
  }
  Member& member = known->second;
  Record& mine = member.record;
  bool const same_life = record.generation == mine.generation;
  if (same_life && record.address != mine.address && record.health != Health::kConflict &&
      mine.health != Health::kConflict && !IsPlanted(PlantedBug::kConflictUnnoticed)) {
    NoteConflict(member, record);
    return;
  }
  auto const order = CompareClaims(record, mine);
  if (order > 0) {
    Apply(member, record);
  } else if (order == 0 && record.health == Health::kSuspect) {
    Suspect(member, record.accuser);
  }
  HearHints(member, record, teller);
}

// Of somebody never heard of, only two things are news: that it is there, and, from one who knows
// all, that it was. A death that spreads by itself is no business of who did not know the living.
void SwimCore::HearOfStranger(const Record& record, Source source) {
  bool const is_news = record.health == Health::kAlive || record.health == Health::kConflict ||
                       source == Source::kExchange;
  int64_t const age_us = AgeUs(record);
  if (!is_news || age_us >= options_.dead_keep_us) {
    return;
  }
  if (members_.size() >= options_.member_count_max) {
    ++counters_.members_refused;
    return;
  }
  Member member{.record = record};
  member.record.health = Health::kDead;  // not there so far
  member.record.hints.reset();
  Member& added = members_.emplace(record.id, std::move(member)).first->second;
  Apply(added, record);
  if (record.gone_for_s > 0 && !IsPlanted(PlantedBug::kAgeNotKept)) {
    added.gone_since_us = clock_us_ - age_us;  // also of one who may still deny it
  }
  HearHints(added, record, record.id);
}

void SwimCore::HearHints(Member& member, const Record& record, NodeId teller) {
  Record& mine = member.record;
  if (!record.hints.has_value() || record.generation != mine.generation) {
    return;
  }
  bool const newer = !mine.hints.has_value() || record.hints->revision > mine.hints->revision ||
                     (IsPlanted(PlantedBug::kHintsWithoutRevision) && record.hints != mine.hints);
  if (!newer) {
    return;
  }
  mine.hints = record.hints;
  queue_.Put(mine.id);
  if (member.announced) {
    output_.events.push_back({EventKind::kUpdated, mine});
  }
  if (IsPresent(mine.health)) {
    ExchangeOverNews(mine.hints->meta_version, teller);
  }
}

// `record` is believed from now on. REQUIRES: it outranks what was believed, or nothing was.
void SwimCore::Apply(Member& member, const Record& record) {
  Record& mine = member.record;
  Health const before = mine.health;
  bool const moved = record.address != mine.address && member.announced;
  if (record.generation != mine.generation) {
    mine.hints.reset();
  }
  mine.generation = record.generation;
  mine.incarnation = record.incarnation;
  mine.health = record.health;
  mine.accuser = record.accuser;
  if (!IsPlanted(PlantedBug::kAddressSticks)) {
    mine.address = record.address;
  }
  member.suspicion.reset();
  queue_.Put(mine.id);

  bool const is_present = IsPresent(mine.health);
  if (is_present && !IsPresent(before)) {
    ++present_count_;
    size_t const place = random_.Below(probe_order_.size() + 1);
    probe_order_.insert(probe_order_.begin() + static_cast<ptrdiff_t>(place), mine.id);
    probe_position_ += place < probe_position_ ? 1 : 0;
  } else if (!is_present && IsPresent(before)) {
    --present_count_;
  }
  if (!is_present) {
    if (!member.gone_since_us.has_value()) {
      member.gone_since_us = clock_us_ - AgeUs(record);
    }
  } else {
    member.gone_since_us.reset();
  }

  switch (mine.health) {
    case Health::kAlive:
      if (!member.announced) {
        Announce(member, EventKind::kJoined);
      } else if (before == Health::kSuspect) {
        Announce(member, EventKind::kRefuted);
      }
      if (moved) {
        Announce(member, EventKind::kUpdated);
      }
      break;
    case Health::kSuspect:
      member.suspicion.emplace(options_, present_count(), clock_us_, record.accuser);
      member.last_call_sent = false;
      if (before != Health::kSuspect && member.announced) {
        Announce(member, EventKind::kSuspected);
      }
      break;
    case Health::kDead:
      Announce(member, EventKind::kDead);
      break;
    case Health::kLeft:
      Announce(member, EventKind::kLeft);
      break;
    case Health::kConflict:
      Announce(member, EventKind::kConflict);
      break;
  }
}

// Nobody is told that a member is gone who was never told that it was there; but of a conflict.
void SwimCore::Announce(Member& member, EventKind kind) {
  bool const gone = kind == EventKind::kDead || kind == EventKind::kLeft;
  if (gone && !member.announced) {
    return;
  }
  member.announced = !gone && kind != EventKind::kConflict;
  output_.events.push_back({kind, member.record});
}

// `accuser` got no answer from a member that is alive, or suspect already.
void SwimCore::Suspect(Member& member, NodeId accuser) {
  if (member.record.health == Health::kAlive) {
    Record record = member.record;
    record.health = Health::kSuspect;
    record.accuser = accuser;
    Apply(member, record);
  } else if (member.record.health == Health::kSuspect && member.suspicion->Confirm(accuser)) {
    member.record.accuser = accuser;
    queue_.Put(member.record.id);
  }
}

// A generation has one address: two of them are two processes with one data directory, or copies
// of it. There is no telling which is right, so both are out until one starts anew.
void SwimCore::NoteConflict(Member& member, const Record& other) {
  Record record = member.record;
  io::SocketAddress const first = record.address;
  record.health = Health::kConflict;
  record.incarnation = std::max(record.incarnation, other.incarnation);
  record.gone_for_s = 0;
  member.gone_since_us.reset();
  Apply(member, record);
  SendRecord(first, member.record);
  SendRecord(other.address, member.record);
}

void SwimCore::HearOfSelf(const Record& record) {
  if (record.generation < self_.generation || standing_ != Standing::kMember) {
    return;
  }
  if (record.generation > self_.generation) {
    if (IsPlanted(PlantedBug::kGenerationIgnored)) {
      return;
    }
    standing_ = Standing::kQuarantined;
    queue_ = {};
    output_.events.push_back({EventKind::kSuperseded, record});
    return;
  }
  // Nobody but this process can say that this generation left; nor from another address.
  bool const doubled = record.address != self_.address || record.health == Health::kConflict ||
                       record.health == Health::kLeft;
  if (doubled) {
    if (!IsPlanted(PlantedBug::kConflictUnnoticed)) {
      self_.incarnation = std::max(self_.incarnation, record.incarnation);
      SayGoodbye(Standing::kQuarantined, Health::kConflict);
      output_.events.push_back({EventKind::kConflict, self_});
      if (record.address != self_.address) {
        SendRecord(record.address, self_);
      }
    }
    return;
  }
  if (record.incarnation > self_.incarnation ||
      (record.incarnation == self_.incarnation && record.health != Health::kAlive)) {
    Refute(record);
  }
}

void SwimCore::Refute(const Record& rumour) {
  ++counters_.refutations;
  ChangeAwareness(1);
  if (!IsPlanted(PlantedBug::kRefuteSameIncarnation)) {
    self_.incarnation = Incarnation(std::min(rumour.incarnation.value() + 1, kVersionMax));
  }
  queue_.Put(self_.id);
}

void SwimCore::TickSuspicions() {
  for (auto& [id, member] : members_) {
    if (!member.suspicion.has_value()) {
      continue;
    }
    int64_t const now_us = clock_us_;
    if (now_us >= member.suspicion->deadline_us()) {
      if (IsPlanted(PlantedBug::kSuspicionNeverExpires)) {
        continue;
      }
      Record record = member.record;
      record.health = Health::kDead;
      record.gone_for_s = 0;
      Apply(member, record);
    } else if (!member.last_call_sent &&
               now_us >= member.suspicion->begun_us() + member.suspicion->timeout_us() / 2) {
      // The rumour may have stopped spreading before it reached the one it is about.
      member.last_call_sent = true;
      SendRecord(member.record.address, member.record);
    }
  }
}

// The dead are forgotten after a while, and do not come back through who forgets later: their age
// travels with them.
void SwimCore::ForgetGone() {
  for (auto at = members_.begin(); at != members_.end();) {
    const Member& member = at->second;
    bool const forget = !IsPresent(member.record.health) &&
                        clock_us_ - *member.gone_since_us >= options_.dead_keep_us;
    if (forget) {
      queue_.Remove(at->first);
      at = members_.erase(at);
    } else {
      ++at;
    }
  }
}

// A death that somebody told, and that may still be denied, is told on as that, with its age: as a
// fresh suspicion it would become a fresh death elsewhere. Ages are rounded up: rounded down, two
// nodes could remind each other for ever.
Record SwimCore::Aged(const Member& member) const {
  Record record = member.record;
  if (member.gone_since_us.has_value()) {
    record.health = record.health == Health::kSuspect ? Health::kDead : record.health;
    int64_t const age_us = std::max<int64_t>(0, clock_us_ - *member.gone_since_us);
    record.gone_for_s = static_cast<uint64_t>((age_us + 999'999) / 1'000'000);
  }
  return record;
}

}  // namespace orochi::swim
