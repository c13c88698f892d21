-- envelopes of stored events, and what doctor() tells of their consumers
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all

-- an event in full: what only the log knows is missing
call t.stock('A', 'CHI', 5);
begin; set local routing.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01'; call t.ord('E 1', 3, 'A 2'); commit;
set routing.event_source = 'urn:routing:eu1'; set routing.event_type_prefix = 'com.acme.';
select regexp_replace(routing.cloudevent(e)::text, '"data":.*', '"data":...') = format(
	'{"specversion":"1.0","id":"%s","source":"urn:routing:eu1:default","type":"com.acme.order.received.v1","subject":"order/E 1","time":"%s","recordedtime":"%s",'
	'"datacontenttype":"application/json","dataschema":"urn:routing:schema:order.received:1","partitionkey":"E 1","aggregatetype":"order",'
	'"aggregateversion":"0000000000000000001","tenantid":"default","correlationid":"E 1",'
	'"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01","data":...', id,
	to_char(occurred_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) as same,
	   (routing.cloudevent(e) ->> 'data') = payload::text as data
from routing.event e where type = 'order.received.v1';
reset routing.event_source; reset routing.event_type_prefix;
select routing.cloudevent(e) ->> 'type' as type, routing.cloudevent(e) ->> 'causationid' = lag(id) over (order by seq)::text as cause
from routing.event e where aggregatetype = 'order' order by seq;

-- the same from a partition, a batch and a read, whatever the order of columns
select routing.consumer_register('c', 'oldest');
select (select string_agg(routing.cloudevent(e)::text, ' ' order by seq) from routing.event e) = all (array[
	(select string_agg(routing.cloudevent(d)::text, ' ' order by seq) from routing.consumer_next('c') d),
	(select string_agg(routing.cloudevent(r)::text, ' ' order by seq) from routing.event_since('oldest') r),
	(select string_agg(routing.cloudevent(x)::text, ' ' order by (x).seq)
	 from (select payload, type, id, occurred_at, recorded_at, schemaversion, aggregateversion, aggregateid, aggregatetype, tenantid,
				  correlationid, causationid, traceparent, tracestate, seq from routing.event) x)]) as same;
select id is null as no_event, routing.cloudevent(r) is null as no_envelope from routing.event_since('now') r;
select routing.cloudevent(null::routing.event) is null as of_null;

-- a payload over 64 KiB is referred to
begin;
update routing.event set payload = jsonb_build_object('x', repeat('x', 65536)) where type = 'order.received.v1';
select routing.cloudevent(e) -> 'data' is null as no_data,
	   routing.event_payload(routing.cloudevent(e) ->> 'dataref') = payload as found
from routing.event e where type = 'order.received.v1';
-- as large as may be, and out of line
update routing.event set payload = to_jsonb((select string_agg(md5(i::text), '') from generate_series(1, 2047) i) || repeat('x', 30)) where type = 'order.received.v1';
select length(payload::text) as length, length(routing.cloudevent(e) ->> 'data') as of_data from routing.event e where type = 'order.received.v1';
rollback;

-- what is absent is left out; rows that are none
set routing.event_source = 'urn:x';
select routing.cloudevent(x) from (select 'a.b.v2' as type, '00000000-0000-7000-8000-000000000000'::uuid as id, 'infinity'::timestamptz as occurred_at, 'q' as "Payload") x;
reset routing.event_source;
select routing.cloudevent(n) from routing.node n limit 1;
select routing.cloudevent(row(1, 2));
select routing.cloudevent(x) from (select 7 as type, gen_random_uuid() as id) x;

-- who may
create role t_reader; select routing.grant_access('t_reader');
set role t_reader;
select count(routing.cloudevent(e)) = count(*) as may from routing.event e;
reset role; drop owned by t_reader; delete from routing.tenant_member where role = 't_reader'; drop role t_reader;

-- doctor: a consumer that lags
create view t.d as select severity, subject, regexp_replace(regexp_replace(problem, '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00', 'TIME', 'g'), '\d{4}-\d\d-\d\d', 'DAY', 'g') as problem, remedy
	from routing.doctor() where subject ~ '^(consumer|routing.event_retention)' order by 1, 2, 3;
table t.d;
set routing.clock_offset = '15 d'; table t.d;
set routing.clock_offset = '16 d'; table t.d;
select routing.consumer_ack('c', batch_id) from (select distinct batch_id from routing.consumer_next('c')) b; table t.d;
reset routing.clock_offset;
-- one that refuses; after a day it is told of, and as dead letter at once
select routing.consumer_replay('c', 'oldest');
select count(*) from routing.consumer_next('c');
select attempts from routing.consumer_nack('c', (select id from routing.event where type = 'order.received.v1'), '1 hour', 'it''s odd'); table t.d;
set routing.clock_offset = '23 h'; table t.d; set routing.clock_offset = '25 h'; table t.d; reset routing.clock_offset;
update routing.consumer set max_attempts = 1;
select routing.consumer_replay('c', 'oldest');
select count(*) from routing.consumer_next('c');
select attempts, put_aside from routing.consumer_nack('c', (select id from routing.event where type = 'order.received.v1'), reason => 'it''s odd'); table t.d;
set routing.clock_offset = '25 h'; table t.d; reset routing.clock_offset;
select routing.consumer_discard('c', event_id) from routing.dead_letter; table t.d;
select routing.consumer_unregister('c');
