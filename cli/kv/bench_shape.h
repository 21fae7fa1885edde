#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "cli/kv/zipfian.h"
#include "kv/client/client.h"

namespace orochi::cli {

enum class BenchOperation : uint8_t {
  kRead,
  kUpdate,
  kInsert,
  kScan,
  kReadModifyWrite,
  kTransaction
};
inline constexpr size_t kBenchOperationCount = 6;
std::string_view NameOf(BenchOperation operation);

/// How keys are drawn among those that are there.
enum class BenchKeys : uint8_t { kUniform, kZipfian, kLatest };

/// What a run does: shares of operations in per cent, and which keys they meet.
struct BenchShape {
  std::string_view name;
  std::string_view summary;
  std::array<int, kBenchOperationCount> shares;  // by BenchOperation; they add up to 100
  BenchKeys keys;
  bool alone = false;     // by one thread, whatever was asked for
  bool by_range = false;  // scans: records in the order of keys
};

/// nullptr: there is none of this name.
const BenchShape* FindShape(std::string_view name);
std::string ShapeNames();

struct BenchData {
  uint64_t row_count = 10'000;  // that are there before a run
  size_t value_size_bytes = 256;
  std::atomic<uint64_t> inserted{0};  // next to those, by all runs
  std::string prefix = {};            // of keys, so that runs do not meet earlier ones' rows
};

/// One thread's operations on a store.
///
/// Threads: one.    Borrows: everything it is given.
class BenchWorker {
 public:
  BenchWorker(kv::client::Client& client, const BenchShape& shape, BenchData& data,
              const Zipfian& zipfian, uint64_t seed);
  BenchOperation Draw();
  /// kAborted: a conflict, or a condition that others got ahead of.
  Status Run(BenchOperation operation);

  static kv::client::Target TargetOf(bool by_range);
  static std::string KeyOf(const BenchData& data, uint64_t number);
  kv::client::Object Row(std::string key);

 private:
  std::string DrawKey();
  Status ReadModifyWrite(const std::string& key);
  Status Transact(const std::string& key);
  Status Scan(const std::string& key);

  kv::client::Client& client_;
  const BenchShape& shape_;
  BenchData& data_;
  const Zipfian& zipfian_;
  SeededRandom random_;
  kv::client::Target target_;
  std::string value_;
};

}  // namespace orochi::cli
