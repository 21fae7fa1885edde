#include "sstable/write/bloom_builder.h"

#include <algorithm>
#include <span>

namespace orochi::sstable {

Status BloomBuilder::Add(const Murmur3Hash& hash) {
  hashes_.push_back(hash);
  return hashes_.size() < kHashesMax ? Status::Ok() : Spill();
}

Status BloomBuilder::Spill() {
  if (spill_ == nullptr) {
    ASSIGN_OR_RETURN(spill_, files_.Create(spill_path_));
  }
  RETURN_IF_ERROR(spill_->Append(std::as_bytes(std::span(hashes_))));
  spilled_count_ += hashes_.size();
  hashes_.clear();
  return Status::Ok();
}

Status BloomBuilder::AddSpilled(BloomFilter& filter) {
  RETURN_IF_ERROR(spill_->Close());
  spill_.reset();
  ASSIGN_OR_RETURN(auto const file, files_.OpenForRead(spill_path_));
  std::vector<Murmur3Hash> block(4096);
  for (uint64_t done = 0; done < spilled_count_; done += block.size()) {
    block.resize(std::min<uint64_t>(block.size(), spilled_count_ - done));
    RETURN_IF_ERROR(
        file->ReadExact(done * sizeof(Murmur3Hash), std::as_writable_bytes(std::span(block))));
    for (const Murmur3Hash& hash : block) {
      filter.Add(hash);
    }
  }
  return files_.Remove(spill_path_);
}

Result<BloomFilter> BloomBuilder::Build(double fp_chance) {
  BloomFilter filter = BloomFilter::ForKeys(spilled_count_ + hashes_.size(), fp_chance);
  for (const Murmur3Hash& hash : hashes_) {
    filter.Add(hash);
  }
  if (spill_ != nullptr) {
    RETURN_IF_ERROR(AddSpilled(filter));
  }
  return filter;
}

}  // namespace orochi::sstable
