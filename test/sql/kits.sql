-- kits: what their components allow at one node and one date
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
\set ECHO all
-- K is made of 2 A and 1 B, K2 of 3 B and half a C
insert into routing.item (item) values ('K'), ('K2');
insert into routing.item_component (item, component, quantity) values ('K', 'A', 2), ('K', 'B', 1), ('K2', 'B', 3), ('K2', 'C', 0.5);
create view t.k as
	select order_id as "order", line_no as line, for_item as kit, item, quantity, node, t.rel(needed_on) as needed, basis, state
	from routing.reservation where "to" is null order by tenant_id, order_id, line_no, shipment_no, node, component, part;
create view t.v as select what, item, order_id, line_no, expected, found from routing.verify();

-- what is no kit
select t.try($$insert into routing.item_component (item, component, quantity) values ('D', 'C', 0)$$) ~ '^23514' as refused;
select t.try($$insert into routing.item_component (item, component, quantity) values ('C', 'C', 1)$$);
select t.try($$insert into routing.item_component (item, component, quantity) values ('A', 'K', 1)$$);
select t.try($$insert into routing.item_component (item, component, quantity) values ('D', 'K', 1)$$);
select t.try($$insert into routing.item_component (item, component, quantity) values ('A', 'D', 1)$$);
select t.try($$insert into routing.item_component (item, component, quantity) values ('D', 'X', 1)$$) ~ '^23503' as refused;
select t.try($$insert into routing.supply (item, node, quantity) values ('K', 'CHI', 1)$$);
call t.stock('D', 'NYC', 1);
select t.try($$insert into routing.item_component (item, component, quantity) values ('D', 'C', 1)$$);
select t.try($$select quantity from routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "K", "quantity": 1.5}]}')$$);
select t.try($$select quantity from routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "K", "quantity": 1, "lot": "L1"}]}')$$);

-- 7 A and 10 B at CHI are 3 kits; 4 A and, from day 5 on, 10 B at DAL are 2
call t.stock('A', 'CHI', 7); call t.stock('B', 'CHI', 10); call t.stock('C', 'CHI', 10);
call t.stock('A', 'DAL', 4); call t.stock('B', 'DAL', 1); call t.stock('B', 'DAL', 9, 5);
call t.ord('K1', 3, 'K 3');
select * from t.l; select * from t.k; select * from t.v;
-- handling 2, base 9, (3 x (2 + 1) kg) x 0.2 = 1.8
select explain from routing.explain('K1') where explain ~ '^Cost|line 1';
select a ->> 'item' as item, a ->> 'kit' as kit, a ->> 'quantity' as quantity
from routing.event, jsonb_array_elements(payload -> 'allocations') a where type = 'order.allocated.v1' order by 1;
-- one A is left at CHI: the next goes from DAL, whole, when the second B is there: ships on day 5, late by 4
call t.ord('K2', 3, 'K 2');
select * from t.l where "order" = 'K2'; select * from t.k where "order" = 'K2'; select * from t.v;
select t.atp('A', 'CHI', 1), t.atp('B', 'CHI', 1), t.atp('A', 'DAL', 1), t.atp('B', 'DAL', 1, 7);
select regexp_replace(explain, '[A-Z][a-z]{2} \d+ [A-Z][a-z]{2}', 'that day') as explain from routing.explain('K2') where explain ~ 'line 1|^    |CHI';
-- a question shows what would be delivered
select line_no, item, node, quantity, status from routing.promise('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "K2", "quantity": 3}]}');
select feasible, node, regexp_replace(reason, '\d{4}-\d\d-\d\d', 'today') as reason from routing.score_nodes('{"customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "K2", "quantity": 3}]}');

-- less of it gives back the components in proportion, all of it everything
update routing.sales_order_line set quantity = 1 where order_id = 'K1';
select * from t.k where "order" = 'K1'; select t.atp('A', 'CHI', 1), t.atp('B', 'CHI', 1); select * from t.v;
update routing.sales_order_line set quantity = 2 where order_id = 'K1';
select * from t.k where "order" = 'K1'; select t.atp('A', 'CHI', 1), t.atp('B', 'CHI', 1); select * from t.v;
select routing.cancel_order('K1');
select t.atp('A', 'CHI', 1), t.atp('B', 'CHI', 1); select * from t.v;
select routing.cancel_order('K2');

-- a component shared with other lines counts once: 7 A at CHI are 2 kits and 3 more, or 3 kits and 1 more
call t.ord('S1', 3, 'K 2, A 3');
select * from t.l where "order" = 'S1'; select * from t.k where "order" = 'S1' ; select * from t.v;
select routing.cancel_order('S1');
call t.ord('S2', 3, 'K 3, A 3');
select line, item, status, node from t.l where "order" = 'S2'; select * from t.k where "order" = 'S2'; select * from t.v;
select t.atp('A', 'CHI', 1), t.atp('B', 'CHI', 1), t.atp('A', 'DAL', 1), t.atp('B', 'DAL', 1);
select routing.cancel_order('S2');
-- two kits that share B, of which there are 10 at CHI: 3 of K2 take 9, so that of K only 1 can go from there
call t.ord('S3', 3, 'K 3, K2 3');
select line, item, status, node, split from t.l where "order" = 'S3'; select * from t.k where "order" = 'S3'; select * from t.v;
select routing.cancel_order('S3');
-- all in one shipment: 3 K and 1 A are all 7 A of CHI; one more A, and no node can do it
insert into routing.sales_order (order_id, customer, country, postal_code, requested_on, completeness)
select x, 'C1', 'US', '60614', t.day(3), 'order_one_shipment' from unnest('{S4,S5}'::text[]) x;
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('S4', 1, 'K', 3), ('S4', 2, 'A', 1);
select line, item, status, node from t.l where "order" = 'S4'; select * from t.v;
delete from routing.sales_order where order_id = 'S4'; delete from routing.sales_order_line where order_id = 'S4';
insert into routing.sales_order_line (order_id, line_no, item, quantity) values ('S5', 1, 'K', 3), ('S5', 2, 'A', 2);
select line, item, status, node, reason from t.l where "order" = 'S5'; select * from t.v;
delete from routing.sales_order where order_id = 'S5'; delete from routing.sales_order_line where order_id = 'S5';

-- a kit that loses a component gives back the others, and waits for what is short; stock of that brings it back
call t.reset();
call t.stock('A', 'CHI', 6); call t.stock('B', 'CHI', 3);
call t.ord('L1', 3, 'K 3');
update routing.supply set quantity = 1 where item = 'B';
select line, status, reason from t.l; select * from t.k; select * from t.v;
select item, node, quantity from routing.claim; select t.atp('A', 'CHI', 1), t.atp('B', 'CHI', 1);
update routing.supply set quantity = 2 where item = 'B';
select line, status, reason from t.l; select * from t.k; select item, node, quantity from routing.claim; select * from t.v;
update routing.supply set quantity = 3 where item = 'B';
select line, status, reason from t.l; select * from t.k; select item, node, quantity from routing.claim; select * from t.v;

-- goods issues count kits; components may leave one by one
select routing.confirm_ship('L1', 1, 1);
select item, quantity from routing.supply order by 1; select line, status from t.l; select * from t.k; select * from t.v;
select t.try($$select routing.confirm_ship('L1', 1, 3)$$);
update routing.sales_order_line set quantity = 1.5;
update routing.sales_order_line set quantity = 2;
select * from t.k; select line, status from t.l; select * from t.v;
select routing.confirm_ship('L1');
select item, quantity from routing.supply order by 1; select line, status from t.l; select * from t.k; select * from t.v;

-- what a purchase that is late would do: 1 of 2 B is lost, so that a kit waits for it
call t.reset();
call t.stock('A', 'CHI', 4); call t.stock('B', 'CHI', 1); call t.stock('B', 'CHI', 1, 2, 'PO');
call t.ord('I1', 3, 'K 2');
select item, quantity, t.rel(old_promise) as was, t.rel(new_promise) as becomes, repair, new_node from routing.impact('PO', t.day(5));
select item, quantity, t.rel(old_promise) as was, t.rel(new_promise) as becomes, repair, new_node from routing.impact('PO', null, 0);
update routing.supply set available_on = t.day(5) where ref = 'PO';
select line, status, promised from t.l; select * from t.k; select * from t.v;

-- a quote of kits becomes an order
call t.reset();
call t.stock('A', 'CHI', 6); call t.stock('B', 'CHI', 3);
select routing.hold('{"order_id": "H1", "customer": "C1", "ship_to": {"country": "US", "postal_code": "60614"}, "lines": [{"item": "K", "quantity": 2}]}', '1 hour') as hold \gset
select t.atp('A', 'CHI', 1), t.atp('B', 'CHI', 1); select * from t.v;
select routing.confirm_hold(:'hold');
select * from t.k; select line, item, quantity, status from t.l; select t.atp('A', 'CHI', 1), t.atp('B', 'CHI', 1); select * from t.v;

-- whatever is ordered, changed, cancelled, shipped and lost: components are never promised twice, and go in proportion
call t.reset();
create procedure t.random(run int, n int) language plpgsql as $$
declare
	seed	int := run;
	x	int;
	id	text;
begin
	for i in 1 .. n loop
		-- a linear congruential generator: the same on every machine
		seed := (seed::bigint * 1103515245 + 12345) % 2147483648;
		x := seed / 65536;
		id := format('R%s-%s', run, i);
		if x % 10 < 6 then
			insert into routing.sales_order (order_id, customer, country, postal_code, requested_on, completeness)
			values (id, 'C1', 'US', '60614', t.day(x % 7 + 2), (array['none', 'none', 'none', 'line', 'order_one_shipment', 'order_one_date'])[x / 16 % 6 + 1]);
			insert into routing.sales_order_line (order_id, line_no, item, quantity)
			select id, k, (array['K', 'K2', 'A', 'B', 'K'])[(x / (3 * k) + k) % 5 + 1], (x / (7 * k)) % 6 + 1
			from generate_series(1, x / 8 % 3 + 1) k;
		elsif x % 10 = 6 then
			update routing.supply set quantity = x / 16 % 30 where item = (array['A', 'B', 'C'])[x / 8 % 3 + 1] and node = (array['CHI', 'DAL'])[x / 32 % 2 + 1];
		elsif x % 10 = 7 then
			perform routing.cancel_order(o.order_id) from routing.sales_order o where o.status not in ('cancelled', 'shipped') order by md5(o.order_id || x) limit 1;
		elsif x % 10 = 8 then
			update routing.sales_order_line l set quantity = x / 16 % 5 + 1
			where (l.order_id, l.line_no) = (select k.order_id, k.line_no from routing.sales_order_line k join routing.sales_order o using (order_id)
				where k.status <> 'shipped' and o.status not in ('cancelled', 'shipped') and k.promised_on is not null
				  and not exists (select from routing.reservation r where r.order_id = k.order_id and r.state in ('issued', 'shipped'))
				order by md5(k.order_id || k.line_no || x) limit 1);
		else
			perform routing.confirm_ship(o.order_id) from routing.sales_order o where o.status = 'allocated'
				and not exists (select from routing.reservation r where r.order_id = o.order_id and r."to" is null and r.basis <> 'on_hand')
			order by md5(o.order_id || x) limit 1;
		end if;
		commit;
		if exists (select from routing.verify()) then
			raise exception 'step % (%): %', i, x, (select string_agg(v::text, '; ') from routing.verify() v);
		end if;
	end loop;
end
$$;
call t.stock('A', 'CHI', 20); call t.stock('B', 'CHI', 20); call t.stock('C', 'CHI', 9); call t.stock('A', 'DAL', 20); call t.stock('B', 'DAL', 20);
call t.stock('C', 'DAL', 9); call t.stock('B', 'CHI', 15, 4); call t.stock('A', 'DAL', 15, 6);
call t.random(1, 150);
select count(*) filter (where status = 'allocated') > 0 as allocated, count(*) filter (where status = 'shipped') > 0 as shipped,
	   count(*) filter (where status ~ 'backordered|partially') > 0 as waiting
from routing.sales_order_line where item like 'K%';
-- what is on hand covers what is promised of it
select s.item, s.node from routing.supply s where s.available_on = '-infinity'
	and s.quantity < (select coalesce(sum(r.quantity), 0) from routing.reservation r where r."to" is null and r.state = 'firm' and r.basis = 'on_hand'
					  and r.item = s.item and r.node = s.node and r.needed_on <= t.day(0));

-- every mix of stock and wishes at one node: what is promised fits, is in proportion, and nothing more would fit
call t.reset();
call t.stock('A', 'CHI', 1); call t.stock('B', 'CHI', 1);
create procedure t.wishes(n int) language plpgsql as $$
declare
	a int; b int; k int; y int; z int;
	p record;
begin
	for i in 0 .. n - 1 loop
		a := i % 10; b := i / 10 % 5; k := i / 50 % 4 + 1; y := i * 7 % 5 + 1; z := i * 11 % 3 + 1;
		update routing.supply set quantity = case item when 'A' then a else b end;
		commit;
		select coalesce(sum(quantity) filter (where line_no = 1 and item = 'A'), 0) as kit_a,
			   coalesce(sum(quantity) filter (where line_no = 1 and item = 'B'), 0) as kit_b,
			   coalesce(sum(quantity) filter (where line_no = 2), 0) as own_a,
			   coalesce(sum(quantity) filter (where line_no = 3), 0) as own_b
		into p from routing.promise(jsonb_build_object('customer', 'C1', 'ship_to', '{"country": "US", "postal_code": "60614"}'::jsonb, 'lines',
			jsonb_build_array(jsonb_build_object('item', 'K', 'quantity', k), jsonb_build_object('item', 'A', 'quantity', y), jsonb_build_object('item', 'B', 'quantity', z))))
		where node is not null;
		if p.kit_a <> 2 * p.kit_b or p.kit_a + p.own_a > a or p.kit_b + p.own_b > b or p.kit_b > k or p.own_a > y or p.own_b > z
		   or (p.kit_b < k and a - p.kit_a - p.own_a >= 2 and b - p.kit_b - p.own_b >= 1)
		   or (p.own_a < y and a - p.kit_a - p.own_a >= 1) or (p.own_b < z and b - p.kit_b - p.own_b >= 1)
		then
			raise warning 'A %, B %, wanted % % %: %', a, b, k, y, z, p;
		end if;
	end loop;
end
$$;
call t.wishes(200);
