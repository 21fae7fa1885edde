# Goal: a server killed at any point of a move has, after recovery, the table as it was before, or
# as it is after when the move had committed; nothing of the copy is left in the catalogs, and the
# move can be done again.
# Method: kill -9 the moving session at each injection point, both ways between heap and columnar;
# compare with a heap twin by sequential and by index scan.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use OrochiNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('move_crash', restart_after_crash => 'on', autovacuum => 'off');
if (!has_injection($node))
{
	$node->stop;
	plan skip_all => 'this build has no injection points; run the debug build';
}

$node->safe_psql('postgres', q{
	CREATE TABLE twin (at timestamptz NOT NULL, host int NOT NULL, note text, v float8);
	INSERT INTO twin SELECT '2024-01-01'::timestamptz + i * interval '1 minute', i % 20,
		CASE WHEN i % 500 = 0 THEN (SELECT string_agg(md5(i::text || j), '') FROM generate_series(1, 300) j)
		     WHEN i % 3 = 0 THEN 'note ' || i END, i / 7.0
	FROM generate_series(1, 20000) i;
	CREATE TABLE chunk (LIKE twin);
	INSERT INTO chunk TABLE twin;
	CREATE UNIQUE INDEX chunk_host_at ON chunk (host, at);
	CREATE INDEX chunk_v ON chunk (v) WHERE host = 3;
	CHECKPOINT;
});

sub check_chunk
{
	my ($place, $name) = @_;
	is( $node->safe_psql('postgres',
			"SELECT amname FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE c.oid = 'chunk'::regclass"),
		$place, "$name: in $place");
	same_rows($node, 'TABLE twin', 'TABLE chunk', "$name: same rows");
	my $by_index = 'SET enable_seqscan = off; SET orochi.enable_columnar_scan = off; SET enable_bitmapscan = off; ';
	is( $node->safe_psql('postgres', $by_index . 'SELECT count(v), sum(v) FROM chunk WHERE host = 7'),
		$node->safe_psql('postgres', 'SELECT count(v), sum(v) FROM twin WHERE host = 7'),
		"$name: same rows by index");
	is( $node->safe_psql('postgres',
			"SELECT count(*) FROM pg_class WHERE relname ~ '^(pg_temp_|orochi_move)' OR relrewrite <> 0"),
		0, "$name: nothing left in the catalogs");
	# Stripes belong to storages that exist.
	is( $node->safe_psql('postgres',
			"SELECT count(DISTINCT storage_id) FROM orochi.columnar_stripe"),
		$place eq 'columnar' ? 1 : 0, "$name: no stripes of other storages");
	return;
}

my %call = (
	columnar => "SELECT orochi.compress_chunk('chunk')",
	heap => "SELECT orochi.decompress_chunk('chunk')");
my %from = (columnar => 'heap', heap => 'columnar');
for my $to ('columnar', 'heap')
{
	for my $point (qw(move_copy_created move_rows_copied move_index_built move_before_lock
		move_before_swap move_table_swapped move_swapped))
	{
		crash_at($node, $point, $call{$to});
		check_chunk($from{$to}, "to $to, killed at $point");
	}
	# Committed and then killed: the move stands.
	$node->safe_psql('postgres', $call{$to});
	$node->stop('immediate');
	$node->start;
	check_chunk($to, "to $to, killed after commit");
}
$node->stop;
done_testing();
