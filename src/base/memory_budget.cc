#include "base/memory_budget.h"

#include <algorithm>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi {

MemoryBudget::MemoryBudget(std::string name, size_t limit_bytes)
    : name_(std::move(name)), limit_bytes_(limit_bytes) {}

MemoryBudget::~MemoryBudget() {
  ASSERT_SLOW(used_bytes_ == 0);
}

Status MemoryBudget::Reserve(size_t size_bytes) {
  if (size_bytes > limit_bytes_ - used_bytes_) {
    return Status::ResourceExhausted(StrCat(name_, ": memory budget of ", limit_bytes_,
                                            " bytes exceeded: ", used_bytes_, " in use, ",
                                            size_bytes, " more asked for"));
  }
  used_bytes_ += size_bytes;
  peak_bytes_ = std::max(peak_bytes_, used_bytes_);
  ASSERT(used_bytes_ <= limit_bytes_);
  return Status::Ok();
}

void MemoryBudget::Release(size_t size_bytes) {
  ASSERT(size_bytes <= used_bytes_);
  used_bytes_ -= size_bytes;
}

Status MemoryCharge::Resize(size_t size_bytes) {
  if (size_bytes > size_bytes_) {
    RETURN_IF_ERROR(budget_->Reserve(size_bytes - size_bytes_));
  } else {
    budget_->Release(size_bytes_ - size_bytes);
  }
  size_bytes_ = size_bytes;
  return Status::Ok();
}

}  // namespace orochi
