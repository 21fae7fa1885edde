#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sstable/format/unfiltered_stream.h"
#include "sstable/write/testing/random_table.h"

namespace orochi::sstable::testing {

/// A table in memory, as a stream. Owns a copy of the partitions, borrows the layout.
class OwnedStream final : public UnfilteredStream {
 public:
  OwnedStream(const Layout& layout, std::vector<OwnedPartition> partitions, bool reversed)
      : layout_(layout), partitions_(std::move(partitions)), reversed_(reversed) {}

  const Layout& layout() const override { return layout_; }
  Result<bool> NextPartition() override {
    if (next_ == partitions_.size()) {
      return false;
    }
    at_ = next_++;
    rows_done_ = 0;
    partition_.key = AsBytes(partitions_[at_].key);
    partition_.deletion = partitions_[at_].deletion;
    partitions_[at_].static_row.Get();
    return true;
  }
  const PartitionView& partition() const override { return partition_; }
  const Unfiltered& static_row() const override { return partitions_[at_].static_row.view; }
  Result<bool> Next() override {
    std::vector<OwnedUnfiltered>& rows = partitions_[at_].rows;
    if (rows_done_ == rows.size()) {
      return false;
    }
    current_ = reversed_ ? rows.size() - 1 - rows_done_ : rows_done_;
    ++rows_done_;
    rows[current_].Get();
    return true;
  }
  const Unfiltered& current() const override { return partitions_[at_].rows[current_].view; }

 private:
  const Layout& layout_;
  std::vector<OwnedPartition> partitions_;
  bool reversed_;
  PartitionView partition_;
  size_t next_ = 0;
  size_t at_ = 0;
  size_t rows_done_ = 0;
  size_t current_ = 0;
};

/// The same transcript with the rows and markers of each partition last to first.
inline std::string ReversedTranscript(const std::string& transcript) {
  // Values may hold line ends: a block starts where a line starts with what blocks start with.
  std::vector<std::string> blocks;
  size_t begin_of_block = 0;
  for (size_t at = 1; at <= transcript.size(); ++at) {
    std::string_view const rest = std::string_view(transcript).substr(at);
    bool const starts = transcript[at - 1] == '\n' &&
                        (rest.empty() || rest.starts_with("row ") || rest.starts_with("marker ") ||
                         rest.starts_with("partition ["));
    if (starts) {
      blocks.push_back(transcript.substr(begin_of_block, at - begin_of_block));
      begin_of_block = at;
    }
  }
  std::string reversed;
  for (size_t begin = 0; begin < blocks.size();) {
    size_t end = begin + 2;  // the partition and its static row stay in front
    while (end < blocks.size() && !blocks[end].starts_with("partition")) {
      ++end;
    }
    reversed += blocks[begin] + blocks[begin + 1];
    for (size_t index = end; index > begin + 2; --index) {
      reversed += blocks[index - 1];
    }
    begin = end;
  }
  return reversed;
}

}  // namespace orochi::sstable::testing
