# The output plugin: every option, the envelope field by field, what is left
# out, and that nothing in the data stops the stream.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use Test::More;

my $db   = 'postgres';
my $json = JSON::PP->new->utf8->max_depth(10000);
my $node = new_server('plugin', allows_streaming => 'logical', plugin => 1,
	conf => "max_replication_slots = 10\nmax_prepared_transactions = 2\n");

load_network($node, $db, 2, 60);
$node->safe_psql(
	$db, q(SELECT routing.create_event_partitions(1);
-- rows as the engine writes them; "what" overrides columns, as a JSON object
CREATE FUNCTION public.emit(aggregateid text, what jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	INSERT INTO routing.event
	SELECT r.* FROM jsonb_populate_record(NULL::routing.event, jsonb_build_object(
		'tenant_id', 1, 'seq', nextval('routing.event_seq'), 'part_on', (now() AT TIME ZONE 'UTC')::date, 'recorded_at', now(),
		'event_ts', now() AT TIME ZONE 'UTC', 'id', gen_random_uuid(), 'xid', pg_current_xact_id()::text, 'epoch', 1, 'tenantid', 'default',
		'aggregatetype', 'order', 'aggregateid', aggregateid, 'aggregateversion', currval('routing.event_seq'), 'type', 'order.received.v1', 'schemaversion', 1,
		'occurred_at', now(), 'actor', 'nobody', 'payload', '{"a": "1"}'::jsonb) || what) r
$$;
SELECT pg_create_logical_replication_slot('s', 'routing')));

# The lines that the slot has for these options, which stay in the slot.
sub lines
{
	my %options = @_;
	my $list = join('', map { ", '$_', '$options{$_}'" } sort keys %options);

	return split(/\n/, $node->safe_psql($db, "SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL$list)"));
}
# parsed
sub events { return map { $json->decode($_) } lines(@_); }
# as "aggregateid" or "aggregateid!" for the last of a transaction
sub ids { return join(' ', map { ($_->{partitionkey} // '-') . ($_->{txlast} ? '!' : '') } events(@_)); }
sub advance { $node->safe_psql($db, q(SELECT pg_replication_slot_advance('s', pg_current_wal_lsn()))); return; }
sub sql { return $node->safe_psql($db, @_); }

# Fails with this SQLSTATE, message and hint.
sub fails
{
	my ($statement, $state, $message, $hint, $title) = @_;
	my ($status, undef, $error) = $node->psql($db, "\\set VERBOSITY verbose\n$statement");

	isnt($status, 0, "$title fails");
	like($error, qr/ERROR:  $state: $message.*\nHINT:  $hint/, "$title: error and hint");
	return;
}

# ---- options that are wrong

my @wrong = (
	['formats', 'row', 'RT139', 'option "formats" of the output plugin is unknown', 'The options are proto_version, '],
	['Format', 'row', 'RT139', 'option "Format" of the output plugin is unknown', 'The options are '],
	['proto_version', '2', 'RT141', 'version 2 of the output plugin\'s protocol is not known', 'This server has version 1'],
	['proto_version', '0', 'RT141', 'version 0 of', 'This server has version 1'],
	['proto_version', 'one', 'RT140', 'option "proto_version" of the output plugin cannot be "one"', 'It is a whole number'],
	['proto_version', '', 'RT140', 'option "proto_version" .* cannot be ""', 'It is a whole number'],
	['format', 'json', 'RT140', 'option "format" .* cannot be "json"', 'It is cloudevents, cloudevents-batch or row'],
	['types', '', 'RT140', 'option "types" .* cannot be ""', 'It is a list of types'],
	['types', 'order.*,', 'RT140', 'option "types" .* cannot be "order', 'It is a list of types'],
	['types', '*.v1', 'RT140', 'option "types" .* cannot be', 'It is a list of types'],
	['types', 'order.**', 'RT140', 'option "types" .* cannot be', 'It is a list of types'],
	['aggregatetypes', 'ord*', 'RT140', 'option "aggregatetypes" .* cannot be "ord', 'It is a list'],
	['tenants', 'a,,b', 'RT140', 'option "tenants" .* cannot be "a,,b"', 'It is a list of tenants'],
	['tenants', 'a,*', 'RT140', 'option "tenants" .* cannot be', 'It is a list of tenants'],
	(map { ['partition', $_, 'RT140', 'option "partition" .* cannot be', 'It is i/n with 0 <= i < n <= 1024'] }
		  ('', '1', '1/1', '2/1', '-1/2', '0/0', '0/1025', 'a/2', '0/2x', '0/ 2', '99999999999/2')),
	['source', '', 'RT140', 'option "source" .* cannot be ""', 'It is the beginning of a URI'],
	['source', 'urn:a b', 'RT140', 'option "source" .* cannot be "urn:a b"', 'It is the beginning of a URI'],
	['source', 'urn:"', 'RT140', 'option "source" .* cannot be', 'It is the beginning of a URI'],
	['source', 'x' x 201, 'RT140', 'option "source" .* cannot be', 'It may have 200 characters'],
	['type_prefix', 'com.acme"', 'RT140', 'option "type_prefix" .* cannot be', 'It is a reversed domain name'],
	['epoch', '10000', 'RT140', 'option "epoch" .* cannot be "10000"', 'It is a number from 0 to 9999'],
	['epoch', '-1', 'RT140', 'option "epoch" .* cannot be "-1"', 'It is a number from 0 to 9999'],
	['payload', 'reference', 'RT140', 'option "payload" .* cannot be "reference"', 'It is inline or ref'],
	['max_bytes', '0', 'RT140', 'option "max_bytes" .* cannot be "0"', 'It is a number of bytes from 1 to 16777216'],
	['max_bytes', '16777217', 'RT140', 'option "max_bytes" .* cannot be', 'It is a number of bytes'],
	(map { [$_, 'maybe', 'RT140', "option \"$_\" .* cannot be \"maybe\"", 'It is on or off'] } qw(commit_marker only_local skip_empty messages)));

foreach (@wrong)
{
	my ($name, $value, $state, $message, $hint) = @$_;
	fails("SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL, '$name', '$value');", $state, $message, $hint, "$name=$value");
}
fails(q(SELECT data FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'format', 'row', 'format', 'row');),
	'RT140', 'option "format" of the output plugin is given twice', 'Give each option once', 'an option twice');
# without a value: only through the replication protocol
foreach ([ 'format', 1, qr/option "format" of the output plugin has no value/ ], [ 'commit_marker', 0, qr/^$/ ])
{
	my ($option, $expected, $message) = @$_;
	my $result = $node->command_fails_like(
		[ 'pg_recvlogical', '-S', 's', '-d', $node->connstr($db), '-o', $option, '-o', $expected ? 'epoch=1' : 'format=none', '--no-loop', '--start', '-f', '-' ],
		$expected ? $message : qr/option "format" of the output plugin cannot be "none"/, "option $option without a value");
}
is(sql(q(SELECT slot_name, active FROM pg_replication_slots)), 's|f', 'the slot is as it was');
is(ids(), '', 'and has nothing yet');

# ---- the envelope

my $long = 'x' x 500;
sql(q(SELECT routing.event_partition('2026-01-02')));
sql(
	q(SELECT public.emit(E'S "1" \\\\ \t\x01\u00e9\u20ac\U0001F600', jsonb_build_object(
	'tenant_id', 3, 'seq', 41, 'part_on', '2026-01-02', 'recorded_at', '2026-01-02 03:04:05.000006+00', 'event_ts', '2026-01-02 03:04:05.000006',
	'id', '0199a1f2-6c1e-7b3a-9d4e-5f60718293a4', 'epoch', 7, 'tenantid', 'a b/c', 'aggregatetype', 'order', 'aggregateversion', 12,
	'type', 'order.allocated.v1', 'schemaversion', 3, 'occurred_at', '2026-01-01 23:59:59.999999-05', 'correlationid', 'co"rr', 'causationid', '0199a1f2-6c1e-7b3a-9d4e-5f60718293a3',
	'traceparent', '00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01', 'tracestate', 'v=1', 'tracingspancontext', 'span', 'actor', 'secret',
	'payload', '{"order_id": "SO-1", "n": [1, 2.50, -3], "t": true, "f": false, "z": null, "e": {}, "l": [], "q": "\\"\\\\\\u0001\\u00e9"}'::jsonb)))
);
my @lines = lines(commit_marker => 1);
is(scalar(@lines), 2, 'an event and the mark of its commit');
my ($event, $marker) = map { $json->decode($_) } @lines;
my $place = sub { my ($h, $l) = split(m{/}, $_[0]); return sprintf('%08X%08X', hex($h), hex($l)); };
my %expected = (
	specversion => '1.0', id => '0199a1f2-6c1e-7b3a-9d4e-5f60718293a4', source => 'urn:routing:plugin:a%20b%2Fc',
	type => 'order.allocated.v1', subject => "order/S \"1\" \\ \t\x{1}\x{e9}\x{20ac}\x{1f600}", time => '2026-01-02T04:59:59.999999Z',
	recordedtime => '2026-01-02T03:04:05.000006Z', datacontenttype => 'application/json', dataschema => 'urn:routing:schema:order.allocated:3',
	partitionkey => "S \"1\" \\ \t\x{1}\x{e9}\x{20ac}\x{1f600}", sequence => '0007.' . $place->($marker->{lsn}) . '.000001', aggregatetype => 'order',
	aggregateversion => '0000000000000000012', tenantid => 'a b/c', correlationid => 'co"rr', causationid => '0199a1f2-6c1e-7b3a-9d4e-5f60718293a3',
	traceparent => '00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01', tracestate => 'v=1', acklsn => $marker->{endlsn}, txlast => JSON::PP::true,
	data => { order_id => 'SO-1', n => [ 1, 2.50, -3 ], t => JSON::PP::true, f => JSON::PP::false, z => undef,
		e => {}, l => [], q => "\"\\\x{1}\x{e9}" });
is_deeply($event, \%expected, 'the envelope, field by field');
my $stored = $lines[0];
$stored =~ s/"(?:sequence|acklsn)":"[^"]*",|"txlast":true,//g;
is(sql(q(SELECT routing.cloudevent(e) FROM routing.event e WHERE seq = 41)), $stored, 'cloudevent() has the same but for what only the log knows');
is(join(' ', grep { !/^[a-z0-9]{1,20}$/ } keys %$event), '', 'names of attributes are those that CloudEvents allows');
is_deeply([ sort keys %$marker ], [qw(control endlsn events lsn time xid)], 'the fields of the mark');
is("$marker->{control} $marker->{events}", 'commit 1', 'the mark of a commit with one event');
like($marker->{time}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/, 'and its time');
is(sql(q(SELECT xid::text FROM routing.event WHERE seq = 41)), "$marker->{xid}", 'and its transaction');
my ($row) = events(format => 'row');
is_deeply($row,
	{ tenant_id => 3, seq => '41', part_on => '2026-01-02', recorded_at => '2026-01-02T03:04:05.000006Z', event_ts => '2026-01-02T03:04:05.000006Z',
		id => $expected{id}, epoch => 7, tenantid => 'a b/c', aggregatetype => 'order', aggregateid => $expected{partitionkey}, aggregateversion => '12',
		type => 'order.allocated.v1', schemaversion => 3, occurred_at => '2026-01-02T04:59:59.999999Z', correlationid => 'co"rr',
		causationid => $expected{causationid}, traceparent => $expected{traceparent}, tracestate => 'v=1', tracingspancontext => 'span',
		sequence => $expected{sequence}, acklsn => $expected{acklsn}, txlast => JSON::PP::true, payload => $expected{data} },
	'the same as a row, without the columns that are nobody\'s business');
my ($batch) = events(format => 'cloudevents-batch');
is_deeply($batch, [ \%expected ], 'the same in an array');

# the settings and the options that give the same
($event) = events(source => 'https://acme.example/r', type_prefix => 'com.acme.', epoch => 12);
is("$event->{source} $event->{type} $event->{dataschema}", 'https://acme.example/r:a%20b%2Fc com.acme.order.allocated.v1 urn:routing:schema:order.allocated:3',
	'source and prefix of the type by option');
like($event->{sequence}, qr/^0012\.[0-9A-F]{16}\.000001$/, 'the epoch by option');
sql("ALTER DATABASE $db SET routing.event_source = 'urn:routing:eu1'; ALTER DATABASE $db SET routing.event_type_prefix = 'org.b.'");
($event) = events();
is("$event->{source} $event->{type}", 'urn:routing:eu1:a%20b%2Fc org.b.order.allocated.v1', 'source and prefix of the type by setting');
($event) = events(type_prefix => '');
is($event->{type}, 'order.allocated.v1', 'an empty prefix by option wins over the setting');
sql("ALTER DATABASE $db RESET routing.event_source; ALTER DATABASE $db RESET routing.event_type_prefix");

# ---- payloads: the text of the table, whatever it holds

advance();
sql(q(BEGIN;
SELECT public.emit('P' || n, jsonb_build_object('payload', p)) FROM unnest(ARRAY['{}', '[]', '"text"', '-0.00', '[[[]], {"a": {}}, [{}]]', '17', 'true', 'false', '""',
	'{"": "", "a\"b": "\u007f\u2028", "k": [0, 1, 10000, 123456789012345678901234567890.5, 1e-20, -7e5]}']::jsonb[]) WITH ORDINALITY p (p, n);
SELECT public.emit('deep', jsonb_build_object('payload', (repeat('[', 2000) || repeat('{"a":', 500) || '1' || repeat('}', 500) || repeat(']', 2000))::jsonb));
SELECT public.emit('wide', jsonb_build_object('payload', (SELECT jsonb_object_agg(md5(i::text), CASE i % 4 WHEN 0 THEN to_jsonb(i) WHEN 1 THEN to_jsonb(repeat('a"', i % 50))
	WHEN 2 THEN jsonb_build_array(i, true, NULL, '{}'::jsonb) ELSE jsonb_build_object('x', i / 7.0, 'y', 'é') END) FROM generate_series(1, 700) i)));
COMMIT;
));
route($node, $db, 'SO-1', [ 'I1', 3 ], [ 'I2', 1 ]);
sql(q(SELECT routing.cancel_order('SO-1', reason => E'a "reason"\n')));
my $same = q(SELECT count(*), count(*) FILTER (WHERE CASE WHEN payload -> 0 = '1e100000' THEN data::jsonb ? 'data' ELSE substring(data FROM '"data":(.*)}$') IS DISTINCT FROM payload::text END)
	FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'max_bytes', '%d') d JOIN routing.event e ON e.id = (d.data::jsonb ->> 'id')::uuid);
is(sql(sprintf($same, 65536)), '15|0', 'payloads have the text of the table');
is(join(' ', map { "$_->{type}:" . ($_->{aggregateversion} + 0) . ($_->{txlast} ? '!' : '') } grep { $_->{partitionkey} eq 'SO-1' } events()),
	'order.received.v1:1 order.allocated.v1:2! order.cancelled.v1:3!', 'the events of a routed order');

# ---- filters, and the last event of a transaction

advance();
sql(q(BEGIN;
SELECT public.emit('a', '{"type": "order.received.v1"}'), public.emit('b', '{"type": "inventory.adjusted.v1", "aggregatetype": "inventory"}'),
	public.emit('c', '{"type": "order.cancelled.v2", "tenantid": "acme"}'), public.emit('d', '{"type": "orders.x", "tenantid": "acme"}'),
	public.emit('e', '{"type": "exception.opened.v1", "aggregatetype": "exception"}');
COMMIT;
SELECT public.emit('f', '{"type": "order.received.v1"}');
SELECT public.emit('g', '{"type": "promise.quoted.v1", "aggregatetype": "promise"}');));
is(ids(), 'a b c d e! f! g!', 'all, and the last of each transaction');
foreach (
	[ { types => '*' }, 'a b c d e! f! g!' ],
	[ { types => 'order.*' }, 'a c! f!' ],
	[ { types => 'order*' }, 'a c d! f!' ],
	[ { types => 'order.received.v1' }, 'a! f!' ],
	[ { types => 'order.received.v' }, '' ],
	[ { types => ' order.cancelled.v2 , exception.* ' }, 'c e!' ],
	[ { types => 'inventory.*' }, 'b!' ],
	[ { types => 'none,*' }, 'a b c d e! f! g!' ],
	[ { aggregatetypes => 'inventory,promise' }, 'b! g!' ],
	[ { aggregatetypes => '*' }, 'a b c d e! f! g!' ],
	[ { aggregatetypes => 'Order' }, '' ],
	[ { tenants => 'acme' }, 'c d!' ],
	[ { tenants => 'acme,default' }, 'a b c d e! f! g!' ],
	[ { tenants => 'acme', types => 'order.*', aggregatetypes => 'order' }, 'c!' ],
	[ { proto_version => 1, only_local => 'on', skip_empty => 1, payload => 'inline', max_bytes => 65536, format => 'cloudevents' }, 'a b c d e! f! g!' ])
{
	my ($options, $expected) = @$_;
	is(ids(%$options), $expected, join(' ', map { "$_=$options->{$_}" } sort keys %$options));
}
my @sequences = map { $_->{sequence} } events();
is_deeply(\@sequences, [ sort @sequences ], 'the order of sequences is that of the stream');
is_deeply([ map { $_->{sequence} } events(types => 'order.*') ], [ @sequences[ 0, 2, 5 ] ], 'a filter changes no sequence');
my ($last) = grep { $_->{partitionkey} eq 'c' } events();
is($last->{dataschema}, 'urn:routing:schema:order.cancelled.v2:1', 'a second major version stays in the name of the schema');
# marks and empty transactions
is(join(' ', map { "$_->{events}" } grep { $_->{control} } events(commit_marker => 1)), '5 1 1', 'marks with the number of events');
is(join(' ', map { $_->{control} ? "=$_->{events}" : $_->{partitionkey} } events(commit_marker => 1, types => 'order.*')), 'a c =2 f =1', 'none of an empty transaction');
is(join(' ', map { $_->{control} ? "=$_->{events}" : $_->{partitionkey} } events(commit_marker => 1, types => 'order.*', skip_empty => 'off')),
	'a c =2 f =1 =0', 'unless it is asked for');
is(ids(skip_empty => 'off', types => 'promise.*'), 'g!', 'without marks it leaves nothing in either case');
is(join("\n", map { ref eq 'ARRAY' ? join(' ', map { $_->{partitionkey} . ($_->{txlast} ? '!' : '') } @$_) : "=$_->{events}" }
		events(format => 'cloudevents-batch', commit_marker => 1, types => 'order.*', skip_empty => 'off')),
	"a c!\n=2\nf!\n=1\n\n=0", 'arrays, an empty one too');
is(scalar(lines(format => 'cloudevents-batch', types => 'order.*')), 2, 'no empty array by default');

# ---- partitions

advance();
sql(q(SELECT count(public.emit('part ' || n)) FROM generate_series(1, 200) n));
my @all = events();
foreach my $n (1, 2, 3, 7)
{
	my (%sequence, @wrong_part);
	foreach my $i (0 .. $n - 1)
	{
		foreach my $e (events(partition => "$i/$n"))
		{
			push @wrong_part, $e->{id} if $sequence{ $e->{id} };
			$sequence{ $e->{id} } = $e->{sequence};
		}
	}
	is(join(' ', @wrong_part), '', "no event is in two of $n partitions");
	is_deeply(\%sequence, { map { $_->{id} => $_->{sequence} } @all }, "all are in one of $n, with the same sequences");
}
is( join(' ', sort map { $_->{id} } events(partition => '2/3')),
	sql(q(SELECT string_agg(id::text, ' ' ORDER BY id::text COLLATE "C") FROM routing.event WHERE aggregateid LIKE 'part %' AND routing.event_hash(aggregateid) % 3 = 2)),
	'routing.event_hash() divides in the same way');
is(join(' ', split(/\n/, sql(q(SELECT routing.event_hash(x) FROM unnest(ARRAY['SO-1', 'SKU-1@CHI-1', 'é', '']) WITH ORDINALITY u (x, n) ORDER BY n)))),
	'350760599 1668318582 ' . sql(q(SELECT hashtext('é') & 2147483647)) . ' 0', 'and its values are what they always were');

# ---- large payloads, references

advance();
sql(q(SELECT public.emit('fits', jsonb_build_object('payload', jsonb_build_object('x', repeat('y', 65536 - 9))));
SELECT public.emit('one more', jsonb_build_object('payload', jsonb_build_object('x', repeat('y', 65536 - 8))));
-- out of line, and not to be compressed
SELECT public.emit('toasted', jsonb_build_object('payload', (SELECT jsonb_agg(md5(i::text)) FROM generate_series(1, 12000) i)));
-- a text of megabytes and of gigabytes from a few kilobytes
SELECT public.emit('zeros', jsonb_build_object('payload', (SELECT jsonb_agg(x) FROM generate_series(1, 300), to_jsonb(1e100000) x)));
SELECT public.emit('more zeros', jsonb_build_object('payload', (SELECT jsonb_agg(x) FROM generate_series(1, 30000), to_jsonb(1e100000) x)));
SELECT public.emit('long id', jsonb_build_object('correlationid', repeat('x', 70000), 'tenantid', repeat('x', 60000)));
));
is(join(' ', map { $_->{partitionkey} . (exists $_->{data} ? '' : '*') . (exists $_->{dataref} ? '^' : '') } events()),
	'fits one more*^ toasted*^ zeros*^ more zeros*^ long id', 'a payload above 65536 bytes becomes a reference');
is(join(' ', map { $_->{partitionkey} . (exists $_->{data} ? '' : '*') } events(max_bytes => 16777216)),
	'fits one more toasted zeros* more zeros* long id', 'with another limit others');
is(join(' ', map { $_->{partitionkey} . (exists $_->{data} ? '' : '*') } events(max_bytes => 8)),
	'fits* one more* toasted* zeros* more zeros* long id*', 'a small limit');
is(scalar(grep { exists $_->{data} } events(max_bytes => 10, payload => 'inline')), 1, 'a payload of exactly the limit');
is(sql(q(SELECT octet_length(payload::text) FROM routing.event WHERE aggregateid = 'long id')), 10, 'which has that many bytes');
is(scalar(grep { exists $_->{data} || !exists $_->{dataref} } events(payload => 'ref')), 0, 'payload=ref refers to all');
is(scalar(grep { exists $_->{payload} || !exists $_->{dataref} } events(payload => 'ref', format => 'row')), 0, 'rows, too');
is(sql(sprintf($same, 16777216)), '6|0', 'the text of a toasted payload is that of the table');
is(sql(q(SELECT count(*), count(*) FILTER (WHERE routing.event_payload(data::jsonb ->> 'dataref') = e.payload) FROM pg_logical_slot_peek_changes('s', NULL, NULL, 'payload', 'ref') d
		 JOIN routing.event e ON e.id = (d.data::jsonb ->> 'id')::uuid)), '6|6', 'routing.event_payload() finds what they refer to');
($event) = grep { $_->{partitionkey} eq 'one more' } events();
like($event->{dataref}, qr/^urn:routing:plugin:default:event:\d{4}-\d\d-\d\d:1:\d+$/, 'how a reference looks');
($event) = grep { $_->{partitionkey} eq 'long id' } events();
ok(!exists $event->{correlationid}, 'a text of more than 65536 bytes is left out');
is(length($event->{tenantid}), 60000, 'a shorter one is not');

# ---- origins and messages

advance();
sql(q(SELECT pg_replication_origin_create('elsewhere');
SELECT pg_replication_origin_session_setup('elsewhere');
SELECT public.emit('foreign');
SELECT pg_replication_origin_session_reset();
SELECT public.emit('local');));
is(ids(), 'local!', 'events that were replicated in are left out');
is(ids(only_local => 'off'), 'foreign! local!', 'unless they are wanted');
advance();
sql(q(SELECT pg_logical_emit_message(false, 'routing', E'beat "1"\n');
SELECT pg_logical_emit_message(false, 'other', 'no');
BEGIN; SELECT public.emit('m1'); SELECT pg_logical_emit_message(true, 'routing', 'within'); SELECT public.emit('m2'); SELECT pg_logical_emit_message(true, 'routing', ''); COMMIT;
BEGIN; SELECT pg_logical_emit_message(true, 'routing', 'rolled back'); ROLLBACK;
BEGIN; SELECT pg_logical_emit_message(true, 'routing', 'alone'); COMMIT;
SELECT pg_logical_emit_message(false, 'routing', '\xff00c3'::bytea);
SELECT pg_logical_emit_message(false, 'routing', repeat('x', 70000));
SELECT pg_logical_emit_message(false, 'routing', '{"specversion":"1.0","id":"forged"}');
-- a commit, so that what is before it is flushed
SELECT pg_logical_emit_message(true, 'other', 'no')));
is(ids(), 'm1 m2!', 'messages are left out');
my @with = events(messages => 'on');
is(join(' ', map { $_->{control} ? "[" . ($_->{transactional} ? 't' : 'n') . " $_->{bytes} " . ($_->{content} // '-') . "]" : $_->{partitionkey} . ($_->{txlast} ? '!' : '') } @with),
	"[n 9 beat \"1\"\n] [t 6 within] m1 [t 0 ] m2! [t 5 alone] [n 3 -] [n 70000 -] [n 35 {\"specversion\":\"1.0\",\"id\":\"forged\"}]",
	'those of our prefix are control lines, none behind the last event of its transaction');
is(join(' ', map { join(',', sort keys %$_) } @with[ 0, 1 ]), 'bytes,content,control,lsn,transactional bytes,content,control,lsn,transactional,xid', 'their fields');

# ---- what commits and what does not

advance();
sql(q(BEGIN; SELECT public.emit('gone'); ROLLBACK;
BEGIN; SELECT public.emit('kept 1'); SAVEPOINT a; SELECT public.emit('gone'); ROLLBACK TO a; SAVEPOINT b; SELECT public.emit('kept 2'); RELEASE b; COMMIT;
BEGIN; SELECT public.emit('kept 3'); SAVEPOINT a; SELECT public.emit('gone'); ROLLBACK TO a; COMMIT;
BEGIN; SELECT public.emit('prepared'); PREPARE TRANSACTION 'p1';
BEGIN; SELECT public.emit('gone'); PREPARE TRANSACTION 'p2';
SELECT public.emit('between');
COMMIT PREPARED 'p1';
ROLLBACK PREPARED 'p2';
BEGIN; UPDATE routing.event SET actor = 'x' WHERE aggregateid = 'between'; DELETE FROM routing.event WHERE aggregateid = 'prepared'; COMMIT;
COPY (SELECT 1) TO '/dev/null';));
is(ids(), 'kept 1 kept 2! kept 3! between! prepared!', 'only what was committed, in the order of commits');

# ---- tables that are called event and are not, partitions of another shape

advance();
my $today = sql(q(SELECT (now() AT TIME ZONE 'UTC')::date));
sql(qq(CREATE SCHEMA other;
CREATE TABLE other.event (LIKE routing.event);
CREATE TABLE routing.event_copy (LIKE routing.event);
CREATE TABLE public.event (LIKE routing.event) PARTITION BY LIST (tenant_id);
CREATE TABLE public.event_1 PARTITION OF public.event DEFAULT;
SELECT public.emit('source');
INSERT INTO other.event SELECT * FROM routing.event WHERE aggregateid = 'source';
INSERT INTO routing.event_copy SELECT * FROM routing.event WHERE aggregateid = 'source';
INSERT INTO public.event SELECT * FROM routing.event WHERE aggregateid = 'source';));
is(ids(), 'source!', 'other tables of that name have no events');
# columns in another order, a dropped one between
sql(q(CREATE TABLE public.odd (payload jsonb NOT NULL, gone int, aggregateversion bigint NOT NULL, type text NOT NULL, schemaversion int NOT NULL, occurred_at timestamptz NOT NULL,
	correlationid text, causationid uuid, traceparent text, tracestate text, tracingspancontext text, actor text,
	aggregateid text COLLATE "C" NOT NULL, aggregatetype text COLLATE "C" NOT NULL, tenantid text NOT NULL, epoch int NOT NULL, xid xid8 NOT NULL, id uuid NOT NULL, event_ts timestamp(6) NOT NULL,
	recorded_at timestamptz NOT NULL, part_on date NOT NULL, seq bigint NOT NULL, tenant_id int NOT NULL);
ALTER TABLE public.odd DROP COLUMN gone;
INSERT INTO public.odd (payload, aggregateversion, type, schemaversion, occurred_at, aggregateid, aggregatetype, tenantid, epoch, xid, id, event_ts, recorded_at, part_on, seq, tenant_id)
SELECT payload, aggregateversion, type, schemaversion, occurred_at, 'before', aggregatetype, tenantid, epoch, xid, id, event_ts, recorded_at, '2025-05-05', seq, tenant_id
FROM routing.event WHERE aggregateid = 'source';
ALTER TABLE routing.event ATTACH PARTITION public.odd FOR VALUES FROM ('2025-05-05') TO ('2025-05-06');
SELECT public.emit('odd', '{"part_on": "2025-05-05", "correlationid": "c"}');
ALTER TABLE routing.event DETACH PARTITION public.odd;
INSERT INTO public.odd (payload, aggregateversion, type, schemaversion, occurred_at, aggregateid, aggregatetype, tenantid, epoch, xid, id, event_ts, recorded_at, part_on, seq, tenant_id)
SELECT payload, aggregateversion, type, schemaversion, occurred_at, 'after', aggregatetype, tenantid, epoch, xid, id, event_ts, recorded_at, part_on, seq, tenant_id
FROM routing.event WHERE aggregateid = 'source';
CREATE TABLE public.deeper (LIKE routing.event) PARTITION BY RANGE (seq);
CREATE TABLE public.leaf PARTITION OF public.deeper DEFAULT;
ALTER TABLE routing.event ATTACH PARTITION public.deeper FOR VALUES FROM ('2025-05-06') TO ('2025-05-07');
SELECT public.emit('deep', '{"part_on": "2025-05-06"}');
ALTER TABLE routing.event DETACH PARTITION public.deeper;
DROP TABLE public.odd, public.deeper, other.event, public.event, routing.event_copy;));
is(ids(), 'source! odd! deep!', 'partitions of other shapes and depths have events while they are partitions');
my ($odd) = grep { $_->{partitionkey} eq 'odd' } events();
my ($source) = grep { $_->{partitionkey} eq 'source' } events();
is_deeply([ sort keys %$odd ], [ sort keys %$source, 'correlationid' ], 'with the same attributes');
is("$odd->{type} $odd->{correlationid} $odd->{data}{a}", 'order.received.v1 c 1', 'and their values');

# a partition that is being detached while a transaction goes on that inserts into it
advance();
sql(q(SELECT public.emit('template');
CREATE TABLE public.going (LIKE routing.event);
ALTER TABLE routing.event ATTACH PARTITION public.going FOR VALUES FROM ('2025-05-07') TO ('2025-05-08')));
my ($in, $out) = ('', '');
my $timer   = IPC::Run::timeout(60);
my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr($db) ], '<', \$in, '>', \$out, $timer);
my $insert  = sub { return "INSERT INTO public.going SELECT (jsonb_populate_record(e, '{\"aggregateid\": \"$_[0]\", \"part_on\": \"2025-05-07\"}')).* FROM routing.event e WHERE aggregateid = 'template';\n" };
$in .= "BEGIN; LOCK TABLE routing.event IN ROW EXCLUSIVE MODE;\n\\echo locked\n";
$session->pump until $out =~ /locked/;
my $detach = IPC::Run::start([ 'psql', '-Xq', '-d', $node->connstr($db), '-c', 'ALTER TABLE routing.event DETACH PARTITION public.going CONCURRENTLY' ]);
ok($node->poll_query_until($db, q(SELECT inhdetachpending FROM pg_inherits WHERE inhrelid = 'public.going'::regclass)), 'a partition is being detached');
$in .= $insert->('going') . "COMMIT;\n\\echo committed\n";
$session->pump until $out =~ /committed/;
$in .= "\\q\n";
$session->finish;
$detach->finish;
sql($insert->('gone') . 'DROP TABLE public.going');
is(ids(), 'template! going!', 'what such a transaction inserts is an event');
# columns that come and go within one transaction
advance();
sql(q(BEGIN;
SELECT public.emit('before');
ALTER TABLE routing.event ADD COLUMN more int DEFAULT 3, ADD COLUMN even_more text;
SELECT public.emit('with');
ALTER TABLE routing.event DROP COLUMN more, DROP COLUMN even_more;
SELECT public.emit('after');
COMMIT;
SELECT public.emit('then');));
is(ids(), 'before with after! then!', 'columns that come and go within a transaction');

# ---- an event table of another version, with the oddest rows

advance();
sql(q(CREATE DATABASE odd));
$node->safe_psql('odd', $_) foreach (
	q(CREATE EXTENSION routing; SELECT routing.create_event_partitions(1); SELECT pg_create_logical_replication_slot('o', 'routing')),
	q(DO $$ DECLARE c name; BEGIN
		FOR c IN SELECT attname FROM pg_attribute WHERE attrelid = 'routing.event'::regclass AND attnum > 0 AND attnotnull AND attname NOT IN ('part_on', 'tenant_id', 'seq') LOOP
			EXECUTE format('ALTER TABLE routing.event ALTER %I DROP NOT NULL', c);
		END LOOP; END $$;
	ALTER TABLE routing.event ADD COLUMN later xml;
	ALTER TABLE routing.event DROP COLUMN causationid;),
	q(INSERT INTO routing.event (tenant_id, seq, part_on) VALUES (1, 1, (now() AT TIME ZONE 'UTC')::date)),
	q(INSERT INTO routing.event (tenant_id, seq, part_on, recorded_at, occurred_at, event_ts, id, epoch, tenantid, aggregatetype, aggregateid, aggregateversion, type, schemaversion, correlationid,
			traceparent, tracestate, payload)
		VALUES (-1, -9223372036854775808, (now() AT TIME ZONE 'UTC')::date, 'infinity', '0044-03-15 BC', '-infinity', '00000000-0000-0000-0000-000000000000', -5, '', '', '', -1, '', -1, '', 'x', 'y', 'null'),
			(1, 3, (now() AT TIME ZONE 'UTC')::date, '294276-12-31', '9999-12-31 23:59:59.999999+00', '4713-01-01 BC', NULL, 2147483647, 't', NULL, 'id', 9223372036854775807, E'ty"pe\n.v1', 2147483647,
			 E'\x01', '00-0AF7651916CD43DD8448EB211C80319C-b9c7c989f97918e1-01', 'y', '[]'),
			(1, 4, (now() AT TIME ZONE 'UTC')::date, '0001-01-01 00:00:00+00', '1969-12-31 23:59:59.999999+00', '1999-12-31', NULL, 3, 't', 'order', NULL, 0, 'x', 0,
			 NULL, NULL, NULL, '{}')),
	q(ALTER TABLE routing.event ALTER tenantid TYPE varchar(10), ALTER type TYPE char(12), ALTER id TYPE text, ALTER seq TYPE int USING seq % 100, ALTER payload TYPE text, ALTER aggregateversion TYPE numeric,
		ALTER schemaversion TYPE smallint USING 6, ALTER aggregateid TYPE bytea USING 'x', ALTER recorded_at TYPE timestamp),
	q(INSERT INTO routing.event (tenant_id, seq, part_on, id, tenantid, aggregateid, type, payload, schemaversion, aggregateversion) VALUES (1, 6, (now() AT TIME ZONE 'UTC')::date, 'my "id"', 'v', '\x00', 'c', 'no "json"', 7, 8)),
	q(ALTER TABLE routing.event DROP id, DROP type, DROP payload; INSERT INTO routing.event (tenant_id, seq, part_on) VALUES (1, 7, (now() AT TIME ZONE 'UTC')::date)));
my $odd_lines = sub {
	my ($options) = @_;
	return map { $json->decode($_) } split(/\n/, $node->safe_psql('odd', "SELECT data FROM pg_logical_slot_peek_changes('o', NULL, NULL, 'source', 'urn:x' $options)"));
};
my @odd = $odd_lines->('');
is(scalar(@odd), 6, 'all of them come');
my @bare = qw(acklsn datacontenttype id sequence source specversion txlast type);
is(join(' ', sort keys %{ $odd[0] }), join(' ', @bare), 'of a row without values there is what CloudEvents wants');
is("$odd[0]{id} $odd[0]{source} $odd[0]{type}", "$odd[0]{sequence} urn:x unknown", 'and its id is its place');
is_deeply($odd[1],
	{ (map { $_ => $odd[1]{$_} } qw(acklsn sequence specversion datacontenttype)), id => '00000000-0000-0000-0000-000000000000', source => 'urn:x', type => 'unknown', txlast => JSON::PP::false, data => undef },
	'what has no text in an envelope is left out');
like($odd[1]{sequence}, qr/^0000\./, 'an epoch below the least is the least');
is_deeply($odd[2],
	{ (map { $_ => $odd[2]{$_} } qw(acklsn sequence specversion datacontenttype id)), source => 'urn:x:t', type => "ty\"pe\n.v1", txlast => JSON::PP::false, data => [], subject => 'id', partitionkey => 'id',
		time => '9999-12-31T23:59:59.999999Z', dataschema => 'urn:routing:schema:ty%22pe%0A:2147483647', aggregateversion => '9223372036854775807', tenantid => 't', correlationid => "\x01" },
	'and the other values are there');
like($odd[2]{sequence}, qr/^9999\./, 'an epoch beyond the last is the last');
is("$odd[3]{time} $odd[3]{recordedtime} $odd[3]{subject}", '1969-12-31T23:59:59.999999Z 0001-01-01T00:00:00.000000Z order', 'times before 1970 and of the first year');
is_deeply($odd[4],
	{ (map { $_ => $odd[4]{$_} } qw(acklsn sequence specversion datacontenttype)), id => 'my "id"', source => 'urn:x:v', type => 'c           ', txlast => JSON::PP::true, tenantid => 'v',
		dataschema => 'urn:routing:schema:c%20%20%20%20%20%20%20%20%20%20%20:7', data => 'no "json"' },
	'columns of other types');
is(join(' ', sort keys %{ $odd[5] }), join(' ', @bare), 'columns that are gone');
is(scalar($odd_lines->(", 'format', 'row'")), 6, 'likewise as rows');
is(scalar($odd_lines->(", 'payload', 'ref', 'format', 'cloudevents-batch'")), 4, 'as arrays');
is(scalar($odd_lines->(", 'partition', '0/2'")) + scalar($odd_lines->(", 'partition', '1/2'")), 6, 'and in partitions');
is(scalar($odd_lines->(", 'types', 'x', 'aggregatetypes', 'order'")), 1, 'and filtered');
# decoding that is cut off leaves nothing behind in its session
is( $node->psql('odd', q(SET statement_timeout = '1ms'; SELECT count(*) FROM generate_series(1, 2000) g, LATERAL (SELECT data FROM pg_logical_slot_peek_changes('o', NULL, NULL, 'epoch', (g % 5)::text)) d;)), 3,
	'a session is cut off');
is( $node->safe_psql('odd',
		q(DO $$ BEGIN PERFORM set_config('statement_timeout', '0', false); PERFORM count(*) FROM pg_logical_slot_peek_changes('o', NULL, NULL, 'formats', 'x'); EXCEPTION WHEN OTHERS THEN NULL; END $$;
		DO $$ BEGIN PERFORM count(*), sum(1 / (length(data) - length(data))) FROM pg_logical_slot_peek_changes('o', NULL, NULL); EXCEPTION WHEN OTHERS THEN NULL; END $$;
		CREATE TABLE public.a (); DROP TABLE public.a; ALTER TABLE routing.event ADD id uuid;
		SELECT count(*) FROM pg_logical_slot_peek_changes('o', NULL, NULL))), '6', 'after errors a session decodes again');
$node->safe_psql('odd', q(SELECT pg_drop_replication_slot('o')));

# ---- databases of other encodings

foreach my $encoding (qw(LATIN1 SQL_ASCII))
{
	sql("CREATE DATABASE \"db_$encoding\" TEMPLATE template0 ENCODING '$encoding' LOCALE 'C'");
	my (undef, undef, $error) = $node->psql("db_$encoding", "\\set VERBOSITY verbose\nSELECT pg_create_logical_replication_slot('e', 'routing')");
	like($error, qr/ERROR:  RT142: the output plugin routing cannot decode a database in encoding $encoding\nHINT:  JSON is UTF-8/, "a database in $encoding is refused");
}

$node->stop;
done_testing();
