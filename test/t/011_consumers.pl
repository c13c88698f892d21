# Consumers by SQL while 16 clients write, with rollbacks, savepoints and long
# transactions, and while the consumers' sessions end at random moments: each
# gets every committed event of its share once, after duplicates are removed by
# id, and each aggregate in order without a gap.  Readers without a
# registration do the same with tokens, on the primary and on a standby.  Then
# a backend killed between reading and acknowledging, the way back for somebody
# who only knows the last event he processed, and a restore into a new cluster.
#
# ROUTING_SOAK_SECONDS: a sixth of it, at least 30, instead of ten seconds.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use List::Util qw(max);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;
use Time::HiRes qw(time usleep);

my $seconds = $ENV{ROUTING_SOAK_SECONDS} ? max(30, int($ENV{ROUTING_SOAK_SECONDS} / 6)) : 10;
my $db      = 'postgres';
my $dir     = ${PostgreSQL::Test::Utils::tmp_check};
my $primary = new_server('consumers', allows_streaming => 1,
	conf => "max_connections = 60\nsynchronous_commit = on\nrestart_after_crash = on\n");

load_network($primary, $db, 5, 400);
$primary->safe_psql($db, <<'SQL');
SELECT routing.create_event_partitions(1);
-- what consumers processed, in their order
CREATE TABLE public.got (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, consumer text NOT NULL, id uuid NOT NULL,
						 aggregate text NOT NULL, version bigint NOT NULL);
CREATE TABLE public.stop ();

-- reads and acknowledges in transactions of their own, refuses some, until there is nothing left after the stop
CREATE PROCEDURE public.consume(name text, refuse float8) LANGUAGE plpgsql AS $$
DECLARE
	r		routing.delivery;
	refused	text[];
	batch	bigint;
	stop	boolean;
BEGIN
	LOOP
		stop := to_regclass('public.stop') IS NULL;
		refused := '{}';
		batch := NULL;
		FOR r IN SELECT * FROM routing.consumer_next(name, (20 + random() * 300)::int) LOOP
			batch := r.batch_id;
			CONTINUE WHEN r.aggregateid = ANY (refused);
			IF random() < refuse THEN
				PERFORM routing.consumer_nack(name, r.id, '30 ms', 'not today');
				refused := refused || r.aggregateid;
			ELSE
				INSERT INTO public.got (consumer, id, aggregate, version)
				VALUES (name, r.id, r.aggregatetype || '/' || r.aggregateid, r.aggregateversion);
			END IF;
		END LOOP;
		COMMIT;
		IF batch IS NOT NULL THEN
			PERFORM pg_sleep(CASE WHEN random() < 0.4 THEN random() / 10 ELSE 0 END);
			PERFORM routing.consumer_ack(name, batch);
			COMMIT;
		ELSIF stop AND NOT EXISTS (SELECT FROM routing.consumer_wait w WHERE w.consumer = name) THEN
			RETURN;
		ELSE
			PERFORM pg_sleep(0.02);
			COMMIT;
		END IF;
	END LOOP;
END
$$;
SQL
my %share = (
	all   => '',
	half0 => q(AND routing.event_hash(aggregateid) % 2 = 0),
	half1 => q(AND routing.event_hash(aggregateid) % 2 = 1),
	typed => q(AND type LIKE 'order.%'));
my %refuse = (all => 0.02, half0 => 0, half1 => 0.01, typed => 0);
$primary->safe_psql($db, q(SELECT routing.consumer_register('all', 'oldest', max_attempts => 1000),
	routing.consumer_register('half0', 'oldest', partition => '0/2'),
	routing.consumer_register('half1', 'oldest', partition => '1/2', max_attempts => 1000),
	routing.consumer_register('typed', 'oldest', types => '{order.*}')));

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\nmax_standby_streaming_delay = -1\n");
$standby->start;
$primary->wait_for_catchup($standby);

# Readers with tokens: [session, token, events in order as [id, aggregate, version]]
my %reader = map {
	($_->name => { session => $_->background_psql($db, on_error_stop => 0), token => 'oldest', got => [] })
} ($primary, $standby);
# a query may take a minute, not all of them together
$_->{session}->set_query_timer_restart() foreach values %reader;

# Reads what there is with a token, at most $most times; returns the number of events.
sub read_on
{
	my ($reader, $most) = @_;
	my $n = 0;

	while ($most-- > 0)
	{
		my @rows = map { [ split(/\|/) ] } split(/\n/, $reader->{session}->query_safe(
			"SELECT token, id, aggregatetype || '/' || aggregateid, aggregateversion FROM routing.event_since('$reader->{token}', 500)"));
		$reader->{token} = $rows[0][0];
		last unless defined $rows[0][1];
		push @{ $reader->{got} }, map { [ @{$_}[ 1 .. 3 ] ] } @rows;
		$n += @rows;
	}
	return $n;
}

# Duplicates removed: the versions of each aggregate in order; returns (disorder, {id => 1}, duplicates).
sub judge
{
	my (@got) = @_;
	my (%seen, %version, @disorder);
	my $twice = 0;

	foreach my $event (@got)
	{
		my ($id, $aggregate, $version) = @$event;

		if ($seen{$id}++) { $twice++; next; }
		push @disorder, "$aggregate $version after " . ($version{$aggregate} // 0) if $version != ($version{$aggregate} // 0) + 1;
		$version{$aggregate} = $version;
	}
	return (join(', ', @disorder[ 0 .. (@disorder > 5 ? 5 : $#disorder) ]), \%seen, $twice);
}

# What a consumer got is what the table has of its share.
sub is_complete
{
	my ($node, $title, $share, @got) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($disorder, $seen, $twice) = judge(@got);
	my @table = split(/\n/, $node->safe_psql($db, "SELECT id FROM routing.event WHERE true $share"));
	my @missing = grep { !$seen->{$_} } @table;
	my %table = map { ($_ => 1) } @table;
	my @alien = grep { !$table{$_} } keys %$seen;

	is($disorder, '', "$title: the versions of every aggregate in order, without a gap");
	is(scalar(@missing), 0, "$title: no committed event is missing");
	is(scalar(@alien), 0, "$title: nothing that was rolled back");
	note(scalar(@table) . " events, $twice came again");
	return;
}

sub got_of
{
	my ($node, $consumer) = @_;

	return map { [ split(/\|/) ] }
	  split(/\n/, $node->safe_psql($db, "SELECT id, aggregate, version FROM public.got WHERE consumer = '$consumer' ORDER BY n"));
}

sub consumer_start
{
	my ($node, $name) = @_;
	local $ENV{PGAPPNAME} = "consumer $name";

	return IPC::Run::start([ $node->installed_command('psql'), '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($db),
			'-c', "CALL public.consume('$name', $refuse{$name})" ], '<', \undef, '>', \my $out, '2>', "$dir/consumer.$name");
}

# the load
my $new = q(SELECT nextval('public.order_seq') AS n \gset
INSERT INTO routing.sales_order (order_id, customer, country, postal_code) VALUES ('S' || :n, 'C1', 'US', '10001');
INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES ('S' || :n, 1, 'I' || :a, 1);
);
my %script = (
	order => qq(\\set a random(1, 5)\nBEGIN;\n${new}COMMIT;\n),
	savepoint => qq(\\set a random(1, 5)\nBEGIN;\nSAVEPOINT a;\n${new}SET CONSTRAINTS ALL IMMEDIATE;\nROLLBACK TO a;\nSAVEPOINT b;\n${new}RELEASE b;\nCOMMIT;\n),
	rollback => qq(\\set a random(1, 5)\nBEGIN;\n${new}SET CONSTRAINTS ALL IMMEDIATE;\nROLLBACK;\n),
	# its events are written early, its id is older still; the item is nobody else's
	long => qq(\\set a random(1, 5)\n\\set s random(100, 2500)\nBEGIN;\nSELECT pg_current_xact_id();\nSELECT nextval('public.order_seq') AS n \\gset
INSERT INTO routing.sales_order (order_id, customer, country, postal_code) VALUES ('L' || :n, 'C1', 'US', '10001');
INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES ('L' || :n, 1, 'NONE', 1);
SET CONSTRAINTS ALL IMMEDIATE;\n\\sleep :s ms\nCOMMIT;\n),
	# the same few orders again and again, by transactions whose ids are older than their turn
	again => qq(\\set o random(1, 5)\n\\set s random(0, 20)\nBEGIN;\nSELECT pg_current_xact_id();\n\\sleep :s ms
UPDATE routing.sales_order_line SET quantity = 1 + (quantity::int % 3) WHERE order_id = 'again-' || :o;\nCOMMIT;\n),
	cancel => q(SELECT routing.cancel_order(order_id) FROM (SELECT order_id FROM routing.sales_order
	WHERE status <> 'cancelled' AND order_id LIKE 'S%' ORDER BY random() LIMIT 1) o;
));
$primary->safe_psql($db, q(INSERT INTO routing.item (item) VALUES ('NONE')));
route($primary, $db, "again-$_", [ 'I' . $_, 1 ]) foreach 1 .. 5;
my $log   = "$dir/load.out";
my $bench = pgbench_start($primary, $db, $log, '-c', '16', '-j', '2', '-T', $seconds,
	map { ('-f', write_script($_->[0], $script{ $_->[0] }) . '@' . $_->[1]) }
	  (['order', 8], ['savepoint', 3], ['rollback', 3], ['long', 1], ['again', 4], ['cancel', 2]));
my %running = map { ($_ => consumer_start($primary, $_)) } keys %share;
my $end     = time() + $seconds;
my ($ended, @ends) = (0);
while (time() < $end)
{
	read_on($_, 3) foreach values %reader;
	# best one that has read and not acknowledged
	$ended += $primary->safe_psql($db, q(SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity
		WHERE application_name LIKE 'consumer %' ORDER BY wait_event = 'PgSleep' DESC NULLS LAST, random() LIMIT 1) p));
	my $there = $primary->safe_psql($db, q(SELECT string_agg(application_name, ',') FROM pg_stat_activity WHERE application_name LIKE 'consumer %')) . ',';
	foreach my $name (keys %running)
	{
		next if $there =~ /consumer $name,/;
		$running{$name}->finish;
		push @ends, slurp_file("$dir/consumer.$name");
		$running{$name} = consumer_start($primary, $name);
	}
	usleep(200_000);
}
$bench->finish;
is($bench->full_result(0), 0, 'the load ends well');
is(slurp_file($log), '', 'no client met an error');
cmp_ok($ended, '>', $seconds / 3, 'sessions of consumers were ended meanwhile');
is(scalar(grep { !/terminating connection|is running in another session/ } @ends), 0, 'nothing else ended them') or note(@ends);
cmp_ok(scalar(@ends), '>', $seconds / 3, 'and others took over');
$primary->safe_psql($db, 'DROP TABLE public.stop');
foreach my $name (sort keys %running)
{
	# one that was just ended has not noticed
	$running{$name}->finish or consumer_start($primary, $name)->finish;
	is_complete($primary, $name, $share{$name}, got_of($primary, $name));
}
is($primary->safe_psql($db, q(SELECT count(*) FROM public.got WHERE consumer LIKE 'half%' GROUP BY consumer HAVING count(*) < 50)), '', 'both halves got their part');
is($primary->safe_psql($db, q(SELECT string_agg(consumer, ' ' ORDER BY consumer) FROM routing.consumer_status() WHERE lag_events = 0 AND waiting = 0 AND retrying = 0)),
	'all half0 half1 typed', 'consumer_status() sees no lag');
$primary->wait_for_catchup($standby);
foreach my $name (sort keys %reader)
{
	read_on($reader{$name}, 1000);
	is_complete($primary, "tokens on the $name", '', @{ $reader{$name}{got} });
}
is($standby->safe_psql($db, q(SELECT count(*) FROM routing.consumer_status() WHERE lag_events = 0)), '4', 'consumer_status() works on the standby');
is_sound($primary, $db, 'after the load');

# On the standby, with a transaction open on the primary: of two that write to one
# order one after the other the second has the lower id, and the open one's lies between.
my ($first, $open) = map { $primary->background_psql($db) } 1 .. 2;
$_->query_safe('BEGIN; SELECT pg_current_xact_id()') foreach $first, $open;
route($primary, $db, 'between', ['I1', 1]);
$open->query_safe(order_sql('open', ['NONE', 1]) . 'SET CONSTRAINTS ALL IMMEDIATE');
$first->query_safe(q(SELECT routing.cancel_order('between'); COMMIT));
$primary->wait_for_catchup($standby);
my $reader = $reader{standby};
my $before = @{ $reader->{got} };
read_on($reader, 10);
is(join(' ', map { "$_->[1]-$_->[2]" } grep { $_->[1] =~ /^order/ } @{ $reader->{got} }[ $before .. $#{ $reader->{got} } ]),
	'order/between-1 order/between-2 order/between-3', 'a standby reads what committed around an open transaction');
$open->query_safe('COMMIT');
$primary->wait_for_catchup($standby);
$before = @{ $reader->{got} };
read_on($reader, 10);
is(join(' ', map { "$_->[1]-$_->[2]" } @{ $reader->{got} }[ $before .. $#{ $reader->{got} } ]), 'order/open-1 order/open-2', 'and the open one after it');
is_complete($primary, 'the standby', '', @{ $reader->{got} });

# Who has lost his replication slot knows what he processed: the last id is enough.
foreach my $ticks (1, 0)
{
	$open->query_safe('BEGIN; ' . order_sql("early-$ticks", ['NONE', 1]) . 'SET CONSTRAINTS ALL IMMEDIATE');
	$primary->safe_psql($db, $ticks ? q(UPDATE routing.stream_mark SET marked_at = marked_at - interval '2 minutes'; SELECT routing.mark_stream())
		: 'DELETE FROM routing.stream_mark');
	route($primary, $db, "last-$ticks", ['I1', 1]);
	my %processed = map { ($_ => 1) } split(/\n/, $primary->safe_psql($db, 'SELECT id FROM routing.event'));
	my $last = $primary->safe_psql($db, qq(SELECT id FROM routing.event WHERE aggregateid = 'last-$ticks' AND aggregateversion = 2));
	$open->query_safe('COMMIT');
	route($primary, $db, "later-$ticks", ['I1', 1]);
	my $back = { session => $reader{consumers}{session}, token => $last, got => [] };
	my $n = read_on($back, 1000);
	my @unknown = grep { !$processed{ $_->[0] } } @{ $back->{got} };
	is(join(' ', map { "$_->[1]-$_->[2]" } grep { $_->[1] =~ /^order/ } @unknown),
		"order/early-$ticks-1 order/early-$ticks-2 order/later-$ticks-1 order/later-$ticks-2", 'resumed from an id: nothing is missing');
	is((judge(map { [ $_->[0], $_->[1], $_->[2] ] } @unknown))[2], 0, 'and duplicates have known ids');
	cmp_ok($n, '<', 20, 'little comes again') if $ticks;
}
$_->quit foreach $first, $open;
$reader{$_}{session}->quit foreach keys %reader;

# The standby takes over: consumers go on there, with the batch that was open.
my $first_of = q(SELECT batch_id, id FROM routing.consumer_next('typed', 1) ORDER BY seq LIMIT 1);
my $left_open = $primary->safe_psql($db, $first_of);
$primary->wait_for_catchup($standby);
$standby->promote;
is($standby->safe_psql($db, $first_of), $left_open, 'an open batch is open on the standby that takes over');
route($standby, $db, "over-$_", ['I3', 1]) foreach 1 .. 3;
foreach my $name (sort keys %share)
{
	consumer_start($standby, $name)->finish;
	is_complete($standby, "$name, on the standby that took over", $share{$name}, got_of($standby, $name));
}
$standby->stop;

# a backend is killed between reading and acknowledging
my $query = q(SELECT batch_id, string_agg(id::text, ' ' ORDER BY seq) FROM routing.consumer_next('all', 5) GROUP BY 1);
my $session = $primary->background_psql($db, on_error_stop => 0);
my $batch   = $session->query_safe($query);
my $pid     = $session->query_safe('SELECT pg_backend_pid()');
kill 'KILL', $pid;
eval { $session->quit };
$primary->poll_query_until($db, 'SELECT true') or BAIL_OUT('the server does not come back');
is($primary->safe_psql($db, $query), $batch, 'after a kill -9 the same batch comes again');
$primary->stop('immediate');
$primary->start;
is($primary->safe_psql($db, $query), $batch, 'and after a crash');

# Restored into a new cluster, whose transaction ids are lower: with an open batch, a refused event and unread ones.
$primary->safe_psql($db, q(SELECT * FROM routing.consumer_nack('all', (SELECT id FROM routing.consumer_next('all') LIMIT 1), '0')));
route($primary, $db, 'unread', ['I1', 1]);
my $restored = new_server('restored');
command_ok([ 'pg_dump', '-Fc', '-d', $primary->connstr($db), '-f', "$dir/consumers.dump" ], 'pg_dump');
command_ok([ 'pg_restore', '-1', '-d', $restored->connstr($db), "$dir/consumers.dump" ], 'pg_restore -1 into a new cluster');
$primary->stop;
is($restored->safe_psql($db, 'SELECT routing.stream_epoch()'), '2', 'a new epoch begins');
cmp_ok($restored->safe_psql($db, 'SELECT pg_snapshot_xmax(pg_current_snapshot())'), '<',
	$restored->safe_psql($db, 'SELECT min(pg_snapshot_xmax(last_snapshot)::text::bigint) FROM routing.consumer'), 'with lower transaction ids');
is($restored->safe_psql($db, q(SELECT batch_id = (SELECT batch_id FROM routing.consumer WHERE consumer = 'all') FROM routing.consumer_next('all') LIMIT 1)), 't',
	'the open batch is still open');
my $token = $restored->safe_psql($db, q(SELECT token FROM routing.event_since('now')));
route($restored, $db, "new-$_", ['I2', 1]) foreach 1 .. 5;
foreach my $name (sort keys %share)
{
	consumer_start($restored, $name)->finish;
	is(slurp_file("$dir/consumer.$name"), '', "$name goes on in the new cluster");
	is_complete($restored, "$name, restored", $share{$name}, got_of($restored, $name));
}
is($restored->safe_psql($db, qq(SELECT count(*) FROM routing.event_since('$token') WHERE aggregatetype = 'order')), '10', 'tokens go on as well');
is_sound($restored, $db, 'at the end');

$restored->stop;
done_testing();
