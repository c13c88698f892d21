# PREPARE TRANSACTION: an order is routed when its transaction is prepared; the
# stock is held until COMMIT PREPARED or ROLLBACK PREPARED, also over a restart
# and a crash, and its events are read only after COMMIT PREPARED.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;

my $db = 'postgres';
my $node = new_server('prepared', allows_streaming => 'logical',
	conf => "max_prepared_transactions = 10\nwal_level = logical\nmax_replication_slots = 2\n");

load_network($node, $db, 4, 10);
bind_erp($node, $db);
# one node each, so that it is known whose stock is held; who loses stock loses it at once
$node->safe_psql($db, q(INSERT INTO routing.setting (issue_grace) VALUES ('0')));
$node->safe_psql($db, q(DELETE FROM routing.supply WHERE node <> 'N1' OR ref <> ''));
$node->safe_psql($db, q(SELECT pg_create_logical_replication_slot('events', 'test_decoding')));

sub prepare
{
	my ($gid, $sql) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($status, $stdout, $stderr) = $node->psql($db, "BEGIN;\n${sql}PREPARE TRANSACTION '$gid';");

	is("$status $stderr", '0 ', "$gid: the transaction is prepared");
	return;
}

sub atp { return $node->safe_psql($db, "SELECT routing.atp('$_[0]', 'N1')"); }

# Whether a session can lock the position of the item
sub is_held
{
	my ($item, $title) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($status, $stdout, $stderr) = $node->psql($db,
		"SELECT FROM routing.position WHERE item = '$item' AND node = 'N1' FOR NO KEY UPDATE NOWAIT");

	like($stderr, qr/could not obtain lock on row in relation "position"/, $title);
	return;
}

sub events_read
{
	my ($order_id) = @_;

	return $node->safe_psql($db, "SELECT count(*) FROM pg_logical_slot_peek_changes('events', NULL, NULL)
		WHERE data ~ '^table routing.event_' AND data LIKE '%aggregateid[text]:''$order_id''%'");
}

prepare('one', order_sql('P1', ['I1', 7]));
prepare('two', order_sql('P2', ['I2', 7]));
prepare('bound', bound_order_sql(1, ['I3', 6]));
prepare('cancelled', order_sql('P4', ['I4', 1]));
is($node->safe_psql($db, 'SELECT count(*) FROM pg_prepared_xacts'), '4', 'four transactions are prepared');
is($node->safe_psql($db, 'SELECT count(*) FROM routing.sales_order'), '0', 'nobody sees their orders');
is(events_read('P1'), '0', 'nobody reads their events');
is_held($_, "the position of $_ is held") foreach qw(I1 I2 I3);
is(atp('I1'), '10', 'a reader sees what is committed');
is_verified($node, $db, 'while they are prepared');

# an order that needs the same item-node waits; its own limit ends it, here
my ($status, $stdout, $stderr) = $node->psql($db, "SET lock_timeout = '200ms'; BEGIN;\n" . order_sql('W1', ['I1', 5]) . 'COMMIT;');
isnt($status, 0, 'an order for the same stock waits for the prepared one');
like($stderr, qr/canceling statement due to lock timeout/, 'until its lock timeout');
is($node->safe_psql($db, q(SELECT count(*) FROM routing.sales_order WHERE order_id = 'W1')), '0', 'and leaves nothing behind');

# over a shutdown, and over a crash
foreach my $mode (qw(fast immediate))
{
	$node->stop($mode);
	$node->start;
	is($node->safe_psql($db, 'SELECT count(*) FROM pg_prepared_xacts'), '4', "$mode stop: they are still prepared");
	is_held('I1', "$mode stop: the stock is still held");
	is_verified($node, $db, "$mode stop");
}

# a waiting order gets what is left once the first is committed
my $waiting = $node->background_psql($db, on_error_stop => 0);
$waiting->query_safe("SET application_name = 'waiting'; BEGIN;\n" . order_sql('W2', ['I1', 5]));
$waiting->query_until(qr/^committing$/m, "\\echo committing\nCOMMIT;\n\\echo committed\n");
ok($node->poll_query_until($db, q(SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'waiting' AND wait_event_type = 'Lock')),
	'a session waits for the prepared order');
$node->safe_psql($db, q(COMMIT PREPARED 'one'));
$waiting->query_until(qr/^done$/m, "\\echo done\n");
$waiting->quit;
is($node->safe_psql($db, q(SELECT order_id, status FROM routing.sales_order WHERE order_id IN ('P1', 'W2') ORDER BY 1)),
	"P1|allocated\nW2|partially_allocated", 'the prepared order has its units, the one that waited the rest');
is(atp('I1'), '0', 'and nothing is left');
is(events_read('P1'), '2', 'its events are read after COMMIT PREPARED');

$node->safe_psql($db, q(ROLLBACK PREPARED 'two'));
is(atp('I2'), '10', 'ROLLBACK PREPARED gives the stock back');
is($node->safe_psql($db, q(SELECT (SELECT count(*) FROM routing.sales_order WHERE order_id = 'P2'), (SELECT count(*) FROM routing.reservation WHERE order_id = 'P2'),
	(SELECT count(*) FROM routing.event WHERE aggregateid LIKE '%P2'))), '0|0|0', 'and leaves no order, booking or event');
is(events_read('P2'), '0', 'nor an event in the stream');
is(route($node, $db, 'P2', ['I2', 10]), 'allocated', 'the order number and the stock can be used again');

$node->safe_psql($db, q(COMMIT PREPARED 'bound'));
is($node->safe_psql($db, q(SELECT h.st, h.whse, p.st, p.whse FROM erp.head h JOIN erp.pos p USING (doc))),
	'allocated|N1|allocated|N1', 'a bound order was answered when it was prepared');
is($node->safe_psql($db, q(SELECT * FROM routing.reconcile('shop'))), '', 'and agrees with the engine');

# the other writers of item-nodes: a cancellation and a stock count
$node->safe_psql($db, q(COMMIT PREPARED 'cancelled'));
prepare('cancellation', "SELECT routing.cancel_order('P4');\n");
prepare('count', "UPDATE routing.supply SET quantity = 4 WHERE item = 'I3' AND node = 'N1';\n");
is(atp('I4'), '9', 'a prepared cancellation has not given its stock back yet');
is($node->safe_psql($db, q(SELECT quantity FROM routing.supply WHERE item = 'I3')), '10', 'a prepared stock count is not seen yet');
$node->restart;
is_verified($node, $db, 'with a prepared cancellation and stock count');
$node->safe_psql($db, $_) foreach q(COMMIT PREPARED 'cancellation'), q(COMMIT PREPARED 'count');
is(atp('I4'), '10', 'COMMIT PREPARED gives the stock of the cancellation back');
is( $node->safe_psql(
		$db, q(SELECT l.status, r.state, sum(r.quantity) FROM routing.sales_order_line l JOIN routing.reservation r USING (tenant_id, order_id, line_no)
			   WHERE l.order_id = '1' GROUP BY 1, 2 ORDER BY 2)),
	"partially_allocated|changed|6\npartially_allocated|firm|4\npartially_allocated|lapsed|2",
	'and the stock count has its victim');
is($node->safe_psql($db, q(SELECT order_id, item, node, quantity FROM routing.claim WHERE order_id = '1')), '1|I3|N1|2', 'which waits for what it lost');

# A prepared transaction lets two others line up behind it: a stock count whose
# victim will be S5, then the cancellation of S5, which has read its bookings
# before it waits.  What the count took away must not be given back again.
is(route($node, $db, 'S5', ['I4', 6]), 'allocated', 'an order for the queue');
prepare('queue', order_sql('P6', ['I4', 1]));
my %queue = ('1 count' => q(UPDATE routing.supply SET quantity = 3 WHERE item = 'I4' AND node = 'N1'),
	'2 cancellation' => q(SELECT routing.cancel_order('S5')));
my %client;
foreach my $name (sort keys %queue)
{
	$client{$name} = $node->background_psql($db, on_error_stop => 0);
	$client{$name}->query_safe("SET application_name = '$name'");
	$client{$name}->query_until(qr/^sent$/m, "\\echo sent\n$queue{$name};\n");
	ok($node->poll_query_until($db, "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = '$name' AND wait_event_type = 'Lock'"),
		"$name waits");
}
$node->safe_psql($db, q(COMMIT PREPARED 'queue'));
foreach my $name (sort keys %client)
{
	$client{$name}->query_until(qr/^done$/m, "\\echo done\n");
	is($client{$name}->{stderr} =~ /ERROR/ ? $client{$name}->{stderr} : '', '', "$name is done");
	$client{$name}->quit;
}
is($node->safe_psql($db, q(SELECT status FROM routing.sales_order WHERE order_id = 'S5')), 'cancelled', 'the order is cancelled');
is_verified($node, $db, 'after a cancellation that waited behind a stock count');
$node->safe_psql($db, 'SELECT routing.run_jobs()');
is($node->safe_psql($db, 'SELECT count(*) FROM pg_prepared_xacts'), '0', 'nothing is left prepared');
$node->safe_psql($db, 'SELECT routing.run_jobs()');
is_sound($node, $db, 'at the end');
$node->safe_psql($db, q(SELECT pg_drop_replication_slot('events')));

$node->stop;
done_testing();
