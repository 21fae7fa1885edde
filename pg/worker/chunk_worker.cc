#include "pg/worker/chunk_worker.h"

#include "base/str_cat.h"
#include "pg/hypertable/catalog.h"
#include "pg/hypertable/chunk_creation.h"
#include "pg/injection.h"
#include "pg/settings.h"

extern "C" {
#include "pgstat.h"
#include "port/atomics.h"
#include "postmaster/bgworker.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lmgr.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

PGDLLEXPORT void orochi_chunk_worker_main(Datum arg);
}

namespace orochi::pg {
namespace {

enum WorkerState : uint32 { kRunning = 0, kDone = 1, kFailed = 2 };

// Shared between the session and its worker; `state` is written last and read first.
struct ChunkRequest {
  pg_atomic_uint32 state;
  Oid database;
  Oid hypertable;
  int64_t ticks;
  int lock_timeout_ms;
  PGPROC* leader;
  int leader_pid;
  // The worker's error, when state is kFailed.
  int sqlstate;
  char message[1024];
  char detail[1024];
  char hint[512];
};

// Beyond its lock timeout a worker only does a bounded amount of work.
constexpr int kGraceMs = 10'000;
constexpr int kSlotRetryMs = 20;
constexpr int kPollMs = 1'000;

int64_t NowMs() {
  return GetCurrentTimestamp() / 1000;
}

void WaitForLatch(int64_t timeout_ms) {
  TryPg([&]() noexcept {
    WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
              static_cast<long>(timeout_ms), PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
  });
  CheckInterrupts();
}

// Asks for a worker until a slot is free or the time is up.
Result<BackgroundWorkerHandle*> StartWorker(dsm_handle segment, Oid hypertable) {
  BackgroundWorker worker = {};
  worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
  worker.bgw_restart_time = BGW_NEVER_RESTART;
  worker.bgw_main_arg = UInt32GetDatum(segment);
  worker.bgw_notify_pid = MyProcPid;
  strlcpy(worker.bgw_library_name, "orochi", sizeof(worker.bgw_library_name));
  strlcpy(worker.bgw_function_name, "orochi_chunk_worker_main", sizeof(worker.bgw_function_name));
  strlcpy(worker.bgw_type, "orochi chunk creation", sizeof(worker.bgw_type));
  snprintf(worker.bgw_name, sizeof(worker.bgw_name), "orochi chunk creation for relation %u",
           hypertable);
  int64_t const deadline = NowMs() + settings.chunk_create_timeout_ms;
  for (;;) {
    BackgroundWorkerHandle* handle = nullptr;
    if (TryPg([&]() noexcept { return RegisterDynamicBackgroundWorker(&worker, &handle); })) {
      return handle;
    }
    if (NowMs() >= deadline) {
      return Status::ResourceExhausted(
                 StrCat("no background worker was free for ", settings.chunk_create_timeout_ms,
                        " ms to create a chunk of ", QualifiedName(hypertable)))
          .WithHint("Raise max_worker_processes, and restart PostgreSQL.");
    }
    WaitForLatch(kSlotRetryMs);
  }
}

Status AwaitWorker(ChunkRequest* request, BackgroundWorkerHandle* handle) {
  int64_t const deadline = NowMs() + request->lock_timeout_ms + kGraceMs;
  for (;;) {
    if (pg_atomic_read_u32(&request->state) != kRunning) {
      return Status::Ok();
    }
    pid_t pid = 0;
    BgwHandleStatus const status =
        TryPg([&]() noexcept { return GetBackgroundWorkerPid(handle, &pid); });
    if (status == BGWH_STOPPED && pg_atomic_read_u32(&request->state) == kRunning) {
      return Status::Unavailable(StrCat("the background worker that was to create a chunk of ",
                                        QualifiedName(request->hypertable), " ended early"))
          .WithHint("The server log says why. Run the statement again.");
    }
    int64_t const left_ms = deadline - NowMs();
    if (left_ms <= 0) {
      return Status::Timeout(StrCat("the background worker that was to create a chunk of ",
                                    QualifiedName(request->hypertable), " did not end within ",
                                    request->lock_timeout_ms + kGraceMs, " ms"))
          .WithHint(
              "Look for what it waits on in pg_stat_activity; "
              "orochi.chunk_create_timeout sets the time.");
    }
    WaitForLatch(std::min<int64_t>(left_ms, kPollMs));
  }
}

// The worker's error as an error of this statement, SQLSTATE included.
[[noreturn]] void RaiseWorkerError(const ChunkRequest& request) {
  TryPg([&]() noexcept {
    ereport(ERROR, (errcode(request.sqlstate), errmsg("%s", request.message),
                    request.detail[0] == '\0' ? 0 : errdetail("%s", request.detail),
                    request.hint[0] == '\0' ? 0 : errhint("%s", request.hint),
                    errcontext("creating a chunk in a background worker")));
  });
  pg_unreachable();
}

// The answer to the session, and the end of the worker's transaction.
void KeepError(ChunkRequest* request, const Status& status) {
  request->sqlstate = SqlStateOf(status.code());
  strlcpy(request->message, status.message().c_str(), sizeof(request->message));
  strlcpy(request->detail, status.detail().c_str(), sizeof(request->detail));
  strlcpy(request->hint, status.hint().c_str(), sizeof(request->hint));
}

void KeepError(ChunkRequest* request, const CaughtError& error) {
  KeepError(request, StatusFromError(error));
  request->sqlstate = error.data->sqlerrcode;
  if (request->sqlstate == ERRCODE_LOCK_NOT_AVAILABLE) {
    strlcpy(request->detail,
            "Another session holds a lock that creating a chunk of the hypertable conflicts with.",
            sizeof(request->detail));
    strlcpy(request->hint,
            "Wait for that session to commit; orochi.chunk_create_timeout sets how long to wait.",
            sizeof(request->hint));
  }
}

Status CreateCommitted(ChunkRequest* request) {
  std::string const lock_timeout = StrCat(request->lock_timeout_ms);
  const char* const c_lock_timeout = lock_timeout.c_str();
  TryPg([&]() noexcept {
    SetConfigOption("lock_timeout", c_lock_timeout, PGC_USERSET, PGC_S_SESSION);
    // The database's or the server's defaults are for sessions; one that overrode them writes.
    SetConfigOption("default_transaction_read_only", "off", PGC_USERSET, PGC_S_SESSION);
    SetConfigOption("default_transaction_isolation", "read committed", PGC_USERSET, PGC_S_SESSION);
    StartTransactionCommand();
    PushActiveSnapshot(GetTransactionSnapshot());
    pgstat_report_activity(STATE_RUNNING, "creating a chunk");
    // The hypertable may have been dropped since the leader asked; its own lock forbids that.
    LockRelationOid(request->hypertable, ShareUpdateExclusiveLock);
  });
  INJECTION_POINT("chunk_worker_locked");
  ASSIGN_OR_RETURN(std::optional<Hypertable> const hypertable,
                   LookupHypertable(request->hypertable));
  if (!hypertable.has_value()) {
    return Status::FailedPrecondition(StrCat("table ", QualifiedName(request->hypertable),
                                             " is not a hypertable for other sessions yet"))
        .WithHint("Commit the transaction that made it one.");
  }
  ASSIGN_OR_RETURN(Chunk const chunk, CreateChunk(*hypertable, request->ticks));
  (void)chunk;
  INJECTION_POINT("chunk_worker_attached");
  TryPg([]() noexcept {
    PopActiveSnapshot();
    CommitTransactionCommand();
  });
  INJECTION_POINT("chunk_worker_committed");
  return Status::Ok();
}

Status RunWorker(Datum arg) {
  dsm_segment* const segment = TryPg([&]() noexcept { return dsm_attach(DatumGetUInt32(arg)); });
  if (segment == nullptr) {
    return Status::Ok();  // The session that asked has given up.
  }
  auto* const request = static_cast<ChunkRequest*>(dsm_segment_address(segment));
  // Before any heavyweight lock: one that waits outside the group could close a hidden cycle.
  if (!TryPg(
          [&]() noexcept { return BecomeLockGroupMember(request->leader, request->leader_pid); })) {
    return Status::Ok();
  }
  bool failed = false;
  try {
    TryPg([&]() noexcept {
      BackgroundWorkerInitializeConnectionByOid(request->database, InvalidOid, 0);
    });
    if (Status const status = CreateCommitted(request); !status.ok()) {
      KeepError(request, status);
      failed = true;
    }
  } catch (const CaughtError& error) {
    KeepError(request, error);
    failed = true;
  }
  if (failed) {
    TryPg([]() noexcept { AbortCurrentTransaction(); });
  }
  pg_write_barrier();
  pg_atomic_write_u32(&request->state, failed ? kFailed : kDone);
  SetLatch(&request->leader->procLatch);
  return Status::Ok();
}

}  // namespace

Status CreateChunkInWorker(Oid hypertable, int64_t ticks) {
  dsm_segment* const segment = TryPg([]() noexcept {
    BecomeLockGroupLeader();
    return dsm_create(sizeof(ChunkRequest), 0);
  });
  auto* const request = static_cast<ChunkRequest*>(dsm_segment_address(segment));
  std::memset(static_cast<void*>(request), 0, sizeof(*request));
  pg_atomic_init_u32(&request->state, kRunning);
  request->database = MyDatabaseId;
  request->hypertable = hypertable;
  request->ticks = ticks;
  request->lock_timeout_ms = settings.chunk_create_timeout_ms;
  request->leader = MyProc;
  request->leader_pid = MyProcPid;
  ASSIGN_OR_RETURN(BackgroundWorkerHandle* const handle,
                   StartWorker(dsm_segment_handle(segment), hypertable));
  Status status;
  try {
    status = AwaitWorker(request, handle);
  } catch (const CaughtError&) {  // The user cancelled.
    TerminateBackgroundWorker(handle);
    throw;
  }
  if (!status.ok()) {
    TerminateBackgroundWorker(handle);
    return status;
  }
  if (pg_atomic_read_u32(&request->state) == kFailed) {
    pg_read_barrier();
    RaiseWorkerError(*request);  // The segment goes with the statement's resources.
  }
  TryPg([&]() noexcept {
    dsm_detach(segment);
    pfree(handle);
  });
  return Status::Ok();
}

}  // namespace orochi::pg

void orochi_chunk_worker_main(Datum arg) {
  pqsignal(SIGTERM, die);
  BackgroundWorkerUnblockSignals();
  orochi::pg::Boundary([&]() -> orochi::Status { return orochi::pg::RunWorker(arg); });
  proc_exit(0);
}
