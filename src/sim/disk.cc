#include "sim/disk.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::sim {
namespace {

Status Down() {
  return Status::Cancelled("the simulated machine is down");
}

}  // namespace

bool Disk::CrashesNow() {
  if (!crash_after_) {
    return false;
  }
  if (*crash_after_ > 0) {
    --*crash_after_;
    return false;
  }
  down_ = true;
  return true;
}

Result<std::shared_ptr<Disk::File>> Disk::Find(const std::string& name) {
  auto const found = names_.find(name);
  if (found == names_.end()) {
    return Status::NotFound(StrCat(name, ": no such simulated file"));
  }
  return found->second;
}

Result<std::vector<std::string>> Disk::List() {
  if (down_) {
    return Down();
  }
  std::vector<std::string> list;
  for (const auto& [name, file] : names_) {
    list.push_back(name);
  }
  return list;
}

Status Disk::Create(const std::string& name, uint64_t size_bytes) {
  if (down_) {
    return Down();
  }
  uint64_t used_bytes = 0;
  for (const auto& [other, file] : names_) {
    used_bytes += file->durable.size();
  }
  if (used_bytes + size_bytes > capacity_bytes_) {
    return Status::ResourceExhausted(StrCat(name, ": the simulated disk is full"));
  }
  auto file = std::make_shared<File>();
  bool const crashes = CrashesNow();
  // A file that is being made grows until it is complete.
  file->durable.resize(crashes ? random_.Below(size_bytes / kSectorBytes + 1) * kSectorBytes
                               : size_bytes);
  if (name_history_.empty()) {
    NoteNames();
  }
  names_[name] = std::move(file);
  NoteNames();
  return crashes ? Down() : Status::Ok();
}

Result<uint64_t> Disk::SizeBytes(const std::string& name) {
  if (down_) {
    return Down();
  }
  ASSIGN_OR_RETURN(auto const file, Find(name));
  return file->durable.size();
}

Status Disk::Rename(const std::string& from, const std::string& to) {
  if (down_) {
    return Down();
  }
  ASSIGN_OR_RETURN(auto const file, Find(from));
  if (CrashesNow() && random_.OneIn(2)) {
    return Down();
  }
  if (name_history_.empty()) {
    NoteNames();
  }
  names_.erase(from);
  names_[to] = file;
  NoteNames();
  return down_ ? Down() : Status::Ok();
}

Status Disk::Remove(const std::string& name) {
  if (down_) {
    return Down();
  }
  ASSIGN_OR_RETURN(auto const file, Find(name));
  if (CrashesNow() && random_.OneIn(2)) {
    return Down();
  }
  if (name_history_.empty()) {
    NoteNames();
  }
  names_.erase(name);
  NoteNames();
  return down_ ? Down() : Status::Ok();
}

Status Disk::SyncDirectory() {
  if (down_ || CrashesNow()) {
    return Down();
  }
  name_history_.clear();
  return Status::Ok();
}

void Disk::PutAll(File& file, uint64_t offset_bytes, std::span<const std::byte> bytes) {
  std::copy(bytes.begin(), bytes.end(),
            file.durable.begin() + static_cast<ptrdiff_t>(offset_bytes));
  for (uint64_t at = 0; at < bytes.size(); at += kSectorBytes) {
    file.visible.erase(offset_bytes + at);
  }
}

// Any of the sectors, as a controller may order them: often a beginning, or all but one.
void Disk::PutSome(File& file, uint64_t offset_bytes, std::span<const std::byte> bytes) {
  uint64_t const sectors = bytes.size() / kSectorBytes;
  uint64_t const how = random_.Below(5);
  uint64_t const chosen = random_.Below(sectors);
  for (uint64_t sector = 0; sector < sectors; ++sector) {
    bool const put = how == 0   ? false
                     : how == 1 ? true
                     : how == 2 ? sector < chosen
                     : how == 3 ? sector != chosen
                                : random_.OneIn(2);
    if (put) {
      auto const from = bytes.subspan(sector * kSectorBytes, kSectorBytes);
      file.visible[offset_bytes + sector * kSectorBytes].assign(from.begin(), from.end());
    }
  }
}

void Disk::PutElsewhere(const std::string& name, uint64_t offset_bytes,
                        std::span<const std::byte> bytes) {
  auto target = names_.begin();
  if (random_.OneIn(2)) {
    std::advance(target, static_cast<ptrdiff_t>(random_.Below(names_.size())));
  } else {
    target = names_.find(name);
  }
  File& file = *target->second;
  if (file.durable.size() < bytes.size()) {
    return;
  }
  uint64_t const places = (file.durable.size() - bytes.size()) / kSectorBytes + 1;
  uint64_t const at = random_.Below(places) * kSectorBytes;
  if (target->first != name || at != offset_bytes) {
    PutAll(file, at, bytes);
  }
}

Status Disk::Write(const std::string& name, uint64_t offset_bytes,
                   std::span<const std::byte> bytes) {
  ASSERT(offset_bytes % kSectorBytes == 0);
  ASSERT(bytes.size() % kSectorBytes == 0);
  if (down_) {
    return Down();
  }
  ASSIGN_OR_RETURN(auto const file, Find(name));
  ASSERT(offset_bytes + bytes.size() <= file->durable.size());
  if (CrashesNow()) {
    PutSome(*file, offset_bytes, bytes);
    return Down();
  }
  if (std::exchange(fail_next_write_, false)) {
    PutSome(*file, offset_bytes, bytes);
    return Status::IoError(StrCat(name, ": a simulated write fails"));
  }
  if (std::exchange(misdirect_next_write_, false)) {
    PutElsewhere(name, offset_bytes, bytes);
    return Status::Ok();
  }
  if (std::exchange(double_next_write_, false)) {
    PutElsewhere(name, offset_bytes, bytes);
  }
  PutAll(*file, offset_bytes, bytes);
  return Status::Ok();
}

Status Disk::Read(const std::string& name, uint64_t offset_bytes, std::span<std::byte> bytes) {
  if (down_) {
    return Down();
  }
  ASSIGN_OR_RETURN(auto const file, Find(name));
  if (offset_bytes + bytes.size() > file->durable.size()) {
    return Status::OutOfRange(StrCat(name, ": read beyond the end"));
  }
  std::copy_n(file->durable.begin() + static_cast<ptrdiff_t>(offset_bytes), bytes.size(),
              bytes.begin());
  for (auto sector = file->visible.lower_bound(offset_bytes / kSectorBytes * kSectorBytes);
       sector != file->visible.end() && sector->first < offset_bytes + bytes.size(); ++sector) {
    for (size_t at = 0; at < kSectorBytes; ++at) {
      uint64_t const position = sector->first + at;
      if (position >= offset_bytes && position < offset_bytes + bytes.size()) {
        bytes[position - offset_bytes] = sector->second[at];
      }
    }
  }
  return Status::Ok();
}

Status Disk::Sync(const std::string& name) {
  if (down_) {
    return Down();
  }
  ASSIGN_OR_RETURN(auto const file, Find(name));
  if (CrashesNow()) {
    return Down();
  }
  for (const auto& [offset_bytes, sector] : file->visible) {
    std::copy(sector.begin(), sector.end(),
              file->durable.begin() + static_cast<ptrdiff_t>(offset_bytes));
  }
  file->visible.clear();
  return Status::Ok();
}

void Disk::Restart(Crash crash) {
  down_ = false;
  crash_after_.reset();
  fail_next_write_ = misdirect_next_write_ = double_next_write_ = false;
  if (crash == Crash::kKill) {
    return;
  }
  if (!name_history_.empty()) {
    names_ = name_history_[random_.Below(name_history_.size())];
    name_history_.clear();
  }
  for (auto& [name, file] : names_) {
    for (const auto& [offset_bytes, sector] : file->visible) {
      if (random_.OneIn(2)) {
        std::copy(sector.begin(), sector.end(),
                  file->durable.begin() + static_cast<ptrdiff_t>(offset_bytes));
      }
    }
    file->visible.clear();
  }
}

std::optional<std::pair<std::string, uint64_t>> Disk::FlipBit() {
  if (names_.empty()) {
    return std::nullopt;
  }
  auto file = names_.begin();
  std::advance(file, static_cast<ptrdiff_t>(random_.Below(names_.size())));
  if (file->second->durable.empty()) {
    return std::nullopt;
  }
  uint64_t const at = random_.Below(file->second->durable.size());
  file->second->durable[at] ^= static_cast<std::byte>(1U << random_.Below(8));
  return std::pair(file->first, at);
}

}  // namespace orochi::sim
