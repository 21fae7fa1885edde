# Goal: a crash before or after any WAL record that changing, filling and vacuuming a columnar table
# writes loses and doubles no row, leaves nothing damaged, and the next VACUUM goes on; a standby that
# replays it all holds the same rows.
# Method: the points are read from the sources (WAL_RECORD, INJECTION_POINT), so that none is missed.
# For each a session runs a script of everything that writes such records, on a columnar table and on a
# heap twin in the same transactions, beside a second session that changes rows too, and dies at the
# point, its WAL on disk. Afterwards the twins are compared by scan and by index, and columnar_check
# reads the whole table and its indexes. OROCHI_CRASH_POINTS=all visits every point, a
# pattern those that match, otherwise it is a fifth of them, by OROCHI_CRASH_SEED.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IPC::Run ();
use OrochiNode;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The directory gets a second page with row number 16,678,912; no statement leaves an unfinished stripe
# and commits.
my %unreached = map { ("${_}_before" => 1, "${_}_after" => 1) }
  qw(directory_page_added unfinished_stripe_deleted);
# These need AccessExclusiveLock, which VACUUM does not wait for, or rows that nobody can see any more.
my $alone = qr/^(tail_cut|columnar_before_truncation|columnar_truncated|.*places_forgotten|gone_row|last_stub)/;
# What has further visits worth a crash, and how many.
my %visits = (metapage => 8, stripe_page => 4, stripe_row_overwritten => 6, moved_rows_ended => 4,
	stubs_added => 3, stripe_page_copy => 20, index_entries_deleted => 3, stripe_page_emptied => 20);

my $seed = $ENV{OROCHI_CRASH_SEED} // int(rand(2**31));
srand($seed);
note "OROCHI_CRASH_SEED=$seed";

sub points
{
	my @names;
	for my $file (glob "$ENV{OROCHI_TEST_DIR}/../am/columnar/*.cc")
	{
		my $text = slurp_file($file);
		push @names, map { ("${_}_before", "${_}_after") } $text =~ /WAL_RECORD\(\s*"(\w+)"/g;
		push @names, $text =~ /INJECTION_POINT(?:_PLAIN)?\(\s*"(\w+)"/g;
	}
	my %seen;
	return grep { !$seen{$_}++ && !$unreached{$_} } @names;
}

my $node = new_node('crash_points', standby => 1, restart_after_crash => 'on', autovacuum => 'off',
	# Recovery applies the changes themselves, not images of pages.
	full_page_writes => rand() < 0.5 ? 'on' : 'off',
	# The standby may be behind by all that crashes and checkpoints in between left.
	max_prepared_transactions => 5, wal_keep_size => '4GB');
plan skip_all => 'no injection points in this build' unless has_injection($node);
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE c (id bigint PRIMARY KEY, v int, t text) USING columnar;
CREATE INDEX ON c (v) WHERE v > 3;
CREATE INDEX ON c ((v + length(t)));
ALTER TABLE c ALTER t SET STORAGE EXTERNAL;
CREATE TABLE h (id bigint PRIMARY KEY, v int, t text);
-- Stripes that slide.
CREATE TABLE s (id int PRIMARY KEY, t text) USING columnar;
SQL
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
my $directory = PostgreSQL::Test::Utils::tempdir();
chmod 0755, $directory;

sub same
{
	my ($server, $why) = @_;
	my $check = $server == $node ? "SELECT * FROM orochi.columnar_check('c', indexes => true) LIMIT 3;
SELECT * FROM orochi.columnar_check('s', indexes => true) LIMIT 3;" : '';
	return is($server->safe_psql('postgres', <<SQL), '0|0|0', "$why: columnar and heap hold the same");
$check
SELECT (SELECT count(*) FROM ((TABLE c EXCEPT ALL TABLE h) UNION ALL (TABLE h EXCEPT ALL TABLE c)) d)
  AS scan \\gset
SET enable_seqscan = off;
SET orochi.enable_columnar_scan = off;
SELECT (SELECT count(*) FROM (
  (SELECT * FROM c WHERE id > -100000000 EXCEPT ALL TABLE h) UNION ALL
  (TABLE h EXCEPT ALL SELECT * FROM c WHERE id > -100000000)) d) AS by_key,
  (SELECT count(*) FROM (
  (SELECT id, v FROM c WHERE v > 5 EXCEPT ALL SELECT id, v FROM h WHERE v > 5) UNION ALL
  (SELECT id, v FROM h WHERE v > 5 EXCEPT ALL SELECT id, v FROM c WHERE v > 5)) d) AS by_value \\gset
\\echo :scan|:by_key|:by_value
SQL
}

sub both
{
	my ($statement) = @_;
	(my $other = $statement) =~ s/\bc\b/h/g;
	return "BEGIN; $statement; $other; COMMIT;\n";
}

# Everything that writes records, once. Ids are new in every round. It leaves the neighbour's rows alone: the
# twins' statements have snapshots of their own.
my $first = 1;
sub script
{
	my ($low, $high) = ($first, $first + 699);
	$first += 1000;
	my $file = "$directory/rows";
	append_to_file($file, '') unless -e $file;
	open my $rows, '>', $file or die $!;
	print $rows join('', map { ($low + 700 + $_) . "\t$_\tcopied\n" } 0 .. 49);
	close $rows;
	chmod 0644, $file;
	my $text = "SET orochi.columnar_row_page_rows = 100;\n";
	# A table of its own, cut and dropped again.
	$text .= <<'SQL';
SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts
\gexec
DROP TABLE IF EXISTS d;
BEGIN; CREATE TABLE d (id int, t text) USING columnar;
INSERT INTO d SELECT i, 'd' FROM generate_series(1, 300) i; TRUNCATE d;
INSERT INTO d SELECT i, 'd' FROM generate_series(1, 300) i; COMMIT;
UPDATE d SET t = 'e' WHERE id % 9 = 0;
DROP TABLE d;
SQL
	$text .= both("INSERT INTO c SELECT i, i % 50, repeat('x', CASE i % 100 WHEN 0 THEN 5000 ELSE 5 END) "
		  . "FROM generate_series($low, $high) i");
	$text .= both("INSERT INTO c SELECT -i, i % 50, 'small' FROM generate_series($low, $low + 20) i");
	$text .= both("COPY c FROM '$file'");
	$text .= both("INSERT INTO c VALUES ($low, 1, 'again'), ($low - 100, 1, 'new') "
		  . 'ON CONFLICT (id) DO UPDATE SET v = c.v + 10');
	$text .= both("SELECT count(*) FROM (SELECT FROM c WHERE id % 31 = 0 FOR UPDATE) q");
	$text .= both('UPDATE c SET v = v + 1 WHERE id % 3 = 0 AND id < 1000000000');
	$text .= both("UPDATE c SET t = 'short' WHERE id % 200 = 0 AND id < 1000000000");
	$text .= both('DELETE FROM c WHERE id < 0');
	$text .= both('DELETE FROM c WHERE id % 7 = 0 AND id < 1000000000');
	# A transaction that leaves nothing but its rows' places.
	$text .= "BEGIN; INSERT INTO c SELECT 5000000 + i, 0, 'undone' FROM generate_series(1, 300) i; ROLLBACK;\n";
	$text .= "VACUUM c;\n";
	$text .= both('DELETE FROM c WHERE id % 11 = 0 AND id < 1000000000');
	$text .= both("DELETE FROM c WHERE id < $low - 2000");
	$text .= "VACUUM c;\n";
	$text .= both("INSERT INTO c VALUES ($high + 200, 1, 'frozen')");
	$text .= "VACUUM FREEZE c;\nVACUUM c;\n";
	# A page of stubs that a prepared transaction locks has no room for bits of the rows deleted.
	$text .= <<'SQL';
TRUNCATE s;
SET orochi.columnar_row_page_rows = 0;
INSERT INTO s SELECT i, md5(i::text) FROM generate_series(1, 2000) i;
SELECT count(*) FROM (SELECT FROM s WHERE id <= 250 FOR UPDATE) q;
DELETE FROM s WHERE id BETWEEN 300 AND 500;
BEGIN; SELECT count(*) FROM (SELECT FROM s WHERE id <= 250 FOR UPDATE) q; PREPARE TRANSACTION 'locks';
VACUUM s;
ROLLBACK PREPARED 'locks';
SQL
	# A gap before two stripes that are wider.
	$text .= "TRUNCATE s;\n";
	$text .= "INSERT INTO s SELECT i, md5(i::text) FROM generate_series($_->[0], $_->[1]) i;\n"
	  for [ 1, 4000 ], [ 4001, 9000 ], [ 9001, 18000 ];
	$text .= "DELETE FROM s WHERE id <= 4000;\nVACUUM s;\nVACUUM s;\nVACUUM s;\n";
	return $text;
}

# Rows of its own, far from the others.
sub neighbour
{
	my $text = "SET orochi.columnar_row_page_rows = 100;\n";
	for my $i (1 .. 300)
	{
		my $id = 1000000000 + $first * 1000 + $i;
		$text .= both("INSERT INTO c VALUES ($id, $i, 'neighbour')");
		$text .= both('UPDATE c SET v = v + 1 WHERE id = ' . ($id - 1)) if $i % 2;
		$text .= both('DELETE FROM c WHERE id = ' . ($id - 2)) if $i % 3 == 0;
		$text .= both("INSERT INTO c SELECT $id * 1000 + i, i, 'bulk' FROM generate_series(1, 150) i") if $i % 50 == 0;
	}
	return $text;
}

# Through files, so that nobody has to feed it.
sub start_session
{
	my ($text) = @_;
	open my $script, '>', "$directory/session.sql" or die $!;
	print $script $text;
	close $script;
	return IPC::Run::start(
		[ 'psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres') ],
		'<', "$directory/session.sql", '>', "$directory/session.out", '2>&1');
}

# Whether the script died at the point.
sub dies_at
{
	my ($point, $visit, $has_neighbour) = @_;
	my $neighbour = $has_neighbour ? start_session(neighbour()) : undef;
	my $text = script();
	my $wait = '';
	if ($point =~ /^gone_row_noted/)
	{
		# Somebody deletes a row after VACUUM wrote its new place and before it ended the old one.
		$wait = ', columnar_vacuum_rows_written=wait:7';
		my $place = 2000000000 + $first;
		$node->safe_psql('postgres', "SET orochi.columnar_row_page_rows = 200;\n"
			  . both("INSERT INTO c SELECT $place + i, 1, 'page' FROM generate_series(1, 150) i"));
		$text = "SET orochi.columnar_row_page_rows = 10;\nVACUUM c;\n";
		$neighbour = start_session("SELECT pg_advisory_lock(7);\n"
			  # Not for ever: a page that somebody has pinned keeps VACUUM from moving rows, and we try again.
			  . 'DO $$ BEGIN FOR i IN 1 .. 1000 LOOP EXIT WHEN EXISTS '
			  . "(SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted); "
			  . "PERFORM pg_sleep(0.01); END LOOP; END \$\$;\n"
			  . both("DELETE FROM c WHERE id = $place + 5") . 'SELECT pg_advisory_unlock(7);');
		$node->poll_query_until('postgres',
			"SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND granted") or die;
	}
	my $log_end = log_end($node);
	my ($code, $out, $err) = $node->psql('postgres',
		"SET orochi.injection = '$point=crash:$visit$wait';\n$text", on_error_stop => 1);
	my $died = $err =~ /server closed the connection unexpectedly|connection to server was lost/;
	$neighbour->finish if $neighbour;
	if ($code != 0 && !$died)
	{
		fail("$point: the script failed: $err");
	}
	await_recovery($node, $log_end) if $died;
	return $died;
}

$node->safe_psql('postgres', script());
same($node, 'without a crash');
my @points = points();
cmp_ok(scalar(@points), '>', 70, scalar(@points) . ' points');
my $wanted = $ENV{OROCHI_CRASH_POINTS} // '';
if ($wanted eq '')
{
	my %chosen;
	$chosen{ $points[ rand @points ] } = 1 while keys %chosen < @points / 5;
	@points = grep { $chosen{$_} } @points;
}
elsif ($wanted ne 'all')
{
	@points = grep { /$wanted/ } @points;
}
for my $point (@points)
{
	(my $record = $point) =~ s/_(before|after)$//;
	my $visit = 1 + int(rand($visits{$record} // 2));
	my $has_neighbour = $point !~ $alone;
	my $died = dies_at($point, $visit, $has_neighbour) || dies_at($point, 1, $has_neighbour)
	  || dies_at($point, 1, 0);
	ok($died, "$point: died there");
	same($node, $point);
}
$node->safe_psql('postgres', script());
$node->safe_psql('postgres', 'VACUUM c') for 1 .. 2;
my ($pages, $fresh) = split /\|/, $node->safe_psql('postgres', <<'SQL');
CREATE TABLE fresh (LIKE c) USING columnar;
SET orochi.columnar_row_page_rows = 0;
INSERT INTO fresh TABLE c;
SELECT pg_relation_size('c') / 8192, pg_relation_size('fresh') / 8192;
DROP TABLE fresh;
SQL
cmp_ok($pages, '<=', 1.1 * $fresh + 11, "$pages pages after all that, $fresh when written anew");
is($node->safe_psql('postgres', <<'SQL'), '0', 'no unfinished stripe is left');
SELECT count(*) FROM orochi.columnar_stripe
WHERE size_bytes = 0 AND storage_id = orochi.columnar_storage_id('c');
SQL
same($node, 'at the end');
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
same($standby, 'standby');
$node->stop('immediate');
$node->start;
same($node, 'immediate stop');
$standby->stop;
$node->stop;
done_testing();
