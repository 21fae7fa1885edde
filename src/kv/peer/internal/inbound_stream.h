#pragma once

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "kv/peer/internal/completion.h"
#include "kv/peer/peer_transport.h"
#include "orochi/kv/v1/peer.grpc.pb.h"

namespace orochi::kv::peer {

class InboundStream;

/// Who sent what comes in on a stream.
struct InboundKey {
  NodeNumber from;
  Lane lane = Lane::kUrgent;
  friend auto operator<=>(const InboundKey&, const InboundKey&) = default;
};

/// What streams that others dial talk to; on the queue's thread, without a lock held.
class InboundReceiver {
 public:
  virtual ~InboundReceiver() = default;
  /// `stream` has been dialled; the next one is to be waited for.
  virtual void OnDialled(std::shared_ptr<InboundStream> stream) = 0;
  /// Who says this Hello, or why they are refused.
  virtual Result<InboundKey> Admit(const v1::Hello& hello) = 0;
  virtual void OnGreeted(std::shared_ptr<InboundStream> stream) = 0;
  /// Calls stream->Handled(size_bytes) once it is done with them.
  virtual void OnFrames(std::shared_ptr<InboundStream> stream, std::vector<std::string> frames,
                        size_t size_bytes) = 0;
  /// The last of it.
  virtual void OnEnded(std::shared_ptr<InboundStream> stream) = 0;
};

/// A stream that a peer has dialled: checks its Hello, answers Welcome, passes on what comes. It
/// stops reading while more than `unhandled_size_bytes_max` is not handled; then gRPC's flow
/// control stops the sender, whose queue fills.
///
/// Life:    Await -> receiver.OnDialled, or not -> receiver.OnEnded. It keeps itself alive until
/// then. Threads: any.    Borrows: all it gets.
class InboundStream final {
 public:
  /// Waits for the next one who dials.
  static void Await(InboundReceiver& receiver, v1::Peer::AsyncService& service,
                    grpc::ServerCompletionQueue& queue, size_t unhandled_size_bytes_max);

  /// Ends it, if it has not ended.
  void Close(grpc::StatusCode code, const std::string& why);
  void Handled(size_t size_bytes);
  bool is_greeted() const;
  const InboundKey& key() const { return key_; }  // REQUIRES: greeted

 private:
  InboundStream(InboundReceiver& receiver, size_t unhandled_size_bytes_max);

  void OnAwaited(bool ok);
  void OnRead(bool ok);
  void OnWritten();
  void Greet();
  void PassOn();
  void ReadOn();
  void EndOperation();

  InboundReceiver& receiver_;
  const size_t unhandled_size_bytes_max_;
  grpc::ServerContext context_;
  grpc::ServerAsyncReaderWriter<v1::PeerReply, v1::PeerMessage> stream_;
  InboundKey key_;           // written once, before is_greeted
  v1::PeerMessage message_;  // gRPC's while a read is under way
  v1::PeerReply reply_;

  Completion on_awaited_;
  Completion on_read_;
  Completion on_written_;
  Completion on_finished_;
  Completion on_gone_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  size_t unhandled_size_bytes_ = 0;
  size_t operation_count_ = 1;  // under way: at first the wait; after the last nothing follows
  bool greeted_ = false;
  bool writing_ = false;
  bool paused_ = false;    // no read is under way
  bool finished_ = false;  // nothing may be started any more
  grpc::Status status_;    // what it is to end with, once finished_

  std::shared_ptr<InboundStream> self_;
};

}  // namespace orochi::kv::peer
