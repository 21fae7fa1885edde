#include "pg/am/columnar/stripe_catalog.h"

#include "pg/bridge.h"
#include "pg/injection.h"

extern "C" {
#include "access/genam.h"
#include "access/heapam.h"
#include "access/heapam_xlog.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xloginsert.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::stripe_catalog {
namespace {

// Columns of orochi.columnar_stripe. All are NOT NULL and of fixed width, so the data area of every
// row is this struct.
struct CatalogRow {
  int64_t storage_id;
  int64_t stripe_number;
  int64_t first_row_number;
  int64_t row_count;
  int64_t offset_bytes;
  int64_t size_bytes;
  int32_t footer_size_bytes;
  int32_t row_group_count;
  int64_t previous_offset_bytes;
  int64_t relocated_by;
  int64_t moved_by;
};
static_assert(sizeof(CatalogRow) == 80);

constexpr AttrNumber kStorageId = 1;
constexpr AttrNumber kFirstRowNumber = 3;
constexpr int kColumnCount = 11;

struct Catalog {
  Relation table;
  Relation by_stripe;  // (storage_id, stripe_number)
  Relation by_row;     // (storage_id, first_row_number)
};

Oid OidOf(const char* name, bool missing_ok) {
  Oid const schema = get_namespace_oid("orochi", missing_ok);
  Oid const oid = OidIsValid(schema) ? get_relname_relid(name, schema) : InvalidOid;
  if (!OidIsValid(oid) && !missing_ok) {
    ereport(ERROR,
            (errcode(ERRCODE_UNDEFINED_TABLE), errmsg("relation orochi.%s does not exist", name),
             errhint("Run CREATE EXTENSION orochi, or ALTER EXTENSION orochi UPDATE.")));
  }
  return oid;
}

Catalog Open(LOCKMODE lock) {
  Catalog catalog;
  catalog.table = table_open(OidOf("columnar_stripe", false), lock);
  catalog.by_stripe = index_open(OidOf("columnar_stripe_pkey", false), lock);
  catalog.by_row = index_open(OidOf("columnar_stripe_by_row", false), lock);
  return catalog;
}

// Locks of writers stay until the end of the transaction, as for any table.
void Close(const Catalog& catalog, LOCKMODE lock) {
  index_close(catalog.by_row, lock);
  index_close(catalog.by_stripe, lock);
  table_close(catalog.table, lock);
}

StripeEntry EntryOf(HeapTuple tuple) {
  CatalogRow row;
  std::memcpy(&row, GETSTRUCT(tuple), sizeof(row));
  // VACUUM may be overwriting it right now: the old offset or the new one, nothing between.
  row.offset_bytes = __atomic_load_n(
      &reinterpret_cast<const CatalogRow*>(GETSTRUCT(tuple))->offset_bytes, __ATOMIC_RELAXED);
  return {.storage_id = static_cast<uint64_t>(row.storage_id),
          .stripe_number = static_cast<uint64_t>(row.stripe_number),
          .first_row_number = static_cast<uint64_t>(row.first_row_number),
          .row_count = static_cast<uint64_t>(row.row_count),
          .offset_bytes = static_cast<uint64_t>(row.offset_bytes),
          .size_bytes = static_cast<uint64_t>(row.size_bytes),
          .footer_size_bytes = static_cast<uint32_t>(row.footer_size_bytes),
          .row_group_count = static_cast<uint32_t>(row.row_group_count),
          .previous_offset_bytes = static_cast<uint64_t>(row.previous_offset_bytes),
          .relocated_by = static_cast<uint64_t>(row.relocated_by),
          .moved_by = static_cast<uint64_t>(row.moved_by)};
}

CatalogRow RowOf(const StripeEntry& entry) {
  return {.storage_id = static_cast<int64_t>(entry.storage_id),
          .stripe_number = static_cast<int64_t>(entry.stripe_number),
          .first_row_number = static_cast<int64_t>(entry.first_row_number),
          .row_count = static_cast<int64_t>(entry.row_count),
          .offset_bytes = static_cast<int64_t>(entry.offset_bytes),
          .size_bytes = static_cast<int64_t>(entry.size_bytes),
          .footer_size_bytes = static_cast<int32_t>(entry.footer_size_bytes),
          .row_group_count = static_cast<int32_t>(entry.row_group_count),
          .previous_offset_bytes = static_cast<int64_t>(entry.previous_offset_bytes),
          .relocated_by = static_cast<int64_t>(entry.relocated_by),
          .moved_by = static_cast<int64_t>(entry.moved_by)};
}

void StorageKey(ScanKey key, uint64_t storage_id) {
  ScanKeyInit(key, kStorageId, BTEqualStrategyNumber, F_INT8EQ,
              Int64GetDatum(static_cast<int64_t>(storage_id)));
}

// Whether the snapshot sees that the row was deleted: VACUUM dropped the stripe.
bool IsDropped(HeapTuple tuple, Snapshot snapshot) {
  HeapTupleHeader const header = tuple->t_data;
  if ((header->t_infomask & HEAP_XMAX_INVALID) != 0 ||
      HEAP_XMAX_IS_LOCKED_ONLY(header->t_infomask)) {
    return false;
  }
  TransactionId const dropper = HeapTupleHeaderGetUpdateXid(header);
  return TransactionIdIsCurrentTransactionId(dropper) ||
         (!XidInMVCCSnapshot(dropper, snapshot) && TransactionIdDidCommit(dropper));
}

// Calls visit(entry, tuple) for every row of the storage that `snapshot` sees, by stripe number.
template <class Visit>
void ForEach(const Catalog& catalog, uint64_t storage_id, Snapshot snapshot, Visit visit) {
  ScanKeyData key;
  StorageKey(&key, storage_id);
  SysScanDesc const scan =
      systable_beginscan_ordered(catalog.table, catalog.by_stripe, snapshot, 1, &key);
  HeapTuple tuple;
  while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, ForwardScanDirection))) {
    visit(EntryOf(tuple), tuple);
  }
  systable_endscan_ordered(scan);
}

struct EntryArray {
  StripeEntry* entries;
  size_t count;
  size_t capacity;

  void Add(const StripeEntry& entry) {
    if (count == capacity) {
      capacity = capacity == 0 ? 16 : capacity * 2;
      entries = static_cast<StripeEntry*>(
          entries == nullptr ? palloc(capacity * sizeof(StripeEntry))
                             : repalloc_huge(entries, capacity * sizeof(StripeEntry)));
    }
    entries[count++] = entry;
  }
};

std::vector<StripeEntry> TakeVector(const EntryArray& array) {
  std::vector<StripeEntry> entries(array.entries, array.entries + array.count);
  if (array.entries != nullptr) {
    pfree(array.entries);
  }
  return entries;
}

// The snapshot itself; for SnapshotAny one that sees what somebody may still see, in `storage`.
Snapshot KeptIfAny(const Catalog& catalog, Snapshot snapshot, SnapshotData* storage) {
  if (snapshot->snapshot_type != SNAPSHOT_ANY) {
    return snapshot;
  }
  InitNonVacuumableSnapshot(*storage, GlobalVisTestFor(catalog.table));
  return storage;
}

// For stripes that every snapshot sees, how old it may be, until one sees that they were dropped.
Snapshot ForMoved(const Catalog& catalog, Snapshot snapshot, SnapshotData* storage) {
  if (!IsMVCCSnapshot(snapshot) && snapshot->snapshot_type != SNAPSHOT_ANY) {
    return SnapshotSelf;
  }
  InitNonVacuumableSnapshot(*storage, GlobalVisTestFor(catalog.table));
  return storage;
}

// The stripe nearest below the row; ranges of stripes that are not aborted never overlap, so no
// other can hold it. `writer` is who wrote it; `dropped`, whether `seen_by` sees that it is gone.
bool FindNearest(const Catalog& catalog, uint64_t storage_id, uint64_t row_number,
                 Snapshot snapshot, StripeEntry* entry, TransactionId* writer = nullptr,
                 Snapshot seen_by = nullptr, bool* dropped = nullptr) {
  ScanKeyData keys[2];
  StorageKey(&keys[0], storage_id);
  ScanKeyInit(&keys[1], kFirstRowNumber, BTLessEqualStrategyNumber, F_INT8LE,
              Int64GetDatum(static_cast<int64_t>(row_number)));
  SysScanDesc const scan =
      systable_beginscan_ordered(catalog.table, catalog.by_row, snapshot, 2, keys);
  bool found = false;
  HeapTuple tuple;
  while (HeapTupleIsValid(tuple = systable_getnext_ordered(scan, BackwardScanDirection))) {
    *entry = EntryOf(tuple);
    // A stripe that ended up empty shares its first row number with the next one.
    if (entry->row_count > 0) {
      found = entry->Holds(row_number);
      if (found && writer != nullptr) {
        *writer = HeapTupleHeaderGetRawXmin(tuple->t_data);
      }
      if (found && seen_by != nullptr) {
        *dropped = IsMVCCSnapshot(seen_by) && IsDropped(tuple, seen_by);
      }
      break;
    }
  }
  systable_endscan_ordered(scan);
  return found;
}

void InsertIntoIndex(Relation index, Relation table, HeapTuple tuple, const Datum* values,
                     IndexUniqueCheck check) {
  IndexInfo* const info = BuildIndexInfo(index);
  Datum keys[INDEX_MAX_KEYS];
  bool nulls[INDEX_MAX_KEYS] = {};
  for (int i = 0; i < info->ii_NumIndexAttrs; ++i) {
    keys[i] = values[info->ii_IndexAttrNumbers[i] - 1];
  }
  index_insert(index, keys, nulls, &tuple->t_self, table, check, false, info);
  pfree(info);
}

// What PostgreSQL itself does to pg_class rows, logged the same way. Its function for it refuses to
// run beside parallel workers, which the leader of CREATE TABLE AS must.
void Overwrite(Relation table, const ItemPointerData& tid, const StripeEntry& entry) {
  OffsetNumber const offset = ItemPointerGetOffsetNumber(&tid);
  Buffer const buffer = ReadBuffer(table, ItemPointerGetBlockNumber(&tid));
  LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
  Page const page = BufferGetPage(buffer);
  ItemId const item = PageGetItemId(page, offset);
  auto* const header = reinterpret_cast<HeapTupleHeader>(PageGetItem(page, item));
  auto* const data = reinterpret_cast<char*>(header) + header->t_hoff;
  CatalogRow row;
  std::memcpy(&row, data, sizeof(row));
  CatalogRow const completed = RowOf(entry);
  if (!ItemIdIsNormal(item) || row.storage_id != completed.storage_id ||
      row.stripe_number != completed.stripe_number) {
    elog(ERROR, "row of stripe %lld of storage %lld is not at its place in columnar_stripe",
         static_cast<long long>(entry.stripe_number), static_cast<long long>(entry.storage_id));
  }
  START_CRIT_SECTION();
  std::memcpy(data, &completed, sizeof(completed));
  MarkBufferDirty(buffer);
  if (RelationNeedsWAL(table)) {
    xl_heap_inplace record{};
    record.offnum = offset;
    XLogBeginInsert();
    XLogRegisterData(reinterpret_cast<char*>(&record), SizeOfHeapInplace);
    XLogRegisterBuffer(0, buffer, REGBUF_STANDARD);
    XLogRegisterBufData(0, data, sizeof(completed));
    INJECTION_POINT_PLAIN("stripe_row_overwritten_before");
    XLogRecPtr const end = XLogInsert(RM_HEAP_ID, XLOG_HEAP_INPLACE);  // PageSetLSN is a macro
    PageSetLSN(page, end);
    INJECTION_POINT_PLAIN("stripe_row_overwritten_after");
  }
  END_CRIT_SECTION();
  UnlockReleaseBuffer(buffer);
}

}  // namespace

std::vector<StripeEntry> List(uint64_t storage_id, uint64_t moved_stripe_count, Snapshot snapshot) {
  // pg_upgrade makes relations, then their indexes, those of this catalog too, then puts the files
  // in. Until then every table is empty.
  if (IsBinaryUpgrade) {
    return {};
  }
  EntryArray const found = TryPg([&]() noexcept -> EntryArray {
    EntryArray array{};
    Catalog const catalog = Open(AccessShareLock);
    SnapshotData kept;
    if (moved_stripe_count > 0) {
      ForEach(catalog, storage_id, ForMoved(catalog, snapshot, &kept),
              [&](const StripeEntry& entry, HeapTuple tuple) {
                if (!entry.being_written() && entry.stripe_number <= moved_stripe_count &&
                    !(IsMVCCSnapshot(snapshot) && IsDropped(tuple, snapshot))) {
                  array.Add(entry);
                }
              });
    }
    ForEach(catalog, storage_id, KeptIfAny(catalog, snapshot, &kept),
            [&](const StripeEntry& entry, HeapTuple) {
              if (!entry.being_written() && entry.stripe_number > moved_stripe_count) {
                array.Add(entry);
              }
            });
    Close(catalog, AccessShareLock);
    return array;
  });
  return TakeVector(found);
}

std::vector<StripeEntry> ListWritten(uint64_t storage_id) {
  return TakeVector(TryPg([&]() noexcept -> EntryArray {
    EntryArray array{};
    SnapshotData dirty;
    InitDirtySnapshot(dirty);
    Catalog const catalog = Open(AccessShareLock);
    ForEach(catalog, storage_id, &dirty, [&](const StripeEntry& entry, HeapTuple) {
      if (!entry.being_written()) {
        array.Add(entry);
      }
    });
    Close(catalog, AccessShareLock);
    return array;
  }));
}

std::vector<StripeEntry> ListNotRemovable(uint64_t storage_id) {
  EntryArray const found = TryPg([&]() noexcept -> EntryArray {
    EntryArray array{};
    Catalog const catalog = Open(AccessShareLock);
    SnapshotData snapshot;
    InitNonVacuumableSnapshot(snapshot, GlobalVisTestFor(catalog.table));
    ForEach(catalog, storage_id, &snapshot,
            [&](const StripeEntry& entry, HeapTuple) { array.Add(entry); });
    Close(catalog, AccessShareLock);
    return array;
  });
  return TakeVector(found);
}

std::vector<StripeEntry> ListSettled(uint64_t storage_id, uint64_t moved_stripe_count,
                                     TransactionId oldest_xmin) {
  EntryArray const found = TryPg([&]() noexcept -> EntryArray {
    EntryArray array{};
    Catalog const catalog = Open(AccessShareLock);
    ForEach(catalog, storage_id, SnapshotSelf, [&](const StripeEntry& entry, HeapTuple tuple) {
      TransactionId const xmin = HeapTupleHeaderGetXmin(tuple->t_data);
      if (!entry.being_written() &&
          (entry.stripe_number <= moved_stripe_count || !TransactionIdIsNormal(xmin) ||
           TransactionIdPrecedes(xmin, oldest_xmin))) {
        array.Add(entry);
      }
    });
    Close(catalog, AccessShareLock);
    return array;
  });
  return TakeVector(found);
}

void Delete(const StripeEntry& wanted) {
  TryPg([&]() noexcept {
    Catalog const catalog = Open(RowExclusiveLock);
    ForEach(catalog, wanted.storage_id, SnapshotSelf,
            [&](const StripeEntry& entry, HeapTuple tuple) {
              if (entry.stripe_number == wanted.stripe_number) {
                WAL_RECORD("stripe_row_deleted", simple_heap_delete(catalog.table, &tuple->t_self));
              }
            });
    Close(catalog, NoLock);
  });
}

std::optional<StripeEntry> Find(uint64_t storage_id, uint64_t moved_stripe_count,
                                uint64_t row_number, Snapshot snapshot) {
  StripeEntry entry;
  bool const found = TryPg([&]() noexcept -> bool {
    Catalog const catalog = Open(AccessShareLock);
    SnapshotData kept;
    bool dropped = false;
    bool hit = moved_stripe_count > 0 &&
               FindNearest(catalog, storage_id, row_number, ForMoved(catalog, snapshot, &kept),
                           &entry, nullptr, snapshot, &dropped) &&
               entry.stripe_number <= moved_stripe_count && !dropped;
    if (hit && snapshot->snapshot_type == SNAPSHOT_DIRTY) {
      snapshot->xmin = snapshot->xmax = InvalidTransactionId;
      snapshot->speculativeToken = 0;
    }
    hit = hit ||
          FindNearest(catalog, storage_id, row_number, KeptIfAny(catalog, snapshot, &kept), &entry);
    Close(catalog, AccessShareLock);
    return hit;
  });
  return found ? std::optional<StripeEntry>(entry) : std::nullopt;
}

TransactionId WriterOf(uint64_t storage_id, uint64_t row_number) {
  return TryPg([&]() noexcept -> TransactionId {
    Catalog const catalog = Open(AccessShareLock);
    StripeEntry entry;
    TransactionId writer = InvalidTransactionId;
    FindNearest(catalog, storage_id, row_number, SnapshotSelf, &entry, &writer);
    Close(catalog, AccessShareLock);
    return writer;
  });
}

ItemPointerData Insert(const StripeEntry& entry, CommandId command_id) {
  return TryPg([&]() noexcept -> ItemPointerData {
    Catalog const catalog = Open(RowExclusiveLock);
    CatalogRow const row = RowOf(entry);
    Datum values[kColumnCount] = {Int64GetDatum(row.storage_id),
                                  Int64GetDatum(row.stripe_number),
                                  Int64GetDatum(row.first_row_number),
                                  Int64GetDatum(row.row_count),
                                  Int64GetDatum(row.offset_bytes),
                                  Int64GetDatum(row.size_bytes),
                                  Int32GetDatum(row.footer_size_bytes),
                                  Int32GetDatum(row.row_group_count),
                                  Int64GetDatum(row.previous_offset_bytes),
                                  Int64GetDatum(row.relocated_by),
                                  Int64GetDatum(row.moved_by)};
    bool nulls[kColumnCount] = {};
    HeapTuple const tuple = heap_form_tuple(RelationGetDescr(catalog.table), values, nulls);
    WAL_RECORD("stripe_row_inserted",
               heap_insert(catalog.table, tuple, command_id, HEAP_INSERT_NO_LOGICAL, nullptr));
    WAL_RECORD("stripe_row_indexed",
               InsertIntoIndex(catalog.by_stripe, catalog.table, tuple, values, UNIQUE_CHECK_YES));
    WAL_RECORD("stripe_row_indexed_by_row",
               InsertIntoIndex(catalog.by_row, catalog.table, tuple, values, UNIQUE_CHECK_NO));
    ItemPointerData const tid = tuple->t_self;
    heap_freetuple(tuple);
    Close(catalog, NoLock);
    return tid;
  });
}

void CompleteInPlace(const ItemPointerData& tid, const StripeEntry& entry) {
  TryPg([&]() noexcept {
    Catalog const catalog = Open(RowExclusiveLock);
    Overwrite(catalog.table, tid, entry);
    Close(catalog, NoLock);
  });
}

void RelocateInPlace(const StripeEntry& wanted, uint64_t offset_bytes) {
  TryPg([&]() noexcept {
    Catalog const catalog = Open(RowExclusiveLock);
    ForEach(catalog, wanted.storage_id, SnapshotSelf,
            [&](const StripeEntry& found, HeapTuple tuple) {
              if (found.stripe_number != wanted.stripe_number) {
                return;
              }
              StripeEntry entry = found;
              entry.previous_offset_bytes = found.offset_bytes;
              entry.offset_bytes = offset_bytes;
              entry.relocated_by = U64FromFullTransactionId(GetTopFullTransactionId());
              Overwrite(catalog.table, tuple->t_self, entry);
            });
    Close(catalog, NoLock);
  });
}

void ForgetPreviousPlaces(uint64_t storage_id) {
  TryPg([&]() noexcept {
    Catalog const catalog = Open(RowExclusiveLock);
    ForEach(catalog, storage_id, SnapshotSelf, [&](const StripeEntry& found, HeapTuple tuple) {
      if (found.relocated_by != 0) {
        StripeEntry entry = found;
        entry.previous_offset_bytes = 0;
        entry.relocated_by = 0;
        Overwrite(catalog.table, tuple->t_self, entry);
      }
    });
    Close(catalog, NoLock);
  });
}

uint64_t DeleteAll(uint64_t storage_id) {
  return TryPg([&]() noexcept -> uint64_t {
    uint64_t count = 0;
    CommandCounterIncrement();  // rows of this very command can be deleted only by the next
    Catalog const catalog = Open(RowExclusiveLock);
    ForEach(catalog, storage_id, SnapshotSelf, [&](const StripeEntry&, HeapTuple tuple) {
      WAL_RECORD("stripe_rows_deleted", simple_heap_delete(catalog.table, &tuple->t_self));
      ++count;
    });
    Close(catalog, NoLock);
    return count;
  });
}

uint64_t EndOffsetBytes(uint64_t storage_id) {
  return TryPg([&]() noexcept -> uint64_t {
    uint64_t end = 0;
    Catalog const catalog = Open(AccessShareLock);
    ForEach(catalog, storage_id, SnapshotSelf, [&](const StripeEntry& entry, HeapTuple) {
      if (!entry.being_written()) {
        end = std::max(end, entry.offset_bytes + entry.size_bytes);
      }
    });
    Close(catalog, AccessShareLock);
    return end;
  });
}

bool AllOlderThan(uint64_t storage_id, uint64_t moved_stripe_count, TransactionId oldest_xmin) {
  return TryPg([&]() noexcept -> bool {
    bool all = true;
    Catalog const catalog = Open(AccessShareLock);
    ForEach(catalog, storage_id, SnapshotSelf, [&](const StripeEntry& entry, HeapTuple tuple) {
      TransactionId const xmin = HeapTupleHeaderGetXmin(tuple->t_data);
      all = all && (entry.being_written() || entry.stripe_number <= moved_stripe_count ||
                    !TransactionIdIsNormal(xmin) || TransactionIdPrecedes(xmin, oldest_xmin));
    });
    Close(catalog, AccessShareLock);
    return all;
  });
}

TransactionId NewestWriter(uint64_t storage_id, uint64_t moved_stripe_count) {
  return TryPg([&]() noexcept -> TransactionId {
    TransactionId newest = InvalidTransactionId;
    Catalog const catalog = Open(AccessShareLock);
    ForEach(catalog, storage_id, SnapshotSelf, [&](const StripeEntry& entry, HeapTuple tuple) {
      TransactionId const xmin = HeapTupleHeaderGetXmin(tuple->t_data);
      bool const may_differ = !entry.being_written() && TransactionIdIsNormal(xmin) &&
                              !TransactionIdIsCurrentTransactionId(xmin) &&
                              entry.stripe_number > moved_stripe_count;
      if (may_differ && (!TransactionIdIsValid(newest) || TransactionIdFollows(xmin, newest))) {
        newest = xmin;
      }
    });
    Close(catalog, AccessShareLock);
    return newest;
  });
}

void VisitNewerThan(uint64_t storage_id, uint64_t moved_stripe_count, TransactionId oldest_xmin,
                    void (*visit)(const StripeEntry& entry, TransactionId writer, void* state),
                    void* state) noexcept {
  Catalog const catalog = Open(AccessShareLock);
  SnapshotData kept;
  ForEach(catalog, storage_id, KeptIfAny(catalog, SnapshotAny, &kept),
          [&](const StripeEntry& entry, HeapTuple tuple) {
            TransactionId const writer = HeapTupleHeaderGetXmin(tuple->t_data);
            if (!entry.being_written() && entry.stripe_number > moved_stripe_count &&
                entry.moved_by == 0 && TransactionIdIsNormal(writer) &&
                !TransactionIdPrecedes(writer, oldest_xmin)) {
              visit(entry, writer, state);
            }
          });
  Close(catalog, AccessShareLock);
}

uint64_t DeleteUnfinished(uint64_t storage_id) {
  return TryPg([&]() noexcept -> uint64_t {
    uint64_t count = 0;
    Catalog const catalog = Open(RowExclusiveLock);
    ForEach(catalog, storage_id, SnapshotSelf, [&](const StripeEntry& entry, HeapTuple tuple) {
      if (entry.being_written()) {
        WAL_RECORD("unfinished_stripe_deleted", simple_heap_delete(catalog.table, &tuple->t_self));
        ++count;
      }
    });
    Close(catalog, NoLock);
    return count;
  });
}

bool Exists() {
  return TryPg([]() noexcept -> bool { return OidIsValid(OidOf("columnar_stripe", true)); });
}

}  // namespace orochi::pg::stripe_catalog
