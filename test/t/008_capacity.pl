# Many clients at one node-day with a hard capacity, at each isolation level:
# orders, lines and units, holds, cancellations, changes and rollbacks, until
# it is full.  Never overbooked, and full means full: no order is sent away or
# to another day while there is room.  Then the same over limits that change, a
# kill -9 and a promotion.

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

my $seconds = int(($ENV{ROUTING_SOAK_SECONDS} || 24) / 6) || 1;
my $db      = 'postgres';
my $tmp     = ${PostgreSQL::Test::Utils::tmp_check};
my $primary = new_server('capacity', allows_streaming => 1,
	conf => "max_prepared_transactions = 20\nmax_connections = 60\nsynchronous_commit = on\n");

load_network($primary, $db, 8, 100000);
$primary->safe_psql($db, <<'SQL');
CREATE SCHEMA load;
CREATE TABLE load.held (id text PRIMARY KEY);

-- an order, or a hold, of so many lines for a day, from N1
CREATE FUNCTION load.document(id text, lines int, units int, day date) RETURNS jsonb LANGUAGE sql STABLE RETURN
	jsonb_build_object('order_id', id, 'customer', 'C1', 'requested_on', day, 'date_basis', 'ship',
		'ship_to', '{"country": "US", "postal_code": "10001"}'::jsonb,
		'lines', (SELECT jsonb_agg(jsonb_build_object('line_no', k, 'item', 'I' || 1 + floor(random() * 8), 'quantity', units::text, 'node', 'N1'))
				  FROM generate_series(1, lines) k));
CREATE FUNCTION load.place(lines int, units int, day int, prefix text DEFAULT 'S') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	id	text := prefix || nextval('public.order_seq');
BEGIN
	INSERT INTO routing.sales_order (order_id, customer, country, postal_code, requested_on, date_basis)
	VALUES (id, 'C1', 'US', '10001', current_date + day, 'ship');
	INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity, node)
	SELECT id, k, 'I' || 1 + floor(random() * 8), units, 'N1' FROM generate_series(1, lines) k;
	RETURN id;
END
$$;
CREATE FUNCTION load.hold(lines int, units int, day int, ttl interval) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO load.held SELECT routing.hold(load.document(NULL, lines, units, current_date + day), ttl);
END
$$;
CREATE FUNCTION load.finish_hold(confirm boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	taken	text;
BEGIN
	DELETE FROM load.held h WHERE h.id = (SELECT x.id FROM load.held x LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING h.id INTO taken;
	IF taken IS NOT NULL THEN
		EXECUTE format('SELECT routing.%s(%L)', CASE WHEN confirm THEN 'confirm_hold' ELSE 'cancel_hold' END, taken);
	END IF;
EXCEPTION WHEN sqlstate 'RT050' THEN
	NULL;
END
$$;
CREATE FUNCTION load.cancel() RETURNS void LANGUAGE sql
	RETURN (SELECT routing.cancel_order(order_id) FROM (SELECT order_id FROM routing.sales_order
			WHERE status = 'allocated' ORDER BY random() LIMIT 1) o) IS NULL AND NULL::bool;

-- what is booked of a day, from the bookings alone, against the limits of then
CREATE VIEW load.booked AS
	SELECT node, ship_on AS day, count(DISTINCT order_id) AS orders, count(DISTINCT (order_id, line_no)) AS lines, sum(quantity) AS units
	FROM routing.reservation WHERE "to" IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp()) GROUP BY 1, 2;
CREATE VIEW load.overbooked AS
	SELECT b.*, c.kind, c.quantity FROM load.booked b JOIN routing.capacity c USING (node)
	WHERE CASE c.kind WHEN 'orders' THEN b.orders WHEN 'lines' THEN b.lines ELSE b.units END > c.quantity;
-- orders of one line on a later day than wanted, or without any, though that day has room for them
CREATE VIEW load.sent_away AS
	SELECT o.order_id, l.quantity, b.orders, b.lines, b.units FROM routing.sales_order o
	JOIN routing.sales_order_line l USING (tenant_id, order_id)
	JOIN load.booked b ON b.node = 'N1' AND b.day = o.requested_on
	WHERE l.status <> 'cancelled'
	  AND NOT EXISTS (SELECT FROM routing.reservation r WHERE r.order_id = o.order_id AND r."to" IS NULL AND r.ship_on <= o.requested_on)
	  AND NOT EXISTS (SELECT FROM routing.capacity c WHERE c.node = 'N1' AND c.quantity <
					  CASE c.kind WHEN 'orders' THEN b.orders + 1 WHEN 'lines' THEN b.lines + 1 ELSE b.units + l.quantity END);
SQL

# Starts clients of a script mix at a level
sub start
{
	my ($node, $name, $level, $n, @arguments) = @_;
	my $file = "$tmp/$name";
	local $ENV{PGAPPNAME} = 'load';
	local $ENV{PGOPTIONS} = '-c default_transaction_isolation=' . ($level =~ s/ /\\ /r);

	return { file => $file, level => $level, run => IPC::Run::start(
			[$node->installed_command('pgbench'), '-n', '-M', 'prepared', '--max-tries=10000', '--failures-detailed',
				'-c', $n, '-j', 1, @arguments, $node->connstr($db)],
			'<', \undef, '>', "$file.report", '2>', $file, IPC::Run::timeout(120)) };
}

# Waits for them; returns tries that failed, per cent
sub finish
{
	my ($title, $lost, $client) = @_;
	my $well = $client->{run}->finish;
	my $messages = slurp_file($client->{file});
	my $report = slurp_file("$client->{file}.report");
	my ($done) = $report =~ /actually processed: (\d+)/;
	my ($retries) = $report =~ /total number of retries: (\d+)/;
	my $share = $done ? 100 * ($retries // 0) / ($done + ($retries // 0)) : 0;

	note(sprintf("%s, %s: %d transactions, %d tries failed (%.2f %%)", $title, $client->{level}, $done // 0, $retries // 0, $share));
	ok($well, "$title: the clients at $client->{level} end well") or diag(substr($messages, 0, 2000)) unless $lost;
	unlike($messages, qr/XX000|deadlock|violates|RT\d\d\d/, "$title: no client at $client->{level} met another error");
	return $share;
}

sub check
{
	my ($node, $title) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;

	foreach my $gid (split(/\n/, $node->safe_psql($db, 'SELECT gid FROM pg_prepared_xacts ORDER BY gid')))
	{
		$node->safe_psql($db, ($gid =~ /[13579]$/ ? 'COMMIT' : 'ROLLBACK') . " PREPARED '$gid'");
	}
	is_verified($node, $db, $title);
	is($node->safe_psql($db, 'SELECT * FROM load.overbooked LIMIT 10'), '', "$title: no day is overbooked");
	$node->safe_psql($db, 'SELECT routing.run_jobs()') for 1 .. 3;
	is($node->safe_psql($db, 'SELECT binding, concept, key, sqlstate, reason FROM routing.pending LIMIT 10'), '', "$title: nothing stays pending");
	is_verified($node, $db, "$title, after the jobs");
	is($node->safe_psql($db, 'SELECT * FROM load.overbooked LIMIT 10'), '', "$title, after the jobs: no day is overbooked");
	return;
}

my $draw = "\\set l random(1, 3)\n\\set u random(1, 4)\n\\set d random(2, 4)\n";
my $exhaust = write_script('exhaust', "\\set u random(1, 3)\nSELECT load.place(1, (:u)::int, (:day)::int);\n");

# only orders, until there is no room: exactly as many as the day has
my $day = 10;
foreach my $kind (['orders', 150, 1], ['lines', 150, 1], ['units', 300, 2])
{
	my ($what, $limit, $each) = @$kind;

	$primary->safe_psql($db, "DELETE FROM routing.capacity; INSERT INTO routing.capacity (node, kind, quantity) VALUES ('N1', '$what', $limit)");
	foreach my $level ('read committed', 'repeatable read', 'serializable')
	{
		my $title = "$what until there is no more, $level";
		my $share;

		$day += 4;
		$share = finish($title, 0, start($primary, "full_$day", $level, 16, '-t', 12, '-D', "day=$day", '-f', $exhaust));
		cmp_ok($share, '<=', 1, "$title: at most 1 % of the tries failed") if $level ne 'serializable';
		$primary->safe_psql($db, 'SELECT routing.run_jobs()') for 1 .. 2;
		is($primary->safe_psql($db, "SELECT $what FROM load.booked WHERE node = 'N1' AND day = current_date + $day"), $limit, "$title: all is given out, and no more");
		is($primary->safe_psql($db, 'SELECT * FROM load.sent_away LIMIT 10'), '', "$title: nobody was sent away from a day with room");
	}
	check($primary, "after $what");
	$primary->safe_psql($db, 'DELETE FROM routing.sales_order');
}

# all kinds at once, with what gives back
my @scripts = (
	[place => 12, 'SELECT load.place((:l)::int, (:u)::int, (:d)::int);'],
	[again => 2, "BEGIN;\nSELECT load.place((:l)::int, (:u)::int, (:d)::int);\nSAVEPOINT s;\nSELECT load.place((:l)::int, (:u)::int, (:d)::int, 'R') AS id \\gset\n"
		  . "SELECT count(*) AS n FROM routing.route_order(:id) \\gset\nROLLBACK TO SAVEPOINT s;\nSELECT load.place(1, 1, 5 - (:d)::int);\nCOMMIT;"],
	[cancel => 9, 'SELECT load.cancel();'],
	[change => 2, q(UPDATE routing.sales_order_line SET quantity = (:u)::int WHERE (order_id, line_no) IN
		(SELECT order_id, line_no FROM routing.sales_order_line WHERE status = 'allocated' ORDER BY random() LIMIT 1);)],
	[move => 2, q(UPDATE routing.sales_order SET requested_on = current_date + (:d)::int WHERE order_id IN
		(SELECT order_id FROM routing.sales_order WHERE status = 'allocated' ORDER BY random() LIMIT 1);)],
	[hold => 4, "SELECT load.hold((:l)::int, (:u)::int, (:d)::int, CASE WHEN :u = 1 THEN interval '200 ms' ELSE interval '10 min' END);"],
	[confirm => 2, 'SELECT load.finish_hold(true);'], [unhold => 2, 'SELECT load.finish_hold(false);'],
	[jobs => 1, 'SELECT routing.run_jobs();'], [roll => 1, 'SELECT count(*) FROM (SELECT routing.roll()) x;']);
my @mix = map { ('-f', write_script("capacity_$_->[0]", "$draw$_->[2]\n") . '@' . $_->[1]) } @scripts;
my $prepared = write_script('capacity_prepared', "$draw\\set k random(1, 1000000000)\n\\set yes random(0, 1)\nBEGIN;\n"
	  . "SELECT load.place((:l)::int, (:u)::int, (:d)::int, 'P');\nPREPARE TRANSACTION 'load-:client_id-:k';\n\\sleep 20 ms\n"
	  . "\\if :yes\nCOMMIT PREPARED 'load-:client_id-:k';\n\\else\nROLLBACK PREPARED 'load-:client_id-:k';\n\\endif\n");
my $limits = write_script('capacity_limits', "\\set o random(0, 3)\nUPDATE routing.capacity SET quantity = quantity + :o - 1 WHERE kind = 'orders';\n\\sleep 100 ms\n");

sub start_load
{
	my ($node, $name, $time) = @_;

	return (start($node, "${name}_rc", 'read committed', 5, '-T', $time, @mix), start($node, "${name}_rr", 'repeatable read', 3, '-T', $time, @mix),
		start($node, "${name}_se", 'serializable', 2, '-T', $time, @mix),
		start($node, "${name}_2pc", 'read committed', 1, '-M', 'simple', '-T', $time, '-f', $prepared));
}

$primary->safe_psql($db, q(DELETE FROM routing.capacity; INSERT INTO routing.capacity (node, kind, quantity)
	VALUES ('N1', 'orders', 60), ('N1', 'lines', 110), ('N1', 'units', 250)));
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('heir');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

finish('load', 0, $_) for start_load($primary, 'load', $seconds);
check($primary, 'after the load');

# limits that only rise cannot be overbooked; those that fall are made up for
my @clients = start_load($primary, 'limits', $seconds);
finish('limits', 0, start($primary, 'limits_set', 'repeatable read', 1, '-T', $seconds, '-f', $limits));
finish('limits', 0, $_) for @clients;
is_verified($primary, $db, 'limits that change');
$primary->safe_psql($db, "UPDATE routing.capacity SET quantity = 1000 WHERE kind = 'orders'");
check($primary, 'after limits that changed');

@clients = start_load($primary, 'killed', $seconds + 60);
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
finish('kill -9', 1, $_) for @clients;
$primary->start;
check($primary, 'after the kill -9');

@clients = start_load($primary, 'lost', $seconds + 60);
usleep($seconds * 1_000_000);
is($standby->safe_psql($db, 'SELECT * FROM routing.verify() LIMIT 20'), '', 'on the standby under load: verify() is empty');
$primary->stop('immediate');
finish('promotion', 1, $_) for @clients;
$standby->promote;
check($standby, 'after the promotion');
finish('new primary', 0, $_) for start_load($standby, 'promoted', $seconds);
check($standby, 'after load on the new primary');

# restored as it was
$standby->safe_psql('postgres', 'CREATE DATABASE copy');
$standby->command_ok(['sh', '-c', "pg_dump '" . $standby->connstr($db) . "' | psql -X -q -v ON_ERROR_STOP=1 '" . $standby->connstr('copy') . "'"], 'dump and restore');
is_verified($standby, 'copy', 'restored');
is_deeply({ map { $_ => row_sums($standby, 'copy', 'routing')->{$_} } qw(routing.capacity_use routing.capacity_booking) },
	{ map { $_ => row_sums($standby, $db, 'routing')->{$_} } qw(routing.capacity_use routing.capacity_booking) }, 'restored: the counters are the same');

$standby->stop;
done_testing();
