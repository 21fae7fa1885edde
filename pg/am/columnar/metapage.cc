#include "pg/am/columnar/metapage.h"

#include <cstddef>

#include "codec/crc32c.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/bridge.h"
#include "pg/injection.h"

extern "C" {
#include "access/generic_xlog.h"
#include "access/transam.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "catalog/namespace.h"
#include "catalog/storage.h"
#include "catalog/storage_xlog.h"
#include "commands/sequence.h"
#include "storage/bufmgr.h"
#include "storage/bufpage.h"
#include "storage/freespace.h"
#include "storage/lmgr.h"
#include "storage/smgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg {
namespace {

constexpr uint32_t kMagic = 0x4F434D31;  // "OCM1"
constexpr uint32_t kVersion = 2;
// A page lock of that number guards something else than a page: see LockReservations.
constexpr BlockNumber kReservationsLockBlock = 1;
constexpr int kClaimTries = 5;
constexpr long kClaimPauseMicroseconds = 1000;
static_assert(kPagePayloadBytes == BLCKSZ - SizeOfPageHeaderData);

Metapage* MetapageOf(Page page) {
  return reinterpret_cast<Metapage*>(PageGetContents(page));
}

uint32_t ChecksumOf(const Metapage& metapage) {
  return codec::Crc32c(
      std::as_bytes(std::span(&metapage, 1)).first<offsetof(Metapage, checksum)>());
}

void FillMetapage(Page page, uint64_t storage_id) {
  PageInit(page, BLCKSZ, 0);
  *MetapageOf(page) = Metapage{.magic = kMagic,
                               .version = kVersion,
                               .storage_id = storage_id,
                               .next_offset_bytes = 0,
                               .next_row_number = 0,
                               .next_stripe_number = 1,
                               .moved_stripe_count = 0,
                               .reserved = 0,
                               .stub_directory = 0,
                               .stub_directory_levels = 0,
                               .checksum = 0,
                               .unused = 0};
  MetapageOf(page)->checksum = ChecksumOf(*MetapageOf(page));
  auto* const header = reinterpret_cast<PageHeader>(page);
  header->pd_lower = static_cast<LocationIndex>(reinterpret_cast<char*>(MetapageOf(page) + 1) -
                                                static_cast<char*>(page));
  header->pd_upper = header->pd_lower;  // heap's code finds no room here
}

bool LooksRight(const Metapage& metapage) {
  return metapage.magic == kMagic && metapage.version == kVersion &&
         metapage.checksum == ChecksumOf(metapage) &&
         metapage.next_offset_bytes % kPagePayloadBytes == 0 && metapage.next_stripe_number > 0;
}

void RequireRight(Relation relation, const Metapage& metapage) {
  if (LooksRight(metapage)) {
    return;
  }
  if (metapage.magic == kMagic && metapage.version != kVersion) {
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("columnar table \"%s\" has format version %u, this library reads %u",
                    RelationGetRelationName(relation), metapage.version, kVersion),
             errhint("Install the version of orochi that wrote the table, or a newer one.")));
  }
  uint32_t const checksum = ChecksumOf(metapage);
  if (metapage.magic == kMagic && metapage.checksum != checksum) {
    ereport(
        ERROR,
        (errcode(ERRCODE_DATA_CORRUPTED),
         errmsg("metapage of columnar table \"%s\": checksum mismatch: CRC-32C is %u, expected %u",
                RelationGetRelationName(relation), checksum, metapage.checksum)));
  }
  ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
                  errmsg("block 0 of columnar table \"%s\" is not a metapage",
                         RelationGetRelationName(relation)),
                  errdetail("Found magic %08X, version %u; expected magic %08X, version %u.",
                            metapage.magic, metapage.version, kMagic, kVersion)));
}

// Block 0 under an exclusive lock, changed by `change(Metapage&)` and logged. `change` does not
// fail and returns whether there is anything to write.
template <class Change>
void UpdateMetapage(Relation relation, Change change) {
  GenericXLogState* const state = GenericXLogStart(relation);
  Buffer const buffer = ReadBuffer(relation, 0);
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  Page const page = GenericXLogRegisterBuffer(state, buffer, 0);
  Metapage* const metapage = MetapageOf(page);
  RequireRight(relation, *metapage);
  if (change(*metapage)) {
    metapage->checksum = ChecksumOf(*metapage);
    WAL_RECORD("metapage", GenericXLogFinish(state));
  } else {
    GenericXLogAbort(state);
  }
  UnlockReleaseBuffer(buffer);
}

// Through shared buffers, so that the checkpointer knows of it before the WAL record can be passed.
void WriteFirstBlock(const RelFileNode& node, ForkNumber fork, bool permanent, bool log,
                     uint64_t storage_id) {
  Buffer const buffer =
      ReadBufferWithoutRelcache(node, fork, P_NEW, RBM_ZERO_AND_LOCK, nullptr, permanent);
  START_CRIT_SECTION();
  FillMetapage(BufferGetPage(buffer), storage_id);
  MarkBufferDirty(buffer);
  if (log) {
    WAL_RECORD("first_block", log_newpage_buffer(buffer, true));
  }
  END_CRIT_SECTION();
  UnlockReleaseBuffer(buffer);
}

}  // namespace

Metapage ReadMetapage(Relation relation) noexcept {
  Buffer const buffer = ReadBuffer(relation, 0);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  Metapage const metapage = *MetapageOf(BufferGetPage(buffer));
  UnlockReleaseBuffer(buffer);
  RequireRight(relation, metapage);
  return metapage;
}

bool TryReadMetapage(Relation relation, Metapage* metapage) noexcept {
  SMgrRelation const smgr = RelationGetSmgr(relation);
  if (!smgrexists(smgr, MAIN_FORKNUM) || smgrnblocks(smgr, MAIN_FORKNUM) == 0) {
    return false;
  }
  if (RELATION_IS_OTHER_TEMP(relation)) {
    // A crashed session's temporary table: its buffers died with it, the file is all there is.
    PGAlignedBlock block;
    smgrread(smgr, MAIN_FORKNUM, 0, block.data);
    *metapage = *MetapageOf(block.data);
  } else {
    Buffer const buffer = ReadBuffer(relation, 0);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    *metapage = *MetapageOf(BufferGetPage(buffer));
    UnlockReleaseBuffer(buffer);
  }
  return LooksRight(*metapage);
}

uint64_t NextStorageId() noexcept {
  Oid const schema = get_namespace_oid("orochi", false);
  Oid const sequence = get_relname_relid("columnar_storage_id_seq", schema);
  if (!OidIsValid(sequence)) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_OBJECT),
                    errmsg("sequence orochi.columnar_storage_id_seq does not exist"),
                    errhint("Run ALTER EXTENSION orochi UPDATE.")));
  }
  return static_cast<uint64_t>(nextval_internal(sequence, false));
}

void CreateStorage(const RelFileNode& node, char persistence, uint64_t storage_id) noexcept {
  SMgrRelation const smgr = RelationCreateStorage(node, persistence, true);
  if (persistence == RELPERSISTENCE_TEMP) {
    PGAlignedBlock block;
    FillMetapage(block.data, storage_id);
    PageSetChecksumInplace(block.data, 0);
    smgrextend(smgr, MAIN_FORKNUM, 0, block.data, true);
    return;
  }
  bool const permanent = persistence == RELPERSISTENCE_PERMANENT;
  WriteFirstBlock(node, MAIN_FORKNUM, permanent, permanent && XLogIsNeeded(), storage_id);
  if (!permanent) {
    smgrcreate(smgr, INIT_FORKNUM, false);
    log_smgrcreate(&node, INIT_FORKNUM);
    WriteFirstBlock(node, INIT_FORKNUM, true, true, 0);
  }
}

void RecreateMetapage(Relation relation, uint64_t storage_id) noexcept {
  Buffer const buffer =
      ReadBufferExtended(relation, MAIN_FORKNUM, P_NEW, RBM_ZERO_AND_LOCK, nullptr);
  START_CRIT_SECTION();
  FillMetapage(BufferGetPage(buffer), storage_id);
  MarkBufferDirty(buffer);
  if (RelationNeedsWAL(relation)) {
    WAL_RECORD("first_block_again", log_newpage_buffer(buffer, true));
  }
  END_CRIT_SECTION();
  UnlockReleaseBuffer(buffer);
}

StripeReservation ReserveStripe(Relation relation, uint64_t row_count) noexcept {
  // Fetched before the lock: a sequence is not something to wait for while holding a buffer.
  uint64_t const fresh_id = ReadMetapage(relation).storage_id == 0 ? NextStorageId() : 0;
  StripeReservation reservation{};
  UpdateMetapage(relation, [&](Metapage& metapage) {
    if (metapage.storage_id == 0) {
      metapage.storage_id = fresh_id;
    }
    reservation = {.storage_id = metapage.storage_id,
                   .stripe_number = metapage.next_stripe_number,
                   .first_row_number = metapage.next_row_number};
    metapage.next_stripe_number += 1;
    metapage.next_row_number += row_count;
    return true;
  });
  return reservation;
}

void LockReservations(Relation relation, LOCKMODE mode) noexcept {
  LockPage(relation, kReservationsLockBlock, mode);
}

void UnlockReservations(Relation relation, LOCKMODE mode) noexcept {
  UnlockPage(relation, kReservationsLockBlock, mode);
}

namespace {

// Makes a free page one of a stripe, or such a one free again. Not logged: until the stripe's bytes
// are, it is an empty page of either kind. False when it is not free, or somebody has it pinned,
// perhaps to read it as a row page.
bool ClaimPage(Relation relation, BlockNumber block) {
  Buffer const buffer = ReadBuffer(relation, block);
  bool claimed = false;
  // The checkpointer's pin is short, that of a cursor is not.
  for (int i = 0; i < kClaimTries && !claimed; ++i) {
    if (i > 0) {
      pg_usleep(kClaimPauseMicroseconds);
    }
    if (ConditionalLockBufferForCleanup(buffer)) {
      if (!IsFreePage(block, BufferGetPage(buffer))) {
        i = kClaimTries;
      } else {
        InitStripePage(BufferGetPage(buffer), 0);
        MarkBufferDirty(buffer);
        claimed = true;
      }
      LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
    }
  }
  ReleaseBuffer(buffer);
  return claimed;
}

void UnclaimPage(Relation relation, BlockNumber block) {
  Buffer const buffer = ReadBuffer(relation, block);
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  PageInit(BufferGetPage(buffer), BLCKSZ, 0);
  MarkBufferDirty(buffer);
  UnlockReleaseBuffer(buffer);
}

}  // namespace

BlockNumber ClaimPages(Relation relation, BlockNumber first, BlockNumber count) noexcept {
  for (BlockNumber block = first; block < first + count; ++block) {
    if (!ClaimPage(relation, block)) {
      for (BlockNumber claimed = first; claimed < block; ++claimed) {
        UnclaimPage(relation, claimed);
      }
      return block;
    }
  }
  for (BlockNumber block = first; block < first + count; ++block) {
    RecordPageWithFreeSpace(relation, block, 0);
  }
  return InvalidBlockNumber;
}

void ReturnRowNumbers(Relation relation, const RowNumbersLeft& left) noexcept {
  if (left.used_end == left.reserved_end) {
    return;
  }
  UpdateMetapage(relation, [&](Metapage& metapage) {
    bool const give_back = metapage.next_row_number == left.reserved_end;
    if (give_back) {
      metapage.next_row_number = left.used_end;
    }
    return give_back;
  });
}

bool ExtendRowReservation(Relation relation, uint64_t end_row_number,
                          uint64_t additional) noexcept {
  bool extended = false;
  UpdateMetapage(relation, [&](Metapage& metapage) {
    extended = metapage.next_row_number == end_row_number;
    if (extended) {
      metapage.next_row_number += additional;
    }
    return extended;
  });
  return extended;
}

uint64_t ReserveBytes(Relation relation, uint64_t size_bytes) noexcept {
  uint64_t const page_count = (size_bytes + kPagePayloadBytes - 1) / kPagePayloadBytes;
  LockRelationForExtension(relation, ExclusiveLock);
  BlockNumber const first_block = smgrnblocks(RelationGetSmgr(relation), MAIN_FORKNUM);
  uint64_t const offset_bytes = uint64_t{first_block - 1} * kPagePayloadBytes;
  uint64_t const end_block = first_block + page_count;
  if (end_block >= MaxBlockNumber) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("cannot extend columnar table \"%s\" beyond %u blocks",
                           RelationGetRelationName(relation), MaxBlockNumber)));
  }
  // The file first: when the disk is full, nothing was reserved. Never a moment without a header:
  // heap's code, looking for room on the last page, would take a new one for its own.
  for (uint64_t block = first_block; block < end_block; ++block) {
    Buffer const buffer =
        ReadBufferExtended(relation, MAIN_FORKNUM, P_NEW, RBM_ZERO_AND_LOCK, nullptr);
    InitStripePage(BufferGetPage(buffer), 0);
    MarkBufferDirty(buffer);
    UnlockReleaseBuffer(buffer);
  }
  UpdateMetapage(relation, [&](Metapage& metapage) {
    metapage.next_offset_bytes = offset_bytes + page_count * kPagePayloadBytes;
    return true;
  });
  UnlockRelationForExtension(relation, ExclusiveLock);
  return offset_bytes;
}

void MarkStripesMoved(Relation relation) noexcept {
  UpdateMetapage(relation, [](Metapage& metapage) {
    metapage.moved_stripe_count = metapage.next_stripe_number - 1;
    return true;
  });
}

void MarkStripeMoved(Relation relation, uint64_t stripe_number) noexcept {
  UpdateMetapage(relation, [&](Metapage& metapage) {
    if (metapage.moved_stripe_count + 1 != stripe_number) {
      return false;
    }
    metapage.moved_stripe_count = stripe_number;
    return true;
  });
}

void AddStubDirectoryRoot(Relation relation, Buffer added,
                          void (*init)(Page page, uint32_t level,
                                       BlockNumber below) noexcept) noexcept {
  Buffer const first = ReadBuffer(relation, 0);
  LockBuffer(first, BUFFER_LOCK_EXCLUSIVE);
  GenericXLogState* const state = GenericXLogStart(relation);
  Metapage* const metapage = MetapageOf(GenericXLogRegisterBuffer(state, first, 0));
  init(GenericXLogRegisterBuffer(state, added, GENERIC_XLOG_FULL_IMAGE),
       metapage->stub_directory_levels, metapage->stub_directory);
  metapage->stub_directory = BufferGetBlockNumber(added);
  metapage->stub_directory_levels += 1;
  metapage->checksum = ChecksumOf(*metapage);
  WAL_RECORD("directory_grown", GenericXLogFinish(state));
  UnlockReleaseBuffer(first);
}

bool RelocateStubDirectory(Relation relation, BlockNumber to) noexcept {
  Buffer const first = ReadBuffer(relation, 0);
  LockBuffer(first, BUFFER_LOCK_EXCLUSIVE);
  BlockNumber const from = MetapageOf(BufferGetPage(first))->stub_directory;
  Buffer const source = ReadBuffer(relation, from);
  LockBuffer(source, BUFFER_LOCK_EXCLUSIVE);
  Buffer const target = ReadBuffer(relation, to);
  bool const is_locked = ConditionalLockBufferForCleanup(target);
  bool const can_copy = is_locked && IsFreePage(to, BufferGetPage(target)) &&
                        KindOf(from, BufferGetPage(source)) == PageKind::kDirectory;
  if (can_copy) {
    GenericXLogState* const state = GenericXLogStart(relation);
    Metapage* const metapage = MetapageOf(GenericXLogRegisterBuffer(state, first, 0));
    std::memcpy(GenericXLogRegisterBuffer(state, target, GENERIC_XLOG_FULL_IMAGE),
                BufferGetPage(source), BLCKSZ);
    PageInit(GenericXLogRegisterBuffer(state, source, GENERIC_XLOG_FULL_IMAGE), BLCKSZ, 0);
    metapage->stub_directory = to;
    metapage->checksum = ChecksumOf(*metapage);
    WAL_RECORD("stub_root_moved", GenericXLogFinish(state));
  }
  if (is_locked) {
    LockBuffer(target, BUFFER_LOCK_UNLOCK);
  }
  ReleaseBuffer(target);
  UnlockReleaseBuffer(source);
  UnlockReleaseBuffer(first);
  return can_copy;
}

void SetEndOffset(Relation relation, uint64_t next_offset_bytes) noexcept {
  UpdateMetapage(relation, [&](Metapage& metapage) {
    metapage.next_offset_bytes = next_offset_bytes;
    return true;
  });
}

}  // namespace orochi::pg
