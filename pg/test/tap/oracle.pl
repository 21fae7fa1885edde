# Goal: a result through any place equals the result from plain heap.
# Method: the differential oracle (../oracle/oracle.py) for OROCHI_ORACLE_SECONDS (60) against a
# fresh server; OROCHI_ORACLE_SEED replays one table. Before that the oracle is judged itself: two
# heap twins must agree, and a planted wrong row must be found.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('oracle');
$node->init;
$node->append_conf('postgresql.conf',
	PostgreSQL::Test::Utils::slurp_file("$ENV{OROCHI_TEST_DIR}/server.conf"));
$node->start;

sub oracle
{
	my @arguments = @_;
	my @command = (
		'/usr/bin/python3', "$ENV{OROCHI_TEST_DIR}/oracle/oracle.py",
		'--dsn', $node->connstr('postgres'),
		'--log', "$ENV{TESTDIR}/oracle.log.sql", @arguments);
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run(\@command, '>', \$out, '2>', \$err);
	$out =~ s/^seed \d+\n//mg unless $out =~ /DIFFERENCE/;
	note $out;
	note $err if $err ne '';
	return ($ok, $out);
}

my ($ok, $out) = oracle('--twin', 'heap', '--seconds', 3);
ok($ok, 'two heap twins agree');
($ok, $out) = oracle('--twin', 'heap', '--seconds', 20, '--plant');
ok(!$ok && $out =~ /DIFFERENCE/, 'a planted wrong row is found');

my @seed = defined $ENV{OROCHI_ORACLE_SEED} ? ('--seed', $ENV{OROCHI_ORACLE_SEED}) : ();
($ok, $out) = oracle('--seconds', $ENV{OROCHI_ORACLE_SECONDS} // 60, @seed);
ok($ok, 'every result through hypertables and columnar equals the one from heap');
is($node->safe_psql('postgres', 'SELECT 1'), '1', 'the server is up');
unlike(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/terminated by signal|PANIC/,
	'no backend died');
$node->stop;
done_testing();
