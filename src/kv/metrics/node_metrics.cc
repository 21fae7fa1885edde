#include "kv/metrics/node_metrics.h"

namespace orochi::kv::metrics {
namespace {

constexpr double kNanosInSecond = 1e9;

Labels LinkLabels(peer::NodeNumber peer, peer::Lane lane) {
  return {{"peer", std::to_string(peer.value())}, {"lane", std::string(peer::LaneName(lane))}};
}

void SampleLink(const peer::LinkStatistics& link, const Labels& labels, Samples& samples) {
  auto const counter = [&](const char* name, const char* help, uint64_t value) {
    samples.Counter(name, help, static_cast<double>(value), labels);
  };
  counter("orochi_kv_peer_sent_frames_total", "Frames handed to the connection.",
          link.sent_frame_count);
  counter("orochi_kv_peer_sent_bytes_total", "Bytes of those frames.", link.sent_size_bytes);
  counter("orochi_kv_peer_sent_messages_total", "Messages that carried those frames.",
          link.sent_message_count);
  counter("orochi_kv_peer_connected_total", "Connections that the peer welcomed.",
          link.connected_count);
  counter("orochi_kv_peer_failed_total", "Attempts that did not connect.", link.failed_count);
  counter("orochi_kv_peer_refused_total", "Attempts that the peer refused.", link.refused_count);
  samples.Gauge("orochi_kv_peer_queue_bytes", "Bytes that wait to be sent.",
                static_cast<double>(link.queue_size_bytes), labels);
  samples.Gauge("orochi_kv_peer_up", "1 while connected.",
                link.state == peer::LinkState::kConnected ? 1 : 0, labels);
  for (auto const& [reason, count] : {std::pair("full", link.full_drop_count),
                                      std::pair("unreachable", link.unreachable_drop_count)}) {
    Labels with_reason = labels;
    with_reason["reason"] = reason;
    samples.Counter("orochi_kv_peer_dropped_frames_total", "Frames that were not sent.",
                    static_cast<double>(count), with_reason);
  }
}

}  // namespace

LoopMetrics::LoopMetrics(Metrics& metrics)
    : lag_(metrics.AddHistogram("orochi_kv_loop_lag_seconds",
                                "From the first task that waits to its batch.", LatencyBuckets())),
      run_(metrics.AddHistogram("orochi_kv_loop_batch_seconds", "How long a batch takes.",
                                LatencyBuckets())) {}

void LoopMetrics::Note(const runtime::LoopBatch& batch) {
  if (batch.task_count > 0) {
    lag_.Observe(static_cast<double>(batch.lag_ns) / kNanosInSecond);
  }
  run_.Observe(static_cast<double>(batch.run_ns) / kNanosInSecond);
}

void AddLoop(Metrics& metrics, const runtime::EventLoop& loop) {
  metrics.AddSource([&loop](Samples& samples) {
    runtime::LoopStatistics const statistics = loop.statistics();
    auto const counter = [&](const char* name, const char* help, uint64_t value) {
      samples.Counter(name, help, static_cast<double>(value));
    };
    counter("orochi_kv_loop_tasks_total", "Tasks that ran.", statistics.task_count);
    counter("orochi_kv_loop_timers_total", "Timers that fired.", statistics.timer_count);
    counter("orochi_kv_loop_ticks_total", "Ticks of the node's time.", statistics.tick_count);
    counter("orochi_kv_loop_skipped_ticks_total", "Ticks left out because the loop was late.",
            statistics.skipped_tick_count);
    counter("orochi_kv_loop_refused_total", "Tasks refused because too many waited.",
            statistics.refused_count);
    samples.Gauge("orochi_kv_loop_queue_length", "Tasks that wait.",
                  static_cast<double>(statistics.waiting_count));
  });
}

void AddTransport(Metrics& metrics, const peer::PeerTransport& transport) {
  metrics.AddSource([&transport](Samples& samples) {
    peer::TransportStatistics const statistics = transport.statistics();
    for (const auto& [key, link] : statistics.links) {
      SampleLink(link, LinkLabels(key.first, key.second), samples);
    }
    for (const auto& [key, inbound] : statistics.inbound) {
      Labels const labels = LinkLabels(key.first, key.second);
      samples.Counter("orochi_kv_peer_received_frames_total", "Frames given to the node.",
                      static_cast<double>(inbound.frame_count), labels);
      samples.Counter("orochi_kv_peer_received_bytes_total", "Bytes of those frames.",
                      static_cast<double>(inbound.size_bytes), labels);
      samples.Counter("orochi_kv_peer_received_messages_total",
                      "Messages that carried those frames.",
                      static_cast<double>(inbound.message_count), labels);
    }
    samples.Counter("orochi_kv_peer_refused_inbound_total", "Streams of others that were refused.",
                    static_cast<double>(statistics.refused_inbound_count));
    samples.Gauge("orochi_kv_peer_inbound_streams", "Streams that others have dialled.",
                  static_cast<double>(statistics.inbound_stream_count));
  });
}

}  // namespace orochi::kv::metrics
