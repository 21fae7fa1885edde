# Goal: damaged bytes on row pages never crash a reader: batch scan, vectorised aggregate, row by row
# or an index build. They may give an error or, as heap pages without checksums do, wrong values.
# Method: small tables whose rows are all on row pages, with
# values short and long; line pointers, tuple headers and data are damaged at random places (seed
# printed); some damage that is always an error is named.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{OROCHI_TEST_SEED} // time();
note "seed $seed (OROCHI_TEST_SEED repeats it)";
srand($seed);
my $table_count = 40;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'orochi'\nautovacuum = off\nrestart_after_crash = on\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION orochi');
my %path;
for my $table (map({ "t$_" } 1 .. $table_count), 'items', 'item', 'length')
{
	$node->safe_psql('postgres', "CREATE TABLE $table (id int, t text, v float8, n numeric, c \"char\", long text) USING columnar;"
		  . " INSERT INTO $table SELECT i, CASE WHEN i % 5 > 0 THEN md5(i::text) END, i / 4.0, i * 1.5, 'x',"
		  . " CASE WHEN i % 50 = 0 THEN repeat(md5(i::text), 200) WHEN i % 51 = 0 THEN repeat('x', 9000) END"
		  . " FROM generate_series(1, " . ($table eq 'items' ? 1 : 300) . ") i");
	$path{$table} = $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$table')");
}
is($node->safe_psql('postgres', 'SELECT count(*) FROM orochi.columnar_stripes'), '0', 'no row is in a stripe');
$node->stop;

sub overwrite
{
	my ($file, $offset, $bytes) = @_;
	open my $handle, '+<:raw', $file or die "$file: $!";
	seek $handle, $offset, 0;
	print $handle $bytes;
	close $handle;
}
for my $i (1 .. $table_count)
{
	# A run of random bytes: line pointers in every third table, tuples elsewhere.
	my $page = 8192 * (1 + int(rand(3)));
	my $start = $i % 3 == 0 ? 24 + int(rand(200)) : 2000 + int(rand(6000));
	overwrite($path{"t$i"}, $page + $start, join '', map { chr(int(rand(256))) } 1 .. 1 + int(rand(8)));
}
overwrite($path{items}, 8192 + 12, pack('v', 3024));             # pd_lower: 750 line pointers
overwrite($path{item}, 8192 + 24, pack('V', 8190 | 1 << 15 | 100 << 17));  # a tuple past the page's end
# The first tuple's text, behind its header and the integer: a value longer than the tuple.
{
	open my $handle, '<:raw', $path{length} or die;
	seek $handle, 8192 + 24, 0;
	read $handle, my $item, 4;
	overwrite($path{length}, 8192 + (unpack('V', $item) & 0x7fff) + 24 + 4, chr(0xff));
}
$node->start;

my %found = (rows => 0, error => 0);
my @queries = (
	'SELECT count(*), count(t), sum(id), max(v), count(long), sum(length(t)), sum(length(long)) FROM T',
	'SELECT count(*), count(t), sum(id), max(v), count(long) FROM T',
	"SELECT id, v, c FROM T WHERE t > '5' AND v < 50 AND long IS NULL",
	'SELECT t, count(*), max(long) FROM T GROUP BY t',
	'CREATE INDEX ON T (v, c)');
for my $i (1 .. $table_count)
{
	for my $query (@queries)
	{
		(my $text = $query) =~ s/\bT\b/t$i/;
		for my $way ($text, "SET orochi.enable_columnar_scan = off; $text")
		{
			my ($ret, $out, $err) = $node->psql('postgres', $way, timeout => 60);
			$found{ $ret != 0 ? 'error' : 'rows' }++;
			unlike($err, qr/server closed the connection|not been set up/i, "t$i: $way: no crash");
		}
	}
}
note join ', ', map { "$found{$_} $_" } sort keys %found;
my %expected = (
	items => qr/columnar table "items", block 1: 750 items, at most 291 expected/,
	item => qr/columnar table "item", block 1, item 1: a tuple on the page expected/,
	length => qr/columnar table "length", block 1, item 1, column "t": a value that ends in the tuple/);
for my $table (sort keys %expected)
{
	for my $scan ('on', 'off')
	{
		my ($ret, $out, $err) = $node->psql('postgres',
			"\\set VERBOSITY verbose\nSET orochi.enable_columnar_scan = $scan;\n"
			  . "SELECT id, v FROM $table WHERE v > 0");
		isnt($ret, 0, "$table, batches $scan: an error");
		like($err, qr/ERROR:  XX001: .*$expected{$table}/,
			"$table, batches $scan: what is wrong is named");
	}
}
unlike(slurp_file($node->logfile), qr/terminated by signal/, 'no backend died');
$node->stop;
done_testing();
