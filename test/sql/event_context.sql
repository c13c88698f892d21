-- what events tell of where they come from: cause, trace, epoch
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
call t.stock('A', 'CHI', 50);
-- the first event of an order has no cause, each other one the event before it
call t.ord('SO-1', null, 'A 2');
select e.aggregateversion, e.type, e.causationid is null as first, e.causationid = p.id as caused_by_previous, e.epoch, e.traceparent, e.tracingspancontext
from routing.event e left join routing.event p on p.aggregateid = e.aggregateid and p.aggregateversion = e.aggregateversion - 1
where e.aggregateid = 'SO-1' order by e.seq;
-- ids are UUIDs of version 7, variant 2, and carry the time at which the event was written
select bool_and(id::text ~ '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$') as version_7, count(distinct id) = count(*) as distinct,
	   bool_and(abs(('x' || lpad(replace(left(id::text, 13), '-', ''), 16, '0'))::bit(64)::bigint - extract(epoch from recorded_at) * 1000) < 5000) as time
from routing.event;
-- what the transaction says
begin;
set local routing.causation_id = '0199a1f2-6c1e-7b3a-9d4e-5f60718293a3';
set local routing.correlation_id = 'request 7';
set local routing.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01';
set local routing.tracestate = 'vendor=a,other=b';
call t.ord('SO-2', null, 'A 2');
commit;
select aggregateversion, correlationid, causationid = '0199a1f2-6c1e-7b3a-9d4e-5f60718293a3' as caused_by_request, traceparent, tracestate, tracingspancontext
from routing.event where aggregateid = 'SO-2' order by seq;
-- or a comment of the statement, percent-encoded; a malformed one says nothing
update routing.supply set quantity = 60 /*application='shop',traceparent='00-1af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-00',tracestate='vendor%3Da'*/;
select type, traceparent, tracestate from routing.event order by seq desc limit 1;
update routing.supply set quantity = 61 /*traceparent='00-1AF7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-00'*/;
select type, traceparent, tracestate from routing.event order by seq desc limit 1;
update routing.supply set quantity = 62 where 'traceparent=''00-1af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-00''' <> '';
select type, traceparent, tracestate from routing.event order by seq desc limit 1;
update routing.supply set quantity = 63 /*traceparent='00-1af7*/;
select type, traceparent, tracestate from routing.event order by seq desc limit 1;
-- bad values are refused where they are set
set routing.traceparent = '00-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1';
set routing.traceparent = '00-00000000000000000000000000000000-b9c7c989f97918e1-01';
set routing.traceparent = '00-0AF7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01';
set routing.traceparent = 'ff-0af7651916cd43dd8448eb211c80319c-b9c7c989f97918e1-01';
set routing.tracestate = E'a=b\n';
set routing.causation_id = 'SO-1';
set routing.causation_id = '0199a1f2-6c1e-7b3a-9d4e-5f60718293ag';

-- the epoch: recorded by the first event, of this cluster
select epoch, system_identifier = routing.system_identifier() as here, cause from routing.stream_epoch;
select routing.stream_epoch();
-- as it is after a restore into another cluster: the stored epoch is not of this one
update routing.stream_epoch set system_identifier = 42;
select routing.stream_epoch();
call t.ord('SO-3', null, 'A 2');
select epoch, aggregatetype, aggregateid, aggregateversion, type from routing.event where epoch > 1 order by seq;
select payload from routing.event where aggregatetype = 'stream';
select epoch, system_identifier = routing.system_identifier() as here, cause from routing.stream_epoch order by 1;
-- by hand
select routing.start_stream_epoch('restored from a snapshot of the file system');
select routing.start_stream_epoch('  ');
call t.ord('SO-4', null, 'A 2');
select epoch, aggregateversion, payload from routing.event where aggregatetype = 'stream' order by seq;
select epoch, count(*) from routing.event group by 1 order by 1;
select epoch, system_identifier = routing.system_identifier() as here, cause from routing.stream_epoch order by 1;
select * from routing.verify();
-- as the other tests have it
delete from routing.stream_epoch;
