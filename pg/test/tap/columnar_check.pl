# Goal: orochi.columnar_check finds nothing in a table that changed in all ways, before and after
# VACUUM and beside a writer, and names the block of every kind of planted damage, in indexes too. Method:
# bytes of the stopped server's file are overwritten, one place at a time; page checksums are off. Indexes
# miss rows that came while they were not ready, have values of another expression, files of others, and
# keys twice that came while they were not unique.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use OrochiNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('check', autovacuum => 'off', full_page_writes => 'off');
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pageinspect;
CREATE TABLE c (id int PRIMARY KEY, v int, t text, n numeric) USING columnar;
SET orochi.columnar_row_page_rows = 0;
INSERT INTO c SELECT i, i % 7, md5(i::text), i / 3.0 FROM generate_series(1, 12000) i;
INSERT INTO c SELECT i, NULL, repeat(md5(i::text), 90), NULL FROM generate_series(12001, 12500) i;
SET orochi.columnar_row_page_rows = 1000;
UPDATE c SET v = v + 1 WHERE id % 40 = 0;
DELETE FROM c WHERE id % 41 = 0;
SQL

sub problems { return $node->safe_psql('postgres', 'SELECT * FROM orochi.columnar_check(\'c\') LIMIT 20'); }

is(problems(), '', 'nothing after changes');
my $writer = $node->background_psql('postgres');
$writer->query_safe("BEGIN; UPDATE c SET t = t || '!' WHERE id % 50 = 0; INSERT INTO c VALUES (-1)");
is(problems(), '', 'nothing beside a writer');
$writer->query_safe('ROLLBACK');
$writer->quit;
is(problems(), '', 'nothing after a rollback');
my $counts = $node->safe_psql('postgres', 'SELECT count(*), sum(id), count(DISTINCT t) FROM c');

# Blocks by kind: what columnar-relation.md says tells them.
my %block;
for my $row (split /\n/, $node->safe_psql('postgres', <<'SQL'))
SELECT DISTINCT ON (kind) kind, b FROM (
  SELECT b, CASE WHEN (h).special < 8192 THEN
      CASE WHEN (h).lower > 8000 THEN 'directory' ELSE 'stubs' END
    WHEN ((h).flags & 4) <> 0 THEN 'stripe' ELSE 'rows' END AS kind
  FROM (SELECT b, page_header(get_raw_page('c', b)) h
        FROM generate_series(1, (pg_relation_size('c') / 8192 - 1)::int) b) p
  WHERE (h).upper > 0) k ORDER BY kind, b
SQL
{
	my ($kind, $number) = split /\|/, $row;
	$block{$kind} = $number;
}
is(join(' ', sort keys %block), 'directory rows stripe stubs', 'the table has pages of all kinds');
my $path = $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('c')");

# Writes the bytes at the offset of the block, asks, puts back what was there.
sub damage
{
	my ($kind, $offset, $bytes, $expected, $name) = @_;
	$node->stop;
	open(my $file, '+<:raw', $path) or die $!;
	seek($file, $block{$kind} * 8192 + $offset, 0);
	read($file, my $before, length $bytes);
	seek($file, $block{$kind} * 8192 + $offset, 0);
	print $file $bytes;
	close $file;
	$node->start;
	like(problems(), $expected, $name);
	$node->stop;
	open($file, '+<:raw', $path) or die $!;
	seek($file, $block{$kind} * 8192 + $offset, 0);
	print $file $before;
	close $file;
	$node->start;
}

damage('stripe', 3000, "\xFF" x 40, qr/checksum/, 'a stripe with other bytes');
damage('stripe', 10, pack('S', 0), qr/^$block{stripe}\|\|no page of a stripe/m, 'a page of a stripe that says it is none');
damage('stubs', 8192 - 16, pack('Q', 7), qr/^$block{stubs}\|\|no page of row stubs of segment/m, 'stubs of another segment');
damage('stubs', 8192 - 20, pack('L', 1000000), qr/^1000000\|\|no page of row stubs/m, 'a chain that leads behind the file');
damage('stubs', 8192 - 20, pack('L', $block{stubs}), qr/comes here twice/, 'a chain in a circle');
damage('directory', 24, pack('L', 0), qr/a page of row stubs in no chain/, 'a chain that nothing leads to');
damage('rows', 24, pack('L', 8000 | 1 << 15 | 1000 << 17), qr/^$block{rows}\|\($block{rows},1\)\|an item of 1000 bytes/m,
	'a line pointer beyond the page');
my $start = $node->safe_psql('postgres',
	"SELECT lp_off FROM heap_page_items(get_raw_page('c', $block{rows})) WHERE lp = 1");
damage('rows', $start + 24 + 8, pack('L', 2000 << 2), qr/^$block{rows}\|\($block{rows},1\)\|column 3 takes 2000 bytes/m,
	'a value longer than its tuple');
is(problems(), '', 'nothing when all is put back');
$node->safe_psql('postgres', 'VACUUM c') for 1 .. 3;
is(problems(), '', 'nothing after VACUUM');
is($node->safe_psql('postgres', 'SELECT count(*), sum(id), count(DISTINCT t) FROM c'), $counts, 'all rows are there');

# Indexes. The first of each pair says what was planted.
sub index_problems
{
	return $node->safe_psql('postgres',
		"SELECT problem, count(*) FROM orochi.columnar_check('c', indexes => true) GROUP BY 1 ORDER BY 1");
}
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2';
CREATE INDEX c_f ON c (f(v), t);
CREATE INDEX c_partial ON c (t, n) WHERE v = 3;
SET orochi.columnar_row_page_rows = 1000;
UPDATE c SET v = 3 WHERE id % 45 = 0;
UPDATE c SET n = n + 1 WHERE id % 90 = 0;
SQL
is(index_problems(), '', 'nothing in indexes after changes');
$node->safe_psql('postgres', 'VACUUM c');
is(index_problems(), '', 'nothing in indexes after VACUUM');
is($node->safe_psql('postgres', "SET maintenance_work_mem = '1MB';\n"
	  . "INSERT INTO c SELECT i, 3, 'x' FROM generate_series(100001, 180000) i;\n"
	  . "SELECT count(*) FROM orochi.columnar_check('c', true)"), 0, 'nothing in indexes that are read in passes');
$node->safe_psql('postgres', "DELETE FROM c WHERE id > 100000");
sub ready { return "UPDATE pg_index SET indisready = $_[0] WHERE indexrelid = 'c_partial'::regclass;\n"; }
$node->safe_psql('postgres', ready('false') . "INSERT INTO c SELECT -i, i, 'late' FROM generate_series(1, 9) i;\n" . ready('true'));
is(index_problems(), 'index "c_partial": the row has no entry|1', 'a row that a partial index misses');
$node->safe_psql('postgres', 'REINDEX INDEX c_partial');
$node->safe_psql('postgres', <<'SQL');
CREATE OR REPLACE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS
  'SELECT CASE WHEN $1 = 6 THEN 0 ELSE $1 * 2 END';
SQL
my $sixes = $node->safe_psql('postgres', 'SELECT count(*) FROM c WHERE v = 6');
is(index_problems(), qq(index "c_f": the row's entry has other values|$sixes), 'entries of another expression');
$node->safe_psql('postgres', <<'SQL');
REINDEX INDEX c_f;
CREATE TABLE other (id int PRIMARY KEY, v int, t text, n numeric) USING columnar;
SET orochi.columnar_row_page_rows = 100000;
INSERT INTO other SELECT i, 3, i::text, 3 FROM generate_series(1, 60000) i;
CREATE INDEX other_partial ON other (t, n) WHERE v = 3;
CHECKPOINT;
SQL
# Duplicates: in stripes, on row pages, of both; equal to the index though their bytes differ; of NULL.
sub unique { return "UPDATE pg_index SET indisunique = $_[0] WHERE indexrelid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'u'::regclass);\n"; }
$node->safe_psql('postgres', <<'SQL');
CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE u (id int PRIMARY KEY, t text COLLATE caseless, n int, d int UNIQUE DEFERRABLE INITIALLY DEFERRED) USING columnar;
CREATE UNIQUE INDEX u_t ON u (t) INCLUDE (id) WHERE id > 0;
CREATE UNIQUE INDEX u_n ON u (n, (id % 1000)) NULLS NOT DISTINCT;
SET orochi.columnar_row_page_rows = 0;
INSERT INTO u SELECT i, 't' || i, NULLIF(i % 7, 0), i FROM generate_series(1, 999) i;
SET orochi.columnar_row_page_rows = 100;
UPDATE u SET n = n WHERE id % 10 = 0;
UPDATE u SET id = id + 1000000 WHERE id % 100 = 0;
UPDATE u SET id = id - 1000000 WHERE id > 1000000;
UPDATE u SET t = 't0' WHERE id = 500;
UPDATE u SET t = 't500' WHERE id = 500;
SQL
sub duplicates
{
	return $node->safe_psql('postgres', "$_[0]; SELECT problem FROM orochi.columnar_check('u', true) ORDER BY 1");
}
is(duplicates(''), '', 'no key twice after changes');
is(duplicates('BEGIN; INSERT INTO u VALUES (-1, NULL, -1, 5)'), '', 'a key that is looked at at the end');
$node->safe_psql('postgres', unique('false') . <<'SQL' . unique('true'));
INSERT INTO u VALUES (3, 'T4', 3, -1), (-5, 'T6', -1, -2), (1007, 'x', NULL, -3), (1014, 'y', NULL, -4), (2014, 'z', NULL, -5);
SQL
my $place = qr/has the same key as row \(\d+,\d+\)/;
like(duplicates(''), qr/^index "u_n": the row $place
index "u_n": the row $place
index "u_n": the row $place
index "u_n": the row $place
index "u_pkey": the row $place
index "u_t": the row $place$/, 'keys that are there twice');
$node->safe_psql('postgres', 'DELETE FROM u WHERE ctid IN (SELECT min(ctid) FROM u GROUP BY id HAVING count(*) > 1); DELETE FROM u WHERE id NOT BETWEEN 1 AND 999');
my ($ours, $theirs) = map { $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$_')") }
  qw(c_partial other_partial);
$node->stop;
rename $ours, "$ours.kept" or die $!;
link $theirs, $ours or die $!;
$node->start;
like(index_problems(), qr/an entry leads to a page that holds no rows\|\d+\n.*the row has no entry\|\d+\n.*other values/s,
	"another table's entries");
$node->stop;
done_testing();
