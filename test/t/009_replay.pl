# Decisions made under concurrent load are made again from what they recorded,
# after network, items and policies have changed and stock has moved: each
# gives the plan that it gave then, found by comparing the record with itself
# and, independently, with the reservation rows that the decision wrote.
#
# ROUTING_REPLAYS: how many decisions at the least, instead of 10,000.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;
use Time::HiRes qw(time);

my $wanted = $ENV{ROUTING_REPLAYS} || 10000;
my $items  = 40;
my $db     = 'postgres';
my $tmp    = ${PostgreSQL::Test::Utils::tmp_check};
my $node   = new_server('replay', conf => "max_connections = 40\nsynchronous_commit = off\nfsync = off\n");

load_network($node, $db, $items, 300);
$node->safe_psql($db, <<'SQL');
INSERT INTO routing.customer (customer, priority) VALUES ('BEST', 1), ('LAST', 9);
INSERT INTO routing.policy (policy, version, state, definition, approved_at, activated_at, effective_at)
VALUES ('standard', 1, 'active', '{"split_penalty": 3, "stock_balance": 2}', now(), now(), now());
SQL

my $order = q(
\set c random(1, 3)
\set d random(0, 9)
\set z random(1, 9)
\set n random(1, 4)
\set a random(1, 40)
\set q random(1, 6)
BEGIN;
INSERT INTO routing.sales_order (order_id, customer, country, postal_code, requested_on)
VALUES ('S' || nextval('public.order_seq'), (ARRAY['C1', 'BEST', 'LAST'])[:c], 'US', :z || '0001', CASE WHEN :d::int > 2 THEN current_date + :d::int END);
INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity)
SELECT 'S' || currval('public.order_seq'), k, 'I' || 1 + (:a::int + 7 * k) % 40, :q::int + k % 3 FROM generate_series(1, :n::int) k;
END;
);
my %scripts = (
	order   => [30, $order],
	receipt => [
		8, q(
\set a random(1, 40)
\set n random(1, 3)
UPDATE routing.supply SET quantity = quantity + 20 WHERE item = 'I' || :a AND node = 'N' || :n AND ref = '';
)],
	shrink => [
		2, q(
\set a random(1, 40)
\set n random(1, 3)
UPDATE routing.supply SET quantity = floor(quantity * 0.7) WHERE item = 'I' || :a AND node = 'N' || :n AND ref = '';
)],
	cancel => [
		2, q(
\set k random(1, 300)
SELECT routing.cancel_order(o.order_id) FROM (SELECT order_id FROM routing.sales_order WHERE status = 'allocated' OFFSET :k LIMIT 1) o;
)],
	grow => [
		2, q(
\set k random(1, 300)
UPDATE routing.sales_order_line SET quantity = quantity + 2
WHERE (order_id, line_no) IN (SELECT order_id, line_no FROM routing.sales_order_line WHERE status IN ('allocated', 'scheduled') OFFSET :k LIMIT 1);
)]);
my @files = map { ('-f', write_script("replay_$_", $scripts{$_}[1]) . '@' . $scripts{$_}[0]) } sort keys %scripts;

# load until there are enough, but not for ever
my $began = time;
my $made  = 0;
while ($made < $wanted && time - $began < ($wanted > 10000 ? 3600 : 90))
{
	my $run = pgbench_start($node, $db, "$tmp/replay.log", '-c', 8, '-j', 2, '-T', 5, @files);
	ok($run->finish, 'load') or diag(slurp_file("$tmp/replay.log"));
	$made = $node->safe_psql($db, 'SELECT count(*) FROM routing.decision');
}
note(sprintf('%d decisions by 8 clients in %.0f s', $made, time - $began));
note($node->safe_psql($db, q(SELECT string_agg(format('%s %s', n, status), ', ' ORDER BY status)
	FROM (SELECT status, count(*) AS n FROM routing.decision GROUP BY 1) d)));
cmp_ok($made, '>=', $wanted, 'enough decisions');
is_verified($node, $db, 'after the load');

# a plan as the decision wrote it: a line that a change of supply divided later has other rows
my $as_written = q(
WITH plan AS (
	SELECT d.order_id, d.decision_id, r.line_no, r.node, r.service, r.needed_on, r.ship_on, r.deliver_on, sum(r.quantity) AS quantity
	FROM routing.decision d, routing.record_replay(d.record) r
	WHERE r.node IS NOT NULL AND d.decision_id <= (SELECT max(decision_id) FROM load.written) GROUP BY 1, 2, 3, 4, 5, 6, 7, 8),
both_sides AS (
	SELECT order_id, line_no, p.quantity IS NOT DISTINCT FROM w.quantity AS same
	FROM plan p FULL JOIN load.written w USING (order_id, decision_id, line_no, node, service, needed_on, ship_on, deliver_on))
SELECT count(*) FILTER (WHERE NOT same), count(*) > %d FROM both_sides b
WHERE NOT EXISTS (SELECT FROM load.divided x WHERE x.order_id = b.order_id AND x.line_no = b.line_no));
$node->safe_psql($db, <<'SQL');
CREATE SCHEMA load;
CREATE TABLE load.written AS
SELECT order_id, decision_id, line_no, node, service, needed_on, ship_on, deliver_on, sum(quantity) AS quantity
FROM routing.reservation WHERE decision_id IS NOT NULL AND part <= 1000000 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
CREATE TABLE load.divided AS SELECT DISTINCT order_id, line_no FROM routing.reservation WHERE part > 1000000;
SQL
is($node->safe_psql($db, sprintf($as_written, $wanted / 2)), '0|t', 'replayed plans are the reservation rows that were written');

my $plans = q(SELECT md5(string_agg(md5(d.decision_id || r::text), '' ORDER BY d.decision_id, r.line_no, r.shipment_no))
	FROM routing.decision d, routing.record_replay(d.record) r WHERE d.decision_id <= (SELECT max(decision_id) FROM load.written));
my $before = $node->safe_psql($db, $plans);

# nothing stays as it was
$node->safe_psql($db, <<'SQL');
SET client_min_messages = warning;
SET routing.settle_reroute_limit = 0;
UPDATE routing.lane SET base_cost = 100 - base_cost, cost_per_kg = 3, transit_days = transit_days + 4;
UPDATE routing.node SET handling_cost = 50 - handling_cost, rank = 10 - rank, time_zone = 'Pacific/Auckland';
DELETE FROM routing.lane WHERE node = 'N2';
UPDATE routing.item SET weight_kg = 77;
UPDATE routing.policy SET state = 'retired' WHERE version = 1;
INSERT INTO routing.policy (policy, version, state, definition, approved_at, activated_at, effective_at)
VALUES ('standard', 2, 'active', '{"split_penalty": 900, "max_shipments": 1}', now(), now(), now());
UPDATE routing.supply SET quantity = 0 WHERE item IN ('I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8');
DELETE FROM routing.supply WHERE ref <> '';
SQL

is($node->safe_psql($db, 'SELECT count(*) FROM routing.decision d WHERE NOT routing.record_same(d.record)'),
	'0', 'every decision gives the same plan again');
is($node->safe_psql($db, 'SELECT count(*) FROM routing.decision d, routing.replay(d.decision_id) r WHERE NOT r.same'),
	'0', 'so does replay()');
is($node->safe_psql($db, $plans), $before, 'part by part');
is($node->safe_psql($db, sprintf($as_written, $wanted / 2)), '0|t', 'they are still the reservation rows that were written');

$node->stop;
done_testing();
