#pragma once

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "kv/peer/internal/completion.h"
#include "orochi/kv/v1/peer.grpc.pb.h"

namespace orochi::kv::peer {

/// What a frame costs in a queue or message beside its bytes.
inline constexpr size_t kFrameOverheadBytes = 8;
inline constexpr uint32_t kProtocolVersion = 1;

/// One connection to one lane of one peer: says Hello, waits for Welcome, then sends what is
/// pushed, as much of it in one message as has gathered.
///
/// Life:    Start -> Push* and Flush* -> Cancel, or it ends by itself; then events.ended, the last
///          thing it does. It keeps itself alive until then.
/// Threads: any, Push from one. Events come on the queue's thread, without a lock held.
/// Borrows: the queue.
class OutboundStream final {
 public:
  struct Limits {
    size_t queue_size_bytes_max;
    size_t message_size_bytes_max;
  };
  struct Ending {
    bool is_refused = false;
    std::string why;
  };
  struct Events {
    std::function<void()> welcomed;
    std::function<void(Ending)> ended;
  };
  struct Counters {
    uint64_t sent_frame_count = 0;
    uint64_t sent_size_bytes = 0;
    uint64_t sent_message_count = 0;
    uint64_t waiting_frame_count = 0;
    uint64_t waiting_size_bytes = 0;
  };

  static std::shared_ptr<OutboundStream> Start(const std::shared_ptr<grpc::Channel>& channel,
                                               grpc::CompletionQueue& queue, v1::Hello hello,
                                               Limits limits, Events events);

  /// False when the queue is full. Nothing goes out before Flush.
  bool Push(std::string frame);
  void Flush();
  void Cancel() { context_.TryCancel(); }
  Counters counters() const;

 private:
  OutboundStream(const std::shared_ptr<grpc::Channel>& channel, grpc::CompletionQueue& queue,
                 v1::Hello hello, Limits limits, Events events);

  void OnStarted(bool ok);
  void OnRead(bool ok);
  void OnWritten(bool ok);
  void WriteWaiting();  // with mutex_ held
  void Finish();
  void EndOperation();

  const Limits limits_;
  const Events events_;
  const std::unique_ptr<v1::Peer::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<v1::PeerMessage, v1::PeerReply>> stream_;
  v1::PeerReply reply_;      // gRPC's while a read is under way
  v1::PeerMessage message_;  // gRPC's while writing_
  grpc::Status status_;      // gRPC's from Finish on

  Completion on_started_;
  Completion on_read_;
  Completion on_written_;
  Completion on_finished_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<std::string> waiting_;
  Counters counters_;
  size_t operation_count_ = 1;  // under way: at first the start; after the last nothing follows
  bool writing_ = true;         // the Hello, first
  bool welcomed_ = false;
  bool broken_ = false;  // nothing may be written any more

  std::shared_ptr<OutboundStream> self_;
};

}  // namespace orochi::kv::peer
