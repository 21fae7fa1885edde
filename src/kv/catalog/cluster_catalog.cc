#include "kv/catalog/cluster_catalog.h"

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

#include "base/str_cat.h"
#include "kv/engine/text_bytes.h"

namespace orochi::kv {
namespace {

constexpr int kAttemptCountMax = 10;

Status NoCollection(std::string_view name) {
  return Status::NotFound(StrCat("collection '", name, "' does not exist"));
}

}  // namespace

// An entry that cannot be read is left out: it belongs to a newer program.
const std::map<std::string, ClusterCatalog::Known, std::less<>>& ClusterCatalog::Collections()
    const {
  const ClusterMap& map = node_.map();
  if (version_ == map.version()) {
    return collections_;
  }
  std::map<std::string, Known, std::less<>> made;
  for (const auto& [entry, bytes] : map.entries()) {
    auto const name = CollectionOfEntry(entry);
    if (!name) {
      continue;
    }
    auto const old = collections_.find(*name);
    if (old != collections_.end() && old->second.bytes == bytes) {
      made.insert(*old);
      continue;
    }
    Result<StoredCollection> stored = DecodeCollection(bytes);
    if (stored.ok()) {
      made.emplace(*name,
                   Known{.bytes = bytes,
                         .collection = std::make_shared<CollectionInfo>(std::move(stored->info)),
                         .changed_by = std::move(stored->changed_by)});
    }
  }
  collections_ = std::move(made);
  version_ = map.version();
  return collections_;
}

Catalog::Collection ClusterCatalog::Find(std::string_view name) const {
  const auto& all = Collections();
  auto const known = all.find(name);
  return known == all.end() ? nullptr : known->second.collection;
}

std::vector<Catalog::Collection> ClusterCatalog::List() const {
  std::vector<Collection> list;
  for (const auto& [name, known] : Collections()) {
    list.push_back(known.collection);
  }
  return list;
}

std::string ClusterCatalog::DrawName() {
  std::string name;
  AppendBigEndian(name, random_.Next());
  AppendBigEndian(name, random_.Next());
  return name;
}

void ClusterCatalog::Refresh(std::function<void(Status)> done) {
  auto heard = [this, done = std::move(done)](Result<std::string> answer) {
    Result<uint64_t> const version = meta::NumberIn(answer);
    if (!version.ok()) {
      bool const silent = version.status().code() == StatusCode::kOutcomeUnknown;
      done(silent ? Status::Unavailable("the meta group does not answer") : version.status());
      return;
    }
    node_.AwaitMap(*version, done);
  };
  node_.AskMeta(meta::ChangeEntries{},
                WhileHere(std::function<void(Result<std::string>)>(std::move(heard))));
}

// Always from the newest map: so a change that was made without our hearing of it is met again.
void ClusterCatalog::Change(Plan plan, std::function<void(Status)> done, int attempt) {
  Refresh([this, plan = std::move(plan), done = std::move(done), attempt](Status status) {
    if (!status.ok()) {
      bool const sent = attempt > 0;
      done(sent ? Status::OutcomeUnknown(
                      StrCat("not known whether the catalog has changed: ", status.message()))
                : std::move(status));
      return;
    }
    Result<std::optional<meta::ChangeEntries>> change = plan();
    if (!change.ok() || !*change) {
      done(std::move(change).status());
      return;
    }
    (*change)->base_version = node_.map().version();
    auto heard = [this, plan, done, attempt](Result<std::string> answer) {
      Result<uint64_t> const version = meta::NumberIn(answer);
      if (version.ok()) {
        node_.AwaitMap(*version, done);
        return;
      }
      StatusCode const code = version.status().code();
      bool const again = code == StatusCode::kAborted || code == StatusCode::kOutcomeUnknown;
      if (again && attempt + 1 < kAttemptCountMax) {
        Change(plan, done, attempt + 1);
      } else {
        done(version.status());
      }
    };
    node_.AskMeta(**change, WhileHere(std::function<void(Result<std::string>)>(std::move(heard))));
  });
}

// As many as the design proposes: enough to spread over the nodes and to move one by one.
uint32_t ClusterCatalog::PartitionCountOf(const CollectionDefinition& definition) const {
  if (definition.distribution == Distribution::kRange) {
    return 1;
  }
  if (definition.partition_count > 0) {
    return definition.partition_count;
  }
  uint64_t const wanted = std::max<uint64_t>(16, 8 * node_.map().nodes().size());
  return static_cast<uint32_t>(std::min<uint64_t>(std::bit_ceil(wanted), kPartitionCountMax));
}

void ClusterCatalog::CreateCollection(CollectionDefinition definition,
                                      std::function<void(Result<Collection>)> done) {
  if (Status status = CheckCollection(definition); !status.ok()) {
    node_.After(0, [done = std::move(done), status] { done(status); });
    return;
  }
  std::string const name = definition.name;
  auto plan = [this, definition = std::move(definition),
               change = DrawName()]() -> Result<std::optional<meta::ChangeEntries>> {
    auto const known = Collections().find(definition.name);
    if (known != Collections().end()) {
      if (known->second.changed_by == change) {
        return std::optional<meta::ChangeEntries>();
      }
      return Status::AlreadyExists(StrCat("collection '", definition.name, "' exists"));
    }
    uint64_t next = 1;
    auto const counted = node_.map().entries().find(kNextCollectionEntry);
    if (counted != node_.map().entries().end() && counted->second.size() == 8) {
      next = BigEndianAt(counted->second);
    }
    if (next > kCollectionIdMax) {
      return Status::ResourceExhausted("there is no number left for another collection");
    }
    StoredCollection made{
        .info = {.id = CollectionId(static_cast<uint32_t>(next)), .definition = definition},
        .changed_by = change};
    made.info.definition.partition_count = PartitionCountOf(definition);
    std::string count;
    AppendBigEndian(count, next + 1);
    return std::optional(
        meta::ChangeEntries{.puts = {{std::string(kNextCollectionEntry), std::move(count)},
                                     {CollectionEntry(definition.name), EncodeCollection(made)}},
                            .created = SpansOf(made.info)});
  };
  Change(std::move(plan), [this, name, done = std::move(done)](const Status& status) {
    Collection const made = status.ok() ? Find(name) : nullptr;
    if (made != nullptr) {
      done(made);
    } else {
      done(status.ok() ? NoCollection(name) : status);
    }
  });
}

void ClusterCatalog::DropCollection(std::string name, std::function<void(Status)> done) {
  auto plan = [this, name = std::move(name),
               asked = false]() mutable -> Result<std::optional<meta::ChangeEntries>> {
    Collection const known = Find(name);
    if (known == nullptr) {
      return asked ? Result(std::optional<meta::ChangeEntries>()) : NoCollection(name);
    }
    asked = true;
    return std::optional(
        meta::ChangeEntries{.drops = {CollectionEntry(name)}, .dropped = SpansOf(*known)});
  };
  Change(std::move(plan), std::move(done));
}

void ClusterCatalog::CreateSchema(std::string collection, SchemaDefinition definition,
                                  SchemaHistory::Change change,
                                  std::function<void(Result<std::shared_ptr<const Schema>>)> done) {
  auto const made = std::make_shared<std::shared_ptr<const Schema>>();
  auto plan = [this, collection = std::move(collection), definition = std::move(definition),
               change = std::move(change), name = DrawName(),
               made]() -> Result<std::optional<meta::ChangeEntries>> {
    auto const known = Collections().find(collection);
    if (known == Collections().end()) {
      return NoCollection(collection);
    }
    if (known->second.changed_by == name) {
      return std::optional<meta::ChangeEntries>();
    }
    StoredCollection changed{.info = *known->second.collection, .changed_by = name};
    uint32_t next = 1;
    for (const auto& [other, history] : changed.info.schemas) {
      next = std::max(next, history.id().value() + 1);
    }
    auto& history = changed.info.schemas.try_emplace(definition.name, SchemaId(next)).first->second;
    ASSIGN_OR_RETURN(*made, history.Add(definition, change));
    return std::optional(
        meta::ChangeEntries{.puts = {{CollectionEntry(collection), EncodeCollection(changed)}}});
  };
  Change(std::move(plan), [made, done = std::move(done)](const Status& status) {
    if (status.ok()) {
      done(*made);
    } else {
      done(status);
    }
  });
}

}  // namespace orochi::kv
