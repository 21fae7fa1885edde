#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/str_cat.h"
#include "kv/log/device.h"

namespace orochi::kv::log::testing {

/// Files in memory that keep all that is written, with damage by hand.
///
/// Threads: none.
class MemoryDevice final : public Device {
 public:
  uint32_t block_size_bytes() const override { return 512; }

  Result<std::vector<std::string>> List() override {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : files_) {
      names.push_back(name);
    }
    return names;
  }
  Status Create(const std::string& name, uint64_t size_bytes) override {
    files_[name].assign(size_bytes, std::byte{0});
    return Status::Ok();
  }
  Result<uint64_t> SizeBytes(const std::string& name) override { return files_[name].size(); }
  Status Rename(const std::string& from, const std::string& to) override {
    auto node = files_.extract(from);
    if (node.empty()) {
      return Status::NotFound(from);
    }
    node.key() = to;
    files_.erase(to);
    files_.insert(std::move(node));
    return Status::Ok();
  }
  Status Remove(const std::string& name) override {
    files_.erase(name);
    return Status::Ok();
  }
  Status SyncDirectory() override { return Status::Ok(); }
  Status Write(const std::string& name, uint64_t offset_bytes,
               std::span<const std::byte> bytes) override {
    if (fails_) {
      return Status::IoError(StrCat(name, ": write fails"));
    }
    std::copy(bytes.begin(), bytes.end(),
              files_[name].begin() + static_cast<ptrdiff_t>(offset_bytes));
    return Status::Ok();
  }
  Status Read(const std::string& name, uint64_t offset_bytes, std::span<std::byte> bytes) override {
    const std::vector<std::byte>& file = files_[name];
    if (offset_bytes + bytes.size() > file.size()) {
      return Status::OutOfRange(StrCat(name, ": read beyond the end"));
    }
    std::copy_n(file.begin() + static_cast<ptrdiff_t>(offset_bytes), bytes.size(), bytes.begin());
    return Status::Ok();
  }
  Status Sync(const std::string& /*name*/) override { return Status::Ok(); }

  size_t file_count() const { return files_.size(); }
  void FailWrites() { fails_ = true; }
  /// Wherever it is. REQUIRES: of one length.
  void Replace(std::string_view what, std::string_view with) {
    auto const wanted = std::as_bytes(std::span(what));
    for (auto& [name, bytes] : files_) {
      auto const at = std::search(bytes.begin(), bytes.end(), wanted.begin(), wanted.end());
      if (at != bytes.end()) {
        std::memcpy(&*at, with.data(), with.size());
      }
    }
  }
  /// Damages a byte, unless `bits` is 0.
  void Flip(const std::string& name, uint64_t offset_bytes, uint8_t bits) {
    files_.at(name)[offset_bytes] ^= static_cast<std::byte>(bits);
  }
  /// A file with these bytes, for a fuzzer.
  void Put(const std::string& name, std::vector<std::byte> bytes) {
    files_[name] = std::move(bytes);
  }

 private:
  std::map<std::string, std::vector<std::byte>> files_;
  bool fails_ = false;
};

}  // namespace orochi::kv::log::testing
