# Goal: eight sessions that write to the same new chunks at once see no error and no deadlock, and no
# row is lost or doubled; without a free worker the error says what to do.
# Method: pgbench moves a shared clock so that every few transactions need a new chunk; the rows are
# counted against what the sequence handed out. Then the worker slots are taken away.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('sessions');
$node->init;
$node->append_conf('postgresql.conf', <<'CONF');
shared_preload_libraries = 'orochi'
timezone = 'UTC'
max_locks_per_transaction = 256
fsync = off
CONF
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION orochi;
CREATE TABLE hosts (id int PRIMARY KEY);
INSERT INTO hosts SELECT generate_series(0, 9);
CREATE TABLE m (time timestamptz NOT NULL, n bigint NOT NULL, host int REFERENCES hosts, PRIMARY KEY (time, n))
  PARTITION BY RANGE (time);
CREATE INDEX ON m (host, time);
INSERT INTO orochi.hypertable VALUES ('m', '1 day', NULL);
CREATE SEQUENCE tick;
SQL

# Ten ticks to a chunk: every chunk is wanted by all sessions at the same time.
my $dir = $node->basedir;
append_to_file("$dir/insert.sql", <<'SQL');
WITH t AS MATERIALIZED (SELECT nextval('tick') AS n)
INSERT INTO m SELECT '2026-01-01'::timestamptz + n * interval '144 minutes', n, n % 10 FROM t;
SQL
append_to_file("$dir/many.sql", <<'SQL');
BEGIN;
WITH t AS MATERIALIZED (SELECT nextval('tick') AS n FROM generate_series(1, 15))
INSERT INTO m SELECT '2026-01-01'::timestamptz + n * interval '144 minutes', n, n % 10 FROM t;
SELECT count(*) FROM m WHERE host = 1;
COMMIT;
SQL
append_to_file("$dir/move.sql", <<'SQL');
UPDATE m SET time = time + interval '2 years'
 WHERE n = (SELECT last_value - 60 - (last_value - 60 - :client_id) % 8 FROM tick) AND time < '2027-01-01';
SQL
my ($out, $err);
my $ok = IPC::Run::run(
	[ 'pgbench', '-h', $node->host, '-p', $node->port, '-n', '-c', 8, '-j', 2, '-t', 40,
	  '-f', "$dir/insert.sql\@6", '-f', "$dir/many.sql\@2", '-f', "$dir/move.sql\@2", 'postgres' ],
	'>', \$out, '2>', \$err);
ok($ok, 'eight sessions finish');
unlike($err, qr/ERROR|aborted/, 'no session fails') or diag($err);
like($out, qr/number of transactions actually processed: 320\/320/, 'all transactions are done');
is($node->safe_psql('postgres', 'SELECT count(*) = (SELECT last_value FROM tick) AND count(DISTINCT n) = count(*) AND min(n) = 1 FROM m'),
	't', 'every tick is there once');
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM m WHERE tableoid::regclass::text <> 'm_' || to_char(time, 'YYYYMMDD')}),
	'0', 'every row is in its chunk');
is($node->safe_psql('postgres', q{
	SELECT count(*) FROM pg_class c WHERE relname LIKE 'm\_2%' AND relkind = 'r' AND NOT relispartition}),
	'0', 'no table is left over');
unlike(slurp_file($node->logfile), qr/deadlock|ERROR:|PANIC|WARNING/, 'nothing went wrong on the server');

# A transaction per new host: writers of the referenced table and chunk creation get in each other's
# way by design of foreign keys, but only for as long as the transactions are open.
append_to_file("$dir/host.sql", <<'SQL');
INSERT INTO hosts VALUES (1000 + :client_id * 100000 + :random_seed % 7) ON CONFLICT DO NOTHING;
WITH t AS MATERIALIZED (SELECT nextval('tick') AS n)
INSERT INTO m SELECT '2026-01-01'::timestamptz + n * interval '144 minutes', n, 1 FROM t;
SQL
$ok = IPC::Run::run(
	[ 'pgbench', '-h', $node->host, '-p', $node->port, '-n', '-c', 8, '-j', 2, '-t', 10, '-f', "$dir/host.sql", 'postgres' ],
	'>', \$out, '2>', \$err);
ok($ok && $err !~ /ERROR/, 'new hosts, each in a transaction of its own, and their rows') or diag($err);
is($node->safe_psql('postgres', 'SELECT count(*) = (SELECT last_value FROM tick) FROM m'), 't', 'and still all rows');

# Whoever waits for a worker can be cancelled, and the chunk may come all the same.
my $holder = $node->background_psql('postgres', on_error_stop => 0);
$holder->query_safe('BEGIN; LOCK TABLE m IN SHARE UPDATE EXCLUSIVE MODE');
my ($code, $stdout, $stderr) = $node->psql('postgres',
	"SET statement_timeout = '300ms'; INSERT INTO m VALUES ('2040-01-01', -1, 1)");
like($stderr, qr/canceling statement due to statement timeout/, 'waiting for a chunk can be cancelled');
$holder->query_safe('COMMIT');
$holder->quit;
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'orochi chunk creation'})
	or die 'the worker did not end';
$node->safe_psql('postgres', "INSERT INTO m VALUES ('2040-01-01', -1, 1)");

# A session may write where the database's default says read only: so may the worker for it.
$node->safe_psql('postgres', "ALTER DATABASE postgres SET default_transaction_read_only = on");
$node->safe_psql('postgres', "SET default_transaction_read_only = off; INSERT INTO m VALUES ('2042-01-01', -3, 1)");
is($node->safe_psql('postgres', 'SELECT tableoid::regclass FROM m WHERE n = -3'), 'm_20420101', 'a chunk beside a read-only default');
$node->safe_psql('postgres', "SET default_transaction_read_only = off; ALTER DATABASE postgres RESET default_transaction_read_only");

# No slot for a worker.
$node->append_conf('postgresql.conf', "max_worker_processes = 1\n");    # the replication launcher's
$node->restart;
($code, $stdout, $stderr) = $node->psql('postgres',
	"\\set VERBOSITY verbose\nSET orochi.chunk_create_timeout = '200ms';\nINSERT INTO m VALUES ('2041-01-01', -2, 1)");
like($stderr, qr/ERROR:  53000: no background worker was free for 200 ms to create a chunk of public\.m/, 'no free worker is an error');
like($stderr, qr/HINT:  Raise max_worker_processes/, 'that says what to do');
$node->safe_psql('postgres', "BEGIN; LOCK TABLE m IN SHARE UPDATE EXCLUSIVE MODE; INSERT INTO m VALUES ('2041-01-01', -2, 1); COMMIT");
$node->stop;
done_testing();
