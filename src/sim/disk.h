#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"

namespace orochi::sim {

/// A directory of files on a disk that keeps exactly what it must. What a call made durable stays;
/// of a call that is interrupted any sectors may be there, in any order; names that were changed
/// since the last SyncDirectory may go back.
///
/// A process that is killed loses nothing that its interrupted call has put before others' eyes
/// (the page cache), but a power cut after that may.
///
/// Threads: none.    Borrows: random.
class Disk {
 public:
  static constexpr size_t kSectorBytes = 512;
  enum class Crash : uint8_t { kKill, kPowerCut };

  explicit Disk(Random& random) : random_(random) {}

  // What a device offers. kCancelled when the crash comes, and until Restart.
  Result<std::vector<std::string>> List();
  Status Create(const std::string& name, uint64_t size_bytes);
  Result<uint64_t> SizeBytes(const std::string& name);
  Status Rename(const std::string& from, const std::string& to);
  Status Remove(const std::string& name);
  Status SyncDirectory();
  /// Durable when it returns. REQUIRES: whole sectors.
  Status Write(const std::string& name, uint64_t offset_bytes, std::span<const std::byte> bytes);
  Status Read(const std::string& name, uint64_t offset_bytes, std::span<std::byte> bytes);
  Status Sync(const std::string& name);

  /// The call that changes something after `count` more of them is interrupted.
  void CrashAfter(uint64_t count) { crash_after_ = count; }
  /// Neither that nor FailNextWrite, if it has not happened.
  void CancelCrash() {
    crash_after_.reset();
    fail_next_write_ = false;
  }
  bool is_down() const { return down_; }
  /// The crash is over; what was not durable is as the crash left it. Also crashes, if it has not
  /// come by itself.
  void Restart(Crash crash);

  /// The next write fails, having written any of its sectors.
  void FailNextWrite() { fail_next_write_ = true; }
  /// The next write goes to another place, of this file or another, and says that it was done.
  void MisdirectNextWrite() { misdirect_next_write_ = true; }
  /// The next write is done, and also goes to another place.
  void DoubleNextWrite() { double_next_write_ = true; }
  /// Creating fails once files have this many bytes.
  void set_capacity_bytes(uint64_t bytes) { capacity_bytes_ = bytes; }
  /// One bit of a file, durably. Its name and offset.
  std::optional<std::pair<std::string, uint64_t>> FlipBit();

 private:
  struct File {
    std::vector<std::byte> durable;
    std::map<uint64_t, std::vector<std::byte>> visible;  // sectors that are not durable
  };
  using Names = std::map<std::string, std::shared_ptr<File>>;

  Result<std::shared_ptr<File>> Find(const std::string& name);
  // True when the crash comes with this call.
  bool CrashesNow();
  void NoteNames() { name_history_.push_back(names_); }
  void PutSome(File& file, uint64_t offset_bytes, std::span<const std::byte> bytes);
  static void PutAll(File& file, uint64_t offset_bytes, std::span<const std::byte> bytes);
  void PutElsewhere(const std::string& name, uint64_t offset_bytes,
                    std::span<const std::byte> bytes);

  Random& random_;
  Names names_;
  std::vector<Names> name_history_;  // since the last SyncDirectory, whose names come first
  std::optional<uint64_t> crash_after_;
  bool down_ = false;
  bool fail_next_write_ = false;
  bool misdirect_next_write_ = false;
  bool double_next_write_ = false;
  uint64_t capacity_bytes_ = UINT64_MAX;
};

}  // namespace orochi::sim
