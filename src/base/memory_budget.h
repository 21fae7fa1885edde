#pragma once

#include <cstddef>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/status.h"

namespace orochi {

/// Bounds the C++ heap one operation may hold. Charges are explicit: an owner reserves before it
/// grows and releases when it shrinks, usually through MemoryCharge.
///
/// Threads: none; one budget per backend operation. Outlives every charge taken from it.
class MemoryBudget {
 public:
  /// `name` appears in messages: "scan of metrics: memory budget of 4194304 bytes exceeded ...".
  MemoryBudget(std::string name, size_t limit_bytes);
  ~MemoryBudget();
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  /// kResourceExhausted, and nothing reserved, when the limit would be passed.
  Status Reserve(size_t size_bytes);
  /// REQUIRES: size_bytes were reserved.
  void Release(size_t size_bytes);

  size_t limit_bytes() const { return limit_bytes_; }
  size_t used_bytes() const { return used_bytes_; }
  size_t peak_bytes() const { return peak_bytes_; }

 private:
  std::string name_;
  size_t limit_bytes_;
  size_t used_bytes_ = 0;
  size_t peak_bytes_ = 0;
};

/// Holds a reservation and gives it back when destroyed. Moved-from holds nothing.
class MemoryCharge {
 public:
  explicit MemoryCharge(MemoryBudget& budget) : budget_(&budget) {}
  MemoryCharge(MemoryCharge&& other) noexcept
      : budget_(other.budget_), size_bytes_(std::exchange(other.size_bytes_, 0)) {}
  MemoryCharge& operator=(MemoryCharge&&) = delete;
  ~MemoryCharge() {
    if (size_bytes_ > 0) {
      budget_->Release(size_bytes_);
    }
  }

  /// Makes the charge exactly `size_bytes`; on error it stays what it was.
  Status Resize(size_t size_bytes);
  size_t size_bytes() const { return size_bytes_; }

 private:
  MemoryBudget* budget_;
  size_t size_bytes_ = 0;
};

}  // namespace orochi
