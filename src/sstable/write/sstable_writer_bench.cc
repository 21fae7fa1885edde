// sstable_writer_bench [ROWS [FORMAT]]: small rows written with LZ4 in each format, one thread,
// files on disk and synced. Two shapes: one row a partition (bigint key, two columns, about 60
// bytes), and 100 rows a partition. Prints rows/s by the clock and by processor time, and MB/s of
// uncompressed data; "and a thread" compresses in one beside. The keys are made and sorted before.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "base/random.h"
#include "base/testing/temp_dir.h"
#include "io/posix/posix_file_system.h"
#include "sstable/types/decorated_key.h"
#include "sstable/write/sstable_writer.h"

namespace orochi::sstable {
namespace {

struct Keys {
  std::vector<std::string> sorted;

  explicit Keys(uint64_t count) {
    std::vector<std::pair<Token, std::string>> keys;
    for (uint64_t key = 0; key < count; ++key) {
      std::string bytes;
      AppendBigEndian(bytes, key);
      keys.emplace_back(TokenOf(Partitioner::kMurmur3, AsBytes(bytes)), bytes);
    }
    std::sort(keys.begin(), keys.end());
    for (auto& [token, key] : keys) {
      sorted.push_back(std::move(key));
    }
  }
};

Status WriteRows(SstableWriter& writer, const Keys& keys, uint64_t rows_per_partition) {
  SeededRandom random(1);
  for (const std::string& key : keys.sorted) {
    RETURN_IF_ERROR(writer.StartPartition(AsBytes(key), {}));
    for (uint64_t row = 0; row < rows_per_partition; ++row) {
      std::string clustering;
      AppendBigEndian(clustering, row);
      std::string number;
      AppendBigEndian(number, random.Next() % 100000);
      char text[40];
      int const size = std::snprintf(text, sizeof(text), "a value of row %llu",
                                     static_cast<unsigned long long>(random.Next() % 1000));
      ClusteringValue const value = {.bytes = AsBytes(clustering)};
      CellView cells[2];
      cells[0].timestamp = cells[1].timestamp = 1'700'000'000'000'000;
      cells[0].value = AsBytes(number);
      cells[1].column_index = 1;
      cells[1].value = AsBytes(std::string_view(text, static_cast<size_t>(size)));
      Unfiltered unfiltered;
      unfiltered.clustering.values = {&value, 1};
      unfiltered.liveness.timestamp = 1'700'000'000'000'000;
      unfiltered.cells = cells;
      RETURN_IF_ERROR(writer.Add(unfiltered));
    }
  }
  return Status::Ok();
}

Status Measure(Version version, bool threaded, const Keys& keys, uint64_t rows_per_partition) {
  ::orochi::testing::TempDir directory;
  io::PosixFileSystem files;
  Layout layout;
  layout.key_type = SimpleType(TypeKind::kBigint);
  layout.clustering = ClusteringFormat({SimpleType(TypeKind::kBigint)});
  layout.regulars = {Column::Of("n", SimpleType(TypeKind::kBigint)),
                     Column::Of("t", SimpleType(TypeKind::kText))};
  WriterOptions options;
  options.version = version;
  options.compresses_in_thread = threaded;
  auto const start = std::chrono::steady_clock::now();
  std::clock_t const cpu_start = std::clock();
  ASSIGN_OR_RETURN(auto const writer,
                   SstableWriter::Create(files, directory.path(), layout, options));
  RETURN_IF_ERROR(WriteRows(*writer, keys, rows_per_partition));
  ASSIGN_OR_RETURN(WrittenSstable const written, writer->Finish());
  double const seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  double const cpu_seconds = static_cast<double>(std::clock() - cpu_start) / CLOCKS_PER_SEC;
  std::printf(
      "%.2s  %4llu rows a partition  %9.0f rows/s  %9.0f rows/s of processor  %6.1f MB/s%s\n",
      version.letters().data(), static_cast<unsigned long long>(rows_per_partition),
      static_cast<double>(written.row_count) / seconds,
      static_cast<double>(written.row_count) / cpu_seconds,
      static_cast<double>(written.data_size_bytes) / seconds / 1e6,
      threaded ? "  and a thread" : "");
  return Status::Ok();
}

}  // namespace
}  // namespace orochi::sstable

int main(int argc, char** argv) {
  uint64_t const rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2'000'000;
  using orochi::sstable::Version;
  for (uint64_t const rows_per_partition : {1, 100}) {
    orochi::sstable::Keys const keys(rows / rows_per_partition);
    for (Version const version : {Version::Nb(), Version::Oa(), Version::Da()}) {
      if (argc > 2 && version.letters() != argv[2]) {
        continue;
      }
      for (bool const threaded : {false, true}) {
        orochi::Status const status =
            orochi::sstable::Measure(version, threaded, keys, rows_per_partition);
        if (!status.ok()) {
          std::fprintf(stderr, "%s\n", status.ToString().c_str());
          return 1;
        }
      }
    }
  }
  return 0;
}
