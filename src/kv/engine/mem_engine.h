#pragma once

#include <array>
#include <map>
#include <memory>
#include <vector>

#include "base/random.h"
#include "kv/engine/engine.h"

namespace orochi::kv {

/// An engine in memory whose crashes lose what an engine may lose: for simulation and tests. A
/// write while a snapshot is held copies everything.
///
/// Threads: none.
class MemEngine final : public Engine {
 public:
  using Map = std::map<std::string, std::string, std::less<>>;
  using State = std::array<Map, kFamilyCount>;

  Status Write(const WriteBatch& batch) override;
  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override;
  std::unique_ptr<Cursor> NewCursor(Family family) const override;
  std::unique_ptr<Reader> TakeSnapshot() const override;
  Status Flush() override;
  raft::LogIndex FlushedApplied(log::GroupId group) const override;
  Result<uint64_t> ApproximateSize(Family family, const KeyRange& range) const override;

  /// Loses any number of the last batches that were not flushed.
  void Crash(Random& random);

 private:
  std::shared_ptr<State> current_ = std::make_shared<State>();
  State flushed_;
  std::vector<WriteBatch> unflushed_;
};

}  // namespace orochi::kv
