# Runs the `orochi` program in tests: a fresh home per test file, a free port, and no server left
# behind whatever happens.
#
# Needs OROCHI (the program) and OROCHI_PG_BINDIR (a PostgreSQL with the extension) in the
# environment; ctest sets both.
package OrochiCommand;

use strict;
use warnings;
use Exporter 'import';
use File::Path qw(remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use Test::More;

our @EXPORT = qw(fresh_home free_port orochi orochi_ok sql_value write_file slurp);

my @homes;

# The server's user must reach the directory: below /tmp, which everybody can search.
sub fresh_home {
    my $parent = tempdir('orochi-test-XXXXXX', DIR => '/tmp', CLEANUP => 0);
    chmod 0755, $parent;
    push @homes, $parent;
    return "$parent/home";
}

# A port nobody uses now. Another program may take it before the server does; ports are chosen from
# the system's ephemeral range, so that is rare, and the test then fails by name.
sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1)
      or die "no free port: $!";
    return $socket->sockport;
}

# orochi(ARGUMENTS...) -> (exit code, stdout, stderr). A hash reference first adds to the environment.
sub orochi {
    my %environment = ref $_[0] eq 'HASH' ? %{ shift() } : ();
    local @ENV{ keys %environment } = values %environment;
    my ($out, $err) = (File::Temp->new, File::Temp->new);
    my $pid = fork // die "fork: $!";
    if (!$pid) {
        open STDIN, '<', '/dev/null' or die;
        open STDOUT, '>&', $out or die;
        open STDERR, '>&', $err or die;
        exec { $ENV{OROCHI} } 'orochi', @_ or die "$ENV{OROCHI}: $!";
    }
    waitpid $pid, 0;
    my $code = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    return ($code, slurp($out->filename), slurp($err->filename));
}

# Runs and expects success; returns stdout.
sub orochi_ok {
    my ($name, @arguments) = @_;
    my ($code, $stdout, $stderr) = orochi(@arguments);
    is($code, 0, $name) or diag("stdout: $stdout\nstderr: $stderr");
    return $stdout;
}

# The first value of a query, as psql prints it unaligned.
sub sql_value {
    my ($home, $sql) = @_;
    my ($code, $stdout, $stderr) = orochi('sql', '--dir', $home, '-XAtq', '-c', $sql);
    diag("$sql: $stderr") if $code != 0;
    chomp $stdout;
    return $stdout;
}

sub write_file {
    my ($path, $content) = @_;
    open my $file, '>:raw', $path or die "$path: $!";
    print $file $content;
    close $file or die "$path: $!";
    return $path;
}

sub slurp {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    local $/;
    return <$file> // '';
}

END {
    my $code = $?;
    for my $home (@homes) {
        for my $cluster (glob "$home/*") {
            orochi('down', '--dir', $cluster) if -e "$cluster/orochi.cluster";
        }
        remove_tree($home) if $code == 0;
    }
    $? = $code;
}

1;
