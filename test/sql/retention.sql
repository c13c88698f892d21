-- retention of events: what is dropped, who is waited for and how long, who is told
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
call t.stock('A', 'CHI', 50);
create function t.old(days int) returns text language plpgsql as $$
declare
	d	date := (now() at time zone 'UTC')::date - days;
	e	routing.event;
begin
	perform routing.event_partition(d);
	select * into e from routing.event order by seq limit 1;
	e.part_on := d;
	e.seq := nextval('routing.event_seq');
	e.id := gen_random_uuid();
	insert into routing.event select e.*;
	return 'made';
end $$;
create view t.drops as select (now() at time zone 'UTC')::date - part_on as days, unread_by, cardinality(commands) as commands
from routing.event_partitions_to_drop() order by 1;
select t.old(29), t.old(31), t.old(60), t.old(100);
-- 30 days, without consumers
select * from t.drops;
-- a consumer that has not read is waited for, for 90 days
select routing.consumer_register('slow', 'oldest'), routing.consumer_register('new', 'now');
select * from t.drops;
select routing.drop_event_partition('event_' || to_char((now() at time zone 'UTC')::date - n, 'YYYYMMDD')) from unnest(array[29, 60, 100]) n;
select type, payload - 'from' - 'to' as payload, payload->>'from' = ((now() at time zone 'UTC')::date - 100)::text and payload->'from' = payload->'to' as day,
	   aggregateid, aggregateversion from routing.event where aggregatetype = 'stream';
select routing.event_problem(type, payload) from routing.event where aggregatetype = 'stream';
-- once it has read, it is not
select count(*) from routing.consumer_next('slow', 1000);
select routing.consumer_ack('slow', (select batch_id from routing.consumer where consumer = 'slow'));
select count(*) from routing.consumer_next('slow', 1000);
select * from t.drops;
-- 0 is never; the settings are the configuration file's
select set_config('routing.event_retention', '0', false);
-- nothing twice, nothing that is not there, and no event is lost that is younger
call routing.work();
select routing.drop_event_partition('event_20200101'), routing.drop_event_partition('event'), routing.drop_event_partition('supply');
select * from t.drops;
select (now() at time zone 'UTC')::date - from_on as days from routing.event_partitions() where from_on < (now() at time zone 'UTC')::date order by 1;
-- one that was marked when everybody had read it, and that a replay made unread again before it was dropped
select t.old(100);
do $$ begin execute format('comment on table routing.%I is %L', 'event_' || to_char((now() at time zone 'UTC')::date - 100, 'YYYYMMDD'), 'expired events, being dropped'); end $$;
select routing.consumer_replay('slow', 'oldest');
select routing.drop_event_partition('event_' || to_char((now() at time zone 'UTC')::date - 100, 'YYYYMMDD'));
select type, aggregateversion, payload -> 'consumers' as consumers from routing.event where aggregatetype = 'stream' order by seq;
select routing.consumer_unregister('slow'), routing.consumer_unregister('new');
do $$ begin execute format('drop table routing.%I', 'event_' || to_char((now() at time zone 'UTC')::date - 29, 'YYYYMMDD')); end $$;
delete from routing.stream_epoch;
select * from routing.verify();
