#include "pg/am/columnar/write_buffer.h"

#include <limits>

#include "base/memory_budget.h"
#include "base/str_cat.h"
#include "columnar/stripe_writer.h"
#include "pg/am/columnar/byte_stream.h"
#include "pg/am/columnar/column_type.h"
#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/relation_reader.h"
#include "pg/am/columnar/stripe_catalog.h"
#include "pg/am/columnar/table_options.h"
#include "pg/bridge.h"
#include "pg/injection.h"

extern "C" {
#include "access/transam.h"
#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/parallel.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_index.h"
#include "pgstat.h"
#include "storage/predicate.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

namespace orochi::pg {
namespace {

// Row numbers a stripe starts with when nobody said that many rows follow; doubled as they go.
constexpr uint64_t kFirstReservationRows = 1024;

// One stripe on its way.
struct Pending {
  Oid relation_id = InvalidOid;
  RelFileNode node{};
  SubTransactionId subtransaction = InvalidSubTransactionId;
  CommandId command_id = 0;     // of the last row; the catalog row has that of the first
  bool closed = false;          // to commands after command_id
  bool visible_to_all = false;  // TABLE_INSERT_FROZEN

  std::vector<ColumnType> types;
  columnar::Schema schema;
  columnar::StripeOptions options;
  std::unique_ptr<MemoryBudget> own_budget;  // for a row that alone passes the shared budget
  std::unique_ptr<columnar::StripeWriter> writer;

  StripeEntry entry;  // row_count is what is reserved until the stripe is written
  ItemPointerData catalog_tid{};
  uint64_t next_row_number = 0;

  // Set once the writer finished: what is to be written, kept so that a failed attempt inside a
  // subtransaction that was rolled back can be repeated.
  std::optional<columnar::StripeLocation> encoded;
  MemorySink bytes;
  std::string broken;  // why the rows cannot be encoded

  uint64_t reserved_end() const { return entry.first_row_number + entry.row_count; }
  bool IsOf(Relation relation) const { return RelFileNodeEquals(node, relation->rd_node); }
};

// All of this backend's. Backend-local by nature: PostgreSQL has one transaction per process.
struct Registry {
  std::optional<MemoryBudget> budget;
  std::vector<std::unique_ptr<Pending>> pending;
  Pending* current = nullptr;  // where the last row went
  CommandId mergeable = InvalidCommandId;
  std::vector<columnar::Cell> cells;
  MemoryContext detoasted = nullptr;
  RelFileNode free_node{};
  std::vector<BlockRun> free_runs;

  void Remove(Pending* gone) {
    if (current == gone) {
      current = nullptr;
    }
    std::erase_if(pending, [&](const auto& one) { return one.get() == gone; });
  }
  void Clear() {
    current = nullptr;
    pending.clear();
    free_runs.clear();
  }
};

Registry registry;

Status Encode(Pending& pending) {
  if (!pending.broken.empty()) {
    return Status::Internal(pending.broken);
  }
  pending.bytes.Reserve(pending.writer->buffered_bytes());
  auto location = pending.writer->Finish(pending.bytes);
  if (!location.ok()) {
    pending.broken = location.status().message();
    return std::move(location).status();
  }
  pending.encoded = *location;
  return Status::Ok();
}

// The first run of offered pages that is long enough, taken; nullopt without one.
std::optional<uint64_t> TakeOfferedPages(Relation relation, uint64_t size_bytes) {
  if (!RelFileNodeEquals(registry.free_node, relation->rd_node)) {
    return std::nullopt;
  }
  auto const count =
      static_cast<BlockNumber>((size_bytes + kPagePayloadBytes - 1) / kPagePayloadBytes);
  for (BlockRun& run : registry.free_runs) {
    while (run.end - run.first >= count) {
      BlockNumber const first = run.first;
      BlockNumber const obstacle =
          TryPg([&]() noexcept -> BlockNumber { return ClaimPages(relation, first, count); });
      run.first = obstacle == InvalidBlockNumber ? first + count : obstacle + 1;
      if (obstacle == InvalidBlockNumber) {
        return uint64_t{first - 1} * kPagePayloadBytes;
      }
    }
  }
  return std::nullopt;
}

// Writes one stripe and completes its catalog row. On error everything stays as it was.
Status WriteOut(Pending& pending) {
  StripeEntry done = pending.entry;
  if (pending.writer->row_count() == 0 && !pending.encoded) {
    done.row_count = 0;
    stripe_catalog::CompleteInPlace(pending.catalog_tid, done);
    return Status::Ok();
  }
  if (!pending.encoded) {
    RETURN_IF_ERROR(Encode(pending));
  }
  done.row_count = pending.encoded->row_count;
  done.size_bytes = pending.encoded->size_bytes;
  done.footer_size_bytes = pending.encoded->footer_size_bytes;
  done.row_group_count = pending.encoded->row_group_count;
  Relation const relation = TryPg([&]() noexcept -> Relation {
    Relation const opened = table_open(pending.relation_id, NoLock);  // locked since the insert
    if (!pending.IsOf(opened)) {
      elog(ERROR, "columnar table \"%s\" changed its storage while rows were on their way to it",
           RelationGetRelationName(opened));
    }
    return opened;
  });
  auto const taken = TakeOfferedPages(relation, done.size_bytes);
  TryPg([&]() noexcept {
    done.offset_bytes = taken ? *taken : ReserveBytes(relation, done.size_bytes);
    ReturnRowNumbers(relation,
                     {.used_end = pending.next_row_number, .reserved_end = pending.reserved_end()});
  });
  // The unused row numbers went back; a second attempt, should this one fail, must not return those
  // of another writer.
  pending.entry.row_count = done.row_count;
  INJECTION_POINT("columnar_stripe_reserved");
  TryPg([&]() noexcept {
    WriteStream(relation, done.offset_bytes, pending.bytes.bytes().data(), done.size_bytes);
  });
  INJECTION_POINT("columnar_stripe_written");
  stripe_catalog::CompleteInPlace(pending.catalog_tid, done);
  TryPg([&]() noexcept {
    if (pending.visible_to_all) {
      MarkStripeMoved(relation, done.stripe_number);
    }
    table_close(relation, NoLock);
  });
  INJECTION_POINT("columnar_stripe_completed");
  return Status::Ok();
}

// Writes out, oldest first, everything that `wanted` says.
template <class Wanted>
Status WriteOutIf(Wanted wanted) {
  for (size_t i = 0; i < registry.pending.size();) {
    Pending* const pending = registry.pending[i].get();
    if (!wanted(*pending)) {
      ++i;
      continue;
    }
    RETURN_IF_ERROR(WriteOut(*pending));
    registry.Remove(pending);
  }
  return Status::Ok();
}

Status WriteOutAll() {
  return WriteOutIf([](const Pending&) { return true; });
}

bool Fits(const Pending& pending, Relation relation, CommandId command_id, int options) {
  return pending.IsOf(relation) && pending.subtransaction == GetCurrentSubTransactionId() &&
         pending.command_id == command_id && !pending.encoded &&
         pending.types.size() == static_cast<size_t>(RelationGetDescr(relation)->natts) &&
         pending.visible_to_all == ((options & TABLE_INSERT_FROZEN) != 0);
}

Result<Pending*> Begin(Relation relation, CommandId command_id, int options, uint64_t rows) {
  if (registry.pending.empty()) {
    registry.budget.emplace("rows on their way to columnar tables",
                            static_cast<size_t>(maintenance_work_mem) * 1024);
  }
  auto pending = std::make_unique<Pending>();
  pending->relation_id = RelationGetRelid(relation);
  pending->node = relation->rd_node;
  pending->subtransaction = GetCurrentSubTransactionId();
  pending->command_id = command_id;
  pending->visible_to_all = (options & TABLE_INSERT_FROZEN) != 0;
  TupleDesc const descriptor = RelationGetDescr(relation);
  for (int i = 0; i < descriptor->natts; ++i) {
    pending->types.push_back(ColumnTypeOf(*TupleDescAttr(descriptor, i)));
  }
  pending->schema = StripeSchemaOf(descriptor);
  pending->options =
      TryPg([&]() noexcept -> columnar::StripeOptions { return StripeOptionsOf(relation); });
  pending->writer =
      std::make_unique<columnar::StripeWriter>(pending->schema, pending->options, *registry.budget);
  uint64_t const row_count = std::min<uint64_t>(rows, pending->options.stripe_rows);
  StripeReservation const reserved = TryPg([&]() noexcept -> StripeReservation {
    LockReservations(relation, ShareLock);
    return ReserveStripe(relation, row_count);
  });
  pending->entry = {.storage_id = reserved.storage_id,
                    .stripe_number = reserved.stripe_number,
                    .first_row_number = reserved.first_row_number,
                    .row_count = row_count};
  if ((options & kInsertMoved) != 0) {
    pending->entry.moved_by = U64FromFullTransactionId(GetTopFullTransactionId());
  }
  pending->next_row_number = reserved.first_row_number;
  pending->catalog_tid = stripe_catalog::Insert(pending->entry, command_id);
  TryPg([&]() noexcept { UnlockReservations(relation, ShareLock); });
  registry.pending.push_back(std::move(pending));
  registry.current = registry.pending.back().get();
  return registry.current;
}

// Whether inserting into the relation runs nothing but our own code and that of built-in types:
// no triggers (foreign keys are such), no checks or generated columns, no index expressions.
bool RunsNoStatements(Relation relation) {
  if (relation->trigdesc != nullptr) {
    return false;
  }
  const TupleConstr* const constraints = RelationGetDescr(relation)->constr;
  if (constraints != nullptr && (constraints->num_check > 0 || constraints->has_generated_stored)) {
    return false;
  }
  return TryPg([&]() noexcept -> bool {
    List* const indexes = RelationGetIndexList(relation);
    bool plain = true;
    ListCell* cell;
    foreach (cell, indexes) {
      HeapTuple const tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
      plain = plain && HeapTupleIsValid(tuple) &&
              heap_attisnull(tuple, Anum_pg_index_indexprs, nullptr) &&
              heap_attisnull(tuple, Anum_pg_index_indpred, nullptr);
      if (HeapTupleIsValid(tuple)) {
        ReleaseSysCache(tuple);
      }
    }
    list_free(indexes);
    return plain;
  });
}

// The stripe of an earlier command that this one may join, or null.
Pending* FindToMerge(Relation relation, CommandId command_id, int options) {
  if (command_id != registry.mergeable) {
    return nullptr;
  }
  for (const auto& pending : registry.pending) {
    if (!pending->closed && pending->command_id < command_id &&
        Fits(*pending, relation, pending->command_id, options) && RunsNoStatements(relation)) {
      pending->command_id = command_id;
      return pending.get();
    }
  }
  return nullptr;
}

// Where a row of this relation, subtransaction and command goes.
Result<Pending*> FindOrBegin(Relation relation, CommandId command_id, int options, bool bulk) {
  for (const auto& pending : registry.pending) {
    if (Fits(*pending, relation, command_id, options)) {
      registry.current = pending.get();
      return registry.current;
    }
  }
  if (Pending* const merged = FindToMerge(relation, command_id, options); merged != nullptr) {
    registry.current = merged;
    return registry.current;
  }
  // Rows of an earlier command of this subtransaction: another stripe, since a stripe is seen or
  // not seen as a whole.
  SubTransactionId const subtransaction = GetCurrentSubTransactionId();
  RETURN_IF_ERROR(WriteOutIf([&](const Pending& pending) {
    return pending.IsOf(relation) && pending.subtransaction == subtransaction;
  }));
  return Begin(relation, command_id, options,
               bulk ? columnar::kStripeRowsMax : kFirstReservationRows);
}

// More row numbers for a stripe that used up its own, or the next stripe if they went elsewhere.
Result<Pending*> MoreRows(Relation relation, Pending* pending, CommandId command_id, int options) {
  uint64_t const rows = pending->entry.row_count;
  uint64_t const most = pending->options.stripe_rows;
  uint64_t const additional = std::min(rows, most - std::min(rows, most));
  bool const extended =
      additional > 0 && TryPg([&]() noexcept -> bool {
        LockReservations(relation, ShareLock);
        return ExtendRowReservation(relation, pending->reserved_end(), additional);
      });
  if (extended) {
    pending->entry.row_count += additional;
    stripe_catalog::CompleteInPlace(pending->catalog_tid, pending->entry);
  }
  if (additional > 0) {
    TryPg([&]() noexcept { UnlockReservations(relation, ShareLock); });
  }
  if (extended) {
    return pending;
  }
  RETURN_IF_ERROR(WriteOut(*pending));
  registry.Remove(pending);
  return Begin(relation, command_id, options, rows * 2);
}

// The row in registry.cells into the stripe; makes room when memory is short.
Result<uint64_t> AppendRow(Relation relation, CommandId command_id, int options) {
  Pending* pending = registry.current;
  if (pending->next_row_number == pending->reserved_end()) {
    ASSIGN_OR_RETURN(pending, MoreRows(relation, pending, command_id, options));
  }
  bool alone = false;
  Status status = pending->writer->Append(registry.cells);
  if (status.code() == StatusCode::kResourceExhausted) {
    RETURN_IF_ERROR(WriteOutAll());
    ASSIGN_OR_RETURN(pending, Begin(relation, command_id, options, columnar::kStripeRowsMax));
    status = pending->writer->Append(registry.cells);
    if (status.code() == StatusCode::kResourceExhausted) {
      // One row larger than the budget: heap takes it, so do we, as a stripe of its own.
      pending->own_budget = std::make_unique<MemoryBudget>("one row on its way to a columnar table",
                                                           std::numeric_limits<size_t>::max());
      pending->writer = std::make_unique<columnar::StripeWriter>(pending->schema, pending->options,
                                                                 *pending->own_budget);
      status = pending->writer->Append(registry.cells);
      alone = true;
    }
  }
  if (!status.ok()) {
    return std::move(status).WithContext(
        StrCat("columnar table \"", RelationGetRelationName(relation), "\""));
  }
  uint64_t const row_number = pending->next_row_number++;
  if (alone || pending->writer->full()) {
    RETURN_IF_ERROR(WriteOut(*pending));
    registry.Remove(pending);
  }
  return row_number;
}

// Turns a row into registry.cells. Returns whether values were detoasted for it. Plain frame.
bool FillCells(const Pending& pending, TupleTableSlot* slot) {
  bool detoasted = false;
  auto const count = pending.types.size();
  for (size_t i = 0; i < count; ++i) {
    const ColumnType& type = pending.types[i];
    if (slot->tts_isnull[i] || type.dropped) {
      registry.cells[i] = columnar::Cell::Null();
      continue;
    }
    Datum value = slot->tts_values[i];
    if (type.shape == ColumnType::Shape::kVarlena) {
      auto* const varlena = reinterpret_cast<struct varlena*>(DatumGetPointer(value));
      if (VARATT_IS_EXTERNAL(varlena) || VARATT_IS_COMPRESSED(varlena)) {
        MemoryContext const before = MemoryContextSwitchTo(registry.detoasted);
        value = PointerGetDatum(detoast_attr(varlena));
        MemoryContextSwitchTo(before);
        detoasted = true;
      }
    }
    registry.cells[i] = CellOf(type, value);
  }
  return detoasted;
}

void InsertRow(Relation relation, TupleTableSlot* slot, CommandId command_id, int options,
               bool bulk) {
  slot_getallattrs(slot);
  if (registry.current == nullptr || !Fits(*registry.current, relation, command_id, options)) {
    Boundary([&]() -> Status {
      ASSIGN_OR_RETURN(Pending* const pending, FindOrBegin(relation, command_id, options, bulk));
      registry.cells.resize(pending->types.size());
      return Status::Ok();
    });
  }
  bool const detoasted = FillCells(*registry.current, slot);
  uint64_t const row_number =
      Boundary([&]() -> Result<uint64_t> { return AppendRow(relation, command_id, options); });
  if (detoasted) {
    MemoryContextReset(registry.detoasted);
  }
  slot->tts_tid = TidOfRow(row_number);
  slot->tts_tableOid = RelationGetRelid(relation);
}

void OnTransactionEvent(XactEvent event, void*) {
  switch (event) {
    case XACT_EVENT_PRE_COMMIT:
    case XACT_EVENT_PRE_PREPARE:
      if (!registry.pending.empty()) {
        Boundary([]() -> Status { return WriteOutAll(); });
      }
      break;
    case XACT_EVENT_ABORT:
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_PREPARE:
      registry.Clear();
      registry.mergeable = InvalidCommandId;
      break;
    default:
      break;
  }
}

void OnSubtransactionEvent(SubXactEvent event, SubTransactionId mine, SubTransactionId, void*) {
  if (registry.pending.empty()) {
    return;
  }
  if (event == SUBXACT_EVENT_PRE_COMMIT_SUB) {
    Boundary([&]() -> Status {
      return WriteOutIf([&](const Pending& pending) { return pending.subtransaction == mine; });
    });
  } else if (event == SUBXACT_EVENT_ABORT_SUB) {
    registry.current = nullptr;
    std::erase_if(registry.pending,
                  [&](const auto& pending) { return pending->subtransaction == mine; });
  }
}

}  // namespace

void InsertRows(Relation relation, TupleTableSlot** slots, int slot_count, CommandId command_id,
                int options, bool bulk) {
  if (IsParallelWorker()) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_TRANSACTION_STATE),
                    errmsg("cannot insert rows in a parallel worker")));
  }
  if (registry.detoasted == nullptr) {
    registry.detoasted = AllocSetContextCreate(TopMemoryContext, "columnar detoasted values",
                                               ALLOCSET_DEFAULT_SIZES);
  }
  CheckForSerializableConflictIn(relation, nullptr, InvalidBlockNumber);
  for (int i = 0; i < slot_count; ++i) {
    InsertRow(relation, slots[i], command_id, options, bulk);
  }
  if ((options & kInsertMoved) == 0) {
    pgstat_count_heap_insert(relation, slot_count);
  }
}

void OfferFreePages(Relation relation, const BlockRun* runs, size_t run_count) {
  Boundary([&]() -> Status {
    registry.free_node = relation->rd_node;
    registry.free_runs.assign(runs, runs + run_count);
    return Status::Ok();
  });
}

Status WriteOutPending(Relation relation) {
  if (registry.pending.empty()) {
    return Status::Ok();
  }
  return WriteOutIf([&](const Pending& pending) { return pending.IsOf(relation); });
}

Status WriteOutAllPending() {
  return WriteOutAll();
}

Result<bool> ReadBackRow(Relation relation, uint64_t stripe_number, uint64_t row_number,
                         TupleTableSlot* slot) {
  for (const auto& pending : registry.pending) {
    if (!pending->IsOf(relation) || pending->entry.stripe_number != stripe_number ||
        row_number >= pending->next_row_number) {
      continue;
    }
    TryPg([&]() noexcept { ExecClearTuple(slot); });
    auto const row = static_cast<uint32_t>(row_number - pending->entry.first_row_number);
    for (uint32_t column = 0; column < pending->types.size(); ++column) {
      const ColumnType& type = pending->types[column];
      ASSIGN_OR_RETURN(columnar::Cell const cell, pending->writer->ReadBack(row, column));
      slot->tts_isnull[column] = cell.is_null || type.dropped;
      slot->tts_values[column] = 0;
      if (slot->tts_isnull[column]) {
        continue;
      }
      if (type.shape == ColumnType::Shape::kByValue) {
        slot->tts_values[column] = DatumOfWord(type, cell.word);
        continue;
      }
      ASSIGN_OR_RETURN(size_t const size_bytes, RebuiltSizeBytes(type, cell.size_bytes));
      auto* const out = TryPg([&]() noexcept {
        return static_cast<std::byte*>(MemoryContextAlloc(slot->tts_mcxt, size_bytes));
      });
      slot->tts_values[column] = RebuildBytes(type, {cell.data, cell.size_bytes}, out);
    }
    TryPg([&]() noexcept { ExecStoreVirtualTuple(slot); });
    return true;
  }
  return false;
}

bool HasPendingRows() {
  return !registry.pending.empty();
}

void LetCommandMerge(CommandId command_id) {
  registry.mergeable = command_id;
}

void ClosePendingToLaterCommands() {
  registry.mergeable = InvalidCommandId;
  for (const auto& pending : registry.pending) {
    pending->closed = true;
  }
}

void RegisterWriteBuffer() {
  RegisterXactCallback(OnTransactionEvent, nullptr);
  RegisterSubXactCallback(OnSubtransactionEvent, nullptr);
}

}  // namespace orochi::pg
