# The whole ledger under random concurrent load: orders, holds, cancellations,
# receipts, goods issues in both orders of messages, other demand, shrinks,
# slips and plain statements on supply, rollbacks, savepoints and prepared
# transactions, at each isolation level; then the same over a kill -9 and over
# the promotion of a standby.  Afterwards verify() is empty and nothing is
# promised twice, recounted from raw rows.
#
# ROUTING_SOAK_SECONDS: how long the load is in all, instead of half a minute.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;
use Time::HiRes qw(usleep);

my $soak    = $ENV{ROUTING_SOAK_SECONDS} || 32;
my $seconds = int($soak / 4) || 1;
my $items   = 6;
my $db      = 'postgres';
my $tmp     = ${PostgreSQL::Test::Utils::tmp_check};

my $primary = new_server('ledger', allows_streaming => 1,
	conf => "max_prepared_transactions = 20\nmax_connections = 60\nsynchronous_commit = on\n");

load_network($primary, $db, $items, 60);
$primary->safe_psql($db, <<'SQL');
UPDATE routing.node SET stock_feed = false WHERE node = 'N3';
INSERT INTO routing.item_node (item, node, safety_stock) VALUES ('I1', 'N1', 3), ('I2', 'N2', 0.5);
INSERT INTO routing.item_node (item, node, lead_time_days) VALUES ('I3', 'N1', 20);
INSERT INTO routing.channel (channel) VALUES ('retail');
INSERT INTO routing.channel (channel, parent) VALUES ('web', 'retail'), ('shop', 'retail');
INSERT INTO routing.customer (customer, priority) VALUES ('BEST', 1), ('LAST', 9);
INSERT INTO routing.allotment (item, node, channel, quota, max_quantity)
SELECT 'I4', 'N' || n, c, q, m FROM generate_series(1, 3) n, (VALUES ('web', 10, NULL::int), ('retail', 20, 50)) v (c, q, m);
-- lots of I5 that end within the reach of the orders
DELETE FROM routing.supply WHERE item = 'I5';
INSERT INTO routing.supply (item, node, lot, quantity, expires_on)
SELECT 'I5', 'N' || n, 'L' || l, 25, current_date + 3 * l FROM generate_series(1, 3) n, generate_series(1, 4) l;

CREATE SCHEMA load;
CREATE TABLE load.held (id text PRIMARY KEY);
CREATE TABLE load.to_issue (order_id text PRIMARY KEY);
CREATE TABLE load.to_fall (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, item text, node text, lot text, quantity numeric);
CREATE TABLE load.refused (sqlstate text, message text);

-- what the engine may refuse in words; everything else is the caller's
CREATE FUNCTION load.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer	text;
BEGIN
	EXECUTE statement INTO answer;
	RETURN answer;
EXCEPTION WHEN OTHERS THEN
	IF sqlstate !~ '^RT' THEN
		RAISE;
	END IF;
	INSERT INTO load.refused VALUES (sqlstate, sqlerrm);
	RETURN NULL;
END
$$;

CREATE FUNCTION load.place(lines int, want int, prefix text DEFAULT 'S') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	id	text := prefix || nextval('public.order_seq');
BEGIN
	INSERT INTO routing.sales_order (order_id, customer, channel, country, postal_code, requested_on, priority)
	VALUES (id, (ARRAY['C1', 'C1', 'BEST', 'LAST'])[ceil(random() * 4)], (ARRAY['web', 'shop', NULL])[ceil(random() * 3)],
			'US', (1 + floor(random() * 9)) || '0001', current_date + want, NULL);
	INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity)
	SELECT id, k, 'I' || 1 + floor(random() * 6), 1 + floor(random() * 4) FROM generate_series(1, lines) k;
	RETURN id;
END
$$;

CREATE FUNCTION load.hold(lines int, ttl interval) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	id	text;
BEGIN
	id := load.try(format('SELECT routing.hold(%L, %L)', jsonb_build_object(
		'customer', 'C1', 'ship_to', '{"country": "US", "postal_code": "10001"}'::jsonb,
		'lines', (SELECT jsonb_agg(jsonb_build_object('line_no', k, 'item', 'I' || 1 + floor(random() * 6),
													  'quantity', (1 + floor(random() * 4))::text))
				  FROM generate_series(1, lines) k)), ttl));
	INSERT INTO load.held SELECT id WHERE id IS NOT NULL ON CONFLICT DO NOTHING;
END
$$;
CREATE FUNCTION load.finish_hold(confirm boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	taken	text;
BEGIN
	DELETE FROM load.held h WHERE h.id = (SELECT x.id FROM load.held x LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING h.id INTO taken;
	PERFORM load.try(format('SELECT routing.%s(%L)', CASE WHEN confirm THEN 'confirm_hold' ELSE 'cancel_hold' END, taken))
	WHERE taken IS NOT NULL;
END
$$;

-- goods issues: heard of before the stock falls, or after it
CREATE FUNCTION load.issue_first() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	id	text := (SELECT order_id FROM routing.sales_order WHERE status = 'allocated' ORDER BY random() LIMIT 1);
BEGIN
	IF id IS NULL OR load.try(format('SELECT routing.confirm_ship(%L)', id)) IS NULL THEN
		RETURN;
	END IF;
	INSERT INTO load.to_fall (item, node, lot, quantity)
	SELECT item, node, lot, quantity FROM routing.reservation WHERE order_id = id AND "to" IS NULL AND state = 'issued';
END
$$;
CREATE FUNCTION load.then_fall() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	f	load.to_fall;
BEGIN
	DELETE FROM load.to_fall t WHERE t.id = (SELECT x.id FROM load.to_fall x LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING * INTO f;
	UPDATE routing.supply s SET quantity = quantity - f.quantity
	WHERE s.item = f.item AND s.node = f.node AND s.ref = ''
	  AND s.lot = (SELECT min(l.lot) FROM routing.supply l WHERE l.item = f.item AND l.node = f.node AND l.ref = '' AND l.quantity >= f.quantity);
END
$$;
CREATE FUNCTION load.fall_first() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	id	text := (SELECT o.order_id FROM routing.sales_order o WHERE o.status = 'allocated'
				   AND NOT EXISTS (SELECT FROM load.to_issue i WHERE i.order_id = o.order_id)
				   AND NOT EXISTS (SELECT FROM routing.reservation r WHERE r.order_id = o.order_id AND r.node = 'N3')
				 ORDER BY random() LIMIT 1);
BEGIN
	UPDATE routing.supply s SET quantity = s.quantity - r.quantity
	FROM (SELECT item, node, sum(quantity) AS quantity FROM routing.reservation
		  WHERE order_id = id AND "to" IS NULL AND state = 'firm' AND item <> 'I5' GROUP BY 1, 2) r
	WHERE s.item = r.item AND s.node = r.node AND s.ref = '' AND s.lot = '' AND s.quantity >= r.quantity;
	INSERT INTO load.to_issue SELECT id WHERE id IS NOT NULL ON CONFLICT DO NOTHING;
END
$$;
CREATE FUNCTION load.then_issue() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	id	text;
BEGIN
	DELETE FROM load.to_issue i WHERE i.order_id = (SELECT x.order_id FROM load.to_issue x LIMIT 1 FOR UPDATE SKIP LOCKED)
	RETURNING i.order_id INTO id;
	PERFORM load.try(format('SELECT routing.confirm_ship(%L)', id)) WHERE id IS NOT NULL;
END
$$;

-- Two MERGE statements that both find no row both insert it; the server then
-- refuses the later one and its caller tries again, which is what this does.
CREATE FUNCTION load.merge(i int, n int, d int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	MERGE INTO routing.supply s USING (SELECT 'I' || i AS item, 'N' || n AS node, current_date + d AS day) v
	ON s.item = v.item AND s.node = v.node AND s.ref = 'M'
	WHEN MATCHED AND s.quantity > 8 THEN DELETE
	WHEN MATCHED THEN UPDATE SET quantity = s.quantity + 3, available_on = v.day
	WHEN NOT MATCHED THEN INSERT (item, node, ref, kind, available_on, quantity) VALUES (v.item, v.node, 'M', 'production', v.day, 5);
EXCEPTION WHEN unique_violation THEN
	INSERT INTO load.refused VALUES (sqlstate, sqlerrm);
END
$$;

-- what is promised and not there, from raw rows alone: bookings that supply
-- does not cover on some day although one of them could be given up
CREATE VIEW load.oversold AS
	WITH flow AS (
		SELECT item, node, available_on AS day, quantity, 0 AS firm FROM routing.supply WHERE order_id = '' AND status = 'confirmed'
		UNION ALL
		SELECT item, node, needed_on, -quantity, (state <> 'issued')::int FROM routing.reservation
		WHERE "to" IS NULL AND (state IN ('firm', 'issued') OR (state = 'hold' AND expires_at > now()))),
	running AS (
		SELECT item, node, day, sum(quantity) OVER w AS balance, sum(firm) OVER w AS firm
		FROM flow WINDOW w AS (PARTITION BY item, node ORDER BY day))
	SELECT DISTINCT item, node, day, balance FROM running WHERE balance < 0 AND firm > 0 AND day >= current_date;
SQL

my %has = map { $_ => 1 } split(/\n/,
	$primary->safe_psql($db, q(SELECT DISTINCT proname FROM pg_proc WHERE pronamespace = 'routing'::regnamespace)));
my $where = q(WHERE item = 'I' || (:i)::int AND node = 'N' || (:n)::int);
my $draw  = "\\set i random(1, $items)\n\\set n random(1, 3)\n\\set q random(1, 5)\n\\set d random(0, 14)\n\\set l random(1, 3)\n";
my @scripts = (
	[order    => 20, 'SELECT load.place((:l)::int, (:d)::int);'],
	[rollback => 2, "BEGIN;\nSELECT load.place((:l)::int, (:d)::int, 'R') AS id \\gset\nSELECT count(*) AS n FROM routing.route_order(:id) \\gset\nROLLBACK;"],
	[savepoint => 2, "BEGIN;\nSELECT load.place((:l)::int, (:d)::int);\nSAVEPOINT s;\nSELECT load.place((:l)::int, (:d)::int, 'R') AS id \\gset\n"
		  . "SELECT count(*) AS n FROM routing.route_order(:id) \\gset\nUPDATE routing.supply SET quantity = quantity + 1 $where AND ref = '';\n"
		  . "ROLLBACK TO SAVEPOINT s;\nCOMMIT;"],
	[cancel => 5, q(SELECT load.try(format('SELECT routing.cancel_order(%L)', order_id)) FROM (SELECT order_id FROM routing.sales_order
		WHERE status IN ('allocated', 'scheduled', 'backordered', 'partially_allocated', 'partially_backordered') ORDER BY random() LIMIT 1) o;)],
	[shrink => 2, "UPDATE routing.supply SET quantity = greatest(0, quantity - :q) $where AND ref = '';"],
	[more   => 4, "UPDATE routing.supply SET quantity = quantity + 3 * :q $where AND ref = '' AND lot IN ('', 'L3');"],
	[slip   => 2, "UPDATE routing.supply SET available_on = current_date + (:d)::int $where AND kind = 'purchase';"],
	[bought => 2, "INSERT INTO routing.supply (item, node, ref, kind, available_on, quantity)\n"
		  . "VALUES ('I' || (:i)::int, 'N' || (:n)::int, 'B' || (:q)::int, 'purchase', current_date + (:d)::int, 10)\n"
		  . "ON CONFLICT (tenant_id, item, node, ref, lot) DO UPDATE SET quantity = supply.quantity + 5;"],
	[unbought => 1, "DELETE FROM routing.supply $where AND ref LIKE 'B%';"],
	# two statements, one receipt: judged together
	[receipt => 2, "BEGIN;\nUPDATE routing.supply SET quantity = greatest(0, quantity - :q) $where AND ref LIKE 'PO%';\n"
		  . "UPDATE routing.supply SET quantity = quantity + :q $where AND ref = '' AND lot IN ('', 'L4');\nCOMMIT;"],
	[merge => 1, 'SELECT load.merge((:i)::int, (:n)::int, (:d)::int);'],
	[safety => 1, "UPDATE routing.item_node SET safety_stock = (:q)::int - 1 $where;"]);
push @scripts, [hold => 5, "SELECT load.hold((:l)::int, CASE WHEN :q = 1 THEN interval '300 ms' ELSE interval '10 min' END);"],
  [confirm => 3, 'SELECT load.finish_hold(true);'], [unhold => 1, 'SELECT load.finish_hold(false);']
  if $has{hold};
push @scripts, [issue => 3, 'SELECT load.issue_first();'], [fall => 3, 'SELECT load.then_fall();'],
  [fell => 2, 'SELECT load.fall_first();'], [issued => 2, 'SELECT load.then_issue();']
  if $has{confirm_ship};
push @scripts,
  [put => 1, q(SELECT load.try(format('SELECT routing.put_supply(%L, %L, %s, current_date + %s, %L)', 'I' || (:i)::int, 'N' || (:n)::int, (:q)::int * 2, (:d)::int, 'A' || (:l)::int));)],
  [receive => 2, q(SELECT load.try(format('SELECT routing.receive(%L, %s, %L)', 'PO-' || (:i)::int || '-' || (:n)::int, (:q)::int, 'r' || nextval('public.order_seq')));)],
  [adjust => 2, q(SELECT load.try(format('SELECT routing.adjust_on_hand(%L, %L, %s, %L)', 'I' || (:i)::int, 'N' || (:n)::int, (:q)::int - 3, 'a' || nextval('public.order_seq')));)]
  if $has{receive};
push @scripts,
  [demand => 1, q(SELECT load.try(format('SELECT routing.put_demand(%L, %L, %L, %s, current_date + %s)', 'D' || (:l)::int || (:i)::int, 'I' || (:i)::int, 'N' || (:n)::int, (:q)::int, (:d)::int));)]
  if $has{put_demand};
push @scripts, [jobs => 1, 'SELECT routing.run_jobs();'];
push @scripts, [roll => 1, 'SELECT count(*) FROM (SELECT routing.roll()) x;'] if $has{roll};
my @mix = map { ('-f', write_script($_->[0], "$draw$_->[2]\n") . '@' . $_->[1]) } @scripts;
# names of prepared transactions are no parameters: this one goes by the simple protocol
my $prepared = write_script('prepared', "$draw\\set k random(1, 1000000000)\n\\set yes random(0, 1)\nBEGIN;\n"
	  . "SELECT load.place((:l)::int, (:d)::int, 'P');\nUPDATE routing.supply SET quantity = quantity + 1 $where AND ref = '';\n"
	  . "PREPARE TRANSACTION 'load-:client_id-:k';\n\\if :yes\nCOMMIT PREPARED 'load-:client_id-:k';\n\\else\nROLLBACK PREPARED 'load-:client_id-:k';\n\\endif\n");

# Starts the clients: four at READ COMMITTED, two at each other level, one that prepares
sub start_load
{
	my ($node, $name, $time) = @_;
	my @running;

	foreach my $client (['read committed', 4, @mix], ['repeatable read', 2, @mix], ['serializable', 2, @mix],
		['read committed', 1, '-M', 'simple', '-f', $prepared])
	{
		my ($level, $n, @arguments) = @$client;
		my $file = "$tmp/${name}_" . @running;
		local $ENV{PGAPPNAME} = 'load';
		local $ENV{PGOPTIONS} = "-c default_transaction_isolation=" . ($level =~ s/ /\\ /r);

		push @running, { file => $file, level => $level, run => IPC::Run::start(
				[$node->installed_command('pgbench'), '-n', '-M', 'prepared', '--max-tries=10000', '--failures-detailed',
					'-c', $n, '-j', 1, '-T', $time, @arguments, $node->connstr($db)],
				'<', \undef, '>', "$file.report", '2>', $file, IPC::Run::timeout($time + 90)) };
	}
	return @running;
}

# Waits for them and tells what they did; they must end well unless the server went away
sub end_load
{
	my ($title, $lost, @running) = @_;

	foreach my $client (@running)
	{
		my $well = $client->{run}->finish;
		my $messages = slurp_file($client->{file});
		my $report = slurp_file("$client->{file}.report");
		my %figure;

		$figure{$1} = $2 while $report =~ /^(?:number of transactions |total number of |number of )(actually processed|retries|failed transactions): (\d+)/mg;
		note("$title, $client->{level}: ", join(', ', map { "$_ " . ($figure{$_} // 0) } sort keys %figure)) unless $lost;
		ok($well, "$title: the clients at $client->{level} end well") or diag(substr($messages, 0, 2000)) unless $lost;
		unlike($messages, qr/XX000|cache lookup|assertion|division|violates|current transaction is aborted|RT\d\d\d/,
			"$title: no client at $client->{level} met another error");
	}
	return;
}

# What is left open is ended, what is queued is done; then everything must add up
sub check
{
	my ($node, $title) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my @left = split(/\n/, $node->safe_psql($db, 'SELECT gid FROM pg_prepared_xacts ORDER BY gid'));

	foreach my $n (0 .. $#left)
	{
		$node->safe_psql($db, ($n % 2 ? 'COMMIT' : 'ROLLBACK') . " PREPARED '$left[$n]'");
	}
	is_verified($node, $db, $title);
	is($node->safe_psql($db, 'SELECT * FROM load.oversold LIMIT 20'), '', "$title: nothing is promised twice");
	$node->safe_psql($db, 'SELECT routing.run_jobs()') for 1 .. 3;
	$node->safe_psql($db, 'SELECT count(*) FROM (SELECT routing.roll()) x') if $has{roll};
	is($node->safe_psql($db, 'SELECT binding, concept, key, sqlstate, reason FROM routing.pending LIMIT 20'), '', "$title: nothing stays pending");
	is($node->safe_psql($db, q(SELECT order_id FROM routing.sales_order WHERE order_id LIKE 'R%'
		UNION ALL SELECT order_id FROM routing.reservation WHERE order_id LIKE 'R%'
		UNION ALL SELECT aggregateid FROM routing.event WHERE aggregateid LIKE 'R%' LIMIT 20)), '', "$title: what was rolled back left nothing");
	is_verified($node, $db, "$title, after the jobs");
	is($node->safe_psql($db, 'SELECT * FROM load.oversold LIMIT 20'), '', "$title, after the jobs: nothing is promised twice");
	is($node->safe_psql($db, q(SELECT l.order_id, l.line_no, l.quantity, sum(r.quantity) FROM routing.sales_order_line l
		JOIN routing.reservation r USING (tenant_id, order_id, line_no)
		WHERE (r."to" IS NULL OR r.state = 'shipped') GROUP BY 1, 2, 3 HAVING sum(r.quantity) > l.quantity LIMIT 20)),
		'', "$title: no line has more booked and shipped than was ordered");
	note("$title: ", $node->safe_psql($db, q(SELECT format('%s orders, %s cancelled, bookings: %s; refused: %s',
		(SELECT count(*) FROM routing.sales_order), (SELECT count(*) FROM routing.sales_order WHERE status = 'cancelled'),
		(SELECT string_agg(state || ' ' || n, ', ' ORDER BY state) FROM (SELECT state, count(*) AS n FROM routing.reservation GROUP BY 1) s),
		(SELECT string_agg(sqlstate || ' ' || n, ', ' ORDER BY sqlstate) FROM (SELECT sqlstate, count(*) AS n FROM load.refused GROUP BY 1) r)))));
	return;
}

$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('heir');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

end_load('load', 0, start_load($primary, 'load', $seconds));
check($primary, 'after the load');

# kill -9 of the postmaster and of what it leaves behind
my @clients = start_load($primary, 'killed', $seconds + 60);
usleep($seconds * 1_000_000);
my ($postmaster) = split(/\n/, slurp_file($primary->data_dir . '/postmaster.pid'));
my @pids = ($postmaster, split(/\n/, $primary->safe_psql($db, 'SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()')));
$primary->kill9;
kill('KILL', @pids[ 1 .. $#pids ]);
for (1 .. 3000)
{
	last unless kill(0, @pids);
	usleep(10_000);
}
end_load('kill -9', 1, @clients);
$primary->start;
check($primary, 'after the kill -9');

# the primary is lost under load, its standby takes over and goes on
@clients = start_load($primary, 'lost', $seconds + 60);
usleep($seconds * 1_000_000);
is($standby->safe_psql($db, 'SELECT * FROM routing.verify() LIMIT 20'), '', 'on the standby under load: verify() is empty');
$primary->stop('immediate');
end_load('promotion', 1, @clients);
$standby->promote;
check($standby, 'after the promotion');
end_load('new primary', 0, start_load($standby, 'promoted', $seconds));
check($standby, 'after load on the new primary');
is($standby->safe_psql($db, q(SELECT count(*) FILTER (WHERE state = 'firm') > 0, count(*) FILTER (WHERE state = 'cancelled') > 0 FROM routing.reservation)),
	't|t', 'the load had firm and cancelled bookings');

$standby->stop;
done_testing();
