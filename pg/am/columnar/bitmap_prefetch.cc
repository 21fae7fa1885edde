// Bitmap heap scans ask the kernel for blocks ahead by tuple id. Tuple ids of columnar tables name
// rows, not blocks: the blocks may not exist, and past the first gigabyte's worth of them that is
// an error. So those scans do not look ahead; reading a stripe does so itself.

#include "pg/am/columnar/bitmap_prefetch.h"

#include "pg/am/columnar/relation_reader.h"

extern "C" {
#include "executor/executor.h"
#include "nodes/execnodes.h"
#include "nodes/nodeFuncs.h"
}

namespace orochi::pg {
namespace {

ExecutorStart_hook_type previous_executor_start = nullptr;

bool StopPrefetch(PlanState* state, void* context) noexcept {
  if (state == nullptr) {
    return false;
  }
  if (IsA(state, BitmapHeapScanState)) {
    auto* const scan = reinterpret_cast<BitmapHeapScanState*>(state);
    if (scan->ss.ss_currentRelation != nullptr && IsColumnar(scan->ss.ss_currentRelation)) {
      scan->prefetch_maximum = 0;
    }
  }
  return planstate_tree_walker(
      state, reinterpret_cast<bool (*)()>(reinterpret_cast<void*>(StopPrefetch)), context);
}

void OnExecutorStart(QueryDesc* query, int flags) {
  if (previous_executor_start != nullptr) {
    previous_executor_start(query, flags);
  } else {
    standard_ExecutorStart(query, flags);
  }
  StopPrefetch(query->planstate, nullptr);
}

}  // namespace

void RegisterBitmapPrefetch() {
  previous_executor_start = ExecutorStart_hook;
  ExecutorStart_hook = OnExecutorStart;
}

}  // namespace orochi::pg
