#include "swim/gossip_queue.h"

#include "swim/planted_bug.h"

namespace orochi::swim {

void GossipQueue::Put(NodeId id) {
  Remove(id);
  Place const place{0, -++put_count_};
  places_.emplace(id, place);
  order_.emplace(place, id);
}

void GossipQueue::Remove(NodeId id) {
  auto const known = places_.find(id);
  if (known != places_.end()) {
    order_.erase(known->second);
    places_.erase(known);
  }
}

void GossipQueue::NoteSent(NodeId id, int transmit_count_max) {
  auto const known = places_.find(id);
  Place const next{known->second.first + 1, known->second.second};
  order_.erase(known->second);
  if (next.first >= transmit_count_max && !IsPlanted(PlantedBug::kGossipForever)) {
    places_.erase(known);
    return;
  }
  known->second = next;
  order_.emplace(next, id);
}

}  // namespace orochi::swim
