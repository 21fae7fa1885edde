#include "cli/kv/bench_shape.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/str_cat.h"

namespace orochi::cli {

using kv::client::Bytes;
using kv::client::Client;
using kv::client::Object;
using kv::client::Query;
using kv::client::ReadAnswer;
using kv::client::Target;
using kv::client::Value;
using kv::client::Write;
using kv::client::Written;

namespace {

constexpr uint64_t kScanRowsMax = 100;  // YCSB's: 1 to 100, uniform

// Shares: read, update, insert, scan, read-modify-write, transaction. A to F are YCSB's core
// workloads.
constexpr std::array<BenchShape, 10> kShapes = {{
    {"put1",
     "one writer, new keys one after the other",
     {0, 0, 100, 0, 0, 0},
     BenchKeys::kUniform,
     true},
    {"put", "writers of new keys", {0, 0, 100, 0, 0, 0}, BenchKeys::kUniform},
    {"get", "linearizable reads of one key", {100, 0, 0, 0, 0, 0}, BenchKeys::kUniform},
    {"txn",
     "one partition: a record seen and two written, all or nothing",
     {0, 0, 0, 0, 0, 100},
     BenchKeys::kUniform},
    {"a", "YCSB A: half reads, half updates", {50, 50, 0, 0, 0, 0}, BenchKeys::kZipfian},
    {"b", "YCSB B: 95 % reads, 5 % updates", {95, 5, 0, 0, 0, 0}, BenchKeys::kZipfian},
    {"c", "YCSB C: reads", {100, 0, 0, 0, 0, 0}, BenchKeys::kZipfian},
    {"d", "YCSB D: 95 % reads of the latest, 5 % inserts", {95, 0, 5, 0, 0, 0}, BenchKeys::kLatest},
    {"e",
     "YCSB E: 95 % scans of 1-100, 5 % inserts",
     {0, 0, 5, 95, 0, 0},
     BenchKeys::kZipfian,
     false,
     true},
    {"f", "YCSB F: half reads, half read-modify-write", {50, 0, 0, 0, 50, 0}, BenchKeys::kZipfian},
}};

}  // namespace

std::string_view NameOf(BenchOperation operation) {
  constexpr std::array<std::string_view, kBenchOperationCount> kNames = {
      "read", "update", "insert", "scan", "read_modify_write", "transaction"};
  return kNames[static_cast<size_t>(operation)];
}

const BenchShape* FindShape(std::string_view name) {
  auto const found = std::find_if(kShapes.begin(), kShapes.end(),
                                  [name](const BenchShape& shape) { return shape.name == name; });
  return found != kShapes.end() ? &*found : nullptr;
}

std::string ShapeNames() {
  std::string text;
  for (const BenchShape& shape : kShapes) {
    text += fmt::format("  {:<6}{}\n", shape.name, shape.summary);
  }
  return text;
}

BenchWorker::BenchWorker(Client& client, const BenchShape& shape, BenchData& data,
                         const Zipfian& zipfian, uint64_t seed)
    : client_(client),
      shape_(shape),
      data_(data),
      zipfian_(zipfian),
      random_(seed),
      target_(TargetOf(shape.by_range)) {
  value_.resize(data.value_size_bytes);
  for (char& byte : value_) {
    byte = static_cast<char>(random_.Next());
  }
}

Target BenchWorker::TargetOf(bool by_range) {
  return {.collection = by_range ? "bench_range" : "bench", .schema = "row", .version = 1};
}

std::string BenchWorker::KeyOf(const BenchData& data, uint64_t number) {
  return fmt::format("{}{:012}", data.prefix, number);
}

// `part` makes room for two rows in one partition.
Object BenchWorker::Row(std::string key) {
  if (!value_.empty()) {
    value_[random_.Below(value_.size())] = static_cast<char>(random_.Next());
  }
  return {{"key", std::move(key)}, {"part", 0}, {"data", Bytes{value_}}};
}

BenchOperation BenchWorker::Draw() {
  auto left = static_cast<int>(random_.Below(100));
  for (size_t index = 0; index < shape_.shares.size(); ++index) {
    left -= shape_.shares[index];
    if (left < 0) {
      return static_cast<BenchOperation>(index);
    }
  }
  return BenchOperation::kRead;
}

std::string BenchWorker::DrawKey() {
  uint64_t number = 0;
  switch (shape_.keys) {
    case BenchKeys::kUniform:
      number = random_.Below(data_.row_count);
      break;
    case BenchKeys::kZipfian:
      number = zipfian_.Scattered(random_);
      break;
    case BenchKeys::kLatest: {
      uint64_t const newest = data_.row_count + data_.inserted.load() - 1;
      number = newest - std::min(newest, zipfian_.Rank(random_));
      break;
    }
  }
  return KeyOf(data_, number);
}

Status BenchWorker::Run(BenchOperation operation) {
  switch (operation) {
    case BenchOperation::kRead: {
      // Of the latest some are being written yet: that there is none is an answer, too.
      return client_.Read(target_, {{"key", DrawKey()}, {"part", 0}}).status();
    }
    case BenchOperation::kUpdate:
      return client_.WriteOne(Write::Put(target_, Row(DrawKey()))).status();
    case BenchOperation::kInsert:
      return client_
          .WriteOne(
              Write::Put(target_, Row(KeyOf(data_, data_.row_count + data_.inserted.fetch_add(1)))))
          .status();
    case BenchOperation::kScan:
      return Scan(DrawKey());
    case BenchOperation::kReadModifyWrite:
      return ReadModifyWrite(DrawKey());
    case BenchOperation::kTransaction:
      return Transact(DrawKey());
  }
  return Status::Internal("there is no such operation");
}

Status BenchWorker::Scan(const std::string& key) {
  Query query{.in = target_,
              .from = Query::Bound{.fields = {key}, .inclusive = true},
              .limit = 1 + random_.Below(kScanRowsMax)};
  return client_.RunQuery(query).status();
}

Status BenchWorker::ReadModifyWrite(const std::string& key) {
  ASSIGN_OR_RETURN(ReadAnswer const read, client_.Read(target_, {{"key", key}, {"part", 0}}));
  ASSIGN_OR_RETURN(
      Written const written,
      client_.WriteOne(Write::Put(target_, Row(key)).If({.unchanged_since = read.timestamp})));
  return written.done ? Status::Ok() : Status::Aborted("another write came between");
}

// A check that tells its record is a read at the place of the writes: all of it is one request to
// one partition, where a read before writes (POST /v1/txn) is a transaction of several.
Status BenchWorker::Transact(const std::string& key) {
  Object second = Row(key);
  second[1].second = 1;
  return client_
      .WriteAll({Write::Check(target_, {{"key", key}, {"part", 0}}, {}).Returning(),
                 Write::Put(target_, Row(key)), Write::Put(target_, std::move(second))})
      .status();
}

}  // namespace orochi::cli
