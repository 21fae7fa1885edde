# Goal: up, down, status, sql and version do what the guide says, and every refusal says what to do
# next. Method: one private cluster through its life, then each obstacle in its own directory.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use IO::Socket::INET;
use OrochiCommand;
use Test::More;

my $home = fresh_home();
my $port = free_port();
my ($code, $out, $err);

# Before anything exists.
($code, $out, $err) = orochi('status', '--dir', $home);
is($code, 3, 'status without a cluster exits 3');
like($out, qr/absent/, '... and says there is nothing');
($code, $out, $err) = orochi('sql', '--dir', $home, '-c', 'SELECT 1');
is($code, 3, 'sql without a cluster exits 3');
like($err, qr/orochi up/, '... and names the command that helps');
($code) = orochi('down', '--dir', $home);
is($code, 3, 'down without a cluster exits 3');
ok(!-e $home, 'asking made nothing');

# Up.
$out = orochi_ok('up creates and starts', 'up', '--dir', $home, '--port', $port);
like($out, qr/Orochi is up/, '... and says so');
is(sql_value($home, 'SELECT extversion FROM pg_extension WHERE extname = \'orochi\''),
    (split ' ', (orochi('version'))[1])[1], 'the extension has the version of the program');
is(sql_value($home, 'SHOW search_path'), '"$user", public, orochi', 'functions need no schema name');
is((stat $home)[2] & 07777, 0700, 'only the owner may enter the directory');
isnt((stat "$home/data")[4], 0, 'the data does not belong to root');

$out = orochi_ok('a second up succeeds', 'up', '--dir', $home);
like($out, qr/already up on port $port/, '... and says it is already up');
($code, $out, $err) = orochi('up', '--dir', $home, '--port', free_port());
is($code, 5, 'up on another port while running exits 5');
like($err, qr/orochi down/, '... and says how to change it');

# Status.
$out = orochi_ok('status succeeds', 'status', '--dir', $home);
like($out, qr/^port +$port$/m, '... with the port');
$out = orochi_ok('status --json succeeds', 'status', '--dir', $home, '--json');
like($out, qr/^\{"state": "running", .*"port": $port, "pid": \d+, .*\}$/, '... one JSON object');

# Connections: the socket needs no password, TCP does.
my ($tcp) = $out =~ /"port": (\d+)/;
{
    my ($code, $out, $err) = orochi({ PGPASSWORD => 'wrong' },
        'sql', '--dir', $home, '-h', '127.0.0.1', '-c', 'SELECT 1');
    is($code, 2, 'TCP without a valid password is refused');
    like($err, qr/password authentication failed/, '... by the password check');
}
orochi_ok('a password can be set', 'sql', '--dir', $home, '-c',
    q{ALTER ROLE postgres PASSWORD 'right'});
($code, $out) = orochi({ PGPASSWORD => 'right' },
    'sql', '--dir', $home, '-h', '127.0.0.1', '-XAt', '-c', 'SELECT 42');
is($out, "42\n", 'and then TCP works');

# psql's exit codes come through.
($code) = orochi('sql', '--dir', $home, '-v', 'ON_ERROR_STOP=1', '-c', 'SELECT 1/0');
is($code, 1, 'psql failing on -c exits 1');
($code) = orochi('sql', '--dir', $home, '-v', 'ON_ERROR_STOP=1', '-f',
    write_file("$home.sql", "SELECT 1/0;\n"));
is($code, 3, 'psql stopped by ON_ERROR_STOP exits 3');

# A taken port.
my $other = fresh_home();
($code, $out, $err) = orochi('up', '--dir', $other, '--port', $port);
is($code, 5, 'a port in use exits 5');
like($err, qr/port $port .*taken.*\n.*--port/s, '... names it and suggests --port');
ok(!-e $other, '... and leaves nothing behind');
{
    my $path = fresh_home();
    mkdir $path;
    symlink $ENV{OROCHI}, "$path/orochi" or die;
    local $ENV{PATH} = "$path:$ENV{PATH}";
    local $ENV{OROCHI_HOME} = $other;
    my $said = `$ENV{OROCHI_SOURCE_DIR}/tools/quickstart.sh --port $port 2>&1`;
    is($? >> 8, 5, 'quickstart on it exits 5');
    like($said, qr/make quickstart PORT=\d+/, '... and says how it takes another');
    like(`make -C '$ENV{OROCHI_SOURCE_DIR}' --dry-run quickstart PORT=5434 2>&1`,
        qr{^tools/quickstart\.sh --port 5434$}m, '... which it passes on');
}

# Survives kill -9 of the server.
orochi_ok('make a table', 'sql', '--dir', $home, '-c', 'CREATE TABLE kept AS SELECT 7 AS value');
my ($pid) = slurp("$home/data/postmaster.pid") =~ /^(\d+)/;
kill 'KILL', $pid;
my $left = 1;
for (1 .. 1000) {
    $left = grep { (readlink("/proc/$_/cwd") // '') eq "$home/data" }
      map { m{/proc/(\d+)$} } glob '/proc/[0-9]*';
    last if !$left;
    select undef, undef, undef, 0.01;    # awaiting a condition
}
is($left, 0, 'the killed server is gone');
($code, $out) = orochi('status', '--dir', $home);
is($code, 3, 'status after a crash exits 3');
like($out, qr/crashed/, '... and says crashed');
# Another process has the number of the dead server, as after a reboot.
my $pid_file = slurp("$home/data/postmaster.pid");
my $stranger = fork // die;
if (!$stranger) { exec 'sleep', '600' or die }
$pid_file =~ s/^\d+/$stranger/;
write_file("$home/data/postmaster.pid", $pid_file);
orochi_ok('up recovers, although the old number belongs to a stranger', 'up', '--dir', $home);
kill 'TERM', $stranger;
waitpid $stranger, 0;
is(sql_value($home, 'SELECT value FROM kept'), '7', 'the data is there');
is(sql_value($home, 'SHOW port'), $port, 'the port was kept');

# Own settings.
my $port2 = free_port();
$out = orochi_ok('down stops', 'down', '--dir', $home);
like($out, qr/is down/, '... and says so');
$out = orochi_ok('a second down succeeds', 'down', '--dir', $home);
like($out, qr/was not running/, '... and says it was not running');
write_file("$home/data/custom.conf", "work_mem = '5MB'\n");
orochi_ok('up on a new port', 'up', '--dir', $home, '--port', $port2);
is(sql_value($home, 'SHOW work_mem'), '5MB', 'custom.conf wins');
is(sql_value($home, 'SHOW port'), $port2, 'the new port holds');
orochi_ok('down', 'down', '--dir', $home);
write_file("$home/data/custom.conf", "no_such_setting = 1\n");
($code, $out, $err) = orochi('up', '--dir', $home);
is($code, 1, 'a broken custom.conf keeps the server from starting');
like($err, qr/no_such_setting/, '... and the log shows why');
unlink "$home/data/custom.conf";

# A directory that is not ours.
my $foreign = fresh_home();
mkdir $foreign;
write_file("$foreign/letter.txt", "private\n");
($code, $out, $err) = orochi('up', '--dir', $foreign, '--port', free_port());
is($code, 5, 'a directory with other files exits 5');
like($err, qr/not a cluster made by orochi.*\n.*--dir/s, '... and suggests --dir');
is(join(' ', sort map { s{.*/}{}r } glob "$foreign/*"), 'letter.txt', '... and leaves it alone');
($code, $out, $err) = orochi('up', '--dir', "$foreign/letter.txt", '--port', free_port());
is($code, 5, 'a file where the directory should be exits 5');
like($err, qr/letter.txt is not a directory\n.*--dir/, '... and says so');
($code, $out, $err) = orochi('up', '--dir', '/proc/none', '--port', free_port());
is($code, 5, 'a directory that cannot be made exits 5');
($code, $out, $err) =
  orochi('up', '--dir', "$foreign/" . 'x' x 100, '--port', free_port());
is($code, 2, 'a directory with too long a name for a socket exits 2');
like($err, qr/shorter/, '... and says so');

# PostgreSQL that is missing, of another version, or without the extension.
my $bin = fresh_home();
mkdir $bin;
my $unused = fresh_home();
($code, $out, $err) = orochi({ OROCHI_PG_BINDIR => $bin }, 'up', '--dir', $unused);
is($code, 4, 'no PostgreSQL exits 4');
like($err, qr/no program.*install PostgreSQL/s, '... and says what to install');
for my $name (qw(initdb pg_ctl psql)) { symlink "$ENV{OROCHI_PG_BINDIR}/$name", "$bin/$name" }
write_file("$bin/postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) 12.3'\n");
chmod 0755, "$bin/postgres";
($code, $out, $err) = orochi('up', '--dir', $unused, '--pg-bindir', $bin);
is($code, 4, 'another major version exits 4');
like($err, qr/version 12\.3; this build of orochi is for 15/, '... and names both');
write_file("$bin/postgres", "#!/bin/sh\necho 'postgres (PostgreSQL) 15.0'\n");
write_file("$bin/pg_config", "#!/bin/sh\necho /nowhere\n");
chmod 0755, "$bin/pg_config";
($code, $out, $err) = orochi('up', '--dir', $unused, '--pg-bindir', $bin);
is($code, 4, 'PostgreSQL without the extension exits 4');
like($err, qr{/nowhere/extension/orochi\.control.*make install}s, '... and says how to install it');
write_file("$home/data/PG_VERSION", "14\n");
($code, $out, $err) = orochi('up', '--dir', $home);
is($code, 4, 'data of another major version exits 4');
like($err, qr/is of PostgreSQL 14/, '... and names it');
write_file("$home/data/PG_VERSION", "15\n");

# Two at once: one creates, both succeed.
my $shared = fresh_home();
my $shared_port = free_port();
my $child = fork // die;
if (!$child) {
    open STDOUT, '>', '/dev/null';
    exec $ENV{OROCHI}, 'up', '--dir', $shared, '--port', $shared_port or die;
}
my ($mine, undef, $mine_err) = orochi('up', '--dir', $shared, '--port', $shared_port);
waitpid $child, 0;
is("$? $mine", '0 0', 'two ups at once both succeed') or diag($mine_err);

# The command line itself.
($code, $out, $err) = orochi('frobnicate');
is($code, 2, 'an unknown command exits 2');
like($err, qr/frobnicate/, '... and is named');
($code) = orochi('up', '--port', 'many');
is($code, 2, 'a port that is no number exits 2');
($code, $out, $err) = orochi('up', '--prot', '6000');
is($code, 2, 'an unknown option exits 2');
like($err, qr/^orochi: not expected: --prot 6000\n  what to do: `orochi up --help`/,
    '... and is named, with the help of its command');
($code, $out, $err) = orochi('load', 'a.csv');
is($code, 2, 'a missing option exits 2');
like($err, qr/^orochi: --table is required\n  what to do: `orochi load --help`/, '... and is named');
my ($general) = orochi_ok('help succeeds', 'help');
is($general, orochi_ok('--help succeeds', '--help'), '... and is --help');
($code, $out, $err) = orochi('help', 'frobnicate');
is($code, 2, 'help on an unknown command exits 2');
like($err, qr/frobnicate/, '... and names it');
my $manual = slurp("$ENV{OROCHI_SOURCE_DIR}/docs/man/orochi.1") =~ s/\\-/-/gr;
for my $command (qw(up down status sql load demo version)) {
    my $help = orochi_ok("$command --help succeeds", $command, '--help');
    like($help, qr/  orochi $command/, '... and shows an example');
    is(orochi_ok("help $command succeeds", 'help', $command), $help, '... with the same text');
    my @missing = grep { $manual !~ /\Q$_\E\b/ } $help =~ /^  (?:-h,)?(--[a-z-]+)/mg;
    is("@missing", '', '... and the manual has its options');
}

done_testing();
