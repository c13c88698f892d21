# Events as a consumer reads them through real replication slots, with pgoutput
# (what Debezium and subscriptions use) and with test_decoding: those of every
# committed order exactly once and in order, none of what was rolled back,
# while several clients write.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;

my $db   = 'postgres';
my $dir  = ${PostgreSQL::Test::Utils::tmp_check};
my $node = new_server('events', allows_streaming => 'logical', conf => "wal_level = logical\nmax_replication_slots = 5\n");

load_network($node, $db, 5, 60);
$node->safe_psql($db, 'SELECT routing.create_event_partitions(1)');
route($node, $db, 'before', ['I1', 1]);

is($node->safe_psql($db, q(SELECT problem FROM routing.doctor() WHERE subject = 'wal_level')), '', 'doctor() is content with wal_level');
# first the publication, then the slot
$node->safe_psql($db, 'SELECT routing.create_publication()');
$node->safe_psql($db, q(SELECT pg_create_logical_replication_slot('out_' || p, p) FROM unnest(ARRAY['pgoutput', 'test_decoding']) p));
is( $node->safe_psql(
		$db, q(SELECT pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot, (SELECT string_agg(tablename, ',') FROM pg_publication_tables t WHERE t.pubname = p.pubname)
			   FROM pg_publication p WHERE pubname = 'routing_events')),
	't|f|f|f|t|event',
	'the publication has the inserts of the event table');
my $start = $node->safe_psql($db, 'SELECT max(seq) FROM routing.event');

# what must not be read: a rolled-back order, one whose routing was done before
# the rollback, one in a rolled-back savepoint, likewise
$node->safe_psql(
	$db,
	join('',
		"BEGIN;\n", order_sql('rolled-back', ['I1', 1]), "ROLLBACK;\n",
		"BEGIN;\n", order_sql('routed-and-rolled-back', ['I1', 1]), "SET CONSTRAINTS ALL IMMEDIATE;\nROLLBACK;\n",
		"BEGIN;\n", order_sql('kept-1', ['I1', 1]), "SAVEPOINT a;\n", order_sql('savepoint', ['I2', 1]), "ROLLBACK TO a;\n",
		order_sql('kept-2', ['I2', 1]), "COMMIT;\n",
		"BEGIN;\n", order_sql('kept-3', ['I1', 1]), "SAVEPOINT a;\n", order_sql('routed-savepoint', ['I2', 1]),
		"SELECT count(*) FROM routing.route_order('routed-savepoint');\nROLLBACK TO a;\nCOMMIT;\n",
		"BEGIN;\nSAVEPOINT a;\nSELECT routing.cancel_order('kept-1');\nROLLBACK TO a;\nSELECT count(*) FROM routing.route_order('kept-1');\nCOMMIT;\n",
		"BEGIN;\nSAVEPOINT a;\n", order_sql('released-savepoint', ['I3', 1]), "RELEASE a;\nCOMMIT;\n",
		"SELECT routing.cancel_order('kept-3');\n"));
is($node->safe_psql($db, q(SELECT string_agg(order_id, ' ' ORDER BY order_id) FROM routing.sales_order)),
	'before kept-1 kept-2 kept-3 released-savepoint', 'what was rolled back is not there');

# Reads a slot up to $end into a file, as a consumer that then goes away.
sub receive
{
	my ($plugin, $end, $part) = @_;
	my $file    = "$dir/$plugin.$part";
	my @options = $plugin eq 'pgoutput' ? qw(-o proto_version=1 -o publication_names=routing_events) : qw(-o include-xids=1);

	$node->command_ok(
		[
			'pg_recvlogical', '-S', "out_$plugin", '-d', $node->connstr($db), @options,
			'--endpos', $end, '-f', $file, '--no-loop', '--start'
		],
		"pg_recvlogical reads $plugin, part $part");
	return slurp_file($file);
}

# Events in the order read, each [seq, aggregate, aggregateversion, type, order id in payload or '']

sub parse_test_decoding
{
	my ($text) = @_;
	my @events;

	foreach (split(/\n/, $text))
	{
		next unless /^table routing\.event_\d{8}: INSERT: /;
		my ($seq, $type, $id, $version, $event_type) =
		  / seq\[bigint\]:(\d+) .* aggregatetype\[text\]:'([^']*)' aggregateid\[text\]:'([^']*)' aggregateversion\[bigint\]:(\d+) type\[text\]:'([^']*)'/;
		my ($order_id) = /"order_id": "([^"]*)"/;
		push @events, [ $seq, "$type/$id", $version, $event_type, $order_id // '' ];
	}
	return \@events;
}

# The messages of the logical replication protocol, version 1, each followed by
# the newline that pg_recvlogical adds.
sub parse_pgoutput
{
	my ($bytes) = @_;
	my ($at, %relation, @events, %seen) = (0);
	my $take = sub {
		my ($format, $size) = @_;
		my @values = unpack($format, substr($bytes, $at, $size));
		$at += $size;
		return wantarray ? @values : $values[0];
	};
	my $string = sub {
		my $end   = index($bytes, "\0", $at);
		my $value = substr($bytes, $at, $end - $at);
		$at = $end + 1;
		return $value;
	};

	while ($at < length($bytes))
	{
		my $kind = $take->('a', 1);
		$seen{$kind}++;
		if    ($kind eq 'B') { $at += 20; }
		elsif ($kind eq 'C') { $at += 25; }
		elsif ($kind eq 'Y') { $at += 4; $string->(); $string->(); }
		elsif ($kind eq 'R')
		{
			my $id = $take->('N', 4);
			my ($schema, $name) = ($string->(), $string->());
			$at += 1;
			my @columns;
			for (1 .. $take->('n', 2)) { $at += 1; push @columns, $string->(); $at += 8; }
			$relation{$id} = { name => "$schema.$name", columns => \@columns };
		}
		elsif ($kind eq 'I')
		{
			my $relation = $relation{ $take->('N', 4) };
			my %row;
			$at += 1;
			my $n = $take->('n', 2);
			foreach my $column (@{ $relation->{columns} }[ 0 .. $n - 1 ])
			{
				$row{$column} = $take->('a', 1) eq 't' ? do { my $l = $take->('N', 4); $take->("a$l", $l) } : undef;
			}
			die "unexpected relation $relation->{name}" unless $relation->{name} eq 'routing.event';
			die 'columns that are nobody\'s business' if exists $row{xid} || exists $row{actor};
			my ($order_id) = $row{payload} =~ /"order_id": "([^"]*)"/;
			push @events, [ @row{qw(seq)}, "$row{aggregatetype}/$row{aggregateid}", @row{qw(aggregateversion type)}, $order_id // '' ];
		}
		else { die "unexpected message $kind at $at"; }
		die "no newline after message $kind" unless $take->('a', 1) eq "\n";
	}
	return (\@events, $seen{B} // 0, $seen{C} // 0);
}

# concurrent writers: orders, some with a rolled-back savepoint, some rolled
# back as a whole, cancellations; more orders than stock
my %script = (
	order => q(\set a random(1, 5)
\set b random(1, 5)
\set q random(1, 4)
BEGIN;
SELECT nextval('public.order_seq') AS n \gset
INSERT INTO routing.sales_order (order_id, customer, country, postal_code) VALUES ('S' || :n, 'C1', 'US', '10001');
INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES ('S' || :n, 1, 'I' || :a, :q), ('S' || :n, 2, 'I' || :b, 1);
COMMIT;
),
	savepoint => q(\set a random(1, 5)
BEGIN;
SELECT nextval('public.order_seq') AS n \gset
INSERT INTO routing.sales_order (order_id, customer, country, postal_code) VALUES ('S' || :n, 'C1', 'US', '90001');
INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES ('S' || :n, 1, 'I' || :a, 1);
SAVEPOINT a;
INSERT INTO routing.sales_order (order_id, customer, country, postal_code) VALUES ('X' || :n, 'C1', 'US', '10001');
INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES ('X' || :n, 1, 'I' || :a, 1);
SELECT count(*) FROM routing.route_order('X' || :n);
ROLLBACK TO a;
COMMIT;
),
	rollback => q(\set a random(1, 5)
BEGIN;
SELECT nextval('public.order_seq') AS n \gset
INSERT INTO routing.sales_order (order_id, customer, country, postal_code) VALUES ('X' || :n, 'C1', 'US', '10001');
INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES ('X' || :n, 1, 'I' || :a, 1);
SELECT count(*) FROM routing.route_order('X' || :n);
ROLLBACK;
),
	cancel => q(SELECT routing.cancel_order(order_id) FROM (SELECT order_id FROM routing.sales_order
	WHERE status <> 'cancelled' AND order_id LIKE 'S%' ORDER BY random() LIMIT 1) o;
));
my $log = "$dir/load.out";
my $bench = pgbench_start($node, $db, $log, '-c', '6', '-j', '2', '-t', '250',
	map { ('-f', write_script($_->[0], $script{ $_->[0] }) . '@' . $_->[1]) } (['order', 6], ['savepoint', 2], ['rollback', 2], ['cancel', 2]));

# the first consumers come in the middle of the load, the second ones at its end
$node->poll_query_until($db, 'SELECT count(*) > 200 FROM routing.sales_order') or BAIL_OUT('no load');
# at a place in the log where no transaction has written events and not committed: a consumer that ends within one gets it again;
# within a record of our own, so that neither a commit ends there nor an event begins
my $middle = $node->safe_psql($db,
	"BEGIN; LOCK TABLE routing.event IN SHARE MODE; SELECT pg_logical_emit_message(false, 'middle', '') - 1; COMMIT");
my %text   = map { $_ => [ receive($_, $middle, 1) ] } qw(pgoutput test_decoding);
$bench->finish;
is($bench->full_result(0), 0, 'the load ends well');
is(slurp_file($log), '', 'no client met an error');
is( $node->safe_psql(
		$db, q(SELECT count(*) FILTER (WHERE status = 'allocated') > 0, count(*) FILTER (WHERE status LIKE '%backordered%' OR status LIKE 'partially%') > 0,
			   count(*) FILTER (WHERE status = 'cancelled') > 0 FROM routing.sales_order)),
	't|t|t',
	'the load had allocated, backordered and cancelled orders');
# a transaction beyond the end, so that the end is flushed
my $end = $node->safe_psql($db, 'SELECT pg_current_wal_insert_lsn()');
$node->safe_psql($db, 'CREATE TABLE public.beyond ()');
push @{ $text{$_} }, receive($_, $end, 2) foreach qw(pgoutput test_decoding);

my $expected = $node->safe_psql($db,
	"SELECT seq, aggregatetype || '/' || aggregateid, aggregateversion, type FROM routing.event WHERE seq > $start ORDER BY seq");
my ($first_half, $begins, $commits) = parse_pgoutput($text{pgoutput}[0]);
cmp_ok(scalar(@$first_half), '>', 0, 'the first consumer read in the middle of the load');
is($begins, $commits, 'and whole transactions only');

foreach my $plugin (qw(pgoutput test_decoding))
{
	my @events = map { $plugin eq 'pgoutput' ? @{ (parse_pgoutput($_))[0] } : @{ parse_test_decoding($_) } } @{ $text{$plugin} };
	my (%version, %seen, @disorder, @twice, @rolled_back);

	foreach my $event (@events)
	{
		my ($seq, $aggregate, $version, undef, $order_id) = @$event;

		push @twice, $seq if $seen{$seq}++;
		push @rolled_back, $aggregate if "$aggregate $order_id" =~ m{/(X|rolled|routed|savepoint)|(^| )(X\d|rolled|routed|savepoint)};
		next unless $aggregate =~ m{^order/};
		push @disorder, "$aggregate $version" if $version != ($version{$aggregate} // 0) + 1;
		$version{$aggregate} = $version;
	}
	is(join(' ', @twice), '', "$plugin: no event is read twice");
	is(join(' ', @rolled_back), '', "$plugin: nothing that was rolled back is read");
	is(join(' ', @disorder), '', "$plugin: the versions of every order come in order and without a gap");
	my @sorted = sort { $a->[0] <=> $b->[0] } @events;
	is(join("\n", map { join('|', @{$_}[ 0 .. 3 ]) } @sorted), $expected, "$plugin: exactly the events of the table are read");
	cmp_ok(scalar(keys %version), '>', 500, "$plugin: of many orders");
}

# the story of some orders
is( $node->safe_psql(
		$db, q(SELECT aggregateid, string_agg(type, ' ' ORDER BY aggregateversion) FROM routing.event
			   WHERE aggregateid IN ('kept-1', 'kept-2', 'kept-3', 'released-savepoint') GROUP BY 1 ORDER BY 1)),
	"kept-1|order.received.v1 order.allocated.v1\nkept-2|order.received.v1 order.allocated.v1\n"
	  . "kept-3|order.received.v1 order.allocated.v1 order.cancelled.v1\nreleased-savepoint|order.received.v1 order.allocated.v1",
	'the events of an order tell its story');
is_sound($node, $db, 'at the end');
$node->safe_psql($db, q(SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots));

$node->stop;
done_testing();
