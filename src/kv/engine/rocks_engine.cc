#include "kv/engine/rocks_engine.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <charconv>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/str_cat.h"

namespace orochi::kv {
namespace {

constexpr std::array<const char*, kFamilyCount> kNames = {"data", "intent", "txn", "meta"};

Status FromRocks(const rocksdb::Status& status, std::string_view what) {
  if (status.ok()) {
    return Status::Ok();
  }
  std::string message = StrCat(what, ": ", std::string_view(status.ToString()));
  return status.IsCorruption() ? Status::Corruption(std::move(message))
         : status.IsNoSpace()  ? Status::ResourceExhausted(std::move(message))
                               : Status::IoError(std::move(message));
}

rocksdb::Slice ToSlice(std::string_view text) {
  return {text.data(), text.size()};
}

// The column families' handles, and the database they belong to.
struct Database {
  ~Database() {
    for (rocksdb::ColumnFamilyHandle* const handle : handles) {
      if (handle != nullptr) {
        db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
      }
    }
  }

  rocksdb::ColumnFamilyHandle* Of(Family family) const {
    return handles[static_cast<size_t>(family)];
  }

  Result<std::optional<std::string>> Get(const rocksdb::ReadOptions& options, Family family,
                                         std::string_view key) const {
    std::string value;
    rocksdb::Status const status = db->Get(options, Of(family), ToSlice(key), &value);
    if (status.IsNotFound()) {
      return std::optional<std::string>();
    }
    RETURN_IF_ERROR(FromRocks(status, "get"));
    return std::optional(std::move(value));
  }

  std::unique_ptr<rocksdb::DB> db;
  std::array<rocksdb::ColumnFamilyHandle*, kFamilyCount> handles{};
};

class RocksCursor final : public Cursor {
 public:
  RocksCursor(const Database& database, const rocksdb::Snapshot* snapshot, Family family) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    iterator_.reset(database.db->NewIterator(options, database.Of(family)));
  }

  void Seek(std::string_view key) override { iterator_->Seek(ToSlice(key)); }
  void SeekBefore(std::string_view key) override {
    if (key.empty()) {
      iterator_->SeekToLast();
      return;
    }
    iterator_->SeekForPrev(ToSlice(key));
    if (iterator_->Valid() && iterator_->key() == ToSlice(key)) {
      iterator_->Prev();
    }
  }
  void Next() override { iterator_->Next(); }
  void Previous() override { iterator_->Prev(); }
  bool Valid() const override { return iterator_->Valid(); }
  std::string_view key() const override {
    return {iterator_->key().data(), iterator_->key().size()};
  }
  std::string_view value() const override {
    return {iterator_->value().data(), iterator_->value().size()};
  }
  Status status() const override { return FromRocks(iterator_->status(), "iterate"); }

 private:
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksSnapshot final : public Reader {
 public:
  explicit RocksSnapshot(const Database& database)
      : database_(database), snapshot_(database.db->GetSnapshot()) {}
  RocksSnapshot(const RocksSnapshot&) = delete;
  RocksSnapshot& operator=(const RocksSnapshot&) = delete;
  ~RocksSnapshot() override { database_.db->ReleaseSnapshot(snapshot_); }

  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot_;
    return database_.Get(options, family, key);
  }
  std::unique_ptr<Cursor> NewCursor(Family family) const override {
    return std::make_unique<RocksCursor>(database_, snapshot_, family);
  }

 private:
  const Database& database_;
  const rocksdb::Snapshot* const snapshot_;
};

// Without it a full disk is noticed late, and RocksDB tries to go on by itself once there is room.
class FailureListener final : public rocksdb::EventListener {
 public:
  explicit FailureListener(std::function<void(Status)> on_failure)
      : on_failure_(std::move(on_failure)) {}

  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/,
                         rocksdb::Status* status) override {
    if (on_failure_ && !status->ok()) {
      on_failure_(FromRocks(*status, "writing in the background"));
    }
  }

 private:
  const std::function<void(Status)> on_failure_;
};

class RocksEngine final : public Engine {
 public:
  explicit RocksEngine(std::unique_ptr<Database> database) : database_(std::move(database)) {}

  Status Write(const WriteBatch& batch) override {
    rocksdb::WriteBatch changes;
    for (const WriteBatch::Change& change : batch.changes()) {
      rocksdb::ColumnFamilyHandle* const handle = database_->Of(change.family);
      RETURN_IF_ERROR(FromRocks(change.value ? changes.Put(handle, change.key, *change.value)
                                             : changes.Delete(handle, change.key),
                                "batch"));
    }
    rocksdb::WriteOptions options;
    options.sync = false;
    return FromRocks(database_->db->Write(options, &changes), "write");
  }

  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    return database_->Get({}, family, key);
  }

  std::unique_ptr<Cursor> NewCursor(Family family) const override {
    return std::make_unique<RocksCursor>(*database_, nullptr, family);
  }

  std::unique_ptr<Reader> TakeSnapshot() const override {
    return std::make_unique<RocksSnapshot>(*database_);
  }

  Status Flush() override {
    std::lock_guard const guard(flush_mutex_);
    // Read before the sync: what is written meanwhile may not be part of it.
    ASSIGN_OR_RETURN(auto applied, ReadApplied());
    RETURN_IF_ERROR(FromRocks(database_->db->FlushWAL(true), "sync of the write-ahead log"));
    std::lock_guard const applied_guard(applied_mutex_);
    flushed_applied_ = std::move(applied);
    return Status::Ok();
  }

  raft::LogIndex FlushedApplied(log::GroupId group) const override {
    std::lock_guard const guard(applied_mutex_);
    auto const found = flushed_applied_.find(group);
    return found == flushed_applied_.end() ? raft::LogIndex() : found->second;
  }

  Result<uint64_t> ApproximateSize(Family family, const KeyRange& range) const override {
    rocksdb::SizeApproximationOptions options;
    options.include_memtables = true;
    options.include_files = true;
    // RocksDB has no "to the end": a key above all that begin with 32 times 0xff.
    std::string const end = range.end.empty() ? std::string(32, '\xff') : range.end;
    rocksdb::Range const wanted(ToSlice(range.begin), ToSlice(end));
    uint64_t size_bytes = 0;
    RETURN_IF_ERROR(FromRocks(
        database_->db->GetApproximateSizes(options, database_->Of(family), &wanted, 1, &size_bytes),
        "approximate size"));
    return size_bytes;
  }

  EngineStatistics statistics() const override {
    using Properties = rocksdb::DB::Properties;
    EngineStatistics found;
    for (size_t family = 0; family < kFamilyCount; ++family) {
      found.memory_table_size_bytes += NumberOf(family, Properties::kCurSizeAllMemTables);
      found.table_size_bytes += NumberOf(family, Properties::kLiveSstFilesSize);
      found.table_count_level0 += NumberOf(family, Properties::kNumFilesAtLevelPrefix + "0");
      found.cursor_memory_size_bytes += NumberOf(family, Properties::kEstimateTableReadersMem);
      found.key_count_estimate += NumberOf(family, Properties::kEstimateNumKeys);
      found.pending_compaction_size_bytes +=
          NumberOf(family, Properties::kEstimatePendingCompactionBytes);
    }
    // Of the whole database, or of a cache that all families share: told by any of them.
    found.cache_size_bytes = NumberOf(0, Properties::kBlockCacheUsage);
    found.running_compaction_count = NumberOf(0, Properties::kNumRunningCompactions);
    found.running_flush_count = NumberOf(0, Properties::kNumRunningFlushes);
    found.delayed_write_rate_bytes = NumberOf(0, Properties::kActualDelayedWriteRate);
    found.writes_stopped = NumberOf(0, Properties::kIsWriteStopped) != 0;
    return found;
  }

 private:
  uint64_t NumberOf(size_t family, const std::string& property) const {
    uint64_t value = 0;
    std::string text;
    if (database_->db->GetIntProperty(database_->handles[family], property, &value)) {
      return value;
    }
    // Files of a level are told as text alone.
    if (database_->db->GetProperty(database_->handles[family], property, &text)) {
      std::from_chars(text.data(), text.data() + text.size(), value);
    }
    return value;
  }

  Result<std::map<log::GroupId, raft::LogIndex>> ReadApplied() const {
    std::map<log::GroupId, raft::LogIndex> applied;
    RocksSnapshot const snapshot(*database_);
    auto const cursor = snapshot.NewCursor(Family::kMeta);
    for (cursor->Seek(kAppliedPrefix); cursor->Valid() && cursor->key().starts_with(kAppliedPrefix);
         cursor->Next()) {
      auto const group = GroupOfAppliedKey(cursor->key());
      if (group) {
        ASSIGN_OR_RETURN(applied[*group], DecodeApplied(cursor->value()));
      }
    }
    RETURN_IF_ERROR(cursor->status());
    return applied;
  }

  const std::unique_ptr<Database> database_;
  std::mutex flush_mutex_;
  mutable std::mutex applied_mutex_;
  std::map<log::GroupId, raft::LogIndex> flushed_applied_;
};

}  // namespace

Result<std::unique_ptr<Engine>> OpenRocksEngine(const RocksOptions& options) {
  rocksdb::DBOptions db_options;
  db_options.create_if_missing = options.create_if_missing;
  db_options.create_missing_column_families = true;
  db_options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  db_options.paranoid_checks = true;
  db_options.max_bgerror_resume_count = 0;
  db_options.listeners.push_back(std::make_shared<FailureListener>(options.on_failure));
  if (options.env != nullptr) {
    db_options.env = options.env;
  }
  // Memory tables of all families go to disk together, so that no family is ahead of another.
  db_options.atomic_flush = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.cache_size_bytes);
  rocksdb::ColumnFamilyOptions family_options;
  family_options.write_buffer_size = options.write_buffer_size_bytes;
  family_options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  families.emplace_back(rocksdb::kDefaultColumnFamilyName, family_options);
  for (const char* const name : kNames) {
    families.emplace_back(name, family_options);
  }
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  RETURN_IF_ERROR(
      FromRocks(rocksdb::DB::Open(db_options, options.directory, families, &handles, &db),
                StrCat(options.directory, ": open")));
  auto database = std::make_unique<Database>();
  database->db.reset(db);
  db->DestroyColumnFamilyHandle(handles[0]).PermitUncheckedError();  // the default one is unused
  for (size_t family = 0; family < kFamilyCount; ++family) {
    database->handles[family] = handles[family + 1];
  }
  auto engine = std::make_unique<RocksEngine>(std::move(database));
  RETURN_IF_ERROR(engine->Flush());  // what was recovered is believed from here on
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace orochi::kv
