#include "pg/hypertable/row_migration.h"

#include "base/str_cat.h"
#include "pg/hypertable/chunk_creation.h"
#include "pg/spi/sql.h"

extern "C" {
#include "access/table.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg {
namespace {

using timeseries::ChunkRange;

/// Reads one column of a table in batches.
/// Life: Open, Next until it answers 0, Close. An error leaves closing to the abort.
class ColumnScan {
 public:
  static constexpr int kBatchSize = 1024;

  void Open(Oid relid, AttrNumber attno) {
    attno_ = attno;
    TryPg([&]() noexcept {
      relation_ = table_open(relid, NoLock);
      snapshot_ = RegisterSnapshot(GetLatestSnapshot());
      scan_ = table_beginscan(relation_, snapshot_, 0, nullptr);
      slot_ = table_slot_create(relation_, nullptr);
    });
  }

  // Fills values() and nulls(); 0 at the end. By-value types only.
  int Next() {
    return TryPg([this]() noexcept {
      int count = 0;
      // A heap scan that is asked again after its end starts over.
      while (!at_end_ && count < kBatchSize) {
        if (!table_scan_getnextslot(scan_, ForwardScanDirection, slot_)) {
          at_end_ = true;
          break;
        }
        values_[count] = slot_getattr(slot_, attno_, &nulls_[count]);
        ++count;
      }
      CHECK_FOR_INTERRUPTS();
      return count;
    });
  }

  void Close() {
    TryPg([this]() noexcept {
      ExecDropSingleTupleTableSlot(slot_);
      table_endscan(scan_);
      UnregisterSnapshot(snapshot_);
      table_close(relation_, NoLock);
    });
  }

  Datum value(int index) const { return values_[index]; }
  bool is_null(int index) const { return nulls_[index]; }

 private:
  AttrNumber attno_ = InvalidAttrNumber;
  Relation relation_ = nullptr;
  Snapshot snapshot_ = nullptr;
  TableScanDesc scan_ = nullptr;
  TupleTableSlot* slot_ = nullptr;
  bool at_end_ = false;
  Datum values_[kBatchSize];
  bool nulls_[kBatchSize];
};

[[noreturn]] void RaiseNullTime(const std::string& table, const std::string& column) {
  const char* const table_text = table.c_str();
  const char* const column_text = column.c_str();
  TryPg([&]() noexcept {
    ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
                    errmsg("column \"%s\" of %s holds a null, and rows of a hypertable need a time",
                           column_text, table_text),
                    errhint("Delete those rows or give them a time.")));
  });
  pg_unreachable();
}

/// Makes chunks as times ask for them, asking PostgreSQL only when the time is in none of ours.
class ChunkSet {
 public:
  explicit ChunkSet(const Hypertable& hypertable) : hypertable_(hypertable) {}

  Status Cover(int64_t ticks) {
    if (last_.Contains(ticks)) {
      return Status::Ok();
    }
    auto const after = ranges_.upper_bound(ticks);
    if (after != ranges_.begin() && std::prev(after)->second.Contains(ticks)) {
      last_ = std::prev(after)->second;
      return Status::Ok();
    }
    ASSIGN_OR_RETURN(Chunk const chunk, CreateChunk(hypertable_, ticks));
    last_ = chunk.range;
    ranges_.emplace(chunk.range.first, chunk.range);
    return Status::Ok();
  }

  uint64_t size() const { return ranges_.size(); }

 private:
  const Hypertable& hypertable_;
  ChunkRange last_ = {.first = 1, .last = 0};
  std::map<int64_t, ChunkRange> ranges_;  // by first tick
};

}  // namespace

bool IsEmptyTable(Oid relid) {
  auto scan = std::make_unique<ColumnScan>();
  scan->Open(relid, 1);
  bool const is_empty = scan->Next() == 0;
  scan->Close();
  return is_empty;
}

Result<MigrationCounts> MigrateRows(Oid from, AttrNumber from_time_attno, const Hypertable& to,
                                    const TableDefinition& definition) {
  MigrationCounts counts;
  ChunkSet chunks(to);
  std::string const column = ColumnName(to.relid, to.time_attno);
  auto scan = std::make_unique<ColumnScan>();
  scan->Open(from, from_time_attno);
  while (int const batch_size = scan->Next()) {
    for (int index = 0; index < batch_size; ++index) {
      if (scan->is_null(index)) {
        RaiseNullTime(definition.qualified_name, column);
      }
      std::optional<int64_t> const ticks = TicksFromDatum(to.kind, scan->value(index));
      if (!ticks.has_value()) {
        return Status::OutOfRange(StrCat("column \"", column, "\" of ", definition.qualified_name,
                                         " holds ", TimeText(to.time_type, scan->value(index)),
                                         ", and times of a hypertable are finite"))
            .WithHint("Delete those rows or give them another time.");
      }
      RETURN_IF_ERROR(chunks.Cover(*ticks));
    }
    counts.rows += static_cast<uint64_t>(batch_size);
  }
  scan->Close();
  counts.chunks = chunks.size();

  uint64_t copied = 0;
  {
    ActAs const owner(definition.owner);
    copied = RunSql(StrCat("INSERT INTO ", definition.qualified_name, " (",
                           definition.insert_columns, ") OVERRIDING SYSTEM VALUE SELECT ",
                           definition.insert_columns, " FROM ONLY ", definition.aside_name));
  }
  if (copied != counts.rows) {
    return Status::FailedPrecondition(StrCat(definition.qualified_name, " holds ", counts.rows,
                                             " rows, but this transaction sees ", copied))
        .WithHint(
            "Another session wrote after this transaction took its snapshot: use READ COMMITTED.");
  }
  return counts;
}

}  // namespace orochi::pg
