# Goal:   COPY from clients: through STDIN, eight at once into the same chunks that do not exist yet,
#         broken off by the client, and killed in the middle.
# Method: files generated here; what arrived is compared with sums computed here. The killed server
#         recovers by itself; its table must hold what was committed, and take the file again.
use strict;
use warnings;
use IPC::Run ();
use FindBin;
use lib $FindBin::RealBin;
use OrochiNode qw(log_end await_recovery);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('copy');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'orochi'
timezone = 'UTC'
max_worker_processes = 16
max_locks_per_transaction = 512
restart_after_crash = on
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION orochi;
CREATE TABLE metrics (time timestamptz NOT NULL, host int NOT NULL, value float8)
  PARTITION BY RANGE (time);
INSERT INTO orochi.hypertable VALUES ('metrics', '1 day');
CREATE UNIQUE INDEX ON metrics (host, time);
SQL

my $day_count = 30;
my $rows_per_day = 200;

# One client's rows: its own host, $day_count days. Returns the file, and adds to the expectation.
my %expected = (count => 0, sum => 0);

sub make_file {
    my ($host) = @_;
    my $name = "$PostgreSQL::Test::Utils::tmp_check/host_$host.csv";
    open my $file, '>', $name or die "$name: $!";
    for my $day (1 .. $day_count) {
        for my $i (0 .. $rows_per_day - 1) {
            my $value = $host * 1_000 + $i;
            printf $file "2024-03-%02d %02d:%02d:00+00,%d,%d\n", $day, int($i / 60), $i % 60, $host,
              $value;
            $expected{count}++;
            $expected{sum} += $value;
        }
    }
    close $file;
    return $name;
}

sub table_is {
    my ($what) = @_;
    my $query = 'SELECT count(*), coalesce(sum(value), 0) FROM metrics';
    is($node->safe_psql('postgres', $query), "$expected{count}|$expected{sum}", $what);
    # Every row has its index entry: the same through the index alone.
    my $by_index = "SET enable_seqscan = off; SET enable_bitmapscan = off;"
      . ' SELECT count(*), coalesce(sum(value), 0) FROM metrics WHERE host >= 0';
    is($node->safe_psql('postgres', $by_index), "$expected{count}|$expected{sum}",
        "$what, through the index");
}

sub start_copy {
    my ($input) = @_;
    my %client = (out => '', err => '');
    $client{run} = IPC::Run::start(
        [ 'psql', '-XAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-c',
          'COPY metrics FROM STDIN (FORMAT csv)' ],
        '<', $input, '>', \$client{out}, '2>', \$client{err});
    return \%client;
}

# 1. Eight clients, the same thirty new chunks.
my @files = map { make_file($_) } 1 .. 8;
my @clients = map { start_copy($_) } @files;
for my $client (@clients) {
    $client->{run}->finish;
    is($client->{err}, '', 'a client of eight saw no error');
    is($client->{out}, 'COPY ' . $day_count * $rows_per_day . "\n", 'and all its rows were counted');
}
table_is('eight clients into the same new chunks');
is( $node->safe_psql('postgres',
        "SELECT count(*) FROM pg_inherits WHERE inhparent = 'metrics'::regclass"),
    $day_count, 'one chunk a day');

# 2. A file that turns bad near its end leaves nothing.
my $bad = make_file(9);
$expected{count} -= $day_count * $rows_per_day;
$expected{sum} -= $day_count * ($rows_per_day * 9_000 + $rows_per_day * ($rows_per_day - 1) / 2);
append_to_file($bad, "2025-01-01 00:00+00,9,not a number\n");
my $failed = start_copy($bad);
$failed->{run}->finish;
like($failed->{err}, qr/invalid input syntax for type double precision: "not a number"/,
    'the error of the last line');
like($failed->{err}, qr/COPY metrics, line 6001, column value/, 'names its line');
table_is('after a file with a bad line');

# 3. A client that gives up, and one whose backend is killed, both in the middle of new chunks.
my $rows = '';
$rows .= sprintf "2026-%02d-%02d 00:00:00+00,%d,1\n", 1 + $_ % 12, 1 + $_ % 28, 100 + $_
  for 0 .. 9_999;

sub start_and_stop_midway {
    my $input = $rows;
    my $client = start_copy(\$input);
    # The client keeps its input open, so the copy cannot end before it is stopped.
    my $midway = 'SELECT count(*) = 1 FROM pg_stat_progress_copy WHERE tuples_processed >= 1000';
    my $tries = 0;
    until ($node->safe_psql('postgres', $midway) eq 't') {
        die 'the copy made no progress' if $tries++ == 500;
        $client->{run}->pump_nb;
    }
    my $pid = $node->safe_psql('postgres', 'SELECT pid FROM pg_stat_progress_copy');
    return ($client, $pid);
}

my ($leaving) = start_and_stop_midway();
$leaving->{run}->kill_kill;
$node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM pg_stat_progress_copy')
  or die 'the copy did not end with its client';
table_is('after a client that went away');

my ($killed, $pid) = start_and_stop_midway();
my $log_end = log_end($node);
kill 'KILL', $pid;
eval { $killed->{run}->finish };
await_recovery($node, $log_end);
table_is('after kill -9 in the middle');
$killed = start_copy(\$rows);
$killed->{run}->finish;
is($killed->{out}, "COPY 10000\n", 'the same rows go in after recovery');
$expected{count} += 10_000;
$expected{sum} += 10_000;
table_is('after recovery and the rows again');

$node->stop;
done_testing();
