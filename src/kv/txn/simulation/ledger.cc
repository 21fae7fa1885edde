#include "kv/txn/simulation/ledger.h"

#include <algorithm>
#include <map>

#include "base/str_cat.h"
#include "kv/txn/simulation/list_rules.h"

namespace orochi::kv::simulation {
namespace {

using Lists = std::map<std::string, std::string>;
using Rows = std::vector<std::pair<std::string, std::string>>;

std::string Show(const Rows& rows) {
  std::string text;
  for (const auto& [key, value] : rows) {
    text += StrCat(" ", key, "=", value);
  }
  return text.empty() ? " nothing" : text;
}

Rows RowsOf(const Lists& lists, const Step& step) {
  Rows rows;
  for (const auto& row : lists) {
    if (step.span.Holds(row.first)) {
      rows.push_back(row);
    }
  }
  if (step.reverse) {
    std::reverse(rows.begin(), rows.end());
  }
  if (rows.size() > step.limit) {
    rows.resize(step.limit);
  }
  return rows;
}

void Replay(const History& history, Lists& lists) {
  ListRules const rules;
  for (const Step& step : history.steps) {
    if (step.reads) {
      Rows const rows = RowsOf(lists, step);
      if (rows != step.rows) {
        throw Violation(StrCat("transaction ", history.number, " at ", history.timestamp.value(),
                               " read", Show(step.rows), " from ", step.span.begin, " on, it was",
                               Show(rows)));
      }
      continue;
    }
    auto const place = lists.find(step.key);
    auto const current =
        place == lists.end() ? std::optional<std::string>() : std::optional(place->second);
    auto const evaluation = rules.Evaluate(step.operation, {.value = current});
    if (evaluation->holds != step.holds || (!step.holds && evaluation->result != step.result)) {
      throw Violation(StrCat("transaction ", history.number, " at ", history.timestamp.value(),
                             ": the condition of ", step.operation, " on ", step.key,
                             step.holds ? " held" : " did not hold", ", with ",
                             current.value_or("nothing"), " there it must not be so"));
    }
    if (!evaluation->holds) {
      continue;
    }
    if (evaluation->value) {
      lists[step.key] = *evaluation->value;
    } else {
      lists.erase(step.key);
    }
  }
}

}  // namespace

void CheckStrictlySerializable(std::vector<History> histories) {
  std::erase_if(histories, [](const History& history) { return !history.committed; });
  std::sort(histories.begin(), histories.end(), [](const History& one, const History& other) {
    return one.timestamp < other.timestamp;
  });
  Lists lists;
  const History* last_begun = nullptr;  // of those that come before
  for (const History& history : histories) {
    if (last_begun != nullptr && history.end_us < last_begun->begin_us) {
      throw Violation(StrCat("transaction ", history.number, " ended before ", last_begun->number,
                             " began and comes after it: ", history.timestamp.value(), ", ",
                             last_begun->timestamp.value()));
    }
    if (last_begun == nullptr || history.begin_us > last_begun->begin_us) {
      last_begun = &history;
    }
    Replay(history, lists);
  }
}

}  // namespace orochi::kv::simulation
