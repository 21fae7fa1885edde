# Servers for our tests: the settings of server.conf, injection points, crashes.
package OrochiNode;
use strict;
use warnings;
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
our @EXPORT = qw(new_node has_injection crash_at same_rows);

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

# Runs the SQL in a session that dies by SIGKILL at the point, and waits for the server to recover.
# The server needs restart_after_crash = on.
sub crash_at
{
	my ($node, $point, $sql, $database) = @_;
	$database //= 'postgres';
	my ($code, $out, $err) =
	  $node->psql($database, "SET orochi.injection = '$point=kill';\n$sql");
	isnt($code, 0, "$point: the session is gone");
	like($err, qr/server closed the connection unexpectedly|connection to server was lost/,
		"$point: it was killed") or diag($out, $err);
	$node->poll_query_until($database, 'SELECT NOT pg_is_in_recovery()')
	  or die "$point: the server did not come back";
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
