#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "kv/catalog/collection_codec.h"
#include "kv/gateway/catalog.h"
#include "kv/node/node.h"

namespace orochi::kv {

/// Collections and schemas as entries of the cluster map, which the meta group decides about. A
/// change is made from what this node knows and holds if nobody was faster; else it is made anew.
///
/// Threads: none.    Borrows: node, random. What is under way when it goes is not answered.
class ClusterCatalog final : public Catalog {
 public:
  /// `random` must differ between nodes: it names changes.
  ClusterCatalog(Node& node, Random& random) : node_(node), random_(random) {}

  Collection Find(std::string_view name) const override;
  std::vector<Collection> List() const override;
  void Refresh(std::function<void(Status)> done) override;
  void CreateCollection(CollectionDefinition definition,
                        std::function<void(Result<Collection>)> done) override;
  void DropCollection(std::string name, std::function<void(Status)> done) override;
  void CreateSchema(std::string collection, SchemaDefinition definition,
                    SchemaHistory::Change change,
                    std::function<void(Result<std::shared_ptr<const Schema>>)> done) override;

 private:
  struct Known {
    std::string bytes;
    Collection collection;
    std::string changed_by;
  };
  /// What to ask for, from what is known now; nothing when it is so already.
  using Plan = std::function<Result<std::optional<meta::ChangeEntries>>()>;

  const std::map<std::string, Known, std::less<>>& Collections() const;
  std::string DrawName();
  uint32_t PartitionCountOf(const CollectionDefinition& definition) const;
  void Change(Plan plan, std::function<void(Status)> done, int attempt = 0);
  template <class... Arguments>
  std::function<void(Arguments...)> WhileHere(std::function<void(Arguments...)> body) {
    return [here = std::weak_ptr<int>(here_), body = std::move(body)](Arguments... arguments) {
      if (!here.expired()) {
        body(std::move(arguments)...);
      }
    };
  }

  Node& node_;
  Random& random_;
  mutable uint64_t version_ = 0;  // of the map that collections_ is made from
  mutable std::map<std::string, Known, std::less<>> collections_;
  std::shared_ptr<int> here_ = std::make_shared<int>(0);
};

}  // namespace orochi::kv
