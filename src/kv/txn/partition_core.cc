#include "kv/txn/partition_core.h"

#include <utility>

#include "kv/txn/planted_bug.h"
#include "kv/txn/safepoint.h"

namespace orochi::kv {

PartitionCore::PartitionCore(PartitionHost& host, const OperationRules& rules,
                             const PartitionOptions& options)
    : host_(host), rules_(rules), options_(options), read_cache_(options.read_cache_entries_max) {
  // What was read through the leaders before, and how far transactions were pushed there, is
  // forgotten with them; all of it has stamps from before this one, which is asked for after they
  // led.
  host_.Stamp(WhileHere(std::function<void(Timestamp)>([this](Timestamp stamp) {
    if (!IsPlanted(PlantedBug::kReadCacheEmpty)) {
      read_cache_.RaiseAll(stamp);
    }
    first_stamp_ = IsPlanted(PlantedBug::kFloorForgotten) ? kNever : stamp;
    auto safepoint = SafepointOf(host_.state(), options_.span);
    // What cannot be read refuses everything.
    safepoint_ = safepoint.ok() ? *safepoint : Timestamp(~uint64_t{0});
    started_ = true;
    for (const auto& start : std::exchange(to_start_, {})) {
      start();
    }
  })));
}

void PartitionCore::Handle(Request request, Reply reply) {
  if (!started_) {
    to_start_.push_back([this, request = std::move(request), reply = std::move(reply)]() mutable {
      Handle(std::move(request), std::move(reply));
    });
    return;
  }
  std::visit([&](auto& one) { Begin(std::move(one), std::move(reply)); }, request);
}

}  // namespace orochi::kv
