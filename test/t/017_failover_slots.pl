# Slots that a standby has, too, which servers offer from 17 on: the stream goes
# on at the promoted standby where its consumer was, without a gap, and nothing
# is sent that the standby could lack.  slot_status() and doctor() notice what
# would stop either.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;

my $db = 'postgres';
my $primary = new_server('primary', allows_streaming => 'logical', plugin => 1);
$primary->safe_psql($db, q(CREATE EXTENSION routing; SELECT routing.create_event_partitions(1)));

my ($ret, $stdout, $stderr) = $primary->psql($db, q(\set VERBOSITY verbose
SELECT slot_name FROM routing.create_slot('kept', failover => true)));
if ($primary->safe_psql($db, 'SHOW server_version_num') < 170000)
{
	like($stderr, qr/RT150: this server has no failover slots\nHINT:  They came with PostgreSQL 17\./, 'a server without failover slots says so');
	$primary->safe_psql($db, q(SELECT routing.create_slot('plain')));
	is($primary->safe_psql($db, q(SELECT slot_name, failover, problem FROM routing.slot_status())), 'plain||', 'and shows none');
	done_testing();
	exit;
}
is($stdout, 'kept', 'a slot with failover');

# What a consumer of the slot gets, as [id, aggregate, version]; it confirms that.
sub read_slot
{
	my ($node, $slot) = @_;
	my $rows = $node->safe_psql($db, qq(SELECT e ->> 'id', e ->> 'subject', (e ->> 'aggregateversion')::bigint
		FROM pg_logical_slot_get_changes('$slot', NULL, NULL) c, LATERAL (SELECT c.data::jsonb) j (e)));

	return map { [ split(/\|/, $_) ] } split(/\n/, $rows);
}
sub aggregates { return join(' ', map { "$_->[1]:$_->[2]" } grep { $_->[1] =~ m{^order/} } @_) }
sub problem_of
{
	my ($node, $slot) = @_;

	return $node->safe_psql($db, "SELECT problem FROM routing.slot_status() WHERE slot_name = '$slot'");
}
my $slot_errors = q(SELECT subject, problem FROM routing.doctor() WHERE severity = 'error' AND (subject LIKE 'replication slot%' OR subject = 'sync_replication_slots'));

$primary->safe_psql($db, q(SELECT routing.create_slot('plain'); SELECT pg_create_physical_replication_slot('standby_1', true)));
is($primary->safe_psql($db, q(SELECT slot_name, failover, problem FROM routing.slot_status() ORDER BY 1)), "kept|t|\nplain|f|", 'slots with and without it');
load_network($primary, $db, 3, 1000);

# ---- a standby that is set up wrong, then right

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
my $conninfo = $primary->connstr . " dbname=$db";
$standby->append_conf('postgresql.conf', qq(
primary_conninfo = '$conninfo'
primary_slot_name = 'standby_1'
hot_standby_feedback = off
sync_replication_slots = on
));
$standby->start;
is($standby->safe_psql($db, $slot_errors),
	'sync_replication_slots|it is on, and nothing brings slots from the primary: after a promotion consumers would have to go on with routing.event_since()',
	'a standby that brings no slots is noticed');
$standby->append_conf('postgresql.conf', 'hot_standby_feedback = on');
$standby->reload;
ok($standby->poll_query_until($db, "SELECT NOT EXISTS ($slot_errors AND subject = 'sync_replication_slots')"), 'until it can');

$primary->append_conf('postgresql.conf', q(synchronized_standby_slots = 'standby_1'));
$primary->reload;
# the slot wants rows of the catalog that the standby may have let go
ok($standby->poll_query_until($db, q(SELECT problem FROM routing.slot_status() WHERE slot_name = 'kept'),
	'it is not in step with the primary: after a promotion now its consumer would have to go on with routing.event_since()'), 'a slot that nobody has read is not ready');
like($standby->safe_psql($db, $slot_errors), qr/^replication slot kept\|it is not in step/, 'doctor() says so');
is(route($primary, $db, 'S1', ['I1', 1]), 'allocated', 'an order');
my @got = read_slot($primary, 'kept');
is(aggregates(@got), 'order/S1:1 order/S1:2', 'its events are sent');
# what the standby has of the slot comes into step as the primary's moves on
ok($standby->poll_query_until($db, q(SELECT count(*) = 1 FROM routing.slot_status() WHERE slot_name = 'kept' AND problem IS NULL)), 'the standby has the slot');
is($standby->safe_psql($db, q(SELECT slot_name, failover FROM routing.slot_status())), 'kept|t', 'and no other');
is($standby->safe_psql($db, $slot_errors), '', 'doctor() is content with the standby');
is($primary->safe_psql($db, $slot_errors), '', 'and with the primary');

# ---- nothing is sent that the standby does not have

$standby->stop;
ok($primary->poll_query_until($db, q(SELECT NOT active FROM pg_replication_slots WHERE slot_name = 'standby_1')), 'the standby is away');
is(problem_of($primary, 'kept'), 'its consumer gets nothing new: synchronized_standby_slots has standby_1, and no standby is connected there', 'slot_status() tells what that means');
is(problem_of($primary, 'plain'), '', 'for slots with failover only');
like($primary->safe_psql($db, $slot_errors), qr/^replication slot kept\|its consumer gets nothing new/, 'so does doctor()');
is(route($primary, $db, 'S2', ['I2', 1]), 'allocated', 'orders are routed');
($ret, $stdout, $stderr) = $primary->psql($db, q(SET statement_timeout = 500; SELECT count(*) FROM pg_logical_slot_get_changes('kept', NULL, NULL)));
like($stderr, qr/canceling statement due to statement timeout/, 'what the standby does not have is not sent');
is(aggregates(read_slot($primary, 'plain')), 'order/S1:1 order/S1:2 order/S2:1 order/S2:2', 'but to those without failover');
$standby->start;
push @got, read_slot($primary, 'kept');
is(aggregates(@got), 'order/S1:1 order/S1:2 order/S2:1 order/S2:2', 'until it is back');
is(problem_of($primary, 'kept'), '', 'no problem any more');

# ---- failover

is(route($primary, $db, 'S3', ['I3', 1]), 'allocated', 'an order that nobody has read of');
$primary->wait_for_catchup($standby);
$primary->stop('immediate');
is($standby->safe_psql($db, q(SELECT slot_name, problem FROM routing.slot_status())), 'kept|', 'the primary is gone, the standby has the slot');
$standby->promote;
is($standby->safe_psql($db, q(SELECT failover, problem FROM routing.slot_status())), 't|', 'after the promotion, too');
is(route($standby, $db, 'S4', ['I1', 1]), 'allocated', 'an order at the new primary');
my @more = read_slot($standby, 'kept');
like(aggregates(@more), qr{order/S3:1 order/S3:2 order/S4:1 order/S4:2$}, 'the stream goes on where its consumer was');
my %seen = map { ($_->[0] => 1) } @got, @more;
is(join(' ', grep { !$seen{$_} } split(/\n/, $standby->safe_psql($db, 'SELECT id FROM routing.event'))), '', 'no event is missing');
is(scalar(keys %seen), $standby->safe_psql($db, 'SELECT count(*) FROM routing.event'), 'none was seen that is gone');
is_sound($standby, $db, 'after the failover');

done_testing();
