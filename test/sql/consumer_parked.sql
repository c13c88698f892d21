-- consumers: an event that is due before an earlier one of its aggregate is
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
create function t.ids(max int default 100) returns text language sql
	as $$ select string_agg(aggregateid || ' ' || aggregateversion || case when attempt > 1 then ' again' else '' end, ', ' order by n)
		  from (select row_number() over () as n, x.* from routing.consumer_next('p', max) x) y $$;
create function t.ack() returns void language sql
	as $$ select routing.consumer_ack('p', (select batch_id from routing.consumer where consumer = 'p')) $$;
create function t.id(agg text, version bigint) returns uuid language sql
	return (select id from routing.event where aggregateid = agg and aggregateversion = version);
create function t.nack(agg text, version bigint, retry_after interval) returns int language sql
	as $$ select put_aside from routing.consumer_nack('p', t.id(agg, version), retry_after, 'no') $$;
create view t.w as select aggregateid as id, state, attempts, due_at <= clock_timestamp() as due from routing.consumer_wait order by seq;
\set ECHO all
call t.stock('A', 'CHI', 50);
select routing.consumer_register('p', 'now', types => '{order.*}');
call t.ord('O1', 3, 'A 1'); select routing.cancel_order('O1');
call t.ord('O2', 3, 'A 1');
select t.ids();
-- the last one of O1 could come at once, the first one only in an hour
select t.nack('O1', 3, '0'), t.nack('O1', 1, '1 hour'), t.nack('O2', 2, '0');
select t.ack();
table t.w;
-- it waits behind the first one: nobody turns round for it, and it does not keep others from coming
set statement_timeout = '30 s';
select t.ids(1);
select t.ack();
select t.ids();
table t.w;
call t.ord('O3', 3, 'A 1');
select t.ids(1);
select t.ack();
select t.ids();
select t.ack();
-- then all of them, in order
select routing.consumer_retry('p', t.id('O1', 1));
select t.ids();
select t.ack();
select t.ids();
reset statement_timeout;
table t.w;
select routing.consumer_unregister('p');
