# The cluster is killed in the middle of load, three times: what was committed
# is whole afterwards (routed, booked, accounted, with its events), what was
# not committed has left nothing behind.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;
use Time::HiRes qw(usleep);

my $rounds = 3;
my $db     = 'postgres';
my $node   = new_server('crash', conf => 'synchronous_commit = on');

# few units for many orders, so that the clients meet on the same positions
load_network($node, $db, 4, 150);
bind_erp($node, $db);

my %script = (
	order => q(\set a random(1, 4)
\set b random(1, 4)
\set q random(1, 3)
\set zip random(1, 9)
BEGIN;
SELECT nextval('public.order_seq') AS n \gset
INSERT INTO routing.sales_order (order_id, customer, country, postal_code, requested_on)
VALUES ('S' || :n, 'C1', 'US', :zip || '0001', current_date + :q * 3);
INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity)
VALUES ('S' || :n, 1, 'I' || :a, :q), ('S' || :n, 2, 'I' || :b, 1);
COMMIT;
),
	# units come and go; some of what is promised is lost on the way
	supply => q(\set a random(1, 4)
\set n random(1, 3)
\set d random(-12, 15)
UPDATE routing.supply SET quantity = greatest(0, quantity + :d)
WHERE item = 'I' || :a AND node = 'N' || :n AND ref = '';
),
	cancel => q(SELECT routing.cancel_order(order_id) FROM (SELECT order_id FROM routing.sales_order
	WHERE status <> 'cancelled' AND binding = '' ORDER BY random() LIMIT 1) o;
),
	erp => q(\set a random(1, 2)
\set q random(1, 2)
BEGIN;
SELECT nextval('erp.doc_seq') AS n \gset
INSERT INTO erp.head (doc, cust, ctry, zip) VALUES (:n, 'C1', 'US', '10001');
INSERT INTO erp.pos (doc, ln, sku, qty) VALUES (:n, 1, 'E' || :a, :q), (:n, 2, 'I' || :a, 1);
COMMIT;
));
my @load = map { ('-f', write_script($_->[0], $script{ $_->[0] }) . '@' . $_->[1]) }
  (['order', 6], ['supply', 2], ['cancel', 1], ['erp', 2]);

# every process of the cluster, so that nobody goes on by himself
sub server_pids
{
	my ($postmaster) = split(/\n/, slurp_file($node->data_dir . '/postmaster.pid'));
	my @others = split(/\n/, $node->safe_psql($db, 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()'));

	return ($postmaster, @others);
}

my $before = 0;
for my $round (1 .. $rounds)
{
	my $file = "${PostgreSQL::Test::Utils::tmp_check}/load_$round.out";
	my $bench = pgbench_start($node, $db, $file, '-c', '6', '-j', '2', '-T', '100', @load);

	$node->poll_query_until($db, "SELECT count(*) >= $before + 400 FROM routing.sales_order WHERE binding = ''")
	  or BAIL_OUT("no load in round $round: " . slurp_file($file) . "");
	ok( $node->poll_query_until($db, "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'load' AND state <> 'idle'"),
		"round $round: clients are at work");
	if ($round == 2)
	{
		$node->stop('immediate');
	}
	else
	{
		my @pids = server_pids();
		$node->kill9;
		kill('KILL', @pids[ 1 .. $#pids ]);
		# a new postmaster refuses to start while one of them is there
		for (1 .. 3000)
		{
			last unless kill(0, @pids);
			usleep(10_000);
		}
	}
	$bench->finish;
	my $out = slurp_file($file);
	like($out, qr/the backend died|terminating connection/,
		"round $round: the clients lost the server");
	unlike($out, qr/division|RT0|violates|cache lookup|XX000|current transaction is aborted/,
		"round $round: no client met another error");

	$node->start;
	is_sound($node, $db, "round $round, after the crash");
	is( $node->safe_psql($db, q(SELECT count(*) FROM routing.settle_token)),
		'0', "round $round: no settlement is left over");
	$node->safe_psql($db, 'SELECT routing.run_jobs()');
	is($node->safe_psql($db, 'SELECT binding, concept, key, reason FROM routing.pending'),
		'', "round $round: nothing stays pending");
	is($node->safe_psql($db, q(SELECT * FROM routing.reconcile('shop') UNION ALL SELECT * FROM routing.reconcile('stock'))),
		'', "round $round: the ERP's tables and the engine agree");
	is( $node->safe_psql(
			$db, q(SELECT h.doc, h.st, o.status FROM erp.head h
				   FULL JOIN routing.sales_order o ON o.order_id = h.doc::text AND o.binding = 'shop'
				   WHERE (o.binding = 'shop' OR o.binding IS NULL) AND h.st IS DISTINCT FROM o.status LIMIT 20)),
		'',
		"round $round: the answers in the ERP's rows are the engine's");
	is(route($node, $db, "after-$round", ['I1', 1]) =~ /^(allocated|scheduled|backordered)$/ ? 'routed' : 'not routed',
		'routed', "round $round: orders are routed again");
	is_verified($node, $db, "round $round, after one more order");
	$before = $node->safe_psql($db, "SELECT count(*) FROM routing.sales_order WHERE binding = ''");
}

# the load did what it is for: each kind of outcome is there
is( $node->safe_psql(
		$db, q(SELECT count(*) FILTER (WHERE status = 'allocated') > 0, count(*) FILTER (WHERE status LIKE '%backordered%') > 0,
					  count(*) FILTER (WHERE status = 'cancelled') > 0, count(*) FILTER (WHERE binding = 'shop') > 0
			   FROM routing.sales_order)),
	't|t|t|t',
	'the load had allocated, backordered, cancelled and bound orders');

$node->stop;
done_testing();
