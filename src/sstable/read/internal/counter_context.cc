#include "sstable/read/internal/counter_context.h"

#include <cstring>

#include "base/str_cat.h"
#include "sstable/format/big_endian.h"

namespace orochi::sstable::internal {

namespace {

constexpr size_t kCountSizeBytes = 2;
constexpr size_t kHeaderEntrySizeBytes = 2;
constexpr size_t kIdSizeBytes = 16;
constexpr size_t kShardSizeBytes = 32;
constexpr uint16_t kGlobalBit = 0x8000;

enum class Rank : uint8_t { kRemote, kLocal, kGlobal };

struct Shard {
  const std::byte* id = nullptr;
  int64_t clock = 0;
  int64_t count = 0;
  Rank rank = Rank::kRemote;
};

size_t HeaderSizeBytes(Bytes context) {
  if (context.size() < kCountSizeBytes) {
    return context.size();
  }
  // Contexts of 2.0 had a negative count for the same number of entries.
  auto const count = static_cast<int16_t>(LoadBigEndian<uint16_t>(context.data()));
  size_t const entries = static_cast<size_t>(count < 0 ? -int{count} : int{count});
  return kCountSizeBytes + entries * kHeaderEntrySizeBytes;
}

// The shards one after the other. Header entries are ascending by index too.
class ShardReader {
 public:
  explicit ShardReader(Bytes context)
      : context_(context), shard_at_(HeaderSizeBytes(context)), header_end_(shard_at_) {}

  bool Next(Shard& shard) {
    if (shard_at_ + kShardSizeBytes > context_.size()) {
      return false;
    }
    shard.rank = Rank::kRemote;
    if (header_at_ + kHeaderEntrySizeBytes <= header_end_) {
      auto const entry = LoadBigEndian<uint16_t>(context_.data() + header_at_);
      if ((entry & ~kGlobalBit) == index_) {
        shard.rank = (entry & kGlobalBit) != 0 ? Rank::kGlobal : Rank::kLocal;
        header_at_ += kHeaderEntrySizeBytes;
      }
    }
    const std::byte* const at = context_.data() + shard_at_;
    shard.id = at;
    shard.clock = static_cast<int64_t>(LoadBigEndian<uint64_t>(at + kIdSizeBytes));
    shard.count = static_cast<int64_t>(LoadBigEndian<uint64_t>(at + kIdSizeBytes + 8));
    shard_at_ += kShardSizeBytes;
    ++index_;
    return true;
  }

 private:
  Bytes context_;
  size_t header_at_ = kCountSizeBytes;
  size_t shard_at_;
  size_t header_end_;
  size_t index_ = 0;
};

Shard Resolve(const Shard& left, const Shard& right) {
  if (left.rank != right.rank) {
    return left.rank > right.rank ? left : right;
  }
  if (left.rank == Rank::kLocal) {
    Shard sum = left;
    sum.clock = static_cast<int64_t>(static_cast<uint64_t>(left.clock) +
                                     static_cast<uint64_t>(right.clock));
    sum.count = static_cast<int64_t>(static_cast<uint64_t>(left.count) +
                                     static_cast<uint64_t>(right.count));
    return sum;
  }
  if (left.clock != right.clock) {
    return left.clock > right.clock ? left : right;
  }
  return left.count >= right.count ? left : right;
}

}  // namespace

Status CheckCounterContext(Bytes context) {
  size_t const header_size_bytes = HeaderSizeBytes(context);
  if (context.size() < kCountSizeBytes || context.size() < header_size_bytes ||
      (context.size() - header_size_bytes) % kShardSizeBytes != 0) {
    return Status::Corruption(StrCat("a counter of ", context.size(), " bytes with a header of ",
                                     header_size_bytes, " is not made of shards of ",
                                     kShardSizeBytes, " bytes"));
  }
  return Status::Ok();
}

void MergeCounterContexts(Bytes left, Bytes right, std::vector<std::byte>& out) {
  std::vector<Shard> shards;
  ShardReader left_reader(left);
  ShardReader right_reader(right);
  Shard a;
  Shard b;
  bool has_a = left_reader.Next(a);
  bool has_b = right_reader.Next(b);
  while (has_a || has_b) {
    int const order = !has_a ? 1 : !has_b ? -1 : std::memcmp(a.id, b.id, kIdSizeBytes);
    shards.push_back(order == 0 ? Resolve(a, b) : order < 0 ? a : b);
    has_a = order <= 0 ? left_reader.Next(a) : has_a;
    has_b = order >= 0 ? right_reader.Next(b) : has_b;
  }
  uint16_t entries = 0;
  for (const Shard& shard : shards) {
    entries = static_cast<uint16_t>(entries + (shard.rank != Rank::kRemote ? 1 : 0));
  }
  AppendBigEndian(out, entries);
  for (size_t index = 0; index < shards.size(); ++index) {
    if (shards[index].rank != Rank::kRemote) {
      AppendBigEndian(out, static_cast<uint16_t>(
                               index | (shards[index].rank == Rank::kGlobal ? kGlobalBit : 0)));
    }
  }
  for (const Shard& shard : shards) {
    AppendBytes(out, {shard.id, kIdSizeBytes});
    AppendBigEndian(out, shard.clock);
    AppendBigEndian(out, shard.count);
  }
}

int64_t CounterTotal(Bytes context) {
  uint64_t total = 0;
  ShardReader reader(context);
  Shard shard;
  while (reader.Next(shard)) {
    total += static_cast<uint64_t>(shard.count);
  }
  return static_cast<int64_t>(total);
}

}  // namespace orochi::sstable::internal
