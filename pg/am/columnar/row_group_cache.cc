#include "pg/am/columnar/row_group_cache.h"

#include "pg/am/columnar/metapage.h"
#include "pg/bridge.h"
#include "pg/settings.h"

extern "C" {
#include "utils/rel.h"
}

namespace orochi::pg {
namespace {

constexpr size_t kCachesMax = 8;
// Times as many fetches ago.
constexpr uint64_t kMuchLonger = 8;

uint64_t use_count = 0;

size_t LimitBytes() {
  return static_cast<size_t>(settings.columnar_cache_kb) * 1024;
}

// The most recently used comes first.
std::vector<std::shared_ptr<RowGroupCache>>& Caches() {
  static std::vector<std::shared_ptr<RowGroupCache>> caches;
  return caches;
}

}  // namespace

Result<std::shared_ptr<RowGroupCache>> RowGroupCache::For(Relation relation) {
  auto& caches = Caches();
  Metapage const metapage = TryPg([&]() noexcept -> Metapage { return ReadMetapage(relation); });
  for (size_t i = 0; i < caches.size(); ++i) {
    if (!RelFileNodeEquals(caches[i]->node_, relation->rd_node)) {
      continue;
    }
    if (metapage.storage_id == 0 || caches[i]->reader_->storage_id() != metapage.storage_id) {
      caches.erase(caches.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
    std::rotate(caches.begin(), caches.begin() + static_cast<std::ptrdiff_t>(i),
                caches.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    caches.front()->Rebind(relation);
    caches.front()->reader_->Refresh(metapage);
    return caches.front();
  }
  ASSIGN_OR_RETURN(auto reader, ColumnarReader::OpenForFetch(relation));
  auto cache = std::shared_ptr<RowGroupCache>(new RowGroupCache(std::move(reader)));
  cache->node_ = relation->rd_node;
  if (caches.size() >= kCachesMax) {
    caches.pop_back();
  }
  caches.insert(caches.begin(), cache);
  return cache;
}

void RowGroupCache::Count(Cached& cached) {
  size_t const size_bytes = cached.view->memory_bytes();
  views_bytes_ += size_bytes - cached.counted_bytes;
  cached.counted_bytes = size_bytes;
  largest_view_bytes_ = std::max(largest_view_bytes_, size_bytes);
}

void RowGroupCache::CountTouched() {
  for (auto it = views_.begin(); it != views_.end() && it->touched; ++it) {
    Count(*it);
  }
}

// Whether the row group, once decoded, takes only room that is free or what was not asked for since
// long. Else fetches that hop between more row groups than fit would decode them again and again.
bool RowGroupCache::HasRoomFor(const Cached& cached) const {
  size_t const view_bytes = std::max(cached.view->decoded_bytes_min(), largest_view_bytes_);
  if (views_bytes_ - cached.counted_bytes + view_bytes <= LimitBytes()) {
    return true;
  }
  uint64_t const fetches = use_count + 1 - cached.last_use;
  uint64_t const fetches_of_oldest = use_count + 1 - views_.back().last_use;
  return fetches_of_oldest / kMuchLonger > fetches;
}

void RowGroupCache::Touch(Views::iterator cached) {
  cached->last_use = ++use_count;
  cached->touched = true;
  views_.splice(views_.begin(), views_, cached);
}

RowGroupCache::Views::iterator RowGroupCache::Forget(Views::iterator cached) {
  views_bytes_ -= cached->counted_bytes;
  by_key_.erase(cached->key);
  return views_.erase(cached);
}

// REQUIRES: sizes are up to date.
void RowGroupCache::ShrinkTo(size_t limit_bytes, size_t limit_count) {
  while (views_.size() > limit_count || (!views_.empty() && views_bytes_ > limit_bytes)) {
    Forget(std::prev(views_.end()));
  }
}

std::shared_ptr<RowGroupView> RowGroupCache::NewView() {
  auto passed = views_.end();
  if (new_in_a_row_ > kNewInARowMax) {
    auto it = views_.begin();
    for (uint32_t i = 0; i < kNewInARowMax && it != views_.end(); ++i, ++it) {
      if (it->view.use_count() == 1 && it->view->decoded_count() > 0) {
        passed = it;
      }
    }
  }
  if (passed == views_.end()) {
    return std::make_shared<RowGroupView>(*reader_);
  }
  std::shared_ptr<RowGroupView> view = passed->view;
  Forget(passed);
  return view;
}

Result<std::shared_ptr<RowGroupView>> RowGroupCache::ViewOf(const StripeEntry& entry,
                                                            uint32_t row_group) {
  Key const key{.stripe_number = entry.stripe_number,
                .offset_bytes = entry.offset_bytes,
                .row_group = row_group};
  if (!views_.empty() && views_.front().key == key) {
    Touch(views_.begin());
    return views_.front().view;
  }
  if (!views_.empty()) {
    Count(views_.front());  // what its last fetches decoded
  }
  if (auto const found = by_key_.find(key); found != by_key_.end()) {
    Views::iterator const cached = found->second;
    if (!HasRoomFor(*cached)) {
      cached->view->ForgetLoneRows();
    }
    new_in_a_row_ = 0;
    Touch(cached);
    if (views_bytes_ > LimitBytes()) {
      ShrinkTo(LimitBytes(), kViewsMax);
    }
    return views_.front().view;
  }
  ++new_in_a_row_;
  if (!views_.empty()) {
    CountTouched();
    // The view about to come is as large as the others, roughly.
    size_t const expected_bytes = views_bytes_ / views_.size();
    ShrinkTo(LimitBytes() > expected_bytes ? LimitBytes() - expected_bytes : 0, kViewsMax - 1);
  }
  std::shared_ptr<RowGroupView> const view = NewView();
  RETURN_IF_ERROR(view->Point(entry, row_group));
  views_.push_front({.key = key, .view = view});
  by_key_.emplace(key, views_.begin());
  Touch(views_.begin());
  return view;
}

// Rows read before tell little of what the next transaction reads.
void RowGroupCache::EndTransaction() {
  CountTouched();
  new_in_a_row_ = 0;
  largest_view_bytes_ = 0;
  for (auto it = views_.begin(); it != views_.end() && it->touched;) {
    it->touched = false;
    it->view->ForgetLoneRows();
    it = it->view->knows_anything() ? std::next(it) : Forget(it);
  }
}

void RowGroupCache::Shrink() {
  size_t left_bytes = std::min(kKeptBytesMax, LimitBytes());
  auto& caches = Caches();
  size_t kept = 0;
  for (; kept < caches.size() && caches[kept]->reader_->memory_bytes() <= left_bytes; ++kept) {
    left_bytes -= caches[kept]->reader_->memory_bytes();
    caches[kept]->EndTransaction();
    caches[kept]->ShrinkTo(left_bytes, kViewsMax);
    left_bytes -= caches[kept]->views_bytes_;
  }
  caches.resize(kept);
}

void RowGroupCache::Clear() {
  Caches().clear();
}

}  // namespace orochi::pg
