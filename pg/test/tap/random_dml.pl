# Goal: a columnar table stays equal to its heap twin whatever several sessions do to both, beside
# VACUUM, REINDEX and index builds, and across crashes.
# Method: ../oracle/random_dml.py for OROCHI_DML_SECONDS (300), a third of it with sessions killed by
# signal 9. OROCHI_DML_SEED repeats the sessions' statements.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IPC::Run ();
use OrochiNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{OROCHI_DML_SECONDS} // 300;
my @seed = defined $ENV{OROCHI_DML_SEED} ? ('--seed', $ENV{OROCHI_DML_SEED}) : ();
my $node = new_node('random_dml', restart_after_crash => 'on',
	min_parallel_table_scan_size => 0, log_statement => 'none',
	log_min_error_statement => 'panic');

sub random_dml
{
	my ($title, @arguments) = @_;
	my $out = '';
	my $ok = IPC::Run::run([ '/usr/bin/python3', "$ENV{OROCHI_TEST_DIR}/oracle/random_dml.py", '--dsn',
			$node->connstr('postgres'), @seed, @arguments ], '>', \$out, '2>&1');
	note $out;
	ok($ok, $title);
	return $out;
}

my $out = random_dml('columnar equals heap', '--seconds', int($seconds * 2 / 3));
like($out, qr/[1-9]\d* transactions/, 'transactions committed');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP/, 'no backend died');
$out = random_dml('columnar equals heap after crashes', '--crash', '--seconds', int($seconds / 3));
like($out, qr/[1-9]\d* crashes/, 'the server crashed on the way');
unlike(slurp_file($node->logfile), qr/terminated by signal (?!9\b)|PANIC|TRAP/, 'and no other way');
$node->stop;
done_testing();
