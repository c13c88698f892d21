-- the stream's own events: every tenant is told what touches it, in versions of its own
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
insert into routing.tenant (tenant_id, tenant) values (2, 'acme'), (3, 'bolt');
call t.stock('A', 'CHI', 50);
set routing.tenant = 'acme';
insert into routing.node (node) values ('CHI'); insert into routing.item (item) values ('A');
call t.stock('A', 'CHI', 50);
reset routing.tenant;
create view t.told as select tenant_id, tenantid, aggregateid as id, aggregateversion as version, type, epoch, payload -> 'cause' as cause, payload -> 'consumers' as consumers
from routing.event where aggregatetype = 'stream' order by seq;

-- events too old to be kept, that two consumers of acme, and one of the first tenant, have not read
do $$
declare
	d	date := (now() at time zone 'UTC')::date - 100;
	e	routing.event;
begin
	perform routing.event_partition(d);
	for e in select distinct on (v.tenant_id) v.* from routing.event v order by v.tenant_id, v.seq loop
		e.part_on := d; e.seq := nextval('routing.event_seq'); e.id := gen_random_uuid();
		insert into routing.event select e.*;
	end loop;
end $$;
select routing.consumer_register('slow', 'oldest'), routing.consumer_register('late', 'now');
set routing.tenant = 'acme'; select routing.consumer_register('slow', 'oldest'), routing.consumer_register('other', 'oldest'), routing.consumer_register('late', 'now'); reset routing.tenant;
select unread_by, cardinality(commands) as commands from routing.event_partitions_to_drop();
call routing.work();
select * from t.told;
-- an epoch by hand, and one that the first event after a restore begins, of whichever tenant
select routing.start_stream_epoch('by hand');
update routing.stream_epoch set system_identifier = 42;
set routing.tenant = 'bolt';
insert into routing.node (node) values ('CHI'); insert into routing.item (item) values ('A');
call t.stock('A', 'CHI', 50);
reset routing.tenant;
select * from t.told;
select tenant_id, array_agg(aggregateversion order by seq) as versions from routing.event where aggregatetype = 'stream' group by 1 order by 1;
-- a consumer of a tenant hears of its own ones only
set routing.tenant = 'acme';
select aggregateid, aggregateversion, type from routing.consumer_next('late', 10) where aggregatetype = 'stream';
reset routing.tenant;
select type, routing.event_problem(type, payload) from routing.event where aggregatetype = 'stream' and routing.event_problem(type, payload) is not null;
select * from routing.verify();
delete from routing.stream_epoch;
call t.clean();
