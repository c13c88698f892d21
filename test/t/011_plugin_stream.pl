# The output plugin over the replication protocol: a receiver that is killed
# gets again what it has not confirmed, in the same bytes; an idle slot keeps no
# WAL; a transaction of many events takes no more memory than one of few.
#
# ROUTING_SOAK_SECONDS: the large transaction has a million events.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;
use Time::HiRes qw(usleep);

my $many = $ENV{ROUTING_SOAK_SECONDS} ? 1_000_005 : 100_000;
my $db   = 'postgres';
my $dir  = ${PostgreSQL::Test::Utils::tmp_check};
my $node = new_server('stream', allows_streaming => 'logical', plugin => 1,
	conf => "max_replication_slots = 5\nlogical_decoding_work_mem = 4MB\nautovacuum = off\nmax_wal_size = 512MB\n");

$node->safe_psql(
	$db, q(CREATE EXTENSION routing;
SELECT routing.create_event_partitions(1);
CREATE PROCEDURE public.emit(n int, what text) LANGUAGE sql AS $$
	INSERT INTO routing.event (tenant_id, seq, part_on, recorded_at, event_ts, id, xid, epoch, tenantid, aggregatetype, aggregateid, aggregateversion, type, schemaversion, occurred_at, payload)
	SELECT 1, nextval('routing.event_seq'), (now() AT TIME ZONE 'UTC')::date, now(), now() AT TIME ZONE 'UTC', gen_random_uuid(), pg_current_xact_id(), 1, 'default', 'order', what || i, 1,
		   'order.received.v1', 1, now(), jsonb_build_object('order_id', what || i, 'lines', '[{"uom": "each", "item": "SKU-1", "line_no": 1, "quantity": "12.5"}]'::jsonb)
	FROM generate_series(1, n) i
$$;
SELECT pg_create_logical_replication_slot('s', 'routing');
SELECT pg_create_logical_replication_slot('idle', 'routing');));

# A receiver that writes to $file.
sub receiver
{
	my ($slot, $file, @options) = @_;

	return IPC::Run::start(
		[
			$node->installed_command('pg_recvlogical'), '-S', $slot, '-d', $node->connstr($db), '-f', $file, '--no-loop', '--start',
			@options
		],
		'<', \undef, '>', "$file.out", '2>', "$file.err");
}

# Waits until the file has so many lines, or one that matches.
sub wait_lines
{
	my ($file, $wanted, $title) = @_;
	my $n = 0;

	foreach (1 .. 10 * ($ENV{ROUTING_SOAK_SECONDS} ? 300 : 60))
	{
		if (-e $file)
		{
			$n = ref $wanted ? `tail -c 4000 '$file'` =~ $wanted : `wc -l < '$file'` + 0;
			last if ref $wanted ? $n : $n >= $wanted;
		}
		usleep(100_000);
	}
	ok(ref $wanted ? $n : $n >= $wanted, $title) or diag("found $n in $file: " . (-e "$file.err" ? slurp_file("$file.err") : ''));
	return;
}
sub file_lines { return split(/\n/, slurp_file($_[0])); }
sub id_of      { return $_[0] =~ /"id":"([^"]*)"/ ? $1 : ''; }

# Ends a receiver, which has to have confirmed the last transaction in its file before.
sub end_receiver
{
	my ($receiver, $slot, $file) = @_;

	if (-s $file)
	{
		my ($ack) = `tail -n 2 '$file'` =~ /.*"acklsn":"([^"]*)","txlast":true/s;
		ok($node->poll_query_until($db, "SELECT confirmed_flush_lsn >= '$ack' FROM pg_replication_slots WHERE slot_name = '$slot'"),
			"$slot: the end of the last transaction gets confirmed");
	}
	$receiver->signal('INT');
	$receiver->finish;
	$node->poll_query_until($db, 'SELECT count(*) = 0 FROM pg_stat_replication') or BAIL_OUT('a walsender stays');
	return;
}

# ---- killed receivers

$node->safe_psql($db, join(';', map { "CALL public.emit(3, 'a$_.')" } 1 .. 100));
# this one confirms nothing before its end
my $receiver = receiver('s', "$dir/first", '-s', 0, '-F', 0);
wait_lines("$dir/first", 300, 'a receiver has 100 transactions');
$receiver->signal('KILL');
$receiver->finish;
my @first = file_lines("$dir/first");
is(scalar(@first), 300, 'no more than was written');
is(scalar(grep { /"txlast":true/ } @first), 100, 'the last event of each transaction says so');
$node->poll_query_until($db, 'SELECT count(*) = 0 FROM pg_stat_replication') or BAIL_OUT('a walsender stays');

# again, and killed within a large transaction
$node->safe_psql($db, "CALL public.emit(20000, 'b')");
$receiver = receiver('s', "$dir/second", '-s', 0, '-F', 0);
wait_lines("$dir/second", 400, 'another one has begun with a large transaction');
$receiver->signal('KILL');
$receiver->finish;
my @second = file_lines("$dir/second");
is(join("\n", @second[ 0 .. 299 ]), join("\n", @first), 'what was not confirmed came again, in the same bytes');
$node->poll_query_until($db, 'SELECT count(*) = 0 FROM pg_stat_replication') or BAIL_OUT('a walsender stays');

$receiver = receiver('s', "$dir/third", '-s', 1, '-F', 1);
wait_lines("$dir/third", 20300, 'a third one has all of it');
end_receiver($receiver, 's', "$dir/third");
my @third = file_lines("$dir/third");
is(join("\n", @third[ 0 .. $#second - 1 ]), join("\n", @second[ 0 .. $#second - 1 ]), 'from the beginning of what was not confirmed');
$node->safe_psql($db, "CALL public.emit(1, 'c')");
$receiver = receiver('s', "$dir/fourth", '-s', 1, '-F', 1);
wait_lines("$dir/fourth", 1, 'a fourth one has what is new');
end_receiver($receiver, 's', "$dir/fourth");
my %seen = map { id_of($_) => 1 } @third, file_lines("$dir/fourth");
is(scalar(file_lines("$dir/fourth")), 1, 'and nothing else');
is(join(' ', sort keys %seen), $node->safe_psql($db, q(SELECT string_agg(id::text, ' ' ORDER BY id::text COLLATE "C") FROM routing.event)),
	'together the events of the table');

# ---- an idle slot

my $idle = receiver('idle', "$dir/idle", '-s', 1, '-F', 1, '-o', 'types=none.*');
$node->safe_psql($db, 'CREATE TABLE public.junk (t text); ALTER TABLE public.junk ALTER t SET STORAGE PLAIN');
my $before = $node->safe_psql($db, 'SELECT pg_current_wal_lsn()');
foreach my $round (1 .. 10)
{
	$node->safe_psql($db, "INSERT INTO public.junk SELECT repeat('x', 7000) FROM generate_series(1, 2900)");
	$node->safe_psql($db, "TRUNCATE public.junk; CALL public.emit(1, 'i$round.')");
}
cmp_ok($node->safe_psql($db, "SELECT pg_current_wal_lsn() - '$before'::pg_lsn"), '>', 200_000_000, '200 MB that are no business of a slot');
my $far = 'no answer';
foreach (1 .. 120)
{
	$far = $node->safe_psql($db, "CHECKPOINT; SELECT pg_current_wal_lsn() - restart_lsn FROM pg_replication_slots WHERE slot_name = 'idle'");
	last if $far < 16_000_000;
	usleep(250_000);
}
cmp_ok($far, '<', 16_000_000, 'it keeps no more than 16 MB of them');
is($node->safe_psql($db, "SELECT confirmed_flush_lsn > '$before' FROM pg_replication_slots WHERE slot_name = 'idle'"), 't', 'they are confirmed');
end_receiver($idle, 'idle', "$dir/idle");
is(-s "$dir/idle", 0, 'without a line');

# ---- many events in one transaction

# kilobytes that the walsender of the only receiver has had at most
sub peak
{
	my $pid = $node->safe_psql($db, 'SELECT pid FROM pg_stat_replication');

	return slurp_file("/proc/$pid/status") =~ /^VmHWM:\s+(\d+) kB/m ? $1 : undef;
}

# What a strict parser finds: events, distinct ids, events with txlast, whether it
# is the last one, whether sequences ascend, commit positions, marks.
my $check = "$dir/check.py";
append_to_file($check, <<'PYTHON');
import json, sys
events = last = marks = 0
ids, commits, previous, ascends, is_last, longest = set(), set(), '', True, False, 0
with open(sys.argv[1], encoding='utf-8') as f:
    for line in f:
        document = json.loads(line)
        longest = max(longest, len(line))
        for event in document if isinstance(document, list) else [document]:
            if 'control' in event:
                marks += 1
                h, l = event['lsn'].split('/')
                commits.add('%08X%08X' % (int(h, 16), int(l, 16)))
                continue
            events += 1
            ids.add(event['id'])
            ascends = ascends and event['sequence'] > previous
            previous = event['sequence']
            commits.add(previous.split('.')[1])
            last += event['txlast']
            is_last = event['txlast']
print(events, len(ids), last, is_last, ascends, len(commits), marks, longest < 9000000)
PYTHON

$node->safe_psql($db, q(SELECT pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) FROM pg_replication_slots));
foreach my $format (qw(cloudevents cloudevents-batch))
{
	my $slot = $format eq 'cloudevents' ? 's' : 'idle';
	my $file = "$dir/many.$format";

	$receiver = receiver($slot, $file, '-s', 1, '-F', 1, '-o', "format=$format", '-o', 'commit_marker=on');
	# with the transaction before it, where there is one, so that all code and caches are in memory
	$node->safe_psql($db, "CALL public.emit(1000, '$format small ')");
	wait_lines($file, qr/"control":"commit"[^\n]*"events":1000,/, "$format: a transaction of 1000 events");
	my $small = peak();
	$node->safe_psql($db, "CALL public.emit($many, '$format ')");
	wait_lines($file, qr/"control":"commit"[^\n]*"events":$many,/, "$format: a transaction of $many events");
	my $large = peak();
	note("$format: peak of the walsender $small kB with 1000 events, $large kB with $many");
	cmp_ok($large - $small, '<', 48 * 1024, "$format: takes no more memory than it may");
	end_receiver($receiver, $slot, $file);

	# the second slot has the first one's transactions, too
	my ($n, $transactions) = $slot eq 's' ? ($many + 1000, 2) : (2 * ($many + 1000), 4);
	my ($out) = run_command([ 'python3', $check, $file ]);
	is($out, "$n $n $transactions True True $transactions $transactions True",
		"$format: all of it is JSON, each event once, one with txlast at the end, sequences ascend and name the commit");
	cmp_ok(scalar(`grep -c '^\\[' '$file'`), '>', 4, 'a long array is divided') if $format ne 'cloudevents';
	unlink($file);
}

$node->safe_psql($db, q(SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots));
$node->stop;
done_testing();
