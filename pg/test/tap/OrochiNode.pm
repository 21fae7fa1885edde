# Servers for our tests: the settings of server.conf, injection points, crashes.
package OrochiNode;
use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
our @EXPORT = qw(new_node has_injection log_end await_recovery crash_at same_rows);

# A started server with the extension in database postgres. Further settings as name => value;
# `standby => 1` makes it ready for streaming.
sub new_node
{
	my ($name, %settings) = @_;
	my $standby = delete $settings{standby};
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(allows_streaming => $standby ? 1 : 0);
	$node->append_conf('postgresql.conf',
		PostgreSQL::Test::Utils::slurp_file("$ENV{OROCHI_TEST_DIR}/server.conf"));
	$node->append_conf('postgresql.conf', "$_ = $settings{$_}") for sort keys %settings;
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION orochi');
	return $node;
}

# Whether this build has injection points: debug builds do.
sub has_injection
{
	my ($node) = @_;
	return $node->safe_psql('postgres',
		"SELECT count(*) FROM pg_settings WHERE name = 'orochi.injection'") == 1;
}

# Where the server's log ends now.
sub log_end
{
	my ($node) = @_;
	return -s $node->logfile;
}

# Waits until the server has recovered from the crash of a session, of which the log tells behind
# `log_end`. Asking the server would not do: at first the old one still answers, then a psql that is
# refused is gone before it was given its query, and IPC::Run dies of that. The server needs
# restart_after_crash = on.
sub await_recovery
{
	my ($node, $log_end) = @_;
	$node->wait_for_log(
		qr/all server processes terminated; reinitializing.*database system is ready to accept connections/s,
		$log_end);
	return;
}

# Runs the SQL in a session that dies by SIGKILL at the point, and waits for the server to recover.
# The server needs restart_after_crash = on.
sub crash_at
{
	my ($node, $point, $sql, $database) = @_;
	$database //= 'postgres';
	my $log_end = log_end($node);
	my ($code, $out, $err) =
	  $node->psql($database, "SET orochi.injection = '$point=kill';\n$sql");
	isnt($code, 0, "$point: the session is gone");
	like($err, qr/server closed the connection unexpectedly|connection to server was lost/,
		"$point: it was killed") or diag($out, $err);
	await_recovery($node, $log_end);
	return;
}

# Whether two queries give the same rows, each as often.
sub same_rows
{
	my ($node, $one, $other, $name, $database) = @_;
	my $difference = $node->safe_psql($database // 'postgres',
		"SELECT count(*) FROM (($one EXCEPT ALL $other) UNION ALL ($other EXCEPT ALL $one)) d");
	return is($difference, 0, $name);
}

1;
