# Goal: the commands of the SSTable guide do what it says, and say what is wrong with exit codes that
# scripts can rely on. Method: the guide's own table is written and asked; no server, no Cassandra.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Temp qw(tempdir);
use OrochiCommand;
use Fcntl qw(:flock);
use Test::More;

my $guide = slurp("$ENV{OROCHI_SOURCE_DIR}/docs/guide/sstable.md");
my $dir = tempdir('orochi-test-XXXXXX', DIR => '/tmp', CLEANUP => 1);
for my $name ('shop.cql', 'orders.cql', 'orders.csv', 'orders.jsonl') {
    my ($block) = $guide =~ /```(?:cql|csv|json)\n-- \Q$name\E\n(.*?)```/s;
    ok($block, "the guide has $name");
    write_file("$dir/$name", $block);
}
my $schema = "$dir/shop.cql";
my $table = "$dir/orders";
orochi_ok('write makes SSTables', qw(sstable write -o), $table, '--schema', $schema, "$dir/orders.cql");

my $out = orochi_ok('info reads the metadata', qw(sstable info --json), $table);
like($out, qr/"partitions": 2, /, '... and counts partitions');

$out = orochi_ok('schema prints CQL', qw(sstable schema --schema), $schema, $table);
like($out, qr/CLUSTERING ORDER BY \(placed DESC, id ASC\)/, '... with the clustering order');
$out = orochi_ok('schema works from the files alone', qw(sstable schema), $table);
like($out, qr/PRIMARY KEY \(key, ck0, ck1\)/, '... with names made up for key columns');

$out = orochi_ok('dump prints JSON', qw(sstable dump --lines --key ada), $table);
is(scalar(split /\n/, $out), 1, '... one partition');
like($out, qr/"deletion_info":\{"marked_deleted":"2024-03-03T00:00:00Z"/, '... with its tombstone');

my @query = (qw(sstable query --schema), $schema);
$out = orochi_ok('query finds live rows', @query, "SELECT placed, id, tags, delivery.city FROM orders WHERE customer = 'ada'", $table);
is($out, <<'END', '... as a table');

 placed                          | id | tags             | delivery.city
---------------------------------+----+------------------+---------------
 2024-03-01 00:00:00.000000+0000 |  1 | {'fast', 'gift'} |         Basel

(1 rows)
END
$out = orochi_ok('query aggregates', @query, 'SELECT customer, count(*), sum(total) AS total FROM orders GROUP BY customer', '--format', 'csv', $table);
is($out, "customer,count,total\nbob,1,99.00\nada,1,19.90\n", '... as CSV');
$out = orochi_ok('query gives JSON', @query, 'SELECT id FROM orders PER PARTITION LIMIT 1', qw(--format lines), $table);
is($out, "{\"id\": 3}\n{\"id\": 1}\n", '... object by object');
$out = orochi_ok('EXPLAIN says what was read', @query, "EXPLAIN SELECT * FROM orders WHERE customer = 'ada' AND placed > '2024-02-01'", $table);
like($out, qr/1 partition\(s\) by key.*1 slice\(s\).*1 returned/s, '... by key and slice');

orochi_ok('verify passes', qw(sstable verify), $table);
$out = orochi_ok('a table does not differ from itself', qw(sstable diff), $table, $table);
like($out, qr/^the same: 2 partitions$/m, '... and diff says so');

my ($inserts) = slurp("$dir/orders.cql") =~ /(.*)DELETE/s;
write_file("$dir/before.cql", $inserts . "INSERT INTO shop.orders (customer, placed, id) VALUES ('eve', '2024-03-03', 4) USING TIMESTAMP 1;");
orochi_ok('write makes the table before the deletion', qw(sstable write -o), "$dir/before", '--schema', $schema, "$dir/before.cql");
my ($differs, $difference) = orochi(qw(sstable diff), "$dir/before", $table);
is($differs, 1, 'diff exits 1 when tables differ');
like($difference, qr/^- partition \{"key":\["eve"\]\}$/m, '... names a partition of one side');
like($difference, qr/^\@ partition \{"key":\["ada"\]\}\n-   \{"type":"row".*"open".*\n\+   \{"type":"row".*"deletion_info"/m,
    '... and the rows of one that differs');
like($difference, qr/^3 partitions: 1 differ, 1 only in \S+, 0 only in /m, '... and counts them');

# CSV and JSON lines.
my @write = ('sstable', 'write', '--schema', $schema, '--timestamp', '1712000000000000');
orochi_ok('write takes CSV and JSON lines', @write, '-o', "$dir/more", "$dir/orders.csv", "$dir/orders.jsonl");
$out = orochi_ok('... which can be asked', @query, 'SELECT customer, id, status, total, tags, writetime(total), delivery.city FROM orders', qw(--format csv), "$dir/more");
is(join("\n", sort split /\n/, $out), join("\n", sort split /\n/, <<'END'), '... every value is there');
customer,id,status,total,tags,writetime(total),delivery.city
cyd,8,,3.00,,1712000000000000,
cyd,7,open,12.50,{'gift'},1712000000000000,
dan,10,,,,,
dan,9,,7.25,{'fast'},1712000000000000,Bern
END
$out = orochi_ok('a field without a value makes no tombstone', qw(sstable dump --lines --key cyd), "$dir/more");
unlike($out, qr/status":\{|"name":"status","deletion/, '... in CSV');
$out = orochi_ok('null in JSON makes one', qw(sstable dump --lines --key dan), "$dir/more");
like($out, qr/"name":"status","deletion_info"/, '... in JSON');
$out = orochi_ok('what query prints as CSV', @query, 'SELECT customer, placed, id, status, total, tags FROM orders', qw(--format csv), $table, "$dir/more");
orochi_ok('... write takes', @write, '-o', "$dir/again", write_file("$dir/again.csv", $out));
is(orochi_ok('... and says again', @query, 'SELECT customer, placed, id, status, total, tags FROM orders', qw(--format csv), "$dir/again"), $out, '... the same');
write_file("$dir/times.csv", "customer,placed,id,at,ttl\neva,2024-01-01,1,5,\\N\neva,2024-01-01,2,6,1000000000\n");
my ($code, $err);
($code, undef, $err) = orochi(@write, '-o', "$dir/times", qw(--timestamp-column at --ttl-column ttl --null), '\\N', "$dir/times.csv");
is($code, 2, 'a TTL of more than twenty years is refused');
like($err, qr/times\.csv: line 3: ttl is 1000000000/, '... with the line');
for (['orders.csv', "customer,placed,id,total\ncyd,2024-04-01,7,1.5\ncyd,2024-04-02,8,x\n", qr/orders\.csv: line 3: column total: .*x/],
     ['unknown.csv', "customer,placed,id,nope\n", qr/unknown\.csv: line 1: Undefined column name nope in table shop\.orders/],
     ['nokey.csv', "customer,id\ncyd,7\n", qr/nokey\.csv: line 2: Some clustering keys are missing/],
     ['bad.jsonl', "{\"customer\": \"a\"}\n", qr/bad\.jsonl: line 1: Some clustering keys are missing/],
     ['none.jsonl', "\n{\"customer\": \"a\",\n", qr/none\.jsonl: line 2: Could not decode JSON string as a map: character \d+/],
     ['type.jsonl', '{"customer": "a", "placed": "2024-01-01", "id": 1.5}', qr/type\.jsonl: line 1: Error decoding JSON value for id: Expected a value of type int/]) {
    my ($name, $text, $message) = @$_;
    ($code, undef, $err) = orochi(@write, '-o', "$dir/wrong", write_file("$dir/$name", $text));
    is($code, $name eq 'none.csv' ? 6 : 2, "$name is refused");
    like($err, $message, '... and says where');
    ok(!glob("$dir/wrong/*-Data.db"), '... and nothing is left');
}

# What is wrong.
($code, $out, $err) = orochi(@query, 'SELECT nope FROM orders', $table);
is($code, 2, 'an unknown column exits 2');
like($err, qr/line 1:7 Undefined column name nope in table shop\.orders/, '... with its position');
($code, $out, $err) = orochi(@query, "SELECT * FROM orders WHERE status = 'open'", $table);
like($err, qr/use ALLOW FILTERING/, 'filtering has to be allowed');
($code) = orochi(qw(sstable info), "$dir/none");
is($code, 4, 'a missing directory exits 4');
write_file("$dir/other.cql", 'CREATE TABLE shop.orders (customer int PRIMARY KEY)');
($code, $out, $err) = orochi(qw(sstable schema --schema), "$dir/other.cql", $table);
is($code, 5, 'a schema of another table exits 5');
like($err, qr/partition key has type text, but int/, '... and names both types');

my ($data) = glob "$table/*-Data.db";
my $bytes = slurp($data);
substr($bytes, 10, 1) = chr(ord(substr($bytes, 10, 1)) ^ 1);
write_file($data, $bytes);
($code, $out, $err) = orochi(qw(sstable dump), $table);
is($code, 6, 'a damaged file exits 6');
like($err, qr/-Data\.db: .*offset/, '... with the file and the place');
($code, $out) = orochi(qw(sstable verify), $table);
is($code, 6, 'verify finds it');
like($out, qr/DAMAGED/, '... and says so');
($code, $out) = orochi(qw(sstable diff), $table, $table);
is($code, 6, 'diff does not take damage for a difference');

# What can be saved of damaged files.
write_file("$dir/wide.cql", "CREATE TABLE shop.wide (k int, c int, v text, PRIMARY KEY (k, c));");
write_file("$dir/wide_rows.cql", join('', map {
    my $k = $_ % 7;
    "INSERT INTO shop.wide (k, c, v) VALUES ($k, $_, 'value $_ of $k') USING TIMESTAMP $_;\n"
} 1 .. 600));
my $wide = "$dir/wide";
orochi_ok('a table of many chunks', qw(sstable write --chunk-kb 1 -o), $wide, '--schema', "$dir/wide.cql", "$dir/wide_rows.cql");
$out = orochi_ok('scrub of a sound table loses nothing', qw(sstable scrub -o), "$dir/whole", $wide);
like($out, qr/7 partitions, 600 rows in \S+\n  nothing is lost$/, '... and says so');
orochi_ok('... and the copy is the same', qw(sstable diff), "$dir/whole", $wide);
($data) = glob "$wide/*-Data.db";
$bytes = slurp($data);
substr($bytes, length($bytes) / 2, 1) ^= "\x01";
write_file($data, $bytes);
my %before = map { $_ => slurp($_) } glob "$wide/*";
($code, $out, $err) = orochi(qw(sstable scrub -o), "$dir/saved", $wide);
is($code, 6, 'scrub exits 6 when rows are lost');
like($out, qr/: 7 partitions, (\d+) rows of 600 in /, '... says how many are left');
like($out, qr/^  at \d+, \d+ bytes: rows of partition \d after \(\d+\) before \(\d+\)$/m, '... and what is not');
orochi_ok('... and leaves a sound table', qw(sstable verify), "$dir/saved");
is_deeply({ map { $_ => slurp($_) } glob "$wide/*" }, \%before, '... without touching the source');
($code, $out) = orochi(qw(sstable query --format csv), 'SELECT count(*) FROM wide', "$dir/saved");
like($out, qr/^count\n5[5-9]\d$/, '... of nearly all rows');
unlink glob "$wide/*-{TOC.txt,Index.db,Summary.db,Filter.db,CompressionInfo.db,Digest.crc32}";
substr($bytes, length($bytes) / 2, 1) ^= "\x01";
write_file($data, $bytes);
$out = orochi_ok('scrub needs Data.db and Statistics.db only', qw(sstable scrub -o), "$dir/anew", $wide);
like($out, qr/CompressionInfo.db: made anew from the checksums in Data.db$/m, '... says what it did');
orochi_ok('... and makes the rest anew', qw(sstable diff), "$dir/anew", "$dir/whole");
($code, $out, $err) = orochi(qw(sstable scrub -o), $wide, $wide);
is($code, 5, 'scrub refuses to write where it reads');

# Two writers would take the same names: whoever comes second is told so.
mkdir "$dir/held";
open(my $held, '<', "$dir/held") or die "$dir/held: $!";
flock($held, LOCK_EX) or die "$dir/held: $!";
($code, $out, $err) = orochi(qw(sstable upgrade --format da -o), "$dir/held", "$dir/whole");
is($code, 5, 'no second writer in a directory');
like($err, qr/held: somebody else is writing there$/m, '... as the message says');
is_deeply([glob "$dir/held/*"], [], '... and nothing is written');
close($held);
orochi_ok('... until the first one has ended', qw(sstable upgrade --format da -o), "$dir/held", "$dir/whole");

done_testing();
