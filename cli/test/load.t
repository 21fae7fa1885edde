# Goal: load brings every value of real and awkward CSV files into a hypertable, and whatever goes
# wrong leaves nothing. Method: one private cluster; real files are counted and summed by awk, which
# shares no code with us; awkward ones are compared value by value; malformed ones, a killed and an
# interrupted load must leave no table and no chunk.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use OrochiCommand;
use POSIX ();
use Test::More;

my $home = fresh_home();
my $files = fresh_home();
mkdir $files;
orochi_ok('up', 'up', '--dir', $home, '--port', free_port());
my ($code, $out, $err);

sub load {
    my @arguments = @_;
    return orochi('load', '--dir', $home, @arguments);
}

# What an unfinished load of table $name could leave.
sub nothing_left {
    my ($name, $what) = @_;
    is(sql_value($home, "SELECT to_regclass('$name') IS NULL"), 't', "$what: no table");
    is(sql_value($home, "SELECT count(*) FROM pg_class WHERE relname LIKE '%$name%'"), '0',
        "$what: no chunk");
    is(sql_value($home, 'SELECT count(*) FROM orochi.hypertable h'
              . ' WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = h.relation)'),
        '0', "$what: no hypertable");
}

# Real files.
my $shared = $ENV{OROCHI_SHARED_DATA} // "$ENV{OROCHI_SOURCE_DIR}/../shared/data";
my $nab = "$shared/nab";
SKIP: {
    if (!-d $nab) {
        diag("SKIPPED: the real files are not in $nab; set OROCHI_SHARED_DATA");
        skip 'no real files', 1;
    }
    ($code, $out, $err) =
      load($nab, qw(--table nab --time-column timestamp --series-from-path));
    is($code, 0, 'the real files load') or diag($err);
    my $total = 0;
    my %expected;
    for my $file (split /\n/, `find '$nab' -name '*.csv'`) {
        my $facts = `awk -F, 'NR > 1 && NF { n++; s += \$2 } END { printf "%d %.17g", n, s }' '$file'`;
        my ($series) = $file =~ m{^\Q$nab\E/(.*)\.csv$};
        $expected{$series} = [split ' ', $facts];
        $total += $expected{$series}[0];
    }
    is(scalar keys %expected, 37, 'there are 37 of them');
    is(sql_value($home, 'SELECT count(*) FROM nab'), $total, "all $total rows arrived");
    my $wrong = 0;
    for my $line (split /\n/, sql_value($home,
        'SELECT series, count(*), sum(value), sum(abs(value)) FROM nab GROUP BY series')) {
        my ($series, $count, $sum, $magnitude) = split /\|/, $line;
        my $facts = delete $expected{$series};
        my $same = $facts && $facts->[0] == $count
          && abs($facts->[1] - $sum) <= 1e-12 * $count * ($magnitude + 1e-300);
        next if $same;
        diag("$series: count $count sum $sum, awk says " . join(' ', @{ $facts // [] }));
        ++$wrong;
    }
    is($wrong, 0, 'count and sum of every file are those of awk');
    is(join(' ', keys %expected), '', 'no file is missing');
    is(sql_value($home, q{SELECT array_agg(DISTINCT format_type(atttypid, atttypmod)
          ORDER BY format_type(atttypid, atttypmod)) FROM pg_attribute
          WHERE attrelid = 'nab'::regclass AND attnum > 0}),
        '{"double precision",text,"timestamp without time zone"}', 'with the types of their values');
    cmp_ok(sql_value($home, q{SELECT count(*) FROM orochi.chunks WHERE hypertable = 'nab'::regclass}),
        '>', 50, 'in weekly chunks');
    like($out, qr{[\d,]+ rows/s, [\d.]+ MB/s}, 'rates are shown');
    like($out, qr/^_?\S+ .*heap +[\d,]+ +\S+ [kM]?B$/m, 'chunks are shown');
}

# Awkward values.
write_file("$files/awkward.csv", "\xEF\xBB\xBF" . <<'EOT' =~ s/\n/\r\n/gr);
at,whole,huge,real,day,zoned,code,note
2024-02-29T13:45:00.123456,1,9223372036854775808,1,2024-02-29,2024-02-29 13:45:00Z,007,plain
2024-02-29 13:45,-9223372036854775808,1,-1.5e-3,2024-03-01,2024-02-29 13:45:00+05:30,1,"comma, ""quote"""
2024-02-28,,,,,,,
2024-02-27 00:00:00,0,0,NaN,2024-01-01,2024-01-01T00:00:00-08,x,""
2024-02-26 00:00:00,0,0,inf,2024-01-01,2024-01-01T00:00:00-08,\N,"tab	back\slash \. \n"
EOT
($code, $out, $err) = load("$files/awkward.csv", qw(--table awkward --time-column at));
is($code, 0, 'awkward values load') or diag($err);
is(sql_value($home, q{SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', '
      ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'awkward'::regclass AND attnum > 0}),
    'at timestamp without time zone, whole bigint, huge numeric, real double precision, day date,'
      . ' zoned timestamp with time zone, code text, note text', 'types are the narrowest for all rows');
is(sql_value($home, 'SET timezone = UTC; SELECT at, whole, huge, real, day, zoned, code, note FROM awkward'
          . ' WHERE code IS NOT NULL ORDER BY at DESC'), <<'EOT' =~ s/\n\z//r, 'values are exact');
2024-02-29 13:45:00.123456|1|9223372036854775808|1|2024-02-29|2024-02-29 13:45:00+00|007|plain
2024-02-29 13:45:00|-9223372036854775808|1|-0.0015|2024-03-01|2024-02-29 08:15:00+00|1|comma, "quote"
2024-02-27 00:00:00|0|0|NaN|2024-01-01|2024-01-01 08:00:00+00|x|
2024-02-26 00:00:00|0|0|Infinity|2024-01-01|2024-01-01 08:00:00+00|\N|tab	back\slash \. \n
EOT
is(sql_value($home, q{SELECT count(*) FROM awkward WHERE whole IS NULL AND huge IS NULL
      AND real IS NULL AND day IS NULL AND zoned IS NULL AND code IS NULL AND note IS NULL}),
    '1', 'empty is NULL');
is(sql_value($home, q{SELECT note = '' FROM awkward WHERE code = 'x'}), 't',
    'empty in quotes is the empty text');

# Line breaks inside quotes, another delimiter, names that need quotes, a zone.
write_file("$files/breaks.txt", "When;Text Here\n2024-07-01 12:00;\"one\ntwo\r\nthree\"\n");
($code, $out, $err) = load("$files/breaks.txt", '--delimiter', ';', '--table', '"My Table"',
    '--time-column', 'When', '--timezone', 'Europe/Berlin');
is($code, 0, 'names that need quotes load') or diag($err);
is(sql_value($home, q{SET timezone = UTC; SELECT "When", replace("Text Here", chr(13), 'CR') FROM "My Table"}),
    "2024-07-01 10:00:00+00|one\ntwoCR\nthree", 'times are read in the zone that was named');

# Whole numbers as time.
write_file("$files/epoch.csv", "t,v\n0,1\n99,2\n100,3\n-1,4\n");
($code, $out, $err) = load("$files/epoch.csv", qw(--table epoch --time-column t));
is($code, 2, 'whole numbers as time need their own interval');
like($err, qr/--chunk-interval.*whole numbers.*\n.*86400/s, '... and the error says so');
nothing_left('epoch', 'after it');
($code, $out, $err) = load("$files/epoch.csv", qw(--table epoch --time-column t --chunk-interval 100));
is($code, 0, 'and with it they load') or diag($err);
is(sql_value($home, q{SELECT count(*) FROM orochi.show_chunks('epoch')}), '3', 'into three chunks');

# Append, and its refusals.
($code, $out, $err) = load("$files/epoch.csv", qw(--table epoch --time-column t));
is($code, 5, 'a table that exists exits 5');
like($err, qr/exists already.*\n.*--append/s, '... and suggests --append');
($code, $out, $err) = load("$files/epoch.csv", qw(--table epoch --append));
is($code, 0, '--append loads') or diag($err);
is(sql_value($home, 'SELECT count(*), sum(v) FROM epoch'), '8|20', '... the rows once more');
($code) = load("$files/epoch.csv", qw(--table nowhere --append));
is($code, 4, '--append to nothing exits 4');
write_file("$files/other.csv", "t,w\n1,1\n");
($code, $out, $err) = load("$files/other.csv", qw(--table epoch --append));
is($code, 2, 'a column that the table lacks exits 2');
like($err, qr/no column "w".*\n.*t, v/s, '... and the columns are listed');
write_file("$files/wrong.csv", "t,v\n200,1\n\n") ;
write_file("$files/wrong2.csv", "v,t\n\"3\",300\n\"4\",\"4\n0\"\n");
($code, $out, $err) = load("$files/wrong.csv", "$files/epoch.csv", "$files/wrong2.csv",
    qw(--table epoch --append));
is($code, 6, 'files with other columns than the first exit 6');
like($err, qr{wrong2\.csv, line 1: expected the columns t, v}, '... and are named');
($code, $out, $err) = load("$files/wrong2.csv", qw(--table epoch --append));
is($code, 6, 'a value that the server refuses exits 6');
like($err, qr{wrong2\.csv, line 3, column t: .*"4}, '... with its line in the file');
is(sql_value($home, 'SELECT count(*) FROM epoch'), '8', '... and nothing was appended');

# Malformed files: nothing is loaded, the place is named.
mkdir "$files/mixed";
write_file("$files/mixed/a.csv", "t,v\n2024-01-01,1\n");
for my $case (
    ['too many columns', "t,v\n2024-01-01,1\n2024-01-02,1,2\n", qr/b\.csv, line 3: expected 2 columns, found 3/],
    ['too few columns', "t,v\n2024-01-01\n", qr/b\.csv, line 2: expected 2 columns, found 1/],
    ['an open quote', "t,v\n2024-01-01,\"1\n", qr/b\.csv, line 2: a quote .* never closed/],
    ['no header', '', qr/b\.csv, line 1: expected a header/],
    ['another header', "t,w\n", qr/b\.csv, line 1: expected the columns t, v as in .*a\.csv, found t, w/],
    ['a time that is none', "t,v\nyesterday,1\n", qr/b\.csv, line 2, column t: expected a time, found "yesterday"/],
    ['a missing time', "t,v\n,1\n", qr/b\.csv, line 2, column t: expected a time, found nothing/],
    ['a zone only here', "t,v\n2024-01-01 10:00Z,1\n", qr/a\.csv, line 2, column t: expected a zone.*--timezone/s],
    ['bytes that are not UTF-8', "t,v\n2024-01-01,\xFF\n", qr/b\.csv, line 2.*invalid byte sequence/],
  )
{
    my ($name, $content, $message) = @$case;
    write_file("$files/mixed/b.csv", $content);
    ($code, $out, $err) = load("$files/mixed", qw(--table mixed --time-column t));
    is($code, 6, "$name exits 6") or diag($err);
    like($err, $message, '... and says where');
    is(sql_value($home, q{SELECT to_regclass('mixed') IS NULL}), 't', '... and loads nothing');
}
nothing_left('mixed', 'after all of them');
($code, $out, $err) = load("$files/none", qw(--table mixed --time-column t));
is($code, 4, 'a path that does not exist exits 4');
($code, $out, $err) = load("$files/mixed/a.csv", qw(--table mixed --time-column u));
is($code, 2, 'a time column that does not exist exits 2');
like($err, qr/choose --time-column from: t, v/, '... and lists what there is');
($code, $out, $err) = load("$files/mixed/a.csv", qw(--table mixed --time-column t --timezone Mars));
is($code, 2, 'an unknown time zone exits 2');
($code, $out, $err) = load("$files/mixed/a.csv", qw(--table mixed --time-column t --chunk-interval), 'a while');
isnt($code, 0, 'an interval that is none fails');
nothing_left('mixed', 'after it');

# What is no CSV at all, or hardly: the error says what to do.
sub refused {
    my ($what, $expected_code, $message, @arguments) = @_;
    my ($code, $out, $err) = load(@arguments);
    is($code, $expected_code, "$what exits $expected_code") or diag($out, $err);
    like($err, $message, '... and says what to do');
}
system('gzip', '--keep', "$files/mixed/a.csv") == 0 or die;
refused('a compressed file', 6, qr{a\.csv\.gz: expected text .* gzip.*\n.*zcat \S+/a\.csv\.gz >},
    "$files/mixed/a.csv.gz", qw(--table mixed --time-column t));
unlink "$files/mixed/a.csv", "$files/mixed/b.csv";
refused('a directory with compressed files only', 4, qr{no \.csv file.*\n.*unpack.*a\.csv\.gz},
    "$files/mixed", qw(--table mixed --time-column t));
write_file("$files/binary.csv", "\x7FELF\0\1");
refused('a binary file', 6, qr/binary\.csv: .*zero byte.*\n.*CSV text/,
    "$files/binary.csv", qw(--table mixed --time-column t));
write_file("$files/semicolon.csv", "t;v\n2024-01-01;1\n");
refused('another delimiter', 2, qr/semicolon\.csv has no column "t".*\n.*--delimiter ';'/,
    "$files/semicolon.csv", qw(--table mixed --time-column t));
refused('another delimiter when appending', 2, qr/"t;v", which is in \S+semicolon\.csv.*\n.*--delimiter ';'/,
    "$files/semicolon.csv", qw(--table epoch --append));
write_file("$files/latin.csv", "t,v\n2024-01-01,caf\xE9\n");
refused('a value that is not UTF-8', 6, qr/latin\.csv, line 2.*\n(.*\n)?.*iconv -f LATIN1 .*latin\.csv/,
    "$files/latin.csv", qw(--table mixed --time-column t));
write_file("$files/latin_header.csv", "t,gr\xF6sse\n2024-01-01,1\n");
refused('a header that is not UTF-8', 6, qr/latin_header\.csv, line 1: .*not UTF-8.*\n.*iconv/,
    "$files/latin_header.csv", qw(--table mixed --time-column t));
write_file("$files/plain.csv", "t,v\n2024-01-01,1\n");
refused("the interval '$_->[0]'", 2, qr/--chunk-interval: .*\n(.*\n)?.*'1 day'/,
    "$files/plain.csv", qw(--table mixed --time-column t --chunk-interval), $_->[0])
  for ['a while'], ['-1 day'], ['1 month 3 days'], ['0'];
refused('--append with an interval', 2, qr/--chunk-interval is for a new table.*\n.*set_chunk_time/,
    "$files/epoch.csv", qw(--table epoch --append --chunk-interval 10));
refused('a missing path', 4, qr/no file or directory nowhere\.csv\n.*looked for in \//,
    'nowhere.csv', qw(--table mixed --time-column t));
refused('a pipe', 2, qr{/dev/stdin is neither.*\n.*into a file first}, '/dev/stdin',
    qw(--table mixed --time-column t));
nothing_left('mixed', 'after what is no CSV');

# A file that this user may not read: root may read all, so another user tries.
SKIP: {
    skip 'only root can become another user', 1 if $> != 0;
    mkdir "$files/closed", 0700;
    write_file("$files/closed/a.csv", "t,v\n");
    my $other = getpwnam('postgres') // die;
    my $pid = fork // die;
    if (!$pid) {
        my $group = (getpwnam('postgres'))[3];
        $) = "$group $group";
        $( = $group;
        $< = $> = $other;
        ($code, $out, $err) = load("$files/closed/a.csv", qw(--table mixed --time-column t));
        POSIX::_exit($code == 5 && $err =~ /Permission denied\n.*chmod/ ? 0 : 1);    # END is the parent's
    }
    waitpid $pid, 0;
    is($?, 0, 'a file that may not be read is said to be so, with what to do');
}

# A table that was loaded with its files' names wants them again.
write_file("$files/cpu.csv", "t,v\n2024-01-01,1\n");
($code) = load("$files/cpu.csv", qw(--table named --time-column t --series-from-path=origin));
is($code, 0, 'a column from the names of files');
refused('--append without it', 6, qr/cpu\.csv, line 2.*"origin".*\n(.*\n)?.*--series-from-path=origin/,
    "$files/cpu.csv", qw(--table named --append));
($code) = load("$files/cpu.csv", qw(--table named --append --series-from-path=origin));
is($code, 0, '... and with it the rows go in');

# Progress goes to standard error alone and stays inside the terminal.
{
    open my $file, '>', "$files/long.csv" or die;
    print $file "t,v\n";
    print $file "2024-01-01 00:00:00,$_\n" for 1 .. 600_000;
    close $file;
    my $command = "stty cols 44; '$ENV{OROCHI}' load --dir '$home' '$files/long.csv' --table long"
      . " --time-column t >'$files/long.out'";
    my $screen = `script --quiet --return --command "$command" /dev/null </dev/null`;
    is($?, 0, 'a load on a terminal');
    my @drawn = grep { /%/ } split /\r\x1b\[K/, $screen;
    cmp_ok(scalar @drawn, '>', 0, '... draws progress there');
    utf8::decode($_) for @drawn;
    s/\x1b\[\d*m//g for @drawn;
    is(join("\n", grep { length > 44 } @drawn), '', '... on lines that fit it');
    unlike(slurp("$files/long.out"), qr/\r|\x1b| %/, '... and none on standard output');
}

# Stops a load while the server is in the middle of its COPY, and answers its exit status. A load
# that was too quick is done again with four times the rows.
sub stop_load {
    my ($signal, $name) = @_;
    my $activity = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'orochi'"
      . " AND query LIKE 'COPY $name%' AND state = 'active'";
    for (my $rows = 200_000; $rows < 50_000_000; $rows *= 4) {
        open my $file, '>', "$files/$name.csv" or die;
        printf $file "t,v\n";
        printf $file "2024-01-01 %02d:%02d:%02d,%d\n", $_ / 3600 % 24, $_ / 60 % 60, $_ % 60, $_
          for 1 .. $rows;
        close $file;
        my $pid = fork // die;
        if (!$pid) {
            open STDOUT, '>', '/dev/null';
            open STDERR, '>', '/dev/null';
            exec $ENV{OROCHI}, 'load', '--dir', $home, "$files/$name.csv", '--table', $name,
              '--time-column', 't'
              or die;
        }
        my $finished = 0;
        until (sql_value($home, $activity) > 0) {
            $finished = waitpid($pid, 1) == $pid;    # WNOHANG
            last if $finished;
        }
        if (!$finished) {
            kill $signal, $pid;
            waitpid $pid, 0;
        }
        my $status = $?;
        # The server notices the end of its client by itself.
        1 while sql_value($home, $activity) > 0;
        return $status if $status != 0;
        orochi('sql', '--dir', $home, '-c', "DROP TABLE $name");
    }
    die 'no load was slow enough to be stopped';
}

is(stop_load('KILL', 'killed') & 127, 9, 'a load is killed in the middle');
nothing_left('killed', 'after kill -9');
is(stop_load('INT', 'stopped') >> 8, 130, 'an interrupted load exits 130');
nothing_left('stopped', 'after Ctrl-C');

# Columnar.
($code, $out, $err) =
  load("$files/epoch.csv", qw(--table warm --time-column t --chunk-interval 100 --columnar));
is($code, 0, '--columnar loads') or diag($err);
is(sql_value($home, q{SELECT DISTINCT place FROM orochi.chunks WHERE hypertable = 'warm'::regclass}),
    'columnar', '... into columnar chunks');
is(sql_value($home, 'SELECT count(*), sum(v) FROM warm'), '4|10', '... every row');

done_testing();
