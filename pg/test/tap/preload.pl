# Goal:   a server that has not preloaded orochi says so, with what to do, wherever one meets it.
# Method: start without shared_preload_libraries and try each door; then restart with it, make a
#         hypertable, restart without it, and try again.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('preload');
$node->init;
$node->start;

my $message = qr/orochi must be loaded through shared_preload_libraries/;
my $hint    = qr/HINT:  Add orochi to shared_preload_libraries in postgresql\.conf and restart/;

sub refuses {
    my ($sql, $what) = @_;
    my ($code, $stdout, $stderr) = $node->psql('postgres', $sql);
    isnt($code, 0, "$what fails");
    like($stderr, $message, "$what says why");
    like($stderr, $hint, "$what says what to do");
}

refuses('CREATE EXTENSION orochi', 'CREATE EXTENSION');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_namespace WHERE nspname = 'orochi'"),
    0, 'nothing is half installed');
refuses("LOAD 'orochi'", 'LOAD');

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'orochi'");
$node->restart;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION orochi;
CREATE TABLE metrics (time timestamptz, value int);
SELECT orochi.create_hypertable('metrics');
INSERT INTO metrics VALUES ('2024-01-01', 1);
SQL

$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
refuses("SELECT orochi.create_hypertable('metrics')", 'a function');
refuses("SELECT orochi.time_bucket('1 day', now())", 'another function');
is($node->safe_psql('postgres', 'SELECT value FROM metrics'), 1, 'heap chunks are plain tables');

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'orochi'");
$node->restart;
$node->safe_psql('postgres', "INSERT INTO metrics VALUES ('2025-01-01', 2)");
is($node->safe_psql('postgres', 'SELECT sum(value) FROM metrics'), 3, 'preloaded again, it works on');
$node->stop;
done_testing();
