# Goal: sessions that change the same rows while VACUUM folds, packs and removes the pages of their
# stubs, and moves them, leave each row once.
# Method: pgbench sessions update keys that overlap while another vacuums without a pause; no key is
# ever inserted, deleted or changed. Afterwards the table has each key once, by scan and by index, and
# as many changes as were committed; columnar_check reads it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use IPC::Run ();
use OrochiNode;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = 3000;
my $seconds = $ENV{OROCHI_UPDATE_SECONDS} // 6;
my $node = new_node('updates', autovacuum => 'off', log_statement => 'none');
my $dir = $PostgreSQL::Test::Utils::tmp_check;
append_to_file("$dir/vacuum.sql", "VACUUM d;\n");
append_to_file("$dir/update.sql", <<"SQL");
\\set first random(1, $rows)
\\set count random(2, 300)
WITH u AS (UPDATE d SET v = v + 1
  WHERE k IN (SELECT (g * 7919 + :first) % $rows + 1 FROM generate_series(1, :count) g ORDER BY 1) RETURNING k)
INSERT INTO done SELECT count(*) FROM u;
SQL

for my $row_page_rows (20, 1000)
{
	$node->safe_psql('postgres', qq(
		DROP TABLE IF EXISTS d, done;
		CREATE TABLE d (k int PRIMARY KEY, v int NOT NULL DEFAULT 0) USING columnar;
		CREATE TABLE done (n bigint NOT NULL) USING heap;
		INSERT INTO d SELECT generate_series(1, $rows);
		VACUUM d;));
	local $ENV{PGOPTIONS} = "-c orochi.columnar_row_page_rows=$row_page_rows";
	my @bench = ('pgbench', '-n', '-T', $seconds, '-h', $node->host, '-p', $node->port);
	my ($vacuum_out, $update_out) = ('', '');
	my $vacuum = IPC::Run::start([ @bench, '-c', 1, '-f', "$dir/vacuum.sql", 'postgres' ], '>&', \$vacuum_out);
	# Two that lock rows in another order may deadlock: such a transaction is tried again.
	my $update = IPC::Run::start([ @bench, '-c', 3, '--max-tries', 100, '-f', "$dir/update.sql", 'postgres' ], '>&', \$update_out);
	IPC::Run::finish($update);
	IPC::Run::finish($vacuum);
	unlike($update_out . $vacuum_out, qr/ERROR|aborted/, "$row_page_rows: no command failed") or diag($update_out, $vacuum_out);
	my ($committed) = $update_out =~ /transactions actually processed: (\d+)/;
	cmp_ok($committed // 0, '>', 0, "$row_page_rows: rows were changed");
	is($node->safe_psql('postgres', 'SELECT count(*), count(DISTINCT k), sum(v) - (SELECT coalesce(sum(n), 0) FROM done) FROM d'),
		"$rows|$rows|0", "$row_page_rows: each row once, with all its changes");
	is($node->safe_psql('postgres', "SET enable_seqscan = off; SET orochi.enable_columnar_scan = off; SELECT count(*) FROM d WHERE k > 0"),
		$rows, "$row_page_rows: the index finds each once");
	is($node->safe_psql('postgres', "SELECT count(*) FROM orochi.columnar_check('d', indexes => true)"), 0, "$row_page_rows: nothing is damaged");
}
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC/, 'no backend died');
$node->stop;
done_testing();
