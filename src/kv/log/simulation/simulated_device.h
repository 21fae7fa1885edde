#pragma once

#include "kv/log/device.h"
#include "sim/disk.h"

namespace orochi::kv::log::simulation {

/// The log's device on a simulated disk.
///
/// Threads: none.    Borrows: disk.
class SimulatedDevice final : public Device {
 public:
  SimulatedDevice(sim::Disk& disk, uint32_t block_size_bytes)
      : disk_(disk), block_size_bytes_(block_size_bytes) {}

  uint32_t block_size_bytes() const override { return block_size_bytes_; }
  Result<std::vector<std::string>> List() override { return disk_.List(); }
  Status Create(const std::string& name, uint64_t size_bytes) override {
    return disk_.Create(name, size_bytes);
  }
  Result<uint64_t> SizeBytes(const std::string& name) override { return disk_.SizeBytes(name); }
  Status Rename(const std::string& from, const std::string& to) override {
    return disk_.Rename(from, to);
  }
  Status Remove(const std::string& name) override { return disk_.Remove(name); }
  Status SyncDirectory() override { return disk_.SyncDirectory(); }
  Status Write(const std::string& name, uint64_t offset_bytes,
               std::span<const std::byte> bytes) override {
    return disk_.Write(name, offset_bytes, bytes);
  }
  Status Read(const std::string& name, uint64_t offset_bytes, std::span<std::byte> bytes) override {
    return disk_.Read(name, offset_bytes, bytes);
  }
  Status Sync(const std::string& name) override { return disk_.Sync(name); }

 private:
  sim::Disk& disk_;
  const uint32_t block_size_bytes_;
};

}  // namespace orochi::kv::log::simulation
