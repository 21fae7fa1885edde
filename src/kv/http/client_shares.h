#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace orochi::kv::http {

/// How many requests each client has under way, so that none takes all there is.
///
/// Threads: any.
class ClientShares {
 public:
  /// 0: no bound.
  explicit ClientShares(size_t request_count_max) : request_count_max_(request_count_max) {}

  /// A request under way, until destroyed.
  class Share {
   public:
    Share(ClientShares* shares, std::string client) : shares_(shares), client_(std::move(client)) {}
    Share(Share&& other) noexcept
        : shares_(std::exchange(other.shares_, nullptr)), client_(std::move(other.client_)) {}
    Share& operator=(Share&&) = delete;
    ~Share() {
      if (shares_ != nullptr) {
        shares_->Release(client_);
      }
    }
    /// The client has no more than it may.
    bool is_granted() const { return shares_ != nullptr; }

   private:
    ClientShares* shares_;
    std::string client_;
  };
  Share Take(const std::string& client) {
    std::lock_guard const guard(mutex_);
    size_t& count = counts_[client];
    if (request_count_max_ > 0 && count >= request_count_max_) {
      return {nullptr, client};
    }
    ++count;
    return {this, client};
  }

 private:
  void Release(const std::string& client) {
    std::lock_guard const guard(mutex_);
    auto const place = counts_.find(client);
    if (--place->second == 0) {
      counts_.erase(place);
    }
  }

  const size_t request_count_max_;
  std::mutex mutex_;
  std::map<std::string, size_t> counts_;  // guarded by mutex_
};

}  // namespace orochi::kv::http
