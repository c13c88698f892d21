-- a network of some size: nodes that have nothing of an order are not read
\set ECHO none
\getenv abs_srcdir PG_ABS_SRCDIR
\set common :abs_srcdir '/sql/common.psql'
\i :common
-- rows of earlier tests leave the index, which would name their nodes; a vacuum leaves what somebody may still see
truncate routing.position;
\set ECHO all
\pset format unaligned
\pset tuples_only
-- W01 to W30 are all cheaper than CHI, DAL and NYC, the first the cheapest
insert into routing.node (node, time_zone, rank, handling_cost) select 'W' || to_char(n, 'FM00'), 'UTC', 50, 2 from generate_series(1, 30) n;
insert into routing.lane (node, zone, service, transit_days, base_cost, cost_per_kg)
select 'W' || to_char(n, 'FM00'), 'MW', 'ground', 1, 5 + n / 10.0, 0.2 from generate_series(1, 30) n;
-- nodes that were read, that were not since they cannot be cheaper, and that had nothing
create function t.read(id text) returns text language sql stable as $$
	select format('%s: read %s, not read %s, nothing %s', o.status,
				  coalesce((select string_agg(c ->> 'node', ' ' order by k) from jsonb_array_elements(x -> 'candidates') with ordinality y(c, k)), '-'),
				  coalesce(x ->> 'unread', '0'), coalesce(x ->> 'unstocked', '0'))
	from routing.sales_order o, routing.decision_detail(o.decision_id) x where o.order_id = id
$$;
-- the best of those that have it is read alone
call t.stock('A', 'W07', 10); call t.stock('A', 'W21', 10); call t.stock('A', 'CHI', 10);
call t.ord('ONE', 3, 'A 2');
select t.read('ONE');
select "order", node, quantity from t.r;
select line from routing.explain('ONE') line where line ~ 'Not read|with nothing';
select node, outcome, reason, bound, known from routing.explain_rows('ONE') where node in ('W07', 'W21', 'CHI', 'W01', 'W30', 'SAT') order by 1;
select outcome, reason, known, count(*) from routing.explain_rows('ONE') group by 1, 2, 3 order by 1, 2;
-- what would let one of the others in: known now, since it was not looked at
select what, item, seen, needed, change, wins, known from routing.why_not('ONE', 'W01');
-- a position that was made since then: what is not recorded is not asserted
call t.stock('A', 'W01', 1);
select node, outcome, reason, bound, known from routing.explain_rows('ONE') where node in ('W01', 'W02') order by 1;
-- who asks for all nodes gets all
select count(*), count(*) filter (where feasible) from routing.score_nodes(jsonb_build_object('order_id', 'ASK', 'customer', 'C1',
	'requested_on', t.day(3)::text, 'ship_to', '{"country": "US", "postal_code": "60614"}'::jsonb,
	'lines', '[{"line_no": 1, "item": "A", "quantity": "2"}]'::jsonb));
-- lines of different items: a node with one of them may take part of the order
call t.stock('B', 'W12', 10);
call t.ord('TWO', 3, 'A 2, B 1');
select t.read('TWO');
select node, item, quantity from t.r where "order" = 'TWO' order by 1;
-- inbound is something; so is what can be ordered
call t.stock('C', 'W05', 10, 9);
call t.ord('DATED', 12, 'C 3');
select t.read('DATED');
insert into routing.item_node (item, node, lead_time_days) values ('C', 'W09', 4);
call t.ord('PLANNED', 7, 'C 3');
select t.read('PLANNED');
select node, state from t.r where "order" = 'PLANNED';
-- a kit is nowhere but where its rarest component is
insert into routing.item (item, weight_kg) values ('K', 1), ('S', 1), ('F', 1), ('E', 1);
insert into routing.item_component (item, component, quantity) values ('K', 'A', 1), ('K', 'B', 1);
call t.stock('A', 'W12', 10);
call t.ord('KIT', 3, 'K 1');
select t.read('KIT');
-- a substitute may be where the item is not
insert into routing.item_substitute (item, substitute, penalty, needs_consent) values ('S', 'B', 1, false);
begin;
insert into routing.sales_order (order_id, customer, country, postal_code, requested_on) values ('SUBST', 'C1', 'US', '60614', t.day(3));
insert into routing.sales_order_line (order_id, line_no, item, quantity, substitutes) values ('SUBST', 1, 'S', 1, 'allowed');
commit;
select t.read('SUBST');
select node, item from t.r where "order" = 'SUBST';
-- an item at more than half of the nodes: they are read until the bound says enough
insert into routing.supply (item, node, quantity) select 'F', 'W' || n, 10 from generate_series(11, 30) n;
call t.ord('MANY', 3, 'F 1');
select t.read('MANY');
-- it is nowhere; then the first of it comes to a node that it never was at
call t.ord('NONE', 3, 'E 2');
select t.read('NONE');
select line from routing.explain('NONE') line where line ~ 'Not read|with nothing';
select outcome, reason, known, count(*) from routing.explain_rows('NONE') group by 1, 2, 3 order by 1, 2;
call t.stock('E', 'W30', 5);
select t.read('NONE');
select node, item, quantity from t.r where "order" = 'NONE';
-- replays need no more than what was read
select bool_and(same), count(*) from routing.decision d, routing.replay(d.decision_id);
select * from routing.verify();
