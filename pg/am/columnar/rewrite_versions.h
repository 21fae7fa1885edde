#pragma once

#include "pg/compat.h"

#include "pg/am/columnar/vacuum_run.h"

namespace orochi::pg::columnar_am {

/// VACUUM FULL and CLUSTER write rows that all snapshots in use see alike to stripes, which know no
/// single row's writer. The others are row versions: what some snapshot does not see yet, or sees
/// still though it was updated or deleted. Those go to row pages by heap's own rewrite, with the
/// transactions that wrote and ended them and the chains between them (decision 0016).
///
/// Plain: all may ereport. REQUIRES: AccessExclusiveLock on both relations.

/// Rows that the present sees and that are versions to keep.
struct NewRows {
  struct Stripe {
    StripeEntry entry;
    TransactionId writer;
  };
  vacuum::PlainArray<Stripe> stripes;   // too new as a whole, by first row number
  vacuum::PlainArray<uint64_t> places;  // on row pages: numbers of their tuple ids, ascending

  bool Has(const ItemPointerData& tid) const noexcept;
};

NewRows FindNewRows(Relation relation, TransactionId oldest_xmin) noexcept;

struct RewriteLimits {
  TransactionId oldest_xmin;
  TransactionId freeze_limit;
  MultiXactId multi_limit;
};

struct VersionCounts {
  double live;
  double recently_dead;
};

/// Writes all versions, of `new_rows` and those that ended, behind what `to` has.
VersionCounts WriteVersions(Relation from, Relation to, const NewRows& new_rows,
                            const RewriteLimits& limits) noexcept;

}  // namespace orochi::pg::columnar_am
