#include "pg/move/bounded_wait.h"

#include "base/str_cat.h"
#include "pg/lock_timeout_scope.h"

extern "C" {
#include "pgstat.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/sinvaladt.h"
#include "utils/array.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/wait_event.h"
}

namespace orochi::pg {
namespace {

constexpr int kExclusiveAttemptMs = 200;  // how long one attempt may hold up new readers
constexpr int kSnapshotAttemptMs = 300;   // both less than deadlock_timeout: FailIfTheyWaitForUs
constexpr int kPauseMsMin = 20;
constexpr int kPauseMsMax = 1000;

LOCKTAG TableLockTag(Oid relation) {
  LOCKTAG tag;
  SET_LOCKTAG_RELATION(tag, MyDatabaseId, relation);
  return tag;
}

int PidOf(const VirtualTransactionId& vxid) {
  PGPROC* const proc =
      vxid.backendId == InvalidBackendId ? nullptr : BackendIdGetProc(vxid.backendId);
  return proc == nullptr ? 0 : proc->pid;
}

// Holders of locks on the table that conflict with `mode`. A prepared transaction has no process
// and appears as 0.
std::vector<int> PidsInTheWay(Oid relation, LOCKMODE mode) {
  LOCKTAG const tag = TableLockTag(relation);
  int count = 0;
  VirtualTransactionId* const vxids =
      TryPg([&]() noexcept { return GetLockConflicts(&tag, mode, &count); });
  std::vector<int> pids;
  for (int index = 0; index < count; ++index) {
    pids.push_back(PidOf(vxids[index]));
  }
  return pids;
}

bool WaitsForThisSession(int pid) {
  return pid != 0 && TryPg([pid]() noexcept {
           ArrayType* const blockers =
               DatumGetArrayTypeP(DirectFunctionCall1(pg_blocking_pids, Int32GetDatum(pid)));
           int const count = ArrayGetNItems(ARR_NDIM(blockers), ARR_DIMS(blockers));
           const auto* const pids = reinterpret_cast<const int32*>(ARR_DATA_PTR(blockers));
           return std::find(pids, pids + count, MyProcPid) != pids + count;
         });
}

std::string TableName(Oid relation) {
  const char* const name = TryPg([&]() noexcept { return get_rel_name(relation); });
  return name == nullptr ? StrCat("with OID ", relation) : StrCat("\"", name, "\"");
}

std::string Sessions(const std::vector<int>& pids) {
  std::string text;
  bool prepared = false;
  for (int const pid : pids) {
    if (pid == 0) {
      prepared = true;
      continue;
    }
    text += text.empty() ? StrCat("process ", pid) : StrCat(", ", pid);
  }
  if (prepared) {
    text += text.empty() ? "a prepared transaction" : " and a prepared transaction";
  }
  return text.empty() ? "sessions that have ended meanwhile" : text;
}

Status GaveUp(std::string message, const std::vector<int>& pids) {
  return Status::Timeout(std::move(message))
      .WithDetail(StrCat("It waits for ", Sessions(pids), "."))
      .WithHint(
          "Let those transactions end (pg_stat_activity and pg_prepared_xacts show them) and try "
          "again, or raise orochi.move_timeout.");
}

// Asked before each attempt. A session's own deadlock check runs once, deadlock_timeout after it
// began to wait, and ends that session when we wait for it at that moment. Whoever waits for us
// already is found here; whoever begins to during the attempt checks after its end, as attempts are
// shorter than deadlock_timeout. So the one that moves is the one to give up.
Status FailIfTheyWaitForUs(const std::vector<int>& pids, std::string_view table_name) {
  for (int const pid : pids) {
    if (WaitsForThisSession(pid)) {
      return Status::Aborted(StrCat("deadlock detected while moving table ", table_name))
          .WithDetail(StrCat("Process ", pid, " waits for this session, and the move for it."))
          .WithHint(
              "Try again when that transaction has ended. To move many chunks use CALL "
              "orochi.compress_chunks, which moves each in a transaction of its own.");
    }
  }
  return Status::Ok();
}

Status LockOnce(Oid relation, LOCKMODE mode, int timeout_ms) {
  LockTimeoutScope const bound(timeout_ms);
  return TryPgSubtransaction([&]() -> Status {
    TryPg([&]() noexcept { LockRelationOid(relation, mode); });
    return Status::Ok();
  });
}

void Pause(int pause_ms) {
  TryPg([&]() noexcept {
    int const events = WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, pause_ms,
                                 PG_WAIT_EXTENSION);
    if ((events & WL_LATCH_SET) != 0) {
      ResetLatch(MyLatch);
    }
    CHECK_FOR_INTERRUPTS();
  });
}

std::vector<VirtualTransactionId> OldSnapshots(TransactionId newest_change) {
  int count = 0;
  // As CREATE INDEX CONCURRENTLY does, leave out those whose snapshot reads no user table but the
  // one they work on.
  VirtualTransactionId* const vxids = TryPg([&]() noexcept {
    return GetCurrentVirtualXIDs(newest_change, true, false,
                                 PROC_IS_AUTOVACUUM | PROC_IN_VACUUM | PROC_IN_SAFE_IC, &count);
  });
  return {vxids, vxids + count};
}

std::vector<int> PidsOf(const std::vector<VirtualTransactionId>& vxids) {
  std::vector<int> pids;
  for (const VirtualTransactionId& vxid : vxids) {
    pids.push_back(PidOf(vxid));
  }
  return pids;
}

Status WaitOnce(const VirtualTransactionId& vxid, int timeout_ms) {
  LockTimeoutScope const bound(timeout_ms);
  return TryPgSubtransaction([&]() -> Status {
    TryPg([&]() noexcept { VirtualXactLock(vxid, true); });
    return Status::Ok();
  });
}

}  // namespace

int Deadline::remaining_ms() const {
  long const left_ms = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), end_);
  return static_cast<int>(std::clamp<long>(left_ms, 0, timeout_ms_));
}

Status LockTableUntil(Oid relation, LOCKMODE mode, const Deadline& deadline) {
  Status const locked = LockOnce(relation, mode, std::max(deadline.remaining_ms(), 1));
  if (locked.code() != StatusCode::kTimeout) {
    return locked;
  }
  return GaveUp(StrCat("could not lock table ", TableName(relation), " within ",
                       deadline.timeout_ms(), " ms"),
                PidsInTheWay(relation, mode));
}

Status LockTableExclusivelyInTurns(Oid relation, const Deadline& deadline) {
  for (int pause_ms = kPauseMsMin;; pause_ms = std::min(pause_ms * 2, kPauseMsMax)) {
    RETURN_IF_ERROR(
        FailIfTheyWaitForUs(PidsInTheWay(relation, AccessExclusiveLock), TableName(relation)));
    int const attempt_ms = std::clamp(deadline.remaining_ms(), 1, kExclusiveAttemptMs);
    Status const locked = LockOnce(relation, AccessExclusiveLock, attempt_ms);
    if (locked.code() != StatusCode::kTimeout) {
      return locked;
    }
    if (deadline.remaining_ms() == 0) {
      return GaveUp(StrCat("could not lock table ", TableName(relation),
                           " exclusively for the final step within ", deadline.timeout_ms(), " ms"),
                    PidsInTheWay(relation, AccessExclusiveLock));
    }
    Pause(std::min(pause_ms, std::max(deadline.remaining_ms(), 1)));
  }
}

Status WaitForSnapshotsUpTo(TransactionId newest_change, const char* table_name,
                            const Deadline& deadline) {
  // Twice: a session may have imported an old snapshot from one that the first round waited for.
  for (int round = 0; round < 2; ++round) {
    for (const VirtualTransactionId& vxid : OldSnapshots(newest_change)) {
      for (bool ended = false; !ended;) {
        RETURN_IF_ERROR(FailIfTheyWaitForUs(PidsOf(OldSnapshots(newest_change)),
                                            StrCat("\"", table_name, "\"")));
        Status const status =
            WaitOnce(vxid, std::clamp(deadline.remaining_ms(), 1, kSnapshotAttemptMs));
        ended = status.ok();
        if (ended) {
          continue;
        }
        if (status.code() != StatusCode::kTimeout) {
          return status;
        }
        if (deadline.remaining_ms() == 0) {
          return GaveUp(StrCat("snapshots older than the newest change of table \"", table_name,
                               "\" are still in use after ", deadline.timeout_ms(), " ms"),
                        PidsOf(OldSnapshots(newest_change)));
        }
      }
    }
  }
  return Status::Ok();
}

}  // namespace orochi::pg
