#pragma once

#include "pg/compat.h"

extern "C" {
#include "storage/bufmgr.h"
#include "storage/lockdefs.h"
#include "storage/relfilenode.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"
}

namespace orochi::pg {

/// Block 0 of a columnar relation's main fork: who the stored data is, and what comes next.
/// docs/formats/columnar-relation.md specifies it.
struct Metapage {
  uint32_t magic;
  uint32_t version;
  /// Identity of the data, key of orochi.columnar_stripe. 0: assigned by the first write (the init
  /// fork of an unlogged table says so, hence after a crash none of the old stripes is found).
  uint64_t storage_id;
  /// The byte of the stream after the last stripe's pages; a multiple of kPagePayloadBytes. Other
  /// pages may follow in the file.
  uint64_t next_offset_bytes;
  uint64_t next_row_number;     // never handed out twice, not even after an abort
  uint64_t next_stripe_number;  // from 1
  /// Stripes numbered up to this are visible to whoever may open the relation, whatever its
  /// snapshot: their writer waited for all older snapshots, or made the storage itself.
  uint64_t moved_stripe_count;
  uint64_t reserved;  // 0
  /// Where the directory of stub pages starts, 0 without one, and its height (row_stub.h).
  uint32_t stub_directory;
  uint32_t stub_directory_levels;
  /// CRC-32C of all bytes before it: a wrong storage_id would show another table's stripes, or drop
  /// them, without any other sign.
  uint32_t checksum;
  uint32_t unused;  // 0
};
static_assert(sizeof(Metapage) == 72);

/// Payload of blocks 1 and up: all of the page behind its header.
inline constexpr uint32_t kPagePayloadBytes = BLCKSZ - 24;

/// Everything here is plain PostgreSQL code that may ereport: call it from plain frames or inside
/// TryPg. `relation` is a columnar relation, open and locked.

/// ERRCODE_DATA_CORRUPTED when block 0 is not a metapage of ours, or damaged.
Metapage ReadMetapage(Relation relation) noexcept;
/// The same without an error: false when block 0 cannot be trusted. For DROP.
bool TryReadMetapage(Relation relation, Metapage* metapage) noexcept;

/// A storage id never used before in this database.
uint64_t NextStorageId() noexcept;

/// Creates the files of `node` and writes block 0; for an unlogged relation the init fork too.
void CreateStorage(const RelFileNode& node, char persistence, uint64_t storage_id) noexcept;
/// Writes block 0 of a relation that was just truncated to nothing.
void RecreateMetapage(Relation relation, uint64_t storage_id) noexcept;

/// What a new stripe gets: its number and `row_count` row numbers of its own.
struct StripeReservation {
  uint64_t storage_id;
  uint64_t stripe_number;
  uint64_t first_row_number;
};
StripeReservation ReserveStripe(Relation relation, uint64_t row_count) noexcept;

/// Adds `additional` row numbers behind `end_row_number`; false when another writer has those.
bool ExtendRowReservation(Relation relation, uint64_t end_row_number, uint64_t additional) noexcept;

/// Held by who takes numbers until the catalog knows of them, for sharing. VACUUM takes it
/// exclusively to learn which numbers are nobody's.
void LockReservations(Relation relation, LOCKMODE mode) noexcept;
void UnlockReservations(Relation relation, LOCKMODE mode) noexcept;

/// Takes empty row pages in the middle of the file for a stripe, instead of ReserveBytes. Answers
/// InvalidBlockNumber, or the first page that is not empty any more or that somebody looks at; then
/// none is taken. Only VACUUM does.
BlockNumber ClaimPages(Relation relation, BlockNumber first, BlockNumber count) noexcept;

/// Takes pages for `size_bytes` of the stream at the end of the file.
uint64_t ReserveBytes(Relation relation, uint64_t size_bytes) noexcept;

/// Gives row numbers from `used_end` on back if the reservation's end is still the last one.
struct RowNumbersLeft {
  uint64_t used_end;
  uint64_t reserved_end;
};
void ReturnRowNumbers(Relation relation, const RowNumbersLeft& left) noexcept;

/// Lets every snapshot see all stripes written so far (Metapage::moved_stripe_count). The caller
/// made sure that no older snapshot can be wrong about it, and is the only writer.
void MarkStripesMoved(Relation relation) noexcept;
/// Extends moved_stripe_count by one stripe if all before it are moved.
void MarkStripeMoved(Relation relation, uint64_t stripe_number) noexcept;
/// Makes a page that is new and locked the root of the directory of stub pages, above the one there
/// was, as one change. `init` lays it out.
void AddStubDirectoryRoot(Relation relation, Buffer added,
                          void (*init)(Page page, uint32_t level,
                                       BlockNumber below) noexcept) noexcept;
/// Copies the root of that directory to the empty row page `to`, as one change. False when somebody
/// has that pinned. The caller keeps others from making directory pages.
bool RelocateStubDirectory(Relation relation, BlockNumber to) noexcept;
/// Sets the end of the stream after the file was cut.
void SetEndOffset(Relation relation, uint64_t next_offset_bytes) noexcept;

}  // namespace orochi::pg
