#include "kv/peer/internal/outbound_stream.h"

#include <utility>

namespace orochi::kv::peer {
std::shared_ptr<OutboundStream> OutboundStream::Start(const std::shared_ptr<grpc::Channel>& channel,
                                                      grpc::CompletionQueue& queue, v1::Hello hello,
                                                      Limits limits, Events events) {
  std::shared_ptr<OutboundStream> stream(
      new OutboundStream(channel, queue, std::move(hello), limits, std::move(events)));
  stream->self_ = stream;
  stream->stream_->StartCall(&stream->on_started_);
  return stream;
}

OutboundStream::OutboundStream(const std::shared_ptr<grpc::Channel>& channel,
                               grpc::CompletionQueue& queue, v1::Hello hello, Limits limits,
                               Events events)
    : limits_(limits),
      events_(std::move(events)),
      stub_(v1::Peer::NewStub(channel)),
      stream_(stub_->PrepareAsyncStream(&context_, &queue)),
      on_started_([this](bool ok) { OnStarted(ok); }),
      on_read_([this](bool ok) { OnRead(ok); }),
      on_written_([this](bool ok) { OnWritten(ok); }),
      on_finished_([this](bool /*ok*/) { EndOperation(); }) {
  *message_.mutable_hello() = std::move(hello);
}

bool OutboundStream::Push(std::string frame) {
  std::lock_guard const guard(mutex_);
  size_t const size_bytes = frame.size() + kFrameOverheadBytes;
  if (counters_.waiting_size_bytes + size_bytes > limits_.queue_size_bytes_max) {
    return false;
  }
  counters_.waiting_size_bytes += size_bytes;
  ++counters_.waiting_frame_count;
  waiting_.push_back(std::move(frame));
  return true;
}

void OutboundStream::Flush() {
  std::lock_guard const guard(mutex_);
  WriteWaiting();
}

void OutboundStream::WriteWaiting() {
  if (writing_ || !welcomed_ || broken_ || waiting_.empty()) {
    return;
  }
  message_.Clear();
  v1::Frames& frames = *message_.mutable_frames();
  size_t message_size_bytes = 0;
  while (!waiting_.empty()) {
    size_t const size_bytes = waiting_.front().size() + kFrameOverheadBytes;
    if (message_size_bytes > 0 &&
        message_size_bytes + size_bytes > limits_.message_size_bytes_max) {
      break;
    }
    message_size_bytes += size_bytes;
    frames.add_frames(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  auto const frame_count = static_cast<uint64_t>(frames.frames_size());
  counters_.waiting_size_bytes -= message_size_bytes;
  counters_.waiting_frame_count -= frame_count;
  counters_.sent_frame_count += frame_count;
  counters_.sent_size_bytes += message_size_bytes - frame_count * kFrameOverheadBytes;
  ++counters_.sent_message_count;
  writing_ = true;
  ++operation_count_;
  stream_->Write(message_, &on_written_);
}

OutboundStream::Counters OutboundStream::counters() const {
  std::lock_guard const guard(mutex_);
  return counters_;
}

void OutboundStream::OnStarted(bool ok) {
  if (ok) {
    std::lock_guard const guard(mutex_);
    operation_count_ += 2;
    stream_->Write(message_, &on_written_);
    stream_->Read(&reply_, &on_read_);
  } else {
    Finish();
  }
  EndOperation();
}

void OutboundStream::OnRead(bool ok) {
  if (!ok) {
    Finish();
    EndOperation();
    return;
  }
  bool welcomed = false;
  if (reply_.has_welcome()) {
    std::lock_guard const guard(mutex_);
    welcomed = !std::exchange(welcomed_, true);
    WriteWaiting();
  }
  if (welcomed) {
    events_.welcomed();
  }
  stream_->Read(&reply_, &on_read_);  // nothing more is said: it tells when the stream ends
}

// After a write that failed the read fails too, and ends the stream.
void OutboundStream::OnWritten(bool ok) {
  {
    std::lock_guard const guard(mutex_);
    writing_ = false;
    broken_ = broken_ || !ok;
    WriteWaiting();
  }
  EndOperation();
}

void OutboundStream::Finish() {
  std::lock_guard const guard(mutex_);
  broken_ = true;
  ++operation_count_;
  stream_->Finish(&status_, &on_finished_);
}

void OutboundStream::EndOperation() {
  {
    std::lock_guard const guard(mutex_);
    if (--operation_count_ > 0) {
      return;
    }
  }
  std::shared_ptr<OutboundStream> const self = std::move(self_);
  events_.ended({.is_refused = status_.error_code() == grpc::StatusCode::FAILED_PRECONDITION,
                 .why = status_.ok() ? "the peer has ended it" : status_.error_message()});
}

}  // namespace orochi::kv::peer
