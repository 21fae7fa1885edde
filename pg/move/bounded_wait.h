#pragma once

#include "pg/bridge.h"

extern "C" {
#include "storage/lock.h"
#include "utils/timestamp.h"
}

/// Waiting for other sessions with a bound. Every wait here is a wait for a lock, so that the
/// deadlock detector and pg_blocking_pids see it; it can be cancelled; and when time is up the
/// error names the sessions that were waited for.
///
/// Life: call from a C++ frame inside a transaction; each attempt is a subtransaction. A lock taken
/// by a successful call stays until the transaction ends.
namespace orochi::pg {

/// The moment after which waiting is over.
class Deadline {
 public:
  explicit Deadline(int timeout_ms)
      : end_(TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout_ms)),
        timeout_ms_(timeout_ms) {}

  int timeout_ms() const { return timeout_ms_; }
  /// At least 1 while there is time, 0 afterwards.
  int remaining_ms() const;

 private:
  TimestampTz end_;
  int timeout_ms_;
};

/// Locks the table, queueing behind whoever holds it. kTimeout when the deadline passes first, or
/// when the session's own lock_timeout is shorter and passes.
Status LockTableUntil(Oid relation, LOCKMODE mode, const Deadline& deadline);

/// Takes ACCESS EXCLUSIVE, to which this session upgrades a weaker lock, without stopping readers
/// for long: it queues for a fraction of a second, lets everyone pass, and tries again until the
/// deadline. kAborted at once when a holder itself waits for this session.
Status LockTableExclusivelyInTurns(Oid relation, const Deadline& deadline);

/// Waits until every other transaction of this database whose snapshot may be as old as
/// `newest_change` (its xmin is not after it) has ended or dropped that snapshot.
/// `table_name` is for the error. kAborted at once when one of them waits for this session.
Status WaitForSnapshotsUpTo(TransactionId newest_change, const char* table_name,
                            const Deadline& deadline);

}  // namespace orochi::pg
