# Goal: after a crash anywhere in VACUUM of a columnar table no row is lost or doubled, the next
# VACUUM finishes the work, and a standby that replayed it all holds the same rows. Method: a heap
# twin gets the same changes; VACUUM is killed at every injection point; scans and index scans are
# compared on the primary after each restart, and on the standby at the end.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'orochi'
restart_after_crash = on
autovacuum = off
jit = off
orochi.columnar_row_page_rows = 100
CONF
$node->start;
my $has_injection = $node->safe_psql('postgres',
	"SELECT count(*) FROM pg_settings WHERE name = 'orochi.injection'");
plan skip_all => 'no injection points in this build' if $has_injection eq '0';
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION orochi;
CREATE TABLE c (id int PRIMARY KEY, v int, t text) USING columnar;
CREATE INDEX ON c (v);
ALTER TABLE c ALTER t SET STORAGE EXTERNAL;
CREATE TABLE h (id int PRIMARY KEY, v int, t text);
SQL
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;

sub same_rows
{
	my ($server, $why) = @_;
	is($server->safe_psql('postgres', <<'SQL'), '0|0|0', "$why: columnar and heap hold the same");
SET enable_seqscan = on;
SELECT (SELECT count(*) FROM ((TABLE c EXCEPT ALL TABLE h) UNION ALL (TABLE h EXCEPT ALL TABLE c)) d)
  AS scan \gset
SET enable_seqscan = off;
SET orochi.enable_columnar_scan = off;
SELECT (SELECT count(*) FROM (
  (SELECT * FROM c WHERE id > 0 EXCEPT ALL TABLE h) UNION ALL
  (TABLE h EXCEPT ALL SELECT * FROM c WHERE id > 0)) d) AS by_key,
  (SELECT count(*) FROM (
  (SELECT id, v FROM c WHERE v > -1 EXCEPT ALL SELECT id, v FROM h) UNION ALL
  (SELECT id, v FROM h EXCEPT ALL SELECT id, v FROM c WHERE v > -1)) d) AS by_value \gset
\echo :scan|:by_key|:by_value
SQL
}

sub both
{
	my ($statement) = @_;
	(my $other = $statement) =~ s/\bc\b/h/;
	return "BEGIN; $statement; $other; COMMIT;";
}

# Every round: new rows on row pages, some long; updates and deletions in stripes and beside them.
my $first = 1;
sub change
{
	my ($last, $again) = ($first + 999, $first + 99);
	$node->safe_psql('postgres', $_)
	  for both("INSERT INTO c SELECT i, i % 50, repeat('x', CASE i % 100 WHEN 0 THEN 5000 ELSE 5 END) "
		  . "FROM generate_series($first, $last) i"),
	  both("INSERT INTO c SELECT -i, i % 50, 'small' FROM generate_series($first, $again) i"),
	  both("UPDATE c SET v = v + 1 WHERE id % 3 = 0"),
	  both("UPDATE c SET t = 'short' WHERE id % 200 = 0"),
	  both("DELETE FROM c WHERE id < 0"),
	  both("DELETE FROM c WHERE id % 7 = 0");
	$first += 1000;
}

for my $point ('columnar_vacuum_entries_deleted', 'columnar_vacuum_rows_written',
	'columnar_vacuum_rows_marked', 'columnar_stripe_reserved', 'columnar_stripe_written',
	'columnar_stripe_completed')
{
	change();
	$node->safe_psql('postgres', 'VACUUM c') if $point eq 'columnar_vacuum_entries_deleted';
	$node->safe_psql('postgres', both('UPDATE c SET v = v + 1 WHERE id % 5 = 0'));
	my ($ret) = $node->psql('postgres', "SET orochi.injection = '$point=kill';\nVACUUM c;");
	isnt($ret, 0, "VACUUM died at $point");
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server did not come back';
	same_rows($node, "killed at $point");
	$node->safe_psql('postgres', 'VACUUM c');
	same_rows($node, "vacuum after $point");
}
# Giving space back: rows move first, then the next VACUUM copies stubs and stripes and cuts the file.
for my $point ('columnar_stubs_relocation_begun', 'columnar_stubs_relocated',
	'columnar_stripe_relocation_begun', 'columnar_stripe_copied', 'columnar_stripe_relocated',
	'columnar_before_truncation', 'columnar_truncated')
{
	change();
	$node->safe_psql('postgres', both('UPDATE c SET v = v + 1 WHERE id % 4 = 0'));
	my ($ret) = $node->psql('postgres',
		"SET orochi.injection = '$point=kill';\nVACUUM c;\nVACUUM c;\nVACUUM c;");
	isnt($ret, 0, "VACUUM died at $point");
	$node->poll_query_until('postgres', 'SELECT true') or die 'the server did not come back';
	same_rows($node, "killed at $point");
	$node->safe_psql('postgres', 'VACUUM c') for 1 .. 3;
	same_rows($node, "vacuum after $point");
}
change();
$node->safe_psql('postgres', 'VACUUM c') for 1 .. 3;
my ($pages, $fresh) = split /\|/, $node->safe_psql('postgres', <<'SQL');
CREATE TABLE fresh (LIKE c) USING columnar;
SET orochi.columnar_row_page_rows = 0;
INSERT INTO fresh TABLE c;
SELECT pg_relation_size('c') / 8192, pg_relation_size('fresh') / 8192;
DROP TABLE fresh;
SQL
cmp_ok($pages, '<=', 1.1 * $fresh + 11, "$pages pages after all that, $fresh when written anew");
$node->safe_psql('postgres', 'VACUUM FREEZE c');
same_rows($node, 'several times');
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
same_rows($standby, 'standby');
# What a crash left is gone: no unfinished stripe, no row page with rows to move.
is($node->safe_psql('postgres', <<'SQL'), '0', 'no unfinished stripe is left');
SELECT count(*) FROM orochi.columnar_stripe
WHERE size_bytes = 0 AND storage_id = orochi.columnar_storage_id('c');
SQL
$node->stop('immediate');
$node->start;
same_rows($node, 'immediate stop');
$standby->stop;
$node->stop;
done_testing();
