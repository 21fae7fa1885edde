#pragma once

#include <array>
#include <map>
#include <string>

#include "kv/engine/reader.h"
#include "kv/engine/write_batch.h"

namespace orochi::kv {

/// A state in memory that tests and simulations copy.
class MapState final : public Reader {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;

  void Apply(const WriteBatch& batch);
  const Map& map(Family family) const { return maps_[static_cast<size_t>(family)]; }

  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override;
  std::unique_ptr<Cursor> NewCursor(Family family) const override;

 private:
  std::array<Map, kFamilyCount> maps_;
};

}  // namespace orochi::kv
