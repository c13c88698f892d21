# What tests of the event stream share: sessions and servers that may be killed
# at any moment, consumers that write to files what they get, and what such
# files have to contain afterwards.

package StreamTest;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

our @EXPORT = qw(session try_ask ask end wait_up crash file_events is_complete note_down $columns
  consume read_on receive end_receiver drain resume errors_of);

my $db = 'postgres';
# a session that hangs ends the test
my $longest = 120 + ($ENV{ROUTING_SOAK_SECONDS} || 0);

# who is killed may not kill the test
$SIG{PIPE} = 'IGNORE';

# ---- sessions that may end at any moment

sub session
{
	my ($node) = @_;
	my ($in, $out, $err) = ('', '', '');
	my $h = IPC::Run::start([ $node->installed_command('psql'), '-XAtq', '-v', 'ON_ERROR_STOP=0', '-f', '-', '-d', $node->connstr($db) ],
		'<', \$in, '>', \$out, '2>', \$err, IPC::Run::timeout($longest));

	return { in => \$in, out => \$out, err => \$err, h => $h, n => 0 };
}

# The answer, undef if the session has ended before; an error's text is in $s->{error}.
sub try_ask
{
	my ($s, $sql) = @_;
	my $mark = '~' . ++$s->{n} . '~';

	${ $s->{out} } = ${ $s->{err} } = '';
	${ $s->{in} } .= "$sql\n;\\echo $mark\n\\warn $mark\n";
	until (${ $s->{out} } =~ /\Q$mark\E\n/ && ${ $s->{err} } =~ /\Q$mark\E\n/)
	{
		last unless eval { $s->{h}->pumpable && $s->{h}->pump; 1 } && $s->{h}->pumpable;
	}
	$s->{error} = ${ $s->{err} } =~ s/\Q$mark\E\n//r;
	return ${ $s->{out} } =~ s/\Q$mark\E\n.*//sr if ${ $s->{out} } =~ /\Q$mark\E\n/;
	end($s);
	return undef;
}

sub ask
{
	my ($s, $sql) = @_;
	my $answer = try_ask($s, $sql);

	die "$sql: " . ($s->{error} || 'the session has ended') if !defined $answer || $s->{error} ne '';
	chomp $answer;
	return $answer;
}

sub end
{
	my ($s) = @_;

	eval { ${ $s->{in} } .= "\\q\n"; $s->{h}->finish; };
	return;
}

# Waits for a server that starts again by itself.
sub wait_up
{
	my ($node) = @_;
	my $end = time() + 60;

	while (time() < $end)
	{
		my ($status) = eval { $node->psql($db, 'SELECT 1', timeout => 60) };
		return if defined $status && $status == 0;
		usleep(50_000);
	}
	BAIL_OUT('the server does not come back');
}

# pg_ctl start, without the test's end if it cannot yet
sub start_again
{
	my ($node) = @_;

	$node->{_pid} = undef;
	return $node->start(fail_ok => 1);
}

# A process that has ended may stay as a zombie where nobody collects them.
sub is_there
{
	my ($pid) = @_;

	return 0 unless kill 0, $pid;
	my $stat = eval { slurp_file("/proc/$pid/stat") } // '';
	return $stat !~ /^\d+ \(.*\) Z/;
}

# The server is killed with all that belongs to it, or on the spot.
sub crash
{
	my ($node, $how) = @_;

	if ($how eq 'immediate')
	{
		$node->stop('immediate');
		$node->start;
		return;
	}
	# those that are stopped by a signal do not notice the end of the postmaster
	my @pids = split(/\n/, $node->safe_psql($db, 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'));
	$node->kill9;
	kill 'KILL', @pids;
	# until the last process lets go of the shared memory, and one that began meanwhile has noticed
	my $end = time() + 60;
	while (grep { is_there($_) } @pids)
	{
		BAIL_OUT('the server does not end') if time() > $end;
		usleep(20_000);
	}
	for (1 .. 50)
	{
		last if start_again($node);
		usleep(100_000);
	}
	return;
}

# ---- what consumers have written, and the truth

# Whole lines of a file: events as [id, aggregate, version], which lines of JSON or with bars tell.
my %parsed;						# file => [size, events]

sub file_events
{
	my (@files) = @_;
	my @all;

	foreach my $file (@files)
	{
		next unless -e $file;
		my $size = -s $file;
		my @got;
		if ($parsed{$file} && $parsed{$file}[0] == $size)
		{
			push @all, @{ $parsed{$file}[1] };
			next;
		}
		my $text = substr(slurp_file($file), 0, $size);
		$text =~ s/[^\n]+\z//;
		foreach my $line (split(/\n/, $text))
		{
			next unless $line =~ /\S/;
			if ($line =~ /^\{/)
			{
				my %field = $line =~ /"(id|subject|aggregateversion)":"([^"]*)"/g;
				push @got, [ $field{id}, $field{subject}, $field{aggregateversion} + 0, $line ];
			}
			else { push @got, [ split(/\|/, $line) ]; }
		}
		$parsed{$file} = [ $size, \@got ];
		push @all, @got;
	}
	return @all;
}

sub is_complete
{
	my ($node, $title, @got) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my (%seen, %version, @disorder);
	my $twice = 0;
	my %table = map { ($_ => 1) } split(/\n/, $node->safe_psql($db, 'SELECT id FROM routing.event'));

	foreach my $event (@got)
	{
		my ($id, $aggregate, $version) = @$event;

		if ($seen{$id}++) { $twice++; next; }
		push @disorder, "$aggregate $version after " . ($version{$aggregate} // 0) if $version != ($version{$aggregate} // 0) + 1;
		$version{$aggregate} = $version;
	}
	my @missing = grep { !$seen{$_} } keys %table;
	my @alien   = grep { !$table{$_} } keys %seen;
	is(join(', ', splice(@disorder, 0, 5)), '', "$title: the versions of every aggregate in order, without a gap");
	is(scalar(@missing), 0, "$title: no committed event is missing")
	  or diag($node->safe_psql($db, "SELECT seq, xid, aggregateid, aggregateversion, recorded_at FROM routing.event WHERE id IN ('" . join("','", splice(@missing, 0, 5)) . "')"));
	is(scalar(@alien), 0, "$title: nothing that is not committed") or diag(join(' ', splice(@alien, 0, 5)));
	note(scalar(keys %table) . " events, $twice came again");
	return;
}

# ---- the consumers

# what was processed goes to the file before anything is acknowledged
sub note_down
{
	my ($file, $rows) = @_;

	append_to_file($file, join('', map { "$_\n" } split(/\n/, $rows)));
	return;
}

our $columns = q(id || '|' || aggregatetype || '/' || aggregateid || '|' || aggregateversion);

# The next turn has a new session.
sub failed
{
	my ($c) = @_;

	$c->{errors}{ $c->{s}{error} }++ if $c->{s}{error} ne '';
	end($c->{s});
	$c->{s} = undef;
	usleep(20_000);
	return undef;
}

# One turn of the registered consumer; $between is called between reading and
# acknowledging.  Returns the number of events, undef if the session has ended.
sub consume
{
	my ($c, $between) = @_;

	$c->{s} //= session($c->{node});
	my $rows = try_ask($c->{s}, "SELECT batch_id, $columns FROM routing.consumer_next('$c->{name}', 200)");
	return failed($c) if !defined $rows || $c->{s}{error} ne '';
	return 0 if $rows eq '';
	my ($batch) = $rows =~ /^(\d+)\|/;
	note_down($c->{file}, $rows =~ s/^\d+\|//gmr);
	$between->($c) if $between;
	my $n = () = $rows =~ /\n/g;
	$rows = try_ask($c->{s}, "SELECT routing.consumer_ack('$c->{name}', $batch)");
	return failed($c) if !defined $rows || $c->{s}{error} ne '';
	return $n;
}

# One turn of the reader with a token, which is kept when its events are in the file.
sub read_on
{
	my ($c) = @_;

	$c->{s} //= session($c->{node});
	my $rows = try_ask($c->{s}, "SELECT token, $columns FROM routing.event_since('$c->{token}', 300)");
	return failed($c) if !defined $rows || $c->{s}{error} ne '';
	my ($token) = $rows =~ /^([^|]+)\|/ or return 0;
	my @events = map { s/^[^|]*\|//r } grep { !/^[^|]*\|$/ } split(/\n/, $rows);
	note_down($c->{file}, join("\n", @events)) if @events;
	$c->{token} = $token;
	return scalar(@events);
}

# A receiver of the slot; each has a file of its own, since the last line of one that was killed may be torn.
sub receive
{
	my ($c) = @_;
	my $file = "$c->{file}." . @{ $c->{files} };

	push @{ $c->{files} }, $file;
	$c->{h} = IPC::Run::start(
		[ $c->{node}->installed_command('pg_recvlogical'), '-S', $c->{name}, '-d', $c->{node}->connstr($db), '-f', $file, '--no-loop', '--start',
			'-s', 1, '-F', 1 ], '<', \undef, '>', "$file.out", '2>', "$file.err");
	return;
}

sub end_receiver
{
	my ($c, $signal) = @_;

	$c->{h}->signal($signal) if $c->{h}->pumpable;
	eval { $c->{h}->finish };
	return;
}

# Until the registered consumer, the reader and the receiver have everything; bounded.
sub drain
{
	my ($node, $sql, $token, $slot) = @_;
	my $end = time() + 60;

	if ($sql)   { until ((consume($sql) // 1) == 0)   { last if time() > $end } }
	if ($token) { until ((read_on($token) // 1) == 0) { last if time() > $end } }
	if ($slot)
	{
		my @all = split(/\n/, $node->safe_psql($db, 'SELECT id FROM routing.event'));
		while (time() < $end)
		{
			my %seen = map { ($_->[0] => 1) } file_events(@{ $slot->{files} });
			last unless grep { !$seen{$_} } @all;
			receive($slot) unless $slot->{h}->pumpable;
			usleep(100_000);
		}
	}
	return;
}

sub last_id
{
	my ($c) = @_;

	return (grep { !defined $_->[3] || $_->[3] =~ /"txlast":true/ } file_events(@{ $c->{files} }))[-1][0];
}

# The way back, as documented: a slot first, then what the table has since the
# last transaction that was processed as a whole, then the stream.
sub resume
{
	my ($node, $c) = @_;
	my $reader = { node => $node, token => last_id($c), file => "$c->{file}." . @{ $c->{files} } };

	push @{ $c->{files} }, $reader->{file};
	$c->{node} = $node;
	$node->safe_psql($db, "SELECT routing.create_slot('$c->{name}')");
	drain($node, undef, $reader);
	is(join('', keys %{ $reader->{errors} }), '', 'the table is read from the last id');
	receive($c);
	return;
}

# What consumers complained of, but for connections that were lost.
sub errors_of
{
	return join('', grep { !/server closed the connection|connection to server|terminating connection/ } map { keys %{ $_->{errors} } } @_);
}

1;
