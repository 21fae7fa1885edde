#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/page_kind.h"
#include "pg/am/columnar/stub_page.h"

extern "C" {
#include "storage/buf.h"
#include "utils/relcache.h"
}

/// The pages that stubs lie on: one chain for each segment of rows, and the directory that leads to
/// the chains, whose root the metapage names. All plain, may ereport.
///
/// Locks: the directory's last page, then the chain's pages from its first on. Whoever walks a
/// chain gets the next page's lock before letting go of the last one, so that VACUUM may take pages
/// out of it.
namespace orochi::pg::stub_chain {

inline constexpr Size kTrailerBytes = MAXALIGN(sizeof(PageTrailer));

/// A page of that kind, locked. ERRCODE_DATA_CORRUPTED when the block is something else.
Buffer ReadKind(Relation relation, BlockNumber block, int lock, PageKind kind,
                const char* expected);

/// The directory's page that names the segment's chain, locked; InvalidBuffer when there is none.
/// `entry` is the segment's place on it.
Buffer FindLeaf(Relation relation, const Metapage& metapage, uint64_t segment, int lock,
                uint32_t* entry);
/// The entries of a directory page.
BlockNumber* EntriesOf(Page page);

/// The chain's first page, locked for sharing, or InvalidBuffer.
Buffer FirstPage(Relation relation, uint64_t segment);
/// Lets go of the page and gives the next one, locked for sharing, or InvalidBuffer.
Buffer NextPage(Relation relation, Buffer current);

/// Puts a page in front of the segment's chain unless somebody did so since it began with `seen`.
void AddFirstPage(Relation relation, uint64_t segment, BlockNumber seen);
/// Puts a page behind the segment's last one. Only VACUUM does.
void AddLastPage(Relation relation, BlockNumber last);
/// Takes an empty page out of the chain and makes it an empty row page. False when somebody put
/// something on it. Only VACUUM does.
bool RemovePage(Relation relation, uint64_t segment, BlockNumber block);
/// Copies a stub or directory page to the empty row page `to` and leaves an empty row page. False
/// when the block is neither, or somebody has it pinned. `alone`: under AccessExclusiveLock, which
/// directory pages below the root need, since they are found without holding the page above. Only
/// VACUUM does.
bool RelocatePage(Relation relation, BlockNumber block, BlockNumber to, bool alone);

}  // namespace orochi::pg::stub_chain
