#include "swim/simulation/ledger.h"

#include "base/str_cat.h"

namespace orochi::swim::simulation {
namespace {

std::string Who(const Process& process) {
  return StrCat("process ", process.number, " (node ", process.identity.id.low, "/",
                process.identity.generation, " at ", process.place, ")");
}

std::string What(const Record& record) {
  return StrCat("node ", record.id.low, "/", record.generation.value(), ".",
                record.incarnation.value(), " at ", record.address.port, " ",
                HealthName(record.health));
}

bool IsFinal(Health health) {
  return health == Health::kLeft || health == Health::kConflict;
}

}  // namespace

void Ledger::NoteStart(const Process& process) {
  Life& life = lives_[{process.identity.id, Generation(process.identity.generation)}];
  life.cluster = process.identity.cluster;
  life.places.insert(process.place);
  ++life.process_count;
}

void Ledger::NoteLeave(const Process& process) {
  lives_.at({process.identity.id, Generation(process.identity.generation)}).left = true;
}

void Ledger::NoteInput(const Process& process) {
  const Record& self = process.core->self();
  Life& life = lives_.at({self.id, self.generation});
  life.incarnation_max = std::max(life.incarnation_max, self.incarnation);

  auto& seen = views_[process.number];
  auto before = seen.begin();
  for (const auto& [id, member] : process.core->members()) {
    const Record& record = member.record;
    while (before != seen.end() && before->first < id) {
      before = seen.erase(before);  // forgotten
    }
    Seen const now{record.generation, record.incarnation, record.health,
                   record.hints.has_value() ? record.hints->revision : 0};
    if (before != seen.end() && before->first == id) {
      Seen& then = before->second;
      bool const same = then.generation == now.generation && then.health == now.health &&
                        then.incarnation == now.incarnation && then.revision == now.revision;
      if (!same) {
        CheckOrder(process, then, record);
        CheckView(process, record);
        then = now;
      }
      ++before;
    } else {
      CheckView(process, record);
      before = std::next(seen.emplace_hint(before, id, now));
    }
  }
  seen.erase(before, seen.end());
}

void Ledger::CheckView(const Process& process, const Record& record) const {
  auto const known = lives_.find({record.id, record.generation});
  if (known == lives_.end() || known->second.cluster != process.identity.cluster) {
    throw Violation(
        StrCat(Who(process), " believes in ", What(record), ", which was never in its cluster"));
  }
  const Life& life = known->second;
  bool const possible = life.places.contains(record.address.port) &&
                        record.incarnation <= life.incarnation_max &&
                        (record.health != Health::kLeft || life.left) &&
                        (record.health != Health::kConflict || life.places.size() > 1);
  if (!possible) {
    throw Violation(StrCat(Who(process), " believes ", What(record), ", which never was so"));
  }
}

// S3, by rules of its own: a later life, or a later word of the same one.
void Ledger::CheckOrder(const Process& process, const Seen& before, const Record& now) {
  bool right = now.generation >= before.generation;
  if (now.generation == before.generation) {
    uint64_t const revision = now.hints.has_value() ? now.hints->revision : 0;
    right = revision >= before.revision && (!IsFinal(before.health) || IsFinal(now.health)) &&
            (before.health != Health::kConflict || now.health == Health::kConflict);
    if (!IsFinal(now.health) && !IsFinal(before.health)) {
      right = right && (now.incarnation > before.incarnation ||
                        (now.incarnation == before.incarnation && now.health >= before.health));
    }
  }
  if (!right) {
    throw Violation(StrCat(Who(process), " goes back from ", before.generation.value(), ".",
                           before.incarnation.value(), " ", HealthName(before.health), " to ",
                           What(now)));
  }
}

void Ledger::NoteEvent(Process& process, const Event& event, bool from_stream) {
  NodeId const id = event.record.id;
  bool const self = id == process.identity.id;
  bool right = true;
  switch (event.kind) {
    case EventKind::kJoined:
      right = process.announced.insert(id).second;
      break;
    case EventKind::kSuspected:
    case EventKind::kRefuted:
    case EventKind::kUpdated:
      right = process.announced.contains(id);
      break;
    case EventKind::kDead:
      ++dead_event_count_;
      right = process.announced.erase(id) == 1;
      if (from_stream) {
        throw Violation(StrCat(Who(process), " calls ", What(event.record),
                               " because somebody thought so in an exchange"));
      }
      break;
    case EventKind::kLeft:
      right = process.announced.erase(id) == 1;
      break;
    case EventKind::kConflict:
      process.announced.erase(id);
      break;
    case EventKind::kSuperseded:
      right = self;
      break;
  }
  bool const about_self_allowed =
      event.kind == EventKind::kConflict || event.kind == EventKind::kSuperseded;
  if (!right || (self && !about_self_allowed)) {
    throw Violation(StrCat(Who(process), " says ", EventKindName(event.kind), " of ",
                           What(event.record), ", which does not follow from what it said before"));
  }
}

Ledger::Traffic& Ledger::TrafficAt(const Process& process, int64_t now_us) {
  Traffic& traffic = traffic_[process.number];
  int64_t const second = process.LocalTime(now_us) / 1'000'000;
  if (traffic.second != second) {
    traffic = {.second = second,
               .received_before = second == traffic.second + 1 ? traffic.received : 0};
  }
  return traffic;
}

void Ledger::NoteReceived(const Process& process, int64_t now_us) {
  ++TrafficAt(process, now_us).received;
}

void Ledger::NoteSent(const Process& process, const Datagram& datagram, int64_t now_us) {
  const Options& options = process.core->options();
  if (datagram.bytes.size() > options.packet_size_bytes_max) {
    throw Violation(StrCat(Who(process), " sends a datagram of ", datagram.bytes.size(),
                           " bytes, at most ", options.packet_size_bytes_max, " are allowed"));
  }
  Traffic& traffic = TrafficAt(process, now_us);
  // By itself a node sends its probes and their helpers', its gossip, and a word to each suspect or
  // each whom it has to tell something; and for each packet that comes at most two more, an answer
  // and what it asks for somebody else.
  auto const per_second = [](int64_t interval_us) {
    return static_cast<uint64_t>(1'000'000 / interval_us) + 1;
  };
  uint64_t const own = per_second(options.probe_interval_us) * (1 + options.indirect_count) +
                       per_second(options.gossip_interval_us) * options.gossip_fanout +
                       2 * process.core->members().size();
  uint64_t const allowed = own + 2 * (traffic.received + traffic.received_before);
  if (++traffic.sent > allowed) {
    throw Violation(StrCat(Who(process), " sends ", traffic.sent, " datagrams in a second, ",
                           allowed, " are allowed"));
  }
}

}  // namespace orochi::swim::simulation
