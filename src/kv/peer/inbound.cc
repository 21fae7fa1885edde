// What others dial: who is let in, and how their frames reach the loop.
#include "base/str_cat.h"
#include "kv/peer/internal/transport_core.h"

namespace orochi::kv::peer {

Result<InboundKey> PeerTransport::Core::Admit(const v1::Hello& hello) {
  std::string reason;
  if (hello.protocol_version() != kProtocolVersion) {
    reason = StrCat("protocol version ", hello.protocol_version(), ", expected ", kProtocolVersion);
  } else if (hello.cluster() != options_.cluster) {
    reason = StrCat("cluster ", hello.cluster().substr(0, kClusterSizeBytesMax),
                    ", this is a node of cluster ", options_.cluster);
  } else if (hello.to() != options_.self.value()) {
    reason = StrCat("meant for node ", hello.to(), ", this is node ", options_.self.value());
  } else if (hello.from() == 0 || hello.from() == options_.self.value()) {
    reason =
        StrCat("from node ", hello.from(), ", which is no peer of node ", options_.self.value());
  } else if (hello.lane() >= kLaneCount) {
    reason = StrCat("lane ", hello.lane(), ", expected less than ", kLaneCount);
  } else {
    return InboundKey{.from = NodeNumber(hello.from()), .lane = static_cast<Lane>(hello.lane())};
  }
  std::lock_guard const guard(mutex_);
  ++refused_inbound_count_;
  return Status::FailedPrecondition(StrCat("refused: ", reason));
}

void PeerTransport::Core::OnDialled(std::shared_ptr<InboundStream> stream) {
  bool is_full = false;
  {
    std::lock_guard const guard(mutex_);
    dialled_.insert(stream);
    is_full = dialled_.size() > options_.inbound_stream_count_max;
    refused_inbound_count_ += is_full ? 1 : 0;
    ++stream_count_;
  }
  InboundStream::Await(*this, service_, *queue_, options_.unhandled_size_bytes_max);
  if (is_full) {
    stream->Close(grpc::StatusCode::RESOURCE_EXHAUSTED,
                  StrCat("at most ", options_.inbound_stream_count_max, " streams"));
    return;
  }
  loop_.Post([core = shared_from_this(), stream = std::weak_ptr(stream)] {
    core->loop_.After(core->options_.connect_timeout_us, [stream] {
      if (auto const held = stream.lock(); held != nullptr && !held->is_greeted()) {
        held->Close(grpc::StatusCode::DEADLINE_EXCEEDED, "no Hello in time");
      }
    });
  });
}

void PeerTransport::Core::OnGreeted(std::shared_ptr<InboundStream> stream) {
  loop_.Post([core = shared_from_this(), stream = std::move(stream)] {
    std::shared_ptr<InboundStream> before;
    {
      std::lock_guard const guard(core->mutex_);
      if (core->stopping_ || !core->dialled_.contains(stream)) {
        return;
      }
      before = std::exchange(core->inbound_[stream->key()].stream, stream);
    }
    if (before != nullptr) {
      // The peer has dialled again; what the old connection still brings would be out of order.
      before->Close(grpc::StatusCode::ABORTED, "the same node has dialled again");
    }
  });
}

// On a thread of gRPC's; the loop decides. An answer that nobody gives says: ask again.
void PeerTransport::Core::OnAdmission(AdmissionRequest request, AnswerAdmission answer) {
  loop_.Post([core = shared_from_this(), request = std::move(request),
              answer = std::move(answer)]() mutable {
    bool stopping = false;
    {
      std::lock_guard const guard(core->mutex_);
      stopping = core->stopping_;
    }
    if (!stopping && core->callbacks_.on_admission) {
      core->callbacks_.on_admission(std::move(request), std::move(answer));
    }
  });
}

void PeerTransport::Core::OnIntroduction(AnswerIntroduction answer) {
  loop_.Post([core = shared_from_this(), answer = std::move(answer)] {
    bool stopping = false;
    {
      std::lock_guard const guard(core->mutex_);
      stopping = core->stopping_;
    }
    if (!stopping && core->callbacks_.on_introduction) {
      answer(core->callbacks_.on_introduction());
    }
  });
}

void PeerTransport::Core::OnFrames(std::shared_ptr<InboundStream> stream,
                                   std::vector<std::string> frames, size_t size_bytes) {
  loop_.Post([core = shared_from_this(), stream = std::move(stream), frames = std::move(frames),
              size_bytes]() mutable { core->Deliver(stream, std::move(frames), size_bytes); });
}

void PeerTransport::Core::Deliver(const std::shared_ptr<InboundStream>& stream,
                                  std::vector<std::string> frames, size_t size_bytes) {
  InboundKey const key = stream->key();
  {
    std::lock_guard const guard(mutex_);
    Inbound& inbound = inbound_[key];
    if (stopping_ || inbound.stream != stream) {
      return;
    }
    inbound.statistics.frame_count += frames.size();
    inbound.statistics.size_bytes += size_bytes - frames.size() * sizeof(std::string);
    ++inbound.statistics.message_count;
  }
  if (callbacks_.on_frames) {
    callbacks_.on_frames(key.from, key.lane, std::move(frames));
  }
  stream->Handled(size_bytes);
}

void PeerTransport::Core::OnEnded(std::shared_ptr<InboundStream> stream) {
  bool was_greeted = false;
  {
    std::lock_guard const guard(mutex_);
    was_greeted = dialled_.erase(stream) > 0 && stream->is_greeted();
  }
  if (was_greeted) {
    // Behind the frames it has brought.
    loop_.Post([core = shared_from_this(), stream] {
      std::lock_guard const guard(core->mutex_);
      auto const found = core->inbound_.find(stream->key());
      if (found != core->inbound_.end() && found->second.stream == stream) {
        found->second.stream.reset();
      }
    });
  }
  NoteStreamEnded();
}

}  // namespace orochi::kv::peer
