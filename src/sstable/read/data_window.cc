#include "sstable/read/data_window.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace orochi::sstable {

DataWindow::DataWindow(const DataFile& file, size_t fill_size_bytes)
    : file_(file), reader_(file), fill_size_bytes_(fill_size_bytes) {}

void DataWindow::Seek(uint64_t position_bytes) {
  ASSERT(position_bytes <= file_.size_bytes());
  if (position_bytes >= base_ && position_bytes <= base_ + filled_) {
    at_ = static_cast<size_t>(position_bytes - base_);
    return;
  }
  uint64_t const within = position_bytes % file_.chunk_size_bytes();
  base_ = position_bytes - within;
  at_ = static_cast<size_t>(within);
  filled_ = 0;
}

Status DataWindow::Ensure(uint64_t size_bytes) {
  uint64_t const wanted = std::min(size_bytes, remaining_bytes());
  return available() >= wanted ? Status::Ok() : Fill(wanted);
}

Status DataWindow::Fill(uint64_t size_bytes) {
  uint64_t const chunk = file_.chunk_size_bytes();
  uint64_t const begin = base_ + filled_;
  uint64_t const needed_end = position_bytes() + size_bytes;
  uint64_t const wanted_end = std::max(needed_end, begin + fill_size_bytes_);
  uint64_t const rounded_end = (wanted_end + chunk - 1) / chunk * chunk;
  uint64_t const end = std::min(rounded_end, file_.size_bytes());
  auto const added = static_cast<size_t>(end - begin);

  // What is before `at_` has been read; keep the rest. Nothing to keep after a far Seek, where at_
  // is past what is filled: then the bytes before it in its chunk are read along.
  size_t const kept = available();
  size_t const dropped = std::min(at_, filled_);
  if (dropped > 0 && filled_ + added > capacity_) {
    if (kept > 0) {
      std::memmove(buffer_.get(), buffer_.get() + dropped, kept);
    }
    base_ += dropped;
    at_ -= dropped;
    filled_ -= dropped;
  }
  if (filled_ + added > capacity_) {
    MakeRoom(filled_, added);
  }
  Status status = reader_.Read(begin, {buffer_.get() + filled_, added});
  if (status.ok()) {
    filled_ += added;
  }
  return status;
}

void DataWindow::MakeRoom(size_t kept, size_t added) {
  size_t const capacity = kept + added + added / 4;  // the next tail is longer by a little
  auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
  if (kept > 0) {
    std::memcpy(larger.get(), buffer_.get(), kept);
  }
  buffer_ = std::move(larger);
  capacity_ = capacity;
}

}  // namespace orochi::sstable
