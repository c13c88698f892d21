-- a simulation of many orders, each of other items: what it keeps open outlives them
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
create table t.moment (at timestamptz);
insert into routing.item (item, weight_kg) select 'M' || n, 1 from generate_series(1, 60) n;
insert into routing.supply (item, node, quantity, kind) select 'M' || n, node, 9, 'on_hand' from generate_series(1, 60) n, unnest(array['CHI', 'DAL', 'NYC']) node;
insert into t.moment select clock_timestamp();
do $$
declare
	lines	text;
begin
	for n in 1 .. 20 loop
		select string_agg(format('M%s %s', 3 * (n - 1) + 1 + k % 3, 1 + k % 4), ', ') into lines from generate_series(0, (n - 1) % 7 * 2) k;
		call t.ord('O' || n, case when n % 2 = 0 then 5 end, lines);
		commit;
	end loop;
end
$$;
insert into routing.policy (policy, version, definition) values ('standard', 1, '{"max_shipments": 1}'), ('standard', 2, '{"extends": "nobody"}');
select count(*), count(*) filter (where changed), count(problem) from routing.simulate('standard', 0, (select at from t.moment), clock_timestamp());
select count(*), count(problem) from routing.simulate('standard', 1, (select at from t.moment), clock_timestamp());
select metric, version, value from routing.compare('standard', array[0, 1], (select at from t.moment), clock_timestamp()) where metric in ('orders', 'orders not simulated') order by 1, 2;
select count(*), count(problem) from routing.recall('standard', 0, (select at from t.moment), clock_timestamp());
-- a version that there is not, and one that leads nowhere
select t.try($$select count(*) from routing.simulate('standard', 2, (select at from t.moment), clock_timestamp())$$);
select t.try($$select count(*) from routing.simulate('standard', 3, (select at from t.moment), clock_timestamp())$$);
select t.try($$select count(*) from routing.compare('standard', array[0, 3], (select at from t.moment), clock_timestamp())$$);
select t.try($$select count(*) from routing.recall('standard', 3, (select at from t.moment), clock_timestamp())$$);
