#pragma once

#include <map>
#include <string>

#include "columnar/stripe_reader.h"
#include "pg/am/columnar/column_type.h"

namespace orochi::pg {

/// What the chunks of one column add up to, over any number of stripes and tables.
class ColumnSummary {
 public:
  void Add(const ColumnType& type, const columnar::ChunkInfo& chunk);
  /// The decoded values of some chunk, to learn how long those of variable length are.
  void AddSample(const ColumnType& type, const columnar::ColumnVector& values);

  uint64_t row_count() const { return row_count_; }
  uint64_t null_count() const { return null_count_; }
  uint64_t value_count() const { return row_count_ - null_count_; }
  uint64_t size_bytes() const { return size_bytes_; }
  /// "dictionary 75%, constant 25%": shares of the rows, the greatest first. Less than 1 % shows
  /// as such.
  std::string Encodings() const;
  std::string Compressions() const;
  /// The range of all values added; has_range only if it is known for all of them.
  columnar::ChunkStatistics Range() const;
  /// What the values take in a heap tuple, without headers, alignment and compression: exact for
  /// types of fixed length, else by the mean of the samples.
  uint64_t HeapBytes(const ColumnType& type) const;

 private:
  uint64_t row_count_ = 0;
  uint64_t null_count_ = 0;
  uint64_t size_bytes_ = 0;
  std::map<columnar::Encoding, uint64_t> encoding_rows_;
  std::map<codec::Compression, uint64_t> compression_rows_;
  columnar::ChunkStatistics range_;
  bool range_is_unknown_ = false;
  uint64_t sample_count_ = 0;
  uint64_t sample_heap_bytes_ = 0;
};

}  // namespace orochi::pg
