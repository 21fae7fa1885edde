#include "kv/engine/mem_engine.h"

#include <iterator>
#include <utility>

#include "base/assert.h"

namespace orochi::kv {
namespace {

using Map = MemEngine::Map;
using State = MemEngine::State;

void Apply(const WriteBatch& batch, State& state) {
  for (const WriteBatch::Change& change : batch.changes()) {
    Map& map = state[static_cast<size_t>(change.family)];
    if (change.value) {
      map[change.key] = *change.value;
    } else {
      map.erase(change.key);
    }
  }
}

std::optional<std::string> Find(const State& state, Family family, std::string_view key) {
  const Map& map = state[static_cast<size_t>(family)];
  auto const found = map.find(key);
  return found == map.end() ? std::nullopt : std::optional(found->second);
}

class MemCursor final : public Cursor {
 public:
  MemCursor(std::shared_ptr<const State> state, Family family)
      : state_(std::move(state)), map_((*state_)[static_cast<size_t>(family)]), at_(map_.end()) {}

  void Seek(std::string_view key) override { at_ = map_.lower_bound(key); }
  void SeekBefore(std::string_view key) override {
    at_ = key.empty() ? map_.end() : map_.lower_bound(key);
    at_ = at_ == map_.begin() ? map_.end() : std::prev(at_);
  }
  void Next() override {
    ASSERT(Valid());
    ++at_;
  }
  void Previous() override {
    ASSERT(Valid());
    at_ = at_ == map_.begin() ? map_.end() : std::prev(at_);
  }
  bool Valid() const override { return at_ != map_.end(); }
  std::string_view key() const override { return at_->first; }
  std::string_view value() const override { return at_->second; }
  Status status() const override { return Status::Ok(); }

 private:
  const std::shared_ptr<const State> state_;  // shared with the engine, until it writes
  const Map& map_;
  Map::const_iterator at_;
};

class MemSnapshot final : public Reader {
 public:
  explicit MemSnapshot(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    return Find(*state_, family, key);
  }
  std::unique_ptr<Cursor> NewCursor(Family family) const override {
    return std::make_unique<MemCursor>(state_, family);
  }

 private:
  const std::shared_ptr<const State> state_;  // shared with the engine, until it writes
};

}  // namespace

Status MemEngine::Write(const WriteBatch& batch) {
  if (current_.use_count() > 1) {
    current_ = std::make_shared<State>(*current_);
  }
  Apply(batch, *current_);
  unflushed_.push_back(batch);
  return Status::Ok();
}

Result<std::optional<std::string>> MemEngine::Get(Family family, std::string_view key) const {
  return Find(*current_, family, key);
}

std::unique_ptr<Cursor> MemEngine::NewCursor(Family family) const {
  return std::make_unique<MemCursor>(current_, family);
}

std::unique_ptr<Reader> MemEngine::TakeSnapshot() const {
  return std::make_unique<MemSnapshot>(current_);
}

Status MemEngine::Flush() {
  for (const WriteBatch& batch : unflushed_) {
    Apply(batch, flushed_);
  }
  unflushed_.clear();
  return Status::Ok();
}

raft::LogIndex MemEngine::FlushedApplied(log::GroupId group) const {
  auto const value = Find(flushed_, Family::kMeta, AppliedKey(group));
  if (!value) {
    return {};
  }
  Result<raft::LogIndex> const index = DecodeApplied(*value);
  ASSERT(index.ok());
  return *index;
}

Result<uint64_t> MemEngine::ApproximateSize(Family family, const KeyRange& range) const {
  const Map& map = (*current_)[static_cast<size_t>(family)];
  uint64_t size_bytes = 0;
  for (auto at = map.lower_bound(range.begin); at != map.end() && range.Contains(at->first); ++at) {
    size_bytes += at->first.size() + at->second.size();
  }
  return size_bytes;
}

void MemEngine::Crash(Random& random) {
  unflushed_.resize(random.Below(unflushed_.size() + 1));
  for (const WriteBatch& batch : unflushed_) {
    Apply(batch, flushed_);
  }
  unflushed_.clear();
  current_ = std::make_shared<State>(flushed_);
}

}  // namespace orochi::kv
