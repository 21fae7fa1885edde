#pragma once

#include "kv/metrics/metrics.h"
#include "kv/peer/peer_transport.h"
#include "kv/runtime/event_loop.h"

namespace orochi::kv::metrics {

/// How late and how long the batches of a loop are. Borrows metrics.
class LoopMetrics {
 public:
  explicit LoopMetrics(Metrics& metrics);
  /// For LoopCallbacks::on_batch.
  void Note(const runtime::LoopBatch& batch);

 private:
  Histogram& lag_;
  Histogram& run_;
};

/// What they count, at each Expose; they outlive `metrics`.
void AddLoop(Metrics& metrics, const runtime::EventLoop& loop);
void AddTransport(Metrics& metrics, const peer::PeerTransport& transport);

}  // namespace orochi::kv::metrics
