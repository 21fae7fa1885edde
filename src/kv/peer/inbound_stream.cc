#include "kv/peer/internal/inbound_stream.h"

#include <utility>

#include "base/str_cat.h"
#include "kv/peer/internal/outbound_stream.h"

namespace orochi::kv::peer {

void InboundStream::Await(InboundReceiver& receiver, v1::Peer::AsyncService& service,
                          grpc::ServerCompletionQueue& queue, size_t unhandled_size_bytes_max) {
  std::shared_ptr<InboundStream> const stream(
      new InboundStream(receiver, unhandled_size_bytes_max));
  stream->self_ = stream;
  stream->context_.AsyncNotifyWhenDone(&stream->on_gone_);
  service.RequestStream(&stream->context_, &stream->stream_, &queue, &queue, &stream->on_awaited_);
}

InboundStream::InboundStream(InboundReceiver& receiver, size_t unhandled_size_bytes_max)
    : receiver_(receiver),
      unhandled_size_bytes_max_(unhandled_size_bytes_max),
      stream_(&context_),
      on_awaited_([this](bool ok) { OnAwaited(ok); }),
      on_read_([this](bool ok) { OnRead(ok); }),
      on_written_([this](bool /*ok*/) { OnWritten(); }),
      on_finished_([this](bool /*ok*/) { EndOperation(); }),
      on_gone_([this](bool /*ok*/) {
        Close(grpc::StatusCode::CANCELLED, "cancelled");
        EndOperation();
      }) {}

void InboundStream::OnAwaited(bool ok) {
  if (ok) {
    {
      std::lock_guard const guard(mutex_);
      ++operation_count_;  // on_gone_, which comes only to those that were dialled
    }
    receiver_.OnDialled(self_);
    ReadOn();
  }
  EndOperation();
}

void InboundStream::Close(grpc::StatusCode code, const std::string& why) {
  std::lock_guard const guard(mutex_);
  if (std::exchange(finished_, true)) {
    return;
  }
  status_ = grpc::Status(code, why);
  if (!writing_) {  // else when that is done
    ++operation_count_;
    stream_.Finish(status_, &on_finished_);
  }
}

void InboundStream::OnWritten() {
  {
    std::lock_guard const guard(mutex_);
    writing_ = false;
    if (finished_) {
      ++operation_count_;
      stream_.Finish(status_, &on_finished_);
    }
  }
  EndOperation();
}

void InboundStream::Handled(size_t size_bytes) {
  std::lock_guard const guard(mutex_);
  unhandled_size_bytes_ -= size_bytes;
  if (paused_ && !finished_ && unhandled_size_bytes_ <= unhandled_size_bytes_max_ / 2) {
    paused_ = false;
    ++operation_count_;
    stream_.Read(&message_, &on_read_);
  }
}

bool InboundStream::is_greeted() const {
  std::lock_guard const guard(mutex_);
  return greeted_;
}

void InboundStream::ReadOn() {
  std::lock_guard const guard(mutex_);
  paused_ = unhandled_size_bytes_ > unhandled_size_bytes_max_;
  if (!paused_ && !finished_) {
    ++operation_count_;
    stream_.Read(&message_, &on_read_);
  }
}

void InboundStream::OnRead(bool ok) {
  if (!ok) {
    Close(grpc::StatusCode::OK, "");
  } else if (!is_greeted()) {
    Greet();
  } else {
    PassOn();
  }
  EndOperation();
}

void InboundStream::Greet() {
  if (!message_.has_hello()) {
    Close(grpc::StatusCode::FAILED_PRECONDITION, "the first message is no Hello");
    return;
  }
  Result<InboundKey> admitted = receiver_.Admit(message_.hello());
  if (!admitted.ok()) {
    Close(grpc::StatusCode::FAILED_PRECONDITION, admitted.status().message());
    return;
  }
  key_ = *admitted;
  reply_.mutable_welcome()->set_protocol_version(kProtocolVersion);
  {
    std::lock_guard const guard(mutex_);
    greeted_ = true;
    if (finished_) {
      return;
    }
    writing_ = true;
    ++operation_count_;
    stream_.Write(reply_, &on_written_);
  }
  receiver_.OnGreeted(self_);
  ReadOn();
}

void InboundStream::PassOn() {
  if (!message_.has_frames()) {
    Close(grpc::StatusCode::INVALID_ARGUMENT, "a message after Hello has no frames");
    return;
  }
  std::vector<std::string> frames;
  frames.reserve(static_cast<size_t>(message_.frames().frames_size()));
  size_t size_bytes = 0;
  for (std::string& frame : *message_.mutable_frames()->mutable_frames()) {
    size_bytes += frame.size() + sizeof(std::string);
    frames.push_back(std::move(frame));
  }
  {
    std::lock_guard const guard(mutex_);
    unhandled_size_bytes_ += size_bytes;
  }
  receiver_.OnFrames(self_, std::move(frames), size_bytes);
  ReadOn();
}

void InboundStream::EndOperation() {
  {
    std::lock_guard const guard(mutex_);
    if (--operation_count_ > 0) {
      return;
    }
  }
  std::shared_ptr<InboundStream> const self = std::move(self_);
  receiver_.OnEnded(self);
}

}  // namespace orochi::kv::peer
