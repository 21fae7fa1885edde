#include "pg/hooks/object_access_hook.h"

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

void OnObjectAccess(ObjectAccessType access, Oid catalog, Oid object, int sub_object,
                    void* argument) {
  if (previous_hook != nullptr) {
    previous_hook(access, catalog, object, sub_object, argument);
  }
  if (access != OAT_DROP || catalog != RelationRelationId || sub_object != 0) {
    return;
  }
  Boundary([&]() -> Status {
    char const kind = TryPg([&]() noexcept { return get_rel_relkind(object); });
    if (kind == RELKIND_PARTITIONED_TABLE) {
      DeleteHypertable(object);
    }
    return Status::Ok();
  });
}

}  // namespace

void RegisterObjectAccessHook() {
  previous_hook = object_access_hook;
  object_access_hook = &OnObjectAccess;
}

}  // namespace orochi::pg
