# Goal:   pg_upgrade carries a cluster with hypertables and columnar tables over: rows in stripes, on
#         row pages, changed and deleted ones, indexes, options; the new cluster goes on writing them.
# Method: make them, note what queries answer, upgrade into a fresh cluster of the same version (what
#         pg_upgrade does with files and catalogs is the same), once copying and once linking; then
#         ask again, by scans and by indexes, change rows, VACUUM, ask again.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use OrochiNode;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($bin) = run_command([ "pg_config", "--bindir" ]);

sub ask
{
	my ($node) = @_;
	my @answers;
	for my $way ('', 'SET enable_seqscan = off;', 'SET orochi.enable_columnar_scan = off;')
	{
		push @answers, $node->safe_psql('postgres', $way . $_)
		  for 'SELECT count(*), sum(id), sum(v), md5(string_agg(t, $$,$$ ORDER BY id)) FROM item',
		  'SELECT id, v, t FROM item WHERE id IN (1, 7, 50, 3999, 4001, 20000) ORDER BY id',
		  'SELECT count(*), sum(v), min(time), max(time) FROM metrics',
		  'SELECT length(t), md5(t) FROM item WHERE length(t) > 1000 ORDER BY id',
		  'SELECT hypertable, chunk, range_start, place FROM orochi.chunks ORDER BY chunk::text',
		  q{SELECT option, value, source FROM orochi.columnar_options('item')};
	}
	return join "\n--\n", @answers;
}

for my $mode ('copy', 'link')
{
	my $old = new_node("old_$mode", autovacuum => 'off');
	$old->safe_psql('postgres', <<'SQL');
CREATE TABLE item (id int PRIMARY KEY, v numeric, t text) USING columnar;
SELECT orochi.set_columnar_options('item', ARRAY['id'], stripe_rows => 5000);
INSERT INTO item SELECT i, i * 1.5, md5(i::text) FROM generate_series(1, 20000) i;
INSERT INTO item VALUES (20001, 1, (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 3000) i));
CREATE INDEX ON item (left(t, 40));
ALTER TABLE item ADD COLUMN later int DEFAULT 7;
UPDATE item SET v = -1, later = 8 WHERE id % 100 = 7;
DELETE FROM item WHERE id BETWEEN 4000 AND 4500;
VACUUM item;
UPDATE item SET v = -2 WHERE id % 100 = 8;
SELECT 1 FROM item WHERE id = 50 FOR UPDATE;
CREATE TABLE metrics (time timestamptz NOT NULL, v int, UNIQUE (time, v));
SELECT orochi.create_hypertable('metrics', 'time', interval '1 day');
INSERT INTO metrics SELECT timestamptz '2024-01-01' + i * interval '1 minute', i FROM generate_series(1, 10000) i;
SELECT orochi.compress_chunk(c) FROM orochi.show_chunks('metrics', older_than => timestamptz '2024-01-05') c;
DELETE FROM metrics WHERE v % 10 = 0;
SQL
	my $before = ask($old);
	$old->stop;

	my $new = PostgreSQL::Test::Cluster->new("new_$mode");
	$new->init;
	$new->append_conf('postgresql.conf', slurp_file("$ENV{OROCHI_TEST_DIR}/server.conf"));
	chdir $PostgreSQL::Test::Utils::tmp_check;
	command_ok(
		[
			'pg_upgrade', '--no-sync', $mode eq 'link' ? '--link' : (), '-d', $old->data_dir, '-D', $new->data_dir,
			'-b', $bin, '-B', $bin, '-s', $new->host, '-p', $old->port, '-P', $new->port
		],
		"pg_upgrade, files by $mode");
	$new->start;
	is(ask($new), $before, "$mode: every answer is as before");

	$new->safe_psql('postgres', <<'SQL');
UPDATE item SET v = v + 1 WHERE id % 50 = 0 OR id % 100 = 8;
DELETE FROM item WHERE id > 19000;
INSERT INTO item SELECT i, 0, 'new' FROM generate_series(4000, 4100) i;
INSERT INTO metrics VALUES ('2024-01-02', -1), ('2025-01-01', -2);
CREATE TABLE twin AS SELECT * FROM item;
VACUUM item, metrics;
SQL
	same_rows($new, 'SELECT * FROM item', 'SELECT * FROM twin', "$mode: rows change and stay through VACUUM");
	is($new->safe_psql('postgres', 'SET enable_seqscan = off; SELECT count(*) FROM item WHERE id = 4050 OR id = 58 OR id = 19001'),
		'2', "$mode: indexes lead to the rows");
	is($new->safe_psql('postgres', 'SELECT count(*), sum(v) FROM metrics WHERE v < 0'), '2|-3', "$mode: new rows reach their chunks");
	$new->stop;
}
done_testing();
