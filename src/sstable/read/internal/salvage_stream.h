#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "sstable/read/internal/partition_cursor.h"
#include "sstable/read/internal/partition_starts.h"
#include "sstable/read/internal/salvage_source.h"

namespace orochi::sstable::internal {

/// Every partition, row and marker that can be read, around what cannot.
///
/// 1. Partitions are read one after the other. Where a partition's start cannot be read, the index
///    says where the next one is, and often this one's key.
/// 2. Where a row cannot be read, every position behind it is tried as the start of a row: it is
///    one when rows follow each other from it (FindRow).
/// 3. Range tombstones are cut at the rows around a gap, unless the same one is open at both sides.
///
/// Life: as UnfilteredStream.    Borrows: everything given.
class SalvageStream final : public UnfilteredStream {
 public:
  SalvageStream(io::FileSystem& files, const std::string& directory, const SalvageSource& source,
                SalvageReport& report);

  const Layout& layout() const override { return source_.layout; }
  Result<bool> NextPartition() override;
  const PartitionView& partition() const override { return partition_; }
  const Unfiltered& static_row() const override { return *static_row_; }
  Result<bool> Next() override;
  const Unfiltered& current() const override { return *current_; }

 private:
  /// A row or marker from which reading can go on, and the range tombstone open there.
  struct Resume {
    uint64_t position_bytes = 0;
    DeletionTime cover;
  };
  struct Marker {
    ClusteringPrefix clustering;
    DeletionTime close = {};
    DeletionTime open = {};
  };
  enum class Chain : uint8_t { kNone, kOne, kSeveral };

  const PartitionStarts& starts();
  uint64_t DataEnd() const { return source_.data->size_bytes(); }
  uint64_t NextStart(uint64_t position_bytes);
  uint64_t SureStart(uint64_t position_bytes);
  bool IsPartition(uint64_t position_bytes);

  Status OpenPartition(bool& opened);
  Status OpenBroken(const Status& why, bool& opened);
  void LosePartitions(uint64_t begin_bytes, const Status& why);
  Status CheckKey(uint64_t position_bytes, Bytes key);
  void BeginPartition(const PartitionView& partition);
  void BeginRows();

  Status Advance();
  Status Pass(const Unfiltered& current);
  Status CheckPlace(const Unfiltered& current) const;
  Status CheckCells(const Unfiltered& row) const;
  void CloseAtEnd();
  void Gap(uint64_t begin_bytes, const Status& why);
  void CutTombstone(const Resume& resume);
  void EndHere(uint64_t begin_bytes, const Status& why);
  Marker CopyOf(const Unfiltered& marker) const;
  void Emit(const Marker& marker) { markers_.push_back(marker); }
  void LoseTombstone(uint64_t position_bytes);

  std::optional<Resume> FindRow(uint64_t begin_bytes, uint64_t end_bytes);
  Chain TryRow(PartitionCursor& probe, uint64_t position_bytes, uint64_t begin_bytes,
               uint64_t end_bytes) const;
  bool IsInTime(int64_t timestamp) const;
  bool IsInTime(const DeletionTime& deletion) const;
  bool IsLikely(const Unfiltered& unfiltered) const;
  DeletionTime CoverAt(uint64_t position_bytes) const;

  void Lose(SalvageLoss loss);

  io::FileSystem& files_;
  const std::string directory_;
  const SalvageSource& source_;
  SalvageReport& report_;
  PartitionSource partition_source_;
  PartitionCursor cursor_;
  std::unique_ptr<PartitionStarts> starts_;  // loaded when something is damaged

  Status error_;
  uint64_t next_position_bytes_ = 0;
  bool in_partition_ = false;
  bool has_last_key_ = false;
  std::vector<std::byte> key_;
  std::vector<std::byte> last_key_;
  PartitionView partition_;
  Unfiltered empty_static_row_;
  const Unfiltered* static_row_;

  bool ended_ = true;  // no row of the partition is to come but those pending
  bool has_last_ = false;
  ClusteringPrefix last_;       // of the row or marker read last
  DeletionTime cover_;          // the range tombstone open behind it
  std::optional<Marker> held_;  // opened cover_, and is handed out when a row follows
  DeletionTime resumed_cover_;  // open where reading went on, and not handed out yet
  std::deque<Marker> markers_;  // to hand out before the row
  bool has_row_ = false;        // the cursor's is to be handed out
  Marker marker_;
  Unfiltered marker_view_;
  const Unfiltered* current_ = nullptr;
};

}  // namespace orochi::sstable::internal
