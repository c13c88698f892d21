-- shipments to one ship-to that are open already are joined, if the policy says so
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
create view t.c as
	select o.order_id as "order", d.cost, s ->> 'node' as node, t.rel((s ->> 'ship_on')::date) as ships, s ? 'joins' as joins
	from routing.sales_order o join routing.decision d using (tenant_id, decision_id)
	cross join lateral jsonb_array_elements(routing.decision_detail(d.decision_id) -> 'plan' -> 'shipments') s
	order by o.order_id, s ->> 'node';
create view t.open as
	select order_id as "order", node, service, t.rel(ship_on) as ships, customer, ship_to
	from routing.open_shipment order by tenant_id, order_id, open_shipment.ship_on, node;
call t.stock('A', 'CHI', 1000); call t.stock('A', 'DAL', 1000); call t.stock('A', 'NYC', 1000);
-- not asked for: two orders pay 2 + 9 + 5 x 0.2 each
call t.ord('N1', 3, 'A 5'); call t.ord('N2', 3, 'A 5');
select * from t.c; select * from t.open;
call t.reset();
call t.stock('A', 'CHI', 1000); call t.stock('A', 'DAL', 1000); call t.stock('A', 'NYC', 1000);
insert into routing.policy (policy, version, state, definition) values ('standard', 1, 'active', '{"consolidate": true}');
-- the second pays handling and weight, 2 + 10 x 0.2; the next day, another ship-to, another customer: a shipment of its own
call t.ord('S1', 3, 'A 5');
call t.ord('S2', 3, 'A 10');
call t.ord('S3', 4, 'A 5');
call t.ord('S4', 3, 'A 5', postal => '60615');
call t.ord('S5', 3, 'A 5', customer => 'GOLD');
select * from t.c; select * from t.open;
select regexp_replace(e, '\w{3} \d+ \w{3}', 'DAY', 'g') as e from routing.explain('S2') e where e ~ '^(Shipment|Cost)';
select * from routing.verify();
-- joins although another node is cheaper alone: DAL 2 + 5 x 0.3 instead of CHI 2 + 9 + 5 x 0.2
call t.ord('D1', 6, 'A 5 DAL', postal => '60616');
call t.ord('D2', 6, 'A 5', postal => '60616');
select * from t.c where "order" like 'D%';
-- an order does not join its own shipment when it is planned again
call t.ord('L1', 3, 'A 5', postal => '60620');
update routing.sales_order set early_ok = true where order_id = 'L1';
select * from t.c where "order" = 'L1';
-- nor does what is added to it: 2 + 9 + 3 x 0.2
update routing.sales_order_line set quantity = 8 where order_id = 'L1';
select * from t.c where "order" = 'L1'; select * from t.open where "order" = 'L1';
-- the first is cancelled: the second's shipment is still open; without that too the one of the next day, at 2.5 for
-- being late; without any, nothing is
select routing.cancel_order('S1');
call t.ord('S6', 3, 'A 5');
select routing.cancel_order('S2'), routing.cancel_order('S6');
call t.ord('S7', 3, 'A 5');
select routing.cancel_order('S3'), routing.cancel_order('S7');
call t.ord('S8', 3, 'A 5');
call t.ord('S9', 5, 'A 5');
select * from t.c where "order" in ('S6', 'S7', 'S8', 'S9'); select * from t.open where "order" like 'S%';
select * from routing.verify();
-- two orders of one transaction: the second joins the first; one that is cancelled in it is not joined
begin;
call t.ord('T1', 3, 'A 5', postal => '60621'); call t.ord('T2', 3, 'A 5', postal => '60621');
commit;
select * from t.c where "order" like 'T%';
call t.ord('U1', 3, 'A 5', postal => '60622');
begin;
update routing.sales_order set status = 'cancelled' where order_id = 'U1';
call t.ord('U2', 3, 'A 5', postal => '60622');
call t.ord('U3', 3, 'A 5', postal => '60622');
commit;
select * from t.c where "order" like 'U%' order by 1; select * from t.open where "order" like 'U%';
-- the postal code however it is written; the place in it where that is known
call t.ord('P1', 3, 'A 5', postal => '60623-1234'); call t.ord('P2', 3, 'A 5', postal => '60623 1234');
begin;
call t.ord('P3', 3, 'A 5', postal => '60623-1234');
update routing.sales_order set latitude = 41.85001, longitude = -87.7 where order_id = 'P3';
commit;
begin;
call t.ord('P4', 3, 'A 5', postal => '60623-1234');
update routing.sales_order set latitude = 41.85002, longitude = -87.7 where order_id = 'P4';
commit;
select * from t.c where "order" like 'P%'; select "order", ship_to from t.open where "order" like 'P%';
-- days: what would come in time waits a day to join at 2.5 (2 + 5 x 0.2 + 2.5), and of two open days takes the nearest
call t.ord('W1', 5, 'A 5', postal => '60624');
call t.ord('W2', 4, 'A 5', postal => '60624');
call t.ord('X1', 3, 'A 5', postal => '60625'); call t.ord('X2', 5, 'A 5', postal => '60625');
call t.ord('X3', 6, 'A 5', postal => '60625');
begin;
call t.ord('X4', 5, 'A 5', postal => '60625');
update routing.sales_order set early_ok = true where order_id = 'X4';
commit;
select * from t.c where "order" ~ '^[WX]';
-- what is early is joined only if that is allowed
begin;
call t.ord('Y1', 3, 'A 5', postal => '60626');
commit;
call t.ord('Y2', 6, 'A 5', postal => '60626');
begin;
call t.ord('Y3', 5, 'A 5', postal => '60626');
update routing.sales_order set early_ok = true where order_id = 'Y3';
commit;
select * from t.c where "order" like 'Y%';
-- another ship-to, another customer, no row any more
update routing.sales_order set postal_code = '60627' where order_id = 'Y1';
update routing.sales_order set customer = 'GOLD' where order_id = 'Y2';
delete from routing.sales_order_line where order_id = 'Y3';
delete from routing.sales_order where order_id = 'Y3';
select * from t.open where "order" like 'Y%';
select * from routing.verify();
-- what has left is joined by nobody, what has not still is
begin;
call t.ord('G1', 3, 'A 5 CHI, A 5 DAL', postal => '60628');
commit;
select routing.confirm_ship('G1', 1);
select * from t.open where "order" = 'G1';
call t.ord('G2', 3, 'A 5', postal => '60628');
select * from t.c where "order" like 'G%';
select routing.confirm_ship('G1');
select * from t.open where "order" = 'G1';
select * from routing.verify();
-- holds open nothing; they join, and what becomes an order is open
create function t.doc(id text, postal text) returns jsonb language sql stable
	return jsonb_build_object('order_id', id, 'customer', 'C1', 'requested_on', t.day(3)::text,
		'ship_to', jsonb_build_object('country', 'US', 'postal_code', postal), 'lines', '[{"line_no": 1, "item": "A", "quantity": "5"}]'::jsonb);
select routing.hold(t.doc('H1', '60629'), '1 hour') as h1 \gset
select node, freight, total from routing.score_nodes(t.doc('H2', '60629'));
select routing.confirm_hold(:'h1');
select * from t.open where "order" like '%H1';
select node, freight, total from routing.score_nodes(t.doc('H2', '60629'));
select * from routing.verify();
-- lost supply: the shipment goes where the order goes
call t.stock('B', 'CHI', 5); call t.stock('B', 'DAL', 5);
call t.ord('V1', 3, 'B 5', postal => '60630');
select * from t.open where "order" = 'V1';
update routing.supply set quantity = 0 where item = 'B' and node = 'CHI';
select * from t.open where "order" = 'V1';
update routing.supply set quantity = 0 where item = 'B' and node = 'DAL';
select * from t.open where "order" = 'V1';
select * from routing.verify();
-- an order that waits to be routed again still has its shipment
call t.stock('C', 'CHI', 5); call t.stock('C', 'DAL', 5);
call t.ord('V2', 3, 'C 5', postal => '60632');
set routing.settle_reroute_limit = 0;
update routing.supply set quantity = 0 where item = 'C' and node = 'CHI';
reset routing.settle_reroute_limit;
select node, state from t.r where "order" = 'V2'; select * from t.open where "order" = 'V2';
select * from routing.verify();
select routing.run_jobs() is not null as worked;
select node, state from t.r where "order" = 'V2'; select * from t.open where "order" = 'V2';
-- verify() finds what is wrong
insert into routing.open_shipment select tenant_id, 'S9', 'NYC', 'ground', ship_on, customer, ship_to
from routing.open_shipment where order_id = 'S9';
update routing.open_shipment set customer = 'LAST' where order_id = 'S4';
select what, node, order_id, expected, t.rel(split_part(found, ' ', 2)::date) as found from routing.verify() where order_id = 'S9';
select what, node, order_id, expected, found from routing.verify() where order_id = 'S4';
delete from routing.open_shipment where order_id = 'S9' and node = 'CHI';
select what, node, order_id from routing.verify() where order_id = 'S9';
-- routed again, they are right again; by another policy they are gone
update routing.sales_order set early_ok = true where order_id in ('S9', 'S4');
select * from routing.verify();
insert into routing.policy (policy, version, state, definition) values ('plain', 1, 'active', '{}');
update routing.sales_order set policy = 'plain', early_ok = false where order_id = 'S9';
select * from t.open where "order" in ('S9', 'S4');
-- by rule; an item class does not decide about shipments
insert into routing.policy (policy, version, state, definition) values ('rules', 1, 'active',
	'{"rules": [{"when": {"channel": ["web"]}, "set": {"consolidate": true}}, {"when": {"item_class": ["x"]}, "set": {"consolidate": true}}]}');
update routing.item set item_class = 'x' where item = 'A';
begin; call t.ord('R1', 3, 'A 5', postal => '60631'); update routing.sales_order set policy = 'rules' where order_id = 'R1'; commit;
begin; call t.ord('R2', 3, 'A 5', postal => '60631'); update routing.sales_order set policy = 'rules', channel = 'web' where order_id = 'R2'; commit;
begin; call t.ord('R3', 3, 'A 5', postal => '60631'); update routing.sales_order set policy = 'rules', channel = 'web' where order_id = 'R3'; commit;
begin; call t.ord('R4', 3, 'A 5', postal => '60631'); update routing.sales_order set policy = 'rules' where order_id = 'R4'; commit;
select * from t.c where "order" like 'R%'; select "order" from t.open where "order" like 'R%';
select key, value from routing.policy_effective('rules', 'web') where key = 'consolidate';
select key, value from routing.policy_effective('rules', 'shop') where key = 'consolidate';
select t.try($$insert into routing.policy (policy, version, definition) values ('bad', 1, '{"consolidate": "yes"}')$$);
select t.try($$insert into routing.policy (policy, version, definition) values ('bad', 1, '{"rules": [{"when": {"channel": ["web"]}, "set": {"consolidate": 1}}]}')$$);
select * from routing.verify();
-- the recorded decisions stand: replay gives the same
select count(*) > 20 as many, bool_and(r.same) as same
from routing.decision d cross join lateral routing.replay(d.decision_id) r;
