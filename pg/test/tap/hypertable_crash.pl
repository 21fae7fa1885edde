# Goal: a crash at any step of creating a chunk leaves all committed rows, no half chunk, and a table
# that goes on working. Method: kill -9 the worker, then the session, at named injection points,
# let the server recover, compare with what had been committed, and insert the same row again.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use OrochiNode qw(log_end await_recovery);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('crash');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'orochi'
restart_after_crash = on
CONF
$node->start;
if ($node->safe_psql('postgres', "SELECT count(*) FROM pg_settings WHERE name = 'orochi.injection'") eq '0')
{
	plan skip_all => 'this build has no injection points: they are in debug builds';
}
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION orochi;
CREATE TABLE m (time date NOT NULL, v int) PARTITION BY RANGE (time);
CREATE INDEX ON m (v);
INSERT INTO orochi.hypertable VALUES ('m', '1 month', NULL);
INSERT INTO m VALUES ('2026-01-01', 0);
SQL

my $rows = 1;
my $month = 1;
sub crash_at
{
	my ($point, $statement) = @_;
	$month++;
	$statement =~ s/DAY/sprintf("'2026-%02d-01'", $month)/e;
	$node->safe_psql('postgres', "ALTER SYSTEM SET orochi.injection = '$point=kill'");
	$node->safe_psql('postgres', 'SELECT pg_reload_conf()');
	$node->poll_query_until('postgres', "SELECT current_setting('orochi.injection') = '$point=kill'");
	my $log_end = log_end($node);
	my ($code, $out, $err) = $node->psql('postgres', $statement);
	isnt($code, 0, "$point: the session is gone");
	# The file is read again when the server comes back.
	unlink($node->data_dir . '/postgresql.auto.conf');
	append_to_file($node->data_dir . '/postgresql.auto.conf', '');
	await_recovery($node, $log_end);
	$node->safe_psql('postgres', 'SELECT pg_reload_conf()');
	$node->poll_query_until('postgres', "SELECT current_setting('orochi.injection') = ''");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM m'), $rows, "$point: committed rows are there and no others");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_class WHERE relname LIKE 'm\_2%' AND relkind = 'r' AND NOT relispartition}),
		'0', "$point: no half chunk");
	$node->safe_psql('postgres', $statement);
	$rows++;
	is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT tableoid) FROM m'), "$rows|$rows", "$point: the same row again goes in");
	return;
}
foreach my $point ('chunk_worker_locked', 'chunk_worker_attached', 'chunk_worker_committed')
{
	crash_at($point, 'INSERT INTO m VALUES (DAY, 1)');
}
crash_at('chunk_created_here', 'BEGIN; LOCK TABLE m IN SHARE MODE; INSERT INTO m VALUES (DAY, 1); COMMIT');
is($node->safe_psql('postgres', 'SET enable_seqscan = off; SELECT sum(v) FROM m WHERE v = 1'), $rows - 1, 'indexes of the chunks are whole');
$node->stop;
done_testing();
