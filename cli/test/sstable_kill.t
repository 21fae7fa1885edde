# Goal: whenever a command that writes SSTables is killed, no set of files looks complete that is not,
# nothing that was there is touched, and the command can be run again.
# What is left under other names is gone when the next one has run.
# Method: each command counts its calls that change files, and is then killed at some of them, chosen by
# a seed (OROCHI_SEED; OROCHI_KILL_ALL=1: at every one), halfway through where the call is a write. What
# has names of an SSTable then is compared with what a whole run makes, byte for byte: an SSTable with
# Data.db has all components, since Cassandra does not ask for TOC.txt.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use OrochiCommand;
use Test::More;

use constant POINTS => 5;    # kills of a command, beside those around its last calls
use constant LAST_CALLS => 4;

my $seed = $ENV{OROCHI_SEED} // time;
diag("OROCHI_SEED=$seed");
srand $seed;

my $dir = tempdir('orochi-test-XXXXXX', DIR => '/tmp', CLEANUP => 1);
my $schema = write_file("$dir/schema.cql", "CREATE TABLE ks.t (k int, c int, v text, PRIMARY KEY (k, c));");
my %shapes = (1 => [400, 10], 2 => [400, 10], 3 => [1200, 150]);    # rows, how long their values are
for my $part (sort keys %shapes) {
    my ($rows, $times) = @{ $shapes{$part} };
    my $script = '';
    for my $row (1 .. $rows) {
        my $value = 'value ' . $row * $part;
        $script .= sprintf "INSERT INTO ks.t (k, c, v) VALUES (%d, %d, '%s') USING TIMESTAMP %d;\n", $row % 40, $row, $value x $times, $part;
    }
    write_file("$dir/rows$part.cql", $script);
}
my @write = (qw(sstable write --timestamp 1 --schema), $schema);
orochi_ok("input $_", @write, qw(--chunk-kb 1 -o), "$dir/in$_", '--format', $_ == 1 ? 'nb' : 'da', "$dir/rows$_.cql") for 1, 2;
for my $file (glob "$dir/in2/*") {
    my ($name) = $file =~ m{/da-1-bti-([^/]+)$};
    ok(copy($file, "$dir/in1/da-2-bti-$name"), "input $name");
}
# For scrub: a chunk in the middle does not have its checksum.
mkdir "$dir/damaged" or die;
copy($_, "$dir/damaged/") for glob "$dir/in1/nb-*";
my ($data) = glob "$dir/damaged/*-Data.db";
open my $damaged, '+<:raw', $data or die;
seek $damaged, int((-s $data) / 2), 0;
print $damaged 'damage';
close $damaged or die;

# What each makes has to be the same every time.
my %commands = (
    write   => [@write, "$dir/rows1.cql", '-o'],
    threads => [@write, "$dir/rows1.cql", qw(--threads 2 --format da -o)],
    spill   => [@write, "$dir/rows3.cql", qw(--memory-mb 1 --max-size-mb 1 --format nb -o)],
    compact => [qw(sstable compact), "$dir/in1", qw(--format oa -o)],
    upgrade => [qw(sstable upgrade), "$dir/in1", qw(--format oa --compression none -o)],
    split   => [qw(sstable split), "$dir/in1", qw(--max-size-mb 1 -o)],
    scrub   => [qw(sstable scrub), "$dir/damaged", '-o'],
);

sub files_of {
    my ($directory) = @_;
    return {} unless -d $directory;
    return { map { (m{([^/]+)$})[0] => slurp($_) } grep { -f } glob "$directory/*" };
}

# Empty, or what is wrong with what a killed command left.
sub wrong_with {
    my ($left, $whole) = @_;
    my %stems;
    for my $name (sort keys %$left) {
        next if $name =~ /^orochi-unfinished/;
        return "$name is nothing that a whole run makes" unless exists $whole->{$name};
        return "$name is not as a whole run makes it" unless $left->{$name} eq $whole->{$name};
        $stems{$1} = 1 if $name =~ /^(.*)-(?:Data\.db|TOC\.txt)$/;
    }
    for my $stem (sort keys %stems) {
        for my $name (grep { /^\Q$stem\E-/ && !/-TOC\.txt$/ } keys %$whole) {
            return "$stem has Data.db or TOC.txt and no $name" unless exists $left->{$name};
        }
    }
    return '';
}

my $inputs = { %{ files_of("$dir/in1") }, %{ files_of("$dir/damaged") } };
for my $name (sort keys %commands) {
    my @command = @{ $commands{$name} };
    my ($expected) = orochi({ LD_PRELOAD => $ENV{OROCHI_KILL_AT_CALL}, COUNT_CALLS_INTO => "$dir/calls" }, @command, "$dir/$name");
    ok($expected == ($name eq 'scrub' ? 6 : 0), "$name runs whole") or next;
    my $whole = files_of("$dir/$name");
    my $calls = slurp("$dir/calls");
    cmp_ok($calls, '>', POINTS + LAST_CALLS, "... with $calls calls that change files") or next;
    my %points = map { $_ => 1 } $calls - LAST_CALLS + 1 .. $calls;
    $points{ 1 + int rand $calls } = 1 while keys %points < POINTS + LAST_CALLS;
    %points = map { $_ => 1 } 1 .. $calls if $ENV{OROCHI_KILL_ALL};
    my @wrong;
    my $complete = 0;
    for my $point (sort { $a <=> $b } keys %points) {
        my $out = "$dir/$name.$point";
        my ($code) = orochi({ LD_PRELOAD => $ENV{OROCHI_KILL_AT_CALL}, KILL_AT_CALL => $point }, @command, $out);
        push @wrong, "call $point: exit code $code" if $code != 128 + 9;
        my $left = files_of($out);
        my $wrong = wrong_with($left, $whole);
        push @wrong, "call $point: $wrong" if $wrong;
        # Once more, where that can be: an SSTable that has its name keeps it.
        my $has_any = grep { /^[a-z]/ && !/^orochi/ } keys %$left;
        my ($again, undef, $why) = orochi(@command, $out);
        my ($verified) = $again == $expected ? orochi(qw(sstable verify), $out) : (0);
        my $is_good = $again == $expected ? $verified == 0 : $has_any && $why =~ /exists/;
        push @wrong, "call $point: again: exit code $again, $why" if !$is_good;
        my $after = files_of($out);
        my @changed = grep { /^(?!orochi)/ && ($after->{$_} // '') ne $left->{$_} } keys %$left;
        push @wrong, "call $point: again: changed @changed" if @changed;
        my @unfinished = map { m{([^/]+)$} } glob "$out/orochi-unfinished*";
        push @wrong, "call $point: again: left @unfinished" if @unfinished;
        ++$complete if grep { /TOC\.txt$/ } keys %$left;
    }
    is(join("\n", @wrong), '', "... killed at " . keys(%points) . " calls, of which $complete left an SSTable");
}
my $after = { %{ files_of("$dir/in1") }, %{ files_of("$dir/damaged") } };
is_deeply([map { length $after->{$_} } sort keys %$after], [map { length $inputs->{$_} } sort keys %$inputs], 'inputs have their sizes');
ok(!(grep { $after->{$_} ne $inputs->{$_} } keys %$inputs), '... and their bytes');
done_testing;
