#include "pg/am/columnar/byte_stream.h"

#include "base/str_cat.h"
#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/am/columnar/stub_map.h"
#include "pg/bridge.h"
#include "pg/injection.h"

extern "C" {
#include "access/xloginsert.h"
#include "catalog/storage.h"
#include "commands/vacuum.h"
#include "executor/instrument.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "utils/rel.h"
}

namespace orochi::pg {
namespace {

BlockNumber BlockOf(uint64_t offset_bytes) {
  return static_cast<BlockNumber>(1 + offset_bytes / kPagePayloadBytes);
}

// How many blocks ahead of the one being copied are asked for.
constexpr uint32_t kPrefetchBlocks = 32;

// How many blocks this backend had to read into its buffers.
int64_t BlocksRead() {
  return pgBufferUsage.shared_blks_read + pgBufferUsage.local_blks_read;
}

}  // namespace

BlockRun PagesOf(const StripeEntry& entry) {
  BlockNumber const first = BlockOf(entry.offset_bytes);
  return {.first = first,
          .end = BlockOf(entry.offset_bytes + entry.size_bytes + kPagePayloadBytes - 1)};
}

void WriteStream(Relation relation, uint64_t offset_bytes, const std::byte* bytes,
                 uint64_t size_bytes) noexcept {
  BufferAccessStrategy const strategy =
      size_bytes > 32 * BLCKSZ ? GetAccessStrategy(BAS_BULKWRITE) : nullptr;
  BlockNumber block = BlockOf(offset_bytes);
  for (uint64_t done = 0; done < size_bytes; ++block) {
    uint64_t const count = std::min<uint64_t>(kPagePayloadBytes, size_bytes - done);
    Buffer const buffer =
        ReadBufferExtended(relation, MAIN_FORKNUM, block, RBM_ZERO_AND_LOCK, strategy);
    START_CRIT_SECTION();
    Page const page = BufferGetPage(buffer);
    InitStripePage(page, static_cast<uint32_t>(count));
    std::memcpy(static_cast<char*>(page) + SizeOfPageHeaderData, bytes + done, count);
    MarkBufferDirty(buffer);
    if (RelationNeedsWAL(relation)) {
      WAL_RECORD("stripe_page", log_newpage_buffer(buffer, true));
    }
    END_CRIT_SECTION();
    UnlockReleaseBuffer(buffer);
    done += count;
  }
  if (strategy != nullptr) {
    FreeAccessStrategy(strategy);
  }
}

void CopyStripePages(Relation relation, const BlockRun& from, BlockNumber to) noexcept {
  BufferAccessStrategy const strategy = GetAccessStrategy(BAS_VACUUM);
  PGAlignedBlock copy;
  for (BlockNumber block = from.first; block < from.end; ++block, ++to) {
    vacuum_delay_point();
    Buffer const source = ReadBufferExtended(relation, MAIN_FORKNUM, block, RBM_NORMAL, strategy);
    LockBuffer(source, BUFFER_LOCK_SHARE);
    std::memcpy(copy.data, BufferGetPage(source), BLCKSZ);
    UnlockReleaseBuffer(source);
    if (KindOf(block, copy.data) != PageKind::kStripe) {
      ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                      errmsg("block %u of columnar table \"%s\" is not a page of a stripe", block,
                             RelationGetRelationName(relation))));
    }
    Buffer const target =
        ReadBufferExtended(relation, MAIN_FORKNUM, to, RBM_ZERO_AND_LOCK, strategy);
    START_CRIT_SECTION();
    std::memcpy(BufferGetPage(target), copy.data, BLCKSZ);
    MarkBufferDirty(target);
    if (RelationNeedsWAL(relation)) {
      WAL_RECORD("stripe_page_copy", log_newpage_buffer(target, true));
    }
    END_CRIT_SECTION();
    UnlockReleaseBuffer(target);
  }
  FreeAccessStrategy(strategy);
}

void TruncateStream(Relation relation, uint64_t end_offset_bytes) noexcept {
  stub_map::ForgetKnown();
  RelationTruncate(relation, BlockOf(end_offset_bytes + kPagePayloadBytes - 1));
}

Status StreamFile::ReadExact(uint64_t offset_bytes, std::span<std::byte> out) const {
  struct Outcome {
    BlockNumber bad_block = InvalidBlockNumber;
    BlockNumber block_count = 0;
    uint32_t found_bytes = 0;
    uint32_t expected_bytes = 0;
  };
  if (offset_bytes / kPagePayloadBytes >= MaxBlockNumber - 1 ||
      out.size() >
          (uint64_t{MaxBlockNumber} - offset_bytes / kPagePayloadBytes) * kPagePayloadBytes) {
    return Status::OutOfRange(StrCat("bytes from ", offset_bytes, " on are past any relation"));
  }
  BlockNumber const first = BlockOf(offset_bytes);
  BlockNumber const last = BlockOf(offset_bytes + (out.empty() ? 0 : out.size() - 1));
  Outcome const outcome = TryPg([&]() noexcept -> Outcome {
    Outcome result;
    if (last >= block_count_) {  // the file does not shrink while the relation is locked
      block_count_ = RelationGetNumberOfBlocks(relation_);
    }
    result.block_count = block_count_;
    if (last >= block_count_) {
      result.bad_block = last;
      return result;
    }
    // Looking ahead costs a search of shared buffers a block: not as long as all are there.
    bool looks_ahead = false;
    BlockNumber prefetched = first;
    uint64_t done = 0;
    for (BlockNumber block = first; done < out.size(); ++block) {
      prefetched = std::max(prefetched, block);
      for (; looks_ahead && prefetched < std::min(last, block + kPrefetchBlocks); ++prefetched) {
        PrefetchBuffer(relation_, MAIN_FORKNUM, prefetched + 1);
      }
      uint64_t const within = (offset_bytes + done) % kPagePayloadBytes;
      uint64_t const count = std::min<uint64_t>(kPagePayloadBytes - within, out.size() - done);
      int64_t const blocks_read = BlocksRead();
      Buffer const buffer = ReadBuffer(relation_, block);
      looks_ahead = looks_ahead || BlocksRead() != blocks_read;
      LockBuffer(buffer, BUFFER_LOCK_SHARE);
      Page const page = BufferGetPage(buffer);
      uint32_t const filled = KindOf(block, page) != PageKind::kStripe
                                  ? 0
                                  : reinterpret_cast<PageHeader>(page)->pd_lower -
                                        static_cast<uint32_t>(SizeOfPageHeaderData);
      if (within + count > filled) {
        result.bad_block = block;
        result.found_bytes = filled;
        result.expected_bytes = static_cast<uint32_t>(within + count);
        UnlockReleaseBuffer(buffer);
        return result;
      }
      std::memcpy(out.data() + done, static_cast<char*>(page) + SizeOfPageHeaderData + within,
                  count);
      UnlockReleaseBuffer(buffer);
      done += count;
      CHECK_FOR_INTERRUPTS();
    }
    return result;
  });
  if (outcome.bad_block >= outcome.block_count && outcome.bad_block != InvalidBlockNumber) {
    return Status::Corruption(StrCat("the file has ", outcome.block_count, " blocks, block ",
                                     outcome.bad_block, " is needed"));
  }
  if (outcome.bad_block != InvalidBlockNumber) {
    return Status::Corruption(StrCat("block ", outcome.bad_block, " holds ", outcome.found_bytes,
                                     " bytes of data, ", outcome.expected_bytes, " expected"));
  }
  return Status::Ok();
}

Result<uint64_t> StreamFile::SizeBytes() const {
  BlockNumber const blocks =
      TryPg([&]() noexcept -> BlockNumber { return RelationGetNumberOfBlocks(relation_); });
  return blocks == 0 ? 0 : (uint64_t{blocks} - 1) * kPagePayloadBytes;
}

}  // namespace orochi::pg
