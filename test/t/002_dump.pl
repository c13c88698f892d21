# Dump and restore: every row of every table arrives, nothing is routed or
# emitted a second time, sequences go on, bindings work in the new database.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;

my $source = 'origin';
my $node   = new_server('dump');
my $dir    = ${PostgreSQL::Test::Utils::tmp_check};

$node->safe_psql('postgres', "CREATE DATABASE $source");
# yesterday's partition is the only one, so the first events go there
$node->safe_psql($source, "CREATE EXTENSION routing; SELECT routing.event_partition((now() AT TIME ZONE 'UTC')::date - 1)");
load_network($node, $source, 3, 40);
$node->safe_psql(
	$source, q(
INSERT INTO routing.policy (policy, version, state, definition)
VALUES ('standard', 1, 'active', '{"split_penalty": "3.50", "max_shipments": 4}'),
	   ('careful', 1, 'draft', '{"lateness_per_day": {"1": "9.00"}}');
-- rows that name others, which a restore may bring later: a node, a policy, a function of an extension's user
CREATE FUNCTION public.far(text, text, jsonb) RETURNS numeric LANGUAGE sql RETURN 1;
INSERT INTO routing.policy (policy, version, state, definition) VALUES ('zz', 1, 'active', '{"max_shipments": 2}');
INSERT INTO routing.policy (policy, version, state, definition)
VALUES ('aa', 1, 'active', '{"extends": "zz", "nodes": {"list": ["N1"]}, "custom": [{"name": "far", "function": "public.far"}]}');
UPDATE routing.policy SET state = 'retired' WHERE policy = 'zz';
UPDATE routing.policy SET comment = 'moved behind what extends it' WHERE policy = 'zz';
INSERT INTO routing.channel (channel) VALUES ('web');
-- calendars with their days, one of single days only; inbound whose day as stock rests on them; a carrier that failed
BEGIN;
INSERT INTO routing.calendar (calendar, weekdays) VALUES ('days', '{1,2,3,4,5,6,7}'), ('fair', '{}');
INSERT INTO routing.calendar_day (calendar, day, open)
SELECT 'days', current_date + n, false FROM generate_series(3, 9) n UNION ALL SELECT 'fair', current_date + 30, true;
COMMIT;
UPDATE routing.node SET calendar = 'days', dock_days = 2, cut_off = '23:59:59.999' WHERE node = 'N1';
INSERT INTO routing.supply (item, node, ref, kind, quantity, available_on) VALUES ('I3', 'N1', 'DOCK', 'purchase', 4, current_date + 2);
INSERT INTO routing.service (service, carrier, calendar) SELECT 'pigeon', c.carrier, 'fair' FROM routing.carrier c LIMIT 1;
INSERT INTO routing.pickup (node, service, weekday) VALUES ('N1', 'pigeon', 3);
SELECT routing.report_service_failure('pigeon', 'N1', 'lost', 'R' || n) FROM generate_series(1, 5) n;
INSERT INTO routing.service_wait (order_id, retry_at) VALUES ('nobody', '2999-12-31');
INSERT INTO routing.rule_wait VALUES (1, 'nobody', 1, 'I1');
INSERT INTO routing.item_node (item, node, safety_stock) VALUES ('I1', 'N1', 5), ('I2', 'N2', 0.5);
INSERT INTO routing.tenant (tenant_id, tenant, currency) VALUES (2, 'acme', 'EUR');
INSERT INTO routing.tenant_member (tenant_id, role) VALUES (2, 'pg_monitor');
));

is(route($node, $source, "early-$_", ['I1', $_], ['I2', 2.5]), 'allocated', "order early-$_ is allocated") for 1 .. 3;
$node->safe_psql($source, 'SELECT routing.create_event_partitions(2)');
bind_erp($node, $source);
route($node, $source, "late-$_", ['I3', 25], ['I2', 1]) for 1 .. 8;
$node->safe_psql($source, q(SELECT routing.cancel_order('early-2')));
$node->safe_psql($source, "BEGIN;\n" . bound_order_sql($_, ['E1', $_], ['E2', 1], ['I1', 1]) . 'COMMIT;') for 1 .. 6;
$node->safe_psql($source, q(UPDATE erp.pos SET qty = 7 WHERE doc = 2 AND ln = 1; DELETE FROM erp.head WHERE doc = 3));
# a shortage leaves victims and exceptions, another tenant has rows of its own,
# and a bad row of the ERP's waits
$node->safe_psql($source, q(INSERT INTO routing.setting (issue_grace, receipt_tolerance) VALUES ('0', 0.1)));
$node->safe_psql($source, q(UPDATE routing.supply SET quantity = 1 WHERE item = 'I3' AND node = 'N1' AND ref = ''));
$node->safe_psql($source, "BEGIN;\n" . bound_order_sql(90, ['no such item', 1]) . 'COMMIT;');
$node->safe_psql(
	$source, q(
SET routing.tenant = 'acme';
INSERT INTO routing.node (node, time_zone) VALUES ('HH', 'Europe/Berlin');
INSERT INTO routing.zone (zone) VALUES ('DE');
INSERT INTO routing.zone_area (country, zone) VALUES ('DE', 'DE');
INSERT INTO routing.carrier (carrier) VALUES ('POST');
INSERT INTO routing.service (service, carrier) VALUES ('PARCEL', 'POST');
INSERT INTO routing.lane (node, zone, service, transit_days) VALUES ('HH', 'DE', 'PARCEL', 1);
INSERT INTO routing.customer (customer) VALUES ('K1');
INSERT INTO routing.item (item) VALUES ('T1');
INSERT INTO routing.supply (item, node, quantity) VALUES ('T1', 'HH', 3);
BEGIN;
INSERT INTO routing.sales_order (order_id, customer, country, postal_code) VALUES ('A-1', 'K1', 'DE', '20095');
INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES ('A-1', 1, 'T1', 2);
COMMIT;
));

# the rest of the ledger: rules and settings, lots, allotments, holds, other
# demand, what waits beyond the horizon, goods that were issued, slots
$node->safe_psql(
	$source, q(
INSERT INTO routing.supply_rule (kind, status, delay_days, late_days) VALUES ('purchase', 'planned', 4, 2);
UPDATE routing.setting SET issue_grace = '1 hour' WHERE tenant_id = 1;
INSERT INTO routing.item (item, control) VALUES ('LOT', 'lot'), ('SER', 'serial'), ('FAR', 'none'), ('ALL', 'none'), ('HOT', 'none');
INSERT INTO routing.item_uom (item, uom, factor) VALUES ('ALL', 'box', 12);
INSERT INTO routing.item (item) VALUES ('KIT');
INSERT INTO routing.item_component (item, component, quantity) VALUES ('KIT', 'ALL', 2), ('KIT', 'HOT', 1.5);
INSERT INTO routing.item_substitute (item, substitute, ratio, penalty) VALUES ('FAR', 'ALL', 2, 0.5);
INSERT INTO routing.item_node (item, node, lead_time_days, dock_days) VALUES ('FAR', 'N1', 10, 2);
INSERT INTO routing.supply (item, node, lot, quantity, expires_on) VALUES ('LOT', 'N1', 'L1', 5, current_date + 30),
	('LOT', 'N1', 'L2', 5, current_date + 60), ('SER', 'N1', 'S-1', 1, NULL), ('SER', 'N1', 'S-2', 1, NULL);
INSERT INTO routing.supply (item, node, quantity) VALUES ('FAR', 'N1', 1), ('ALL', 'N1', 60), ('HOT', 'N1', 4000);
INSERT INTO routing.supply (item, node, ref, kind, status, available_on, quantity)
VALUES ('ALL', 'N1', 'PO-ALL', 'purchase', 'planned', current_date - 3, 20);
INSERT INTO routing.channel (channel, parent) VALUES ('shop', 'web');
INSERT INTO routing.allotment (item, node, channel, quota, max_quantity, buffer) VALUES ('ALL', 'N1', 'web', 30, NULL, 0), ('ALL', 'N1', 'shop', 10, 25, 1);
));
my %has = map { $_ => 1 } split(/\n/,
	$node->safe_psql($source, q(SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'routing'::regnamespace)));

sub document
{
	my ($item, $quantity) = @_;

	return qq({"customer": "C1", "channel": "shop", "ship_to": {"country": "US", "postal_code": "10001"}, )
	  . qq("lines": [{"item": "$item", "quantity": "$quantity"}]});
}

sub hold
{
	my ($item, $quantity, $ttl) = @_;

	return $node->safe_psql($source, "SELECT routing.hold('" . document($item, $quantity) . "', '$ttl')");
}
route($node, $source, 'lots', ['LOT', 7], ['SER', 1]);
$node->safe_psql($source, "BEGIN;\n" . order_sql('shop', ['ALL', 15]) . "UPDATE routing.sales_order SET channel = 'shop' WHERE order_id = 'shop';\nCOMMIT;");
$node->safe_psql($source, "BEGIN;\n" . order_sql('far', ['FAR', 9]) . "UPDATE routing.sales_order SET requested_on = current_date + 40 WHERE order_id = 'far';\nCOMMIT;");
my @states = qw(firm uncovered cancelled planned);
my $hold;
if ($has{hold})
{
	$hold = hold('ALL', 2, '10 days');
	my $confirmed = hold('LOT', 1, '1 hour');
	my $cancelled = hold('ALL', 3, '1 hour');
	hold('ALL', 4, '1 ms');
	$node->safe_psql($source, "SELECT routing.confirm_hold('$confirmed'); SELECT routing.cancel_hold('$cancelled');");
	push @states, 'hold';
}
if ($has{put_demand})
{
	$node->safe_psql($source, q(SELECT routing.put_demand('WO-1', 'ALL', 'N1', 2, current_date + 3);
		SELECT routing.put_transfer('TR-1', 'HOT', 'N1', 'N2', 5, current_date + 1, current_date + 4);
		SELECT routing.adjust_on_hand('ALL', 'N1', -1, 'count-1'); SELECT routing.receive('PO-ALL', 5, 'receipt-1')));
}
if ($has{confirm_ship})
{
	$node->safe_psql($source, q(SELECT routing.confirm_ship('early-3')));
	push @states, 'issued';
}
$node->safe_psql($source, 'SELECT routing.roll()') if $has{roll};

# the queue is worked off; then stock falls for which an issue may come, and one
# more shortage, whose victims wait in the queue
$node->safe_psql($source, 'SELECT routing.run_jobs()');
$node->safe_psql($source, q(UPDATE routing.supply SET quantity = 1 WHERE item = 'I2' AND node = 'N1' AND ref = ''));
push @states, 'at_risk';
$node->safe_psql($source, q(UPDATE routing.setting SET issue_grace = '0' WHERE tenant_id = 1));
$node->safe_psql($source, q(SET routing.settle_reroute_limit = 0; UPDATE routing.supply SET quantity = 1 WHERE item = 'I3' AND node = 'N2' AND ref = ''));
$node->safe_psql($source, q(UPDATE routing.setting SET issue_grace = '1 hour' WHERE tenant_id = 1));
# shipments that others may join, of two orders
$node->safe_psql($source, q(INSERT INTO routing.policy (policy, version, state, definition) VALUES ('join', 1, 'active', '{"consolidate": true}')));
$node->safe_psql($source, "BEGIN;\n" . order_sql($_, ['HOT', 1]) . "UPDATE routing.sales_order SET policy = 'join' WHERE order_id = '$_';\nCOMMIT;")
  for 'join-1', 'join-2';
$node->safe_psql($source, "SET routing.escrow = always;\nBEGIN;\n" . order_sql('hot', ['HOT', 3]) . 'COMMIT;');

# the database holds what the test is about
is($node->safe_psql($source, 'SELECT count(*) FROM routing.open_shipment'), '2', 'there are open shipments');
is($node->safe_psql($source, 'SELECT count(*) > 0 FROM routing.position WHERE slot > 0'), 't', 'there are slots');
is($node->safe_psql($source, 'SELECT count(*) > 0 FROM routing.claim'), 't', 'there are claims') if $has{roll};
is($node->safe_psql($source, "SELECT s FROM unnest('{" . join(',', @states) . "}'::text[]) s WHERE s NOT IN (SELECT state FROM routing.reservation)"),
	'', 'there are bookings in every state');
is_verified($node, $source, 'before the dump');
is($node->safe_psql($source, 'SELECT count(DISTINCT part_on) > 1 FROM routing.event'),
	't', 'there are events in more than one partition');
is($node->safe_psql($source, 'SELECT count(*) > 0 FROM routing.exception'), 't', 'there are exceptions');
is($node->safe_psql($source, q(SELECT count(*) FROM routing.pending WHERE binding <> '')), '1', 'there is a pending key');

# every row; that lanes and kits came with a restore is noted like any that come
sub rows_of
{
	my ($db) = @_;
	my %rows = %{ row_sums($node, $db, 'routing', 'erp') };

	delete $rows{'routing.rule_change'} or die 'no rule_change';
	return \%rows;
}
my %before = %{ rows_of($source) };
my $catalog = q(
SELECT tgrelid::regclass, tgname, tgenabled, tgdeferrable, tginitdeferred, pg_get_triggerdef(oid) FROM pg_trigger
WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace IN ('routing'::regnamespace, 'erp'::regnamespace))
ORDER BY tgrelid::regclass::text COLLATE "C", tgname;
SELECT i.indrelid::regclass, pg_get_indexdef(i.indexrelid) FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid AND c.relnamespace IN ('routing'::regnamespace, 'erp'::regnamespace)
ORDER BY i.indrelid::regclass::text COLLATE "C", pg_get_indexdef(i.indexrelid) COLLATE "C";
SELECT c.oid::regclass, c.relowner::regrole, c.relrowsecurity, pg_get_expr(c.relpartbound, c.oid), polname, pg_get_expr(polqual, polrelid)
FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
WHERE c.relnamespace IN ('routing'::regnamespace, 'erp'::regnamespace) AND c.relkind IN ('r', 'p', 'v')
ORDER BY c.oid::regclass::text COLLATE "C", polname;);
my $offers = q(SELECT item, node, d, c, routing.atp(item, node, current_date + d, c)
	FROM (SELECT DISTINCT item, node FROM routing.position WHERE tenant_id = 1) p, unnest(ARRAY[0, 4, 40]) d, unnest(ARRAY['web', 'shop']) c
	ORDER BY item, node, d, c);
my $offers_before   = $node->safe_psql($source, $offers);
my $promised_before = $node->safe_psql($source, 'SELECT (SELECT count(*) FROM routing.event), (SELECT count(*) FROM routing.decision),
	(SELECT md5(string_agg(r::text, chr(10) ORDER BY r::text COLLATE "C")) FROM routing.reservation r)');
my $catalog_before = $node->safe_psql($source, $catalog);
my $sequences      = q(SELECT sequencename, last_value FROM pg_sequences WHERE schemaname IN ('routing', 'erp') ORDER BY 1);
my $sequences_before = $node->safe_psql($source, $sequences);
my ($max_event, $max_decision) = split(/\|/,
	$node->safe_psql($source, 'SELECT (SELECT max(seq) FROM routing.event), (SELECT max(decision_id) FROM routing.decision)'));

# no table of ours may be missing from a dump
is( $node->safe_psql(
		$source, q(SELECT c.oid::regclass FROM pg_class c
			JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
			JOIN pg_extension e ON e.extname = 'routing' AND d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
			WHERE c.relkind IN ('r', 'p', 'S') AND c.oid <> ALL (e.extconfig))),
	'',
	'every table and sequence of the extension is marked for dumps');

my @connection = ('-h', $node->host, '-p', $node->port);
sub run_ok
{
	my ($title, @command) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	return $node->command_ok(\@command, $title);
}

# Checks the database that was made from the dump in the manner of $how.
sub check_restored
{
	my ($how, $db) = @_;
	my %after = %{ rows_of($db) };

	is_deeply(\%after, \%before, "$how: every row of every table is there");
	is($node->safe_psql($db, $sequences), $sequences_before, "$how: the sequences stand where they stood");
	is($node->safe_psql($db, $catalog), $catalog_before, "$how: triggers, indexes, owners and row-level security are the same");
	is_verified($node, $db, "$how, after the restore");
	is($node->safe_psql($db, q(SELECT * FROM routing.reconcile('stock'))), '', "$how: the ERP's stock and the engine agree");

	# what was held and promised is neither offered nor decided again
	is($node->safe_psql($db, $offers), $offers_before, "$how: the same is offered");
	$node->safe_psql($db, 'SELECT routing.roll(); SELECT routing.roll()') if $has{roll};
	is($node->safe_psql($db, 'SELECT (SELECT count(*) FROM routing.event), (SELECT count(*) FROM routing.decision),
		(SELECT md5(string_agg(r::text, chr(10) ORDER BY r::text COLLATE "C")) FROM routing.reservation r)'),
		$promised_before, "$how: roll() finds nothing to do: no event, no decision, no booking changes");

	# life goes on
	if ($hold)
	{
		my $order = $node->safe_psql($db, "SELECT routing.confirm_hold('$hold')");

		is($node->safe_psql($db, "SELECT status FROM routing.sales_order WHERE order_id = '$order'"), 'allocated', "$how: a hold of before becomes an order");
		is($node->safe_psql($db, q(SELECT routing.atp('ALL', 'N1', current_date, 'shop'))),
			$node->safe_psql($source, q(SELECT routing.atp('ALL', 'N1', current_date, 'shop'))), "$how: and is not counted twice");
	}
	is(route($node, $db, 'lots-2', ['LOT', 1]), 'allocated', "$how: lots are promised");
	is(route($node, $db, 'hot-2', ['HOT', 20]), 'allocated', "$how: what was divided into slots is promised");
	is(route($node, $db, 'new-1', ['I2', 1]), 'allocated', "$how: a new order is routed");
	is( $node->safe_psql(
			$db, qq(SELECT o.decision_id > $max_decision,
					(SELECT min(seq) > $max_event AND array_agg(aggregateversion ORDER BY seq) = ARRAY[1, 2]::bigint[]
					 FROM routing.event WHERE aggregateid LIKE '%new-1')
					FROM routing.sales_order o WHERE order_id = 'new-1')),
		't|t',
		"$how: with new numbers for its decision and its events");
	$node->safe_psql($db, "SET ROLE regress_erp; BEGIN;\n" . bound_order_sql(50, ['E2', 2]) . 'COMMIT;');
	is($node->safe_psql($db, q(SELECT h.st, p.st, p.whse IS NOT NULL, h.prom IS NOT NULL FROM erp.head h JOIN erp.pos p USING (doc) WHERE doc = 50)),
		'allocated|allocated|t|t', "$how: a bound order is routed and answered");
	is($node->safe_psql($db, q(UPDATE erp.stock SET qty = qty + 5 WHERE whse = 'N1' AND sku = 'E1';
		SELECT s.quantity - e.qty FROM routing.supply s JOIN erp.stock e ON e.whse = s.node AND e.sku = s.item WHERE s.node = 'N1' AND s.item = 'E1')),
		'0', "$how: bound stock is followed");
	$node->safe_psql($db, q(DELETE FROM erp.head WHERE doc = 90; SELECT routing.run_jobs()));
	is($node->safe_psql($db, 'SELECT key, reason FROM routing.pending'), '', "$how: what was pending is settled after its correction");
	is($node->safe_psql($db, q(SELECT * FROM routing.reconcile('shop'))), '', "$how: the ERP's orders and the engine agree");
	is($node->safe_psql($db, q(SELECT routing.cancel_order('early-1'))), 't', "$how: an order of before can be cancelled");
	is($node->safe_psql($db, q(SELECT severity, subject, problem FROM routing.doctor() WHERE severity = 'error')), '', "$how: doctor() finds no error");
	is_verified($node, $db, "$how, after new work");
	return;
}

run_ok('pg_dump -Fc', 'pg_dump', @connection, '-Fc', '-f', "$dir/dump.custom", $source);
$node->safe_psql('postgres', 'CREATE DATABASE restored_custom TEMPLATE template0');
run_ok('pg_restore -1', 'pg_restore', @connection, '-1', '-d', 'restored_custom', "$dir/dump.custom");
check_restored('pg_restore -1', 'restored_custom');

run_ok('pg_dump', 'pg_dump', @connection, '-f', "$dir/dump.sql", $source);
$node->safe_psql('postgres', 'CREATE DATABASE restored_plain TEMPLATE template0');
run_ok('psql', 'psql', @connection, '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-o', "$dir/psql.out", '-f', "$dir/dump.sql", 'restored_plain');
check_restored('psql', 'restored_plain');

# Row by row, and in an order that several jobs make.  pg_restore -j knows of no
# foreign keys between tables of an extension, so they are off; our triggers are
# not, since they fire always.
run_ok('pg_dump --rows-per-insert', 'pg_dump', @connection, '-Fc', '--rows-per-insert=7', '-f', "$dir/dump.inserts", $source);
$node->safe_psql('postgres', 'CREATE DATABASE restored_jobs TEMPLATE template0');
{
	local $ENV{PGOPTIONS} = '-c session_replication_role=replica';
	run_ok('pg_restore -j', 'pg_restore', @connection, '-j', '3', '-d', 'restored_jobs', "$dir/dump.inserts");
}
check_restored('pg_restore -j of inserts', 'restored_jobs');

is_deeply(rows_of($source), \%before, 'the dumps changed nothing in the source');
is_verified($node, $source, 'at the end');

$node->stop;
done_testing();
