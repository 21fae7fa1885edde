// How a node gets into its cluster, and how nodes find each other.

#include <algorithm>
#include <span>
#include <utility>

#include "base/str_cat.h"
#include "kv/node/peer_codec.h"
#include "kv/server/node_server.h"

namespace orochi::kv {
namespace {

constexpr int64_t kFarewellUs = 60'000'000;
constexpr int64_t kAnnounceEveryUs = 2'000'000;

// Where nobody can be reached from elsewhere.
bool IsWildcard(std::string_view host) {
  return host == "0.0.0.0" || host == "::" || host == "[::]" || host.empty();
}

std::string HostOf(const std::string& address) {
  return address.substr(0, address.rfind(':'));
}

}  // namespace

Status NodeServer::AskToJoin() {
  if (options_.join.empty()) {
    return Status::FailedPrecondition(
               StrCat(options_.data_directory, " knows no other node of its cluster"))
        .WithHint("Name some of them with --join.");
  }
  if (claim_.identity.empty()) {
    ASSIGN_OR_RETURN(claim_.identity, JoiningIdentity(files_, options_.data_directory, random_));
  }
  ASSIGN_OR_RETURN(
      peer::Admission const admission,
      peer::AskForAdmission(
          {.cluster = options_.cluster, .addresses = options_.join, .tls = options_.tls},
          {.identity = claim_.identity,
           .address = options_.advertise.empty() ? options_.listen : options_.advertise}));
  if (admission.number == 0 || admission.number > UINT32_MAX) {
    return Status::Internal(StrCat("the cluster gives this node the number ", admission.number));
  }
  claim_.number = NodeNumber(static_cast<uint32_t>(admission.number));
  ASSIGN_OR_RETURN(first_map_, ClusterMap::Decode(admission.map));
  return Status();
}

bool NodeServer::IsFirst() const {
  return std::any_of(
      options_.peers.begin(), options_.peers.end(),
      [this](const NodeServerOptions::Peer& peer) { return peer.number == claim_.number; });
}

void NodeServer::MeetFirstNodes() {
  if (!node_->map().nodes().empty()) {
    return;
  }
  std::vector<NodeRecord> nodes;
  for (const NodeServerOptions::Peer& peer : options_.peers) {
    nodes.push_back({.number = peer.number, .address = peer.address});
  }
  meeting_ = std::make_unique<FirstMeeting>(
      FirstMeeting::Options{.cluster = claim_.cluster,
                            .number = claim_.number,
                            .identity = claim_.identity,
                            .nodes = std::move(nodes),
                            .tls = options_.tls},
      [this](const Result<std::vector<NodeRecord>>& met) {
        loop_->Post([this, met] {
          if (!met.ok()) {
            End(met.status());
          } else if (Status status = node_->Bootstrap(*met); !status.ok()) {
            Fail(std::move(status).WithContext("the first state of the cluster"));
          }
        });
      });
}

peer::Introduction NodeServer::Introduce() const {
  peer::Introduction introduction{
      .self = {.number = claim_.number.value(), .identity = claim_.identity}};
  for (const auto& [number, record] : node_->map().nodes()) {
    introduction.nodes.push_back({.number = number.value(), .identity = record.identity});
  }
  return introduction;
}

Result<std::string> NodeServer::ListenAddress() const {
  if (!options_.listen.empty()) {
    return options_.listen;
  }
  for (const NodeServerOptions::Peer& peer : options_.peers) {
    if (peer.number == claim_.number) {
      return peer.address;
    }
  }
  auto const own = node_->map().nodes().find(claim_.number);
  if (own == node_->map().nodes().end() || own->second.address.empty()) {
    return Status::InvalidArgument(
               StrCat("nobody says where node ", claim_.number.value(), " listens for others"))
        .WithHint("Say it with --listen HOST:PORT.");
  }
  return own->second.address;
}

Status NodeServer::StartPeers() {
  ASSIGN_OR_RETURN(std::string const listen, ListenAddress());
  ASSIGN_OR_RETURN(
      transport_,
      peer::PeerTransport::Start(
          {.cluster = options_.cluster,
           .self = peer::NodeNumber(claim_.number.value()),
           .listen = listen,
           .tls = options_.tls},
          *loop_, peer_random_,
          {.on_frames =
               [this](peer::NodeNumber from, peer::Lane /*lane*/,
                      const std::vector<std::string>& frames) {
                 OnFrames(NodeNumber(static_cast<uint32_t>(from.value())), frames);
               },
           .on_link = [this](peer::NodeNumber peer, peer::Lane lane, peer::LinkState state,
                             const std::string& why) { OnLink(peer, lane, state, why); },
           .on_admission =
               [this](peer::AdmissionRequest request, peer::AnswerAdmission answer) {
                 OnAdmission(std::move(request), std::move(answer));
               },
           .on_introduction = [this] { return Introduce(); }}));
  metrics_->WatchPeers(*transport_);
  own_ = {.number = claim_.number, .identity = claim_.identity};
  own_.address = options_.advertise.empty() ? transport_->listen_address() : options_.advertise;
  return Status();
}

Status NodeServer::StartGossip() {
  if (options_.gossip == "off") {
    return Status();
  }
  Result<io::SocketAddress> listen = io::ParseSocketAddress(
      options_.gossip.empty() ? transport_->listen_address() : options_.gossip);
  if (options_.gossip.empty()) {
    // A name is where others reach this node; which address that is today, they find out.
    if (!listen.ok() || IsWildcard(HostOf(transport_->listen_address()))) {
      return Status();
    }
    listen->port = 0;
  }
  RETURN_IF_ERROR(listen.status());
  ASSIGN_OR_RETURN(
      gossip_,
      Gossip::Start({.directory = options_.data_directory + "/gossip",
                     .cluster = options_.cluster,
                     .number = claim_.number,
                     .address = own_.address,
                     .listen = *listen,
                     .seeds = options_.gossip_seeds,
                     .keys = options_.gossip_keys},
                    *loop_,
                    {.changed = [this] { heard_changed_ = true; },
                     .conflict =
                         [this](const std::string& why) {
                           End(Status::FailedPrecondition(why).WithHint(
                               "Each node has a data directory of its own: remove the copy."));
                         }}));
  own_.gossip_address = gossip_->address();
  return Status();
}

// Told when it changes, not with each attempt.
void NodeServer::OnLink(peer::NodeNumber peer, peer::Lane lane, peer::LinkState state,
                        const std::string& why) {
  auto const [told, is_new] = link_states_.try_emplace({peer, lane}, state);
  if (!is_new && std::exchange(told->second, state) == state) {
    return;
  }
  bool const good = state == peer::LinkState::kConnected;
  log_lines_->Write(good ? logs::Level::kInfo : logs::Level::kWarning,
                    good ? "connected to another node" : "no connection to another node",
                    {{"peer", static_cast<int64_t>(peer.value())},
                     {"lane", peer::LaneName(lane)},
                     {"state", peer::LinkStateName(state)},
                     {"why", why}});
}

// The meta group decides; whoever is asked passes it on.
void NodeServer::OnAdmission(peer::AdmissionRequest request, peer::AnswerAdmission answer) {
  if (node_ == nullptr) {
    return;
  }
  node_->AskMeta(meta::AdmitNode{.identity = std::move(request.identity),
                                 .address = std::move(request.address),
                                 .gossip_address = std::move(request.gossip_address),
                                 .http_address = std::move(request.http_address)},
                 [this, answer = std::move(answer)](const Result<std::string>& answered) {
                   Result<uint64_t> const number = meta::NumberIn(answered);
                   if (number.ok()) {
                     answer(peer::Admission{.number = *number, .map = node_->map().Encode()});
                   } else {
                     answer(number.status());
                   }
                 });
}

// What a node says of itself now counts for more than what the map has of it.
void NodeServer::FollowAddresses() {
  const ClusterMap& map = node_->map();
  if (transport_ == nullptr || (map.version() == peers_version_ && !heard_changed_)) {
    return;
  }
  if (gossip_ != nullptr && map.version() != peers_version_) {
    gossip_->SetSeeds(map);
  }
  peers_version_ = map.version();
  heard_changed_ = false;
  for (const auto& [number, record] : map.nodes()) {
    peer::NodeNumber const peer(number.value());
    if (number == claim_.number) {
      continue;
    }
    if (record.state == NodeState::kGone) {
      if (gone_.insert(number).second) {
        // Not at once, or it would not hear of it.
        loop_->After(kFarewellUs, [this, peer] { transport_->RemovePeer(peer); });
      }
      continue;
    }
    std::string address = record.address;
    if (gossip_ != nullptr) {
      auto const heard = gossip_->heard().find(number);
      if (heard != gossip_->heard().end() && heard->second.is_there) {
        address = heard->second.address;
      }
    }
    transport_->SetPeer(peer, address)
        .IgnoreError("an address that nobody can use says so where it is shown");
  }
}

// Nobody is gone whom either of them reaches.
void NodeServer::NoteAbsent() {
  peer::TransportStatistics const links = transport_->statistics();
  std::set<NodeNumber> absent;
  for (const auto& [number, record] : node_->map().nodes()) {
    auto const link = links.links.find({peer::NodeNumber(number.value()), peer::Lane::kUrgent});
    bool const is_linked =
        link != links.links.end() && link->second.state == peer::LinkState::kConnected;
    bool is_heard = false;
    if (gossip_ != nullptr) {
      auto const heard = gossip_->heard().find(number);
      is_heard = heard != gossip_->heard().end() && heard->second.is_there;
    }
    if (number != claim_.number && !is_linked && !is_heard) {
      absent.insert(number);
    }
  }
  node_->SetAbsent(std::move(absent));
}

// Until the map has this node as it is, and again when it was told otherwise.
void NodeServer::AnnounceAddresses() {
  loop_->After(kAnnounceEveryUs, [this] {
    if (node_ != nullptr) {
      AnnounceAddresses();
    }
  });
  NoteAbsent();
  auto const known = node_->map().nodes().find(claim_.number);
  if (known != node_->map().nodes().end() && known->second.state == NodeState::kGone) {
    End(Status::FailedPrecondition(
        StrCat("node ", claim_.number.value(), " was removed from the cluster for good")));
    return;
  }
  bool const is_right = known != node_->map().nodes().end() &&
                        known->second.address == own_.address &&
                        known->second.gossip_address == own_.gossip_address &&
                        known->second.http_address == own_.http_address;
  if (is_right || announcing_) {
    return;
  }
  announcing_ = true;
  node_->AskMeta(meta::AdmitNode{.identity = own_.identity,
                                 .address = own_.address,
                                 .gossip_address = own_.gossip_address,
                                 .http_address = own_.http_address},
                 [this](const Result<std::string>& answer) {
                   announcing_ = false;
                   if (answer.status().code() == StatusCode::kFailedPrecondition) {
                     End(answer.status());
                   }
                 });
}

void NodeServer::OnFrames(NodeNumber from, const std::vector<std::string>& frames) {
  for (const std::string& frame : frames) {
    Result<std::vector<PeerMessage>> messages = DecodePeerMessages(frame);
    if (!messages.ok()) {
      log_lines_->Warning("a frame of another node was dropped",
                          {{"peer", from.value()}, {"error", messages.status().message()}});
      continue;
    }
    for (PeerMessage& message : *messages) {
      if (node_ != nullptr) {
        node_->Receive(from, std::move(message));
      }
    }
  }
}

// Chunks of snapshots go on a lane of their own: nothing waits behind them.
void NodeServer::Send(NodeNumber to, std::vector<PeerMessage> messages) {
  std::vector<PeerMessage> urgent;
  peer::NodeNumber const peer(to.value());
  for (PeerMessage& message : messages) {
    if (std::holds_alternative<SnapshotChunk>(message)) {
      std::vector<PeerMessage> chunk;
      chunk.push_back(std::move(message));
      transport_->Send(peer, peer::Lane::kBulk, EncodePeerMessages(chunk));
    } else {
      urgent.push_back(std::move(message));
    }
  }
  if (!urgent.empty()) {
    transport_->Send(peer, peer::Lane::kUrgent, EncodePeerMessages(urgent));
  }
}

}  // namespace orochi::kv
