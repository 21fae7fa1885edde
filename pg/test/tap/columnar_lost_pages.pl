# Goal: a free space map that names pages which the file lost keeps nobody from writing: the map is not
# logged, so after a crash of the operating system it may be ahead of the file. Method: VACUUM notes
# free pages at the file's end, the server stops, the file is cut behind its back. From 15.7 on the server
# itself never gives out such a page, and this passes without row_pages::PrepareTarget's loop; before, it
# does not.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use OrochiNode;
use Test::More;

my $node = new_node('lost_pages', autovacuum => 'off');
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE c (id int, t text) USING columnar;
SET orochi.columnar_row_page_rows = 100000;
INSERT INTO c SELECT i, repeat('x', 500) FROM generate_series(1, 3000) i;
DELETE FROM c WHERE id > 30;
VACUUM (TRUNCATE false) c;
VACUUM (TRUNCATE false) c;
CREATE EXTENSION pg_freespacemap;
SQL
my $pages = $node->safe_psql('postgres', "SELECT pg_relation_size('c') / 8192");
my $free = $node->safe_psql('postgres', "SELECT count(*) FROM pg_freespace('c') WHERE avail > 4000");
cmp_ok($free, '>', 100, "$free of $pages pages are noted as free");
my $kept = $node->safe_psql('postgres', <<'SQL');
SELECT max((ctid::text::point)[0]::bigint) + 1 FROM c WHERE ctid < '(2147483648,1)'
SQL
my $last = $kept eq '' ? 5 : $kept;
cmp_ok($last, '<', $pages, 'the file ends with free pages');
my $path = $node->data_dir . '/' . $node->safe_psql('postgres', "SELECT pg_relation_filepath('c')");
my $before = $node->safe_psql('postgres', 'SELECT count(*), sum(id) FROM c');
$node->stop;
truncate($path, $last * 8192) or die "cannot truncate $path: $!";
$node->start;
is($node->safe_psql('postgres', 'SELECT count(*), sum(id) FROM c'), $before, 'no row was cut off');
for my $round (1 .. 5)
{
	my ($code, $out, $err) = $node->psql('postgres',
		"INSERT INTO c SELECT 10000 + i, repeat('y', 700) FROM generate_series(1, 100) i");
	is($code, 0, "insertion $round") or diag($err);
}
my ($code, $out, $err) = $node->psql('postgres', "UPDATE c SET t = repeat('z', 900)");
is($code, 0, 'update of all rows') or diag($err);
$node->safe_psql('postgres', 'VACUUM c') for 1 .. 2;
is($node->safe_psql('postgres', 'SELECT count(*) FROM c'), (split /\|/, $before)[0] + 500, 'all rows are there');
$node->stop;
done_testing();
