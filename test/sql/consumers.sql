-- consumers by SQL: batches, acknowledgement, refusals, parking, dead letters, replay
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
-- what a consumer gets, told by aggregate and version
create function t.next(consumer text, max int default 100, out attempt int, out id text, out version bigint, out type text)
	returns setof record language sql
	as $$ select attempt, aggregateid, aggregateversion, type from routing.consumer_next(consumer, max) $$;
create function t.ids(consumer text, max int default 100) returns text language sql
	as $$ select string_agg(aggregateid || ' ' || aggregateversion || case when attempt > 1 then ' again' else '' end, ', ' order by n)
		  from (select row_number() over () as n, x.* from routing.consumer_next(consumer, max) x) y $$;
create function t.ack(name text, upto bigint default null) returns void language sql
	as $$ select routing.consumer_ack(name, (select batch_id from routing.consumer where consumer = name), upto) $$;
create function t.id(agg text, version bigint) returns uuid language sql
	return (select id from routing.event where aggregateid = agg and aggregateversion = version);
create function t.seq(agg text, version bigint) returns bigint language sql
	return (select seq from routing.event where aggregateid = agg and aggregateversion = version);
create function t.nack(name text, agg text, version bigint, retry_after interval default null, out attempts int, out delay text, out put_aside int)
	language sql as $$ select attempts, to_char(retry_at - clock_timestamp() + '500 ms', 'HH24:MI:SS'), put_aside
					   from routing.consumer_nack(name, t.id(agg, version), retry_after, 'cannot read ' || agg) $$;
create function t.hide(message text) returns text language sql
	return regexp_replace(regexp_replace(message, '[0-9a-f]{8}-[0-9a-f-]{27}', 'ID', 'g'), '(batch|is|seq) \d+', '\1 N', 'g');
create view t.w as select consumer, aggregateid as id, state, attempts, reason from routing.consumer_wait order by consumer, seq;
create view t.d as select consumer, aggregateid as id, type, state, parked, attempts, reason, closed_at is not null as closed
	from routing.dead_letter order by consumer, seq;
create view t.s as select consumer, lag_events as lag, lag_seconds >= 0 as seconds, oldest_unacked is not null as oldest,
	batch_id is not null as batch, retrying, waiting, dead, parked_aggregates as parked, blocked from routing.consumer_status();
\set ECHO all
call t.stock('A', 'CHI', 50); call t.stock('B', 'CHI', 50);
call t.ord('O1', 3, 'A 1');

-- from now on, from the beginning, one type, one half each
select routing.consumer_register('new'), routing.consumer_register('old', 'oldest'),
	   routing.consumer_register('cancels', 'oldest', types => '{order.cancelled.*}'),
	   routing.consumer_register('half0', 'oldest', partition => '0/2'), routing.consumer_register('half1', 'oldest', partition => '1/2');
table t.s;
select * from t.next('new');
select * from t.next('old');
-- the same until it is acknowledged, also with another maximum; nothing new comes in between
call t.ord('O2', 3, 'A 1');
select t.ids('old', 1), t.ids('old');
select t.ack('old');
select t.ids('old', 3), t.ids('new', 1);
-- a part of a batch
select t.ack('old', t.seq('O2', 1));
select t.ids('old');
select t.ack('old', t.seq('O2', 1));
select t.ids('old');
select t.ack('old', t.seq('O2', 2));
select t.ids('old');
select routing.cancel_order('O1'), routing.cancel_order('O2');
select t.ids('cancels'), t.ids('new', 1);
select t.ack('new'), t.ack('cancels');
select t.ids('new'), t.ids('cancels');
-- the halves are the whole, each aggregate in one
do $$ begin for n in 3..12 loop call t.ord('O' || n, 3, 'A 1'); end loop; end $$;
create temp table halves as select 0 as half, h.* from routing.consumer_next('half0') h union all select 1, h.* from routing.consumer_next('half1') h;
select count(*) = (select count(*) from routing.event) as whole, count(distinct half) as halves, count(distinct id) = count(*) as once from halves;
select aggregateid from halves group by 1 having count(distinct half) > 1;
select bool_and(routing.event_hash(aggregateid) % 2 = half and routing.event_hash(aggregateid) >= 0) from halves;
select half, bool_and(seq > before) as in_order from (select half, seq, lag(seq, 1, 0::bigint) over (partition by half) as before from halves) h group by 1 order by 1;
-- what comes is what the table has
select count(*) from halves h join routing.event e using (tenant_id, seq, part_on, recorded_at, event_ts, id, epoch, tenantid, aggregatetype, aggregateid,
	aggregateversion, type, schemaversion, occurred_at, payload) where h.correlationid = e.correlationid and h.causationid is not distinct from e.causationid;
select t.ack('half0'), t.ack('half1');
table t.s;

-- a refused event comes again, the later ones of its aggregate after it, the others go on
select routing.consumer_unregister(c) from unnest(array['old', 'new', 'cancels', 'half0', 'half1']) c;
select routing.consumer_register('p', 'now', max_attempts => 3, backoff => '1 hour');
call t.ord('P1', 3, 'A 1'); call t.ord('P2', 3, 'A 1'); select routing.cancel_order('P1');
select t.ids('p', 4);
select * from t.nack('p', 'P1', 1);
select t.ids('p');
table t.w; table t.s;
select t.ack('p');
-- the cancellation of P1 goes behind the rest, a new order comes
call t.ord('P3', 3, 'A 1');
select t.ids('p');
table t.w;
select t.ack('p'), t.ids('p');
-- when it is due all of the aggregate comes, in order; refused once more it waits twice as long
select routing.consumer_retry('p', t.id('P1', 1));
select t.ids('p', 2);
select * from t.nack('p', 'P1', 1);
select t.ack('p'), t.ids('p');
table t.w;
-- the third time it is a dead letter; the aggregate waits on
select routing.consumer_retry('p', t.id('P1', 1));
select t.ids('p');
select * from t.nack('p', 'P1', 1);
select t.ids('p'), t.ids('p');
table t.w; table t.d; table t.s;
-- released it begins anew; what comes meanwhile comes after it
select routing.consumer_retry('p', t.id('P1', 1));
table t.d;
select t.ids('p', 2);
select t.ack('p', t.seq('P1', 1));
select t.ids('p');
select t.ack('p');
select t.ids('p');
select t.ack('p'), t.ids('p');
table t.w;
-- discarded: in a batch, dead, waiting in the middle; what is behind comes
call t.ord('P4', 3, 'A 1'); select routing.cancel_order('P4'); call t.ord('P5', 3, 'A 1');
select t.ids('p');
select * from t.nack('p', 'P4', 2, '0');
select routing.consumer_discard('p', t.id('P4', 2));
select t.ids('p'), t.ack('p');
select t.ids('p'), t.ack('p');
table t.d;
call t.ord('P6', 3, 'A 1'); select routing.cancel_order('P6');
select t.ids('p');
select * from t.nack('p', 'P6', 1, '0');
select t.ack('p');
select routing.consumer_discard('p', t.id('P6', 2));
select t.ids('p');
select t.ack('p');
table t.w; select id, type, state, attempts from t.d;
-- refused in the middle: what came before it of the aggregate is done
call t.ord('P7', 3, 'A 1'); select routing.cancel_order('P7');
select t.ids('p');
select * from t.nack('p', 'P7', 2, '0');
select t.ack('p'), t.ids('p');
-- all that is left of a batch can be refused
select * from t.nack('p', 'P7', 2, '0');
select t.ids('p');
select t.ack('p'), t.ids('p');

-- block: nothing else comes
select routing.consumer_register('b', 'now', on_error => 'block', max_attempts => 2, backoff => '1 hour');
call t.ord('B1', 3, 'A 1'); call t.ord('B2', 3, 'A 1');
select t.ids('b');
select * from t.nack('b', 'B1', 2);
select t.ids('b');
select blocked, retrying from t.s where consumer = 'b';
select t.hide(t.try($$select t.ack('b')$$));
select t.ack('b', t.seq('B1', 1));
select routing.consumer_retry('b', t.id('B1', 2));
select t.ids('b');
select * from t.nack('b', 'B1', 2);
select t.ids('b');
select consumer, id, type, state, parked, attempts from t.d where consumer = 'b';
select routing.consumer_retry('b', t.id('B1', 2));
select t.ids('b', 1);
select * from t.nack('b', 'B2', 1, '0');
select t.ids('b');
select routing.consumer_discard('b', t.id('B2', 1));
select t.ids('b');
select t.ack('b'), t.ids('b');
-- what was refused stays so when the rest is passed over
call t.ord('B3', 3, 'A 1');
select t.ids('b');
select * from t.nack('b', 'B3', 1);
select routing.consumer_replay('b', 'now');
call t.ord('B4', 3, 'A 1');
select t.ids('b');
select routing.consumer_retry('b', t.id('B3', 1));
select t.ids('b');
select t.ack('b'), t.ids('b');

-- skip: it comes again or not, nothing waits for it
select routing.consumer_register('s', 'now', on_error => 'skip', max_attempts => 2, backoff => '0');
call t.ord('S1', 3, 'A 1'); select routing.cancel_order('S1');
select t.ids('s', 2);
select * from t.nack('s', 'S1', 1);
select t.ids('s');
select t.ack('s'), t.ids('s');
select * from t.nack('s', 'S1', 1);
select t.ack('s'), t.ids('s');
select consumer, id, type, state, parked, attempts from t.d where consumer = 's';
select routing.consumer_retry('s', t.id('S1', 1));
select t.ids('s');
select t.ack('s'), t.ids('s');
-- an event whose partition is gone is recorded
call t.ord('S2', 3, 'A 1');
select t.ids('s');
select * from t.nack('s', 'S2', 1, '0');
select t.ack('s');
delete from routing.event where aggregateid = 'S2';
select t.ids('s');
select id, type, state, attempts from t.d where consumer = 's'; select * from t.w where consumer = 's';
-- also if there is something else to read
call t.ord('S3', 3, 'A 1');
select t.ids('s');
select * from t.nack('s', 'S3', 1, '0');
select t.ack('s');
delete from routing.event where aggregateid = 'S3';
call t.ord('S4', 3, 'A 1');
select t.ids('s');
select id, type, state, attempts from t.d where consumer = 's'; select t.ack('s'); select * from t.w where consumer = 's';

-- whom retention waits for: who has not read, or has something waiting, and only for the days in question
select routing.consumer_register('u', 'now', max_attempts => 1);
select consumer from routing.consumers_unread_since(t.day(1));
call t.ord('U1', 3, 'A 1');
select string_agg(consumer, ' ' order by consumer), (select count(*) from routing.consumers_unread_since(t.day(0))) as older from routing.consumers_unread_since(t.day(1));
select t.ids('s'), t.ids('b'), t.ids('p'), t.ids('u');
select t.ack('s'), t.ack('b'), t.ack('p'), t.ack('u', t.seq('U1', 1));
select consumer from routing.consumers_unread_since(t.day(1));
select * from t.nack('u', 'U1', 2);
select t.ack('u'), t.ids('u');
select consumer from routing.consumers_unread_since(t.day(1));
select routing.consumer_discard('u', t.id('U1', 2)), t.ids('u');
select consumer from routing.consumers_unread_since(t.day(1));
select routing.consumer_replay('u', 'oldest');
select consumer from routing.consumers_unread_since(t.day(1));
select routing.consumer_unregister('u');

-- replay: from the oldest, from an event, from a time, from now on
select routing.consumer_unregister(c) from unnest(array['b', 's', 'p']) c;
delete from routing.stream_mark;
select routing.consumer_register('r', 'oldest', types => '{order.*}');
select count(*) = (select count(*) from routing.event where type like 'order.%') from routing.consumer_next('r', 1000);
select t.ack('r'), t.ids('r');
call t.ord('R1', 3, 'A 1');
update routing.stream_mark set marked_at = marked_at - interval '1 hour'; select routing.mark_stream(), routing.mark_stream();
call t.ord('R2', 3, 'A 1');
select t.ids('r');
select routing.consumer_replay('r', t.id('R2', 2)::text);
select t.ids('r');
select routing.consumer_replay('r', t.id('R1', 1)::text);
select t.ids('r');
select t.ack('r');
select routing.consumer_replay('r', now()::text);
select t.ids('r');
select routing.consumer_replay('r', (now() - interval '30 minutes')::text);
select t.ids('r');
-- what is refused and comes again by the replay is forgotten
select * from t.nack('r', 'R1', 1, '0');
select routing.consumer_replay('r', t.id('R2', 1)::text);
select t.ids('r'), (select count(*) from t.w);
select routing.consumer_replay('r', t.id('R1', 1)::text);
select t.ids('r'), (select count(*) from t.w);
select routing.consumer_replay('r', 'now');
select t.ids('r');
select routing.consumer_replay('r', 'oldest');
select count(*) = (select count(*) from routing.event where type like 'order.%') from routing.consumer_next('r', 1000);

-- a new epoch: what the old one left comes first, transaction ids count anew
select t.ack('r');
call t.ord('N1', 3, 'A 1');
update routing.event set xid = '9000000000' where aggregateid = 'N1';
select routing.start_stream_epoch('test');
call t.ord('N2', 3, 'A 1');
select t.ids('r'), t.ack('r');
-- a cluster whose ids are behind, and whose epoch is not a new one
update routing.consumer set last_snapshot = '9000000001:9000000001:';
select t.try($$select t.ids('r')$$);
select routing.consumer_unregister('r');
delete from routing.stream_epoch where epoch > 1; delete from routing.event where epoch > 1 or aggregateid = 'N1'; delete from routing.stream_mark;

-- mistakes; nothing is changed by them
select routing.consumer_register('e', 'now');
select t.try($$select routing.consumer_register('e')$$);
select t.try($$select routing.consumer_register(null)$$);
select t.try($$select routing.consumer_register('two words')$$);
select t.try($$select routing.consumer_register('x', 'yesterday evening')$$);
select t.try($$select routing.consumer_register('x', null)$$);
select t.hide(t.try($$select routing.consumer_register('x', '0199a1f2-6c1e-7b3a-9d4e-5f60718293a4')$$));
select t.try($$select routing.consumer_register('x', types => '{}')$$);
select t.try($$select routing.consumer_register('x', types => '{order.%}')$$);
select t.try($$select routing.consumer_register('x', types => '{order.*,null}')$$);
select t.try($$select routing.consumer_register('x', partition => '2/2')$$);
select t.try($$select routing.consumer_register('x', partition => '1')$$);
select t.try($$select routing.consumer_register('x', partition => '0/0')$$);
select t.try($$select routing.consumer_register('x', on_error => 'stop')$$);
select t.try($$select routing.consumer_register('x', max_attempts => 0)$$);
select t.try($$select routing.consumer_register('x', backoff => '-1 s')$$);
select t.try($$select routing.consumer_next('x')$$);
select t.try($$select routing.consumer_next(null)$$);
select t.try($$select routing.consumer_next('e', 0)$$);
select t.try($$select routing.consumer_next('e', 10001)$$);
select t.try($$select routing.consumer_unregister('x')$$);
select t.try($$select routing.consumer_replay('x', 'now')$$);
select t.try($$select routing.consumer_replay('e', 'soon')$$);
select t.try($$select routing.consumer_status('x')$$);
select t.try($$select routing.consumer_ack('e', 1)$$);
select routing.consumer_register('f', 'now');
call t.ord('E1', 3, 'A 1'); select t.ids('e'), t.ids('f');
select t.hide(t.try($$select routing.consumer_ack('e', (select batch_id from routing.consumer where consumer = 'f'))$$));
select t.try($$select routing.consumer_ack('e', null)$$) ~ '^RT145 batch null is not';
select t.hide(t.try($$select t.ack('e', 9000000000000)$$));
select t.hide(t.try($$select routing.consumer_nack('e', null)$$));
select t.hide(t.try($$select routing.consumer_nack('e', t.id('O1', 1))$$));
select t.try($$select routing.consumer_nack('e', t.id('E1', 1), '-1 s')$$);
select t.hide(t.try($$select routing.consumer_retry('e', t.id('E1', 1))$$));
select t.hide(t.try($$select routing.consumer_discard('e', t.id('E1', 1))$$));
select t.ids('e');
select t.ack('e');
select t.hide(t.try($$select t.ack('e')$$));
select t.hide(t.try($$select routing.consumer_nack('e', t.id('E1', 1))$$));
select t.ids('e'), t.ids('f');

-- what the same transaction writes comes after it has ended, and not if it rolls back
begin;
call t.ord('X1', 3, 'A 1'); set constraints all immediate;
select t.ids('e');
call t.ord('X2', 3, 'A 1'); set constraints all immediate;
select t.ids('e');
rollback;
select t.ids('e');
begin;
call t.ord('X3', 3, 'A 1'); set constraints all immediate;
select t.ids('e');
call t.ord('X4', 3, 'A 1');
commit;
select t.ids('e'), t.ack('e');
begin;
call t.ord('X5', 3, 'A 1');
savepoint a; call t.ord('X6', 3, 'A 1'); set constraints all immediate; rollback to a;
commit;
select t.ids('e'), t.ack('e');

-- without a registration: tokens
select token from routing.event_since('now') \gset
select aggregateid, token <> :'token' as moved from routing.event_since(:'token');
call t.ord('T1', 3, 'A 1'); call t.ord('T2', 3, 'A 1');
select aggregateid, aggregateversion from routing.event_since(:'token', 3);
select max(token) as token from routing.event_since(:'token', 3) \gset
call t.ord('T3', 3, 'A 1');
select aggregateid, aggregateversion from routing.event_since(:'token', 3);
select max(token) as token from routing.event_since(:'token', 3) \gset
select aggregateid, aggregateversion from routing.event_since(:'token', 3);
select max(token) as token from routing.event_since(:'token', 3) \gset
select aggregateid is null as none, token = :'token' as same from routing.event_since(:'token', 3);
select aggregateid, aggregateversion, type from routing.event_since(t.id('T3', 2)::text, types => '{order.alloc*}') where aggregateid like 'T%';
select count(*) = (select count(*) from routing.event) from routing.event_since('oldest', 10000);
select count(*) = (select count(*) from routing.event) from generate_series(0, 2) i, routing.event_since('oldest', 10000, partition => i || '/3');
select t.try($$select routing.event_since('1/2:x:/3')$$);
select t.try($$select routing.event_since('1@1/5:2:/3')$$);
select t.try($$select routing.event_since('1@1/99999999999:99999999999:/3')$$);
select t.try($$select routing.event_since('')$$);
select t.try($$select routing.event_since('now', 0)$$);
select t.try($$select routing.event_since('now', types => '{A}')$$);

-- every leaf is read by an index and nothing is sorted but the few that were open; within the functions' settings
create function t.plan() returns setof text language plpgsql set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off
	set plan_cache_mode = force_generic_plan as $$
declare
	l	text;
begin
	prepare w (int, pg_snapshot, bigint, pg_snapshot, bigint) as
		select e.id from routing.event_window(1, $1, $2, $3, 1, $4, $5, 1000, 100) e;
	for l in execute $e$ explain (costs off) execute w (1, '10:10:', 0, '20:20:', 0) $e$ loop
		if l ~ 'Scan|Sort *$' then
			return next regexp_replace(regexp_replace(btrim(l), '\d{8}', 'DAY', 'g'), '( on event_DAY) .*', '\1');
		end if;
	end loop;
	deallocate w;
end
$$;
begin;
select routing.event_partition(t.day(-1)) is not null and routing.event_partition(t.day(-2)) is not null as more;
select p as plan, count(*) = (select count(*) from routing.event_partitions()) as every_leaf from t.plan() p where p ~ 'event|Seq' group by 1 order by 1;
rollback;

-- rights: a reader looks, a writer consumes, an administrator registers; tenants are apart
\set ECHO none
set client_min_messages = warning;
do $$
declare
	r	text;
begin
	foreach r in array array['regress_consumer_reader', 'regress_consumer_writer', 'regress_consumer_admin', 'regress_consumer_acme'] loop
		if exists (select from pg_roles where rolname = r) then
			execute format('drop owned by %I', r);
			execute format('drop role %I', r);
		end if;
		execute format('create role %I', r);
	end loop;
end
$$;
reset client_min_messages;
grant usage on schema t to public; grant execute on all functions in schema t to public;
\set ECHO all
select routing.grant_access('regress_consumer_reader'), routing.grant_access('regress_consumer_writer', 'write'), routing.grant_access('regress_consumer_admin', 'admin');
set role regress_consumer_reader;
select consumer, lag_events from routing.consumer_status(); select count(*) > 0 from routing.event_since('oldest');
select t.try($$select routing.consumer_next('e')$$);
select t.try($$select routing.consumer_register('x')$$);
select t.try($$update routing.consumer set on_error = 'skip'$$);
reset role; set role regress_consumer_writer;
select count(*) > 0 from routing.consumer_next('e');
select t.try($$select routing.consumer_replay('e', 'now')$$);
select t.try($$delete from routing.consumer_wait$$);
reset role; set role regress_consumer_admin;
select routing.consumer_register('a');
reset role;
insert into routing.tenant (tenant_id, tenant, currency) values (2, 'acme', 'EUR');
set routing.tenant = 'acme';
select routing.grant_access('regress_consumer_acme', 'admin');
set role regress_consumer_acme;
select * from routing.consumer_status();
select routing.consumer_register('e', 'oldest');
select count(*) from routing.consumer_next('e');
select count(*) from routing.event_since('oldest') where id is not null;
set routing.tenant = 'default';
select t.try($$select routing.consumer_next('f')$$);
set routing.tenant = 'acme';
select consumer, tenant_id from routing.consumer;
select routing.consumer_unregister('e');
reset role; reset routing.tenant;
select consumer from routing.consumer_status();

select routing.consumer_unregister(c) from unnest(array['a', 'e', 'f']) c;
select count(*) from routing.consumer_wait; select count(*) from routing.dead_letter;
delete from routing.stream_mark; delete from routing.tenant_member; delete from routing.tenant where tenant_id = 2;
drop owned by regress_consumer_reader, regress_consumer_writer, regress_consumer_admin, regress_consumer_acme;
drop role regress_consumer_reader, regress_consumer_writer, regress_consumer_admin, regress_consumer_acme;
select * from routing.verify();
