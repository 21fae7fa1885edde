# Goal: whatever is going on when the server crashes, afterwards hypertables and columnar tables hold
# exactly what was committed.
# Method: sessions write the same rows to a table and to its heap twin in one transaction, into chunks
# that do not exist yet, into columnar storage and across savepoints, while others compress and
# decompress chunks. The server is stopped as by a crash once some more rows are in; after recovery
# each table must equal its twin, by sequential scan and by index. Several rounds on the same data.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IPC::Run ();
use OrochiNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{OROCHI_CRASH_SEED} // int(rand(2**31));
note("seed $seed (OROCHI_CRASH_SEED)");
my $rounds = 3;
my $rows_per_round = 4000;

my $node = new_node('crash_under_load', log_statement => 'none', log_min_messages => 'warning',
	'orochi.columnar_stripe_rows' => 1000);
$node->safe_psql('postgres', q{
	CREATE TABLE metrics (time timestamptz NOT NULL, host int NOT NULL, v bigint, note text);
	CREATE INDEX ON metrics (host, time);
	SELECT orochi.create_hypertable('metrics', 'time', INTERVAL '1 day');
	CREATE TABLE metrics_twin (LIKE metrics);
	CREATE TABLE facts (id bigint PRIMARY KEY, note text) USING columnar;
	CREATE TABLE facts_twin (LIKE facts);
	CREATE SEQUENCE ids;
	-- One chunk by random, to the other place. Losing a race is no error of ours.
	CREATE FUNCTION move_one(pick float8) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE c regclass; place text;
	BEGIN
		SELECT k.chunk, k.place INTO c, place FROM orochi.chunks k
		ORDER BY md5(k.chunk::text || pick::text) LIMIT 1;
		IF place = 'heap' THEN PERFORM orochi.compress_chunk(c);
		ELSIF place = 'columnar' THEN PERFORM orochi.decompress_chunk(c); END IF;
	EXCEPTION WHEN lock_not_available OR deadlock_detected OR serialization_failure THEN NULL;
	END $$;
});

my $dir = $PostgreSQL::Test::Utils::tmp_check;
append_to_file("$dir/insert.pgbench", q{
\set day random(0, 20)
\set minute random(0, 1439)
BEGIN;
WITH n AS (INSERT INTO metrics SELECT timestamptz '2024-01-01' + :day * interval '1 day' + (:minute + i) * interval '1 minute', i, :minute * i, 'n' || i FROM generate_series(1, 20) i RETURNING *)
INSERT INTO metrics_twin TABLE n;
SAVEPOINT a;
INSERT INTO metrics VALUES (timestamptz '2024-01-01' + :day * interval '1 day', -1, -1, 'rolled back');
ROLLBACK TO a;
COMMIT;
});
append_to_file("$dir/columnar.pgbench", q{
BEGIN;
WITH n AS (INSERT INTO facts SELECT nextval('ids'), repeat('x', (i % 50)::int) FROM generate_series(1, 200) i RETURNING *)
INSERT INTO facts_twin TABLE n;
COMMIT;
});
append_to_file("$dir/move.pgbench", q{
\set pick random(1, 1000000)
SELECT move_one(:pick);
});

for my $round (1 .. $rounds)
{
	my $target = $node->safe_psql('postgres', 'SELECT count(*) FROM metrics_twin') + $rows_per_round;
	my ($out, $err) = ('', '');
	my $load = IPC::Run::start(
		[ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', 6, '-T', 120,
			'--random-seed=' . ($seed + $round), '-f', "$dir/insert.pgbench\@8", '-f', "$dir/columnar.pgbench\@3",
			'-f', "$dir/move.pgbench\@2", 'postgres' ],
		'>', \$out, '2>', \$err);
	ok($node->poll_query_until('postgres', "SELECT count(*) >= $target FROM metrics_twin"),
		"round $round: rows arrive");
	$node->stop('immediate');
	IPC::Run::finish($load);
	# Until the crash nobody saw any other error.
	my @errors = grep { /ERROR/ } split /\n/, $err;
	is(scalar(@errors), 0, "round $round: no errors but the crash") or diag(@errors[0 .. ($#errors > 5 ? 5 : $#errors)]);
	$node->start;
	same_rows($node, 'TABLE metrics', 'TABLE metrics_twin', "round $round: the hypertable equals its twin");
	same_rows($node, 'TABLE facts', 'TABLE facts_twin', "round $round: the columnar table equals its twin");
	my $by_index = 'SET enable_seqscan = off; SET enable_bitmapscan = off; SET orochi.enable_columnar_scan = off;';
	is($node->safe_psql('postgres', "$by_index SELECT count(*), sum(v) FROM metrics WHERE host = 7"),
		$node->safe_psql('postgres', 'SELECT count(*), sum(v) FROM metrics_twin WHERE host = 7'),
		"round $round: the hypertable's index too");
	is($node->safe_psql('postgres', "$by_index SELECT count(*), sum(length(note)) FROM facts WHERE id > 0"),
		$node->safe_psql('postgres', 'SELECT count(*), sum(length(note)) FROM facts_twin'),
		"round $round: the columnar table's index too");
	is($node->safe_psql('postgres', "SELECT count(*) FROM pg_class WHERE relname ~ '^(pg_temp_|orochi_move)'"),
		'0', "round $round: no copies left in the catalogs");
	is($node->safe_psql('postgres', q{
		SELECT count(*) FROM (SELECT DISTINCT storage_id FROM orochi.columnar_stripe) s WHERE storage_id NOT IN
			(SELECT orochi.columnar_storage_id(c.oid) FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND a.amname = 'columnar')
		}), '0', "round $round: no stripes of storages that are gone");
}
cmp_ok($node->safe_psql('postgres', "SELECT count(DISTINCT place) FROM orochi.chunks"), '>', 0, 'chunks are there');
note($node->safe_psql('postgres', 'SELECT place, count(*), sum(row_estimate) FROM orochi.chunks GROUP BY 1'));
$node->stop;
done_testing();
