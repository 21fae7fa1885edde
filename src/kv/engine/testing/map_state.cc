#include "kv/engine/testing/map_state.h"

namespace orochi::kv {
namespace {

class MapCursor final : public Cursor {
 public:
  explicit MapCursor(const MapState::Map& map) : map_(map), at_(map.end()) {}

  void Seek(std::string_view key) override { at_ = map_.lower_bound(key); }
  void SeekBefore(std::string_view key) override {
    at_ = key.empty() ? map_.end() : map_.lower_bound(key);
    Previous();
  }
  void Next() override { ++at_; }
  void Previous() override { at_ = at_ == map_.begin() ? map_.end() : std::prev(at_); }
  bool Valid() const override { return at_ != map_.end(); }
  std::string_view key() const override { return at_->first; }
  std::string_view value() const override { return at_->second; }
  Status status() const override { return Status::Ok(); }

 private:
  const MapState::Map& map_;
  MapState::Map::const_iterator at_;
};

}  // namespace

void MapState::Apply(const WriteBatch& batch) {
  for (const WriteBatch::Change& change : batch.changes()) {
    Map& map = maps_[static_cast<size_t>(change.family)];
    if (change.value) {
      map.insert_or_assign(change.key, *change.value);
    } else {
      map.erase(change.key);
    }
  }
}

Result<std::optional<std::string>> MapState::Get(Family family, std::string_view key) const {
  const Map& in = map(family);
  auto const found = in.find(key);
  return found == in.end() ? std::optional<std::string>() : std::optional(found->second);
}

std::unique_ptr<Cursor> MapState::NewCursor(Family family) const {
  return std::make_unique<MapCursor>(map(family));
}

}  // namespace orochi::kv
