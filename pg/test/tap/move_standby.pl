# Goal: a standby reads moved and columnar tables, and a query there with a snapshot older than a
# move gets every row of its snapshot or an error, never fewer rows.
# Method: stream to a hot standby without feedback; move tables with and without changes after the
# standby's snapshot; compare with the primary.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use OrochiNode;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Without deferred cleanup, pruned catalog pages would conflict with the snapshot too.
my $primary = new_node('primary', standby => 1, autovacuum => 'off', vacuum_defer_cleanup_age => 100000);
$primary->safe_psql('postgres', q{
	CREATE TABLE cold (at timestamptz NOT NULL, host int, v float8);
	INSERT INTO cold SELECT '2024-01-01'::timestamptz + i * interval '10 minutes', i % 10, i
	FROM generate_series(1, 20000) i;
	CREATE INDEX ON cold (host, at);
	CREATE TABLE warm (LIKE cold);
	INSERT INTO warm TABLE cold;
});
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', 'max_standby_streaming_delay = 0');
$standby->append_conf('postgresql.conf', 'hot_standby_feedback = off');
$standby->start;
$primary->wait_for_catchup($standby);

my $reader = $standby->background_psql('postgres', on_error_stop => 0);
is( $reader->query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_am WHERE amname = \'heap\';'),
	'1', 'the standby has a snapshot');

# Nothing changed since: every row is there.
$primary->safe_psql('postgres', "SELECT orochi.compress_chunk('cold')");
$primary->wait_for_catchup($standby);
is($reader->query('SELECT count(*), sum(v) FROM cold;'), '20000|200010000',
	'a chunk moved since the snapshot has every row');

# Changed since: an error, and not some other rows.
$primary->safe_psql('postgres', q{
	DELETE FROM warm WHERE host = 1;
	SELECT orochi.compress_chunk('warm');
});
$primary->wait_for_catchup($standby);
# An idle session is ended, and psql with it.
my $count = eval { $reader->query('SELECT count(*) FROM warm;') } // '';
unlike($count, qr/^\d/, 'a chunk changed and moved since the snapshot gives no rows');
like(slurp_file($standby->logfile), qr/terminating connection due to conflict with recovery/,
	'the session was ended with the usual conflict');
eval { $reader->quit };

for my $table ('cold', 'warm')
{
	my $query = "SELECT count(*), sum(v), min(at), max(at) FROM $table";
	is($standby->safe_psql('postgres', $query), $primary->safe_psql('postgres', $query),
		"$table: the standby has the primary's rows");
	my $by_index = "SET enable_seqscan = off; SET orochi.enable_columnar_scan = off; $query WHERE host = 3";
	is($standby->safe_psql('postgres', $by_index), $primary->safe_psql('postgres', $by_index),
		"$table: also by index");
}

# What is written to a columnar table arrives; so does a move back, and the standby can take over.
$primary->safe_psql('postgres', q{
	INSERT INTO cold SELECT '2025-01-01'::timestamptz + i * interval '1 minute', 77, i FROM generate_series(1, 3000) i;
	SELECT orochi.decompress_chunk('warm');
});
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT count(*) FROM cold WHERE host = 77'), '3000',
	'rows inserted into columnar storage arrive');
is($standby->safe_psql('postgres', 'SELECT count(*) FROM warm'), '18000', 'a table moved back arrives');
$standby->promote;
$standby->safe_psql('postgres', q{
	INSERT INTO cold VALUES ('2026-01-01', 88, 1);
	SELECT orochi.compress_chunk('warm');
});
is($standby->safe_psql('postgres', 'SELECT (SELECT count(*) FROM cold), (SELECT count(*) FROM warm)'),
	'23001|18000', 'the promoted standby writes and moves');
$standby->stop;
$primary->stop;
done_testing();
