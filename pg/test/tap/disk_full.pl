# Goal: a disk that is full in the middle of a write is an error that names the file, and nothing is
# half-done: the table is as it was, no file is left, and the write succeeds once there is room.
# Method: a limit on file sizes, under which PostgreSQL's writes fail as on a full disk (the server
# ignores SIGXFSZ for that). WAL segments stay below the limit, tables and sort files do not.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use OrochiNode;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $limit_kb = 6 * 1024;
my $node = PostgreSQL::Test::Cluster->new('disk_full');
$node->init(extra => ['--wal-segsize=1']);
$node->append_conf('postgresql.conf', slurp_file("$ENV{OROCHI_TEST_DIR}/server.conf"));
$node->append_conf('postgresql.conf', "autovacuum = off\nwork_mem = '64MB'\norochi.columnar_compression = none");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION orochi;
	-- Hashes do not compress: the tables have the same size in every place.
	CREATE TABLE source AS
	SELECT '2024-01-01'::timestamptz + i * interval '1 minute' AS at, i AS id,
		(SELECT string_agg(md5(i || '-' || j), '') FROM generate_series(1, 6) j) AS text
	FROM generate_series(1, 60000) i;
	CREATE TABLE small_heap AS SELECT * FROM source WHERE id <= 1000;
	CREATE TABLE columnar (LIKE source) USING columnar;
	CREATE INDEX ON columnar (id);
	INSERT INTO columnar TABLE small_heap;
	CREATE TABLE metrics (LIKE source);
	SELECT orochi.create_hypertable('metrics', 'at');
	CREATE TABLE moved AS TABLE source;
	CREATE INDEX ON moved (id);
	CHECKPOINT;
});
my $file = "$PostgreSQL::Test::Utils::tmp_check/source.csv";
$node->safe_psql('postgres', "COPY source TO '$file' CSV");

# Files of relations in this database that no relation owns.
sub unowned_files
{
	$node->safe_psql('postgres', 'CHECKPOINT');  # removes files of dropped relations
	return $node->safe_psql('postgres', q{
		SELECT count(*) FROM pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = current_database())) f
		WHERE f ~ '^[0-9]+' AND pg_size_bytes(coalesce((pg_stat_file('base/' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || f, true)).size::text, '0') || ' bytes') > 0
		AND substring(f FROM '^[0-9]+')::oid NOT IN (SELECT pg_relation_filenode(oid) FROM pg_class WHERE pg_relation_filenode(oid) IS NOT NULL)
	});
}

# The limit is inherited by the server's processes.
$node->stop;
my $limited = sub {
	my $data = $node->data_dir;
	my $log = $node->logfile;
	system_or_bail('bash', '-c',
		"ulimit -f $limit_kb && exec pg_ctl -w -D '$data' -l '$log.limited' -o '--cluster-name=disk_full' start");
	$node->_update_pid(1);
};
$limited->();
is(unowned_files(), '0', 'no stray files to begin with');

my $state = q{SELECT (SELECT count(*) FROM columnar), (SELECT count(*) FROM metrics), (SELECT count(*) FROM moved),
	(SELECT amname FROM pg_am a JOIN pg_class c ON c.relam = a.oid WHERE c.oid = 'moved'::regclass),
	(SELECT count(*) FROM orochi.columnar_stripe WHERE size_bytes > 0)};
my $before = $node->safe_psql('postgres', $state);
my %write = (
	'INSERT into columnar' => 'INSERT INTO columnar TABLE source',
	'COPY into columnar' => "COPY columnar FROM '$file' CSV",
	'INSERT into a hypertable' => "INSERT INTO metrics SELECT '2024-01-01', id, text FROM source",
	'compress_chunk' => "SELECT orochi.compress_chunk('moved', order_by => 'id DESC')",
	'move_chunk to heap' => "SELECT orochi.move_chunk('moved', 'heap')",
	'CREATE TABLE USING columnar' => 'CREATE TABLE made USING columnar AS TABLE source',
	'SET ACCESS METHOD' => 'ALTER TABLE moved SET ACCESS METHOD columnar');
for my $name (sort keys %write)
{
	my ($code, $out, $err) = $node->psql('postgres', $write{$name});
	isnt($code, 0, "$name fails");
	like($err, qr/ERROR:  could not (?:extend|write).*: File too large/, "$name: the error names the file")
	  or diag($err);
	is($node->safe_psql('postgres', $state), $before, "$name: nothing is half-done");
	is(unowned_files(), '0', "$name: no files left");
}

# With room again, everything goes through.
$node->stop;
$node->start;
for my $name (sort keys %write)
{
	my ($code, $out, $err) = $node->psql('postgres', $write{$name});
	is($code, 0, "$name succeeds with room") or diag($err);
}
is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT id) FROM moved'), '60000|60000', 'moved is whole');
is($node->safe_psql('postgres', 'SELECT count(*) FROM columnar'), '121000', 'columnar has all rows');
$node->stop;
done_testing();
