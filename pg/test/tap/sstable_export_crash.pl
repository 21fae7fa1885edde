# Goal: an export whose backend is killed leaves nothing that looks like an SSTable and is none, and can
# be made again in the same directory.
# Method: the server crashes at changes of files on the way, chosen by a seed, and at the last ones, where
# files get their names. What has a name then is as in a whole export, byte for byte, and an SSTable with
# Data.db has all its components.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use OrochiNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('export_crash', restart_after_crash => 'on', autovacuum => 'off');
plan skip_all => 'no injection points in this build' unless has_injection($node);
my $seed = $ENV{OROCHI_SEED} // time;
note("OROCHI_SEED=$seed");
srand $seed;

my $dir = $node->basedir . '/export';
mkdir $dir or die;

# The export into a directory; sorted runs are written on the way.
sub export
{
	my ($name) = @_;
	return <<"SQL";
SET maintenance_work_mem = '1MB';
SELECT rows FROM orochi.export_sstable(
  'SELECT i % 100 AS k, i AS c, repeat(md5(i::text), 4) AS v FROM generate_series(1, 8000) i', '$dir/$name',
  'CREATE TABLE ks.t (k int, c int, v text, PRIMARY KEY (k, c))', write_time => '2024-01-01');
SQL
}

sub files_of
{
	my ($directory) = @_;
	return {} unless -d $directory;
	return { map { (m{([^/]+)$})[0] => slurp_file($_) } grep { -f } glob "$directory/*" };
}

is($node->safe_psql('postgres', export('whole')), 8000, 'an export that nothing stops');
my $whole = files_of("$dir/whole");
# Appends count too: how many changes there are shows when the point is not reached any more.
my ($reached, $beyond) = (0, 1);
sub crash
{
	my ($visit) = @_;
	my $log_end = log_end($node);
	my ($code, $out, $err) = $node->psql('postgres',
		"SET orochi.injection = 'export_file_change=crash:$visit';\n" . export("at_$visit"));
	await_recovery($node, $log_end) if $code != 0;
	return $code != 0;
}
while (crash($beyond))
{
	($reached, $beyond) = ($beyond, $beyond * 2);
}
while ($beyond - $reached > 1)
{
	my $middle = int(($reached + $beyond) / 2);
	crash($middle) ? ($reached = $middle) : ($beyond = $middle);
}
cmp_ok($reached, '>', 20, "$reached changes of files");
my %visits = map { $_ => 1 } $reached - 4 .. $reached;
$visits{ 1 + int rand $reached } = 1 while keys %visits < 8;
crash($_) for grep { !-d "$dir/at_$_" } keys %visits;

my $named = 0;
for my $visit (sort { $a <=> $b } map { /at_(\d+)$/ } glob "$dir/at_*")
{
	next if $visit > $reached;
	my $left = files_of("$dir/at_$visit");
	my @named = grep { !/^orochi-unfinished/ } keys %$left;
	my @wrong = grep { !exists $whole->{$_} || $left->{$_} ne $whole->{$_} } @named;
	is("@wrong", '', "change $visit: what has a name is whole");
	if (grep { /-(?:Data\.db|TOC\.txt)$/ } @named)
	{
		my @missing = grep { !/-TOC\.txt$/ && !exists $left->{$_} } keys %$whole;
		is("@missing", '', "change $visit: an SSTable with data has all components");
	}
	$named++ if @named;
	my ($code, $out, $err) = $node->psql('postgres', export("at_$visit"));
	if (@named)
	{
		like($err, qr/is not empty/, "change $visit: files with names are not touched");
	}
	else
	{
		is($out, 8000, "change $visit: the export is made again in the same directory") or diag($err);
		is_deeply([sort keys %{ files_of("$dir/at_$visit") }], [sort keys %$whole], "change $visit: and nothing else is there");
	}
}
cmp_ok($named, '>', 0, "$named crashes among the last changes");
$node->stop;
done_testing();
