// Question: how many bytes and how much time does a value of realistic series take?
// Method: one row group of each series, encoded and decoded again and again in memory. `ns/value`
// counts the whole chunk: checksum, general compression, encoding. The label is what was chosen.
// Run a release build: build/release/src/columnar/columnar_bench
#include <benchmark/benchmark.h>

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/random.h"
#include "base/str_cat.h"
#include "codec/compression.h"
#include "columnar/internal/chunk_codec.h"
#include "columnar/internal/column_buffer.h"
#include "columnar/stripe_writer.h"
#include "columnar/testing/memory_stripe.h"

namespace orochi::columnar {
namespace {

using internal::ColumnBuffer;

constexpr uint32_t kRows = kRowGroupRowsDefault;

struct Series {
  const char* name;
  PhysicalType type;
  uint64_t (*word)(uint32_t row, Random& random);
};

uint64_t OfDouble(double value) {
  return std::bit_cast<uint64_t>(value);
}

// A value that wanders a little from row to row, as temperatures and loads do.
double Wander(Random& random) {
  thread_local double value = 50;
  value += random.Unit() - 0.5 - (value - 50) * 0.001;
  return value;
}

constexpr uint64_t kStartMicros = 1'700'000'000'000'000;

const Series kSeries[] = {
    {"timestamp_every_10s", PhysicalType::kInt64,
     [](uint32_t row, Random&) {
       return static_cast<uint64_t>(kStartMicros + row * uint64_t{10'000'000});
     }},
    {"timestamp_jitter_ms", PhysicalType::kInt64,
     [](uint32_t row, Random& random) {
       return kStartMicros + row * uint64_t{10'000'000} + random.Below(50) * 1000;
     }},
    {"timestamp_100_hosts", PhysicalType::kInt64,
     [](uint32_t row, Random&) { return kStartMicros + row / 100 * uint64_t{10'000'000}; }},
    {"host_id_round_robin", PhysicalType::kInt32,
     [](uint32_t row, Random&) { return uint64_t{row % 100}; }},
    {"host_id_random", PhysicalType::kInt32,
     [](uint32_t, Random& random) { return random.Below(1000); }},
    {"counter", PhysicalType::kInt64,
     [](uint32_t row, Random& random) { return row * uint64_t{1000} + random.Below(1000); }},
    {"int64_random", PhysicalType::kInt64, [](uint32_t, Random& random) { return random.Next(); }},
    {"gauge_2_decimals", PhysicalType::kFloat64,
     [](uint32_t, Random& random) { return OfDouble(std::round(Wander(random) * 100) / 100); }},
    {"percent_int_as_double", PhysicalType::kFloat64,
     [](uint32_t, Random& random) { return OfDouble(std::round(Wander(random))); }},
    {"double_full_precision", PhysicalType::kFloat64,
     [](uint32_t, Random& random) { return OfDouble(Wander(random)); }},
    {"double_slow_steps", PhysicalType::kFloat64,
     [](uint32_t row, Random&) { return OfDouble(std::sqrt(static_cast<double>(row / 50))); }},
    {"float32_1_decimal", PhysicalType::kFloat32,
     [](uint32_t, Random& random) {
       return uint64_t{
           std::bit_cast<uint32_t>(static_cast<float>(std::round(Wander(random) * 10) / 10))};
     }},
    {"bool_rare", PhysicalType::kBool,
     [](uint32_t, Random& random) { return uint64_t{random.OneIn(100)}; }},
    {"text_tag_20", PhysicalType::kBytes,
     [](uint32_t, Random& random) { return random.Below(20); }},
    {"text_unique", PhysicalType::kBytes, [](uint32_t, Random& random) { return random.Next(); }},
};

ColumnBuffer MakeBuffer(const Series& series) {
  ColumnBuffer buffer(series.type);
  SeededRandom random(7);
  for (uint32_t row = 0; row < kRows; ++row) {
    uint64_t const word = series.word(row, random);
    std::string const text = StrCat("host-", word, ".example.org");
    Cell cell = Cell::Word(word);
    if (series.type == PhysicalType::kBytes) {
      cell = Cell::Bytes(std::as_bytes(std::span(text)));
    }
    buffer.Grow(cell);
    buffer.Append(cell);
  }
  return buffer;
}

void Report(benchmark::State& state, const internal::EncodedChunk& chunk) {
  using benchmark::Counter;
  state.counters["ns/value"] =
      Counter(kRows * 1e-9, Counter::kIsIterationInvariantRate | Counter::kInvert);
  state.counters["bytes/value"] = static_cast<double>(chunk.bytes.size()) / kRows;
  state.SetLabel(StrCat(EncodingName(chunk.stored.info.encoding), "+",
                        codec::CompressionName(chunk.stored.info.compression)));
}

void Encode(benchmark::State& state, const Series& series, codec::Compression compression) {
  ColumnBuffer const buffer = MakeBuffer(series);
  internal::ChunkEncoder encoder(compression, 3);
  internal::EncodedChunk chunk;
  for (auto _ : state) {
    if (!encoder.Encode(buffer, chunk).ok()) {
      state.SkipWithError("encoding failed");
      return;
    }
  }
  Report(state, chunk);
}

void Decode(benchmark::State& state, const Series& series, codec::Compression compression) {
  ColumnBuffer const buffer = MakeBuffer(series);
  internal::ChunkEncoder encoder(compression, 3);
  internal::EncodedChunk chunk;
  internal::ChunkDecoder decoder;
  ColumnVector vector;
  if (!encoder.Encode(buffer, chunk).ok()) {
    state.SkipWithError("encoding failed");
    return;
  }
  for (auto _ : state) {
    if (!decoder.Decode(series.type, chunk.stored, chunk.bytes, vector).ok()) {
      state.SkipWithError("decoding failed");
      return;
    }
    benchmark::DoNotOptimize(vector.fixed_words.data());
  }
  Report(state, chunk);
}

// A table as monitoring has it: time, host, tag, ten gauges, two counters.
class MetricsTable {
 public:
  MetricsTable() {
    schema_.columns = {PhysicalType::kInt64, PhysicalType::kInt32, PhysicalType::kBytes};
    schema_.columns.insert(schema_.columns.end(), 10, PhysicalType::kFloat64);
    schema_.columns.insert(schema_.columns.end(), 2, PhysicalType::kInt64);
  }

  const Schema& schema() const { return schema_; }

  /// Cells borrow from the table until the next call.
  std::span<const Cell> Row(uint32_t row) {
    cells_.clear();
    cells_.push_back(Cell::Word(kStartMicros + row / 100 * uint64_t{10'000'000}));
    cells_.push_back(Cell::Word(row % 100));
    tag_ = StrCat("rack-", row % 100 / 8);
    cells_.push_back(Cell::Bytes(std::as_bytes(std::span(tag_))));
    for (int gauge = 0; gauge < 10; ++gauge) {
      cells_.push_back(Cell::Word(OfDouble(std::round(Wander(random_) * 100) / 100)));
    }
    cells_.push_back(Cell::Word(row * uint64_t{1000} + random_.Below(1000)));
    cells_.push_back(Cell::Word(random_.Below(100)));
    return cells_;
  }

 private:
  Schema schema_;
  SeededRandom random_{7};
  std::string tag_;
  std::vector<Cell> cells_;
};

void WriteStripe(benchmark::State& state) {
  MetricsTable table;
  MemoryBudget budget("bench", 256u << 20);
  uint64_t size_bytes = 0;
  for (auto _ : state) {
    StripeWriter writer(table.schema(), {}, budget);
    for (uint32_t row = 0; !writer.full(); ++row) {
      if (!writer.Append(table.Row(row)).ok()) {
        state.SkipWithError("no room for a row");
        return;
      }
    }
    testing::MemoryFile file;
    Result<StripeLocation> const location = writer.Finish(file);
    size_bytes = location.ok() ? location->size_bytes : 0;
  }
  state.counters["bytes/row"] = static_cast<double>(size_bytes) / kStripeRowsDefault;
  state.counters["rows/s"] =
      benchmark::Counter(kStripeRowsDefault, benchmark::Counter::kIsIterationInvariantRate);
}

void RegisterAll() {
  benchmark::RegisterBenchmark("write_stripe/metrics_15_columns", WriteStripe);
  for (const Series& series : kSeries) {
    for (codec::Compression const compression :
         {codec::Compression::kNone, codec::Compression::kZstd}) {
      std::string const suffix = StrCat(series.name, "/", codec::CompressionName(compression));
      benchmark::RegisterBenchmark(StrCat("encode/", suffix).c_str(), Encode, series, compression);
      benchmark::RegisterBenchmark(StrCat("decode/", suffix).c_str(), Decode, series, compression);
    }
  }
}

}  // namespace
}  // namespace orochi::columnar

int main(int argc, char** argv) {
  orochi::columnar::RegisterAll();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
