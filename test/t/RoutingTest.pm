# What the TAP tests share: a server with the extension, a small distributor,
# bound ERP tables, and the questions that must have the same answer whatever
# happened before.

package RoutingTest;

use strict;
use warnings;

# a wait that does not end is a failure after one minute, not after three
BEGIN { $ENV{PG_TEST_TIMEOUT_DEFAULT} ||= 60; }

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_server load_network order_sql route bind_erp bound_order_sql
  is_verified is_sound pgbench_start write_script row_sums);

# A running server.  Options: those of Cluster->init, conf => text, and plugin => 1:
# it may load our output plugin.
sub new_server
{
	my ($name, %options) = @_;
	my $conf = delete $options{conf} || '';
	my $plugin = delete $options{plugin};
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(%options);
	$node->append_conf(
		'postgresql.conf', qq(
timezone = 'UTC'
log_timezone = 'UTC'
deadlock_timeout = 100ms
log_statement = none
routing.event_validate = error
));
	if ($plugin)
	{
		# newer minor versions load only the output plugins that are named
		my ($known) = run_command([ $node->installed_command('postgres'), '-D', $node->data_dir, '-C', 'output_plugin_libraries' ]);
		$node->append_conf('postgresql.conf', "output_plugin_libraries = 'pgoutput, test_decoding, routing'\n") if $known ne '';
	}
	$node->append_conf('postgresql.conf', $conf);
	$node->start;
	return $node;
}

# Extension, three nodes, two zones, one customer and $items items I1.. with
# $supply of each on hand at each node and half as much inbound in five days.
sub load_network
{
	my ($node, $db, $items, $supply) = @_;

	$node->safe_psql(
		$db, qq(
CREATE EXTENSION IF NOT EXISTS routing;
INSERT INTO routing.node (node, handling_cost) SELECT 'N' || n, 1 + n FROM generate_series(1, 3) n;
INSERT INTO routing.zone (zone) VALUES ('EAST'), ('WEST');
INSERT INTO routing.zone_area (country, postal_prefix, zone) VALUES ('US', '', 'EAST'), ('US', '9', 'WEST');
INSERT INTO routing.carrier (carrier) VALUES ('CARRIER');
INSERT INTO routing.service (service, carrier) VALUES ('GROUND', 'CARRIER');
INSERT INTO routing.lane (node, zone, service, transit_days, base_cost, cost_per_kg)
SELECT 'N' || n, z.zone, 'GROUND', 2 + abs(n - z.at), 5 + 2 * abs(n - z.at), 0.5
FROM generate_series(1, 3) n, (VALUES ('EAST', 1), ('WEST', 3)) z (zone, at);
INSERT INTO routing.customer (customer) VALUES ('C1');
INSERT INTO routing.item (item, weight_kg) SELECT 'I' || i, 1.25 FROM generate_series(1, $items) i;
INSERT INTO routing.supply (item, node, quantity)
SELECT 'I' || i, 'N' || n, $supply FROM generate_series(1, $items) i, generate_series(1, 3) n;
INSERT INTO routing.supply (item, node, ref, kind, available_on, quantity)
SELECT 'I' || i, 'N' || n, 'PO-' || i || '-' || n, 'purchase', current_date + 5, $supply / 2
FROM generate_series(1, $items) i, generate_series(1, 3) n;
CREATE SEQUENCE public.order_seq;
));
	return;
}

# The statements that insert an order: order_sql('S1', [item, quantity], ...)
sub order_sql
{
	my ($order_id, @lines) = @_;
	my $line_no = 0;
	my $sql     = "INSERT INTO routing.sales_order (order_id, customer, country, postal_code) "
	  . "VALUES ('$order_id', 'C1', 'US', '10001');\n";

	foreach my $line (@lines)
	{
		$line_no++;
		$sql .= "INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) "
		  . "VALUES ('$order_id', $line_no, '$line->[0]', $line->[1]);\n";
	}
	return $sql;
}

# Inserts an order in a transaction of its own and returns its status.
sub route
{
	my ($node, $db, $order_id, @lines) = @_;

	$node->safe_psql($db, "BEGIN;\n" . order_sql($order_id, @lines) . "COMMIT;");
	return $node->safe_psql($db, "SELECT status FROM routing.sales_order WHERE order_id = '$order_id'");
}

# ERP tables of their own, owned by a role that is no superuser: an order table
# with lines and write-back, a stock table.  Item names are those of load_network.
sub bind_erp
{
	my ($node, $db) = @_;

	$node->safe_psql(
		$db, q(
DO $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'regress_erp') THEN
		CREATE ROLE regress_erp LOGIN;
	END IF;
END
$$;
CREATE SCHEMA erp AUTHORIZATION regress_erp;
SET ROLE regress_erp;
CREATE TABLE erp.head (doc int PRIMARY KEY, cust text NOT NULL, ctry text NOT NULL, zip text NOT NULL, want date,
					   st text, whse text, prom date);
CREATE TABLE erp.pos (doc int REFERENCES erp.head ON DELETE CASCADE, ln int, sku text, qty int,
					  st text, whse text, prom date, PRIMARY KEY (doc, ln));
CREATE TABLE erp.stock (whse text, sku text, qty int, PRIMARY KEY (whse, sku));
CREATE SEQUENCE erp.doc_seq;
RESET ROLE;
INSERT INTO routing.item (item, weight_kg) VALUES ('E1', 1), ('E2', 2);
SELECT routing.bind('shop', '{
	"orders": {"table": "erp.head", "key": ["doc"],
			   "columns": {"customer": "cust", "country": "ctry", "postal_code": "zip", "requested_on": "want"},
			   "write_back": {"columns": {"status": "st", "node": "whse", "promised_on": "prom"}}},
	"lines": {"table": "erp.pos", "key": ["doc", "ln"],
			  "columns": {"line_no": "ln", "item": "sku", "quantity": "qty"},
			  "write_back": {"columns": {"status": "st", "node": "whse", "promised_on": "prom"}}}}');
SELECT routing.bind('stock', '{"supply": {"table": "erp.stock", "key": ["whse", "sku"],
	"columns": {"item": "sku", "node": "whse", "quantity": "qty"}}}');
INSERT INTO erp.stock SELECT 'N' || n, 'E' || i, 40 FROM generate_series(1, 3) n, generate_series(1, 2) i;
));
	return;
}

# The statements that insert a bound order, lines as in order_sql
sub bound_order_sql
{
	my ($doc, @lines) = @_;
	my $line_no = 0;
	my $sql = "INSERT INTO erp.head (doc, cust, ctry, zip) VALUES ($doc, 'C1', 'US', '10001');\n";

	foreach my $line (@lines)
	{
		$line_no++;
		$sql .= "INSERT INTO erp.pos (doc, ln, sku, qty) VALUES ($doc, $line_no, '$line->[0]', $line->[1]);\n";
	}
	return $sql;
}

sub is_verified
{
	my ($node, $db, $title) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	return is($node->safe_psql($db, 'SELECT * FROM routing.verify() LIMIT 20'), '', "$title: verify() is empty");
}

# item-nodes and days whose firm bookings exceed the supply until that day
my $overbooked = q(
WITH flow AS (
	SELECT tenant_id, item, node, available_on AS day, quantity FROM routing.supply
	UNION ALL
	SELECT tenant_id, item, node, needed_on, -quantity FROM routing.reservation WHERE "to" IS NULL AND state = 'firm'),
running AS (
	SELECT item, node, day, sum(quantity) OVER (PARTITION BY tenant_id, item, node ORDER BY day) AS balance FROM flow)
SELECT DISTINCT item, node, day, balance FROM running WHERE balance < 0 LIMIT 20);

# verify(), and the same invariants asked from outside: nothing promised that
# is not there, every order routed, every order's events without a gap.
sub is_sound
{
	my ($node, $db, $title) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	is_verified($node, $db, $title);
	is($node->safe_psql($db, $overbooked),
		'', "$title: no item-node has more firm reservations than supply on any day");
	is( $node->safe_psql(
			$db, q(SELECT o.order_id, o.status FROM routing.sales_order o
				   LEFT JOIN routing.decision d USING (tenant_id, decision_id)
				   WHERE (d.decision_id IS NULL OR d.order_id <> o.order_id OR o.status = 'received') LIMIT 20)),
		'',
		"$title: every order has its decision");
	is( $node->safe_psql(
			$db, q(SELECT l.order_id, l.line_no, l.status FROM routing.sales_order_line l
				   LEFT JOIN routing.sales_order o USING (tenant_id, order_id)
				   WHERE o.order_id IS NULL OR l.status = 'received' LIMIT 20)),
		'',
		"$title: no order line without its order or without an answer");
	is( $node->safe_psql(
			$db, q(SELECT o.order_id, o.event_version, e.versions FROM routing.sales_order o
				   LEFT JOIN (SELECT tenant_id, aggregateid AS order_id, array_agg(aggregateversion ORDER BY seq) AS versions
							  FROM routing.event WHERE aggregatetype = 'order' GROUP BY 1, 2) e USING (tenant_id, order_id)
				   WHERE e.versions IS DISTINCT FROM ARRAY(SELECT generate_series(1, o.event_version)) LIMIT 20)),
		'',
		"$title: the events of every order are numbered without a gap");
	return;
}

# A file for pgbench, in the test's own directory.
sub write_script
{
	my ($name, $text) = @_;
	my $file = "${PostgreSQL::Test::Utils::tmp_check}/$name.pgb";

	open(my $f, '>', $file) or die "$file: $!";
	print $f $text;
	close($f);
	return $file;
}

# Starts pgbench with these arguments as application "load"; its messages go to
# $file (nobody reads a pipe meanwhile), its report to $file.report.  The caller ends it with ->finish.
sub pgbench_start
{
	my ($node, $db, $file, @arguments) = @_;
	local $ENV{PGAPPNAME} = 'load';

	return IPC::Run::start(
		[
			$node->installed_command('pgbench'), '-n', '-M', 'prepared', '--max-tries=20',
			@arguments, $node->connstr($db)
		],
		'<', \undef, '>', "$file.report", '2>', $file, IPC::Run::timeout(120 + ($ENV{ROUTING_SOAK_SECONDS} || 0)));
}

# table => "rows md5" for every table of the schemas, rows ordered by their text
sub row_sums
{
	my ($node, $db, @schemas) = @_;
	my $list = join(', ', map { "'$_'" } @schemas);
	my @tables = split(
		/\n/,
		$node->safe_psql(
			$db, qq(SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
					WHERE n.nspname IN ($list) AND c.relkind IN ('r', 'p') ORDER BY 1)));
	my $query = join(
		"\nUNION ALL\n",
		map {
			"SELECT '$_', count(*) || ' ' || md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\"), '')) FROM $_ t"
		} @tables);

	return { map { split(/\|/, $_, 2) } split(/\n/, $node->safe_psql($db, $query)) };
}

1;
