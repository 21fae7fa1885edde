#pragma once

#include "pg/compat.h"

#include <list>
#include <map>
#include <memory>

#include "pg/am/columnar/row_group_view.h"

namespace orochi::pg {

/// What fetches of single rows learnt of one relation's stripes: footers, shortcuts to cells and
/// decoded row groups. All never change, so this backend keeps them from fetch to fetch, within
/// orochi.columnar_cache_size for a relation, and from transaction to transaction, within
/// kKeptBytesMax for all relations together. Nothing in it says who sees a row.
///
/// Life:    shared by the fetchers that use it and the backend's list of caches. A fetcher keeps
///          what its last row's slot points at by a share of its own.
/// Threads: none.
class RowGroupCache {
 public:
  /// The cache of the relation's storage as it is now. Calls PostgreSQL.
  static Result<std::shared_ptr<RowGroupCache>> For(Relation relation);

  ColumnarReader& reader() { return *reader_; }

  /// A row group, decoded as far as somebody asked before. Others are forgotten when the row groups
  /// exceed orochi.columnar_cache_size, or are kViewsMax, or while fetches go from one to the next
  /// and never back.
  Result<std::shared_ptr<RowGroupView>> ViewOf(const StripeEntry& entry, uint32_t row_group);

  /// Lends it another handle of the same relation and storage.
  void Rebind(Relation relation) { reader_->Rebind(relation); }

  /// At the end of a transaction: forgets all but kKeptBytesMax.
  static void Shrink();
  /// After an error, or when a storage changed under its file: forgets everything.
  static void Clear();

 private:
  static constexpr size_t kKeptBytesMax = size_t{16} << 20;
  static constexpr size_t kViewsMax = 4096;
  // So many row groups after each other that nobody had asked for: what was decoded of those before
  // will not be asked for again, and its memory, already the process's, serves the next one.
  static constexpr uint32_t kNewInARowMax = 4;

  struct Key {
    uint64_t stripe_number;
    uint64_t offset_bytes;  // VACUUM may put a stripe elsewhere
    uint32_t row_group;
    auto operator<=>(const Key&) const = default;
  };
  struct Cached {
    Key key;
    std::shared_ptr<RowGroupView> view;
    uint64_t last_use = 0;
    size_t counted_bytes = 0;  // of the view, in views_bytes_
    bool touched = false;      // in this transaction: may have grown since it was counted
  };
  using Views = std::list<Cached>;

  explicit RowGroupCache(std::unique_ptr<ColumnarReader> reader) : reader_(std::move(reader)) {}
  std::shared_ptr<RowGroupView> NewView();
  void Count(Cached& cached);
  void CountTouched();
  bool HasRoomFor(const Cached& cached) const;
  void Touch(Views::iterator cached);
  Views::iterator Forget(Views::iterator cached);
  void ShrinkTo(size_t limit_bytes, size_t limit_count);
  void EndTransaction();

  std::unique_ptr<ColumnarReader> reader_;
  RelFileNode node_{};
  // The most recently used comes first, so that what a transaction touched is in front.
  Views views_;
  std::map<Key, Views::iterator> by_key_;
  size_t views_bytes_ = 0;
  size_t largest_view_bytes_ = 0;  // in this transaction
  uint32_t new_in_a_row_ = 0;
};

}  // namespace orochi::pg
