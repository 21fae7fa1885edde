// What keeps a plain table from becoming a hypertable. Every query answers rows of (reason, hint);
// the first row is the error. DROP of the old table without CASCADE stands behind all of them: what
// none names still cannot be lost.

#include "pg/hypertable/table_definition.h"

#include "base/str_cat.h"
#include "pg/hypertable/catalog.h"
#include "pg/spi/sql.h"

namespace orochi::pg {
namespace {

// $1: the table, $2: the number of the time column.

constexpr const char* kTableKind = R"(
SELECT format('it is a typed table of type %s', reloftype::regtype), 'ALTER TABLE ... NOT OF detaches it from its type.'
FROM pg_class WHERE oid = $1 AND reloftype <> 0
UNION ALL
SELECT format('it belongs to extension "%s"', e.extname), NULL
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
WHERE d.classid = 'pg_class'::regclass AND d.objid = $1 AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
UNION ALL
SELECT format('table %s inherits from it', inhrelid::regclass), 'ALTER TABLE ... NO INHERIT separates them.'
FROM pg_inherits WHERE inhparent = $1
UNION ALL
SELECT format('it inherits from table %s', inhparent::regclass), 'ALTER TABLE ... NO INHERIT separates them.'
FROM pg_inherits WHERE inhrelid = $1
UNION ALL
SELECT format('its access method is %s, expected heap', a.amname),
       'ALTER TABLE ... SET ACCESS METHOD heap first; chunks can be moved one by one later.'
FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE c.oid = $1 AND a.amname <> 'heap'
UNION ALL
SELECT format('it has the storage parameter %s, which a partitioned table cannot have', o),
       'ALTER TABLE ... RESET removes it; set it on chunks instead.'
FROM pg_class c CROSS JOIN unnest(c.reloptions) o WHERE c.oid = $1
UNION ALL
SELECT format('it has the storage parameter toast.%s, which a partitioned table cannot have', o),
       'ALTER TABLE ... RESET removes it; set it on chunks instead.'
FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid CROSS JOIN unnest(t.reloptions) o WHERE c.oid = $1
UNION ALL
SELECT format('it is replicated by subscription "%s"', s.subname), 'Subscribe to it after it has become a hypertable.'
FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid WHERE r.srrelid = $1
UNION ALL
SELECT format('it has a security label of provider "%s"', provider), NULL
FROM pg_seclabel WHERE classoid = 'pg_class'::regclass AND objoid = $1
)";

constexpr const char* kIndexes = R"(
SELECT format('unique index %s does not contain the time column "%s"', i.indexrelid::regclass, a.attname),
       'A unique index, primary keys included, of a hypertable must contain its time column.'
FROM pg_index i JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum::oid = $2
WHERE i.indrelid = $1 AND i.indisunique
  AND NOT a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
UNION ALL
SELECT format('index %s belongs to an exclusion constraint, which a partitioned table cannot have', indexrelid::regclass), NULL
FROM pg_index WHERE indrelid = $1 AND indisexclusion
UNION ALL
SELECT format('index %s is not valid', indexrelid::regclass), 'DROP or REINDEX it.'
FROM pg_index WHERE indrelid = $1 AND NOT (indisvalid AND indisready AND indislive)
UNION ALL
SELECT format('it is clustered on index %s, which a partitioned table cannot be', indexrelid::regclass),
       'ALTER TABLE ... SET WITHOUT CLUSTER removes the mark.'
FROM pg_index WHERE indrelid = $1 AND indisclustered
UNION ALL
SELECT format('the index of constraint "%s" has the storage parameter %s', con.conname, o),
       'ALTER INDEX ... RESET removes it.'
FROM pg_constraint con JOIN pg_class i ON i.oid = con.conindid CROSS JOIN unnest(i.reloptions) o
WHERE con.conrelid = $1 AND con.contype IN ('p', 'u')
UNION ALL
SELECT format('%s depends on extension "%s"', pg_describe_object(d.classid, d.objid, 0), e.extname),
       'ALTER ... NO DEPENDS ON EXTENSION removes the mark.'
FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'x'
  AND (d.classid = 'pg_class'::regclass AND d.objid IN (SELECT indexrelid FROM pg_index WHERE indrelid = $1)
       OR d.classid = 'pg_trigger'::regclass AND d.objid IN (SELECT oid FROM pg_trigger WHERE tgrelid = $1))
)";

constexpr const char* kConstraintsAndTriggers = R"(
SELECT format('foreign key "%s" of table %s refers to it', conname, conrelid::regclass),
       'Drop the foreign key: what it refers to would change its identity.'
FROM pg_constraint WHERE contype = 'f' AND confrelid = $1
UNION ALL
SELECT format('constraint "%s" is NO INHERIT, which a partitioned table cannot have', conname), NULL
FROM pg_constraint WHERE conrelid = $1 AND contype = 'c' AND connoinherit
UNION ALL
SELECT format('foreign key "%s" is NOT VALID, which a partitioned table cannot have', conname),
       'ALTER TABLE ... VALIDATE CONSTRAINT it first.'
FROM pg_constraint WHERE conrelid = $1 AND contype = 'f' AND NOT convalidated
UNION ALL
SELECT format('trigger "%s" is FOR EACH ROW with a transition table, which a partitioned table cannot have', tgname),
       'Make it FOR EACH STATEMENT.'
FROM pg_trigger
WHERE tgrelid = $1 AND NOT tgisinternal AND tgtype & 1 = 1 AND (tgoldtable IS NOT NULL OR tgnewtable IS NOT NULL)
)";

// Whatever uses the table, its row type or its constraints, and is neither part of it nor a view,
// rule or function that can be made anew in its place (those are `redirect`).
constexpr const char* kDependents = R"(
WITH own_constraint AS (SELECT oid FROM pg_constraint WHERE conrelid = $1),
own_type AS (
  SELECT t.oid FROM pg_class c JOIN pg_type e ON e.oid = c.reltype
  CROSS JOIN LATERAL (VALUES (e.oid), (e.typarray)) t(oid) WHERE c.oid = $1),
dependent AS (
  SELECT DISTINCT classid, objid, objsubid FROM pg_depend
  WHERE (refclassid = 'pg_class'::regclass AND refobjid = $1
         OR refclassid = 'pg_type'::regclass AND refobjid IN (SELECT oid FROM own_type)
         OR refclassid = 'pg_constraint'::regclass AND refobjid IN (SELECT oid FROM own_constraint)))
SELECT format('%s depends on it', pg_describe_object(d.classid, d.objid, d.objsubid)),
       'Drop it, and create it again afterwards.'
FROM dependent d
WHERE NOT CASE d.classid
  WHEN 'pg_class'::regclass THEN
    d.objid = $1 AND d.objsubid >= 0 AND NOT EXISTS (
      SELECT FROM pg_attribute WHERE attrelid = $1 AND attnum = d.objsubid AND atttypid IN (SELECT oid FROM own_type))
    OR EXISTS (SELECT FROM pg_index WHERE indexrelid = d.objid AND indrelid = $1)
    OR EXISTS (SELECT FROM pg_class WHERE oid = $1 AND reltoastrelid = d.objid)
    OR EXISTS (SELECT FROM pg_class s JOIN pg_depend o ON o.objid = s.oid AND o.classid = 'pg_class'::regclass
               WHERE s.oid = d.objid AND s.relkind = 'S' AND o.refobjid = $1 AND o.deptype IN ('a', 'i'))
  WHEN 'pg_type'::regclass THEN d.objid IN (SELECT oid FROM own_type)
  WHEN 'pg_constraint'::regclass THEN d.objid IN (SELECT oid FROM own_constraint)
  WHEN 'pg_attrdef'::regclass THEN EXISTS (SELECT FROM pg_attrdef WHERE oid = d.objid AND adrelid = $1)
  WHEN 'pg_trigger'::regclass THEN EXISTS (
    SELECT FROM pg_trigger WHERE oid = d.objid
      AND (tgrelid = $1 OR tgisinternal AND tgconstraint IN (SELECT oid FROM own_constraint)))
  WHEN 'pg_policy'::regclass THEN EXISTS (SELECT FROM pg_policy WHERE oid = d.objid AND polrelid = $1)
  WHEN 'pg_statistic_ext'::regclass THEN EXISTS (SELECT FROM pg_statistic_ext WHERE oid = d.objid AND stxrelid = $1)
  WHEN 'pg_publication_rel'::regclass THEN EXISTS (SELECT FROM pg_publication_rel WHERE oid = d.objid AND prrelid = $1)
  WHEN 'pg_rewrite'::regclass THEN EXISTS (
    SELECT FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class WHERE r.oid = d.objid AND v.relkind <> 'm')
  WHEN 'pg_proc'::regclass THEN EXISTS (
    SELECT FROM pg_proc p WHERE p.oid = d.objid AND p.prosqlbody IS NOT NULL
      AND NOT p.prorettype IN (SELECT oid FROM own_type)
      AND NOT coalesce(p.proallargtypes, p.proargtypes::oid[]) && (SELECT array_agg(oid) FROM own_type))
  ELSE false
END
)";

}  // namespace

Status RequireCarriesOver(Oid relid, AttrNumber time_attno) {
  for (const char* const query : {kTableKind, kIndexes, kConstraintsAndTriggers, kDependents}) {
    std::vector<SqlRow> const reasons = QuerySql(query, relid, static_cast<Oid>(time_attno));
    if (!reasons.empty()) {
      const SqlRow& first = reasons.front();
      Status status = Status::Unsupported(
          StrCat("cannot make ", QualifiedName(relid), " a hypertable: ", first[0].value_or("")));
      return first[1].has_value() ? std::move(status).WithHint(*first[1]) : std::move(status);
    }
  }
  return Status::Ok();
}

}  // namespace orochi::pg
