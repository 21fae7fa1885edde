# Goal:   an upgraded extension keeps hypertables and rows, works on, and has the same objects as one
#         installed fresh.
# Method: install every version that can be installed, fill it, update it to the newest (for lack of
#         older ones: to the fixture in pg/test/upgrade), and compare descriptions of all objects.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('upgrade');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'orochi'\ntimezone = 'UTC'\n");
$node->start;

# Everything the extension owns, with what defines it.
my $describe = <<'SQL';
SELECT pg_describe_object(d.classid, d.objid, 0) || ' ' || coalesce(CASE d.classid
    WHEN 'pg_proc'::regclass THEN (
      SELECT CASE WHEN prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) ELSE prokind::text END
      || ' acl ' || coalesce(proacl::text, '') FROM pg_proc p WHERE p.oid = d.objid)
    WHEN 'pg_class'::regclass THEN (
      SELECT relkind::text || ' acl ' || coalesce(relacl::text, '') || ' ' || CASE WHEN relkind = 'v' THEN pg_get_viewdef(c.oid) ELSE coalesce((
        SELECT string_agg(format('%s %s %s %s', attname, atttypid::regtype, attnotnull, pg_get_expr(adbin, adrelid)), ', ' ORDER BY attnum)
        FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped), '') || coalesce((
        SELECT string_agg(pg_get_constraintdef(k.oid), ', ' ORDER BY conname) FROM pg_constraint k WHERE conrelid = c.oid), '') || coalesce((
        SELECT string_agg(pg_get_indexdef(indexrelid), ', ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = c.oid), '') || coalesce((
        SELECT string_agg(pg_get_triggerdef(t.oid), ', ' ORDER BY tgname) FROM pg_trigger t WHERE tgrelid = c.oid AND NOT tgisinternal), '') END
      FROM pg_class c WHERE c.oid = d.objid)
  END, '') || coalesce(' comment ' || obj_description(d.objid, (SELECT relname FROM pg_class WHERE oid = d.classid)), '')
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'orochi' AND d.deptype = 'e' ORDER BY 1
SQL

my $current = $node->safe_psql('postgres', "SELECT default_version FROM pg_available_extensions WHERE name = 'orochi'");
my @installable = split /\n/, $node->safe_psql('postgres', <<'SQL');
SELECT p.source FROM pg_extension_update_paths('orochi') p
JOIN pg_available_extensions a ON a.name = 'orochi'
WHERE p.path IS NOT NULL AND p.target = a.default_version AND p.source NOT LIKE '%test'
SQL
my $fixture = "$current.test";
my @upgrades = ((map { [ $_, $current ] } @installable), [ $current, $fixture ]);

for my $upgrade (@upgrades) {
    my ($from, $to) = @$upgrade;
    (my $database = "from_${from}_to_$to") =~ s/\W/_/g;
    $node->safe_psql('postgres', "CREATE DATABASE $database");
    $node->safe_psql($database, <<"SQL");
CREATE EXTENSION orochi VERSION '$from';
CREATE TABLE metrics (time timestamptz NOT NULL, host int, value float);
CREATE INDEX ON metrics (host, time);
SELECT orochi.create_hypertable('metrics', 'time', interval '1 day');
INSERT INTO metrics SELECT timestamptz '2024-01-01' + n * interval '1 hour', n % 5, n FROM generate_series(0, 99) n;
SELECT orochi.compress_chunk(c) FROM orochi.show_chunks('metrics', older_than => '2024-01-03') c;
ALTER EXTENSION orochi UPDATE TO '$to';
SQL
    is($node->safe_psql($database, "SELECT extversion FROM pg_extension WHERE extname = 'orochi'"), $to, "$from becomes $to");
    is($node->safe_psql($database, 'SELECT count(*), sum(value) FROM metrics'), '100|4950', 'rows are there');
    $node->safe_psql($database, "INSERT INTO metrics VALUES ('2024-06-01', 1, 1), ('2024-01-01', 1, 1)");
    is( $node->safe_psql($database, "SELECT place, count(*) FROM orochi.chunks GROUP BY 1 ORDER BY 1"),
        "columnar|2\nheap|4", 'chunks are where they were, and new ones appear');
    is($node->safe_psql($database, "SELECT orochi.drop_chunks('metrics', older_than => '2024-01-02')"), 1, 'chunks go');
    $node->safe_psql('postgres', "CREATE DATABASE fresh_$database");
    $node->safe_psql("fresh_$database", "CREATE EXTENSION orochi VERSION '$to'");
    my $objects = $node->safe_psql($database, $describe);
    is($objects, $node->safe_psql("fresh_$database", $describe), "upgraded and fresh $to have the same objects");
    like($objects, qr/function orochi\.drop_chunks/, 'objects were described');
    if ($to eq $fixture) {
        is($node->safe_psql($database, "SELECT orochi.upgrade_probe('metrics')"), 5, 'the new function is there');
    }
}
$node->stop;
done_testing();
