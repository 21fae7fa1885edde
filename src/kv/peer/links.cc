// How a link dials, is welcomed, lost and dialled again: all on the loop's thread.
#include "base/str_cat.h"
#include "kv/peer/internal/transport_core.h"

namespace orochi::kv::peer {

void PeerTransport::Core::Dial(const LinkKey& key, Link& link) {
  link.state = LinkState::kConnecting;
  link.attempt = ++last_attempt_;
  v1::Hello hello;
  hello.set_protocol_version(kProtocolVersion);
  hello.set_cluster(options_.cluster);
  hello.set_from(options_.self.value());
  hello.set_to(key.first.value());
  hello.set_lane(static_cast<uint32_t>(key.second));

  ++stream_count_;
  auto const core = shared_from_this();
  auto const attempt = link.attempt;
  link.stream = OutboundStream::Start(
      MakeChannel(link), *queue_, std::move(hello),
      {.queue_size_bytes_max = options_.queue_size_bytes_max,
       .message_size_bytes_max = options_.message_size_bytes_max},
      {.welcomed =
           [core, key, attempt] {
             core->loop_.Post([core, key, attempt] { core->OnWelcomed(key, attempt); });
           },
       .ended =
           [core, key, attempt](OutboundStream::Ending ending) {
             core->loop_.Post([core, key, attempt, ending = std::move(ending)] {
               core->OnLost(key, attempt, ending);
             });
             core->NoteStreamEnded();
           }});
  loop_.After(options_.connect_timeout_us, [core, key, attempt] { core->GiveUp(key, attempt); });
}

// What it has not sent is lost. Its end, when it comes, is nobody's any more.
void PeerTransport::Core::EndStream(Link& link) {
  if (link.stream == nullptr) {
    return;
  }
  OutboundStream::Counters const counters = link.stream->counters();
  link.totals.sent_frame_count += counters.sent_frame_count;
  link.totals.sent_size_bytes += counters.sent_size_bytes;
  link.totals.sent_message_count += counters.sent_message_count;
  link.totals.unreachable_drop_count += counters.waiting_frame_count;
  link.stream->Cancel();
  link.stream.reset();
}

void PeerTransport::Core::OnWelcomed(const LinkKey& key, uint64_t attempt) {
  {
    std::lock_guard const guard(mutex_);
    Link* const link = FindAttempt(key, attempt);
    if (link == nullptr) {
      return;
    }
    link->state = LinkState::kConnected;
    link->connected_at_ns = loop_.NowNanos();
    ++link->totals.connected_count;
  }
  if (callbacks_.on_link) {
    callbacks_.on_link(key.first, key.second, LinkState::kConnected, {});
  }
}

void PeerTransport::Core::OnLost(const LinkKey& key, uint64_t attempt,
                                 const OutboundStream::Ending& ending) {
  LinkState const state = ending.is_refused ? LinkState::kRefused : LinkState::kWaiting;
  {
    std::lock_guard const guard(mutex_);
    Link* const link = FindAttempt(key, attempt);
    if (link == nullptr) {
      return;
    }
    bool const was_connected = link->state == LinkState::kConnected;
    EndStream(*link);
    link->state = state;
    link->totals.refused_count += ending.is_refused ? 1 : 0;
    link->totals.failed_count += ending.is_refused || was_connected ? 0 : 1;
    // One that is lost as soon as it is made (two nodes with one number) is one more failure.
    constexpr int64_t kNanosInMicro = 1000;
    bool const was_for_long = was_connected && loop_.NowNanos() - link->connected_at_ns >
                                                   options_.backoff_us_max * kNanosInMicro;
    link->failure_count = was_for_long ? 1 : link->failure_count + 1;
    loop_.After(BackoffMicros(*link),
                [core = shared_from_this(), key, attempt] { core->DialAgain(key, attempt); });
  }
  if (callbacks_.on_link) {
    callbacks_.on_link(key.first, key.second, state, ending.why);
  }
}

void PeerTransport::Core::DialAgain(const LinkKey& key, uint64_t attempt) {
  std::lock_guard const guard(mutex_);
  if (Link* const link = FindAttempt(key, attempt); link != nullptr) {
    Dial(key, *link);
  }
}

void PeerTransport::Core::GiveUp(const LinkKey& key, uint64_t attempt) {
  std::lock_guard const guard(mutex_);
  Link* const link = FindAttempt(key, attempt);
  if (link != nullptr && link->state == LinkState::kConnecting) {
    link->stream->Cancel();  // OnLost follows
  }
}

}  // namespace orochi::kv::peer
