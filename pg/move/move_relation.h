#pragma once

#include "pg/bridge.h"

/// The move: gives a table another access method, or its own anew, without a moment in which a
/// reader sees fewer rows. One transaction, five steps:
///
///   1. lock      SHARE ROW EXCLUSIVE: readers go on, writers wait.
///   2. copy      every row into a new relation of the target access method, in the wanted order,
///                visible to whoever can open that relation; count both.
///   3. indexes   the same indexes on the copy.
///   4. wait      for every transaction with a snapshot old enough to see other rows than those
///                copied. A chunk nobody has written to lately needs no wait.
///   5. swap      under ACCESS EXCLUSIVE, asked for in short turns, exchange files, access method
///                and TOAST table in the catalog; drop the old ones.
///
/// Until the transaction commits nothing has changed for anyone else; an error or crash at any
/// point leaves the table as it was. docs/decisions has the reasons.
namespace orochi::pg {

struct MoveRequest {
  Oid relation;
  Oid access_method;
  /// Text of an ORDER BY list, or null: the key ChooseOrderKey finds when the target is columnar,
  /// else the order in which the rows are read.
  const char* order_by;
  /// What the user called, for messages: "compress_chunk".
  const char* command;
  /// Nothing to do when the table has the access method already.
  bool only_if_different;
  /// An error when the table has another access method, or no order to write its rows in.
  bool only_sorts = false;
  /// The procedure that does the same to all chunks of a hypertable, for messages; null without
  /// one.
  const char* for_chunks = nullptr;
};

/// Whether the table was moved; false only when `only_if_different` and it was there already.
/// REQUIRES: a transaction, inside a Boundary.
Result<bool> MoveRelation(const MoveRequest& request);

}  // namespace orochi::pg
