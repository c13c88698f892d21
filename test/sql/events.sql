-- events: which, in what order, with what in them; their table and publication
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
-- a decision's number is not foreseeable
create view t.p as
	select aggregateid as id, aggregateversion as version, type,
		   regexp_replace(regexp_replace((payload - 'total_cost' - 'exception_id' - 'opened_at')::text,
		   '"decision_id": "\d+"', '"decision_id": "..."'), '/1\d{6}', '/...') as payload
	from routing.event order by seq;
-- dates in payloads relative to today
create function t.dates(doc text) returns text language plpgsql stable as $$
declare
	m	text;
begin
	for m in select distinct x[1] from regexp_matches(doc, '\d{4}-\d\d-\d\d', 'g') x loop
		doc := replace(doc, m, t.rel(m::date));
	end loop;
	return doc;
end
$$;

call t.stock('A', 'CHI', 5); call t.stock('B', 'DAL', 2); call t.stock('B', 'CHI', 3, 4);
insert into routing.item (item, uom, weight_kg) values ('M', 'm', 0.5); call t.stock('M', 'CHI', 12.5);
-- allocated; scheduled; partially; backordered
call t.ord('E1', 3, 'A 2, M 12.5');
call t.ord('E2', 6, 'B 3 CHI');
begin;
insert into routing.sales_order (order_id, customer, channel, country, postal_code, priority, date_basis, requested_on, correlation_id)
values ('E3', 'C1', 'web', 'US', '60614-77', 2, 'ship', t.day(1), 'request 7');
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('E3', 1, 'A', 4), ('E3', 5, 'B', 1);
commit;
call t.ord('E4', null, 'C 1', postal => '7');
-- the line shrinks; the order is cancelled, and one gone; a line lost its supply; a count
update routing.sales_order_line set quantity = 1 where order_id = 'E1' and line_no = 1;
select routing.cancel_order('E3', 'customer asked'), routing.cancel_order('E3');
begin; delete from routing.sales_order_line where order_id = 'E2'; delete from routing.sales_order where order_id = 'E2'; commit;
update routing.supply set quantity = 0 where item = 'A';
select regexp_replace(id, '^\d+$', '...') as id, version, type, t.dates(payload) as payload from t.p \g (format=unaligned)
select aggregateid, payload -> 'total_cost' as total_cost from routing.event
where aggregatetype = 'order' and aggregateversion = 2 order by seq;
-- what an order says of itself is what the last event says
select o.order_id, o.event_version = max(e.aggregateversion) as same from routing.sales_order o join routing.event e on e.aggregateid = o.order_id group by 1, o.event_version order by 1;
-- versions without gaps, one id each, version 7, epoch and schema; the times; the tenant
select aggregatetype, aggregateid from routing.event group by 1, 2
having count(*) <> max(aggregateversion) or min(aggregateversion) <> 1 or count(distinct aggregateversion) <> count(*);
select count(*) = count(distinct id) as one_id, count(*) = count(distinct seq) as one_seq,
	   bool_and(substr(id::text, 15, 1) = '7' and substr(id::text, 20, 1) in ('8', '9', 'a', 'b')) as version_7,
	   bool_and(tenant_id = 1 and tenantid = 'default' and schemaversion = 1 and epoch = 1) as constants,
	   bool_and(event_ts = recorded_at at time zone 'UTC' or event_ts = occurred_at at time zone 'UTC') as event_ts,
	   bool_and(abs(extract(epoch from recorded_at - now())) < 600 and occurred_at <= recorded_at) as times,
	   bool_and(part_on = (recorded_at at time zone 'UTC')::date) as part,
	   bool_and(xid < pg_snapshot_xmax(pg_current_snapshot())) as xid
from routing.event;
-- correlation: the order's, else the session's setting, else the order id
select distinct aggregateid, correlationid from routing.event where aggregatetype = 'order' order by 1;
set routing.correlation_id = 'batch 9';
call t.ord('E5', null, 'C 1');
reset routing.correlation_id;
select distinct aggregateid, correlationid from routing.event where aggregateid = 'E5';
-- quantities and money are strings, of one shape; nothing is null
select count(*) from routing.event where jsonb_path_exists(payload, '$.** ? (@ == null)');
select distinct jsonb_typeof(x) from routing.event, jsonb_path_query(payload, '$.**.quantity') x
union select distinct jsonb_typeof(x) from routing.event, jsonb_path_query(payload, '$.**.amount') x;
-- nothing happened, nothing is said
select count(*) as before from routing.event \gset
begin; call t.ord('E6', 3, 'C 1'); rollback;
update routing.sales_order_line set price = 1; update routing.supply set status = 'x'; update routing.supply set quantity = quantity;
select count(*) from routing.route_order('E4');
select count(*) - :before as events from routing.event;

-- the table: the parent has no key and no index, every leaf has its own
select count(*) from pg_index where indrelid = 'routing.event'::regclass;
select count(distinct i.inhrelid) as leaves_without_key from pg_inherits i where i.inhparent = 'routing.event'::regclass
and not exists (select from pg_index x where x.indrelid = i.inhrelid and x.indisprimary);
select count(*) from pg_inherits where inhparent = 'routing.event'::regclass;
select routing.create_event_partitions(2), routing.create_event_partitions(2), routing.create_event_partitions(0);
select count(*) from pg_inherits where inhparent = 'routing.event'::regclass;
select replace(routing.event_partition(t.day(1)), to_char(t.day(1), 'YYYYMMDD'), 'tomorrow');
-- without a partition for today the newest one before it is used, and without any, one is made
do $$
declare
	c	regclass;
begin
	for c in select inhrelid::regclass from pg_inherits where inhparent = 'routing.event'::regclass loop
		execute format('drop table %s', c);
	end loop;
end
$$;
call t.ord('E7', null, 'C 1');
select t.rel(part_on), count(*) from routing.event group by 1;
-- one that was taken off and keeps its name is in the way of the new one
begin;
do $$
begin
	execute format('alter table routing.event detach partition routing.event_%s', to_char(t.day(0), 'YYYYMMDD'));
end
$$;
call t.ord('E0', null, 'C 1');
select replace(t.try($$select count(*) from routing.route_order('E0')$$), t.day(0)::text, 'today');
rollback;
do $$
begin
	execute format('drop table routing.event_%s', to_char(t.day(0), 'YYYYMMDD'));
end
$$;
select routing.event_partition(t.day(-3)) is not null, routing.event_partition(t.day(-5)) is not null, routing.event_partition(t.day(1)) is not null;
call t.ord('E8', null, 'C 1');
select t.rel(part_on), count(*) from routing.event group by 1;
select routing.create_event_partitions(0);
call t.ord('E9', null, 'C 1');
select t.rel(part_on), count(*) from routing.event group by 1 order by 1;

-- the publication: inserts of the parent, without the columns that are nobody's business
select routing.create_publication();
select pubname, puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot from pg_publication where pubname = 'routing_events';
select schemaname, tablename, attnames from pg_publication_tables where pubname = 'routing_events' \g (format=unaligned)
select t.try($$select routing.create_publication()$$);
select routing.create_publication('my events');
drop publication "my events"; drop publication routing_events;

-- with a second tenant the aggregate ids tell them apart
insert into routing.tenant (tenant_id, tenant, currency) values (2, 'acme', 'EUR');
call t.ord('EA', null, 'C 1');
select aggregateid, tenantid from routing.event where aggregateid like '%EA' group by 1, 2;
delete from routing.tenant where tenant_id = 2;
select * from routing.verify();
