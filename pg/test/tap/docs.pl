# Goal: what the documentation shows works as shown.
# Method: every ```sql block of the README and of each guide page runs in order, one database a
# page, and may not fail. Blocks that are meant to fail are marked ```sql error and must. Cassandra's
# directory is one of the test's own.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = "$ENV{OROCHI_TEST_DIR}/../..";
my $node = PostgreSQL::Test::Cluster->new('docs');
$node->init;
$node->append_conf('postgresql.conf',
	PostgreSQL::Test::Utils::slurp_file("$ENV{OROCHI_TEST_DIR}/server.conf"));
$node->start;

my $number = 0;
for my $page ("$root/README.md", sort glob("$root/docs/guide/*.md"))
{
	my $text = PostgreSQL::Test::Utils::slurp_file($page);
	my ($name) = $page =~ m{([^/]+)$};
	my @blocks = $text =~ /^```(sql(?: error)?)\n(.*?)^```/msg;
	next unless @blocks;
	my $database = 'docs' . ++$number;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, "CREATE EXTENSION orochi; ALTER DATABASE $database SET search_path = public, orochi");
	my $block = 0;
	my $cassandra = PostgreSQL::Test::Utils::tempdir();
	while (my ($kind, $sql) = splice(@blocks, 0, 2))
	{
		$sql =~ s{/var/lib/cassandra}{$cassandra}g;
		$block++;
		my ($code, $out, $err) = $node->psql($database, $sql, on_error_stop => 1);
		if ($kind eq 'sql error')
		{
			isnt($code, 0, "$name, block $block fails as it says");
		}
		else
		{
			is($code, 0, "$name, block $block runs") or diag($sql, $err);
		}
	}
}
cmp_ok($number, '>', 0, 'found pages with examples');
$node->stop;
done_testing();
