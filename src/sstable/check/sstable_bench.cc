// Reading speed on generated tables.
//   sstable_bench generate DIR SHAPE BYTES [nb|oa|da] [lz4|zstd|snappy|deflate|none]
//   sstable_bench scan DIR        every cell of every row decoded: MB/s of uncompressed Data.db
//   sstable_bench lookup DIR      median of single partition lookups, warm
//   sstable_bench open-once DIR   opening with filter and index
//   sstable_bench merge DIR       a scan through the merger, as a query sees it
// SHAPE is rows (10 rows of 8 columns a partition), small (one int a partition) or wide (one
// partition). Prints one line of key=value a measurement. bench/sstable_*.sh run the usual set.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/str_cat.h"
#include "io/posix/posix_file_system.h"
#include "sstable/read/merge.h"
#include "sstable/read/reader.h"
#include "sstable/types/bytes.h"
#include "sstable/write/sstable_writer.h"

namespace orochi::sstable {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Of this process: what other work on the machine takes is not counted.
double CpuSeconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

long PeakRssKb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

Layout LayoutOf(std::string_view shape) {
  Layout layout;
  layout.key_type = SimpleType(TypeKind::kBigint);
  if (shape == "small") {
    layout.regulars = {Column::Of("v", SimpleType(TypeKind::kInt))};
    return layout;
  }
  layout.clustering = ClusteringFormat({SimpleType(TypeKind::kTimestamp)});
  for (auto const& [name, kind] :
       std::vector<std::pair<const char*, TypeKind>>{{"active", TypeKind::kBoolean},
                                                     {"count", TypeKind::kInt},
                                                     {"latency", TypeKind::kDouble},
                                                     {"message", TypeKind::kText},
                                                     {"region", TypeKind::kText},
                                                     {"service", TypeKind::kText},
                                                     {"total", TypeKind::kBigint},
                                                     {"trace", TypeKind::kUuid}}) {
    layout.regulars.push_back(Column::Of(name, SimpleType(kind)));
  }
  return layout;
}

template <class Integer>
std::string BigEndian(Integer value) {
  std::string bytes;
  AppendBigEndian(bytes, value);
  return bytes;
}

// A row's cells; `bytes` keeps what they point at.
void FillRow(Random& random, bool is_small, std::vector<std::string>& bytes,
             std::vector<CellView>& cells, int64_t timestamp) {
  bytes.clear();
  if (is_small) {
    bytes.push_back(BigEndian(static_cast<int32_t>(random.Next())));
  } else {
    bytes.push_back(std::string(1, static_cast<char>(random.Below(2))));
    bytes.push_back(BigEndian(static_cast<int32_t>(random.Below(1000))));
    bytes.push_back(BigEndian(random.Next() >> 12 | 0x3FF0'0000'0000'0000));
    std::string message = "request to /api/v1/items took longer than expected, code ";
    for (uint64_t left = 10 + random.Below(40); left > 0; --left) {
      message.push_back(static_cast<char>('a' + random.Below(26)));
    }
    bytes.push_back(std::move(message));
    bytes.push_back(StrCat("region-", random.Below(8)));
    bytes.push_back(StrCat("service-", random.Below(100)));
    bytes.push_back(BigEndian(static_cast<int64_t>(random.Below(1'000'000'000))));
    bytes.push_back(BigEndian(random.Next()) + BigEndian(random.Next()));
  }
  cells.clear();
  for (uint32_t index = 0; index < bytes.size(); ++index) {
    CellView cell;
    cell.column_index = index;
    cell.timestamp = timestamp;
    cell.value = AsBytes(bytes[index]);
    cells.push_back(cell);
  }
}

Status Generate(const std::string& directory, std::string_view shape, uint64_t size_bytes,
                std::string_view version, std::string_view compression) {
  io::PosixFileSystem files;
  RETURN_IF_ERROR(files.CreateDirectories(directory));
  bool const is_small = shape == "small";
  uint64_t const rows_per_partition = shape == "wide" ? UINT64_MAX : is_small ? 1 : 10;
  uint64_t const partition_count =
      shape == "wide" ? 1 : size_bytes / (is_small ? 30 : 10 * 180) + 1;
  WriterOptions options;
  options.version = version == "nb"   ? Version::Nb()
                    : version == "da" ? Version::Da()
                                      : Version::Oa();
  constexpr std::string_view kNames[] = {"lz4", "snappy", "deflate", "zstd"};
  options.compression.reset();
  for (size_t index = 0; index < std::size(kNames); ++index) {
    if (compression == kNames[index]) {
      options.compression = CompressionOptions{.kind = static_cast<CompressorKind>(index)};
    }
  }
  options.minima.timestamp = 1'700'000'000'000'000;
  ASSIGN_OR_RETURN(std::unique_ptr<SstableWriter> writer,
                   SstableWriter::Create(files, directory, LayoutOf(shape), options));
  std::vector<std::pair<int64_t, std::string>> keys;
  for (uint64_t id = 0; id < partition_count; ++id) {
    std::string key = BigEndian(static_cast<int64_t>(id));
    keys.emplace_back(TokenOf(Partitioner::kMurmur3, AsBytes(key)).murmur3(), std::move(key));
  }
  std::sort(keys.begin(), keys.end());
  SeededRandom random(1);
  std::vector<std::string> bytes;
  std::vector<CellView> cells;
  int64_t clock = 1'700'000'000'000'000;
  for (const auto& [token, key] : keys) {
    RETURN_IF_ERROR(writer->StartPartition(AsBytes(key), DeletionTime()));
    for (uint64_t number = 0; number < rows_per_partition; ++number) {
      if (shape == "wide" && writer->data_size_bytes() >= size_bytes) {
        break;
      }
      clock += static_cast<int64_t>(random.Below(100'000));
      FillRow(random, is_small, bytes, cells, clock);
      std::string const at = BigEndian(static_cast<int64_t>(1'700'000'000'000 + number * 250));
      ClusteringValue const value{AsBytes(at), false};
      Unfiltered row;
      if (!is_small) {
        row.clustering.values = {&value, 1};
      }
      row.liveness.timestamp = clock;
      row.cells = cells;
      RETURN_IF_ERROR(writer->Add(row));
    }
  }
  ASSIGN_OR_RETURN(WrittenSstable const written, writer->Finish());
  std::printf("shape=%s rows=%llu partitions=%llu data_bytes=%llu stored_bytes=%llu\n",
              std::string(shape).c_str(), static_cast<unsigned long long>(written.row_count),
              static_cast<unsigned long long>(written.partition_count),
              static_cast<unsigned long long>(written.data_size_bytes),
              static_cast<unsigned long long>(written.stored_size_bytes));
  return Status::Ok();
}

Result<std::unique_ptr<SstableReader>> OpenIn(io::FileSystem& files, const std::string& directory) {
  ASSIGN_OR_RETURN(std::vector<Descriptor> const found, ListSstables(files, directory));
  if (found.empty()) {
    return Status::NotFound(StrCat(directory, ": no SSTable"));
  }
  return SstableReader::Open(files, directory, found.front());
}

// Touches every cell, so that none is decoded for nothing.
Status Drain(UnfilteredStream& stream, const char* name, uint64_t data_size_bytes) {
  auto const start = Clock::now();
  double const cpu_start = CpuSeconds();
  uint64_t partitions = 0;
  uint64_t rows = 0;
  uint64_t cells = 0;
  uint64_t value_bytes = 0;
  for (;;) {
    ASSIGN_OR_RETURN(bool const more, stream.NextPartition());
    if (!more) {
      break;
    }
    ++partitions;
    for (;;) {
      ASSIGN_OR_RETURN(bool const found, stream.Next());
      if (!found) {
        break;
      }
      ++rows;
      for (const CellView& cell : stream.current().cells) {
        ++cells;
        value_bytes += cell.value.size();
      }
    }
  }
  double const seconds = SecondsSince(start);
  double const cpu_seconds = CpuSeconds() - cpu_start;
  std::printf(
      "%s seconds=%.3f cpu_seconds=%.3f mb_per_cpu_s=%.0f rows_per_cpu_s=%.0f partitions=%llu "
      "rows=%llu cells=%llu "
      "value_bytes=%llu peak_rss_kb=%ld\n",
      name, seconds, cpu_seconds, static_cast<double>(data_size_bytes) / 1e6 / cpu_seconds,
      static_cast<double>(rows) / cpu_seconds, static_cast<unsigned long long>(partitions),
      static_cast<unsigned long long>(rows), static_cast<unsigned long long>(cells),
      static_cast<unsigned long long>(value_bytes), PeakRssKb());
  return Status::Ok();
}

Status Scan(const std::string& directory) {
  io::PosixFileSystem files;
  ASSIGN_OR_RETURN(std::unique_ptr<SstableReader> const reader, OpenIn(files, directory));
  for (int round = 0; round < 5; ++round) {
    RETURN_IF_ERROR(Drain(*reader->Scan(), "scan", reader->data().size_bytes()));
  }
  return Status::Ok();
}

Status MergeScan(const std::string& directory) {
  io::PosixFileSystem files;
  ASSIGN_OR_RETURN(std::unique_ptr<SstableReader> const reader, OpenIn(files, directory));
  for (int inputs = 1; inputs <= 2; ++inputs) {
    std::vector<std::unique_ptr<UnfilteredStream>> streams;
    for (int input = 0; input < inputs; ++input) {
      streams.push_back(reader->Scan());
    }
    ASSIGN_OR_RETURN(std::unique_ptr<UnfilteredStream> const merged,
                     Merge(std::move(streams), reader->layout(), {.live_at_s = 1'800'000'000}));
    RETURN_IF_ERROR(Drain(*merged, inputs == 1 ? "merge1" : "merge2",
                          reader->data().size_bytes() * static_cast<uint64_t>(inputs)));
  }
  return Status::Ok();
}

Status Lookup(const std::string& directory) {
  io::PosixFileSystem files;
  ASSIGN_OR_RETURN(std::unique_ptr<SstableReader> const reader, OpenIn(files, directory));
  std::vector<std::string> keys;
  std::unique_ptr<UnfilteredStream> const scan = reader->Scan();
  for (;;) {
    ASSIGN_OR_RETURN(bool const more, scan->NextPartition());
    if (!more) {
      break;
    }
    keys.emplace_back(AsText(scan->partition().key));
  }
  SeededRandom random(2);
  std::vector<double> micros;
  for (int round = 0; round < 20'000; ++round) {
    const std::string& key = keys[random.Below(keys.size())];
    auto const start = Clock::now();
    ASSIGN_OR_RETURN(std::unique_ptr<UnfilteredStream> const stream, reader->Lookup(AsBytes(key)));
    ASSIGN_OR_RETURN(bool const found, stream->NextPartition());
    if (!found) {
      return Status::Internal("a key that is there was not found");
    }
    for (int row = 0; row < 10; ++row) {
      ASSIGN_OR_RETURN(bool const more, stream->Next());
      if (!more) {
        break;
      }
    }
    micros.push_back(SecondsSince(start) * 1e6);
  }
  std::sort(micros.begin(), micros.end());
  std::printf("lookup keys=%zu median_us=%.1f p99_us=%.1f\n", keys.size(),
              micros[micros.size() / 2], micros[micros.size() * 99 / 100]);
  return Status::Ok();
}

// In a process that has opened none before; the caller decides what is in the page cache.
Status OpenOnce(const std::string& directory) {
  io::PosixFileSystem files;
  auto const start = Clock::now();
  double const cpu_start = CpuSeconds();
  ASSIGN_OR_RETURN(std::unique_ptr<SstableReader> const reader, OpenIn(files, directory));
  double const bare = SecondsSince(start) * 1e6;
  RETURN_IF_ERROR(reader->LoadIndex());
  std::printf("open us=%.0f with_index_us=%.0f with_index_cpu_us=%.0f\n", bare,
              SecondsSince(start) * 1e6, (CpuSeconds() - cpu_start) * 1e6);
  return Status::Ok();
}

Status Run(int argc, char** argv) {
  std::string_view const command = argc > 2 ? argv[1] : "";
  std::string const directory = argc > 2 ? argv[2] : "";
  if (command == "generate" && argc >= 5) {
    return Generate(directory, argv[3], std::strtoull(argv[4], nullptr, 10),
                    argc > 5 ? argv[5] : "oa", argc > 6 ? argv[6] : "lz4");
  }
  if (command == "scan") return Scan(directory);
  if (command == "merge") return MergeScan(directory);
  if (command == "lookup") return Lookup(directory);
  if (command == "open-once") return OpenOnce(directory);
  return Status::InvalidArgument(
      "usage: generate DIR rows|small|wide BYTES [nb|oa|da] [codec], or "
      "scan, merge, lookup or open-once DIR");
}

}  // namespace
}  // namespace orochi::sstable

int main(int argc, char** argv) {
  orochi::Status const status = orochi::sstable::Run(argc, argv);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  return 0;
}
