# Goal: the shell of SSTables does at a terminal what one expects of a shell, and in a pipe what one
# expects of a script. Method: a pseudo-terminal at which a helper types and waits for what is shown.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Temp qw(tempdir);
use JSON::PP;
use OrochiCommand;
use Test::More;

my $dir = tempdir('orochi-test-XXXXXX', DIR => '/tmp', CLEANUP => 1);
my $schema = write_file("$dir/shop.cql", <<'END');
CREATE TABLE shop.orders (customer text, id int, status text, PRIMARY KEY (customer, id));
CREATE TABLE shop.users (name text PRIMARY KEY, city text);
END
write_file("$dir/orders.cql", join '', map { "INSERT INTO shop.orders (customer, id, status) VALUES ('ada', $_, 'sent');\n" } 1 .. 3000);
write_file("$dir/users.cql", "INSERT INTO shop.users (name, city) VALUES ('ada', 'Basel');");
my $id = '0123456789abcdef' x 2;
for my $table (qw(orders users)) {
    orochi_ok("write $table", qw(sstable write -o), "$dir/data/shop/$table-$id", '--schema', $schema, '--table', $table, "$dir/$table.cql");
}
$ENV{OROCHI_SSTABLE_HISTORY} = "$dir/history";

# type(STEPS, ARGUMENTS...) -> (exit code, what was shown)
sub type {
    my ($steps, @arguments) = @_;
    my $pid = open my $out, '-|', 'python3', "$FindBin::Bin/pty_type.py", encode_json($steps), $ENV{OROCHI}, qw(sstable shell), @arguments;
    my $shown = do { local $/; <$out> };
    close $out;
    return ($? >> 8, $shown);
}
my @data = ('--schema', $schema, "$dir/data");
my $prompt = 'sstable> ';
write_file("$dir/queries.cql", 'SELECT city FROM users;');

my ($code, $shown) = type([
    [$prompt, "\\d\n"],
    ["shop\\.users  1 SSTable in .*$prompt", "DESCRIBE TABLE users;\n"],
    ["CREATE TABLE shop\\.users .*$prompt", "SELECT city\n"],
    ['-> ', "FROM users WHERE name = 'a"],
    ['.', "da';\n"],
    [" Basel.*1 rows.*$prompt", "\\x on\n"],
    ["Expanded output is on.*$prompt", "SELECT name FROM users;\n"],
    ["\@ Row 1.* name \\| ada.*$prompt", "\\q\n"],
    ['q', undef]], @data);
is($code, 0, 'statements over lines, tables by directory, commands, \q') or diag($shown);

($code, $shown) = type([
    [$prompt, "SEL\t"],
    ['SELECT ', "stat\t"],
    ['status ', "FROM o\t"],
    ['FROM orders ', "WHERE cust\t"],
    ['customer ', "= 'ada' AND id = 7;\n"],
    ["sent.*$prompt", "\\i $dir/que\t"],
    ['queries\.cql', "\n"],
    ["Basel.*$prompt", "\cD"],
    ['.', undef]], @data);
is($code, 0, 'Tab completes keywords, columns, tables and files; Ctrl-D leaves') or diag($shown);

like(slurp("$dir/history"), qr/SELECT/, 'the history is kept');
is((stat "$dir/history")[2] & 0777, 0600, '... for its owner alone');
($code, $shown) = type([
    [$prompt, "\e[A\e[A"],
    ['id = 7;', "\n"],
    ["sent.*$prompt", "exit\n"],
    ['exit', undef]], @data);
is($code, 0, '... and comes back with the arrow') or diag($shown);

($code, $shown) = type([
    [$prompt, "SELECT 'half a\n"],
    ["'> ", "\cC"],
    ["\\^C.*$prompt", "SELECT nope FROM users;\n"],
    ["Undefined column name nope.*$prompt", "SELECT city FROM users;\n"],
    ["Basel.*$prompt", "\\q\n"],
    ['q', undef]], @data);
is($code, 0, 'Ctrl-C gives a line up; an error is no end') or diag($shown);

{
    # The pager shows nothing until it is left, and takes what Ctrl-C leaves.
    local $ENV{PAGER} = 'cat > /dev/null';
    ($code, $shown) = type([
        [$prompt, "SELECT * FROM orders;\n"],
        ["orders;.*$prompt", "\\pager off\n"],
        ["The pager is off.*$prompt", "SELECT id FROM orders LIMIT 1;\n"],
        ["1 rows.*$prompt", "\\q\n"],
        ['q', undef]], @data);
    is($code, 0, 'results go through the pager, and not when it is off') or diag($shown);
    unlike($shown, qr/3000 rows/, '... which had them');
}
# A query that would take long: rows that are filtered out, files named many times over.
my $many = "$dir/many/shop/orders-$id";
orochi_ok('a larger table', qw(sstable write -o), $many, '--schema', $schema, '--table', 'orders', '--input', 'csv',
    write_file("$dir/many.csv", join '', "customer,id,status\n", map { "c$_,$_,open\n" } 1 .. 60000));
($code, $shown) = type([
    [$prompt, "SELECT count(*) FROM orders WHERE status = 'x' ALLOW FILTERING;\n"],
    ['FILTERING;\s', "\cC"],
    ["(cancelled|rows).*$prompt", "SELECT id FROM orders LIMIT 1;\n"],
    ["1 rows.*$prompt", "\\q\n"],
    ['q', undef]], '--schema', $schema, "$dir/many");
is($code, 0, 'Ctrl-C ends a query and not the shell') or diag($shown);

# In a pipe.
sub piped {
    my ($input, @arguments) = @_;
    write_file("$dir/input", $input);
    my $out = `"$ENV{OROCHI}" sstable shell @arguments < $dir/input 2> $dir/err`;
    return ($? >> 8, $out, slurp("$dir/err"));
}
my $err;
($code, $shown, $err) = piped("SELECT city FROM users;\n\\format csv\nSELECT count(*)\nFROM orders", @data);
is($code, 0, 'a script from a pipe');
is($shown, "\n city\n-------\n Basel\n\n(1 rows)\nResults come as csv.\ncount\n3000\n", '... has no prompt, and its last statement needs no semicolon');
($code, $shown, $err) = piped("SELECT nope FROM users; SELECT city FROM users;", @data);
is($code, 2, '... ends with the first error');
like($err, qr/line 1:7 Undefined column name nope/, '... and says it');
unlike($shown, qr/Basel/, '... without going on');
($code, $shown, $err) = piped("\\nonsense", @data);
is($code, 2, 'a command that does not exist exits 2');
($code, $shown, $err) = piped("SELECT * FROM other;", @data);
like($err, qr/table other does not exist; there is shop\.orders, shop\.users/, 'a table that does not exist: those that do');
($code, $shown, $err) = piped('', "$dir/none");
is($code, 4, 'a directory that does not exist exits 4');

done_testing();
