#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "io/file.h"
#include "sstable/format/layout.h"
#include "sstable/format/unfiltered.h"
#include "sstable/types/decorated_key.h"
#include "sstable/write/buffered_file.h"
#include "sstable/write/row_encoder.h"
#include "sstable/write/trie_writer.h"

namespace orochi::sstable {

/// A partition key with what is computed of it once.
struct HashedKey {
  Bytes bytes;
  Token token;
  Murmur3Hash hash;
};

/// Partitions.db, a trie of the shortest prefixes that tell the partition keys apart, and Rows.db,
/// a trie for each partition of two blocks of rows and more.
///
///   Partitions.db  trie; u16 + first key, u16 + last key; i64 where the first key stands, i64 key
///                  count, i64 position of the root
///     payload      u8 hash of the key, then a signed number: >= 0 a position in Rows.db, < 0 the
///                  inverted position in Data.db
///   Rows.db        for each: trie; u16 + key, vint position in Data.db, signed vint distance of
///                  the root from here, vint block count, partition deletion
///     payload      signed offset of the block from the partition's start, [deletion open there]
///
/// Life:    (AddBlock* AddPartition)* -> Finish.    Threads: none.    Borrows: layout, encoder.
class BtiIndexWriter {
 public:
  BtiIndexWriter(std::unique_ptr<io::WritableFile> partitions_file,
                 std::unique_ptr<io::WritableFile> rows_file, const Layout& layout,
                 const RowEncoder& encoder);

  /// The next block starts with this row or marker, `offset_bytes` after its partition's start;
  /// `open_deletion` covers it from before.
  void StartBlock(const ClusteringView& first, uint64_t offset_bytes,
                  const DeletionTime& open_deletion);
  /// The block ends with this row or marker.
  Status FinishBlock(const ClusteringView& last);
  /// Ends the partition whose blocks were added. `end_offset_bytes` is that of its last byte, the
  /// mark of its end.
  Status AddPartition(const HashedKey& key, const DeletionTime& deletion, uint64_t position_bytes,
                      uint64_t end_offset_bytes);
  uint64_t block_count() const { return block_count_; }
  Status Finish();

 private:
  Result<uint64_t> CompleteRowTrie(uint64_t end_offset_bytes);
  void EncodeClustering(const ClusteringView& clustering, std::string& out);
  Status AddPendingKey(size_t prefix_size_bytes);

  BufferedFile partitions_;
  BufferedFile rows_;
  const Layout& layout_;
  const RowEncoder& encoder_;
  TrieWriter partition_trie_;
  TrieWriter row_trie_;

  // The block that is open, and the last one that was closed.
  std::string separator_;
  uint64_t block_offset_bytes_ = 0;
  DeletionTime block_open_deletion_;
  std::string block_last_;  // of the block closed last; comparable
  uint64_t block_count_ = 0;

  // The key added last waits until its successor says how much of it is needed.
  uint64_t key_count_ = 0;
  std::vector<std::byte> first_key_;
  std::vector<std::byte> last_key_;
  std::string pending_key_;  // comparable
  TriePayload pending_payload_;
  size_t pending_shared_bytes_ = 0;  // with its predecessor, the first different byte included
  std::string comparable_;
};

}  // namespace orochi::sstable
