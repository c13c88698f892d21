-- substitutes: what is delivered instead where an item is short and its line consents
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
-- 2 B for one A cost 1.5 more, one C costs 0.5 more and needs no consent; B may not be replaced by A
insert into routing.item_substitute (item, substitute, ratio, penalty, needs_consent) values ('A', 'B', 2, 1.5, true), ('A', 'C', 1, 0.5, false);
create view t.k as
	select order_id as "order", line_no as line, item, for_item as "for", per_unit as ratio, quantity, node, t.rel(deliver_on) as arrives, basis, state
	from routing.reservation where "to" is null order by tenant_id, order_id, line_no, item, node, part;
create view t.v as select what, item, order_id, line_no, expected, found from routing.verify();
create procedure t.again() language sql begin atomic
	delete from routing.sales_order_line;
	delete from routing.sales_order;
end;
insert into routing.item (item) values ('K');
insert into routing.item_component (item, component, quantity) values ('K', 'D', 1);

-- what is no substitute
select t.try($$insert into routing.item_substitute (item, substitute) values ('A', 'A')$$);
select t.try($$insert into routing.item_substitute (item, substitute) values ('K', 'A')$$);
select t.try($$insert into routing.item_substitute (item, substitute) values ('B', 'K')$$);
select t.try($$insert into routing.item_component (item, component, quantity) values ('B', 'C', 1)$$);
select t.try($$insert into routing.item_substitute (item, substitute, ratio) values ('C', 'D', 0)$$) ~ '^23514' as refused;
select t.try($$insert into routing.item_substitute (item, substitute, valid_from, valid_to) values ('C', 'D', '2020-01-02', '2020-01-01')$$) ~ '^23514' as refused;
select t.try($$select quantity from routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "A", "quantity": 1, "substitutes": "yes"}]}')$$);

-- 3 A now and 10 on day 20, 10 B, 1 C: without consent 2 of 5 A are late
call t.stock('A', 'CHI', 3); call t.stock('A', 'CHI', 10, 20); call t.stock('B', 'CHI', 10); call t.stock('C', 'CHI', 1);
call t.ord('S1', 3, 'A 5');
select line, item, status, promised from t.l; select * from t.k;
-- the customer allows what needs no consent: one C, and 1 A is late
update routing.customer set substitutes = 'allowed' where customer = 'C1';
call t.again(); call t.ord('S2', 3, 'A 5');
select line, item, status, promised from t.l; select * from t.k; select * from t.v;
-- the line consents to all: 3 A, 1 C and, for the last A, 2 B
update routing.sales_order_line set substitutes = 'consented';
select line, item, status, promised from t.l; select * from t.k; select * from t.v;
-- 2 + 9 + 6 kg x 0.2 + 0.5 + 1.5
select explain from routing.explain('S2') where explain ~ '^Cost|line 1';
select node, outcome, substitution, total from routing.explain_rows('S2') where outcome = 'chosen';
select p ->> 'substitute' as substitute, p ->> 'qty' as qty, p ->> 'substitution' as substitution
from jsonb_array_elements(routing.decision_detail((select decision_id from routing.sales_order)) -> 'plan' -> 'parts') p;
select line_no, item, node, quantity, same from routing.replay((select decision_id from routing.sales_order));
select a ->> 'item' as item, a ->> 'substitute_for' as instead, a ->> 'quantity' as quantity
from (select payload from routing.event where type in ('order.allocated.v1', 'order.reallocated.v1') order by seq desc limit 1) e,
	 jsonb_array_elements(coalesce(payload -> 'allocations', payload -> 'added')) a order by 1;
-- consent withdrawn: planned anew without
update routing.sales_order_line set substitutes = 'never';
select line, item, status, promised from t.l; select * from t.k; select t.atp('B', 'CHI', 1), t.atp('C', 'CHI', 1); select * from t.v;
-- a line that says nothing goes by the customer
update routing.sales_order_line set substitutes = null;
select * from t.k;

-- the direction is that of the row
call t.again();
update routing.customer set substitutes = 'consented' where customer = 'C1';
call t.ord('S3', 3, 'B 11');
select line, item, quantity, status, reason from t.l; select * from t.k;
-- validity: over since yesterday, or not begun yet
call t.again();
update routing.item_substitute set valid_to = t.day(-1) where substitute = 'B';
update routing.item_substitute set valid_from = t.day(1) where substitute = 'C';
call t.ord('S4', 3, 'A 5');
select line, item, status, promised from t.l; select * from t.k;
update routing.item_substitute set valid_to = t.day(0) where substitute = 'B';
update routing.item_substitute set valid_from = t.day(0) where substitute = 'C';
select routing.route_order('S4') is not null as routed;

-- only where it is cheaper: a penalty above the cost of being late is not paid (2 of 5 A late by 18 days)
call t.again();
update routing.item_substitute set penalty = 100000;
call t.ord('S5', 3, 'A 5');
select line, item, status, promised from t.l; select * from t.k;
update routing.item_substitute set penalty = case substitute when 'B' then 1.5 else 0.5 end;

-- a ratio serves exactly or not at all: 0.3333 B for an A are whole A only; so 2 of the 4.5 instead of the 1.5 that are short
call t.again();
delete from routing.supply where item = 'C';
update routing.item_substitute set ratio = 0.3333 where substitute = 'B';
call t.ord('S6', 3, 'A 4.5');
select line, item, status, promised from t.l; select * from t.k; select * from t.v;
-- 2.5 B for an A: 1.5 A are 3.75 B
call t.again();
update routing.item_substitute set ratio = 2.5 where substitute = 'B';
call t.ord('S7', 3, 'A 4.5');
select * from t.k; select * from t.v;
-- less of it: the substitute, which was booked last, is given back: 1 A is 2.5 B
update routing.sales_order_line set quantity = 4;
select * from t.k; select t.atp('B', 'CHI', 1); select * from t.v;
select routing.cancel_order('S7');
select t.atp('A', 'CHI', 1), t.atp('B', 'CHI', 1); select * from t.v;

-- another line of the same order wants the substitute: of 4 B it gets what it asks, the rest stands in for A
call t.again();
update routing.item_substitute set ratio = 1 where substitute = 'B';
update routing.supply set quantity = 4 where item = 'B';
call t.ord('S8', 3, 'A 6, B 3');
select line, item, status, promised from t.l; select * from t.k; select * from t.v;
select t.atp('A', 'CHI', 1), t.atp('B', 'CHI', 1);

-- hazardous goods of another class stand in for nothing, nor does what has restrictions of its own
call t.again();
update routing.item set hazmat_class = '3' where item = 'B';
select item, quantity from routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "A", "quantity": 5}]}') where status = 'allocated';
update routing.item set hazmat_class = null where item = 'B';
insert into routing.restriction (restriction, item, country) values ('no B in Canada', 'B', 'CA');
select item, quantity from routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "A", "quantity": 5}]}') where status = 'allocated';
delete from routing.restriction;
select item, quantity from routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "A", "quantity": 5}]}') where status = 'allocated' order by 1;

-- what has left is counted in the line's units; the rest goes on as it is
update routing.item_substitute set ratio = 2 where substitute = 'B';
call t.ord('S9', 3, 'A 5');
select * from t.k;
select routing.confirm_ship('S9', 1, 4);
select * from t.k; select line, status from t.l; select * from t.v;
select t.try($$select routing.confirm_ship('S9', 1, 2)$$);
select routing.confirm_ship('S9');
select * from t.k; select line, status from t.l; select * from t.v;

-- a substitute that loses its stock: the line is planned again
call t.reset();
call t.stock('A', 'CHI', 3); call t.stock('B', 'CHI', 10); call t.stock('C', 'CHI', 2);
call t.ord('T1', 3, 'A 5');
select * from t.k;
update routing.supply set quantity = 1 where item = 'C';
select * from t.k; select line, status from t.l; select * from t.v;
-- planned anew when there is enough of the item itself
update routing.supply set quantity = 9 where item = 'A';
update routing.sales_order set requested_on = t.day(4);
select * from t.k; select * from t.v;
