#include "kv/log/segment_files.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "base/assert.h"
#include "base/str_cat.h"
#include "kv/log/planted_bug.h"

namespace orochi::kv::log {
namespace {

constexpr std::string_view kSegmentSuffix = ".segment";
constexpr std::string_view kSpareSuffix = ".spare";
constexpr std::string_view kNewSuffix = ".new";
constexpr size_t kDigits = 16;

std::string Name(uint64_t number, std::string_view suffix) {
  char digits[kDigits + 1];
  std::snprintf(digits, sizeof(digits), "%016llx", static_cast<unsigned long long>(number));
  return StrCat(std::string_view(digits), suffix);
}

std::optional<uint64_t> NumberOf(std::string_view name, std::string_view suffix) {
  uint64_t number = 0;
  if (name.size() != kDigits + suffix.size() || !name.ends_with(suffix)) {
    return std::nullopt;
  }
  auto const parsed = std::from_chars(name.data(), name.data() + kDigits, number, 16);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + kDigits || number == 0) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

std::string SegmentFiles::NameOf(SegmentNumber segment) {
  return Name(segment.value(), kSegmentSuffix);
}

Result<std::vector<SegmentNumber>> SegmentFiles::Load() {
  ASSIGN_OR_RETURN(std::vector<std::string> names, device_.List());
  std::sort(names.begin(), names.end());
  std::vector<SegmentNumber> segments;
  for (std::string& name : names) {
    if (auto const segment = NumberOf(name, kSegmentSuffix)) {
      ASSIGN_OR_RETURN(uint64_t const size_bytes, device_.SizeBytes(name));
      if (size_bytes != size_bytes_) {
        return Status::Corruption(
            StrCat(name, ": a segment of ", size_bytes, " bytes, expected ", size_bytes_));
      }
      segments.emplace_back(*segment);
    } else if (auto const spare = NumberOf(name, kSpareSuffix)) {
      next_spare_ = std::max(next_spare_, *spare + 1);
      ASSIGN_OR_RETURN(uint64_t const size_bytes, device_.SizeBytes(name));
      if (size_bytes == size_bytes_ && spares_.size() < spare_count_max_) {
        spares_.push_back(std::move(name));
      } else {
        RETURN_IF_ERROR(device_.Remove(name));
      }
    } else if (name.ends_with(kNewSuffix)) {
      RETURN_IF_ERROR(device_.Remove(name));
    }
  }
  return segments;
}

std::string SegmentFiles::TakeSpareName() {
  return Name(next_spare_++, kSpareSuffix);
}

Status SegmentFiles::Open(SegmentNumber segment) {
  if (spares_.empty()) {
    std::string const fresh = Name(segment.value(), kNewSuffix);
    RETURN_IF_ERROR(device_.Create(fresh, size_bytes_));
    RETURN_IF_ERROR(device_.Rename(fresh, NameOf(segment)));
  } else {
    RETURN_IF_ERROR(device_.Rename(spares_.back(), NameOf(segment)));
    spares_.pop_back();
  }
  // Before the first frame: else a crash could bring back the file's old name, with new frames that
  // nobody looks for there.
  return IsPlanted(PlantedBug::kNameNotDurable) ? Status::Ok() : device_.SyncDirectory();
}

Status SegmentFiles::Write(const WriteOrder& order) {
  if (IsPlanted(PlantedBug::kFreeBeforeMoved)) {
    RETURN_IF_ERROR(Recycle(order.freed));
  }
  if (order.close) {
    RETURN_IF_ERROR(device_.Write(NameOf(order.close->segment), order.close->offset_bytes,
                                  order.close->bytes.span()));
  }
  if (order.open) {
    RETURN_IF_ERROR(Open(*order.open));
  }
  return device_.Write(NameOf(order.frame.segment), order.frame.offset_bytes,
                       order.frame.bytes.span());
}

Status SegmentFiles::Recycle(const WriteOrder& order) {
  return IsPlanted(PlantedBug::kFreeBeforeMoved) ? Status::Ok() : Recycle(order.freed);
}

Status SegmentFiles::Recycle(const std::vector<SegmentNumber>& freed) {
  for (SegmentNumber const segment : freed) {
    if (spares_.size() < spare_count_max_) {
      std::string spare = TakeSpareName();
      RETURN_IF_ERROR(device_.Rename(NameOf(segment), spare));
      spares_.push_back(std::move(spare));
    } else {
      RETURN_IF_ERROR(device_.Remove(NameOf(segment)));
    }
  }
  return Status::Ok();
}

Status SegmentFiles::Sync(SegmentNumber segment) {
  RETURN_IF_ERROR(device_.Sync(NameOf(segment)));
  return device_.SyncDirectory();
}

Status SegmentFiles::Read(SegmentNumber segment, uint64_t offset_bytes,
                          std::span<std::byte> bytes) {
  return device_.Read(NameOf(segment), offset_bytes, bytes);
}

Result<std::string> SegmentFiles::ReadBytes(SegmentNumber segment, uint64_t offset_bytes,
                                            uint64_t size_bytes) {
  uint64_t const block = device_.block_size_bytes();
  uint64_t const first = offset_bytes / block * block;
  uint64_t const end = (offset_bytes + size_bytes + block - 1) / block * block;
  ASSERT(end <= size_bytes_);
  AlignedBuffer buffer(end - first);
  RETURN_IF_ERROR(Read(segment, first, buffer.span()));
  return std::string(reinterpret_cast<const char*>(buffer.span().data()) + (offset_bytes - first),
                     size_bytes);
}

}  // namespace orochi::kv::log
