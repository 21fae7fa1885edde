#include "pg/hooks/object_access_hook.h"

#include "pg/am/columnar/option_catalog.h"
#include "pg/bridge.h"
#include "pg/hypertable/catalog.h"

extern "C" {
#include "catalog/objectaccess.h"
#include "catalog/pg_class.h"
#include "utils/lsyscache.h"
}

namespace orochi::pg {
namespace {

object_access_hook_type previous_hook = nullptr;

void OnDropRelation(Oid relation) {
  Boundary([&]() -> Status {
    char const kind = TryPg([&]() noexcept { return get_rel_relkind(relation); });
    if (kind == RELKIND_PARTITIONED_TABLE) {
      DeleteHypertable(relation);
    }
    if (kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_RELATION || kind == RELKIND_MATVIEW) {
      TryPg([&]() noexcept { option_catalog::OnDropRelation(relation); });
    }
    return Status::Ok();
  });
}

void OnDropColumn(Oid relation, int column) {
  Boundary([&]() -> Status {
    TryPg([&]() noexcept {
      option_catalog::OnDropColumn(relation, static_cast<AttrNumber>(column));
    });
    return Status::Ok();
  });
}

void OnObjectAccess(ObjectAccessType access, Oid catalog, Oid object, int sub_object,
                    void* argument) {
  if (previous_hook != nullptr) {
    previous_hook(access, catalog, object, sub_object, argument);
  }
  if (catalog == RelationRelationId && access == OAT_DROP) {
    sub_object == 0 ? OnDropRelation(object) : OnDropColumn(object, sub_object);
  } else if (catalog == RelationRelationId && access == OAT_POST_ALTER && sub_object > 0) {
    Boundary([&]() -> Status {
      TryPg([&]() noexcept {
        option_catalog::OnAlterColumn(object, static_cast<AttrNumber>(sub_object));
      });
      return Status::Ok();
    });
  }
}

}  // namespace

void RegisterObjectAccessHook() {
  previous_hook = object_access_hook;
  object_access_hook = &OnObjectAccess;
}

}  // namespace orochi::pg
