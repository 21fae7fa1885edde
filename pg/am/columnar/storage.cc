// Files of columnar relations: creation, truncation, copies, sizes, and what DROP leaves behind.

#include "pg/am/columnar/byte_stream.h"
#include "pg/am/columnar/callbacks.h"
#include "pg/am/columnar/metapage.h"
#include "pg/am/columnar/relation_reader.h"
#include "pg/am/columnar/row_version.h"
#include "pg/am/columnar/size_estimate.h"
#include "pg/am/columnar/stripe_catalog.h"
#include "pg/am/columnar/write_buffer.h"
#include "pg/bridge.h"
#include "pg/injection.h"

extern "C" {
#include "access/multixact.h"
#include "access/tableam.h"
#include "access/relation.h"
#include "access/xlog.h"
#include "catalog/pg_am.h"
#include "catalog/storage.h"
#include "catalog/storage_xlog.h"
#include "storage/bufmgr.h"
#include "storage/smgr.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace orochi::pg::columnar_am {
namespace {

// The rows of stripes go with the storage: deleted by the same transaction, so a rollback brings
// both back. A broken metapage must not keep anyone from dropping or truncating the table.
Status DeleteStripesOf(Relation relation) {
  RETURN_IF_ERROR(WriteOutPending(relation));  // a rollback to a savepoint may want them
  Metapage metapage{};
  bool const readable = TryPg([&]() noexcept -> bool {
    bool const found = TryReadMetapage(relation, &metapage);
    if (!found) {
      ereport(WARNING, (errcode(ERRCODE_DATA_CORRUPTED),
                        errmsg("columnar table \"%s\" has no readable metapage: its rows in "
                               "orochi.columnar_stripe stay behind",
                               RelationGetRelationName(relation))));
    }
    return found;
  });
  if (readable && metapage.storage_id != 0 && stripe_catalog::Exists()) {
    stripe_catalog::DeleteAll(metapage.storage_id);
  }
  return Status::Ok();
}

}  // namespace

void SetNewFilenode(Relation relation, const RelFileNode* node, char persistence,
                    TransactionId* freeze_xid, MultiXactId* min_multi) {
  *freeze_xid = RecentXmin;
  *min_multi = GetOldestMultiXactId();
  if (!RelFileNodeEquals(relation->rd_node, *node)) {  // TRUNCATE, not creation
    Boundary([&]() -> Status { return DeleteStripesOf(relation); });
  }
  CreateStorage(*node, persistence, NextStorageId());
}

void NontransactionalTruncate(Relation relation) {
  Boundary([&]() -> Status { return DeleteStripesOf(relation); });
  ForgetFetchedRows(true);  // the same file will be another storage
  uint64_t const storage_id = NextStorageId();
  WAL_RECORD("all_cut", RelationTruncate(relation, 0));
  RecreateMetapage(relation, storage_id);
}

// ALTER TABLE ... SET TABLESPACE: the same storage in another place.
void CopyData(Relation relation, const RelFileNode* node) {
  Boundary([&]() -> Status { return WriteOutPending(relation); });
  char const persistence = relation->rd_rel->relpersistence;
  SMgrRelation const to = RelationCreateStorage(*node, persistence, true);
  // The copy reads files, so what shared buffers know must be in them.
  FlushRelationBuffers(relation);
  RelationCopyStorage(RelationGetSmgr(relation), to, MAIN_FORKNUM, persistence);
  for (int fork = MAIN_FORKNUM + 1; fork <= MAX_FORKNUM; ++fork) {
    auto const number = static_cast<ForkNumber>(fork);
    if (!smgrexists(RelationGetSmgr(relation), number)) {
      continue;
    }
    smgrcreate(to, number, false);
    if (RelationIsPermanent(relation) ||
        (persistence == RELPERSISTENCE_UNLOGGED && number == INIT_FORKNUM)) {
      log_smgrcreate(node, number);
    }
    RelationCopyStorage(RelationGetSmgr(relation), to, number, persistence);
  }
  RelationDropStorage(relation);
  smgrclose(to);
}

void EstimateSize(Relation relation, int32*, BlockNumber* pages, double* tuples,
                  double* all_visible_fraction) {
  SizeEstimate const size =
      Boundary([&]() -> Result<SizeEstimate> { return EstimateSizeOf(relation); });
  *pages = size.blocks;
  *tuples = size.rows;
  *all_visible_fraction = 0;
}

// Stripes hold values of any size. But ALTER TABLE ... SET ACCESS METHOD heap gives the new heap a
// TOAST table only if the old table has one, so we keep one, empty, wherever heap would.
bool NeedsToastTable(Relation relation) {
  return GetHeapamTableAmRoutine()->relation_needs_toast_table(relation);
}

Oid ToastAccessMethod(Relation) {
  return HEAP_TABLE_AM_OID;
}

void OnDropRelation(Oid relation_id) {
  char const kind = get_rel_relkind(relation_id);
  if (kind != RELKIND_RELATION && kind != RELKIND_MATVIEW) {
    return;
  }
  Relation const relation = try_relation_open(relation_id, NoLock);  // the drop holds the lock
  if (relation == nullptr) {
    return;
  }
  if (IsColumnar(relation)) {
    Boundary([&]() -> Status { return DeleteStripesOf(relation); });
  }
  relation_close(relation, NoLock);
}

}  // namespace orochi::pg::columnar_am
