# Goal: logical decoding of a published columnar table gives every change, of rows in stripes and on
# row pages, and nothing for rows that VACUUM moves. Method: known changes, read from a slot.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('publisher');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'orochi'\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION orochi;
CREATE TABLE t (id int PRIMARY KEY, v text) USING columnar;
SET orochi.columnar_row_page_rows = 0;
INSERT INTO t SELECT i, 'old' || i FROM generate_series(1, 2000) i;
CREATE PUBLICATION p FOR TABLE t;
SELECT pg_create_logical_replication_slot('s', 'test_decoding');
SQL

my $changes = "SELECT data FROM pg_logical_slot_get_changes('s', NULL, NULL, 'skip-empty-xacts', '1') "
  . "WHERE data !~ '^(BEGIN|COMMIT)'";
$node->safe_psql('postgres', <<'SQL');
INSERT INTO t VALUES (5001, 'one');
UPDATE t SET v = 'changed' WHERE id = 7;
UPDATE t SET id = 9999 WHERE id = 8;
DELETE FROM t WHERE id = 9;
DELETE FROM t WHERE id = 5001;
SQL
is($node->safe_psql('postgres', $changes), <<'TEXT' =~ s/\n\z//r, 'every kind of change');
table public.t: INSERT: id[integer]:5001 v[text]:'one'
table public.t: UPDATE: id[integer]:7 v[text]:'changed'
table public.t: UPDATE: old-key: id[integer]:8 new-tuple: id[integer]:9999 v[text]:'old8'
table public.t: DELETE: id[integer]:9
table public.t: DELETE: id[integer]:5001
TEXT
$node->safe_psql('postgres', "INSERT INTO t SELECT i, 'bulk' FROM generate_series(10001, 12500) i");
is($node->safe_psql('postgres', "SELECT count(*) FROM ($changes) c WHERE data ~ 'bulk'"),
	'2500', 'every row of a bulk insertion');
$node->safe_psql('postgres', 'VACUUM t');
# Rows of the list of stripes go, without a key or values that anybody could be sent.
is($node->safe_psql('postgres', "SELECT * FROM ($changes) c WHERE data <> "
	  . "'table orochi.columnar_stripe: DELETE: (no-tuple-data)'"), '', 'nothing for moves of VACUUM');
cmp_ok($node->safe_psql('postgres', "SELECT sum(rows) FROM orochi.columnar_stripes('t')"),
	'>', 2000, '... which did move rows into stripes');
is($node->safe_psql('postgres', 'SELECT count(*) FROM t'), '4499', 'all rows are there');
$node->stop;
done_testing();
