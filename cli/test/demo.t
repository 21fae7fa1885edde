# Goal: the tour runs from start to end on a fresh server, shows each of its parts, and cleans up.
# Method: one run with few rows and files of our own, one with --keep, one against a schema that is
# not the demo's.
use strict;
use warnings;
use Encode qw(decode_utf8);
use FindBin;
use lib $FindBin::Bin;
use OrochiCommand;
use Test::More;

my $home = fresh_home();
my $files = fresh_home();
my ($code, $out, $err) = orochi('demo', '--dir', $home);
is($code, 3, 'without a server the demo exits 3');
like($err, qr/orochi up/, '... and says what to do');

orochi_ok('up', 'up', '--dir', $home, '--port', free_port());
mkdir $files;
write_file("$files/one.csv", "timestamp,value\n2024-01-01 10:00:00,1.5\n2024-06-01 10:00:00,2\n");

# 150,000 rows of 50 hosts a minute are 50 hours: two whole days and a bit.
$out = orochi_ok('the demo runs', 'demo', '--dir', $home, '--rows', 150_000, '--data', $files);
like($out, qr/^2 rows from 1 file in /m, 'it loads the files');
like($out, qr/^150,000 rows, .* rows\/s/m, '... and generates metrics');
like($out, qr/^3 chunks +150,000 /m, '... into a chunk a day');
my ($ratio) = $out =~ /^all 2 .* ([\d.]+)x +\S+ m?s$/m;
cmp_ok($ratio // 0, '>', 4, '... compresses all but the newest by a multiple');
my ($ratio_indexed) = $out =~ /^with indexes .* ([\d.]+)x$/m;
cmp_ok($ratio_indexed // 0, '>', 1, '... shows what is left with indexes');
cmp_ok($ratio_indexed // 0, '<', $ratio // 0, '... which is a smaller multiple');
is(scalar(() = $out =~ /^.+? m?s +[\d.]+ m?s +[\d.]+x$/mg), 5, '... asks five questions of both');
like($out, qr/^1 of 3 chunks read/m, '... shows that chunks were pruned');
my ($answers) = decode_utf8($out) =~ /^(Five questions.*)/ms;
is(join("\n", grep { length > 80 } split /\n/, $answers), '', '... on lines that fit 80 columns');
like($out, qr/gone again/, '... and says that it cleaned up');
is(sql_value($home, q{SELECT count(*) FROM pg_namespace WHERE nspname = 'orochi_demo'}), '0',
    '... and did');

orochi_ok('the demo runs with --keep', 'demo', '--dir', $home, '--rows', 80_000, '--data', $files,
    '--keep');
is(sql_value($home, 'SELECT count(*) FROM orochi_demo.metrics'), '80000', '... and leaves metrics');
is(sql_value($home, q{SELECT string_agg(place, ' ' ORDER BY range_start) FROM orochi.chunks
      WHERE hypertable = 'orochi_demo.metrics'::regclass}), 'columnar heap',
    '... the newest chunk on heap');
is(sql_value($home, q{SELECT count(*) FROM (TABLE orochi_demo.metrics EXCEPT ALL
      TABLE orochi_demo.metrics_heap) AS difference}), '0', '... equal to its twin');
is(sql_value($home, 'SELECT count(*), sum(value) FROM orochi_demo.series'), '2|3.5',
    '... and the series');

# Kept tables stay until somebody says otherwise.
($code, $out, $err) = orochi('demo', '--dir', $home, '--rows', 1000, '--data', $files);
is($code, 5, 'with kept tables the demo exits 5');
like($err, qr/earlier `orochi demo --keep`.*\n.*--replace.*\n.*RENAME/s, '... and says what to do');
is(sql_value($home, 'SELECT count(*) FROM orochi_demo.metrics'), '80000', '... and leaves them alone');
orochi_ok('--replace replaces them', 'demo', '--dir', $home, '--rows', 1000, '--data', $files,
    '--replace', '--keep');
is(sql_value($home, 'SELECT count(*) FROM orochi_demo.metrics'), '1000', '... by new ones');
# What a killed demo leaves is nobody's.
orochi_ok('the comment of an unfinished demo', 'sql', '--dir', $home, '-c',
    q{COMMENT ON SCHEMA orochi_demo IS 'made by orochi demo, which removes it'});
orochi_ok('what is unfinished is cleared away', 'demo', '--dir', $home, '--rows', 1000,
    '--data', $files, '--keep');

orochi_ok('a schema of that name', 'sql', '--dir', $home, '-c',
    'DROP SCHEMA orochi_demo CASCADE; CREATE SCHEMA orochi_demo; CREATE TABLE orochi_demo.mine (i int)');
($code, $out, $err) = orochi('demo', '--dir', $home);
is($code, 5, 'a schema that is not the demo\'s exits 5');
($code, $out, $err) = orochi('demo', '--dir', $home, '--replace');
is($code, 5, '... with --replace, too');
is(sql_value($home, q{SELECT to_regclass('orochi_demo.mine')}), 'orochi_demo.mine', '... and stays');

done_testing();
