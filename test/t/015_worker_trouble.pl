# What a worker meets in a server that is not its own: a launcher that is
# terminated, sessions that keep locks, a partition that cannot be dropped,
# settings of the database, an extension that is dropped under it, databases
# that nobody can connect to, no free slot, pg_upgrade.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;

my $db   = 'postgres';
my $node = new_server(
	'main',
	conf => qq(
shared_preload_libraries = 'routing'
routing.databases = 'postgres, "Mixed"'
routing.tick_interval = 100ms
routing.heartbeat_interval = 1
));

# pids of a database's workers
sub workers
{
	my ($of) = @_;
	return $node->safe_psql($db, qq(SELECT string_agg(pid::text, ',' ORDER BY pid) FROM pg_stat_activity
		WHERE backend_type = 'routing worker' AND datname = '$of'));
}

sub one_worker
{
	my ($of, $not) = @_;
	return $node->poll_query_until($db, qq(SELECT count(*) = 1 AND min(pid) <> $not FROM pg_stat_activity
		WHERE backend_type = 'routing worker' AND datname = '$of'));
}

sub ticks_on
{
	my ($of) = @_;
	my $at = $node->safe_psql($of, 'SELECT heartbeat_at FROM routing.stream_tick');
	return $node->poll_query_until($of, "SELECT heartbeat_at > '$at'::timestamptz + interval '3 s' FROM routing.stream_tick");
}

# an idle session of a database that has run some commands
sub holder
{
	my ($of, $sql) = @_;
	my ($in, $out) = ("$sql\n\\echo ready\n", '');
	my $h = IPC::Run::start([ 'psql', '-XAtq', '-f', '-', '-d', $node->connstr($of) ], '<', \$in, '>', \$out,
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));

	$h->pump until $out =~ /ready/;
	return { h => $h, in => \$in };
}

sub release
{
	my ($s, $sql) = @_;
	${ $s->{in} } .= "$sql\n\\q\n";
	$s->{h}->finish;
	return;
}

load_network($node, $db, 2, 1000);
one_worker($db, 0);

# whoever launches next knows nothing of the workers that are there
my $pid = workers($db);
my $launcher = $node->safe_psql($db, q(SELECT pg_terminate_backend(pid), pid FROM pg_stat_activity WHERE backend_type = 'routing launcher'));
$launcher =~ s/^t\|//;
ok($node->poll_query_until($db, "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'routing launcher' AND pid <> $launcher"),
	'a launcher that is terminated comes again');
ok(one_worker($db, $pid), 'and its worker is another one, and the only one');

# a name that has to be quoted
$node->safe_psql($db, 'CREATE DATABASE "Mixed"; CREATE DATABASE "Other-1"');
load_network($node, $_, 1, 100) foreach ('Mixed', 'Other-1');
ok(one_worker('Mixed', 0), 'a database whose name needs quotes has its worker');
is($node->safe_psql('Other-1', q(SELECT remedy FROM routing.doctor() WHERE subject = 'routing.databases')),
	q(ALTER SYSTEM SET routing.databases = 'postgres, "Mixed", "Other-1"', then reload; or have CALL routing.work() run every minute),
	'doctor() says what to set, with what is in it');

# a session that stays open, as pg_dump is for hours: ticks go on, and so do orders; what remains is done afterwards
$node->safe_psql($db, q(SELECT routing.event_partition((now() AT TIME ZONE 'UTC')::date - d) FROM unnest(ARRAY[100, 90]) d));
is($node->safe_psql($db, q(SELECT count(*) FROM routing.event_partitions_to_drop())), '2', 'two partitions are to go');
my $reader = holder($db, 'BEGIN; SELECT count(*) FROM routing.event;');
$node->safe_psql($db, q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'routing worker' AND datname = 'postgres'));
ok($node->poll_query_until($db, q(SELECT count(*) = 1 FROM routing.doctor() WHERE problem LIKE 'its detaching was begun%')),
	'detaching a partition has begun');
ok(ticks_on($db), 'and the worker ticks while somebody has not let go of it');
is(route($node, $db, 'MEANWHILE', ['I1', 1]), 'allocated', 'and orders are routed');
release($reader, 'COMMIT;');
ok($node->poll_query_until($db, q(SELECT count(*) = 0 FROM routing.event_partitions_to_drop())), 'then they are dropped');
is($node->safe_psql($db, q(SELECT count(*) FROM routing.doctor() WHERE problem LIKE 'its detaching%')), '0', 'and nothing is left half-done');

# a partition that cannot be dropped is a matter of the log, not of those who wait for ticks
$node->safe_psql($db, q(SELECT routing.event_partition((now() AT TIME ZONE 'UTC')::date - 80)));
my $leaf = $node->safe_psql($db, q(SELECT leaf FROM routing.event_partitions_to_drop()));
$node->safe_psql($db, "CREATE VIEW public.kept AS SELECT * FROM routing.$leaf");
my $offset = -s $node->logfile;
$node->safe_psql($db, q(SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'routing worker' AND datname = 'postgres'));
$node->wait_for_log(qr/cannot drop table routing\.$leaf because other objects depend on it/, $offset);
$pid = workers($db);
ok(ticks_on($db), 'a partition that something depends on does not stop the ticks');
is(workers($db), $pid, 'of the same worker');
$node->safe_psql($db, 'DROP VIEW public.kept');
ok($node->poll_query_until($db, q(SELECT count(*) = 0 FROM routing.event_partitions_to_drop())), 'and it is tried again');

# the tenant that a session has if it chooses none need not be there
$node->safe_psql('Mixed', q(UPDATE routing.tenant SET tenant = 'acme'; DELETE FROM routing.stream_mark));
$pid = workers('Mixed');
$node->safe_psql('Mixed', q(SELECT routing.start_stream_epoch('for news')));
ok($node->poll_query_until('Mixed', 'SELECT count(*) > 0 FROM routing.stream_mark'), 'the worker needs no tenant of its own to tell of events');
is(workers('Mixed'), $pid, 'and stays');

# what a database sets for its sessions
$node->safe_psql($db, q(ALTER DATABASE "Mixed" SET default_transaction_read_only = on;
	ALTER DATABASE "Mixed" SET default_transaction_isolation = serializable; ALTER DATABASE "Mixed" SET lock_timeout = 1));
$pid = workers('Mixed');
$node->safe_psql($db, "SELECT pg_terminate_backend($pid)");
one_worker('Mixed', $pid);
ok(ticks_on('Mixed'), 'it ticks in a database that is read-only by default');
$node->safe_psql($db, 'ALTER DATABASE "Mixed" RESET ALL');

# the extension goes while its worker waits for it, and somebody else takes its name
$offset = -s $node->logfile;
$pid = workers('Mixed');
$node->safe_psql('Mixed', q(CREATE TABLE public.trap (who text); GRANT INSERT ON public.trap TO PUBLIC;
BEGIN;
DROP EXTENSION routing;
CREATE SCHEMA IF NOT EXISTS routing;
CREATE FUNCTION routing.tick() RETURNS boolean LANGUAGE sql AS 'INSERT INTO public.trap VALUES (session_user) RETURNING true';
SELECT pg_sleep(1);
COMMIT;));
ok($node->poll_query_until($db, "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid"), 'without its extension a worker ends');
is($node->safe_psql('Mixed', 'SELECT count(*) FROM public.trap'), '0', 'and calls no function that somebody else has made');
unlike(slurp_file($node->logfile, $offset), qr/ERROR/, 'without an error');
$node->safe_psql('Mixed', 'DROP SCHEMA routing CASCADE');
$node->safe_psql('Mixed', 'CREATE EXTENSION routing');
ok(one_worker('Mixed', 0), 'with it again there is one again');

# databases that nobody can connect to
$node->safe_psql($db, q(ALTER SYSTEM SET routing.databases = 'postgres, broken'; CREATE DATABASE broken;
	UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'broken'));
$offset = -s $node->logfile;
$node->reload;
ok($node->poll_query_until($db, q(SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'routing worker' AND datname <> 'postgres')),
	'taken from the list a worker ends');
$pid = $node->safe_psql($db, q(SELECT pid FROM pg_stat_activity WHERE backend_type = 'routing launcher'));
$node->safe_psql($db, "SELECT pg_reload_conf()") && select(undef, undef, undef, 1) foreach (1 .. 2);
unlike(slurp_file($node->logfile, $offset), qr/FATAL:  cannot connect to invalid database/, 'a database whose removal was interrupted is left alone');
$node->safe_psql($db, 'DROP DATABASE broken');

# no slot is left: said once, not in each round
$node->append_conf('postgresql.conf', "max_worker_processes = 2\nmax_logical_replication_workers = 0\n");
$node->safe_psql($db, q(ALTER SYSTEM SET routing.databases = 'postgres, "Mixed", "Other-1"'));
$offset = -s $node->logfile;
$node->restart;
$node->wait_for_log(qr/all background worker slots are taken/, $offset);
$node->safe_psql($db, "SELECT pg_reload_conf()") && select(undef, undef, undef, 1) foreach (1 .. 2);
my $said = () = slurp_file($node->logfile, $offset) =~ /all background worker slots are taken/g;
is($said, 1, 'that no slot is left is said once');

# pg_upgrade starts servers with -b, to move them as they are
$node->stop;
$offset = -s $node->logfile;
PostgreSQL::Test::Utils::system_or_bail('pg_ctl', '-w', '-D', $node->data_dir, '-l', $node->logfile, '-o', '-b', 'start');
is($node->safe_psql($db, q(SELECT pg_sleep(2); SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'routing%')), "\n0",
	'in binary upgrade mode nothing of it runs');
PostgreSQL::Test::Utils::system_or_bail('pg_ctl', '-w', '-D', $node->data_dir, '-m', 'fast', 'stop');
done_testing();
