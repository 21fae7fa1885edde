#include "pg/hooks/plan_mark.h"

namespace orochi::pg {
namespace {

constexpr int kWrites = -730'001;
constexpr int kStableSource = -730'002;
constexpr int kReads = -730'003;

void AddItem(PlannedStmt* plan, int number, uint32 value) noexcept {
  PlanInvalItem* const item = makeNode(PlanInvalItem);
  item->cacheId = number;
  item->hashValue = value;
  plan->invalItems = lcons(item, plan->invalItems);
}

}  // namespace

PlanMarks MarksOf(const PlannedStmt* plan) noexcept {
  PlanMarks marks;
  ListCell* cell = nullptr;
  foreach (cell, plan->invalItems) {
    if (IsA(lfirst(cell), Query)) {
      marks.query = static_cast<Query*>(lfirst(cell));
      continue;
    }
    auto const* const item = static_cast<const PlanInvalItem*>(lfirst(cell));
    switch (item->cacheId) {
      case kWrites:
        marks.writes = true;
        break;
      case kStableSource:
        marks.source_is_stable = true;
        break;
      case kReads:
        marks.reads = true;
        marks.partitions_hash = item->hashValue;
        break;
      default:
        return marks;  // ours come first
    }
  }
  return marks;
}

void MarkPlan(PlannedStmt* plan, const PlanMarks& marks) noexcept {
  if (marks.writes) {
    AddItem(plan, kWrites, 0);
  }
  if (marks.source_is_stable) {
    AddItem(plan, kStableSource, 0);
  }
  if (marks.query != nullptr) {
    plan->invalItems = lcons(marks.query, plan->invalItems);
  }
  if (marks.reads) {
    AddItem(plan, kReads, marks.partitions_hash);
  }
}

}  // namespace orochi::pg
