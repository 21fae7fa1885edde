# Goal: damaged bytes of a columnar table are an error that names table, stripe and column, never a
# crash and never a wrong row; a damaged table can be dropped. Method: many small tables with the
# same rows, one byte of each flipped at a random place of the file (seed printed), or the file cut;
# page checksums are off, so that ours are what is tested.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{OROCHI_TEST_SEED} // time();
note "seed $seed (OROCHI_TEST_SEED repeats it)";
srand($seed);
my $table_count = 60;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'orochi'\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION orochi');
my $rows = "SELECT i AS id, i / 4.0 AS v, md5(i::text) AS t FROM generate_series(1, 400) i";
my $good = $node->safe_psql('postgres', "SELECT md5(string_agg(r::text, ',' ORDER BY id)) FROM ($rows) r");
my %path;
for my $i (1 .. $table_count)
{
	$node->safe_psql('postgres', "SET orochi.columnar_row_group_rows = 100;"
		  . " CREATE TABLE t$i USING columnar AS $rows");
	$path{$i} = $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('t$i')");
}
$node->safe_psql('postgres', "CREATE TABLE cut USING columnar AS $rows; CREATE TABLE meta USING columnar AS $rows; CREATE TABLE identity USING columnar AS $rows; CREATE TABLE neighbour USING columnar AS $rows; CREATE TABLE page USING columnar AS $rows; CREATE TABLE chunk USING columnar AS $rows");
my %special = map { $_ => $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$_')") } qw(cut meta identity page chunk);
$node->stop;

sub flip
{
	my ($file, $offset) = @_;
	open my $handle, '+<:raw', $file or die "$file: $!";
	seek $handle, $offset, 0;
	read $handle, my $byte, 1;
	seek $handle, $offset, 0;
	print $handle chr(ord($byte) ^ (1 << int(rand(8))));
	close $handle;
}
my %offset;
for my $i (1 .. $table_count)
{
	$offset{$i} = 8192 + int(rand((-s $path{$i}) - 8192));
	flip($path{$i}, $offset{$i});
}
truncate $special{cut}, 8192 or die;
flip($special{meta}, 24);
flip($special{identity}, 24 + 8);    # the storage id: another table's, perhaps
{
	# A page of zeros, as after a lost write.
	open my $handle, '+<:raw', $special{page} or die;
	seek $handle, 8192, 0;
	print $handle "\0" x 8192;
	close $handle;
}
flip($special{chunk}, 8192 + 24);
$node->start;
my ($errors, $equal) = (0, 0);
for my $i (1 .. $table_count)
{
	my ($ret, $out, $err) = $node->psql('postgres',
		"\\set VERBOSITY verbose\nSELECT md5(string_agg(r::text, ',' ORDER BY id)) FROM t$i r");
	if ($ret == 0)
	{
		is($out, $good, "byte $offset{$i} of t$i does not matter: the rows are right");
		$equal++;
	}
	else
	{
		like($err, qr/ERROR:  XX001: .*(columnar table "t$i", stripe 1|base\/)/,
			"byte $offset{$i} of t$i: an error names the table");
		$errors++;
	}
}
ok($errors > 0, "$errors of $table_count flips were found, $equal did not matter");
my %expected = (
	cut => qr/columnar table "cut", stripe 1: .*past the file/,
	meta => qr/block 0 of columnar table "meta" is not a metapage/,
	identity => qr/metapage of columnar table "identity": checksum mismatch/,
	page => qr/columnar table "page", stripe 1/,
	chunk => qr/columnar table "chunk", stripe 1, row group 0, column "id"/);
for my $table (sort keys %expected)
{
	my ($ret, $out, $err) =
	  $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT sum(id) FROM $table");
	isnt($ret, 0, "$table: an error");
	like($err, qr/ERROR:  XX001: .*$expected{$table}/, "$table: what is wrong is named");
}
# Everything can be dropped.
my ($ret, $out, $err) = $node->psql('postgres', 'DROP TABLE cut, meta, identity, page, chunk, '
	  . join(', ', map { "t$_" } 1 .. $table_count));
is($ret, 0, 'damaged tables can be dropped');
like($err, qr/columnar table "meta" has no readable metapage/, 'with a warning where stripes stay behind');
is($node->safe_psql('postgres', 'SELECT md5(string_agg(r::text, \',\' ORDER BY id)) FROM neighbour r'), $good,
	'and take no stripes of other tables along');
$node->stop;
done_testing();
