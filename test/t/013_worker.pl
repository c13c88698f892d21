# The worker: it makes event partitions, drops old ones without stopping who
# writes, wakes listeners once per tick, writes heartbeats, survives kill -9 and
# lets go of a database when it is told to.  The same by CALL routing.work().
# Slots and what doctor() says of them.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;
use Time::HiRes qw(time);

my $db   = 'postgres';
my $node = new_server(
	'main',
	allows_streaming => 'logical',
	conf             => qq(
shared_preload_libraries = 'routing'
routing.databases = 'postgres, "no such database"'
routing.tick_interval = 200ms
routing.heartbeat_interval = 1
restart_after_crash = on
));

sub workers
{
	return $node->safe_psql($db, q(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'routing worker'));
}

# a session that stays open: what it is given runs at once, the answer is awaited
sub session
{
	my ($stdin, $stdout) = ('', '');
	my $timer = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default);
	my $h = IPC::Run::start([ 'psql', '-XAtq', '-v', 'ON_ERROR_STOP=0', '-f', '-', '-d', $node->connstr($db) ],
		'<', \$stdin, '>', \$stdout, $timer);

	return { in => \$stdin, out => \$stdout, h => $h, n => 0 };
}

sub ask
{
	my ($s, $sql) = @_;
	my $mark = '~' . ++$s->{n} . '~';

	${ $s->{in} } .= "$sql\n\\echo $mark\n";
	$s->{h}->pump until ${ $s->{out} } =~ /\Q$mark\E/;
	my $out = ${ $s->{out} };
	${ $s->{out} } = '';
	$out =~ s/\Q$mark\E\n//;
	return $out;
}

load_network($node, $db, 4, 100000);
ok($node->poll_query_until($db, q(SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'routing worker')),
	'a worker runs in the database that is named and has the extension');
ok($node->poll_query_until($db, q(SELECT count(*) >= 8 FROM routing.event_partitions() WHERE from_on >= (now() AT TIME ZONE 'UTC')::date)),
	'it has made the partitions of a week');
is($node->safe_psql($db, q(SELECT subject, problem FROM routing.doctor() WHERE subject IN ('routing.databases', 'routing.event'))),
	'', 'doctor() misses neither worker nor partition');

# ticks
my $listener = session();
ask($listener, 'LISTEN routing_events;');
my $before = time();
foreach my $i (1 .. 60)
{
	route($node, $db, "T$i", ['I1', 1]);
}
ok($node->poll_query_until($db, q(SELECT notified_at > (SELECT max(recorded_at) FROM routing.event) FROM routing.stream_tick)),
	'a tick follows the last event');
my $seconds = time() - $before;
my $heard   = () = ask($listener, 'SELECT 1;') =~ /notification "routing_events"/g;
cmp_ok($heard, '>=', 1, 'listeners are woken');
cmp_ok($heard, '<=', $seconds / 0.2 + 2, "at most once per tick: $heard times for 60 orders");
my $last = $node->safe_psql($db, 'SELECT notified_at FROM routing.stream_tick');
$node->safe_psql($db, "BEGIN;\n" . order_sql('NEVER', ['I1', 1]) . 'SELECT routing.route_order(\'NEVER\'); ROLLBACK;');
$node->poll_query_until($db, q(SELECT heartbeat_at > now() - interval '3 s' FROM routing.stream_tick));
is($node->safe_psql($db, 'SELECT routing.tick()'), 'f', 'a transaction that is rolled back is no news');
is($node->safe_psql($db, 'SELECT notified_at FROM routing.stream_tick'), $last, 'and nobody is woken');

# heartbeats
$node->safe_psql($db, q(SELECT pg_create_logical_replication_slot('beats', 'test_decoding')));
$node->safe_psql($db, q(CREATE TABLE unrelated AS SELECT repeat('x', 100) AS x FROM generate_series(1, 20000)));
ok($node->poll_query_until($db,
		q(SELECT count(*) > 0 FROM pg_logical_slot_peek_changes('beats', NULL, NULL, 'skip-empty-xacts', '1') WHERE data LIKE '%prefix: routing,%heartbeat')),
	'a heartbeat is written when the WAL has moved');
$node->safe_psql($db, q(SELECT pg_drop_replication_slot('beats'); DROP TABLE unrelated));

# retention: who writes is not stopped, and what is in use is not dropped under him
$node->safe_psql($db, q(SELECT routing.event_partition((now() AT TIME ZONE 'UTC')::date - d) FROM unnest(ARRAY[100, 31, 30, 29]) d));
is($node->safe_psql($db, q(SELECT count(*), bool_and(unread_by = '{}') FROM routing.event_partitions_to_drop())), '2|t',
	'partitions that ended 30 days ago are to go, younger ones stay');
my $writer = session();
ask($writer, "BEGIN;\n" . order_sql('OPEN', ['I2', 1]) . "SELECT routing.route_order('OPEN');");
$node->safe_psql($db, q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'routing worker'));
ok($node->poll_query_until($db,
		q(SELECT count(*) = 1 FROM routing.event_partitions() WHERE NOT attached)),
	'the new worker does not drop a partition before the writer is through');
is(route($node, $db, 'MEANWHILE', ['I3', 1]), 'allocated', 'and orders are routed meanwhile');
is($node->safe_psql($db, q(SELECT count(*) FROM routing.event WHERE aggregateid = 'MEANWHILE')), '2', 'and read');
ask($writer, 'COMMIT;');
ok($node->poll_query_until($db, q(SELECT count(*) = 0 FROM routing.event_partitions_to_drop())), 'then they are dropped');
is($node->safe_psql($db, q(SELECT count(*) FROM pg_class WHERE relnamespace = 'routing'::regnamespace AND relname ~ '^event_\d{8}$'
	AND to_date(right(relname, 8), 'YYYYMMDD') < (now() AT TIME ZONE 'UTC')::date)), '2', 'and nothing else');

# a server that stops between detaching and dropping leaves a table that is known again, and one that
# somebody detached himself stays
$node->safe_psql($db, q(CREATE TABLE routing.event_19990101 (LIKE routing.event); CREATE TABLE routing.event_19990102 (LIKE routing.event);
COMMENT ON TABLE routing.event_19990101 IS 'expired events, being dropped'));
$node->safe_psql($db, 'CALL routing.work()');
is($node->safe_psql($db, q(SELECT to_regclass('routing.event_19990101'), to_regclass('routing.event_19990102'))),
	'|routing.event_19990102', 'what was left half-done is finished');
$node->safe_psql($db, 'DROP TABLE routing.event_19990102');

# by procedure, where no worker runs
$node->safe_psql($db, 'CREATE DATABASE other');
load_network($node, 'other', 2, 100);
$node->safe_psql('other', q(SELECT routing.event_partition((now() AT TIME ZONE 'UTC')::date - d) FROM unnest(ARRAY[50, 40, 0]) d));
is($node->safe_psql('other', q(SELECT severity FROM routing.doctor() WHERE subject = 'routing.databases')), 'warning',
	'doctor() notices a database without a worker');
my ($in, $out) = ('', '');
my $timer = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default);
my $holder = IPC::Run::start([ 'psql', '-XAtq', '-f', '-', '-d', $node->connstr('other') ], '<', \$in, '>', \$out, $timer);
$in .= "BEGIN;\n" . order_sql('O1', ['I1', 1]) . "SELECT routing.route_order('O1');\n\\echo ready\n";
$holder->pump until $out =~ /ready/;
$node->safe_psql('other', 'CALL routing.work()');
is($node->safe_psql('other', q(SELECT count(*), (SELECT count(*) FROM routing.event_partitions_to_drop()) FROM routing.event_partitions())), '10|2',
	'work() makes partitions, and drops none while somebody writes');
is(route($node, 'other', 'O2', ['I2', 1]), 'allocated', 'nor does it stop anybody');
$in .= "COMMIT;\n\\q\n";
$holder->finish;
$node->safe_psql('other', 'CALL routing.work()');
is($node->safe_psql('other', q(SELECT count(*), (SELECT count(*) FROM routing.event_partitions_to_drop()) FROM routing.event_partitions())), '8|0',
	'the next one drops them');
is_verified($node, 'other', 'the other database');

# retention that waits for nobody
is($node->safe_psql($db, q(SELECT count(*) FROM routing.doctor() WHERE subject = 'routing.event_retention_max')), '0', 'doctor() is content with retention');
$node->safe_psql($db, q(ALTER SYSTEM SET routing.event_retention_max = 29));
$node->reload;
ok($node->poll_query_until($db, q(SELECT count(*) = 1 FROM routing.doctor() WHERE subject = 'routing.event_retention_max' AND severity = 'warning'
	AND problem LIKE 'it is 29 days, less than routing.event_retention with 30:%')), 'until the maximum is less than the retention');
$node->safe_psql($db, q(ALTER SYSTEM RESET routing.event_retention_max));
$node->reload;

# slots and doctor()
is($node->safe_psql($db, q(SELECT setting LIKE '%routing%' FROM pg_settings WHERE name = 'output_plugin_libraries')) || 'f', 'f',
	'the server allows its own output plugins only, if it knows the setting');
my $knows = $node->safe_psql($db, q(SELECT current_setting('output_plugin_libraries', true) IS NOT NULL)) eq 't';
# from 18 on the server goes on without a publication that is not there yet
my $goes_on = $node->safe_psql($db, 'SHOW server_version_num') >= 180000;
my $older = 'it may be older than the publication: '
  . ($goes_on ? 'what was written between the two is left out then; routing.event_since() has it' : 'decoding fails then until it is dropped and made again');
my ($ret, $stdout, $stderr) = $node->psql($db, q(SELECT routing.create_slot('early', 'pgoutput')));
like($stderr, qr/publication "routing_events" does not exist\nHINT:  Call routing.create_publication\(\) first/, 'no slot before the publication');
$node->safe_psql($db, q(SELECT pg_create_logical_replication_slot('early', 'pgoutput')));
route($node, $db, 'BETWEEN', ['I1', 1]);
$node->safe_psql($db, q(SELECT routing.create_publication()));
route($node, $db, 'AFTER', ['I1', 1]);
is($node->safe_psql($db, q(SELECT slot_name, problem FROM routing.slot_status())),
	"early|$older", 'a slot older than the publication is noticed');
($ret, $stdout, $stderr) = $node->psql($db, q(SELECT count(*) FROM pg_logical_slot_peek_binary_changes('early', NULL, NULL, 'proto_version', '1', 'publication_names', 'routing_events') WHERE get_byte(data, 0) = ascii('I')));
if   ($goes_on) { is($stdout, '2', 'and lacks what was written before') }
else            { like($stderr, qr/publication "routing_events" does not exist/, 'and cannot be read') }
is($node->safe_psql($db, q(SELECT severity, problem FROM routing.doctor() WHERE subject = 'replication slot early')),
	"error|$older", 'doctor() says so');
$node->safe_psql($db, q(SELECT pg_drop_replication_slot('early')));
is($node->safe_psql($db, q(SELECT slot_name, lsn IS NOT NULL FROM routing.create_slot('late', 'pgoutput'))), 'late|t', 'a slot after the publication');
route($node, $db, 'LATER', ['I1', 1]);
is($node->safe_psql($db, q(SELECT slot_name, plugin, active, unconfirmed_bytes > 0, problem FROM routing.slot_status())), 'late|pgoutput|f|t|', 'is sound');
is($node->safe_psql($db, q(SELECT count(*) FROM pg_logical_slot_peek_binary_changes('late', NULL, NULL, 'proto_version', '1', 'publication_names', 'routing_events') WHERE get_byte(data, 0) = ascii('I'))),
	'2', 'and has the events');
foreach my $what ('ALL TABLES', 'TABLES IN SCHEMA routing')
{
	$node->safe_psql($db, "DROP PUBLICATION IF EXISTS routing_events; DROP PUBLICATION IF EXISTS wide; CREATE PUBLICATION wide FOR $what");
	is($node->safe_psql($db, q(SELECT problem FROM routing.slot_status())),
		$older, "a publication FOR $what has the events, too");
}
$node->safe_psql($db, 'DROP PUBLICATION wide');
is($node->safe_psql($db, q(SELECT problem FROM routing.slot_status())), 'no publication has routing.event: its consumer gets no events', 'without one there are none');
$node->safe_psql($db, 'SELECT routing.create_publication()');
($ret, $stdout, $stderr) = $node->psql($db, q(SELECT routing.create_slot('late', 'pgoutput')));
like($stderr, qr/replication slot "late" exists already/, 'a name twice');
($ret, $stdout, $stderr) = $node->psql($db, q(SELECT routing.create_slot('Bad-Name')));
like($stderr, qr/slot name "Bad-Name" is not valid/, 'a bad name');
SKIP:
{
	skip 'this server has no output_plugin_libraries: every library may be used', 4 unless $knows;
	($ret, $stdout, $stderr) = $node->psql($db, q(SELECT routing.create_slot('ours')));
	like($stderr, qr/output_plugin_libraries does not name routing: it is pgoutput, test_decoding\nHINT:  ALTER SYSTEM SET/, 'a plugin that is not allowed');
	is($node->safe_psql($db, q(SELECT count(*) FROM routing.doctor() WHERE subject = 'output_plugin_libraries')),
		'0', 'that is no problem for who does not use it');
	# one name with a comma within: the server reads it as such, and allows nothing
	$node->safe_psql($db, q(ALTER SYSTEM SET output_plugin_libraries = 'pgoutput, routing'));
	$node->reload;
	ok($node->poll_query_until($db, q(SELECT count(*) = 1 FROM routing.doctor() WHERE subject = 'output_plugin_libraries' AND severity = 'error'
		AND problem LIKE 'output_plugin_libraries has one name with commas within%')), 'the quoting trap is noticed');
	($ret, $stdout, $stderr) = $node->psql($db, q(SELECT count(*) FROM pg_logical_slot_peek_binary_changes('late', NULL, NULL, 'proto_version', '1', 'publication_names', 'routing_events')));
	isnt($ret, 0, 'which blocks even pgoutput');
	$node->safe_psql($db, q(ALTER SYSTEM RESET output_plugin_libraries));
	$node->reload;
}
$node->safe_psql($db, q(SELECT pg_drop_replication_slot('late')));

# kill -9: the server recovers, and the worker is back
my $pid = $node->safe_psql($db, q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'routing worker'));
foreach my $s ($listener, $writer)
{
	${ $s->{in} } .= "\\q\n";
	$s->{h}->finish;
}
kill 'KILL', $pid;
my $again = '';
for (my $tries = 0; $tries < 600 && $again ne '1'; $tries++)
{
	# while the server recovers the client may not even take its input
	eval { (undef, $again) = $node->psql($db, qq(SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'routing worker' AND pid <> $pid)) };
	$again = '' unless defined $again;
	select(undef, undef, undef, 0.1);
}
is($again, '1', 'after kill -9 of the worker it is started again');
is(route($node, $db, 'AFTERWARDS', ['I1', 1]), 'allocated', 'and orders are routed');
is_sound($node, $db, 'after kill -9 of the worker');

# taken from the list, the worker lets go
$node->safe_psql($db, 'DROP DATABASE other');
$node->append_conf('postgresql.conf', "routing.databases = ''");
$node->reload;
ok($node->poll_query_until($db, q(SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'routing worker')), 'taken from the list it ends');
is_verified($node, $db, 'at the end');
$node->stop;
unlike(slurp_file($node->logfile), qr/FATAL:  terminating background worker "routing/, 'it ends without noise in the log');
done_testing();
