#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/assert.h"
#include "base/random.h"
#include "kv/gateway/gateway.h"
#include "kv/gateway/testing/memory_catalog.h"
#include "kv/gateway/testing/single_node.h"
#include "kv/http/body.h"
#include "kv/http/service.h"
#include "kv/http/status_table.h"
#include "sim/event_queue.h"

namespace orochi::kv::http::testing {

/// The service over a cluster of one node in memory, on simulated time: the same calls have the
/// same answers. Begins with the collection "shop" and the schema "item" (shelf text, place int64,
/// count int64, note text; the first two are the key).
///
/// Threads: none.
class EventService {
 public:
  EventService() {
    Ask({.method = "POST",
         .path = "/v1/collections",
         .content_type = "application/json",
         .body = R"({"name": "shop"})"});
    Reply const made = Ask({.method = "POST",
                            .path = "/v1/collections/shop/schemas",
                            .content_type = "application/json",
                            .body = R"({"name": "item", "version": 1,
      "fields": [{"name": "shelf", "type": "text"}, {"name": "place", "type": "int64"},
                 {"name": "count", "type": "int64"}, {"name": "note", "type": "text"}],
      "partition_key": ["shelf"], "range_key": ["place"]})"});
    ASSERT(made.status == 201);
  }

  /// As a connection's thread and the loop do it together. Asserts that there is one answer.
  Reply Ask(Request request) {
    auto call = ReadCall(std::move(request));
    if (!call.ok()) {
      return ErrorReply(call.status());
    }
    std::optional<Reply> reply;
    service_.Handle(*std::move(call), [&](Reply given) {
      ASSERT(!reply.has_value());
      reply = std::move(given);
    });
    while (!reply) {
      ASSERT(!queue_.empty());
      queue_.RunNext();
    }
    return *std::move(reply);
  }

 private:
  sim::EventQueue queue_;
  SeededRandom random_{2026};
  kv::testing::SingleNode node_{[this](int64_t delay_us, std::function<void()> event) {
                                  queue_.After(delay_us, std::move(event));
                                },
                                [this] { return queue_.now_us(); },
                                {}};
  kv::testing::MemoryCatalog catalog_{
      [this](std::function<void()> event) { queue_.After(0, std::move(event)); }};
  Gateway gateway_{node_, catalog_, random_, GatewayOptions()};
  Service service_{gateway_, ServiceOptions()};
};

}  // namespace orochi::kv::http::testing
