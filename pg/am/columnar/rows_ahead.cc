#include "pg/am/columnar/rows_ahead.h"

#include <algorithm>
#include <optional>

#include "pg/am/columnar/stub_page.h"

extern "C" {
#include "access/xact.h"
#include "storage/proc.h"
#include "utils/rel.h"
}

namespace orochi::pg::rows_ahead {
namespace {

constexpr size_t kGrowth = 4;

struct Announced {
  RelFileNode node{};
  LocalTransactionId transaction = InvalidLocalTransactionId;
  CommandId command_id = InvalidCommandId;
  uint64_t first_row_number = 0;
  std::vector<uint32_t> rows;
  size_t next = 0;   // the first that was not taken
  size_t count = 1;  // how many to take at once
};
Announced announced;

bool IsOfCommand(Relation relation) {
  return announced.transaction == MyProc->lxid && LocalTransactionIdIsValid(MyProc->lxid) &&
         announced.command_id == GetCurrentCommandId(false) &&
         RelFileNodeEquals(announced.node, relation->rd_node);
}

// Where the row is among those announced.
std::optional<size_t> IndexOf(Relation relation, uint64_t row_number) {
  if (!IsOfCommand(relation) || row_number < announced.first_row_number ||
      row_number - announced.first_row_number > UINT32_MAX) {
    return std::nullopt;
  }
  auto const row = static_cast<uint32_t>(row_number - announced.first_row_number);
  auto const found = std::lower_bound(announced.rows.begin(), announced.rows.end(), row);
  if (found == announced.rows.end() || *found != row) {
    return std::nullopt;
  }
  return static_cast<size_t>(found - announced.rows.begin());
}

}  // namespace

void Announce(Relation relation, uint64_t first_row_number, std::span<const uint32_t> rows) {
  if (!IsOfCommand(relation)) {
    announced.node = relation->rd_node;
    announced.transaction = MyProc->lxid;
    announced.command_id = GetCurrentCommandId(false);
    announced.count = 1;
  }
  announced.first_row_number = first_row_number;
  announced.next = 0;
  announced.rows.assign(rows.begin(), rows.end());
}

size_t Expected(Relation relation, uint64_t row_number) noexcept {
  auto const index = IndexOf(relation, row_number);
  return index ? std::min(announced.rows.size() - *index, announced.count) : 0;
}

size_t Take(Relation relation, uint64_t row_number, uint64_t* taken) noexcept {
  taken[0] = row_number;
  auto const found = IndexOf(relation, row_number);
  if (!found) {
    return 1;
  }
  size_t index = *found;
  announced.count = index == announced.next ? std::min(announced.count * kGrowth, kRowsMax)
                                            : std::max(announced.count / kGrowth, size_t{1});
  size_t count = 1;
  uint64_t const segment = row_number / stub_page::kSegmentRows;
  for (++index; index < announced.rows.size() && count < announced.count; ++index) {
    uint64_t const other = announced.first_row_number + announced.rows[index];
    if (other / stub_page::kSegmentRows != segment) {
      break;
    }
    taken[count++] = other;
  }
  announced.next = index;
  return count;
}

}  // namespace orochi::pg::rows_ahead
