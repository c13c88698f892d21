-- kits of which something has left: what they lose of a component is planned anew
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
create view t.k as
	select order_id as "order", line_no as line, item, quantity, node, t.rel(needed_on) as needed, t.rel(deliver_on) as arrives, basis, state, shipment_no as shipment
	from routing.reservation where "to" is null order by tenant_id, order_id, line_no, item, node, needed_on, state;
create view t.q as select order_id as "order", line_no as line, item, node, quantity from routing.claim order by item, node, rank, claimed_at;
create view t.v as select what, item, order_id, line_no, expected, found from routing.verify();
create view t.u as select type, item, node, facts ->> 'quantity' as quantity, state from routing.exception where type = 'supply_shortage' order by tenant_id, exception_id;
-- 2 kits of 2 D and a C; the D have left, the C were to come on day 1
create procedure t.start(id text) language plpgsql as $$
begin
	call t.reset(); delete from routing.exception;
	call t.stock('D', 'CHI', 4); call t.stock('C', 'CHI', 2, 1);
	call t.ord(id, 3, 'K 2'); commit;
	perform routing.confirm_ship(id, 1); commit;
	update routing.supply set quantity = 0 where item = 'D'; commit;
end
$$;
\set ECHO all
insert into routing.item (item, weight_kg) values ('K', 3);
insert into routing.item_component (item, component, quantity) values ('K', 'D', 2), ('K', 'C', 1);
call t.start('S1'); table t.k; table t.l; table t.v;
-- the C are lost; DAL has a C, and D for further kits, which nobody wants: only C comes from there, for the other one the line waits
call t.stock('D', 'DAL', 8); call t.stock('C', 'DAL', 1);
delete from routing.supply where item = 'C' and node = 'CHI';
table t.k; table t.l; table t.q; table t.u; table t.v;
select line_no, item, node, quantity, same from routing.replay((select decision_id from routing.sales_order));
select regexp_replace(explain, '(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d+ [A-Z][a-z]+', 'day', 'g') as explain from routing.explain('S1') where explain ~ 'S1|instead|line 1|Cost|lets';
-- what comes of C is for it, and D are not; late first, then in time, which brings the other one along in the same shipment
call t.stock('D', 'NYC', 8); table t.q;
call t.stock('C', 'CHI', 1, 7); table t.k; table t.l; table t.q; table t.v;
call t.stock('C', 'NYC', 5); table t.k; table t.l; table t.u; table t.v;
-- the C leave one by one
select routing.confirm_ship('S1', 1, 1); select line, status from t.l; table t.v;
select routing.confirm_ship('S1', 1); select line, status from t.l; table t.v;
-- nowhere any: the line waits for the C, and gets them where they come
call t.start('S2'); delete from routing.supply where item = 'C'; table t.k; table t.l; table t.q; table t.u; table t.v;
call t.stock('C', 'DAL', 2); table t.k; table t.l; table t.q; table t.u; table t.v;
-- lost once more
update routing.supply set quantity = 0 where item = 'C' and node = 'DAL'; table t.k; table t.l; table t.q; table t.v;
call t.stock('C', 'CHI', 2); table t.k; table t.l; table t.v;
-- one that is cancelled gives it back
select routing.cancel_order('S2'); table t.k; select t.atp('C', 'CHI', 1) as "2"; table t.v;
-- a larger line: whole kits besides; a smaller one: not less than was begun
call t.start('S3'); delete from routing.supply where item = 'C';
call t.stock('D', 'DAL', 8); call t.stock('C', 'DAL', 3); table t.k;
update routing.sales_order_line set quantity = 3; table t.k; table t.l; table t.v;
update routing.sales_order_line set quantity = 1;
update routing.sales_order_line set quantity = 2; table t.k; table t.l; table t.v;
-- the date moves: what has not left is planned anew
update routing.sales_order set requested_on = t.day(6); table t.k; table t.l; table t.v;
select routing.confirm_ship('S3'); select line, status from t.l; table t.v;
-- the document and why_not() speak of the component
call t.start('S4'); delete from routing.supply where item = 'C'; call t.stock('C', 'NYC', 1); table t.k;
select d -> 'lines' -> 0 ->> 'unserved' as kits, p ->> 'component' as component, p ->> 'qty' as qty
from routing.decision_detail((select decision_id from routing.sales_order)) d, jsonb_array_elements(d -> 'plan' -> 'parts') p;
select what, item, seen, needed, wins from routing.why_not('S4', 'CHI') where what = 'stock';
-- another kit by now: what was begun is completed as it was
insert into routing.item_component (item, component, quantity) values ('K', 'B', 1); select count(*) > 0 as routed from routing.route_order('S4'); table t.k; table t.l; table t.q; table t.v;
call t.stock('C', 'DAL', 5); table t.k; table t.l; table t.q; table t.v;
