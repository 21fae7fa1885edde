#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "columnar/column.h"
#include "vexec/selection.h"

namespace orochi::vexec {

/// Finds the group of each row of a batch by one or more key columns: equal values are one group,
/// NULL is equal to NULL, as GROUP BY has it. Keys are booleans, integers and bytes; floats are
/// refused, because equal ones may have different bits. Groups are numbered as they appear.
///
/// A table that grows too large for its owner is emptied and filled again with a share of the keys
/// at a time (SetShare), so that memory is bounded whatever the number of groups.
///
/// Threads: none.
class GroupTable {
 public:
  /// The keys whose hash is `residue` modulo `modulus`, a power of two up to kModulusMax.
  struct Share {
    uint64_t modulus = 1;
    uint64_t residue = 0;
  };
  static constexpr uint64_t kModulusMax = 1 << 20;

  /// REQUIRES: at least one key, no float.
  explicit GroupTable(std::vector<columnar::PhysicalType> key_types);

  /// Empties the table and makes it take only this share.
  void SetShare(const Share& share);

  /// Sets group_of_row[row] for every selected row; rows of other shares are removed from
  /// `selection`. group_of_row gets row_count entries.
  /// REQUIRES: a vector of the right type and row count for each key.
  void Assign(std::span<const columnar::ColumnVector* const> keys, Selection& selection,
              std::vector<uint32_t>& group_of_row);

  size_t group_count() const { return hashes_.size(); }
  size_t memory_bytes() const;

  bool IsNull(size_t key, size_t group) const { return keys_[key].nulls[group] != 0; }
  /// As in Cell::word. REQUIRES: not bytes.
  uint64_t Word(size_t key, size_t group) const { return keys_[key].words[group]; }
  std::string_view Bytes(size_t key, size_t group) const { return keys_[key].BytesAt(group); }

 private:
  struct KeyColumn {
    columnar::PhysicalType type;
    std::vector<uint64_t> words;    // by group; empty for bytes
    std::vector<uint8_t> nulls;     // by group
    std::vector<uint64_t> offsets;  // bytes: group i is [offsets[i], offsets[i + 1])
    std::string bytes;

    std::string_view BytesAt(size_t group) const {
      return std::string_view(bytes).substr(offsets[group], offsets[group + 1] - offsets[group]);
    }
  };
  static constexpr uint32_t kEmpty = ~uint32_t{0};

  void HashRows(std::span<const columnar::ColumnVector* const> keys, const Selection& selection);
  bool Matches(std::span<const columnar::ColumnVector* const> keys, uint32_t row,
               uint32_t group) const;
  uint32_t FindOrAdd(std::span<const columnar::ColumnVector* const> keys, uint32_t row);
  uint32_t AddGroup(std::span<const columnar::ColumnVector* const> keys, uint32_t row);
  void Grow();
  size_t SlotOf(uint64_t hash) const { return (hash >> 24) & (slots_.size() - 1); }

  Share share_;
  std::vector<KeyColumn> keys_;
  std::vector<uint64_t> hashes_;  // by group
  std::vector<uint32_t> slots_;   // open addressing, a power of two: group or kEmpty
  std::vector<uint64_t> row_hashes_;
};

}  // namespace orochi::vexec
