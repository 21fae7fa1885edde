#pragma once

#include <grpcpp/grpcpp.h>

#include <array>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kv/peer/internal/admission_service.h"
#include "kv/peer/internal/credentials.h"
#include "kv/peer/internal/inbound_stream.h"
#include "kv/peer/internal/outbound_stream.h"
#include "kv/peer/internal/peer_address.h"
#include "kv/peer/peer_transport.h"

namespace orochi::kv::peer {

/// What PeerTransport is made of. Tasks and timers of the loop hold it, so it may outlive the
/// transport; then it does nothing.
///
/// Links are changed on the loop's thread, all but what Stop does. One thread drives gRPC's
/// completion queue.
class PeerTransport::Core final : public InboundReceiver,
                                  public std::enable_shared_from_this<PeerTransport::Core> {
 public:
  Core(TransportOptions options, runtime::EventLoop& loop, Random& random,
       TransportCallbacks callbacks);
  ~Core() override;

  Status Listen();
  void Stop();

  Status SetPeer(NodeNumber peer, std::string address);
  void RemovePeer(NodeNumber peer);
  SendResult Send(NodeNumber peer, Lane lane, std::string frame);
  TransportStatistics statistics() const;
  const std::string& listen_address() const { return listen_address_; }

  Result<InboundKey> Admit(const v1::Hello& hello) override;
  void OnDialled(std::shared_ptr<InboundStream> stream) override;
  void OnGreeted(std::shared_ptr<InboundStream> stream) override;
  void OnFrames(std::shared_ptr<InboundStream> stream, std::vector<std::string> frames,
                size_t size_bytes) override;
  void OnEnded(std::shared_ptr<InboundStream> stream) override;

 private:
  using LinkKey = std::pair<NodeNumber, Lane>;
  struct Link {
    PeerAddress address;
    LinkState state = LinkState::kConnecting;
    std::shared_ptr<OutboundStream> stream;  // of the attempt that runs
    uint64_t attempt = 0;                    // unique over all links: which timer is still meant
    int failure_count = 0;                   // since it was last connected for long
    int64_t connected_at_ns = 0;
    bool is_dirty = false;  // in dirty_
    LinkStatistics totals;  // without those of `stream`
  };
  struct Inbound {
    std::shared_ptr<InboundStream> stream;  // the last to be greeted; null when it has ended
    InboundStatistics statistics;
  };

  // All with mutex_ held unless they say otherwise.
  void Dial(const LinkKey& key, Link& link);
  void EndStream(Link& link);
  std::shared_ptr<grpc::Channel> MakeChannel(const Link& link) const;
  int64_t BackoffMicros(const Link& link);
  Link* FindLink(const LinkKey& key);
  Link* FindAttempt(const LinkKey& key, uint64_t attempt);  // null when it is not the last
  bool CheckPlaintext(const PeerAddress& address) const;

  // On the loop's thread, without it.
  void OnWelcomed(const LinkKey& key, uint64_t attempt);
  void OnLost(const LinkKey& key, uint64_t attempt, const OutboundStream::Ending& ending);
  void DialAgain(const LinkKey& key, uint64_t attempt);
  void GiveUp(const LinkKey& key, uint64_t attempt);
  void FlushDirty();
  void Deliver(const std::shared_ptr<InboundStream>& stream, std::vector<std::string> frames,
               size_t size_bytes);

  void OnAdmission(AdmissionRequest request, AnswerAdmission answer);
  void OnIntroduction(AnswerIntroduction answer);
  void Drive();
  void NoteStreamEnded();

  const TransportOptions options_;
  const TransportCallbacks callbacks_;
  runtime::EventLoop& loop_;
  Random& random_;
  Credentials credentials_;
  std::string listen_address_;

  v1::Peer::AsyncService service_;
  std::unique_ptr<AdmissionService> admissions_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::unique_ptr<grpc::Server> server_;
  std::thread driver_;
  std::mutex stop_mutex_;  // two that stop it at once; taken before mutex_

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<LinkKey, Link> links_;
  std::vector<LinkKey> dirty_;  // links that something was pushed to in this batch
  std::map<InboundKey, Inbound> inbound_;
  std::set<std::shared_ptr<InboundStream>> dialled_;
  uint64_t refused_inbound_count_ = 0;
  uint64_t last_attempt_ = 0;
  size_t stream_count_ = 0;  // of both directions, and the one awaited
  std::condition_variable all_ended_;
  bool stopping_ = false;
};

}  // namespace orochi::kv::peer
