#include "pg/am/columnar/insert_place.h"

#include "pg/settings.h"

extern "C" {
#include "catalog/catalog.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/htup_details.h"
#include "catalog/pg_index.h"
#include "catalog/pg_publication.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"
}

namespace orochi::pg::columnar_am {
namespace {

// The command that inserted last and what it put on row pages.
struct LastCommand {
  RelFileNode node{};
  SubTransactionId subtransaction = InvalidSubTransactionId;
  CommandId command_id = InvalidCommandId;
  TransactionId transaction = InvalidTransactionId;
  int64_t row_count = 0;
  bool only_row_pages = false;
};
LastCommand last;

bool IsPublished(Relation relation) {
  if (!RelationIsLogicallyLogged(relation)) {
    return false;
  }
  PublicationDesc description;
  RelationBuildPublicationDesc(relation, &description);
  return description.pubactions.pubinsert;
}

bool HasExclusionConstraint(Relation relation) {
  List* const indexes = RelationGetIndexList(relation);
  bool found = false;
  ListCell* cell;
  foreach (cell, indexes) {
    HeapTuple const tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));
    if (HeapTupleIsValid(tuple)) {
      found = found || reinterpret_cast<Form_pg_index>(GETSTRUCT(tuple))->indisexclusion;
      ReleaseSysCache(tuple);
    }
  }
  list_free(indexes);
  return found;
}

}  // namespace

bool GoToRowPages(Relation relation, int row_count, CommandId command_id, int options, bool bulk) {
  if ((options & TABLE_INSERT_FROZEN) != 0) {
    return false;
  }
  TransactionId const transaction = GetTopTransactionId();
  SubTransactionId const subtransaction = GetCurrentSubTransactionId();
  if (last.command_id != command_id || last.transaction != transaction ||
      last.subtransaction != subtransaction || !RelFileNodeEquals(last.node, relation->rd_node)) {
    last = {.node = relation->rd_node,
            .subtransaction = subtransaction,
            .command_id = command_id,
            .transaction = transaction,
            .row_count = 0,
            .only_row_pages = IsPublished(relation) || HasExclusionConstraint(relation)};
  }
  if ((bulk || last.row_count + row_count > settings.columnar_row_page_rows) &&
      !last.only_row_pages) {
    last.row_count = settings.columnar_row_page_rows;  // the rest follows
    return false;
  }
  last.row_count += row_count;
  return true;
}

}  // namespace orochi::pg::columnar_am
