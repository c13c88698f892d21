# The delivery contract of the event stream when processes are killed.  A load
# with rollbacks, savepoints, long transactions and commits that do not wait for
# the disk runs while consumers, their backends, the worker and the server are
# killed at random moments.  The consumers write to files what they get: a
# receiver of a slot, a registered consumer by SQL, a reader with tokens.
# Afterwards each has every committed event once, duplicates removed by id,
# none that was rolled back, and each aggregate in order without a gap.  The
# same after a slot was lost, a standby promoted and a dump restored.
#
# ROUTING_SOAK_SECONDS: a sixth of it, at least 30, instead of 5 seconds.

use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;
use IPC::Run;
use List::Util qw(max shuffle);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RoutingTest;
use StreamTest;
use Test::More;
use Time::HiRes qw(time usleep);

my $seconds = $ENV{ROUTING_SOAK_SECONDS} ? max(30, int($ENV{ROUTING_SOAK_SECONDS} / 6)) : 5;
my $db      = 'postgres';
my $dir     = ${PostgreSQL::Test::Utils::tmp_check};
my $primary = new_server(
	'stream',
	allows_streaming => 'logical',
	plugin           => 1,
	# small segments: a slot is soon too far behind
	extra => ['--wal-segsize=1'],
	conf  => qq(
shared_preload_libraries = 'routing'
routing.databases = 'postgres'
routing.tick_interval = 200ms
routing.heartbeat_interval = 1
restart_after_crash = on
synchronous_commit = local
autovacuum = off
max_connections = 60
max_wal_size = 64MB
shared_buffers = 64MB
wal_buffers = 2MB
));

# ---- nothing that was seen is taken back

$primary->safe_psql($db, q(CREATE EXTENSION routing; SELECT routing.create_event_partitions(1);
SELECT routing.create_slot('stream'); SELECT routing.create_slot('peek')));
load_network($primary, $db, 5, 100000);
$primary->safe_psql($db, q(INSERT INTO routing.item (item) VALUES ('NONE')));
ok($primary->poll_query_until($db, q(SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'routing worker')), 'the worker runs');
my $sql   = { node => $primary, name => 'files', file => "$dir/got.sql" };
my $token = { node => $primary, token => 'oldest', file => "$dir/got.token" };
my $slot  = { node => $primary, name => 'stream', file => "$dir/got.slot", files => [] };
$primary->safe_psql($db, q(SELECT routing.consumer_register('files', 'oldest'); SELECT routing.consumer_register('peeks', 'oldest')));
# the worker commits, and so flushes what others did
$primary->append_conf('postgresql.conf', "routing.databases = ''\n");
$primary->reload;
$primary->poll_query_until($db, q(SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'routing worker')) or BAIL_OUT('the worker stays');

# Has an order commit without waiting for the disk while nobody else writes to it, calls $see, and crashes.
sub unflushed
{
	my ($order, $see) = @_;
	my $s = session($primary);
	my @pids = split(/\n/, $primary->safe_psql($db, q(CHECKPOINT;
SELECT pid FROM pg_stat_activity WHERE backend_type IN ('walwriter', 'background writer', 'checkpointer'))));

	kill 'STOP', @pids;
	ask($s, "SET synchronous_commit = off;\nBEGIN;\n" . order_sql($order, ['I1', 1]) . 'COMMIT;');
	my $seen = $see->($s);
	# after this one others get its id and its numbers
	crash($primary, 'kill');
	end($s);
	return $seen;
}
my $peek = q(SELECT count(*) FROM pg_logical_slot_peek_changes('peek', NULL, NULL) WHERE data LIKE '%async-0%');
is(unflushed('async-0', sub { ask($_[0], "SELECT count(*) FROM routing.event WHERE aggregateid = 'async-0'") . ask($_[0], $peek) }),
	'20', 'what is committed and not on disk is in the table, and no slot delivers it');
is($primary->safe_psql($db, q(SELECT count(*) FROM routing.event WHERE aggregateid = 'async-0')), '0', 'a crash takes it back');
like(unflushed('async-1', sub { ask($_[0], "SELECT token, aggregateversion FROM routing.event_since('now') UNION ALL
		SELECT token, aggregateversion FROM routing.event_since('oldest') WHERE aggregateid = 'async-1'") }), qr/\|1\n[^\n]*\|2$/, 'event_since() reads such an event');
is($primary->safe_psql($db, q(SELECT count(*) FROM routing.event WHERE aggregateid = 'async-1')), '2', 'and after a crash it is still there');
# read in a transaction that never commits
like(unflushed('async-2', sub { ask($_[0], "BEGIN; SELECT aggregateid, aggregateversion FROM routing.consumer_next('peeks', 1000)") }), qr/async-2\|1\nasync-2\|2$/,
	'consumer_next() reads such an event');
is($primary->safe_psql($db, q(SELECT count(*) FROM routing.event WHERE aggregateid = 'async-2')), '2', 'and after a crash it is still there');
is($primary->safe_psql($db, q(SELECT string_agg(aggregateid || aggregateversion, ' ' ORDER BY seq) FROM routing.consumer_next('peeks', 1000) WHERE aggregatetype = 'order')),
	'async-11 async-12 async-21 async-22', 'and comes again');

# Ids that were given and never got into the WAL are given again: they are running in what consumers keep.
$primary->safe_psql($db, q(SELECT routing.consumer_register('ids', 'now')));
route($primary, $db, 'before', ['I1', 1]);
my @idle = map { session($primary) } 0 .. 8;
my $last = (map { ask($_, 'BEGIN; SELECT pg_current_xact_id()') } @idle)[-1];
my $since = ask($idle[0], q(SELECT token FROM routing.event_since('now')));
ask($idle[0], q(SELECT routing.consumer_ack('ids', max(batch_id)) FROM routing.consumer_next('ids'); COMMIT));
crash($primary, 'kill');
end($_) foreach @idle;
cmp_ok($primary->safe_psql($db, 'SELECT pg_current_xact_id()'), '<', $last, 'after a crash transaction ids are given again');
is($primary->safe_psql($db, qq(SELECT count(id) FROM routing.event_since('$since'))), '0', 'tokens go on');
is($primary->safe_psql($db, q(SELECT count(*) FROM routing.consumer_next('ids'))), '0', 'consumers go on');
route($primary, $db, "reused-$_", ['I1', 1]) foreach 1 .. 6;
is($primary->safe_psql($db, qq(SELECT count(*) FROM routing.event_since('$since') WHERE aggregatetype = 'order')), '12', 'tokens miss nothing');
is($primary->safe_psql($db, q(SELECT count(*) FROM routing.consumer_next('ids') WHERE aggregatetype = 'order')), '12', 'consumers miss nothing');

# A commit that waits for a standby is in the WAL, and a later one is visible before it.  Whoever
# has got the first one from a slot and nothing else resumes behind it, not behind what is visible.
$primary->safe_psql($db, q(DELETE FROM routing.stream_mark; ALTER SYSTEM SET synchronous_standby_names = 'nobody'));
$primary->reload;
my $waiting = session($primary);
${ $waiting->{in} } .= "SET synchronous_commit = on;\nBEGIN;\n" . order_sql('waits', ['NONE', 1]) . "COMMIT;\n";
$waiting->{h}->pump_nb;
ok($primary->poll_query_until($db, q(SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep')), 'a commit waits for a standby');
route($primary, $db, 'overtakes', ['I1', 1]);
is($primary->safe_psql($db, q(SELECT routing.mark_stream(), string_agg(DISTINCT aggregateid, ' ') FROM routing.event WHERE aggregateid IN ('waits', 'overtakes'))),
	't|overtakes', 'another one is visible before it');
my ($id) = $primary->safe_psql($db, q(SELECT data FROM pg_logical_slot_peek_changes('peek', NULL, NULL) WHERE data LIKE '%"order/waits"%')) =~ /"id":"([^"]*)"/;
$primary->safe_psql($db, 'ALTER SYSTEM RESET synchronous_standby_names');
$primary->reload;
ask($waiting, '');
end($waiting);
is($primary->safe_psql($db, qq(SELECT string_agg(DISTINCT aggregateid, ' ' ORDER BY aggregateid) FROM routing.event_since('$id', 1000) WHERE aggregateid IN ('waits', 'overtakes'))),
	'overtakes waits', 'resumed from the id of the first the second is not missing');
$primary->safe_psql($db, q(SELECT routing.consumer_unregister('ids'); SELECT routing.consumer_unregister('peeks'); SELECT pg_drop_replication_slot('peek')));
$primary->append_conf('postgresql.conf', "routing.databases = 'postgres'\n");
$primary->reload;

# ---- killed at random

my $new = q(SELECT nextval('public.order_seq') AS n \gset
INSERT INTO routing.sales_order (order_id, customer, country, postal_code) VALUES ('S' || :n, 'C1', 'US', '10001');
INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES ('S' || :n, 1, 'I' || :a, 1);
);
my %script = (
	order     => [ 6, qq(\\set a random(1, 5)\nBEGIN;\n${new}COMMIT;\n) ],
	async     => [ 3, qq(\\set a random(1, 5)\nBEGIN;\nSET LOCAL synchronous_commit = off;\n${new}COMMIT;\n) ],
	savepoint => [ 3, qq(\\set a random(1, 5)\nBEGIN;\nSAVEPOINT a;\n${new}SET CONSTRAINTS ALL IMMEDIATE;\nROLLBACK TO a;\nSAVEPOINT b;\n${new}RELEASE b;\nCOMMIT;\n) ],
	rollback  => [ 3, qq(\\set a random(1, 5)\nBEGIN;\n${new}SET CONSTRAINTS ALL IMMEDIATE;\nROLLBACK;\n) ],
	# its events are written early, its id is older still; the item is nobody else's
	long => [ 1, qq(\\set a random(1, 5)\n\\set s random(100, 1500)\nBEGIN;\nSELECT pg_current_xact_id();\nSELECT nextval('public.order_seq') AS n \\gset
INSERT INTO routing.sales_order (order_id, customer, country, postal_code) VALUES ('L' || :n, 'C1', 'US', '10001');
INSERT INTO routing.sales_order_line (order_id, line_no, item, quantity) VALUES ('L' || :n, 1, 'NONE', 1);
SET CONSTRAINTS ALL IMMEDIATE;\n\\sleep :s ms\nCOMMIT;\n) ],
	# the same few orders again and again, by transactions whose ids are older than their turn
	again => [ 4, qq(\\set o random(1, 5)\n\\set s random(0, 20)\nBEGIN;\nSELECT pg_current_xact_id();\n\\sleep :s ms
UPDATE routing.sales_order_line SET quantity = 1 + (quantity::int % 3) WHERE order_id = 'again-' || :o;\nCOMMIT;\n) ]);
my @scripts = map { ('-f', write_script("stream_$_", $script{$_}[1]) . '@' . $script{$_}[0]) } sort keys %script;
my $loads = 0;

sub load_start
{
	my ($node) = @_;

	return pgbench_start($node, $db, "$dir/stream_load." . $loads++, '-c', 8, '-j', 2, '-T', 100 + $seconds, @scripts);
}

sub load_end
{
	my ($load) = @_;

	$load->signal('KILL') if $load->pumpable;
	eval { $load->finish };
	return;
}

route($primary, $db, "again-$_", [ 'I' . $_, 1 ]) foreach 1 .. 5;

# a backend of which this is true
sub kill_backend
{
	my ($what) = @_;
	my ($status, $pid) = $primary->psql($db, "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND $what ORDER BY random() LIMIT 1");

	return 0 unless defined $pid && $pid =~ /^\d+$/;
	return kill 'KILL', $pid;
}
my %kill = (
	receiver => sub { end_receiver($slot, 'KILL'); return 1; },
	walsender => sub { return kill_backend(q(backend_type = 'walsender')); },
	# between reading and acknowledging
	consumer => sub
	{
		my $done = 0;
		consume($sql, sub {
			my $pid = try_ask($_[0]{s}, 'SELECT pg_backend_pid()');
			$done = kill('KILL', $pid) if defined $pid && $pid =~ /^\d+$/; });
		return $done;
	},
	worker    => sub { return kill_backend(q(backend_type = 'routing worker')); },
	writer    => sub { return kill_backend(q(application_name = 'load' AND xact_start IS NOT NULL)); },
	immediate => sub { crash($primary, 'immediate'); return 1; },
	server    => sub { crash($primary, 'kill'); return 1; });
my %killed;
my @next;
my $load = load_start($primary);
my $end  = time() + $seconds;
my $most = time() + $seconds + 60;
receive($slot);
while (time() < $most && (time() < $end || grep { !$killed{$_} } keys %kill))
{
	my $moment = time() + 0.1 + rand(0.6);

	while (time() < $moment)
	{
		$load = load_start($primary) unless $load->pumpable;
		receive($slot) unless $slot->{h}->pumpable;
		consume($sql);
		read_on($token);
		usleep(20_000);
	}
	@next = shuffle keys %kill unless @next;
	my $what = shift @next;
	if ($kill{$what}->())
	{
		$killed{$what}++;
		note("killed: $what");
	}
	wait_up($primary);
	# what a slot's receiver has confirmed outlives a crash when a checkpoint has followed: else all comes again each time
	eval { $primary->psql($db, 'CHECKPOINT') } if rand() < 0.5;
	# processes that have ended are seen to have
	eval { $_->pump_nb } foreach $load, $slot->{h};
	if (!$load->pumpable) { load_end($load); }
	if (!$slot->{h}->pumpable) { end_receiver($slot, 'INT'); }
}
is(join(' ', grep { !$killed{$_} } sort keys %kill), '', 'each was killed: ' . join(', ', map { "$_ " . ($killed{$_} // 0) } sort keys %kill));
load_end($load);
ok($primary->poll_query_until($db, q(SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'load')), 'the load has ended');
is(errors_of($sql, $token), '', 'no consumer had an error but of its connection');
drain($primary, $sql, $token, $slot);
is_complete($primary, 'SQL consumer', file_events($sql->{file}));
is_complete($primary, 'tokens', file_events($token->{file}));
is_complete($primary, 'slot', file_events(@{ $slot->{files} }));
is_sound($primary, $db, 'after the kills');
ok($primary->poll_query_until($db, q(SELECT notified_at > (SELECT max(recorded_at) FROM routing.event) FROM routing.stream_tick)), 'the worker ticks again');

# ---- a slot that is lost

end_receiver($slot, 'KILL');
route($primary, $db, "missed-$_", ['I1', 1]) foreach 1 .. 3;
$primary->safe_psql($db, q(ALTER SYSTEM SET max_slot_wal_keep_size = '2MB'; ALTER SYSTEM SET max_wal_size = '2MB'));
$primary->reload;
$primary->poll_query_until($db, q(SELECT count(*) = 0 FROM pg_stat_replication)) or BAIL_OUT('a walsender stays');
$primary->safe_psql($db, q(CREATE TABLE public.unrelated (t text); ALTER TABLE public.unrelated ALTER t SET STORAGE PLAIN));
foreach (1 .. 8)
{
	$primary->safe_psql($db, q(INSERT INTO public.unrelated SELECT repeat('x', 7000) FROM generate_series(1, 150)));
	$primary->safe_psql($db, q(SELECT pg_switch_wal()));
}
$primary->safe_psql($db, 'CHECKPOINT');
ok($primary->poll_query_until($db, q(SELECT wal_status = 'lost' FROM pg_replication_slots WHERE slot_name = 'stream')), 'a slot is lost');
my $lost = 'it is lost: drop it, make a new one and go on with routing.event_since()';
is($primary->safe_psql($db, 'SELECT slot_name, wal_status, problem FROM routing.slot_status()'), "stream|lost|$lost", 'slot_status() says so');
is($primary->safe_psql($db, q(SELECT severity, problem FROM routing.doctor() WHERE subject = 'replication slot stream')), "error|$lost", 'doctor() says so');
receive($slot);
$slot->{h}->finish;
my $empty = pop @{ $slot->{files} };
is(-s $empty || 0, 0, 'a receiver gets nothing');
like(slurp_file("$empty.err"), qr/cannot (read from|use|get changes from|be) .*replication slot|can no longer get changes from replication slot|has been invalidated/, 'but an error');
$primary->safe_psql($db, q(ALTER SYSTEM RESET max_slot_wal_keep_size; ALTER SYSTEM RESET max_wal_size; SELECT pg_drop_replication_slot('stream'); DROP TABLE public.unrelated));
$primary->reload;
resume($primary, $slot);
route($primary, $db, "after-$_", ['I1', 1]) foreach 1 .. 3;
drain($primary, $sql, $token, $slot);
is_complete($primary, 'slot that was lost', file_events(@{ $slot->{files} }));
note(scalar(file_events($slot->{files}[-2])) . ' events from the table, ' . scalar(file_events($slot->{files}[-1])) . ' from the new slot');

# ---- a standby: polled while the primary has a long transaction, then promoted

$primary->append_conf('postgresql.conf', "wal_keep_size = 256MB\n");
$primary->reload;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "hot_standby_feedback = on\nmax_standby_streaming_delay = -1\n");
$standby->start;
$primary->wait_for_catchup($standby);
my $far = { node => $standby, token => 'oldest', file => "$dir/got.standby" };
drain($standby, undef, $far);

# several transactions that stay open across many windows of the reader, one below the other
my @long = map { session($primary) } 1 .. 3;
foreach my $i (0 .. 2)
{
	ask($long[$i], 'BEGIN; SELECT pg_current_xact_id(); ' . order_sql("open-$i", ['NONE', 1]) . 'SET CONSTRAINTS ALL IMMEDIATE');
	route($primary, $db, "beside-$i", ['I1', 1]);
	$primary->wait_for_catchup($standby);
	read_on($far);
}
my %there = map { ($_->[1] => 1) } file_events($far->{file});
is(join(' ', grep { $there{"order/$_"} } map { ("open-$_", "beside-$_") } 0 .. 2), 'beside-0 beside-1 beside-2',
	'a standby shows what is committed beside open transactions');
foreach my $i (1, 2, 0)
{
	ask($long[$i], $i == 2 ? 'ROLLBACK' : 'COMMIT');
	route($primary, $db, "beside-$i-again", ['I2', 1]);
	$primary->wait_for_catchup($standby);
	read_on($far);
}
end($_) foreach @long;
drain($standby, undef, $far);
is_complete($standby, 'a standby, long transactions', file_events($far->{file}));

# The same token on both, in turns, under load; then the primary is lost.
$load = load_start($primary);
my $turns = 0;
$end = time() + max(3, $seconds / 4);
while (time() < $end || $turns < 10)
{
	$far->{node} = $turns++ % 2 ? $standby : $primary;
	end($far->{s}) if $far->{s};
	$far->{s} = undef;
	read_on($far);
	consume($sql);
	usleep(20_000);
	$load->pump_nb if $load->pumpable;
}
# what they have is not further than the standby: of an asynchronous one nobody can promise that
end_receiver($slot, 'KILL');
end($_->{s}) foreach grep { $_->{s} } $far, $sql, $token;
$_->{s} = undef foreach $far, $sql, $token;
ok($load->pumpable, 'the load is still running');
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
$primary->stop('immediate');
load_end($load);
$standby->promote;
is($standby->safe_psql($db, 'SELECT count(*) FROM pg_replication_slots'), '0', 'slots are not on a standby');
is($standby->safe_psql($db, 'SELECT routing.stream_epoch(), (SELECT count(*) FROM routing.stream_epoch)'), '1|1', 'the epoch stays after a promotion');
$_->{node} = $standby foreach $far, $sql, $token;
resume($standby, $slot);
route($standby, $db, "promoted-$_", [ "I$_", 1 ]) foreach 1 .. 5;
drain($standby, $sql, $token, $slot);
drain($standby, undef, $far);
is(errors_of($far, $sql, $token), '', 'no consumer had an error');
is_complete($standby, 'SQL consumer, promoted', file_events($sql->{file}));
is_complete($standby, 'tokens, promoted', file_events($token->{file}));
is_complete($standby, 'tokens of both servers, promoted', file_events($far->{file}));
is_complete($standby, 'slot, promoted', file_events(@{ $slot->{files} }));
is_sound($standby, $db, 'after the promotion');

# ---- a dump restored into a new cluster

end_receiver($slot, 'KILL');
end($sql->{s});
# it has read some of them, and not acknowledged
route($standby, $db, "unread-$_", ['I1', 1]) foreach 1 .. 3;
my $open = $standby->safe_psql($db, qq(SELECT $columns FROM routing.consumer_next('files', 3)));
note_down($sql->{file}, $open);
my $state = q(SELECT (SELECT count(*) || md5(string_agg(e::text, ',' ORDER BY seq)) FROM routing.event e), (SELECT string_agg(leaf, ' ') FROM routing.event_partitions()),
	(SELECT string_agg(c::text, ' ' ORDER BY consumer) FROM routing.consumer c), (SELECT string_agg(x::text, ' ' ORDER BY epoch) FROM routing.stream_epoch x));
my $old = $standby->safe_psql($db, $state);
my $restored = new_server('restored', allows_streaming => 'logical', plugin => 1, conf => "wal_level = logical\n");
command_ok([ 'pg_dump', '-Fc', '-d', $standby->connstr($db), '-f', "$dir/stream.dump" ], 'pg_dump -Fc');
command_ok([ 'pg_restore', '-1', '-d', $restored->connstr($db), "$dir/stream.dump" ], 'pg_restore -1');
$standby->stop;
is($restored->safe_psql($db, $state), $old, 'events, partitions, consumers and epochs are there');
like($restored->safe_psql($db, q(SELECT problem FROM routing.doctor() WHERE subject = 'routing.stream_epoch')), qr/^events were restored from another cluster/, 'doctor() says that an epoch begins');
# a new slot is first; its events are those from here on
$_->{node} = $restored foreach $sql, $slot;
$sql->{s} = undef;
$sql->{errors} = {};
my ($old_sequence) = reverse sort map { $_->[3] =~ /"sequence":"([^"]*)"/ } grep { defined $_->[3] } file_events(@{ $slot->{files} });
resume($restored, $slot);
route($restored, $db, "restored-$_", [ "I$_", 1 ]) foreach 1 .. 5;
drain($restored, $sql, undef, $slot);
is($restored->safe_psql($db, q(SELECT type, epoch, aggregateversion, payload ->> 'epoch' FROM routing.event WHERE epoch = 2 ORDER BY seq LIMIT 1)),
	'stream.epoch_started.v1|2|1|2', 'a new epoch begins with the first event');
is($restored->safe_psql($db, q(SELECT count(*) FROM routing.event WHERE epoch = 2 AND type = 'stream.epoch_started.v1')), '1', 'once');
is(join('', keys %{ $sql->{errors} }), '', 'the consumer goes on without an error');
is_complete($restored, 'SQL consumer, restored', file_events($sql->{file}));
is_complete($restored, 'slot, restored', file_events(@{ $slot->{files} }));
my ($new_sequence) = sort map { $_->[3] =~ /"sequence":"([^"]*)"/ } file_events($slot->{files}[-1]);
like("$old_sequence $new_sequence", qr/^0001\.\S+ 0002\.\S+$/, 'sequences begin with the epoch');
ok($old_sequence lt $new_sequence, 'those of the new epoch come after those of the old one');
is_sound($restored, $db, 'after the restore');

# ---- somebody else's publication

is($restored->safe_psql($db, q(SELECT c.oid::regclass FROM pg_class c WHERE c.relnamespace = 'routing'::regnamespace AND c.relkind = 'r'
	AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))), '', 'every table has a primary key');
$restored->safe_psql($db, 'CREATE TABLE public.keyless (n int); INSERT INTO public.keyless VALUES (1); CREATE PUBLICATION theirs FOR ALL TABLES');
my ($ret, $stdout, $stderr) = $restored->psql($db, 'DELETE FROM public.keyless');
like($stderr, qr/cannot delete from table "keyless" because it does not have a replica identity and publishes deletes/, 'a publication FOR ALL TABLES forbids changes of tables without one');
route($restored, $db, "published-$_", [ "I$_", 1 ]) foreach 1 .. 3;
$restored->safe_psql($db, q(
SELECT routing.cancel_order('published-1');
UPDATE routing.sales_order_line SET quantity = 2 WHERE order_id = 'published-2';
DELETE FROM routing.sales_order WHERE order_id = 'published-1';
UPDATE routing.supply SET quantity = quantity + 1;
DELETE FROM routing.supply WHERE item = 'I5' AND ref <> '';
SELECT routing.roll();
SELECT routing.run_jobs();
CALL routing.work();
));
drain($restored, $sql, undef, $slot);
route($restored, $db, 'published-4', ['I4', 1]);
$restored->safe_psql($db, q(
SELECT routing.consumer_nack('files', (SELECT id FROM routing.consumer_next('files') LIMIT 1), '0');
SELECT routing.consumer_replay('files', 'oldest');
SELECT routing.consumer_unregister('files');
));
drain($restored, undef, undef, $slot);
is_complete($restored, 'slot, with their publication', file_events(@{ $slot->{files} }));
is_verified($restored, $db, 'with their publication');
end_receiver($slot, 'INT');
end($sql->{s});
$restored->stop;
done_testing();
