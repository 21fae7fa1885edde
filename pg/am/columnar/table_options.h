#pragma once

#include "pg/compat.h"

#include "columnar/stripe_writer.h"

extern "C" {
#include "utils/relcache.h"
}

namespace orochi::pg {

/// How a columnar table is written, as its owner chose: what orochi.columnar_option says.
///
/// Options are the table's: they stay while it is heap and go when it is dropped. An option that a
/// partition does not choose is that of the nearest partitioned table above it that does. What
/// nobody chose is the setting orochi.columnar_*, and for the order what ChooseOrderKey derives.
/// Everything here is plain PostgreSQL code that may ereport.
enum class ColumnarOption : uint8_t {
  kOrderBy,
  kCompression,
  kLevel,
  kRowGroupRows,
  kStripeRows,
};
inline constexpr int kColumnarOptionCount = 5;

struct TableOptions {
  /// For which table each was chosen: itself or one above it; InvalidOid where nobody chose.
  Oid chosen_for[kColumnarOptionCount];
  /// The values of those that were chosen. order_by is an ORDER BY list, palloc'd; empty when the
  /// owner wants none.
  const char* order_by;
  int compression;  // codec::Compression
  int level;
  int row_group_rows;
  int stripe_rows;

  Oid chosen(ColumnarOption option) const { return chosen_for[static_cast<int>(option)]; }
};

/// Own and inherited choices. A relation that stands in for another while that is rewritten has
/// those of the other. REQUIRES: a lock on the relation.
TableOptions OptionsOf(Relation relation) noexcept;

/// How stripes of the relation are written: what was chosen, else the settings.
columnar::StripeOptions StripeOptionsOf(Relation relation) noexcept;

}  // namespace orochi::pg
