# A streaming standby: whatever promises and reports works there, assigns no
# transaction id and sees changes of reference data; whatever writes says why it
# cannot.  After the primary is lost in the middle of load and the standby
# promoted, everything adds up and orders are routed.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;

my $db = 'postgres';
my $primary = new_server('primary', allows_streaming => 1);

load_network($primary, $db, 4, 200);
bind_erp($primary, $db);
is(route($primary, $db, 'S1', ['I1', 3], ['I2', 2]), 'allocated', 'an order on the primary');
$primary->safe_psql($db, "BEGIN;\n" . bound_order_sql(1, ['E1', 1]) . 'COMMIT;');
# one that rests on inbound
$primary->safe_psql($db, q(INSERT INTO routing.item (item) VALUES ('X1');
INSERT INTO routing.supply (item, node, ref, kind, available_on, quantity) VALUES ('X1', 'N1', 'PO-X', 'purchase', current_date + 5, 10)));
is(route($primary, $db, 'S3', ['X1', 4]), 'scheduled', 'an order that rests on inbound');
# a role that may read and nothing else
$primary->safe_psql($db, q(CREATE ROLE regress_reader LOGIN; SELECT routing.grant_access('regress_reader', 'read')));

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\nmax_standby_streaming_delay = -1\n");
$standby->start;
$primary->wait_for_catchup($standby);

my $document = q({"customer":"C1","ship_to":{"country":"US","postal_code":"10001"},"lines":[{"item":"I1","quantity":"50"},{"item":"I2","quantity":"300"}]});
my %reading = (
	atp          => q(SELECT routing.atp('I1', n) FROM unnest(ARRAY['N1', 'N2', 'N3']) n ORDER BY n),
	atp_total    => q(SELECT routing.atp_total('I1'), routing.atp_total('I1', current_date + 30)),
	atp_nodes    => q(SELECT * FROM routing.atp_nodes('I1', 250) ORDER BY node),
	atp_timeline => q(SELECT * FROM routing.atp_timeline('I1', 'N1') ORDER BY 1),
	availability => q(SELECT * FROM routing.availability ORDER BY tenant_id, item, node),
	atp_table    => q(SELECT * FROM routing.atp_table(to_date => current_date + 30) ORDER BY 1, 2, 3),
	atp_as_of    => q(SELECT routing.atp_as_of('I1', n, NULL, now()) FROM unnest(ARRAY['N1', 'N2', 'N3']) n ORDER BY n),
	pegging      => q(SELECT * FROM routing.pegging('X1') ORDER BY order_id),
	impact       => q(SELECT * FROM routing.impact('PO-X', current_date + 9)),
	simulate     => q(SELECT * FROM routing.simulate('standard', 0, now() - interval '1 hour', (SELECT max(decided_at) FROM routing.decision)) ORDER BY 1),
	compare      => q(SELECT * FROM routing.compare('standard', ARRAY[0], now() - interval '1 hour', (SELECT max(decided_at) FROM routing.decision))),
	promise      => qq(SELECT * FROM routing.promise('$document')),
	explain      => q(SELECT * FROM routing.explain('S1')));
my %reporting = (
	verify    => 'SELECT * FROM routing.verify()',
	recall    => q(SELECT order_id, changed, new_nodes FROM routing.recall('standard', 0, '-infinity', '2100-01-01') WHERE order_id IS NULL),
	reconcile => q(SELECT * FROM routing.reconcile('shop') UNION ALL SELECT * FROM routing.reconcile('stock')),
	doctor    => q(SELECT subject, problem FROM routing.doctor() WHERE severity = 'error'));

foreach my $call (sort keys %reading)
{
	my $answer = $primary->safe_psql($db, $reading{$call});

	isnt($answer, '', "$call answers on the primary");
	is($standby->safe_psql($db, $reading{$call}), $answer, "$call answers the same on the standby");
	is($standby->safe_psql($db, "SET SESSION AUTHORIZATION regress_reader; $reading{$call}"), $answer, "$call also to a reader");
}
foreach my $call (sort keys %reporting)
{
	is($standby->safe_psql($db, $reporting{$call}), '', "$call works on the standby and finds nothing wrong");
}
# one by one, so that a failure has a name; on the primary, where it is possible at all
foreach my $call (sort(keys %reading), sort(keys %reporting))
{
	my $sql = $reading{$call} // $reporting{$call};

	is($primary->safe_psql($db, "BEGIN; SELECT count(*) * 0 FROM ($sql) x; SELECT pg_current_xact_id_if_assigned() IS NULL; COMMIT;"),
		"0\nt", "$call assigns no transaction id");
}

# what writes is refused in words, on the standby and in a read-only transaction
my %writing = (
	'an order'    => order_sql('S2', ['I1', 1]),
	supply        => q(UPDATE routing.supply SET quantity = 1),
	route_order   => q(SELECT * FROM routing.route_order('S1')),
	cancel_order  => q(SELECT routing.cancel_order('S1')),
	sync          => q(SELECT routing.sync('stock')),
	pause         => q(SELECT routing.pause('stock')),
	resume        => q(SELECT routing.resume('stock')),
	unbind        => q(SELECT routing.unbind('stock')),
	bind          => q(SELECT routing.bind('again', '{"supply": {"table": "erp.stock", "key": ["whse", "sku"], "columns": {"item": "sku", "node": "whse", "quantity": "qty"}}}')),
	run_jobs      => q(SELECT routing.run_jobs()),
	partitions    => q(SELECT routing.create_event_partitions(20)),
	publication   => q(SELECT routing.create_publication()),
	'a bound row' => bound_order_sql(2, ['E1', 1]));
foreach my $call (sort keys %writing)
{
	foreach my $where ($standby, $primary)
	{
		my $name = $where->name;
		my $readonly = $where == $primary ? 'READ ONLY' : '';
		my ($status, $stdout, $stderr) = $where->psql($db, "\\set VERBOSITY verbose\nBEGIN $readonly;\n$writing{$call};\nCOMMIT;");

		like($stderr, qr/ERROR:  25006: cannot .*(read-only transaction|during recovery)/, "$call is refused on the $name with read_only_sql_transaction");
	}
}
is($standby->safe_psql($db, $reading{atp}), $primary->safe_psql($db, $reading{atp}), 'and changed nothing');

# sessions on the standby cache reference data and notice changes of it
my $session = $standby->background_psql($db, on_error_stop => 0);
my $nodes   = qq(SELECT string_agg(DISTINCT node, ' ' ORDER BY node) FROM routing.promise('$document') WHERE item = 'I1');
is($session->query_safe($nodes), 'N1', 'a session on the standby is promised from N1');
$primary->safe_psql($db, q(UPDATE routing.node SET status = 'closed' WHERE node = 'N1'));
$primary->wait_for_catchup($standby);
is($session->query_safe($nodes), 'N2', 'from N2 once N1 is closed on the primary');
$primary->safe_psql($db, q(UPDATE routing.node SET status = 'open' WHERE node = 'N1'));
$primary->wait_for_catchup($standby);
is($session->query_safe($nodes), 'N1', 'and from N1 again when it is open');

# under load every snapshot of the standby adds up, too
my $order = write_script('order', q(\set a random(1, 4)
\set b random(1, 4)
\set q random(1, 4)
BEGIN;
SELECT nextval('public.order_seq') AS n \gset
INSERT INTO routing.sales_order (order_id, customer, country, postal_code) VALUES ('L' || :n, 'C1', 'US', '10001');
INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES ('L' || :n, 1, 'I' || :a, :q), ('L' || :n, 2, 'I' || :b, 1);
COMMIT;
));
my $supply = write_script('supply', q(\set a random(1, 4)
\set n random(1, 3)
\set d random(-15, 10)
UPDATE routing.supply SET quantity = greatest(0, quantity + :d) WHERE item = 'I' || :a AND node = 'N' || :n AND ref = '';
));
my $bench = pgbench_start($primary, $db, "${PostgreSQL::Test::Utils::tmp_check}/load.out", '-c', '4', '-j', '2', '-T', '60',
	'-f', "$order\@5", '-f', "$supply\@1");
my $orders = 0;
for my $sample (1 .. 5)
{
	$standby->poll_query_until($db, qq(SELECT count(*) >= $orders + 60 FROM routing.sales_order)) or BAIL_OUT('the standby gets nothing');
	$orders = $standby->safe_psql($db, 'SELECT count(*) FROM routing.sales_order');
	is($session->query_safe('SELECT * FROM routing.verify() LIMIT 20'), '', "sample $sample on the standby under load: verify() is empty");
}

# the primary is lost, the standby takes over
$primary->stop('immediate');
$bench->finish;
$standby->promote;
is_sound($standby, $db, 'after the promotion');
is($session->query_safe("BEGIN;\n" . order_sql('P1', ['I1', 1]) . "COMMIT;\nSELECT status = 'received' FROM routing.sales_order WHERE order_id = 'P1'"),
	'f', 'a session of the standby has its order routed');
is($session->query_safe(q(SELECT routing.cancel_order('S1'))), 't', 'and cancels one');
$session->quit;
# enough for all that wait, too
$standby->safe_psql($db, "UPDATE routing.supply SET quantity = quantity + 100000 WHERE item LIKE 'I%';\nSELECT routing.run_jobs();");
is(route($standby, $db, 'P2', ['I1', 5], ['I3', 5]), 'allocated', 'orders are allocated on the new primary');
$standby->safe_psql($db, "BEGIN;\n" . bound_order_sql(3, ['E1', 2]) . 'COMMIT;');
is($standby->safe_psql($db, 'SELECT st FROM erp.head WHERE doc = 3'), 'allocated', 'bound ones too');
is($standby->safe_psql($db, $reporting{reconcile}), '', 'the bound tables agree with the engine');
is_sound($standby, $db, 'at the end');

$standby->stop;
done_testing();
