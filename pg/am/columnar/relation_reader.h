#pragma once

#include "pg/compat.h"

#include "base/result.h"
#include "columnar/stripe_reader.h"
#include "pg/am/columnar/byte_stream.h"
#include "pg/am/columnar/column_type.h"
#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/row_pages.h"
#include "pg/am/columnar/stripe_catalog.h"
#include "pg/am/columnar/tuple_id.h"

extern "C" {
#include "utils/relcache.h"
#include "utils/snapshot.h"
}

namespace orochi::pg {

/// Whether the relation's table access method is columnar. Never fails.
bool IsColumnar(Relation relation);

/// Rows of a row group that a snapshot does not see though it sees their stripe: updated or
/// deleted.
class HiddenRows {
 public:
  bool any() const { return count_ > 0; }
  uint64_t count() const { return count_; }
  /// `row` counts from the row group's first.
  bool Hides(uint32_t row) const {
    return count_ > 0 && ((words_[row / 64] >> (row % 64)) & 1) != 0;
  }
  /// Bit i % 64 of word i / 64 is row i. Empty unless any().
  std::span<const uint64_t> words() const {
    return {words_.data(), count_ > 0 ? words_.size() : 0};
  }

 private:
  friend class ColumnarReader;
  std::vector<uint64_t> words_;
  uint64_t count_ = 0;
};

/// Reads a columnar relation under one snapshot: which stripes are visible, their footers, and one
/// column of one row group at a time. What both the row-wise scans of the access method and the
/// batch scans above it stand on.
///
/// Life:    Open, then reads in any order; one open footer at a time is kept.
/// Threads: none.    Errors of PostgreSQL fly as CaughtError; call inside a Boundary.
/// Borrows: `relation`, open and locked, and `snapshot`, registered or active, while it lives.
class ColumnarReader {
 public:
  /// Writes out rows this backend still buffers for the relation, then lists the stripes that the
  /// snapshot sees, by stripe number. The list never changes afterwards.
  static Result<std::unique_ptr<ColumnarReader>> Open(Relation relation, Snapshot snapshot);
  ColumnarReader(const ColumnarReader&) = delete;
  ColumnarReader& operator=(const ColumnarReader&) = delete;

  Relation relation() const { return relation_; }
  const std::vector<StripeEntry>& stripes() const { return stripes_; }
  /// Rows of all visible stripes, without reading data. Those hidden by stubs count, rows on row
  /// pages do not.
  uint64_t row_count() const { return row_count_; }
  /// Whether row_count() is exact for the stripes: no row was ever updated or deleted.
  bool has_stubs() const { return has_stubs_; }
  /// Blocks that may be row pages. row_pages::RowPage reads them.
  const row_pages::Blocks& row_blocks() const { return row_blocks_; }
  Snapshot snapshot() const { return snapshot_; }

  /// Which of `row_count` rows from `first_row` on, of one visible stripe, the snapshot does not
  /// see. Checks for serialization conflicts.
  void FindHidden(uint64_t first_row, uint32_t row_count, HiddenRows& out) const;
  uint64_t storage_id() const { return storage_id_; }

  /// The footer of stripes()[stripe]; valid until Stripe or ReadColumn of another stripe.
  /// kCorruption names relation, stripe and what is wrong.
  Result<const columnar::StripeReader*> Stripe(size_t stripe);

  /// What the open stripe says of the attribute over a row group; null when the stripe is older
  /// than the column (then every row has the column's missing value, see ReadColumn).
  /// REQUIRES: stripe was opened by Stripe() last; 1 <= attribute <= natts.
  const columnar::ChunkInfo* Chunk(uint32_t row_group, AttrNumber attribute) const;

  /// Decodes one column of one row group. A column younger than the stripe gives its default at
  /// the time it was added, or NULL, for every row.
  Status ReadColumn(size_t stripe, uint32_t row_group, AttrNumber attribute,
                    columnar::ColumnVector& out);

  /// What rows older than the column have in it. Borrows from the descriptor.
  columnar::Cell MissingValue(AttrNumber attribute) const;

  const ColumnType& column_type(AttrNumber attribute) const {
    return types_[static_cast<size_t>(attribute - 1)];
  }

  /// Opens a stripe that need not be in stripes(): row fetches know the entry already.
  Result<const columnar::StripeReader*> OpenEntry(const StripeEntry& entry);
  Status ReadColumnOfOpen(uint32_t row_group, AttrNumber attribute, columnar::ColumnVector& out);
  /// One row of that, at a fraction of its price. The cell borrows until the next read.
  /// `shortcut` belongs to the column of the row group.
  Status ReadCellOfOpen(uint32_t row_group, AttrNumber attribute, uint32_t row,
                        columnar::CellShortcut& shortcut, columnar::Cell& cell);

  /// "columnar table "t", stripe 3, row group 0, column "v"", for messages about the open stripe.
  std::string NameOfColumn(uint32_t row_group, AttrNumber attribute) const;

  /// A reader without a stripe list, for row fetches: the stripe of a row is looked up. Does not
  /// write out buffered rows.
  static Result<std::unique_ptr<ColumnarReader>> OpenForFetch(Relation relation);
  std::optional<StripeEntry> FindStripeOf(uint64_t row_number, Snapshot snapshot) const;
  /// Lends the reader another handle of the same relation, when the first one was closed.
  void Rebind(Relation relation);
  /// Learns what a metapage read since says. REQUIRES: of the same storage.
  void Refresh(const Metapage& metapage);
  /// An estimate of the heap held, for bounded caches.
  size_t memory_bytes() const { return footers_bytes_ + scratch_.memory_bytes(); }
  /// Reads columns as `descriptor` has them. It differs from the relation's own while ALTER TABLE
  /// rewrites: then rows are read in their old shape.
  void Adopt(TupleDesc descriptor);
  TupleDesc descriptor() const { return descriptor_; }
  /// Counts changes of the descriptor: what was decoded before is of other types.
  uint32_t descriptor_changes() const { return descriptor_changes_; }

 private:
  explicit ColumnarReader(Relation relation);
  template <class Read>
  Status ReadOfOpen(uint32_t row_group, AttrNumber attribute, Read read);
  Status FillMissing(AttrNumber attribute, uint32_t row_count, columnar::ColumnVector& out) const;
  std::string NameOf(const StripeEntry& entry) const;

  // Footers are small next to the data and random row fetches come back to them.
  static constexpr size_t kOpenStripesMax = 64;
  static constexpr size_t kFootersBytesMax = size_t{8} << 20;

  Relation relation_;
  StreamFile file_;
  TupleDesc descriptor_ = nullptr;
  uint32_t descriptor_changes_ = 0;
  std::vector<ColumnType> types_;
  std::vector<StripeEntry> stripes_;
  uint64_t row_count_ = 0;
  uint64_t storage_id_ = 0;
  uint64_t moved_stripe_count_ = 0;
  Snapshot snapshot_ = nullptr;
  bool has_stubs_ = false;
  row_pages::Blocks row_blocks_;
  columnar::ReadScratch scratch_;  // of all footers_
  // By number and place: VACUUM may put a stripe elsewhere.
  std::map<std::pair<uint64_t, uint64_t>, columnar::StripeReader> footers_;
  size_t footers_bytes_ = 0;
  std::optional<StripeEntry> open_entry_;
  const columnar::StripeReader* open_ = nullptr;  // one of footers_
};

}  // namespace orochi::pg
