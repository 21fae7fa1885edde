// The safepoint, and what goes when it moves on.

#include <algorithm>
#include <utility>

#include "kv/txn/partition_core.h"
#include "kv/txn/planted_bug.h"
#include "kv/txn/record.h"
#include "kv/txn/safepoint.h"

namespace orochi::kv {

struct PartitionCore::Collection {
  Reply reply;
  std::string next_record;  // where the records go on
  std::string next_key;     // where the versions go on
  // A committed transaction of which intents may be left, and its record.
  std::string record_key;
  ResolveRequest finish;  // of one key
  std::vector<std::string> keys_left;
};

// The safepoint is in the log before anything goes: whoever leads next refuses the same.
void PartitionCore::Begin(CollectRequest request, Reply reply) {
  auto const collection = std::make_shared<Collection>();
  collection->reply = std::move(reply);
  if (request.safepoint <= safepoint_) {
    RemoveRecords(collection);  // a leader before may not have come to the end
    return;
  }
  // What is on its way to the log may be higher: the next leader must not find the lower one there.
  proposed_safepoint_ = std::max(proposed_safepoint_, request.safepoint);
  WriteBatch batch;
  PutSafepoint(batch, options_.span, proposed_safepoint_);
  host_.Propose(
      std::move(batch),
      WhileHere(std::function<void()>([this, collection, safepoint = proposed_safepoint_] {
        safepoint_ = std::max(safepoint_, safepoint);
        RemoveRecords(collection);
      })));
}

void PartitionCore::ProposeRemovals(WriteBatch batch, std::function<void()> removed) {
  if (batch.empty()) {
    removed();
  } else {
    host_.Propose(std::move(batch), WhileHere(std::move(removed)));
  }
}

// An aborted transaction's record may go at once: without one, and too old, it counts as aborted. A
// committed one's may go when none of its intents is left: what comes of it after that was sent
// twice.
void PartitionCore::RemoveRecords(const std::shared_ptr<Collection>& collection) {
  auto const cursor = host_.state().NewCursor(Family::kTransaction);
  cursor->Seek(std::max(collection->next_record, options_.span.begin));
  WriteBatch batch;
  std::function<void()> go_on = [this, collection] { RemoveVersions(collection); };
  for (; cursor->Valid(); cursor->Next()) {
    std::string const key(cursor->key());
    auto const owner = OwnerOfRecord(key);
    auto record = TransactionRecord::Decode(cursor->value());
    if (!owner.ok() || !record.ok()) {
      collection->reply(owner.ok() ? record.status() : owner.status());
      return;
    }
    if (!options_.span.Holds(owner->anchor)) {
      if (owner->anchor < options_.span.begin) {
        continue;
      }
      break;
    }
    collection->next_record = key + '\0';
    if (!IsTooOld(owner->id.start)) {
      continue;
    }
    if (record->committed && !IsPlanted(PlantedBug::kRecordBeforeIntents)) {
      collection->record_key = key;
      collection->finish = {
          .transaction = owner->id, .committed = true, .timestamp = record->timestamp, .keys = {}};
      collection->keys_left = std::move(record->keys);
      go_on = [this, collection] { FinishCommitted(collection); };
      break;
    }
    batch.Delete(Family::kTransaction, key);
    if (batch.changes().size() == options_.collect_count_max) {
      go_on = [this, collection] { RemoveRecords(collection); };
      break;
    }
  }
  if (Status status = cursor->status(); !status.ok()) {
    collection->reply(std::move(status));
    return;
  }
  ProposeRemovals(std::move(batch), std::move(go_on));
}

// Resolves the keys that are left one after the other, then removes the record.
void PartitionCore::FinishCommitted(const std::shared_ptr<Collection>& collection) {
  if (collection->keys_left.empty()) {
    WriteBatch batch;
    batch.Delete(Family::kTransaction, collection->record_key);
    ProposeRemovals(std::move(batch), [this, collection] { RemoveRecords(collection); });
    return;
  }
  collection->finish.keys = {collection->keys_left.back()};
  host_.Resolve(
      collection->finish, WhileHere(std::function<void(bool)>([this, collection](bool done) {
        if (done) {
          collection->keys_left.pop_back();
          FinishCommitted(collection);
          return;
        }
        host_.After(
            options_.push_again_us_max,
            WhileHere(std::function<void()>([this, collection] { FinishCommitted(collection); })));
      })));
}

void PartitionCore::RemoveVersions(const std::shared_ptr<Collection>& collection) {
  WriteBatch batch;
  auto next = mvcc::CollectGarbage(host_.state(), options_.span, collection->next_key, safepoint_,
                                   options_.collect_count_max, batch);
  if (!next.ok()) {
    collection->reply(std::move(next).status());
    return;
  }
  collection->next_key = *next;
  ProposeRemovals(std::move(batch), [this, collection] {
    if (collection->next_key.empty()) {
      collection->reply(Answer{.timestamp = safepoint_});
    } else {
      RemoveVersions(collection);
    }
  });
}

}  // namespace orochi::kv
