#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/str_cat.h"
#include "kv/gateway/catalog.h"

namespace orochi::kv::testing {

/// The catalog of a cluster of one node, in memory. What it shows can be made to lag behind what
/// was decided, until it is refreshed.
///
/// Threads: that of the events.
class MemoryCatalog final : public Catalog {
 public:
  explicit MemoryCatalog(std::function<void(std::function<void()>)> post)
      : post_(std::move(post)) {}

  void SetLags(bool lags) { lags_ = lags; }

  Collection Find(std::string_view name) const override {
    auto const place = shown_.find(name);
    return place == shown_.end() ? nullptr : place->second;
  }
  std::vector<Collection> List() const override {
    std::vector<Collection> all;
    for (const auto& [name, collection] : shown_) {
      all.push_back(collection);
    }
    return all;
  }
  void Refresh(std::function<void(Status)> done) override {
    post_([this, done = std::move(done)] {
      shown_ = decided_;
      done(Status::Ok());
    });
  }

  void CreateCollection(CollectionDefinition definition,
                        std::function<void(Result<Collection>)> done) override {
    post_([this, definition = std::move(definition), done = std::move(done)] {
      if (decided_.contains(definition.name)) {
        done(Status::AlreadyExists(StrCat("collection '", definition.name, "' exists")));
        return;
      }
      auto const made = std::make_shared<CollectionInfo>(
          CollectionInfo{.id = CollectionId(next_id_++), .definition = definition});
      decided_.emplace(definition.name, made);
      Show();
      done(Collection(made));
    });
  }
  void DropCollection(std::string name, std::function<void(Status)> done) override {
    post_([this, name = std::move(name), done = std::move(done)] {
      if (decided_.erase(name) == 0) {
        done(Status::NotFound(StrCat("collection '", name, "' does not exist")));
        return;
      }
      Show();
      done(Status::Ok());
    });
  }
  void CreateSchema(std::string collection, SchemaDefinition definition,
                    SchemaHistory::Change change,
                    std::function<void(Result<std::shared_ptr<const Schema>>)> done) override {
    post_([this, collection = std::move(collection), definition = std::move(definition),
           change = std::move(change), done = std::move(done)] {
      auto const place = decided_.find(collection);
      if (place == decided_.end()) {
        done(Status::NotFound(StrCat("collection '", collection, "' does not exist")));
        return;
      }
      auto changed = std::make_shared<CollectionInfo>(*place->second);
      auto const id = SchemaId(static_cast<uint32_t>(changed->schemas.size() + 1));
      auto& history = changed->schemas.try_emplace(definition.name, id).first->second;
      auto added = history.Add(definition, change);
      if (added.ok()) {
        place->second = std::move(changed);
        Show();
      }
      done(std::move(added));
    });
  }

 private:
  void Show() {
    if (!lags_) {
      shown_ = decided_;
    }
  }

  std::function<void(std::function<void()>)> post_;
  std::map<std::string, Collection, std::less<>> decided_;
  std::map<std::string, Collection, std::less<>> shown_;
  uint32_t next_id_ = 1;
  bool lags_ = false;
};

}  // namespace orochi::kv::testing
