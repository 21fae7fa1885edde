# Goal: sessions that change the same rows of a columnar table wait for each other, see each other's
# changes and fail exactly as on heap.
# Method: each spec (twins/NAME.spec) creates its tables with USING place. isolationtester runs it
# with place = heap and with place = columnar, three times: rows in stripes, rows on row pages, rows
# of the set-up in stripes and later ones on row pages. What it prints must be the same. Where a
# difference is right, NAME.VARIANT.differences holds it, and it must be exactly that.
# Names of specs as arguments run only those.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../tap";
use IPC::Run ();
use OrochiNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $specs = $FindBin::RealBin;
my @names = @ARGV ? @ARGV : map { m{([^/]+)\.spec$} } sort glob("$specs/*.spec");
# name, access method, rows of a command that go to row pages, the same for the set-up
my @variants = (
	[ 'stripes', 'columnar', 0, 0 ],
	[ 'row_pages', 'columnar', 1000, 1000 ],
	[ 'mixed', 'columnar', 1000, 0 ]);

my $node = new_node('twins', autovacuum => 'off', log_statement => 'none',
	log_min_messages => 'fatal', log_min_error_statement => 'fatal');
my $dir = $PostgreSQL::Test::Utils::tmp_check;

# What isolationtester prints for the spec's text, standard error after standard output.
sub run_spec
{
	my ($text, $place, $rows, $setup_rows) = @_;
	$text =~ s/\bUSING place\b/USING $place/g;
	my $seed_rows = "setup { SET orochi.columnar_row_page_rows = $setup_rows; }\n";
	my $connection = $node->connstr('postgres')
	  . " options='-c orochi.columnar_row_page_rows=$rows $ENV{OROCHI_TWINS_OPTIONS}'";
	my ($out, $err) = ('', '');
	local $ENV{PGISOLATIONTIMEOUT} = 20;
	my $limit = IPC::Run::timeout(150, exception => 'no end');
	eval { IPC::Run::run([ $ENV{ISOLATIONTESTER}, $connection ], '<', \"$seed_rows$text", '>', \$out, '2>', \$err, $limit); 1 }
	  or $err .= "isolationtester: $@";
	return $out . $err;
}

# As `diff` prints it, without the times of files; empty when equal.
sub difference
{
	my ($name, $heap, $other) = @_;
	my @files = map { "$dir/$name.$_.out" } qw(heap other);
	open my $a, '>', $files[0] or die; print $a $heap; close $a;
	open my $b, '>', $files[1] or die; print $b $other; close $b;
	my $diff = '';
	IPC::Run::run([ 'diff', '-U', '12', '--label', 'heap', '--label', $name, @files ], '>', \$diff);
	return $diff;
}

$ENV{OROCHI_TWINS_OPTIONS} //= '';
my $judge = slurp_file("$specs/write_write_read_committed.spec");
my $planted = $judge =~ s/s2'/s3'/gr;
isnt(difference('planted', map { run_spec($_, 'heap', 0, 0) } $judge, $planted), '', 'a planted difference is found');
for my $name (@names)
{
	my $text = slurp_file("$specs/$name.spec");
	my $heap = run_spec($text, 'heap', 0, 0);
	my $permutations = () = $heap =~ /^starting permutation/mg;
	ok($permutations > 0 && $heap !~ /setup failed|syntax error|does not exist|no end|invalid permutation|FATAL|PANIC/,
		"$name: $permutations permutations on heap") or do { diag(substr($heap, 0, 3000)); next };
	for my $variant (@variants)
	{
		my ($title, @how) = @$variant;
		my $accepted = "$specs/$name.$title.differences";
		my $diff = difference("$name.$title", $heap, run_spec($text, @how));
		is($diff, -e $accepted ? slurp_file($accepted) : '', "$name: $title");
	}
}
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'the server is up');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'no backend died');
$node->stop;
done_testing();
