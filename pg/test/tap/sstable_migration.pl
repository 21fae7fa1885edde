# Goal: a Cassandra table moves into a hypertable by INSERT ... SELECT, and every partition has in it
# what Cassandra's files say; files of real Cassandra clusters read as they should.
# Method: SSTables that overlap are exported, imported as foreign tables and moved; the counts and
# sums of each partition are compared with those of `orochi sstable query` over the same files.
# Random conditions give the rows that a heap table gives. The real files are those of the shared data.
use strict;
use warnings;
use FindBin;
use OrochiNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $orochi = "$ENV{TESTDIR}/../../cli/orochi";
ok(-x $orochi, 'the command is built') or BAIL_OUT("no $orochi: build the target orochi");
my $node = new_node('sstable_migration');
my $dir = PostgreSQL::Test::Utils::tempdir();
my $data = "$dir/data";
my $seed = $ENV{OROCHI_TEST_SEED} // int(rand(1 << 30));
note "OROCHI_TEST_SEED=$seed";
srand($seed);

sub sql { return $node->safe_psql('postgres', shift); }

# Runs the command; its standard output.
sub orochi
{
	my @arguments = @_;
	my ($out, $err);
	my $code = IPC::Run::run([ $orochi, 'sstable', @arguments ], '>', \$out, '2>', \$err) ? 0 : $?;
	is($code, 0, "orochi sstable $arguments[0]") or diag($err);
	return $out;
}

# Three SSTables, one of each format: every row is in one or two of them, the later with other values.
my $cql = 'CREATE TABLE metrics.readings (device text, day date, at timestamp, seq int, value decimal, '
  . 'labels map<text, int>, room text static, PRIMARY KEY ((device, day), at, seq)) '
  . 'WITH CLUSTERING ORDER BY (at DESC, seq ASC)';
append_to_file("$dir/schema.cql", "$cql;\n");
my $rows = "SELECT 'dev' || d AS device, (timestamptz '2024-01-01' + i * interval '23 minutes')::date AS day,"
  . " timestamptz '2024-01-01' + i * interval '23 minutes' AS at, i % 3 AS seq, (d * 100000 + i) / 100.0 AS value,"
  . " jsonb_build_object('i', i, 'd', d) AS labels, 'room ' || d % 4 AS room"
  . ' FROM generate_series(1, 12) d, generate_series(0, 299) i';
my %part = (nb => ['i < 210', '2024-02-01', 'value - 1'], oa => ['i >= 150', '2024-02-02', 'value'],
	da => ['i < 150', '2024-02-03', 'value']);
for my $format (sort keys %part)
{
	my ($where, $written, $value) = @{ $part{$format} };
	my $query = "SELECT device, day, at, seq, $value AS value, labels, room FROM ($rows WHERE $where) r ORDER BY hashtext(at::text || device)";
	sql("SELECT orochi.export_sstable(\$q\$$query\$q\$, '$data/parts/$format', '$cql', '$format', 'zstd', '$written')");
	system_or_bail('mkdir', '-p', "$data/metrics/readings");
	system_or_bail('sh', '-c', "mv $data/parts/$format/* $data/metrics/readings/");
}
orochi('verify', "$data/metrics/readings");

sql("CREATE SERVER cassandra FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '$data', schema_file '$dir/schema.cql')");
sql('CREATE SCHEMA metrics; IMPORT FOREIGN SCHEMA metrics FROM SERVER cassandra INTO metrics OPTIONS (token_column \'token\')');
sql('CREATE TABLE readings (at timestamptz NOT NULL, device text, day date, seq int, value numeric, labels jsonb, room text)');
sql(q{SELECT orochi.create_hypertable('readings', 'at', chunk_time_interval => interval '1 day')});
sql('INSERT INTO readings SELECT at, device, day, seq, value, labels, room FROM metrics.readings');
is(sql('SELECT count(*) FROM readings'), 3_600, 'all rows arrived');
cmp_ok(sql(q{SELECT count(*) FROM orochi.chunks WHERE hypertable = 'readings'::regclass}), '>=', 5, 'in their chunks');
sql(q{CALL orochi.compress_chunks('readings')});

# Per partition: what the files say through the command, and what the hypertable has.
sub partitions_of
{
	my ($directory) = @_;
	my $out = orochi('query', '--format', 'csv', '--schema', "$dir/schema.cql",
		'SELECT device, day, count(*), sum(value), min(at), max(at) FROM metrics.readings GROUP BY device, day',
		$directory);
	my @lines = split /\n/, $out;
	shift @lines;  # names
	return join("\n", sort map { s/"//gr } @lines);
}
my $by_partition = q{SELECT device || ',' || day || ',' || count(*) || ',' || sum(value) || ','
  || to_char(min(at), 'YYYY-MM-DD HH24:MI:SS.US') || '+0000,' || to_char(max(at), 'YYYY-MM-DD HH24:MI:SS.US') || '+0000'
  FROM readings GROUP BY device, day};
my $expected = partitions_of("$data/metrics/readings");
cmp_ok(scalar(split /\n/, $expected), '>=', 60, 'there are partitions to compare');
is(join("\n", sort split /\n/, sql($by_partition)), $expected, 'each partition has the sums that the files have');

# In parts by token, each row once.
sql('CREATE TABLE in_parts (LIKE readings)');
sql("INSERT INTO in_parts SELECT at, device, day, seq, value, labels, room FROM metrics.readings WHERE token >= $_->[0] AND token < $_->[1]")
  for [ '-9223372036854775808', '-4000000000000000000' ], [ '-4000000000000000000', '0' ], [ '0', '6000000000000000000' ];
sql('INSERT INTO in_parts SELECT at, device, day, seq, value, labels, room FROM metrics.readings WHERE token >= 6000000000000000000');
same_rows($node, 'TABLE in_parts', 'TABLE readings', 'in parts by token: the same rows');

# And back: the export of the hypertable says the same to the command.
sql("SELECT orochi.export_sstable('SELECT * FROM readings', '$dir/back', '$cql', 'da')");
orochi('verify', "$dir/back");
is(partitions_of("$dir/back"), $expected, 'exported again, the files say the same');

# Random conditions against the heap.
my @atoms = (
	sub { "device = 'dev" . int(rand(14)) . "'" },
	sub { "device IN ('dev" . int(rand(14)) . "', 'dev" . int(rand(14)) . "')" },
	sub { "day = '2024-01-0" . (1 + int(rand(6))) . "'" },
	sub { "day = ANY ('{2024-01-0" . (1 + int(rand(6))) . ',2024-01-0' . (1 + int(rand(6))) . "}')" },
	sub { 'at ' . (qw(< <= > >= =))[ rand 5 ] . " timestamptz '2024-01-01' + interval '" . 23 * int(rand(300)) . " minutes'" },
	sub { 'at ' . (qw(< <= > >= =))[ rand 5 ] . " timestamptz '2024-01-01' + interval '" . int(rand(7000 * 60 * 1000)) . ".5 milliseconds'" },
	sub { "at IN (timestamptz '2024-01-01' + interval '" . 23 * int(rand(300)) . " minutes', '2024-01-02 00:09')" },
	sub { 'seq ' . (qw(< <= > >= = <>))[ rand 6 ] . ' ' . int(rand(3)) },
	sub { 'value > ' . int(rand(12_000)) },
	sub { "room = 'room " . int(rand(5)) . "'" },
	sub { "(device, day) = ('dev" . int(rand(14)) . "', '2024-01-0" . (1 + int(rand(6))) . "')" });
my $checks = '';
my @conditions;
for my $number (1 .. 60)
{
	my $condition = join(rand() < 0.9 ? ' AND ' : ' OR ', map { $atoms[ rand @atoms ]->() } 1 .. 1 + int(rand(4)));
	push @conditions, $condition;
	my $columns = 'device, day, at, seq, value, labels, room';
	$checks .= "SELECT $number, (SELECT count(*) FROM (SELECT $columns FROM metrics.readings WHERE $condition) f),"
	  . " (SELECT count(*) FROM (SELECT $columns FROM in_parts WHERE $condition) h),"
	  . " (SELECT count(*) FROM (SELECT $columns FROM metrics.readings WHERE $condition EXCEPT SELECT $columns FROM in_parts WHERE $condition) d);\n";
}
my ($some, $wrong) = (0, 0);
for my $line (split /\n/, sql($checks))
{
	my ($number, $foreign, $heap, $different) = split /\|/, $line;
	$some++ if $heap > 0;
	next if $foreign == $heap && $different == 0;
	$wrong++;
	diag("seed $seed: $foreign rows, heap has $heap, $different differ: $conditions[$number - 1]");
}
is($wrong, 0, 'random conditions: the rows of a heap table');
cmp_ok($some, '>=', 12, 'many of them have rows');

# Real files.
my $shared = ($ENV{OROCHI_SHARED_DATA} // "$FindBin::RealBin/../../../../shared/data") . '/sstables';
SKIP:
{
	if (!-d $shared)
	{
		diag("SKIPPED: the real files are not in $shared; set OROCHI_SHARED_DATA");
		skip 'no real files', 1;
	}
	sql('CREATE SCHEMA legacy');
	for my $version (qw(nb nc oa da me))
	{
		sql("CREATE SERVER $version FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '$shared/apache-cassandra/legacy_tables')");
		sql("IMPORT FOREIGN SCHEMA $version FROM SERVER $version INTO legacy");
	}
	my %of = (simple => q{SELECT count(*), string_agg(key, '' ORDER BY key), min(val), max(val) FROM legacy.},
		simple_counter => q{SELECT count(*), string_agg(key, '' ORDER BY key), min(val), max(val) FROM legacy.},
		clust => q{SELECT count(*), count(DISTINCT key), count(DISTINCT val), min(length(ck0)) FROM legacy.},
		clust_counter => q{SELECT count(*), count(DISTINCT key), sum(val), min(length(ck0)) FROM legacy.});
	my %answer = (simple => '5|01234|foo bar baz|foo bar baz', simple_counter => '5|01234|1|1',
		clust => '250|5|1|1201', clust_counter => '250|5|250|1201');
	my @tables = split /\n/, sql(q{SELECT relname FROM pg_class WHERE relnamespace = 'legacy'::regnamespace AND relkind = 'f' ORDER BY 1});
	is(scalar @tables, 11, 'legacy tables: all are imported');
	for my $table (@tables)
	{
		my ($kind) = $table =~ /^legacy_.._(.*)$/;
		is(sql($of{$kind} . $table), $answer{$kind}, $table);
	}
	is(sql(q{SELECT count(*) FROM legacy.legacy_nb_clust WHERE key = '3' AND ck0 >= '3' COLLATE "C" AND ck0 < '4' COLLATE "C"}),
		11, 'a slice of a partition, where the partitioner is by bytes');
	my $explain = sql(q{EXPLAIN (COSTS OFF) SELECT count(*) FROM legacy.legacy_da_clust WHERE key = '3' AND ck0 > '3' COLLATE "C"});
	like($explain, qr/Access: Partitions by Key.*Components: Filter, Partitions, Rows, Data.*Partition Key: \(key = '3'.*Clustering: \(ck0 > '3'/s,
		'EXPLAIN says how');

	# Tokens are those of Murmur3, as Cassandra's own unit tests do not use.
	sql(q{ALTER FOREIGN TABLE legacy.legacy_nb_simple ADD COLUMN token bigint OPTIONS (token 'true')});
	my ($code, $out, $err) = $node->psql('postgres', 'SELECT token FROM legacy.legacy_nb_simple');
	isnt($code, 0, 'other partitioners have no such token') or diag($out);
	like($err, qr/ByteOrderedPartitioner/, 'and the error names them');

	# Without a schema, the columns are those of the files.
	sql("CREATE SERVER transformer FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '$shared/sstable-transformer')");
	sql('CREATE SCHEMA transformer; IMPORT FOREIGN SCHEMA spark_test FROM SERVER transformer INTO transformer');
	is(sql(qq{SELECT key, col1 FROM transformer."$_"}), '1|10', $_) for qw(oa-2_test3 nb-1_test3);
	is(sql(q{SELECT count(*), count(DISTINCT key), min(key), max(key) FROM transformer."oa-13_int_pk_only_10000"}),
		sql('SELECT 10000, 10000') . '|' . sql(q{SELECT min(key) || '|' || max(key) FROM transformer."oa-13_int_pk_only_10000"}),
		'10,000 keys');
	is(sql(q{SELECT count(*) FROM generate_series(0, 9999, 97) i JOIN transformer."oa-13_int_pk_only_10000" t ON t.key = i}),
		sql(q{SELECT count(*) FROM transformer."oa-13_int_pk_only_10000" WHERE key IN (SELECT generate_series(0, 9999, 97))}), 'keys looked up in a join');

	# Damage and what was never released.
	for my $case ([ 'cassandra-analytics', 'na-1_missing_CompressionInfo', qr/CompressionInfo\.db/ ],
		[ 'apache-cassandra/prerelease', 'oa_simple_5.0-alpha', qr/oa-.*-Data\.db: at offset|Data\.db/ ])
	{
		my ($below, $name, $message) = @$case;
		($code, $out, $err) = $node->psql('postgres', qq{
			CREATE SERVER damaged FOREIGN DATA WRAPPER orochi_sstable OPTIONS (data_dir '$shared/$below');
			CREATE FOREIGN TABLE damaged (key text, val text) SERVER damaged OPTIONS ("table" '$name');
			SELECT * FROM damaged});
		like($err, $message, "$name: an error that names the file") or diag($out);
		sql('DROP SERVER IF EXISTS damaged CASCADE');
	}
}

$node->stop;
done_testing();
