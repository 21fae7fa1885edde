#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "swim/gossip_queue.h"
#include "swim/options.h"
#include "swim/packet.h"
#include "swim/suspicion.h"
#include "swim/types.h"

namespace orochi::swim {

/// Who this node is, from its data directory, and where it listens.
struct Self {
  ClusterId cluster;
  NodeId id;
  Generation generation;  // counted up durably before the core is made
  io::SocketAddress address;
};

/// What this node believes of another one.
struct Member {
  Record record;
  std::optional<Suspicion> suspicion{};  // while suspect
  bool last_call_sent = false;           // the suspect was told half way through
  bool announced = false;                // kJoined was the last word about it, not that it is gone
  std::optional<int64_t> gone_since_us{};
  int64_t told_at_us = INT64_MIN / 2;  // when it was last told what is believed of it
};

enum class EventKind : uint8_t {
  kJoined,      // there is a member that was not there, or was gone
  kSuspected,   // it may be gone
  kRefuted,     // it was suspect and is not
  kDead,        // it is gone, unless it says otherwise
  kLeft,        // it is gone because it wanted to
  kUpdated,     // its hints or its address changed
  kConflict,    // two nodes claim its identity: neither counts. Of ourselves: stop
  kSuperseded,  // of ourselves alone: a later start of this node is in the cluster. Stop
};
std::string_view EventKindName(EventKind kind);

struct Event {
  EventKind kind;
  Record record;
};

struct Datagram {
  io::SocketAddress to;
  std::vector<std::byte> bytes;
};

/// Connect, send the bytes as one frame, hand the answer to OnStreamReply or say OnStreamFailed.
struct StreamRequest {
  uint64_t token;
  io::SocketAddress to;
  std::vector<std::byte> bytes;
};

struct Output {
  std::vector<Datagram> datagrams;
  std::vector<StreamRequest> streams;
  std::vector<Event> events;
};

/// What a node is to its cluster.
enum class Standing : uint8_t {
  kMember,
  kLeaving,      // says goodbye for a moment
  kLeft,         // silent
  kQuarantined,  // silent: another node has this identity
};

struct Counters {
  uint64_t malformed = 0;        // bytes that are no packet
  uint64_t other_cluster = 0;    // packets of another cluster
  uint64_t refused = 0;          // packets that no peer would send
  uint64_t members_refused = 0;  // there were member_count_max already
  uint64_t refutations = 0;
  uint64_t probes_failed = 0;
  uint64_t pauses = 0;  // times this process did not run for longer than a probe interval
};

/// Cluster membership without clock, network or threads: the same inputs in the same order give the
/// same outputs. Das, Gupta, Motivala, "SWIM: Scalable Weakly-consistent Infection-style Process
/// Group Membership Protocol", 2002, with what "Lifeguard" (see suspicion.h) adds. Advice only:
/// nothing that must not be wrong may rest on it.
///
/// Life:    SetSeeds, then inputs -> TakeOutput, and again. Leave, until standing() is kLeft.
/// Time:    any monotonic microseconds. Tick is due at next_tick_us(), which any input may move;
///          packets that wait are handed in before a Tick that is late.
/// Threads: none.    Borrows: random.
/// Bounds:  options.member_count_max members; packets of options.packet_size_bytes_max; at most
///          kStreamsMax streams wait for an answer.
class SwimCore {
 public:
  static constexpr size_t kStreamsMax = 16;
  static constexpr size_t kSeedsMax = 16;

  /// kInvalidArgument for options or an identity that cannot work.
  static Result<std::unique_ptr<SwimCore>> Create(const Options& options, const Self& self,
                                                  int64_t now_us, Random& random);

  /// Where others may be found, the first kSeedsMax of them; called at once and whenever needed.
  /// May be set anew, when names resolve to other addresses.
  void SetSeeds(std::vector<io::SocketAddress> seeds);
  /// Tells everyone. kInvalidArgument when the payload is too long.
  Status SetHints(uint64_t meta_version, uint64_t load, std::string payload);
  void Leave();

  void Tick(int64_t now_us);
  int64_t next_tick_us() const;
  /// Errors say what was wrong with the packet; it is counted and changes nothing.
  Status OnDatagram(std::span<const std::byte> bytes);
  /// One frame of a stream that another node opened; the frame to answer, or close it.
  Result<std::vector<std::byte>> OnStreamRequest(std::span<const std::byte> bytes);
  Status OnStreamReply(uint64_t token, std::span<const std::byte> bytes);
  void OnStreamFailed(uint64_t token);

  bool HasOutput() const;
  Output TakeOutput();

  Standing standing() const { return standing_; }
  /// What this node tells of itself.
  const Record& self() const { return self_; }
  ClusterId cluster() const { return cluster_; }
  const std::map<NodeId, Member>& members() const { return members_; }
  /// Members that may be there, this node among them.
  size_t present_count() const { return present_count_ + 1; }
  /// 0: healthy. Else how many times slower this node asks because it misses answers.
  int awareness() const { return awareness_; }
  const Counters& counters() const { return counters_; }
  const Options& options() const { return options_; }

 private:
  enum class Source : uint8_t { kSender, kGossip, kExchange };
  struct Probe {
    NodeId target;
    uint64_t sequence;
    int64_t timeout_at_us;
    int64_t end_at_us;
    bool indirect = false;  // others were asked
    size_t nacks_expected = 0;
    std::set<NodeId> nacks{};
  };
  struct Relay {  // a ping for somebody else
    NodeId subject;
    io::SocketAddress asker;
    uint64_t asker_sequence;
    int64_t nack_at_us;
    bool nacked = false;
    int64_t end_at_us;
  };
  struct Stream {
    PacketKind kind;
    NodeId subject{};  // kStreamPing
  };

  SwimCore(const Options& options, const Self& self, int64_t now_us, Random& random);

  // swim_core.cc
  void AdvanceClock(int64_t now_us);
  PacketHead Head(PacketKind kind) const;
  Result<Packet> Open(std::span<const std::byte> bytes, bool stream);
  bool IsSilent() const { return standing_ == Standing::kLeft || IsQuarantined(); }
  bool IsQuarantined() const { return standing_ == Standing::kQuarantined; }
  void SendDatagram(const io::SocketAddress& to, const PacketHead& head, const Record* first);
  const Record* RumourOf(NodeId id) const;
  void SendRecord(const io::SocketAddress& to, const Record& record);
  const Record* FindRecord(NodeId id) const;
  int TransmitCountMax() const;
  void TickGossip();
  void SayGoodbye(Standing standing, Health health);
  std::vector<NodeId> PickMembers(size_t count, NodeId except, bool recently_dead);
  int64_t Jitter(int64_t interval_us);

  // members.cc
  void HearFromSender(const Record& sender);
  bool ShouldKnow(const Record& sender) const;
  void Tell(const Record& sender);
  void Hear(Record record, Source source, NodeId teller);
  void HearOfSelf(const Record& record);
  void HearOfStranger(const Record& record, Source source);
  void HearHints(Member& member, const Record& record, NodeId teller);
  void Apply(Member& member, const Record& record);
  void Suspect(Member& member, NodeId accuser);
  void NoteConflict(Member& member, const Record& other);
  void Refute(const Record& rumour);
  void Announce(Member& member, EventKind kind);
  void TickSuspicions();
  void ForgetGone();
  Record Aged(const Member& member) const;

  // probing.cc
  void TickProbe();
  void StartProbe();
  void AskOthers(Probe& probe);
  void FailProbe();
  void EndProbe(int awareness_change);
  NodeId NextTarget();
  void TickRelays();
  void OnPing(const Packet& packet);
  void OnAck(const Packet& packet);
  void OnPingRequest(const Packet& packet);
  void OnNack(const Packet& packet);
  void ChangeAwareness(int change);

  // exchange.cc
  void TickCalls();
  void StartExchange(const io::SocketAddress& to);
  void OpenStream(const io::SocketAddress& to, PacketKind kind, NodeId subject);
  std::vector<std::byte> AllRecords(PacketKind kind) const;
  void CallSeeds(size_t count);
  void CallDead();
  void ExchangeOverNews(uint64_t meta_version, NodeId teller);
  int64_t ExchangeInterval() const;

  const Options options_;
  const ClusterId cluster_;
  Random& random_;
  Record self_;
  Standing standing_ = Standing::kMember;
  std::map<NodeId, Member> members_;
  size_t present_count_ = 0;
  GossipQueue queue_;
  Counters counters_;

  // Time as this node lived it: it stands still while the process does.
  int64_t clock_us_ = 0;
  int64_t last_tick_us_;
  int64_t gossip_at_us_ = 0;
  int64_t sweep_at_us_ = 0;

  std::vector<NodeId> probe_order_;
  size_t probe_position_ = 0;
  int64_t probe_at_us_ = 0;
  std::optional<Probe> probe_;
  std::map<uint64_t, Relay> relays_;  // by the sequence of our own ping
  uint64_t sequence_;
  int awareness_ = 0;

  std::vector<io::SocketAddress> seeds_;
  size_t seed_position_ = 0;
  std::map<uint64_t, Stream> streams_;
  uint64_t stream_tokens_ = 0;
  int64_t exchange_at_us_;
  int64_t call_at_us_ = 0;
  NodeId last_called_{};
  uint64_t meta_version_heard_ = 0;
  int64_t news_at_us_ = 0;

  Output output_;
};

}  // namespace orochi::swim
