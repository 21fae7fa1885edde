# Goal: a hypertable that receives rows by logical replication takes those whose chunks exist, and
# says which row it cannot take otherwise; once the chunk exists replication goes on without loss.
# Method: a publisher with a plain table, a subscriber with a hypertable.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my ($publisher, $subscriber) = map { PostgreSQL::Test::Cluster->new($_) } ('publisher', 'subscriber');
$publisher->init(allows_streaming => 'logical');
$publisher->start;
$subscriber->init;
$subscriber->append_conf('postgresql.conf', "shared_preload_libraries = 'orochi'\nwal_retrieve_retry_interval = '100ms'");
$subscriber->start;
my $table = 'CREATE TABLE m (time date NOT NULL, v int, PRIMARY KEY (time))';
$publisher->safe_psql('postgres', "$table; INSERT INTO m VALUES ('2026-01-01', 1); CREATE PUBLICATION p FOR TABLE m");
$subscriber->safe_psql('postgres', "CREATE EXTENSION orochi; $table PARTITION BY RANGE (time);
	INSERT INTO orochi.hypertable VALUES ('m', '1 month', NULL)");
# Chunks ahead: by rows that are taken out again.
$subscriber->safe_psql('postgres', "INSERT INTO m VALUES ('2026-01-31', 0), ('2026-02-01', 0); DELETE FROM m");
my $connection = $publisher->connstr . ' dbname=postgres';
$subscriber->safe_psql('postgres', "CREATE SUBSCRIPTION s CONNECTION '$connection' PUBLICATION p");
$subscriber->wait_for_subscription_sync($publisher, 's');
is($subscriber->safe_psql('postgres', 'SELECT count(*) FROM m'), '1', 'the first copy arrives');
$publisher->safe_psql('postgres', "INSERT INTO m VALUES ('2026-02-01', 2); UPDATE m SET v = 3 WHERE v = 1");
$publisher->wait_for_catchup('s');
is($subscriber->safe_psql('postgres', 'SELECT tableoid::regclass, v FROM m ORDER BY time'), "m_20260101|3\nm_20260201|2", 'changes arrive in chunks that exist');

my $offset = -s $subscriber->logfile;
$publisher->safe_psql('postgres', "INSERT INTO m VALUES ('2026-03-01', 4)");
$subscriber->wait_for_log(qr/no partition of relation "m" found for row/, $offset);
like(slurp_file($subscriber->logfile, $offset), qr/Partition key of the failing row contains \("time"\) = \(2026-03-01\)/, 'a missing chunk is an error that names the row');
$subscriber->safe_psql('postgres', "INSERT INTO m VALUES ('2026-03-31', 0)");
$publisher->wait_for_catchup('s');
is($subscriber->safe_psql('postgres', 'SELECT sum(v), count(*) FROM m'), '9|4', 'with the chunk, replication goes on');
$subscriber->stop;
$publisher->stop;
done_testing();
