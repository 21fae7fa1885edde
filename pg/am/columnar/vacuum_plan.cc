#include "pg/am/columnar/vacuum_plan.h"

#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/table_options.h"
#include "pg/am/columnar/vacuum_stubs.h"
#include "pg/bridge.h"
#include "pg/settings.h"

extern "C" {
#include "miscadmin.h"
#include "optimizer/plancat.h"
#include "utils/rel.h"
}

namespace orochi::pg::vacuum {
namespace {

// Shares of what all stripes take.
constexpr double kWasteShareMax = 1.0 / 16;
constexpr double kRowPagesShareMax = 1.0 / 40;
// So many pages are never worth the work.
constexpr double kWastedPagesMax = 2;
constexpr double kRowPagesMax = 4;
// A stripe larger than that is not small, whatever its number of rows.
constexpr double kSmallStripePagesMax = 128;

// A settled stripe.
struct Weighed {
  StripeEntry entry;
  double pages;
  double wasted_pages;
  double live_rows;
  bool is_chosen;
};

double PageCount(const StripeEntry& entry) {
  BlockRun const pages = PagesOf(entry);
  return pages.end - pages.first;
}

PlainArray<StripeEntry> SettledStripes(const Run& run) {
  PlainArray<StripeEntry> stripes{};
  Boundary([&]() -> Status {
    if (run.storage_id != 0) {
      auto const entries =
          stripe_catalog::ListSettled(run.storage_id, run.moved_stripe_count, run.oldest_xmin);
      TryPg([&]() noexcept {
        for (const StripeEntry& entry : entries) {
          stripes.Add(entry);
        }
      });
    }
    return Status::Ok();
  });
  return stripes;
}

// How many rows the stripe has in the segment.
uint64_t Overlap(const StripeEntry& stripe, uint64_t segment) {
  uint64_t const begin = std::max(stripe.first_row_number, segment * stub_page::kSegmentRows);
  uint64_t const end =
      std::min(stripe.first_row_number + stripe.row_count, (segment + 1) * stub_page::kSegmentRows);
  return end > begin ? end - begin : 0;
}

// The pages of stubs are waste of the stripes whose rows they are of, by their number of rows.
void ShareStubPages(const Run& run, PlainArray<Weighed>* stripes) {
  auto const of_segment = [&](uint64_t segment, auto visit) {
    // Stripes ascend by row number.
    Weighed* const end = stripes->items + stripes->count;
    Weighed* stripe = std::partition_point(stripes->items, end, [&](const Weighed& one) {
      return one.entry.first_row_number + one.entry.row_count <= segment * stub_page::kSegmentRows;
    });
    for (; stripe != end && Overlap(stripe->entry, segment) > 0; ++stripe) {
      visit(stripe, static_cast<double>(Overlap(stripe->entry, segment)));
    }
  };
  for (size_t i = 0; i < run.stub_segments.count; ++i) {
    const StubSegment& stubs = run.stub_segments.items[i];
    double rows = 0;
    of_segment(stubs.gone.segment, [&](Weighed*, double overlap) { rows += overlap; });
    of_segment(stubs.gone.segment, [&](Weighed* stripe, double overlap) {
      stripe->wasted_pages += stubs.page_count * overlap / rows;
    });
  }
}

// Step 2.
void ChooseWasteful(PlainArray<Weighed>* stripes) {
  double pages = 0;
  double wasted = 0;
  PlainArray<Weighed*> by_share{};
  for (size_t i = 0; i < stripes->count; ++i) {
    pages += stripes->items[i].pages;
    wasted += stripes->items[i].wasted_pages;
    by_share.Add(&stripes->items[i]);
  }
  std::sort(by_share.items, by_share.items + by_share.count,
            [](const Weighed* a, const Weighed* b) {
              return a->wasted_pages * b->pages > b->wasted_pages * a->pages;
            });
  double const most = std::max(kWastedPagesMax, pages * kWasteShareMax);
  for (size_t i = 0; i < by_share.count && wasted > most; ++i) {
    by_share.items[i]->is_chosen = true;
    wasted -= by_share.items[i]->wasted_pages;
  }
}

// Step 3.
bool RowPagesMove(const Run& run, const PlainArray<Weighed>& stripes) {
  if (run.movable_row_count == 0) {
    return false;
  }
  if (run.movable_row_count >= static_cast<double>(settings.columnar_row_page_rows)) {
    return true;
  }
  double pages = 1;
  for (size_t i = 0; i < stripes.count; ++i) {
    pages += stripes.items[i].pages;
  }
  for (size_t i = 0; i < run.stub_segments.count; ++i) {
    pages += run.stub_segments.items[i].page_count;
  }
  auto const row_pages = static_cast<double>(run.movable_blocks.count);
  double const most = kRowPagesMax + pages * kRowPagesShareMax;
  bool const has_gaps = run.end_block > pages + row_pages + most;
  BlockNumber const last = run.movable_blocks.items[run.movable_blocks.count - 1];
  return row_pages > most || (has_gaps && last > row_pages + most);
}

// So few rows that merging the stripe with others makes a larger one. A stripe ends when it has
// all rows a stripe may have, or when memory is short.
double SmallStripeRows(const Run& run) {
  Relation const relation = run.relation;
  double const rows = static_cast<double>(StripeOptionsOf(relation).stripe_rows);
  double const width = std::max(1, get_relation_data_width(RelationGetRelid(relation), nullptr));
  return std::min(rows, maintenance_work_mem * 1024.0 / 2 / width) / 2;
}

// Step 4. `rows`: how many move anyway.
void ChooseSmall(const Run& run, PlainArray<Weighed>* stripes, double rows) {
  double const small_rows = SmallStripeRows(run);
  PlainArray<Weighed*> small{};
  for (size_t i = 0; i < stripes->count; ++i) {
    Weighed* const stripe = &stripes->items[i];
    if (!stripe->is_chosen && stripe->live_rows < small_rows &&
        stripe->pages < kSmallStripePagesMax) {
      small.Add(stripe);
    }
  }
  std::sort(small.items, small.items + small.count,
            [](const Weighed* a, const Weighed* b) { return a->live_rows < b->live_rows; });
  size_t count = 0;
  for (size_t i = 0; i < small.count; ++i) {
    if (small.items[i]->live_rows <= rows) {
      count = i + 1;
    }
    rows += small.items[i]->live_rows;
  }
  for (size_t i = 0; i < count; ++i) {
    small.items[i]->is_chosen = true;
  }
}

}  // namespace

Plan MakePlan(const Run& run) noexcept {
  Plan plan{};
  PlainArray<Weighed> stripes{};
  PlainArray<StripeEntry> const settled = SettledStripes(run);
  for (size_t i = 0; i < settled.count; ++i) {
    const StripeEntry& entry = settled.items[i];
    auto const gone = static_cast<double>(GoneRowsOf(run, entry));
    auto const rows = static_cast<double>(entry.row_count);
    plan.gone_row_count += gone;
    if (gone >= rows) {
      plan.empty.Add(entry);
      continue;
    }
    double const pages = PageCount(entry);
    stripes.Add({.entry = entry,
                 .pages = pages,
                 .wasted_pages = pages * gone / rows,
                 .live_rows = rows - gone,
                 .is_chosen = false});
  }
  std::sort(stripes.items, stripes.items + stripes.count, [](const Weighed& a, const Weighed& b) {
    return a.entry.first_row_number < b.entry.first_row_number;
  });
  ShareStubPages(run, &stripes);
  ChooseWasteful(&stripes);
  plan.move.row_pages = RowPagesMove(run, stripes);
  double rows = plan.move.row_pages ? run.movable_row_count : 0;
  for (size_t i = 0; i < stripes.count; ++i) {
    rows += stripes.items[i].is_chosen ? stripes.items[i].live_rows : 0;
  }
  ChooseSmall(run, &stripes, rows);
  for (size_t i = 0; i < stripes.count; ++i) {
    if (stripes.items[i].is_chosen) {
      plan.move.stripes.Add(stripes.items[i].entry);
    }
  }
  return plan;
}

}  // namespace orochi::pg::vacuum
