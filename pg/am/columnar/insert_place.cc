#include "pg/am/columnar/insert_place.h"

#include "pg/settings.h"

extern "C" {
#include "catalog/catalog.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_publication.h"
#include "utils/rel.h"
#include "utils/relcache.h"
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
            .row_count = 0};
  }
  if ((bulk || last.row_count + row_count > settings.columnar_row_page_rows) &&
      !IsPublished(relation)) {
    last.row_count = settings.columnar_row_page_rows;  // the rest follows
    return false;
  }
  last.row_count += row_count;
  return true;
}

}  // namespace orochi::pg::columnar_am
