# Goal: `orochi kv` does with a real node what its help says, with exit codes that scripts can rely
# on, and its manual has every option. Method: one orochi-kvd, which is stopped in the end.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Temp qw(tempdir);
use OrochiCommand;
use Test::More;
use Time::HiRes qw(sleep time);

my $dir = tempdir('orochi-test-XXXXXX', DIR => '/tmp', CLEANUP => 1);
my ($http, $peer) = (free_port(), free_port());
$ENV{OROCHI_KV} = "127.0.0.1:$http";
my $pid = fork // die "fork: $!";
if (!$pid) {
    open STDERR, '>', "$dir/log" or die;
    open STDOUT, '>&', \*STDERR or die;
    exec $ENV{OROCHI}, 'kv', 'serve', '--data', "$dir/1", '--node', '1', '--http', $http, '--peer',
      "1=127.0.0.1:$peer" or die;
}
END {
    if ($pid) { kill 'TERM', $pid; waitpid $pid, 0; }
}

my $until = time + 30;
my ($code, $out, $err);
do { sleep 0.1; ($code, $out, $err) = orochi('kv', 'status'); } while ($code == 3 && time < $until);
is($code, 0, 'serve runs a node, which status finds ready') or diag(slurp("$dir/log"));
like($out, qr/127\.0\.0\.1:$http +true/, '... and names');

orochi_ok('put', qw(kv put greeting hello));
is(orochi_ok('get', qw(kv get greeting)), 'hello', '... gives it back, with nothing added');
like(orochi_ok('scan', qw(kv scan gre)), qr/^greeting +5$/m, '... finds it by its beginning');
is(orochi_ok('scan of others', qw(kv scan -o lines hello)), '', '... finds nothing');
orochi_ok('delete', qw(kv delete greeting));
is((orochi(qw(kv delete greeting)))[0], 4, 'a second delete exits 4');
is((orochi(qw(kv get greeting)))[0], 4, 'get of what is not there exits 4');

orochi_ok('collection create', qw(kv collection create shop --partitions 2));
is((orochi(qw(kv collection create shop)))[0], 5, '... again exits 5');
orochi_ok('schema create',
    qw(kv schema create shop item shelf:text place:int64:desc price:decimal25 data:bytes --key shelf --range place));
like(orochi_ok('schema list', qw(kv schema list shop)), qr/^item +1  shelf, place /m, '... shows keys');
like(orochi_ok('collection list', qw(kv collection list -o lines)),
    qr/"name":"shop","id":\d+,"distribution":"hash","schemas":\{"item":\[1\]\}/, '... shows schemas');

for my $place (1 .. 5) {
    orochi_ok("put place $place", qw(kv put --in shop/item shelf=a), "place=$place", "price=$place.25",
        'data=AP8=');
}
is(orochi_ok('get', qw(kv get --in shop/item a 3 -o json)),
    qq({"shelf":"a","place":3,"price":"3.25","data":"AP8="}\n), '... as JSON');
is((orochi(qw(kv get --in shop/item a 9)))[0], 4, 'get of no record exits 4');
($code, $out, $err) = orochi(qw(kv get --in shop/item a));
is($code, 2, 'a key with too few fields exits 2');
like($err, qr/has 2: shelf, place/, '... and names them');
is((orochi(qw(kv put --in shop/item --if-absent shelf=a place=3)))[0], 5, 'a condition that does not hold exits 5');
orochi_ok('update', qw(kv put --in shop/item --update a 3 price=9));
is((orochi(qw(kv put --in shop/item --update a 33 price=9)))[0], 4, '... of what is not there exits 4');
is(orochi_ok('scan', qw(kv scan --in shop/item a --from a --from 4 --to a --to 3 --fields place,price -o lines)),
    qq({"place":4,"price":"4.25"}\n{"place":3,"price":"9"}\n), '... between bounds, descending');
is(scalar(split /\n/, orochi_ok('scan in pages', qw(kv scan --in shop/item --page 2 -o lines))), 5,
    '... has all records');
is(orochi_ok('scan with a filter',
        qw(kv scan --in shop/item -o json --fields place --filter), '{"op":"GT","args":[{"field":"place"},{"literal":4}]}'),
    qq([{"place":5}]\n), '... has those that pass');

write_file("$dir/ops.jsonl", <<'END');
{"collection": "shop", "schema": "item", "op": "delete", "key": {"shelf": "a", "place": 1}}

{"collection": "shop", "schema": "item", "op": "insert", "record": {"shelf": "b", "place": 1, "price": "1", "data": null}}
END
like(orochi_ok('txn', qw(kv txn), "$dir/ops.jsonl"), qr/^\{"timestamp":\d+,"reads":\[\]\}$/, '... tells when');
($code, $out, $err) = orochi(qw(kv txn), "$dir/ops.jsonl");
is($code, 5, 'a transaction whose condition does not hold exits 5');
is((orochi(qw(kv get --in shop/item b 1)))[0], 0, 'its other writes are there');
write_file("$dir/bad.jsonl", qq({"op": 1}\n{"op"\n));
($code, $out, $err) = orochi(qw(kv txn), "$dir/bad.jsonl");
is($code, 2, 'operations that are no JSON exit 2');
like($err, qr/operation in line 2/, '... and the line is named');

like(orochi_ok('inspect', qw(kv inspect shop)), qr/^shop +item +5 /m, '... counts');
is((orochi(qw(kv inspect nowhere)))[0], 4, '... of nothing exits 4');
my $lines = orochi_ok('bench', qw(kv bench --shape put1,txn,e,f --seconds 0.2 --warmup 0 --rows 50 --threads 2 -o lines));
is(scalar(split /\n/, $lines), 4, '... reports each shape');
unlike($lines, qr/"errors":[1-9]/, '... without errors');
is((orochi(qw(kv bench --shape nothing)))[0], 2, 'a shape that is not there exits 2');

is((orochi(qw(kv collection drop shop)))[0], 2, 'drop wants to hear --yes');
orochi_ok('drop', qw(kv collection drop shop --yes));
is((orochi(qw(kv schema list shop)))[0], 4, '... and the collection is gone');
is((orochi(qw(kv get -n 127.0.0.1:1 --timeout 0.1 a)))[0], 3, 'a node that is not there exits 3');
is((orochi(qw(kv get -n https://127.0.0.1:1 a)))[0], 4, 'TLS, which it cannot, exits 4');
is((orochi(qw(kv get -n nonsense a)))[0], 2, 'an address that is none exits 2');

my $manual = slurp("$ENV{OROCHI_SOURCE_DIR}/docs/man/orochi-kv.1") =~ s/\\-/-/gr;
for my $command (qw(status members partitions inspect collection schema get put delete scan txn
    split move lead drain undrain remove leave bench join)) {
    my $help = orochi_ok("$command --help", 'kv', $command, '--help');
    like($help, qr/  orochi kv $command/, '... shows an example');
    my @missing = grep { $manual !~ /\Q$_\E\b/ } $help =~ /^  (?:-\w,)?(--[a-z-]+)/mg;
    is("@missing", '', '... and the manual has its options');
}

kill 'TERM', $pid;
waitpid $pid, 0;
is($?, 0, 'the node stops in peace');
$pid = 0;
is((orochi(qw(kv status)))[0], 3, 'status without a node exits 3');
done_testing();
