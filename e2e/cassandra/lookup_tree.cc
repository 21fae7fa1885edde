// lookup_tree DIR: every SSTable under DIR, written by real Cassandra, is verified; its partitions
// are looked up by key, forwards and backwards, and in slices both ways, and compared with a scan.
// The rows themselves are compared with sstabledump elsewhere: this is about the indexes.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "base/str_cat.h"
#include "io/posix/posix_file_system.h"
#include "sstable/check/testing/owned_stream.h"
#include "sstable/read/reader.h"
#include "sstable/read/verify.h"
#include "sstable/write/testing/random_table.h"

namespace orochi::sstable {
namespace {

constexpr size_t kPartitionsMax = 300;
constexpr size_t kSliceStartsMax = 60;

struct Totals {
  uint64_t tables = 0;
  uint64_t rows = 0;
  uint64_t lookups = 0;
  uint64_t slices = 0;
};

// The rows' places, from a stream that stands at a partition.
Result<std::vector<ClusteringPrefix>> PlacesOf(UnfilteredStream& stream) {
  std::vector<ClusteringPrefix> places;
  for (;;) {
    ASSIGN_OR_RETURN(bool const found, stream.Next());
    if (!found) {
      return places;
    }
    if (stream.current().is_row()) {
      places.emplace_back(stream.current().clustering);
    }
  }
}

Status CheckSlice(const SstableReader& reader, Bytes key,
                  const std::vector<ClusteringPrefix>& places, size_t first, size_t last,
                  bool reversed) {
  ClusteringSlice slice{places[first], places[last]};
  slice.start.set_kind(ClusteringKind::kInclStartBound);
  slice.end.set_kind(ClusteringKind::kInclEndBound);
  ASSIGN_OR_RETURN(std::unique_ptr<UnfilteredStream> const stream,
                   reader.Lookup(key, {.slices = {slice}, .reversed = reversed}));
  ASSIGN_OR_RETURN(bool const found, stream->NextPartition());
  if (!found) {
    return Status::NotFound("a slice's partition is not found");
  }
  ASSIGN_OR_RETURN(std::vector<ClusteringPrefix> rows, PlacesOf(*stream));
  if (reversed) {
    std::reverse(rows.begin(), rows.end());
  }
  bool const same =
      std::equal(rows.begin(), rows.end(), places.begin() + static_cast<ptrdiff_t>(first),
                 places.begin() + static_cast<ptrdiff_t>(last) + 1,
                 [&](const ClusteringPrefix& a, const ClusteringPrefix& b) {
                   return reader.layout().clustering.Compare(a.view(), b.view()) == 0;
                 });
  return same ? Status::Ok()
              : Status::Internal(StrCat("slice of rows ", first, " to ", last,
                                        reversed ? " reversed has " : " has ", rows.size()));
}

Status CheckPartition(const SstableReader& reader, const std::string& key,
                      const std::vector<ClusteringPrefix>& places, Totals& totals) {
  ASSIGN_OR_RETURN(std::unique_ptr<UnfilteredStream> const forwards, reader.Lookup(AsBytes(key)));
  ASSIGN_OR_RETURN(std::string const rows, testing::Transcript(*forwards));
  ASSIGN_OR_RETURN(std::unique_ptr<UnfilteredStream> const backwards,
                   reader.Lookup(AsBytes(key), {.reversed = true}));
  ASSIGN_OR_RETURN(std::string const reversed, testing::Transcript(*backwards));
  if (rows.empty() || reversed != testing::ReversedTranscript(rows)) {
    return Status::Internal("a partition is not found, or is another one backwards");
  }
  ++totals.lookups;
  if (reader.layout().clustering.column_count() == 0) {
    return Status::Ok();
  }
  for (size_t first = 0; first < places.size(); first += 1 + places.size() / kSliceStartsMax) {
    size_t const last = std::min(places.size() - 1, first + first % 4);
    for (bool const is_reversed : {false, true}) {
      RETURN_IF_ERROR(CheckSlice(reader, AsBytes(key), places, first, last, is_reversed));
      ++totals.slices;
    }
  }
  return Status::Ok();
}

Status CheckTable(io::FileSystem& files, const std::string& directory, const Descriptor& descriptor,
                  Totals& totals) {
  ASSIGN_OR_RETURN(VerifyReport const report, Verify(files, directory, descriptor));
  if (!report.good()) {
    return Status::Corruption(report.findings.front());
  }
  ++totals.tables;
  totals.rows += report.rows;
  ASSIGN_OR_RETURN(std::unique_ptr<SstableReader> const reader,
                   SstableReader::Open(files, directory, descriptor));
  std::unique_ptr<UnfilteredStream> const scan = reader->Scan();
  for (size_t count = 0; count < kPartitionsMax; ++count) {
    ASSIGN_OR_RETURN(bool const found, scan->NextPartition());
    if (!found) {
      break;
    }
    std::string const key(AsText(scan->partition().key));
    ASSIGN_OR_RETURN(std::vector<ClusteringPrefix> const places, PlacesOf(*scan));
    RETURN_IF_ERROR(CheckPartition(*reader, key, places, totals));
  }
  return Status::Ok();
}

int Run(const std::string& root) {
  io::PosixFileSystem files;
  Totals totals;
  int failures = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    std::string const name = entry.path().filename().string();
    if (!name.ends_with("-Data.db")) {
      continue;
    }
    Result<Descriptor> const descriptor = Descriptor::Parse(name);
    Status const status = descriptor.ok() ? CheckTable(files, entry.path().parent_path().string(),
                                                       *descriptor, totals)
                                          : descriptor.status();
    if (!status.ok()) {
      ++failures;
      std::printf("%s: %s\n", entry.path().c_str(), status.ToString().c_str());
    }
  }
  std::printf(
      "lookup_tree: %llu tables, %llu rows, %llu partitions looked up, %llu slices, "
      "%d failures\n",
      static_cast<unsigned long long>(totals.tables), static_cast<unsigned long long>(totals.rows),
      static_cast<unsigned long long>(totals.lookups),
      static_cast<unsigned long long>(totals.slices), failures);
  return failures == 0 && totals.tables > 0 ? 0 : 1;
}

}  // namespace
}  // namespace orochi::sstable

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: lookup_tree DIR\n");
    return 2;
  }
  return orochi::sstable::Run(argv[1]);
}
