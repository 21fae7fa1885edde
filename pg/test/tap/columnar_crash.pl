# Goal: after a crash anywhere in the writing of a stripe, a columnar table holds exactly the rows of
# committed transactions, and goes on working. Method: every transaction writes the same rows to a
# heap twin; backends are killed at injection points, the server is stopped at once, under
# wal_level replica and minimal; the tables are compared after each restart.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use OrochiNode qw(log_end await_recovery);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'orochi'
restart_after_crash = on
autovacuum = off
max_prepared_transactions = 5
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION orochi;
CREATE TABLE c (id int, v float8, t text) USING columnar;
CREATE INDEX ON c (id);
CREATE TABLE h (id int, v float8, t text);
CREATE UNLOGGED TABLE u (id int PRIMARY KEY, t text) USING columnar;
SQL

# Whether the columnar table and its heap twin hold the same rows, by scan and by index.
sub same_rows
{
	my ($why, $table, $twin) = (@_, 'c', 'h');
	my $different = $node->safe_psql('postgres', <<"SQL");
SELECT count(*) FROM (
  (TABLE $table EXCEPT ALL TABLE $twin) UNION ALL (TABLE $twin EXCEPT ALL TABLE $table)) d;
SQL
	is($different, '0', "$why: columnar and heap hold the same rows");
	my $by_index = $node->safe_psql('postgres', <<"SQL");
SET enable_seqscan = off; SET orochi.enable_columnar_scan = off;
SET orochi.enable_vectorized_execution = off;
SELECT (SELECT count(*) FROM $table WHERE id > 0) - (SELECT count(*) FROM $twin WHERE id > 0);
SQL
	is($by_index, '0', "$why: the index finds them");
}

sub rows
{
	my ($from, $to) = @_;
	return "SELECT i, i / 8.0, repeat(md5(i::text), 3) FROM generate_series($from, $to) i";
}

sub insert_both
{
	my ($from, $to) = @_;
	my $rows = rows($from, $to);
	return "BEGIN; INSERT INTO c $rows; INSERT INTO h $rows; COMMIT;";
}

$node->safe_psql('postgres', insert_both(1, 5000));
$node->safe_psql('postgres', "INSERT INTO u SELECT i, 'unlogged' FROM generate_series(1, 3000) i");
is($node->safe_psql('postgres', 'SELECT count(*) FROM u'), '3000', 'unlogged rows are there');

# 1. Immediate stop with a writer at work, stripes on both sides of a checkpoint.
my $writer = $node->background_psql('postgres', on_error_stop => 0);
$writer->query_safe('BEGIN');
$writer->query_safe('INSERT INTO c ' . rows(100001, 105000));
$writer->query_safe('SELECT count(*) FROM c');    # writes the stripe out
$node->safe_psql('postgres', 'CHECKPOINT');
$node->safe_psql('postgres', insert_both(5001, 9000));
$writer->query_safe('INSERT INTO c ' . rows(110001, 110010));
$node->stop('immediate');
$writer->{run}->finish;
$node->start;
same_rows('immediate stop');
is($node->safe_psql('postgres', 'SELECT count(*) FROM u'), '0', 'the unlogged table is empty');
$node->safe_psql('postgres', "INSERT INTO u SELECT i, 'again' FROM generate_series(1, 10) i");
is($node->safe_psql('postgres', 'SELECT count(*), min(t) FROM u'),
	'10|again', 'and takes rows anew, with keys of rows that are gone');
$node->safe_psql('postgres', insert_both(9001, 9100));
same_rows('writing after recovery');
$node->safe_psql('postgres', 'VACUUM c');
same_rows('vacuum after recovery');

# 2. Prepared transactions outlive a crash.
$node->safe_psql('postgres', 'BEGIN; INSERT INTO c ' . rows(20001, 20100)
	  . '; INSERT INTO h ' . rows(20001, 20100) . "; PREPARE TRANSACTION 'both'");
$node->stop('immediate');
$node->start;
same_rows('prepared, not committed');
$node->safe_psql('postgres', "COMMIT PREPARED 'both'");
same_rows('prepared and committed');

# 3. Kill -9 at named points. Only debug builds have them.
my $has_injection = $node->safe_psql('postgres',
	"SELECT count(*) FROM pg_settings WHERE name = 'orochi.injection'");
SKIP:
{
	skip 'no injection points in this build', 1 if $has_injection eq '0';
	my $id = 30000;
	for my $point ('columnar_stripe_reserved', 'columnar_stripe_written',
		'columnar_stripe_completed')
	{
		for my $turn (1, 3)
		{
			my $log_end = log_end($node);
			my ($ret, $out, $err) = $node->psql('postgres',
				"SET orochi.columnar_stripe_rows = 1000; SET orochi.injection = '$point=kill:$turn'; "
				  . insert_both($id, $id + 3999));
			isnt($ret, 0, "the backend died at $point, time $turn");
			$id += 4000;
			await_recovery($node, $log_end);
			same_rows("killed at $point, time $turn");
			$node->safe_psql('postgres', insert_both($id, $id + 10));
			$id += 100;
			same_rows("writing after $point, time $turn");
		}
	}
	$node->safe_psql('postgres', 'VACUUM c');
	same_rows('vacuum after kills');
}
# Nothing of the killed ones is left in the file's tail or the catalog.
is( $node->safe_psql('postgres', <<'SQL'), '0', 'no unfinished stripe is left');
SELECT count(*) FROM orochi.columnar_stripe
WHERE size_bytes = 0 AND storage_id = orochi.columnar_storage_id('c');
SQL

# 4. wal_level minimal: rows of a table made in the same transaction are not in the WAL.
$node->append_conf('postgresql.conf', "wal_level = minimal\nmax_wal_senders = 0\n");
$node->restart;
$node->safe_psql('postgres', <<'SQL');
BEGIN;
CREATE TABLE c2 (id int, v float8, t text) USING columnar;
INSERT INTO c2 SELECT * FROM h;
CREATE INDEX ON c2 (id);
COMMIT;
BEGIN;
TRUNCATE c;
INSERT INTO c SELECT * FROM h;
COMMIT;
VACUUM FULL c2;
SQL
$node->safe_psql('postgres', insert_both(90001, 90010));
$node->stop('immediate');
$node->start;
same_rows('wal_level minimal, truncated table');
$node->safe_psql('postgres', 'INSERT INTO c2 ' . rows(90001, 90010));
same_rows('wal_level minimal, new table', 'c2', 'h');

# 5. A table dropped in a transaction that did not commit is still there.
my $dropper = $node->background_psql('postgres', on_error_stop => 0);
$dropper->query_safe('BEGIN; DROP TABLE c2; TRUNCATE c;');
$node->safe_psql('postgres', 'CHECKPOINT');
$node->stop('immediate');
$dropper->{run}->finish;
$node->start;
same_rows('unfinished truncate');
same_rows('unfinished drop', 'c2', 'h');
$node->safe_psql('postgres', 'DROP TABLE c, c2, u');
$node->stop;
done_testing();
