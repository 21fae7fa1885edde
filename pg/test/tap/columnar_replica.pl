# Goal: a streaming replica shows columnar tables exactly as the primary does, and takes over.
# Method: the same queries on both after every kind of change, then promotion and writing.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'orochi'
autovacuum = off
wal_consistency_checking = 'all'
CONF
$primary->start;
$primary->safe_psql('postgres', <<'SQL');
CREATE EXTENSION orochi;
CREATE TABLE c (id int PRIMARY KEY, v float8, t text) USING columnar;
INSERT INTO c SELECT i, i / 3.0, md5(i::text) FROM generate_series(1, 20000) i;
SQL
$primary->backup('copy');
my $replica = PostgreSQL::Test::Cluster->new('replica');
$replica->init_from_backup($primary, 'copy', has_streaming => 1);
$replica->start;

sub same_answers
{
	my ($why, @queries) = @_;
	$primary->wait_for_catchup($replica);
	for my $query (@queries)
	{
		is($replica->safe_psql('postgres', $query), $primary->safe_psql('postgres', $query),
			"$why: $query");
	}
}
my $sums = 'SELECT count(*), sum(id), sum(v), md5(string_agg(t, \',\' ORDER BY id)) FROM c';
my $by_index = 'SET enable_seqscan = off; SET orochi.enable_columnar_scan = off; '
  . 'SELECT * FROM c WHERE id IN (1, 777, 19999, 30005) ORDER BY id';
my $chunks = 'SELECT * FROM orochi.columnar_chunks(\'c\') ORDER BY stripe, row_group, column_name';

same_answers('base backup', $sums, $by_index, $chunks);
$primary->safe_psql('postgres',
	'INSERT INTO c SELECT i, i / 7.0, md5(i::text) FROM generate_series(30001, 31000) i');
same_answers('insert', $sums, $by_index, $chunks);

# A transaction in progress is not seen, nor is one that was rolled back.
my $writer = $primary->background_psql('postgres');
$writer->query_safe('BEGIN; INSERT INTO c SELECT i, 0, \'\' FROM generate_series(50001, 60000) i');
$writer->query_safe('SELECT count(*) FROM c');
same_answers('in progress', $sums);
$writer->query_safe('ROLLBACK');
same_answers('rolled back', $sums, $by_index);
$writer->quit;
$primary->safe_psql('postgres', 'VACUUM c');
same_answers('vacuum', $sums, $by_index, 'SELECT pg_relation_size(\'c\')');
$primary->safe_psql('postgres', 'ALTER TABLE c ADD COLUMN extra int DEFAULT 5');
same_answers('new column', 'SELECT sum(extra) FROM c');
$primary->safe_psql('postgres', 'VACUUM FULL c');
same_answers('vacuum full', $sums, $by_index, $chunks);
$primary->safe_psql('postgres',
	'BEGIN; TRUNCATE c; INSERT INTO c SELECT i, i, \'new\' FROM generate_series(1, 10) i; COMMIT');
same_answers('truncate and insert', $sums, $by_index);
$primary->safe_psql('postgres', 'ALTER TABLE c SET ACCESS METHOD heap');
same_answers('to heap', $sums, $by_index);
$primary->safe_psql('postgres', 'ALTER TABLE c SET ACCESS METHOD columnar');
same_answers('back to columnar', $sums, $by_index);
my ($ret, $out, $err) = $replica->psql('postgres', 'INSERT INTO c VALUES (0)');
isnt($ret, 0, 'the replica refuses writes');
like($err, qr/read-only transaction/, 'and says why');
($ret, $out, $err) = $replica->psql('postgres', "SELECT * FROM orochi.columnar_check('c')");
like($err, qr/recovery is in progress\nHINT:  .* on the primary server only/, 'a check is for the primary');

$primary->stop;
$replica->promote;
$replica->safe_psql('postgres', 'INSERT INTO c SELECT i, i, \'promoted\' FROM generate_series(101, 5000) i');
is($replica->safe_psql('postgres', 'SELECT count(*), max(t) FROM c'),
	'4910|promoted', 'the promoted replica takes rows');
$replica->stop;
done_testing();
