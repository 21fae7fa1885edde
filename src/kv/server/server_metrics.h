#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "kv/engine/engine.h"
#include "kv/gateway/gateway.h"
#include "kv/http/message.h"
#include "kv/http/server.h"
#include "kv/log/log_writer.h"
#include "kv/metrics/metrics.h"
#include "kv/metrics/node_metrics.h"
#include "kv/node/node.h"

namespace orochi::kv {

/// Groups beyond this many are counted in sums, and have no labels of their own.
inline constexpr size_t kGroupLabelCountMax = 256;

/// What /metrics shows of a node (docs/guide/kv-metrics.md): of its loop, log, state, groups,
/// transactions, requests, peers and process.
///
/// The loop copies a few numbers for each group when somebody asks; all text is made by who asks.
///
/// Threads: NoteBatch and Gather on the loop's; NoteWrite and NoteRequest from any.
/// Borrows: what Watch* is given, as long as somebody may ask.
class ServerMetrics {
 public:
  struct Identity {
    std::string cluster;
    uint32_t node = 0;
  };
  explicit ServerMetrics(const Identity& identity);

  void NoteBatch(const runtime::LoopBatch& batch) { loop_.Note(batch); }
  void NoteWrite(const log::WriteMeasure& write);
  void NoteRequest(const http::Served& served);

  void WatchLoop(const runtime::EventLoop& loop) { metrics::AddLoop(metrics_, loop); }
  void WatchPeers(const peer::PeerTransport& transport) {
    metrics::AddTransport(metrics_, transport);
  }
  void WatchLog(log::LogWriter& log);
  void WatchHttp(const http::Server& server);
  void WatchEngine(const Engine& engine);

  /// What the loop alone may look at; the answer makes the text anywhere.
  std::function<std::string()> Gather(const Node& node, Gateway& gateway);

 private:
  struct RouteMetrics {
    metrics::Histogram* seconds;
    metrics::Counter* request_bytes;
    metrics::Counter* reply_bytes;
  };
  // Route, method, status, code.
  using Outcome = std::tuple<std::string_view, std::string, int, std::string>;

  RouteMetrics& OfRoute(std::string_view route);

  metrics::Metrics metrics_;
  metrics::LoopMetrics loop_;
  metrics::Histogram& log_seconds_;
  metrics::Histogram& log_bytes_;
  metrics::Histogram& log_appends_;

  std::mutex requests_mutex_;
  std::map<std::string_view, RouteMetrics> routes_;        // guarded by requests_mutex_
  std::map<Outcome, metrics::Counter*> request_outcomes_;  // likewise
};

}  // namespace orochi::kv
