#include "pg/hypertable/table_definition.h"

#include "base/str_cat.h"
#include "pg/spi/sql.h"

namespace orochi::pg {
namespace {

// Every query answers rows of (command, tablespace), in the order in which they are to run.
// $1: the table, $2: the number of the time column.

// The new table takes over the names; indexes, statistics and identity sequences have names in the
// schema, too, and step aside with the old table.
constexpr const char* kPutAside = R"(
SELECT format('ALTER TABLE %I.%I RENAME TO %I', n.nspname, c.relname, 'orochi_old_' || c.oid), ''
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1
UNION ALL
SELECT format('ALTER INDEX %I.%I RENAME TO %I', n.nspname, c.relname, 'orochi_old_' || c.oid), ''
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.indrelid = $1
UNION ALL
SELECT format('ALTER STATISTICS %I.%I RENAME TO %I', n.nspname, s.stxname, 'orochi_old_' || s.oid), ''
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE s.stxrelid = $1
UNION ALL
SELECT format('ALTER SEQUENCE %I.%I RENAME TO %I', n.nspname, s.relname, 'orochi_old_' || s.oid), ''
FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND d.deptype = 'i'
)";

constexpr const char* kIdentities = R"(
SELECT s.oid, s.relname, a.attname
FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND d.deptype = 'i'
ORDER BY a.attnum
)";

constexpr const char* kHeader = R"(
SELECT n.nspname, c.relname, c.relowner, format('%I.%I', n.nspname, c.relname),
       format('%I.%I', n.nspname, 'orochi_old_' || c.oid),
       (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1
)";

// pg_attver is not an option: late minor releases keep a column's own version there.
constexpr const char* kCreate = R"(
SELECT format('CREATE %s TABLE %I.%I (LIKE %I.%I INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING IDENTITY '
              'INCLUDING STORAGE INCLUDING COMPRESSION) PARTITION BY RANGE (%I)',
              CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED' ELSE '' END,
              n.nspname, c.relname, n.nspname, 'orochi_old_' || c.oid, a.attname),
       coalesce((SELECT spcname FROM pg_tablespace WHERE oid = c.reltablespace), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum::oid = $2 WHERE c.oid = $1
UNION ALL
SELECT format('ALTER TABLE %s OWNER TO %I', $1::regclass, pg_get_userbyid(relowner)), ''
FROM pg_class WHERE oid = $1 AND pg_get_userbyid(relowner) <> current_user
UNION ALL
SELECT format('ALTER TABLE %s ADD CONSTRAINT %I %s', $1::regclass, conname, pg_get_constraintdef(oid)), ''
FROM pg_constraint WHERE conrelid = $1 AND contype = 'c'
UNION ALL
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS %s', $1::regclass, attname, attstattarget), ''
FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attstattarget >= 0
UNION ALL
SELECT format('ALTER TABLE %s ALTER COLUMN %I SET (%s)', $1::regclass, attname, string_agg(o, ', ')), ''
FROM pg_attribute CROSS JOIN unnest(attoptions) o
WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND o NOT LIKE 'pg_attver=%'
GROUP BY attname
)";

constexpr const char* kIndexesAndConstraints = R"(
SELECT command, tablespace FROM (
  SELECT 1 AS step, c.relname AS name, pg_get_indexdef(i.indexrelid) AS command,
         coalesce(t.spcname, '') AS tablespace
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
  WHERE i.indrelid = $1 AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = $1 AND conindid = i.indexrelid)
  UNION ALL
  SELECT CASE con.contype WHEN 'p' THEN 0 WHEN 'u' THEN 2 ELSE 3 END, con.conname,
         format('ALTER TABLE %s ADD CONSTRAINT %I %s', $1::regclass, con.conname, pg_get_constraintdef(con.oid)),
         coalesce(t.spcname, '')
  FROM pg_constraint con LEFT JOIN pg_class c ON c.oid = con.conindid AND con.contype <> 'f'
  LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace
  WHERE con.conrelid = $1 AND con.contype IN ('p', 'u', 'f')
  UNION ALL
  SELECT 4, c.relname, format('ALTER INDEX %s ALTER COLUMN %s SET STATISTICS %s', c.oid::regclass, a.attnum, a.attstattarget), ''
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_attribute a ON a.attrelid = c.oid
  WHERE i.indrelid = $1 AND a.attstattarget >= 0) x
ORDER BY step, name
)";

constexpr const char* kRest = R"(
SELECT format('ALTER SEQUENCE %s OWNED BY %s.%I', s.oid::regclass, $1::regclass, a.attname), ''
FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND d.deptype = 'a'
UNION ALL
SELECT pg_get_statisticsobjdef(oid), '' FROM pg_statistic_ext WHERE stxrelid = $1
UNION ALL
SELECT format('ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname, stxname, stxstattarget), ''
FROM pg_statistic_ext JOIN pg_namespace n ON n.oid = stxnamespace WHERE stxrelid = $1 AND stxstattarget >= 0
UNION ALL
SELECT format('ALTER STATISTICS %I.%I OWNER TO %I', n.nspname, stxname, pg_get_userbyid(stxowner)), ''
FROM pg_statistic_ext JOIN pg_namespace n ON n.oid = stxnamespace WHERE stxrelid = $1 AND pg_get_userbyid(stxowner) <> current_user
UNION ALL
SELECT format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', polname, $1::regclass,
              CASE WHEN polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
              CASE polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
              (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ') FROM unnest(polroles) r))
       || coalesce(' USING (' || pg_get_expr(polqual, polrelid) || ')', '')
       || coalesce(' WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')', ''), ''
FROM pg_policy WHERE polrelid = $1
UNION ALL
SELECT format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', $1::regclass), '' FROM pg_class WHERE oid = $1 AND relrowsecurity
UNION ALL
SELECT format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', $1::regclass), '' FROM pg_class WHERE oid = $1 AND relforcerowsecurity
UNION ALL
SELECT pg_get_triggerdef(oid), '' FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal
UNION ALL
SELECT format('ALTER TABLE %s %s TRIGGER %I', $1::regclass,
              CASE tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, tgname), ''
FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal AND tgenabled <> 'O'
UNION ALL
SELECT pg_get_ruledef(oid), '' FROM pg_rewrite WHERE ev_class = $1
UNION ALL
SELECT format('ALTER TABLE %s %s RULE %I', $1::regclass,
              CASE ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, rulename), ''
FROM pg_rewrite WHERE ev_class = $1 AND ev_enabled <> 'O'
UNION ALL
SELECT format('ALTER TABLE %s REPLICA IDENTITY %s', $1::regclass,
              CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING'
              ELSE 'USING INDEX ' || (SELECT quote_ident(x.relname) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
                                      WHERE i.indrelid = $1 AND i.indisreplident) END), ''
FROM pg_class c WHERE c.oid = $1 AND c.relreplident <> 'd'
UNION ALL
SELECT format('ALTER PUBLICATION %I ADD TABLE %s', p.pubname, $1::regclass)
       || coalesce((SELECT format(' (%s)', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum))
                    FROM unnest(r.prattrs::int2[]) k JOIN pg_attribute a ON a.attrelid = $1 AND a.attnum = k
                    HAVING count(*) > 0), '')
       || coalesce(' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')', ''), ''
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = $1
)";

constexpr const char* kComments = R"(
SELECT format('COMMENT ON %s IS %L', target, description), '' FROM (
  SELECT CASE WHEN d.objsubid = 0 THEN format('TABLE %s', $1::regclass)
         ELSE format('COLUMN %s.%I', $1::regclass, (SELECT attname FROM pg_attribute WHERE attrelid = $1 AND attnum = d.objsubid)) END,
         d.description
  FROM pg_description d WHERE d.classoid = 'pg_class'::regclass AND d.objoid = $1
  UNION ALL
  SELECT format('INDEX %s', d.objoid::regclass), d.description
  FROM pg_description d JOIN pg_index i ON i.indexrelid = d.objoid AND i.indrelid = $1 WHERE d.classoid = 'pg_class'::regclass
  UNION ALL
  SELECT format('CONSTRAINT %I ON %s', c.conname, $1::regclass), d.description
  FROM pg_description d JOIN pg_constraint c ON c.oid = d.objoid AND c.conrelid = $1 WHERE d.classoid = 'pg_constraint'::regclass
  UNION ALL
  SELECT format('TRIGGER %I ON %s', t.tgname, $1::regclass), d.description
  FROM pg_description d JOIN pg_trigger t ON t.oid = d.objoid AND t.tgrelid = $1 WHERE d.classoid = 'pg_trigger'::regclass
  UNION ALL
  SELECT format('POLICY %I ON %s', p.polname, $1::regclass), d.description
  FROM pg_description d JOIN pg_policy p ON p.oid = d.objoid AND p.polrelid = $1 WHERE d.classoid = 'pg_policy'::regclass
  UNION ALL
  SELECT format('RULE %I ON %s', r.rulename, $1::regclass), d.description
  FROM pg_description d JOIN pg_rewrite r ON r.oid = d.objoid AND r.ev_class = $1 WHERE d.classoid = 'pg_rewrite'::regclass
  UNION ALL
  SELECT format('STATISTICS %I.%I', n.nspname, s.stxname), d.description
  FROM pg_description d JOIN pg_statistic_ext s ON s.oid = d.objoid AND s.stxrelid = $1
  JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE d.classoid = 'pg_statistic_ext'::regclass
  UNION ALL
  SELECT format('SEQUENCE %s', s.oid::regclass), d.description
  FROM pg_description d JOIN pg_class s ON s.oid = d.objoid AND s.relkind = 'S'
  JOIN pg_depend o ON o.classid = 'pg_class'::regclass AND o.objid = s.oid AND o.refobjid = $1 AND o.deptype = 'i'
  WHERE d.classoid = 'pg_class'::regclass) x(target, description)
)";

// CREATE OR REPLACE keeps everything else about a view, rule or function: owner, grants, comments,
// triggers, and all that stands on it.
constexpr const char* kRedirect = R"(
WITH dependent AS (
  SELECT DISTINCT classid, objid FROM pg_depend
  WHERE (refclassid = 'pg_class'::regclass AND refobjid = $1
         OR refclassid = 'pg_type'::regclass AND refobjid IN (
           SELECT t.oid FROM pg_class c JOIN pg_type e ON e.oid = c.reltype
           CROSS JOIN LATERAL (VALUES (e.oid), (e.typarray)) t(oid) WHERE c.oid = $1)
         OR refclassid = 'pg_constraint'::regclass AND refobjid IN (SELECT oid FROM pg_constraint WHERE conrelid = $1)))
SELECT format('CREATE OR REPLACE VIEW %s %s AS %s', v.oid::regclass,
              coalesce('WITH (' || array_to_string(v.reloptions, ', ') || ')', ''), pg_get_viewdef(v.oid)), ''
FROM dependent d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
JOIN pg_class v ON v.oid = r.ev_class
WHERE v.relkind = 'v' AND r.rulename = '_RETURN'
UNION ALL
SELECT regexp_replace(pg_get_ruledef(r.oid), '^CREATE RULE', 'CREATE OR REPLACE RULE'), ''
FROM dependent d JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
WHERE r.ev_class <> $1 AND r.rulename <> '_RETURN'
UNION ALL
SELECT pg_get_functiondef(d.objid), '' FROM dependent d WHERE d.classid = 'pg_proc'::regclass
)";

void Append(std::vector<DefinitionCommand>& commands, const char* query, Oid relid,
            AttrNumber time_attno) {
  for (SqlRow& row : QuerySql(query, relid, static_cast<Oid>(time_attno))) {
    commands.push_back({.text = row[0].value_or(""), .tablespace = row[1].value_or("")});
  }
}

Oid OidFromText(const std::string& text) {
  return static_cast<Oid>(std::stoul(text));
}

}  // namespace

TableDefinition ReadTableDefinition(Oid relid, AttrNumber time_attno) {
  TableDefinition table;
  SqlRow const header = QuerySql(kHeader, relid).at(0);
  table.schema = header[0].value_or("");
  table.name = header[1].value_or("");
  table.owner = OidFromText(header[2].value_or("0"));
  table.qualified_name = header[3].value_or("");
  table.aside_name = header[4].value_or("");
  table.insert_columns = header[5].value_or("");
  Append(table.put_aside, kPutAside, relid, time_attno);
  for (const SqlRow& row : QuerySql(kIdentities, relid)) {
    table.identities.push_back({.relid = OidFromText(row[0].value_or("0")),
                                .name = row[1].value_or(""),
                                .column = row[2].value_or("")});
  }
  Append(table.create, kCreate, relid, time_attno);
  for (const char* const query : {kIndexesAndConstraints, kRest, kComments}) {
    Append(table.complete, query, relid, time_attno);
  }
  Append(table.redirect, kRedirect, relid, time_attno);
  return table;
}

}  // namespace orochi::pg
