# Goal: a pg_dump whose snapshot is older than a compression holds every row of its snapshot.
# Method: export a snapshot, compress chunks, dump with that snapshot, restore elsewhere and compare
# with what the snapshot's own session counts. A chunk written to after the snapshot cannot be
# compressed while the snapshot lives.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use OrochiNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('move_dump');
$node->safe_psql('postgres', q{
	CREATE TABLE metrics (at timestamptz NOT NULL, host int, v float8) PARTITION BY RANGE (at);
	CREATE TABLE cold PARTITION OF metrics FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
	CREATE TABLE warm PARTITION OF metrics FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
	CREATE INDEX ON metrics (host, at);
	INSERT INTO metrics SELECT '2024-01-01'::timestamptz + i * interval '10 minutes', i % 10, i
	FROM generate_series(0, 8000) i;
	CREATE TABLE twin AS TABLE metrics;
});

my $holder = $node->background_psql('postgres');
my $snapshot = $holder->query_safe(
	'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_export_snapshot();');
chomp $snapshot;

# Written to after the snapshot: the move waits, and gives up.
$node->safe_psql('postgres', q{
	DELETE FROM warm WHERE host = 1;
	INSERT INTO warm SELECT '2024-02-10', 100, 1 FROM generate_series(1, 50);
});
my ($code, $out, $err) = $node->psql('postgres',
	"SET orochi.move_timeout = '200ms'; SELECT orochi.compress_chunk('warm')");
isnt($code, 0, 'a chunk changed since the snapshot is not compressed');
like($err, qr/snapshots older than the newest change of table "warm" are still in use after 200 ms/,
	'and the error says why');
like($err, qr/It waits for process \d+/, 'and for whom');

# Not written to: no wait.
is($node->safe_psql('postgres', "SET orochi.move_timeout = '10s'; SELECT orochi.compress_chunk('cold')"),
	'cold', 'a chunk not changed since the snapshot is compressed');

my $file = "$PostgreSQL::Test::Utils::tmp_check/metrics.sql";
$node->command_ok(
	[ 'pg_dump', '-h', $node->host, '-p', $node->port, "--snapshot=$snapshot", '--data-only',
		'--table=cold', '--table=warm', '--file', $file, 'postgres' ],
	'pg_dump with the older snapshot');
$node->safe_psql('postgres', q{
	CREATE DATABASE restored;
});
$node->safe_psql('restored', q{
	CREATE TABLE cold (at timestamptz NOT NULL, host int, v float8);
	CREATE TABLE warm (LIKE cold);
});
$node->command_ok(
	[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-d', 'restored', '-f', $file ],
	'restore');
for my $table ('cold', 'warm')
{
	my $query = "SELECT count(*), sum(v), sum(host) FROM $table;";
	my $seen = $holder->query_safe($query);
	chomp $seen;
	is($node->safe_psql('restored', $query), $seen, "$table: the dump has what the snapshot sees");
}
is( $node->safe_psql('restored', 'SELECT count(*), sum(v) FROM (TABLE cold UNION ALL TABLE warm) t'),
	$node->safe_psql('postgres', 'SELECT count(*), sum(v) FROM twin'),
	'which is every row there was');
$holder->query_safe('COMMIT;');
is($node->safe_psql('postgres', "SELECT orochi.compress_chunk('warm')"),
	'warm', 'compressed once the snapshot is gone');
$holder->quit;
$node->stop;
done_testing();
