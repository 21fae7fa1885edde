# Goal: autovacuum comes to a columnar table as to a heap table, after changes and after insertions
# alone, moves its rows into stripes and gives the space back. Method: thresholds of single rows,
# naptime of a second; the test waits for what must happen.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use OrochiNode;
use Test::More;

my $node = new_node('autovacuum', autovacuum => 'on', autovacuum_naptime => '1s',
	autovacuum_vacuum_cost_delay => 0);
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE inserted (id int PRIMARY KEY, t text) USING columnar WITH (
  autovacuum_vacuum_insert_threshold = 1000, autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_threshold = 1000000, autovacuum_analyze_threshold = 1000000);
CREATE TABLE changed (id int PRIMARY KEY, t text) USING columnar WITH (
  autovacuum_vacuum_threshold = 100, autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_threshold = 1000000);
INSERT INTO changed SELECT i, md5(i::text) FROM generate_series(1, 20000) i;
SQL

# Rows that came one at a time, more than the threshold.
$node->safe_psql('postgres', "INSERT INTO inserted SELECT $_ * 600 + i, md5(i::text) "
	  . "FROM generate_series(1, 600) i") for 1 .. 3;
ok( $node->poll_query_until('postgres', <<'SQL'), 'rows inserted alone bring autovacuum, which moves them');
SELECT count(*) = 0 FROM inserted WHERE ctid < '(2147483648,1)'
SQL
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT t) FROM inserted'), '1800|600',
	'all rows are there');
cmp_ok($node->safe_psql('postgres',
		"SELECT autovacuum_count FROM pg_stat_all_tables WHERE relid = 'inserted'::regclass"),
	'>=', 1, 'autovacuum counted');

# Updates: what VACUUM moved counts as dead, so that it comes again and cuts the file.
$node->safe_psql('postgres', <<'SQL');
UPDATE changed SET t = t || '+' WHERE id % 2 = 0;
DELETE FROM changed WHERE id % 5 = 0;
SQL
my $fresh = $node->safe_psql('postgres', <<'SQL');
SET orochi.columnar_row_page_rows = 0;
CREATE TABLE fresh (LIKE changed) USING columnar;
INSERT INTO fresh TABLE changed;
SELECT pg_relation_size('fresh') / 8192;
SQL
ok( $node->poll_query_until('postgres',
		"SELECT pg_relation_size('changed') / 8192 <= 1.1 * $fresh + 11"),
	"updates and deletions bring autovacuum, which leaves about $fresh pages")
  or diag($node->safe_psql('postgres', "SELECT pg_relation_size('changed') / 8192"));
same_rows($node, 'TABLE changed', 'TABLE fresh', 'all rows are there');
$node->stop;
done_testing();
