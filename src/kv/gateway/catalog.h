#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/record/schema_history.h"
#include "kv/record/storage_key.h"

namespace orochi::kv {

inline constexpr uint32_t kPartitionCountMax = 65'536;

struct CollectionDefinition {
  std::string name;  // 1 to kNameSizeBytesMax bytes of UTF-8
  Distribution distribution = Distribution::kHash;
  uint32_t partition_count = 0;  // to begin with; 0: what the store thinks right

  friend bool operator==(const CollectionDefinition&, const CollectionDefinition&) = default;
};

/// kInvalidArgument says what is wrong with it. Who creates collections asks.
Status CheckCollection(const CollectionDefinition& definition);

/// A collection and its schemas as of one moment. Immutable.
struct CollectionInfo {
  CollectionId id;  // not given to another one when this is dropped
  CollectionDefinition definition;
  std::map<std::string, SchemaHistory, std::less<>> schemas{};

  KeySpace space() const { return {.collection = id, .distribution = definition.distribution}; }
  const SchemaHistory* FindSchema(std::string_view name) const {
    auto const place = schemas.find(name);
    return place == schemas.end() ? nullptr : &place->second;
  }
};

/// The collections there are, as this node knows them, and their changes, which the cluster
/// decides. What a node knows may be old, never something that was not decided.
///
/// Calls that take `done` answer once, not from within the call; kUnavailable when nobody decides
/// at the moment, kOutcomeUnknown when it may have been decided. Threads: none.
class Catalog {
 public:
  using Collection = std::shared_ptr<const CollectionInfo>;

  virtual ~Catalog() = default;

  /// nullptr: not known here (yet, or any more).
  virtual Collection Find(std::string_view name) const = 0;
  /// By name.
  virtual std::vector<Collection> List() const = 0;
  /// After done(ok) Find and List show all that was decided before the call.
  virtual void Refresh(std::function<void(Status)> done) = 0;

  /// When it is done, Find shows it. kAlreadyExists.
  virtual void CreateCollection(CollectionDefinition definition,
                                std::function<void(Result<Collection>)> done) = 0;
  /// kNotFound.
  virtual void DropCollection(std::string name, std::function<void(Status)> done) = 0;
  /// A version of a schema, the first or a further one; errors are SchemaHistory::Add's and
  /// kNotFound for the collection.
  virtual void CreateSchema(std::string collection, SchemaDefinition definition,
                            SchemaHistory::Change change,
                            std::function<void(Result<std::shared_ptr<const Schema>>)> done) = 0;
};

}  // namespace orochi::kv
