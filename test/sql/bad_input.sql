-- what is wrong is refused: a SQLSTATE of its own, a message with field and value, a hint, and nothing changed
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
call t.stock('A', 'CHI', 20); call t.ord('GOOD', 3, 'A 3');
create view t.everything as
	select 'order' as what, md5(string_agg(x::text, ' ' order by x::text)) as sum from routing.sales_order x
	union all select 'line', md5(string_agg(x::text, ' ' order by x::text)) from routing.sales_order_line x
	union all select 'supply', md5(string_agg(x::text, ' ' order by x::text)) from routing.supply x
	union all select 'position', md5(string_agg(x::text, ' ' order by x::text)) from routing.position x
	union all select 'reservation', md5(string_agg(x::text, ' ' order by x::text)) from routing.reservation x
	union all select 'decision', md5(string_agg(x::text, ' ' order by x::text)) from routing.decision x
	union all select 'event', md5(string_agg(x::text, ' ' order by x::text)) from routing.event x
	union all select 'exception', md5(string_agg(x::text, ' ' order by x::text)) from routing.exception x
	union all select 'pending', md5(string_agg(x::text, ' ' order by x::text)) from routing.pending x
	union all select 'item_node', md5(string_agg(x::text, ' ' order by x::text)) from routing.item_node x;
select * into temp before from t.everything;

-- native orders: those that the row tells
\set header 'insert into routing.sales_order (order_id, customer, country, postal_code) values (\'BAD\', \'C1\', \'US\', \'60614\');'
\set line 'insert into routing.sales_order_line (order_id, line_no, item, quantity) values'
begin; :header :line ('BAD', 1, 'A', 0);
\echo :LAST_ERROR_SQLSTATE
rollback;
begin; :header :line ('BAD', 1, 'A', -1);
\echo :LAST_ERROR_SQLSTATE
rollback;
begin; :header :line ('BAD', 1, 'A', 'nan');
\echo :LAST_ERROR_SQLSTATE
rollback;
begin; :header :line ('BAD', 1, 'A', 'infinity');
\echo :LAST_ERROR_SQLSTATE
rollback;
begin; :header :line ('BAD', 1, 'A', 1.23456);
\echo :LAST_ERROR_SQLSTATE
rollback;
begin; :header :line ('BAD', 1, 'A', 100000000000.0001);
\echo :LAST_ERROR_SQLSTATE
rollback;
begin; :header :line ('BAD', 1, 'A', 1e30);
\echo :LAST_ERROR_SQLSTATE
rollback;
begin; :header :line ('BAD', 1, 'A', 1), ('BAD', 1, 'A', 2);
\echo :LAST_ERROR_SQLSTATE
rollback;
update routing.sales_order_line set quantity = -3;
\echo :LAST_ERROR_SQLSTATE
-- those that the commit tells
begin; :header :line ('BAD', 1, 'A', 1), ('BAD', 2, 'XYZ', 1); commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order_line set node = 'XYZ' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order set customer = 'XYZ' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order_line set uom = 'kg' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order set country = null where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order set postal_code = null where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order set country = '' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order set freight_terms = 'gift' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order set rest = 'wait', rest_days = -1 where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order set rest = 'burn' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order set cancel_after = '3000-01-01' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order set channel = 'tv' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order set completeness = 'all' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order set policy = 'mine' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order set requested_on = '3000-01-01' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order set requested_on = 'infinity' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order_line set requested_on = '1899-12-31' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
begin; :header :line ('BAD', 1, 'A', 1); update routing.sales_order_line set requested_on = '-infinity' where order_id = 'BAD'; commit;
\echo :LAST_ERROR_SQLSTATE
-- an order that was good may not become bad
update routing.sales_order set postal_code = null;
\echo :LAST_ERROR_SQLSTATE
update routing.sales_order_line set item = 'XYZ';
\echo :LAST_ERROR_SQLSTATE
-- what only a constraint knows
begin; :header :line ('BAD', 0, 'A', 1); rollback;
begin; :header :line ('BAD', 1, null, 1); rollback;
begin; :header :line ('BAD', 1, 'A', null); rollback;
insert into routing.sales_order (order_id, customer, country, postal_code, priority) values ('BAD', 'C1', 'US', '60614', 10);
insert into routing.sales_order (order_id, customer, country, postal_code, date_basis) values ('BAD', 'C1', 'US', '60614', 'x');
insert into routing.sales_order (order_id, customer, country, postal_code, status) values ('BAD', 'C1', 'US', '60614', 'gone');
insert into routing.sales_order (order_id, customer, country, postal_code) values ('', 'C1', 'US', '60614');

-- supply
create function t.supply(more text, vals text) returns text language sql
	return t.try(format('insert into routing.supply (item, node, quantity%s) values (%s)', more, vals));
select t.supply('', $$'A', 'DAL', 'nan'$$);
select t.supply('', $$'A', 'DAL', '-infinity'$$);
select t.supply('', $$'A', 'DAL', 0.00001$$);
select t.supply('', $$'A', 'DAL', 100000000000.0001$$);
select t.supply('', $$'A', 'DAL', -1e30$$);
select t.supply('', $$'A', 'DAL', null$$);
select t.supply(', available_on', $$'A', 'DAL', 1, 'infinity'$$);
select t.supply(', available_on', $$'A', 'DAL', 1, '3000-01-01'$$);
select t.supply(', available_on', $$'A', 'DAL', 1, '1899-12-31'$$);
select t.supply(', available_on', $$'A', 'DAL', 1, null$$);
select t.supply(', kind', $$'A', 'DAL', 1, 'gift'$$);
select t.supply('', $$null, 'DAL', 1$$);
select t.try($$update routing.supply set quantity = 'nan'$$);
insert into routing.supply (item, node, quantity) values ('A', 'CHI', 1);
\echo :LAST_ERROR_SQLSTATE
insert into routing.supply (item, node, quantity) values ('XYZ', 'CHI', 1);
\echo :LAST_ERROR_SQLSTATE
insert into routing.supply (item, node, quantity) values ('A', 'XYZ', 1);
\echo :LAST_ERROR_SQLSTATE
update routing.supply set item = 'XYZ';
\echo :LAST_ERROR_SQLSTATE
begin; call t.stock('A', 'DAL', 1); call t.stock('XYZ', 'CHI', 1); call t.ord('BAD', 3, 'A 1'); commit;
\echo :LAST_ERROR_SQLSTATE
-- what sums up to more than there are numbers for
begin;
insert into routing.supply (item, node, ref, quantity) select 'A', 'DAL', n::text, 1e11 from generate_series(1, 9300) n;
commit;
\echo :LAST_ERROR_SQLSTATE
select t.try($$insert into routing.item_node (item, node, safety_stock) values ('A', 'DAL', -1)$$);
select t.try($$insert into routing.item_node (item, node, safety_stock) values ('A', 'DAL', 'nan')$$);
select t.try($$insert into routing.item_node (item, node) values ('XYZ', 'DAL')$$);

-- reference data
select t.try($$delete from routing.item where item = 'A'$$);
select t.try($$update routing.item set item = 'AA' where item = 'A'$$);
select t.try($$delete from routing.node where node = 'CHI'$$);
select t.try($$update routing.node set node = 'ORD' where node = 'CHI'$$);
select t.try($$update routing.node set handling_cost = -1$$);
select t.try($$update routing.node set handling_cost = 'nan'$$);
select t.try($$update routing.node set handling_cost = 0.00001$$);
select t.try($$update routing.node set status = 'asleep'$$);
select t.try($$update routing.lane set transit_days = -1$$);
select t.try($$update routing.lane set cost_per_kg = 'infinity'$$);
select t.try($$update routing.item set weight_kg = 'nan'$$);
select t.try($$insert into routing.lane (node, zone, service, transit_days) values ('CHI', 'XYZ', 'ground', 1)$$);

-- calls
select t.try($$select routing.route_order('BAD')$$);
select t.try($$select routing.cancel_order('BAD')$$);
select t.try($$select * from routing.explain('BAD')$$);
select t.try($$select * from routing.explain(null)$$);
select t.try($$select routing.grant_access(null)$$);
select t.try($$select routing.grant_access('nobody_of_that_name')$$);
select t.try($$select routing.grant_access(current_user::text, 'god')$$);
select t.try($$select routing.grant_access(current_user::text, null)$$);
select t.try($$select routing.create_event_partitions(null)$$);
select t.try($$select routing.create_event_partitions(-1)$$);
select t.try($$select routing.create_event_partitions(2000000000)$$);
select t.try($$select routing.event_partition(null)$$);
select t.try($$select routing.event_partition('infinity')$$);
select t.try($$select routing.create_publication(null)$$);
select t.try($$select routing.create_publication('')$$);
-- a row trigger is no function to call, nor a trigger for other tables' events
select t.try($$select routing.settle()$$);
-- settings
select t.try($$set routing.tenant = 'nobody'; select routing.current_tenant()$$);
-- 17 writes the unit after the limits, too
select replace(t.try($$set routing.settle_timeout = -2$$), ' ms', '') as try;
reset routing.tenant;

-- every function with nothing but nulls: an error of ours or null, never an internal one
do $$
declare
	f	record;
	r	text;
begin
	for f in select p.oid::regprocedure::text as name, p.proname,
					'null' || repeat(', null', p.pronargs - 1) as args,
					(select string_agg('null::' || format_type(a, null), ', ' order by n) from unnest(p.proargtypes::oid[]) with ordinality u(a, n)) as typed
			 from pg_proc p where p.pronamespace = 'routing'::regnamespace and p.pronargs > 0 order by 1
	loop
		r := t.try(format('select routing.%I(%s)', f.proname,
						  case when f.typed ~ 'record' then f.args else f.typed end));
		raise notice '%: %', f.name, regexp_replace(split_part(r, e'\n', 1), '\d{4}-\d\d-\d\d', 'DATE', 'g');
	end loop;
end
$$;

-- nothing of all this changed anything
select a.what from t.everything a join before b using (what) where a.sum is distinct from b.sum order by 1;
select * from routing.verify();

-- the largest quantities that are allowed
insert into routing.supply (item, node, ref, quantity) select 'B', 'CHI', n::text, 1e11 from generate_series(1, 50) n;
update routing.item set weight_kg = 0 where item = 'B';
call t.ord('HUGE', 3, 'B 100000000000, B 99999999999.9999, B 0.0001');
select * from t.l where "order" = 'HUGE'; select routing.atp('B', 'CHI'), routing.atp_total('B');
select cost from routing.decision where order_id = 'HUGE';
update routing.item set weight_kg = 1e6 where item = 'B'; update routing.lane set cost_per_kg = 1e6 where node = 'CHI';
-- freight that no number holds: it is not shipped, and no number overflows
call t.ord('HUGE2', 3, 'B 100000000000');
select "order", status from t.l where "order" = 'HUGE2';
-- an order is deleted or cancelled although what it refers to is gone
call t.stock('C', 'CHI', 9); call t.ord('OLD', 3, 'C 1'); call t.ord('OLD2', 3, 'C 1'); call t.ord('OLD3', 3, 'C 1');
delete from routing.zone_area; delete from routing.customer; delete from routing.channel;
select routing.cancel_order('OLD');
update routing.sales_order set status = 'cancelled' where order_id = 'OLD3';
delete from routing.sales_order_line where order_id = 'OLD2'; delete from routing.sales_order where order_id = 'OLD2';
delete from routing.sales_order_line; delete from routing.sales_order; table t.r; select * from routing.verify();
