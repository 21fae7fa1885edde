#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "swim/packet.h"
#include "swim/types.h"

namespace orochi::swim {

/// Of whom there is news to pass on. The news itself is read from the members when it is sent, so
/// nothing outdated goes out.
///
/// Bounds: one entry a member; each is sent a bounded number of times.
class GossipQueue {
 public:
  bool empty() const { return order_.empty(); }
  size_t size() const { return order_.size(); }
  bool Contains(NodeId id) const { return places_.contains(id); }

  /// There is news of `id`: it is sent the full number of times again.
  void Put(NodeId id);
  void Remove(NodeId id);
  /// Adds to `builder` the records that were sent least, newest first. `find` answers the record
  /// of an id, or null; an entry that was sent `transmit_count_max` times is gone. News of `first`,
  /// if there is any, goes before all other.
  template <class Find>
  void Fill(PacketBuilder& builder, int transmit_count_max, Find find,
            std::optional<NodeId> first = std::nullopt) {
    std::vector<NodeId> sent;
    if (first.has_value() && Contains(*first)) {
      const Record* const record = find(*first);
      if (record == nullptr || builder.Add(*record)) {
        sent.push_back(*first);
      }
    }
    for (const auto& [place, id] : order_) {
      if (!builder.HasRoom()) {
        break;
      }
      if (id == first) {
        continue;
      }
      const Record* const record = find(id);
      if (record == nullptr || builder.Add(*record)) {
        sent.push_back(id);
      }
    }
    for (NodeId const id : sent) {
      NoteSent(id, transmit_count_max);
    }
  }

 private:
  // Sent so many times; then newest first.
  using Place = std::pair<int, int64_t>;

  void NoteSent(NodeId id, int transmit_count_max);

  std::map<Place, NodeId> order_;
  std::map<NodeId, Place> places_;
  int64_t put_count_ = 0;
};

}  // namespace orochi::swim
