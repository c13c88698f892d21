-- why an order went where it went
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
-- rows of earlier tests leave the index, which would name their nodes
truncate routing.position;
\set ECHO all
-- days relative to today, the moment and the number of the decision masked; a date without its year
-- may be that of two years, of which these tests never reach the second
create function t.why(id text) returns setof text language plpgsql stable as $$
declare
	line	text;
begin
	for line in select * from routing.explain(id) loop
		for d in -10 .. 60 loop
			line := replace(line, to_char(t.day(d), 'Dy FMDD Mon'), 'day ' || d);
		end loop;
		line := regexp_replace(line, 'Decided .*, policy', 'Decided ..., policy');
		line := regexp_replace(line, 'decision \d+', 'decision ...');
		return next line;
	end loop;
end
$$;
\pset format unaligned
\pset tuples_only
call t.stock('A', 'CHI', 40); call t.stock('A', 'DAL', 40); call t.stock('B', 'CHI', 22);
-- one node
call t.ord('ONE', 3, 'A 12.5, B 4');
select t.why('ONE');
-- as soon as possible; a day to ship
call t.ord('SOON', null, 'A 1');
select t.why('SOON');
call t.ord('SHIP', 2, 'A 1', basis => 'ship');
select t.why('SHIP');
-- a split
call t.stock('C', 'DAL', 6); call t.stock('C', 'CHI', 7, 9);
call t.ord('SPLIT', 3, 'B 2, C 5');
select t.why('SPLIT');
-- from inbound: in time, late, and in part
call t.ord('DATED', 12, 'C 3');
select t.why('DATED');
call t.ord('LATE', 3, 'C 2');
select t.why('LATE');
call t.ord('PART', 3, 'C 6');
select t.why('PART');
-- backordered; no lane
call t.ord('NONE', 3, 'D 2');
select t.why('NONE');
-- the nearest node lacks it
call t.ord('FAR', 3, 'A 30');
select t.why('FAR');
-- more: what was kept; less
update routing.sales_order_line set quantity = 3 where order_id = 'SOON';
select t.why('SOON');
update routing.sales_order_line set quantity = 2 where order_id = 'SOON';
select t.why('SOON');
-- supply lost; cancelled; not routed
update routing.supply set quantity = 2 where item = 'B';
select t.why('SPLIT');
select t.why('ONE');
select routing.cancel_order('ONE', 'too dear');
select t.why('ONE');
insert into routing.sales_order (order_id, customer) values ('EMPTY', 'C1');
select t.why('EMPTY');
-- its decision is gone
delete from routing.decision where order_id = 'LATE';
select t.why('LATE');
select t.try($$select routing.explain('nobody')$$);
-- many nodes: the ones that cannot win are not read
insert into routing.node (node, rank, handling_cost) select 'N' || n, 50, 2 from generate_series(10, 40) n;
insert into routing.lane (node, zone, service, transit_days, base_cost, cost_per_kg) select 'N' || n, 'MW', 'ground', 3, 20 + n, 0.5 from generate_series(10, 40) n;
insert into routing.supply (item, node, quantity) select 'D', 'N' || n, 10 from generate_series(10, 40) n;
call t.stock('D', 'CHI', 1);
call t.ord('MANY', 9, 'D 1');
select t.why('MANY');
-- in the currency of the tenant
update routing.tenant set currency = 'EUR' where tenant_id = 1;
call t.ord('EURO', 9, 'A 1');
select t.why('EURO');
update routing.tenant set currency = 'USD' where tenant_id = 1;
-- cut-off and pick-up of the service; ground is picked up at CHI alone
insert into routing.pickup (node, service, weekday, cut_off, pick_up) select 'CHI', 'ground', d, '23:59:58', '23:59:59' from generate_series(1, 7) d;
call t.ord('PICKED', 9, 'A 1');
select t.why('PICKED');
delete from routing.pickup;
-- nodes that may not serve it
update routing.node set channels = '{edi}' where node = 'DAL';
insert into routing.restriction (restriction, item, node, reason) values ('R1', 'A', 'NYC', 'no import licence');
call t.ord('RULES', 9, 'A 30');
select t.why('RULES');
select node, outcome, reason, known from routing.explain_rows('RULES') where node in ('CHI', 'DAL', 'NYC', 'SAT', 'N10');
select what, line_no, change, known from routing.why_not('RULES', 'DAL'); select what, line_no, change, known from routing.why_not('RULES', 'NYC');
delete from routing.restriction;
-- all or nothing
begin;
insert into routing.sales_order (order_id, customer, country, postal_code, requested_on, completeness) values ('KILL', 'C1', 'US', '60614', t.day(2), 'fill_or_kill');
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('KILL', 1, 'A', 1), ('KILL', 2, 'B', 5000);
commit;
select t.why('KILL');
update routing.node set channels = null;
select * from routing.verify();
