#include "pg/am/columnar/row_group_cache.h"

#include "pg/am/columnar/metapage.h"
#include "pg/bridge.h"

extern "C" {
#include "utils/rel.h"
}

namespace orochi::pg {
namespace {

constexpr size_t kCachesMax = 8;
// What a decoded cell takes, roughly: a Datum and whether it is NULL.
constexpr size_t kCellBytes = 9;

uint64_t use_count = 0;

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

size_t RowGroupCache::ViewBytes() const {
  size_t size_bytes = 0;
  for (const auto& [unused, cached] : views_) {
    size_bytes += cached.view->memory_bytes();
  }
  return size_bytes;
}

void RowGroupCache::ShrinkTo(size_t limit_bytes, size_t limit_count) {
  size_t size_bytes = ViewBytes();
  while (views_.size() > limit_count || (!views_.empty() && size_bytes > limit_bytes)) {
    auto const oldest = std::min_element(
        views_.begin(), views_.end(),
        [](const auto& a, const auto& b) { return a.second.last_use < b.second.last_use; });
    size_bytes -= oldest->second.view->memory_bytes();
    views_.erase(oldest);
  }
}

std::shared_ptr<RowGroupView> RowGroupCache::NewView() {
  auto oldest = views_.end();
  for (auto it = views_.begin(); new_in_a_row_ > kNewInARowMax && it != views_.end(); ++it) {
    bool const is_free = it->second.view.use_count() == 1 && it->second.view->decoded_count() > 0;
    if (is_free && (oldest == views_.end() || it->second.last_use < oldest->second.last_use)) {
      oldest = it;
    }
  }
  if (oldest == views_.end()) {
    return std::make_shared<RowGroupView>(*reader_);
  }
  auto view = std::move(oldest->second.view);
  views_.erase(oldest);
  return view;
}

Result<std::shared_ptr<RowGroupView>> RowGroupCache::ViewOf(const StripeEntry& entry,
                                                            uint32_t row_group) {
  Key const key{.stripe_number = entry.stripe_number,
                .offset_bytes = entry.offset_bytes,
                .row_group = row_group};
  auto const limit_bytes = static_cast<size_t>(work_mem) * 1024;
  if (auto found = views_.find(key); found != views_.end()) {
    // Fetches that hop between more row groups than fit would decode them again and again.
    RowGroupView& view = *found->second.view;
    size_t const decoded_bytes =
        size_t{view.row_count()} * kCellBytes * static_cast<size_t>(reader_->descriptor()->natts);
    if (++use_count - found->second.last_use > limit_bytes / (decoded_bytes + 1)) {
      view.ForgetLoneRows();
    }
    found->second.last_use = use_count;
    new_in_a_row_ = key == last_key_ ? new_in_a_row_ : 0;
    last_key_ = key;
    return found->second.view;
  }
  last_key_ = key;
  ++new_in_a_row_;
  if (!views_.empty()) {
    // The view about to come is as large as the others, roughly.
    size_t const expected_bytes = ViewBytes() / views_.size();
    ShrinkTo(limit_bytes > expected_bytes ? limit_bytes - expected_bytes : 0, kViewsMax - 1);
  }
  std::shared_ptr<RowGroupView> const view = NewView();
  RETURN_IF_ERROR(view->Point(entry, row_group));
  views_.emplace(key, Cached{.view = view, .last_use = ++use_count});
  return view;
}

void RowGroupCache::Shrink() {
  size_t left_bytes = kKeptBytesMax;
  auto& caches = Caches();
  size_t kept = 0;
  for (; kept < caches.size() && caches[kept]->reader_->memory_bytes() <= left_bytes; ++kept) {
    left_bytes -= caches[kept]->reader_->memory_bytes();
    std::erase_if(caches[kept]->views_,
                  [](const auto& entry) { return entry.second.view->decoded_count() == 0; });
    caches[kept]->ShrinkTo(left_bytes, kViewsMax);
    left_bytes -= caches[kept]->ViewBytes();
  }
  caches.resize(kept);
}

void RowGroupCache::Clear() {
  Caches().clear();
}

}  // namespace orochi::pg
