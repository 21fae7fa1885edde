#include "vexec/group_table.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "vexec/internal/order.h"

namespace orochi::vexec {
namespace {

using columnar::ColumnVector;
using columnar::PhysicalType;

constexpr size_t kSlotsMin = 256;
constexpr uint64_t kNullHash = 0x9E3779B97F4A7C15u;

/// SplitMix64's finaliser: every bit of the input reaches every bit of the result.
uint64_t Mix(uint64_t value) {
  value ^= value >> 30;
  value *= 0xBF58476D1CE4E5B9u;
  value ^= value >> 27;
  value *= 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

uint64_t Combine(uint64_t hash, uint64_t value) {
  return Mix(hash * 31 + value);
}

uint64_t WordAt(const ColumnVector& column, uint32_t row) {
  switch (column.type) {
    case PhysicalType::kBool:
      return column.Values<uint8_t>()[row];
    case PhysicalType::kInt16:
      return static_cast<uint64_t>(int64_t{column.Values<int16_t>()[row]});
    case PhysicalType::kInt32:
      return static_cast<uint64_t>(int64_t{column.Values<int32_t>()[row]});
    default:
      return static_cast<uint64_t>(column.Values<int64_t>()[row]);
  }
}

template <class Visit>
void ForEachSelected(const Selection& selection, Visit visit) {
  for (uint32_t row = selection.Next(0); row < selection.row_count();
       row = selection.Next(row + 1)) {
    visit(row);
  }
}

}  // namespace

GroupTable::GroupTable(std::vector<PhysicalType> key_types) {
  ASSERT(!key_types.empty());
  for (PhysicalType const type : key_types) {
    ASSERT(type != PhysicalType::kFloat32);
    ASSERT(type != PhysicalType::kFloat64);
    keys_.push_back({.type = type, .words = {}, .nulls = {}, .offsets = {}, .bytes = {}});
  }
  SetShare({});
}

void GroupTable::SetShare(const Share& share) {
  ASSERT(share.modulus <= kModulusMax);
  ASSERT(share.residue < share.modulus);
  share_ = share;
  std::vector<KeyColumn> emptied;
  for (const KeyColumn& key : keys_) {
    emptied.push_back({.type = key.type, .words = {}, .nulls = {}, .offsets = {0}, .bytes = {}});
  }
  keys_ = std::move(emptied);
  // New ones throughout: clearing or assigning {} keeps the memory.
  hashes_ = std::vector<uint64_t>();
  slots_ = std::vector<uint32_t>(kSlotsMin, kEmpty);
}

size_t GroupTable::memory_bytes() const {
  size_t size_bytes = hashes_.capacity() * sizeof(uint64_t) + slots_.capacity() * sizeof(uint32_t);
  for (const KeyColumn& key : keys_) {
    size_bytes += key.words.capacity() * sizeof(uint64_t) + key.nulls.capacity() +
                  key.offsets.capacity() * sizeof(uint64_t) + key.bytes.capacity();
  }
  return size_bytes;
}

void GroupTable::Assign(std::span<const ColumnVector* const> keys, Selection& selection,
                        std::vector<uint32_t>& group_of_row) {
  ASSERT(keys.size() == keys_.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    ASSERT(keys[i]->type == keys_[i].type);
    ASSERT(keys[i]->row_count == selection.row_count());
  }
  HashRows(keys, selection);
  group_of_row.resize(selection.row_count());
  uint32_t group = kEmpty;  // of the row before: sorted data repeats its keys
  ForEachSelected(selection, [&](uint32_t row) {
    uint64_t const hash = row_hashes_[row];
    if ((hash & (share_.modulus - 1)) != share_.residue) {
      selection.Remove(row);
      return;
    }
    if (group == kEmpty || hashes_[group] != hash || !Matches(keys, row, group)) {
      group = FindOrAdd(keys, row);
    }
    group_of_row[row] = group;
  });
}

void GroupTable::HashRows(std::span<const ColumnVector* const> keys, const Selection& selection) {
  row_hashes_.assign(selection.row_count(), 0);
  for (const ColumnVector* const key : keys) {
    bool const is_bytes = key->type == PhysicalType::kBytes;
    ForEachSelected(selection, [&](uint32_t row) {
      uint64_t value = kNullHash;
      if (!key->IsNull(row)) {
        value = is_bytes ? std::hash<std::string_view>{}(internal::AsText(key->BytesAt(row)))
                         : WordAt(*key, row);
      }
      row_hashes_[row] = Combine(row_hashes_[row], value);
    });
  }
}

bool GroupTable::Matches(std::span<const ColumnVector* const> keys, uint32_t row,
                         uint32_t group) const {
  for (size_t i = 0; i < keys.size(); ++i) {
    const ColumnVector& column = *keys[i];
    const KeyColumn& key = keys_[i];
    bool const is_null = column.IsNull(row);
    if (is_null != (key.nulls[group] != 0)) {
      return false;
    }
    if (is_null) {
      continue;
    }
    bool const equal = key.type == PhysicalType::kBytes
                           ? internal::AsText(column.BytesAt(row)) == key.BytesAt(group)
                           : WordAt(column, row) == key.words[group];
    if (!equal) {
      return false;
    }
  }
  return true;
}

uint32_t GroupTable::FindOrAdd(std::span<const ColumnVector* const> keys, uint32_t row) {
  uint64_t const hash = row_hashes_[row];
  size_t slot = SlotOf(hash);
  // Ends: at most half of the slots are taken.
  while (slots_[slot] != kEmpty) {
    uint32_t const group = slots_[slot];
    if (hashes_[group] == hash && Matches(keys, row, group)) {
      return group;
    }
    slot = (slot + 1) & (slots_.size() - 1);
  }
  uint32_t const group = AddGroup(keys, row);
  slots_[slot] = group;
  if (hashes_.size() * 2 > slots_.size()) {
    Grow();
  }
  return group;
}

uint32_t GroupTable::AddGroup(std::span<const ColumnVector* const> keys, uint32_t row) {
  ASSERT(hashes_.size() < kEmpty);
  for (size_t i = 0; i < keys.size(); ++i) {
    const ColumnVector& column = *keys[i];
    KeyColumn& key = keys_[i];
    bool const is_null = column.IsNull(row);
    key.nulls.push_back(is_null ? 1 : 0);
    if (key.type == PhysicalType::kBytes) {
      if (!is_null) {
        key.bytes.append(internal::AsText(column.BytesAt(row)));
      }
      key.offsets.push_back(key.bytes.size());
    } else {
      key.words.push_back(is_null ? 0 : WordAt(column, row));
    }
  }
  hashes_.push_back(row_hashes_[row]);
  return static_cast<uint32_t>(hashes_.size() - 1);
}

void GroupTable::Grow() {
  slots_.assign(slots_.size() * 2, kEmpty);
  for (uint32_t group = 0; group < hashes_.size(); ++group) {
    size_t slot = SlotOf(hashes_[group]);
    while (slots_[slot] != kEmpty) {
      slot = (slot + 1) & (slots_.size() - 1);
    }
    slots_[slot] = group;
  }
}

}  // namespace orochi::vexec
