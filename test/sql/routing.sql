-- where orders go
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
create view t.cost as
	select o.order_id as "order", d.cost, d.policy, d.policy_version as version
	from routing.sales_order o join routing.decision d using (tenant_id, decision_id) order by 1;

-- one node, the cheapest: CHI 2 + 9 + 2 x 0.2 = 11.40; DAL would be 13.60
call t.stock('A', 'CHI', 100); call t.stock('A', 'DAL', 100); call t.stock('A', 'NYC', 100);
call t.ord('S01', 3, 'A 2');
table t.r; table t.cost;
-- nodes of equal cost: the better rank
update routing.node set rank = 0 where node = 'NYC';
update routing.lane set base_cost = 9, cost_per_kg = 0.2, transit_days = 1 where node = 'NYC';
call t.ord('S02', 3, 'A 2');
update routing.node set rank = 3 where node = 'NYC';
update routing.lane set base_cost = 12, cost_per_kg = 0.3, transit_days = 2 where node = 'NYC';
call t.ord('S03', 3, 'A 2');
select "order", node from t.r where "order" in ('S02', 'S03');
delete from routing.sales_order_line; delete from routing.sales_order;

-- dates go backward from the day wanted: it arrives on day 5, so DAL needs it on day 3
call t.stock('B', 'DAL', 10);
call t.ord('D01', 5, 'B 1');
-- as a ship day it is what the node needs
call t.ord('D02', 5, 'B 1', basis => 'ship');
-- as soon as possible; and too late for the day wanted: forward from today
call t.ord('D03', null, 'B 1');
call t.ord('D04', 1, 'B 1');
call t.ord('D05', -5, 'B 1', basis => 'ship');
-- only the plane makes it today, and costs 11.00 + 0.80 more than a day's lateness of 2.50
call t.ord('D06', 0, 'A 1 CHI');
-- unless a day costs more
insert into routing.policy (policy, version, state, definition)
values ('standard', 1, 'active', '{"lateness_per_day": {"1": "12.00", "5": "11.00"}}');
call t.ord('D07', 0, 'A 1 CHI');
call t.ord('D08', 0, 'A 1 CHI', customer => 'GOLD');
call t.ord('D09', 0, 'A 1 CHI', customer => 'LAST');
select "order", node, service, needed, arrives from t.r;
select * from t.cost where "order" in ('D01', 'D04', 'D06', 'D07', 'D08');
delete from routing.policy; delete from routing.sales_order_line; delete from routing.sales_order;

-- a far order does not eat what is here today: it takes the purchase of day 10
call t.stock('C', 'CHI', 5); call t.stock('C', 'CHI', 8, 10);
call t.ord('F01', 30, 'C 8');
select t.atp('C', 'CHI', 0, 9, 10) as "5 5 5";
call t.ord('F02', 2, 'C 5');
select "order", quantity, needed, arrives, basis from t.r;
table t.l;
-- what is left of it: nothing, on any day; then on dated inbound, in time and late
select t.atp('C', 'CHI', 0, 100) as "0 0";
call t.stock('C', 'CHI', 9, 12);
call t.ord('F03', 14, 'C 3');
call t.ord('F04', 2, 'C 4');
call t.ord('F05', null, 'C 1');
call t.ord('F06', null, 'C 4');
select * from t.l where "order" > 'F02';
select "order", quantity, needed, arrives, basis from t.r where "order" > 'F02';
table t.o;
delete from routing.sales_order_line; delete from routing.sales_order; delete from routing.supply where item = 'C';

-- a split: no node has both; CHI 11 + 0.2, DAL 13 + 0.3, split penalty 4
call t.stock('C', 'CHI', 5); call t.stock('D', 'DAL', 5);
call t.ord('P01', 4, 'C 1, D 1');
select * from t.r; select * from t.cost; select * from t.l;
-- NYC has both for 14 + 0.6: one shipment, cheaper than two for 28.50
call t.stock('C', 'NYC', 5); call t.stock('D', 'NYC', 5);
call t.ord('P02', 4, 'C 1, D 1');
select * from t.r where "order" = 'P02'; select * from t.cost where "order" = 'P02';
-- not if NYC costs 30: two for 28.50 are cheaper
update routing.lane set base_cost = 27.4 where node = 'NYC';
call t.ord('P03', 4, 'C 1, D 1');
-- with a split penalty of 6, one for 30.00 is cheaper than two for 30.50: the policy counts at once
insert into routing.policy (policy, version, state, definition) values ('standard', 7, 'active', '{"split_penalty": "6"}');
call t.ord('P04', 4, 'C 1, D 1');
insert into routing.policy (policy, version, state, definition) values ('standard', 8, 'active', '{"split_penalty": 5}');
call t.ord('P05', 4, 'C 1, D 1');
-- another policy by name; more than one shipment may be forbidden
insert into routing.policy (policy, version, state, definition) values
	('one', 1, 'retired', '{}'), ('one', 2, 'active', '{"max_shipments": 1}'), ('one', 3, 'draft', '{}');
begin;
insert into routing.sales_order (order_id, customer, country, postal_code, policy) values ('P06', 'C1', 'US', '60614', 'one');
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('P06', 1, 'C', 1), ('P06', 2, 'D', 1);
commit;
select "order", line, node from t.r where "order" > 'P02';
select * from t.cost where "order" > 'P02';
delete from routing.sales_order_line; delete from routing.sales_order; delete from routing.policy;
delete from routing.supply where node = 'NYC' and item in ('C', 'D');
update routing.lane set base_cost = 12 where node = 'NYC';

-- to be late or to split: DAL gets C on day 3. Two shipments in time cost 28.50, one of 13.60 is two
-- days late for both lines: 4 x 2.50
call t.stock('C', 'DAL', 5, 3);
call t.ord('L01', 3, 'C 1, D 1');
select * from t.l;
-- for a customer of priority 1 a day may cost more
insert into routing.policy (policy, version, state, definition) values
	('standard', 1, 'active', '{"lateness_per_day": {"1": "20"}}');
call t.ord('L02', 3, 'C 1, D 1', customer => 'GOLD');
delete from routing.policy;
select * from t.r; select * from t.cost;
delete from routing.sales_order_line; delete from routing.sales_order;
delete from routing.supply where node = 'DAL' and item = 'C';

call t.reset();

-- three nodes, each with a part; the line has the node with the largest part
call t.stock('A', 'CHI', 2); call t.stock('A', 'DAL', 3); call t.stock('A', 'NYC', 1);
call t.ord('T01', 4, 'A 6');
select * from t.r; select * from t.cost; select * from t.l;
-- no more than there is: partially, or not at all
call t.ord('T02', 4, 'A 1');
call t.stock('B', 'CHI', 2.5);
call t.ord('T03', 4, 'B 4, A 2');
select * from t.l where "order" > 'T01'; select * from t.o where order_id > 'T01';
select * from t.cost where "order" > 'T01';
-- a part on hand, a part inbound in time; and one that is late
call t.stock('C', 'CHI', 3); call t.stock('C', 'CHI', 4, 6); call t.stock('C', 'CHI', 4, 9);
call t.ord('T04', 7, 'C 5');
call t.ord('T05', 9, 'C 4');
select * from t.l where "order" > 'T03'; select * from t.o where order_id > 'T03';
select * from t.r where "order" > 'T03';
call t.reset();

-- the same item on two lines counts together
call t.stock('A', 'CHI', 5); call t.stock('A', 'DAL', 4);
call t.ord('I01', 4, 'A 3, A 3');
call t.ord('I02', 4, 'A 2, A 2');
select * from t.r; select * from t.l; select * from t.cost;
call t.reset();

-- the zone is that of the longest prefix of the postal code
insert into routing.zone (zone) values ('LOOP'), ('REST');
insert into routing.zone_area (country, postal_prefix, zone) values ('US', '60606', 'LOOP'), ('US', '', 'REST'), ('CA', '60', 'REST');
insert into routing.lane (node, zone, service, transit_days, base_cost) values
	('NYC', 'LOOP', 'ground', 4, 50), ('SAT', 'REST', 'ground', 6, 60);
call t.stock('A', 'CHI', 9); call t.stock('A', 'NYC', 9); call t.stock('A', 'SAT', 9);
call t.ord('Z01', 9, 'A 1', postal => '60606');
call t.ord('Z02', 9, 'A 1', postal => '60606-1234');
call t.ord('Z03', 9, 'A 1', postal => '6060');
call t.ord('Z04', 9, 'A 1', postal => '70001');
call t.ord('Z05', 9, 'A 1', postal => '10001');
call t.ord('Z06', 9, 'A 1', postal => '');
select "order", node, needed, arrives from t.r;
-- a zone that no lane leads to
insert into routing.zone (zone) values ('MOON');
insert into routing.zone_area (country, postal_prefix, zone) values ('US', '999', 'MOON');
call t.ord('Z07', 9, 'A 1', postal => '99901');
select * from t.l where "order" = 'Z07';
delete from routing.zone_area where zone in ('LOOP', 'REST', 'MOON');
delete from routing.lane where zone in ('LOOP', 'REST');
delete from routing.zone where zone in ('LOOP', 'REST', 'MOON');
call t.reset();

-- what is closed or not enabled is not used, from the next statement on; open again, it is
call t.stock('A', 'CHI', 90); call t.stock('A', 'DAL', 90);
update routing.node set status = 'closed' where node = 'CHI';
call t.ord('N01', 4, 'A 1');
update routing.node set status = 'open' where node = 'CHI';
call t.ord('N02', 4, 'A 1');
update routing.service set status = 'closed' where service = 'ground';
call t.ord('N03', 4, 'A 1');
update routing.service set status = 'closed' where service = 'air';
call t.ord('N04', 4, 'A 1');
update routing.service set status = 'open';
insert into routing.item_node (item, node, enabled) values ('A', 'CHI', false);
call t.ord('N05', 4, 'A 1');
delete from routing.item_node;
-- costs and transit days count at once
update routing.lane set base_cost = 10.9 where node = 'CHI' and service = 'ground';
call t.ord('N06', 4, 'A 1');
update routing.lane set base_cost = 11.11 where node = 'CHI' and service = 'ground';
call t.ord('N07', 4, 'A 1');
update routing.node set handling_cost = 2.02 where node = 'DAL';
call t.ord('N08', 4, 'A 1');
update routing.item set weight_kg = 0 where item = 'A';
call t.ord('N09', 4, 'A 1');
update routing.lane set transit_days = 4 where node = 'DAL' and service = 'ground';
call t.ord('N10', 4, 'A 1');
-- a lane gone
delete from routing.lane where node = 'DAL';
call t.ord('N11', 4, 'A 1');
-- a change that is not committed counts for its own transaction only
begin;
update routing.node set status = 'closed' where node = 'CHI';
call t.ord('N12', 4, 'A 1');
commit;
begin;
update routing.node set status = 'open' where node = 'CHI';
savepoint s;
update routing.node set status = 'closed' where node = 'CHI';
rollback to s;
call t.ord('N13', 4, 'A 1');
commit;
begin;
update routing.node set status = 'closed' where node = 'CHI';
rollback;
call t.ord('N14', 4, 'A 1');
select "order", status, node, promised, reason from t.l;
select "order", service, needed, arrives from t.r;
update routing.node set handling_cost = 2;
update routing.item set weight_kg = 1;
update routing.lane set base_cost = 9 where node = 'CHI' and service = 'ground';
insert into routing.lane (node, zone, service, transit_days, base_cost, cost_per_kg) values ('DAL', 'MW', 'ground', 2, 11, 0.3);
call t.reset();

-- a line pinned to a node: only from there, however dear, and not at all if it cannot
call t.stock('A', 'CHI', 9); call t.stock('A', 'NYC', 2); call t.stock('A', 'SAT', 9); call t.stock('B', 'CHI', 9);
call t.ord('M01', 4, 'A 1 NYC');
call t.ord('M02', 4, 'A 1 NYC, B 1');
call t.ord('M03', 4, 'A 1 NYC, A 1');
call t.ord('M04', 4, 'A 1 SAT');
select * from t.l; select "order", line, node from t.r;
-- a line may have its own day
begin;
insert into routing.sales_order (order_id, customer, country, postal_code, requested_on) values ('M05', 'C1', 'US', '60614', t.day(4));
insert into routing.sales_order_line (order_id, line_no, item, quantity, requested_on) values
	('M05', 1, 'A', 1, null), ('M05', 2, 'A', 1, t.day(8)), ('M05', 3, 'B', 1, t.day(8));
commit;
select "order", line, node, needed, arrives from t.r where "order" = 'M05';
select * from t.cost where "order" = 'M05';

-- a policy that is not there, not active, or not yet: the order is refused
insert into routing.policy (policy, version, state, definition) values ('bad9', 1, 'draft', '{}'), ('late', 1, 'active', '{}');
update routing.policy set effective_at = now() + '1 day' where policy = 'late';
do $$
declare
	p	text;
begin
	for p in select policy from routing.policy union select 'none' order by 1 loop
		raise notice '%', t.try(format('select * from routing.promise(%L)', jsonb_build_object('customer', 'C1', 'policy', p,
			'ship_to', '{"country": "US", "postal_code": "60614"}'::jsonb, 'lines', '[{"item": "A", "quantity": 1}]'::jsonb)));
	end loop;
end
$$;
insert into routing.sales_order (order_id, customer, country, postal_code, policy) values ('M06', 'C1', 'US', '60614', 'bad9')
\; insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('M06', 1, 'A', 1);
\echo :LAST_ERROR_SQLSTATE
select count(*) from routing.sales_order where order_id = 'M06';

select * from routing.verify();
