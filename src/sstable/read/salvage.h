#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/file.h"
#include "sstable/format/clustering.h"
#include "sstable/format/descriptor.h"
#include "sstable/format/layout.h"
#include "sstable/format/statistics.h"
#include "sstable/format/unfiltered_stream.h"
#include "sstable/read/data_file.h"

namespace orochi::sstable {

/// A stretch of Data.db that cannot be read, and what was there.
struct SalvageLoss {
  enum class Kind : uint8_t {
    kPartition,       // a whole partition; more than one where no index tells them apart
    kHeader,          // of a partition whose rows go on: its deletion, if it had one, static row
    kStaticRow,       // of a partition, but not its deletion
    kRows,            // rows or markers of a partition
    kRangeTombstone,  // part of one, at a place where rows are lost
  };
  Kind kind = Kind::kPartition;
  uint64_t position_bytes = 0;  // uncompressed
  uint64_t size_bytes = 0;      // kHeader with rows lost: up to the first row that is not
  std::optional<std::vector<std::byte>> key = {};
  /// kRows: the rows or markers around; nothing at the partition's start and end.
  std::optional<ClusteringPrefix> after = {};
  std::optional<ClusteringPrefix> before = {};
  std::string why = {};
};

struct SalvageReport {
  static constexpr size_t kLossesMax = 1000;

  /// Components that are damaged or missing and what was done about it.
  std::vector<std::string> notes;
  std::vector<SalvageLoss> losses;  // at most kLossesMax, then counted
  uint64_t losses_left_out = 0;
  uint64_t lost_bytes = 0;  // of Data.db, uncompressed
  uint64_t partitions = 0;  // that were read, whole or in part
  uint64_t rows = 0;        // that were read, static ones counted
  /// How many there were; nothing when Statistics.db does not tell.
  std::optional<uint64_t> rows_before;

  /// Nothing is missing but components that can be made anew.
  bool all_rows() const { return losses.empty() && losses_left_out == 0; }
};

/// Reads what can be read of a damaged SSTable, whichever of its components is damaged.
///
/// What must be whole is the header in Statistics.db, which says how rows are encoded. TOC.txt,
/// Filter.db and Digest.crc32 are not needed. A CompressionInfo.db that is damaged is made anew
/// from Data.db. Chunks whose checksum is wrong, or that the disk does not give, are passed over:
/// reading goes on with the first row behind that can be found. Rows are found by the sizes that
/// each row stores of the one before it, four in a line or up to the partition's end, as far as the
/// partition's index is whole; otherwise with the next partition that the index and Data.db agree
/// on. So a row is only handed out when several things in the files say that it is one, and then it
/// is as it was written.
///
/// Life:    Open -> Scan -> report.    Threads: none.    Borrows: the file system.
/// Errors:  a row is never an error; the header is, and what is no damage.
class SalvageReader {
 public:
  static Result<std::unique_ptr<SalvageReader>> Open(io::FileSystem& files,
                                                     const std::string& directory,
                                                     const Descriptor& descriptor);
  ~SalvageReader();

  const Descriptor& descriptor() const;
  const Statistics& statistics() const;
  const Layout& layout() const;
  const DataFile& data() const;

  /// Every partition and row that can be read, once. The reader outlives the stream.
  std::unique_ptr<UnfilteredStream> Scan();
  /// Complete when the stream has answered that there are no more partitions.
  const SalvageReport& report() const;

 private:
  struct State;
  explicit SalvageReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace orochi::sstable
